package engine_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func equal(t testing.TB, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestAnEventIsSentOnceToTheChildsSchool(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: awaiting acknowledgement", e.notices())

	r.events.publish(r.incident("i1", "KV/1")) // again
	e.settle()
	equal(t, "dsl", r.post.to())
	if n := r.count(isDecision); n != 1 {
		t.Fatalf("%d decisions", n)
	}
	id := e.only(any1)
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "page"}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(48 * time.Hour)
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: acknowledged", e.notices())
}

func TestTheSameIdWithOtherContentIsRefusedWithATask(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"), r.incident("i1", "KV/1", func(ev *eventv1.Event) { ev.Children[0].Ref = "c9" }))
	e.settle()
	equal(t, "dsl", r.post.to())
	e.see(func(s *ledger.State) {
		if s.Refused != 1 || len(s.TasksByDue(false)) != 1 {
			t.Errorf("%d refused, %d tasks", s.Refused, len(s.TasksByDue(false)))
		}
	})
}

func TestABadEventIsRefusedAndHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.put(engine.Message{Faults: 2, Quarantine: 7})
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl", r.post.to())
	e.see(func(s *ledger.State) {
		if got := s.Feedback(police, 0, 1)[0].Quarantine; got != 7 {
			t.Errorf("the publisher is shown quarantine %d", got)
		}
	})
}

func TestNothingIsSentOrAnsweredBeforeTheLogHasIt(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	log.attempt(t) // its lead
	open := log.close()
	defer open()
	r.events.publish(r.incident("i1", "KV/1"))
	log.attempt(t)
	if got := r.post.to(); got != "" {
		t.Fatalf("sent to %s while the log has nothing", got)
	}
	open()
	e.settle()
	equal(t, "dsl", r.post.to())

	id := e.only(any1)
	open = log.close()
	defer open()
	for len(log.tried) > 0 {
		<-log.tried
	}
	answered := make(chan error, 1)
	go func() { answered <- e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl"}) }()
	log.attempt(t)
	select {
	case err := <-answered:
		t.Fatalf("answered %v while the log has nothing", err)
	default:
	}
	open()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestLosingTheLeadEndsRunWithConflictAndSendsNothing(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	if _, err := log.Log.Append(r.context(), 1, []byte("another leader's pack")); err != nil {
		t.Fatal(err)
	}
	r.events.publish(r.incident("i1", "KV/1"))
	if err := e.end(); !isKind(err, notice.Conflict) {
		t.Fatalf("Run returned %v", err)
	}
	equal(t, "", r.post.to())
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: "x"}); !isKind(err, notice.Unavailable) {
		t.Fatalf("a command after the end: %v", err)
	}
	if err := e.Await(r.context(), func(*ledger.State) bool { return true }); !isKind(err, notice.Unavailable) {
		t.Fatalf("waiting after the end: %v", err)
	}
}

func TestAnUnclearAppendIsTriedAgainWithTheSameBytes(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	lead := log.attempt(t)
	fails := 2
	log.check(func([]byte) error {
		if fails--; fails >= 0 {
			return notice.Faultf(notice.Unavailable, "test", "not known")
		}
		return nil
	})
	r.events.publish(r.incident("i1", "KV/1"))
	first, second, third := log.attempt(t), log.attempt(t), log.attempt(t)
	if !bytes.Equal(first, second) || !bytes.Equal(second, third) || bytes.Equal(first, lead) {
		t.Fatal("other bytes were tried")
	}
	e.settle()
	equal(t, "dsl", r.post.to())
}

func TestAnAttemptWithoutAnEndIsSentAgainMarkedOnceItsLeaseIsOver(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	r.post.holdBack()
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	first.crash(log)

	e := r.run()
	e.await("the attempt", func(s *ledger.State) bool { return s.Counts()[ledger.Sending] == 1 })
	equal(t, "dsl", r.post.to())
	r.clock.Advance(lease)
	e.await("the end of the lease", func(s *ledger.State) bool { return s.Counts()[ledger.Waiting] == 1 })
	equal(t, "dsl", r.post.to())
	r.clock.Advance(40 * time.Second)
	e.settle()
	equal(t, "dsl, dsl (again)", r.post.to())
	sent := r.post.arrived(t, 2)
	equal(t, sent[0].MessageID, sent[1].MessageID)
	equal(t, school+" v1: awaiting acknowledgement", e.notices())
}

func TestARestartBeforeTheDecisionDecidesOnce(t *testing.T) {
	r := newRig(t)
	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "not now"))
	log := newGate(r.log)
	r.log = log
	// A ledger that ends between the two: the event is taken in, and no decision follows.
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	log.check(func(pack []byte) error { return notice.Faultf(notice.Internal, "test", "dead") })
	_ = first.end()
	log.mend()

	second := r.run()
	second.await("the event", func(s *ledger.State) bool { return s.Cursor(police) == 1 })
	second.stop()
	if err := second.end(); err != nil {
		t.Fatal(err)
	}
	r.events.fail(1, nil)
	third := r.run()
	third.settle()
	equal(t, "dsl", r.post.to())
	if n := r.count(isDecision); n != 1 {
		t.Fatalf("%d decisions", n)
	}
}

func TestNotAtOurSchoolMakesANewRoundWithATask(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	id := e.only(any1)
	if err := e.NotAtSetting(r.context(), id, "dsl"); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, school+" v1: superseded", e.notices())
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING)

	for name, c := range map[string]struct {
		r    *ledgerv1.TaskResolved
		want notice.Kind
	}{
		"the same setting once more": {&ledgerv1.TaskResolved{Resolution: ledger.SettingChosen, Settings: []string{school}}, notice.Invalid},
		"no setting":                 {&ledgerv1.TaskResolved{Resolution: ledger.SettingChosen}, notice.Invalid},
		"a setting nobody knows":     {&ledgerv1.TaskResolved{Resolution: ledger.SettingChosen, Settings: []string{"gias:999999"}}, notice.Invalid},
		"a word that means nothing":  {&ledgerv1.TaskResolved{Resolution: "done"}, notice.Invalid},
		"nothing":                    {&ledgerv1.TaskResolved{}, notice.Invalid},
		"matched":                    {&ledgerv1.TaskResolved{Resolution: ledger.Matched, Child: "ada"}, notice.Invalid},
	} {
		c.r.Task, c.r.By = task, "op"
		if err := e.ResolveTask(r.context(), c.r); !isKind(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{
		Task: task, By: "op", Resolution: ledger.SettingChosen, Settings: []string{other},
	}); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "dsl, other-dsl", r.post.to())
}

// openTask is one open task of a kind.
func (e *running) openTask(kind ledgerv1.TaskKind) string {
	e.rig.t.Helper()
	id := ""
	e.see(func(s *ledger.State) {
		for _, task := range s.TasksByDue(false) {
			if task.Kind == kind {
				id = task.Task.Id
			}
		}
	})
	if id == "" {
		e.rig.t.Fatalf("no open task of kind %s", kind)
	}
	return id
}

func TestAMatchedTaskIsRoutedAgainAndSent(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1", func(ev *eventv1.Event) { ev.Children[0].Name.Given = "Adaline" }))
	e.settle()
	equal(t, "", r.post.to())
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_UNMATCHED)
	if err := e.ClaimTask(r.context(), task, "op"); err != nil {
		t.Fatal(err)
	}
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.Matched, Child: "nobody"}); !isKind(err, notice.Invalid) {
		t.Fatal(err)
	}
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.Matched, Child: "ada"}); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "dsl", r.post.to())
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.NoAction}); !isKind(err, notice.Precondition) {
		t.Fatalf("resolved twice: %v", err)
	}
}

func TestRetriesKeepThePolicysSpacingAndTheOtherSidesWish(t *testing.T) {
	r := newRig(t)
	r.post.answers(func(m delivery.Message) delivery.Result {
		switch m.Attempt {
		case 1:
			return delivery.Result{Outcome: delivery.Transient, Detail: "smtp 451 \xff"}
		case 2:
			return delivery.Result{Outcome: delivery.Transient, RetryAfter: 20 * time.Minute}
		default:
			return delivery.Result{Outcome: delivery.Delivered}
		}
	})
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	r.clock.Advance(29 * time.Second)
	e.settle()
	equal(t, "dsl", r.post.to())
	r.clock.Advance(10 * time.Second)
	e.settle()
	equal(t, "dsl, dsl", r.post.to())
	r.clock.Advance(19 * time.Minute)
	e.settle()
	equal(t, "dsl, dsl", r.post.to())
	r.clock.Advance(time.Minute)
	e.settle()
	equal(t, "dsl, dsl, dsl", r.post.to())
	equal(t, school+" v1: awaiting acknowledgement", e.notices())
}

func TestAContactThatFailsForGoodGivesWayToTheNext(t *testing.T) {
	r := newRig(t)
	r.post.answers(func(m delivery.Message) delivery.Result {
		if m.Endpoint.Contact == "dsl" {
			return delivery.Result{Outcome: delivery.Permanent, Detail: "smtp 550"}
		}
		return delivery.Result{Outcome: delivery.Delivered}
	})
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl, deputy", r.post.to())
}

func TestTheChainMovesOnInTimeAndEndsWithAPersonsTask(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	r.clock.Set(at(t, "2026-11-20T08:29:59Z"))
	e.settle()
	equal(t, "dsl", r.post.to())
	r.clock.Set(at(t, "2026-11-20T08:30:00Z"))
	e.settle()
	equal(t, "dsl, team", r.post.to())
	r.clock.Set(at(t, "2026-11-20T09:30:00Z"))
	e.settle()
	equal(t, "dsl, team", r.post.to())
	equal(t, school+" v1: with a person", e.notices())
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_EXHAUSTED)

	r.clock.Set(at(t, "2026-11-20T10:00:00Z"))
	e.settle()
	e.see(func(s *ledger.State) {
		if k := s.Tasks[task]; !k.Escalated || k.Organisation != police {
			t.Errorf("the task is with %s", k.Organisation)
		}
	})
}

func TestACorrectionThatChangesNothingLeavesATelephoneTaskOpen(t *testing.T) {
	r := newRig(t)
	e := r.run()
	first := r.incident("i1", "KV/1")
	r.events.publish(first)
	e.settle()
	r.clock.Set(at(t, "2026-11-20T08:30:00Z"))
	e.settle()
	r.clock.Set(at(t, "2026-11-20T09:30:00Z"))
	e.settle()
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_EXHAUSTED)
	again := r.incident("i2", "KV/1")
	again.Supersedes, again.Time, again.Payload = "i1", first.Time, first.Payload
	r.events.publish(again)
	e.settle()
	equal(t, school+" v1: with a person", e.notices())
	equal(t, task, e.openTask(ledgerv1.TaskKind_TASK_KIND_EXHAUSTED))
	if err := e.ResolveTask(r.context(), &ledgerv1.TaskResolved{Task: task, By: "op", Resolution: ledger.ToldByTelephone}); err != nil {
		t.Fatal(err)
	}
	equal(t, school+" v1: acknowledged", e.notices())
}

func TestANoticeBeforeTermIsHeldJoinedReleasedAndFollowsTheChild(t *testing.T) {
	r := newRig(t)
	r.clock.Set(at(t, "2026-12-21T23:00:00Z"))
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "holiday-dsl", r.post.to())
	equal(t, school+" v1: awaiting acknowledgement\n"+school+" v1: held", e.notices())
	acknowledge := func() {
		t.Helper()
		id := e.only(func(n *ledger.Notice) bool { return n.Phase == ledger.Awaiting })
		if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl"}); err != nil {
			t.Fatal(err)
		}
	}
	acknowledge()
	held := e.only(func(n *ledger.Notice) bool { return n.Phase == ledger.Held })
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: held, By: "dsl"}); !isKind(err, notice.Precondition) {
		t.Fatalf("acknowledging what is held: %v", err)
	}

	r.clock.Set(at(t, "2026-12-29T22:00:00Z"))
	r.events.publish(r.incident("i2", "KV/2"))
	e.settle()
	acknowledge()
	equal(t, "holiday-dsl, holiday-dsl", r.post.to())
	e.see(func(s *ledger.State) {
		if n := s.Counts()[ledger.Held]; n != 1 {
			t.Errorf("%d notices are held", n)
		}
	})

	r.direct(pupil("ada", "Ada", other)) // the child changes school over the holiday
	r.clock.Set(at(t, "2027-01-04T08:59:00Z"))
	e.settle()
	equal(t, "holiday-dsl, holiday-dsl", r.post.to())
	r.clock.Set(at(t, "2027-01-04T09:00:00Z"))
	e.settle()
	equal(t, "holiday-dsl, holiday-dsl, other-dsl", r.post.to())
	last := r.post.arrived(t, 3)[2]
	if n := len(last.Notice.Events); n != 2 {
		t.Fatalf("the notice before term tells of %d incidents", n)
	}
	acknowledge()
	r.clock.Set(at(t, "2027-01-10T09:00:00Z"))
	e.settle()
	equal(t, "holiday-dsl, holiday-dsl, other-dsl", r.post.to())
}

func TestTheUrgentGoFirstWhereSlotsAreFew(t *testing.T) {
	r := newRig(t)
	r.slots = 1
	r.post.holdBack()
	e := r.run()
	graded := func(id string, risk eventv1.RiskGrade) *eventv1.Event {
		return r.incident(id, "KV/"+id, func(ev *eventv1.Event) { ev.Risk = risk })
	}
	r.events.publish(graded("i1", eventv1.RiskGrade_RISK_GRADE_STANDARD))
	r.post.arrived(t, 1)
	r.events.publish(graded("i2", eventv1.RiskGrade_RISK_GRADE_STANDARD), graded("i3", eventv1.RiskGrade_RISK_GRADE_MEDIUM),
		graded("i4", eventv1.RiskGrade_RISK_GRADE_HIGH))
	e.await("three in the queue", func(s *ledger.State) bool { return s.Counts()[ledger.Ready] == 3 })
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e.settle()
	var order []eventv1.RiskGrade
	for _, m := range r.post.arrived(t, 4) {
		id := m.Notice.Id
		e.see(func(s *ledger.State) {
			order = append(order, map[ledgerv1.Lane]eventv1.RiskGrade{
				ledgerv1.Lane_LANE_URGENT: eventv1.RiskGrade_RISK_GRADE_HIGH, ledgerv1.Lane_LANE_HIGH: eventv1.RiskGrade_RISK_GRADE_MEDIUM,
				ledgerv1.Lane_LANE_ROUTINE: eventv1.RiskGrade_RISK_GRADE_STANDARD,
			}[s.Notices[id].Lane])
		})
	}
	want := []eventv1.RiskGrade{
		eventv1.RiskGrade_RISK_GRADE_STANDARD, eventv1.RiskGrade_RISK_GRADE_HIGH, eventv1.RiskGrade_RISK_GRADE_MEDIUM,
		eventv1.RiskGrade_RISK_GRADE_STANDARD,
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Fatal(diff)
	}
}

func TestStoppingWaitsForSendsUnderWayAndWritesTheirEnd(t *testing.T) {
	r := newRig(t)
	r.post.holdBack()
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	e.stop()
	select {
	case err := <-e.done:
		t.Fatalf("Run returned %v with a send under way", err)
	default:
	}
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	if n := r.count(func(f *ledgerv1.Fact) bool { return f.GetAttemptFinished() != nil }); n != 1 {
		t.Fatalf("%d ends written", n)
	}
}

func TestANoticeAcknowledgedBeforeItsSendIsDurableIsNotSent(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	log.attempt(t)
	open := log.close()
	defer open()
	r.events.publish(r.incident("i1", "KV/1"))
	log.attempt(t)
	id := e.only(any1)
	answered := make(chan error, 1)
	go func() {
		answered <- e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "telephone"})
	}()
	for seen := false; !seen; {
		e.see(func(s *ledger.State) { seen = s.Notices[id].Phase == ledger.Acknowledged })
	}
	open()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "", r.post.to())
}

func TestEachOfTwoReferrersHearsOfTheirOwnReferral(t *testing.T) {
	r := newRig(t)
	e := r.run()
	referral := func(id, person string) *eventv1.Event {
		return r.incident(id, "R/1", func(ev *eventv1.Event) {
			ev.Type = string(notice.ReferralReceived)
			ev.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: ev.Time}}
			ev.People = []*eventv1.Person{{Ref: person, Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Email: person + "@home.example"}}
		})
	}
	r.post.holdBack() // so that both are in the decision before either is sent
	r.events.publish(referral("r1", "p1"), referral("r2", "p2"))
	e.await("both", func(s *ledger.State) bool { return s.Cursor(police) == 2 && s.Counts()[ledger.Sending] == 2 })
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e.settle()
	seen := map[string]string{}
	for _, m := range r.post.arrived(t, 2) {
		seen[m.Endpoint.Contact] = m.Notice.Id
	}
	if len(seen) != 2 || seen["event:p1"] == "" || seen["event:p2"] == "" {
		t.Fatalf("sent to %v", r.post.to())
	}
}

func TestAnErasedEventHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	first.stop()
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	r.events.fail(1, notice.Fault(notice.NotFound, "test", errGone))
	e := r.run() // with nothing left in memory
	r.events.publish(r.incident("i2", "KV/1", func(ev *eventv1.Event) { ev.Children[0] = child("c1", "Ben") }))
	e.settle()
	equal(t, "dsl, dsl", r.post.to())
}

func TestAnEventThatCannotBeReadWaitsAndHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	first.stop()
	_ = first.end()
	for name, err := range map[string]error{
		"for now":        notice.Faultf(notice.Unavailable, "test", "not now"),
		"for a bad byte": notice.Faultf(notice.Internal, "test", "cannot be decoded"),
	} {
		t.Run(name, func(t *testing.T) {
			r.events.fail(1, err)
			e := r.run()
			defer e.stop()
			before := len(r.post.arrived(t, 1))
			r.events.publish(r.incident("of "+name, "KV/1"), r.incident("other "+name, "KV/"+name))
			e.await("the other event's notice", func(s *ledger.State) bool {
				return s.Cursor(police) == r.events.last() && s.Counts()[ledger.Sending] == 0 && s.Counts()[ledger.Ready] == 0
			})
			r.post.arrived(t, before+1)
			r.events.fail(1, nil)
			r.clock.Advance(time.Second)
			e.settle()
		})
	}
}

func TestADecisionTooLargeForTheLedgerGoesToAPerson(t *testing.T) {
	r := newRig(t)
	r.maxPack = 3000
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1", func(ev *eventv1.Event) {
		for i := range 20 {
			ev.Children = append(ev.Children, child("c"+strconv.Itoa(i+2), "Nobody"+strconv.Itoa(i)))
		}
	}), r.incident("i2", "KV/2"))
	e.settle()
	equal(t, "dsl", r.post.to()) // the other event is told of
	task := e.openTask(ledgerv1.TaskKind_TASK_KIND_GAP)
	e.see(func(s *ledger.State) {
		if got := s.Tasks[task].Organisation; got != police {
			t.Errorf("the task is with %q", got)
		}
	})
}

func TestPacksStayBelowTheLargestMessage(t *testing.T) {
	r := newRig(t)
	r.maxPack = 8000
	log := newGate(r.log)
	r.log = log
	largest := 0
	log.check(func(pack []byte) error { largest = max(largest, len(pack)); return nil })
	e := r.run()
	open := log.close()
	for i := range 60 {
		r.events.publish(r.incident("i"+strconv.Itoa(i), "KV/"+strconv.Itoa(i)))
	}
	log.attempt(t)
	open()
	e.settle()
	r.post.arrived(t, 60)
	if largest > r.maxPack || largest < r.maxPack/2 {
		t.Fatalf("the largest pack has %d bytes", largest)
	}
}

func TestNewChecksItsParts(t *testing.T) {
	if _, err := engine.New(engine.Deps{}, engine.Config{}); !isKind(err, notice.Internal) {
		t.Fatal(err)
	}
}

func TestAnAgencyAddedLaterIsFollowed(t *testing.T) {
	r := newRig(t, directory.AgencyRow(&directoryv1.Agency{Id: "another", Organisation: police}))
	s, err := directory.Build(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	full := r.current.Swap(s)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.current.Store(full)
	e.Refresh()
	e.settle()
	equal(t, "dsl", r.post.to())
	if got := <-e.News(); got != police {
		t.Fatalf("news of %s", got)
	}
}

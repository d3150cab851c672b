package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

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
	r.limits.Slots = 1
	r.post.holdBack()
	e := r.run()
	graded := func(id string, risk eventv1.RiskGrade) *eventv1.Event {
		return r.incident(id, "KV/"+id, func(ev *eventv1.Event) {
			ev.Risk = risk
			// Far enough apart to be no pattern, which would raise what is graded as standard.
			ev.Time = timestamppb.New(ev.Time.AsTime().AddDate(0, 0, -50*int(id[1]-'0')))
		})
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
	id := e.only(whichever)
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
	e.await("both", func(s *ledger.State) bool { return s.Cursor(police) == 2 && s.Counts()[ledger.Sending] == 3 })
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e.settle()
	seen := map[string]string{}
	for _, m := range r.post.arrived(t, 3) { // the authority's team has both in one: it is the night
		if strings.HasPrefix(m.Endpoint.Contact, "event:") {
			seen[m.Endpoint.Contact] = m.Notice.Id
		}
	}
	if len(seen) != 2 || seen["event:p1"] == "" || seen["event:p2"] == "" {
		t.Fatalf("sent to %v", r.post.to())
	}
}

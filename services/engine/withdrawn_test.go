package engine_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

const misdirection = ledgerv1.TaskKind_TASK_KIND_MISDIRECTION

func (e *running) withdraw(id string) {
	e.rig.t.Helper()
	if err := e.Withdraw(e.rig.context(), &ledgerv1.EventWithdrawn{
		Event: e.EventKey(police, id), Agency: police, By: "operator:op", Reason: "wrong_child",
	}); err != nil {
		e.rig.t.Fatal(err)
	}
}

// withdrawal is an event that takes another back.
func (r *rig) withdrawal(id, of string) *eventv1.Event {
	ev := r.incident(id, "KV/1")
	ev.Type, ev.Children, ev.Narrative = string(notice.EventWithdrawn), nil, nil
	ev.Payload = &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: of, Reason: "wrong_child"}}
	return ev
}

// tasks lists the tasks of a kind with their states.
func (e *running) tasks(kind ledgerv1.TaskKind) string {
	e.rig.t.Helper()
	var all []string
	e.see(func(s *ledger.State) {
		for _, task := range s.TasksByDue(true) {
			if task.Kind == kind {
				all = append(all, task.State.String())
			}
		}
	})
	return strings.Join(all, ", ")
}

func TestAWithdrawalStopsASendThatHasYetToWriteWhatCannotBeTakenBack(t *testing.T) {
	r := newRig(t)
	r.post.holdBack()
	r.post.asks = true
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	e.withdraw("i1")
	equal(t, "open", e.tasks(misdirection)) // nobody knows yet whether it got out
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e.await("the end of the send", func(s *ledger.State) bool { return len(s.TasksByDue(false)) == 0 })
	equal(t, school+" v1: withdrawn", e.notices())
	equal(t, "settled", e.tasks(misdirection))
	r.clock.Advance(7 * 24 * time.Hour)
	e.settle()
	equal(t, "dsl", r.post.to())
}

func TestWhatGotOutAllTheSameIsCountedAsMisdirected(t *testing.T) {
	for name, end := range map[string]delivery.Outcome{"delivered": delivery.Delivered, "unknown": delivery.Unknown} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.post.holdBack()
			e := r.run()
			r.events.publish(r.incident("i1", "KV/1"))
			r.post.arrived(t, 1)
			e.withdraw("i1")
			r.post.letGo(delivery.Result{Outcome: end})
			e.await("the end of the send", func(s *ledger.State) bool {
				for _, n := range s.Notices {
					return n.Attempts[0].Ended()
				}
				return false
			})
			equal(t, "open", e.tasks(misdirection))
			r.clock.Advance(60 * time.Hour)
			e.settle()
			equal(t, "dsl", r.post.to()) // neither tried again nor chased
		})
	}
}

// comes looks until a notice is in a phase that the log need not have yet.
func (e *running) comes(what string, phase ledger.Phase) {
	e.rig.t.Helper()
	ctx := e.rig.context()
	for there := false; !there; {
		if ctx.Err() != nil {
			e.rig.t.Fatalf("%s never came", what)
		}
		e.see(func(s *ledger.State) { there = s.Counts()[phase] == 1 })
	}
}

func TestAWithdrawalWhileTheStartIsBeingWrittenSendsNothing(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	open := log.close()
	r.events.publish(r.incident("i1", "KV/1"))
	e.comes("the start", ledger.Sending)
	r.events.publish(r.withdrawal("w1", "i1"))
	e.comes("the withdrawal", ledger.Withdrawn)
	open()
	e.settle()
	e.await("the end of the attempt", func(s *ledger.State) bool { return len(s.TasksByDue(false)) == 0 })
	equal(t, "", r.post.to())
	equal(t, school+" v1: withdrawn", e.notices())
}

func TestAWithdrawalThatComesFirstIsNeverRouted(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.withdrawal("w1", "i1"), r.incident("i1", "KV/1"), r.incident("i2", "KV/2"))
	e.settle()
	equal(t, "dsl", r.post.to()) // of the other incident
	equal(t, school+" v1: awaiting acknowledgement", e.notices())
	equal(t, "", e.tasks(misdirection))
}

func TestAWithdrawalAgainChangesNothingAndCannotBeTakenBack(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	r.events.publish(r.withdrawal("w1", "i1"), r.withdrawal("w1", "i1"), r.withdrawal("w2", "i1"))
	e.settle()
	e.withdraw("i1")
	equal(t, "open", e.tasks(misdirection))
	if n := r.count(func(f *ledgerv1.Fact) bool { return f.GetEventWithdrawn() != nil }); n != 2 {
		t.Errorf("%d withdrawals are on record, want one for each of the two events", n)
	}
	r.events.publish(r.withdrawal("w3", "w1"), r.withdrawal("w1", "i2"), r.incident("w2", "KV/9"))
	e.settle()
	e.see(func(s *ledger.State) {
		if s.Refused != 3 {
			t.Errorf("%d refused, want the withdrawal of a withdrawal and two ids used again", s.Refused)
		}
	})
	for _, f := range []*ledgerv1.EventWithdrawn{
		{Event: e.EventKey(police, "nowhere"), Agency: police, By: "op", Reason: "other"},
		{Event: e.EventKey(police, "i1"), Agency: health, By: "op", Reason: "other"},
	} {
		if err := e.Withdraw(r.context(), f); !isKind(err, notice.NotFound) {
			t.Errorf("withdrew what is not there: %v", err)
		}
	}
}

func TestLinksOfAWithdrawnNoticeAreDeadAndNobodyIsChased(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	id := e.only(whichever)
	e.withdraw("i1")
	for name, err := range map[string]error{
		"acknowledging":      e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "page"}),
		"a code":             e.CodeSent(r.context(), id, "dsl"),
		"reading":            e.NoticeRead(r.context(), id, "dsl"),
		"not at our setting": e.NotAtSetting(r.context(), id, "dsl"),
	} {
		if !isKind(err, notice.Precondition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.clock.Advance(7 * 24 * time.Hour)
	e.settle()
	equal(t, "dsl", r.post.to())
	task := e.openTask(misdirection)
	e.see(func(s *ledger.State) {
		if k := s.Tasks[task]; k.Organisation != police || k.Role != "duty" || !k.Escalated {
			t.Errorf("overdue, the task is with %s of %s", k.Role, k.Organisation)
		}
	})
}

func TestADuplicateWithdrawnLeavesTheOtherReportTold(t *testing.T) {
	for name, id := range map[string]string{"the first": "i1", "the second": "i2"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			e := r.run()
			first := r.incident("i1", "KV/1")
			second := proto.CloneOf(first)
			second.Id = "i2"
			r.events.publish(first, second)
			e.settle()
			e.withdraw(id)
			e.settle()
			standing := 0
			e.see(func(s *ledger.State) { standing = int(s.Counts()[ledger.Awaiting]) })
			if standing != 1 {
				t.Errorf("the report that stands is told by %d notices:\n%s", standing, e.notices())
			}
		})
	}
}

func TestAKillBetweenTheWithdrawalAndTheRoundSendsNothing(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"), r.incident("i2", "KV/1", func(ev *eventv1.Event) { ev.Children[0] = child("c2", "Ben") }))
	e.settle()
	e.withdraw("i1")
	e.settle()
	e.stop()
	_ = e.end()

	// The ledger up to the withdrawal and its task, and nothing of what followed.
	kept := store.NewMemLog(r.clock.Now)
	var previous []byte
	var last uint64
	for _, f := range r.facts() {
		stored, err := proto.Marshal(&ledgerv1.Pack{Previous: previous, Epoch: 1, Facts: []*ledgerv1.Fact{f}})
		if err != nil {
			t.Fatal(err)
		}
		if last, err = kept.Append(r.context(), last, stored); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(stored)
		previous = sum[:]
		if f.GetTaskOpened().GetKind() == misdirection {
			break
		}
	}
	r.log = kept
	before := r.post.to()
	again := r.run()
	again.settle()
	r.clock.Advance(48 * time.Hour)
	again.settle()
	rounds := r.count(func(f *ledgerv1.Fact) bool {
		return f.GetDecided().GetCause() == ledgerv1.Cause_CAUSE_WITHDRAWAL
	})
	if rounds != 1 {
		t.Errorf("%d rounds follow the withdrawal", rounds)
	}
	again.see(func(s *ledger.State) {
		for _, n := range s.Notices {
			if n.Child == "ada" && (n.Phase != ledger.Withdrawn || len(n.Attempts) != 1) {
				t.Errorf("the notice withdrawn is %s after %d attempts", n.Phase, len(n.Attempts))
			}
		}
	})
	if before == r.post.to() {
		t.Error("nobody is chased about the sibling's notice, which stands")
	}
}

func TestACorrectionHoldsAtEveryStage(t *testing.T) {
	corrected := func(r *rig, change func(*eventv1.Event)) *eventv1.Event {
		ev := r.incident("i1b", "KV/1")
		ev.Supersedes = "i1"
		change(ev)
		return ev
	}
	elsewhere := func(ev *eventv1.Event) { ev.Children[0] = child("c1", "Ben") }
	otherWords := func(ev *eventv1.Event) {
		ev.Narrative.Disclosable = "Officers were called to a dispute between neighbours."
	}
	benAtOther := func(t *testing.T) *rig { return newRig(t, pupil("ben", "Ben", other)) }

	t.Run("before routing", func(t *testing.T) {
		r := benAtOther(t)
		r.events.publish(corrected(r, elsewhere), r.incident("i1", "KV/1"))
		e := r.run()
		e.settle()
		equal(t, "other-dsl", r.post.to())
	})
	t.Run("held", func(t *testing.T) {
		r := benAtOther(t)
		r.clock.Set(at(t, "2026-12-21T10:00:00Z"))
		e := r.run()
		r.events.publish(r.incident("i1", "KV/1"))
		e.settle()
		r.events.publish(corrected(r, elsewhere))
		e.settle()
		r.clock.Set(at(t, "2026-12-22T12:00:00Z"))
		e.settle()
		r.clock.Set(at(t, "2027-01-04T12:00:00Z"))
		e.settle()
		equal(t, "holiday-dsl, other-holiday, team, other-dsl", r.post.to())
	})
	t.Run("in flight", func(t *testing.T) {
		r := benAtOther(t)
		r.post.holdBack()
		r.post.asks = true
		e := r.run()
		r.events.publish(r.incident("i1", "KV/1"))
		r.post.arrived(t, 1)
		r.events.publish(corrected(r, elsewhere))
		e.await("the correction", func(s *ledger.State) bool { return s.Counts()[ledger.Superseded] == 1 })
		r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
		e.settle()
		e.await("the end of the misdirection", func(s *ledger.State) bool { return len(s.TasksByDue(false)) == 0 })
		equal(t, "dsl, other-dsl", r.post.to())
		equal(t, "settled", e.tasks(misdirection)) // the first was called off in time
	})
	t.Run("delivered, to somebody who should not have been told", func(t *testing.T) {
		r := benAtOther(t)
		e := r.run()
		r.events.publish(r.incident("i1", "KV/1"))
		e.settle()
		r.events.publish(corrected(r, elsewhere))
		e.settle()
		equal(t, "dsl, other-dsl", r.post.to())
		equal(t, "open", e.tasks(misdirection))
		r.clock.Advance(time.Hour)
		equal(t, school+" v1: superseded\n"+other+" v1: awaiting acknowledgement", e.notices())
	})
	t.Run("read, in other words for the same recipient", func(t *testing.T) {
		r := newRig(t)
		e := r.run()
		r.events.publish(r.incident("i1", "KV/1"))
		e.settle()
		id := e.only(whichever)
		if err := e.NoticeRead(r.context(), id, "dsl"); err != nil {
			t.Fatal(err)
		}
		r.events.publish(corrected(r, otherWords))
		e.settle()
		equal(t, school+" v1: superseded\n"+school+" v2: awaiting acknowledgement", e.notices())
		equal(t, "", e.tasks(misdirection)) // who must be told was told
		if err := e.NoticeRead(r.context(), id, "dsl"); !isKind(err, notice.Precondition) {
			t.Errorf("the version before is still read: %v", err)
		}
	})
}

func TestASettingThatSaysNotHereHadWhatItShouldNot(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	if err := e.NotAtSetting(r.context(), e.only(whichever), "dsl"); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "open", e.tasks(misdirection))
}

package engine_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// replayOf asks for a replay of one event.
func (e *running) replayOf(event string) *ledgerv1.Replayed {
	return &ledgerv1.Replayed{Agency: police, Event: e.EventKey(police, event), By: "operator:a", Statement: 1}
}

// digest is that of the plan as it is now.
func (e *running) digest(chosen *ledgerv1.Replayed) string {
	e.rig.t.Helper()
	plan, err := e.PlanReplay(e.rig.context(), chosen)
	if err != nil {
		e.rig.t.Fatal(err)
	}
	return plan.Digest
}

// moved has Ada at another school, which nobody has told yet.
func moved() *directoryv1.Row { return pupil("ada", "Ada", other) }

// replayedOnce has Ada move, and the incident replayed.
func replayedOnce(e *running) {
	e.rig.t.Helper()
	e.rig.events.publish(e.rig.incident("i1", "KV/1"))
	e.settle()
	e.rig.direct(moved())
	chosen := e.replayOf("i1")
	chosen.Digest = e.digest(chosen)
	if err := e.Replay(e.rig.context(), chosen); err != nil {
		e.rig.t.Fatal(err)
	}
}

func TestAReplayThatACrashCutsOffGoesOnByItself(t *testing.T) {
	r := newRig(t)
	r.maxPack = decidedOnly(t, replayedOnce)
	log := newGate(r.log)
	r.log = log
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	r.direct(moved())
	chosen := first.replayOf("i1")
	chosen.Digest = first.digest(chosen)
	log.check(func(stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		for _, f := range pack.Facts {
			if f.GetDecided().GetCause() == ledgerv1.Cause_CAUSE_REPLAY {
				return notice.Faultf(notice.Internal, "test", "the process is dead")
			}
		}
		return nil
	})
	_ = first.Replay(r.context(), chosen)
	if err := first.end(); err == nil {
		t.Fatal("the engine survived")
	}
	log.mend()
	if r.count(func(f *ledgerv1.Fact) bool { return f.GetReplayed() != nil }) != 1 || r.count(isDecision) != 1 {
		t.Fatal("the crash was not between the two")
	}
	second := r.run()
	second.settle()
	equal(t, "dsl, other-dsl", r.post.to())
	equal(t, school+" v1: superseded\n"+other+" v1: awaiting acknowledgement", second.notices())
}

func TestAReplayIsDoneAsItWasPlannedOrNotAtAll(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	chosen := e.replayOf("i1")
	if chosen.Digest = e.digest(chosen); chosen.Digest != "" {
		t.Errorf("a plan where nothing has changed: %s", chosen.Digest)
	}
	if err := e.Replay(r.context(), chosen); !isKind(err, notice.Precondition) {
		t.Errorf("a replay of nothing: %v", err)
	}
	r.direct(moved())
	chosen.Digest = "another"
	if err := e.Replay(r.context(), chosen); !isKind(err, notice.Conflict) {
		t.Errorf("another plan: %v", err)
	}
	e.settle()
	equal(t, "dsl", r.post.to())
	if r.count(func(f *ledgerv1.Fact) bool { return f.GetReplayed() != nil }) != 0 {
		t.Error("what was refused was recorded")
	}
	chosen.Digest = e.digest(chosen)
	if err := e.Replay(r.context(), chosen); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "dsl, other-dsl", r.post.to())
	if err := e.Replay(r.context(), chosen); !isKind(err, notice.Precondition) {
		t.Errorf("a second time: %v", err)
	}
	// An erased event takes nothing back.
	r.events.fail(1, notice.Faultf(notice.NotFound, "test", "erased"))
	e.stop()
	_ = e.end()
	r.direct()
	again := r.run()
	plan, err := again.PlanReplay(r.context(), again.replayOf("i1"))
	if err != nil || plan.Digest != "" || len(plan.Skipped) != 1 {
		t.Errorf("of an erased event: %v, %v", plan, err)
	}
}

func TestAnInstanceThatStandsByPlansAsTheLeaderDoesAndCarriesNothingOut(t *testing.T) {
	r := newRig(t)
	leader := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	leader.settle()
	standby := r.runBeside(newBallot())
	standby.await("the decision", func(s *ledger.State) bool { return len(s.Notices) == 1 && s.Idle(r.clock.Now().UnixMilli()) })
	r.direct(moved())
	chosen := standby.replayOf("i1")
	chosen.Digest = standby.digest(chosen)
	equal(t, leader.digest(chosen), chosen.Digest)
	if err := standby.Replay(r.context(), chosen); !errors.Is(err, engine.ErrNotLeading) {
		t.Errorf("carried out beside the leader: %v", err)
	}
	if err := leader.Replay(r.context(), chosen); err != nil {
		t.Error(err)
	}
	leader.settle()
	equal(t, "dsl, other-dsl", r.post.to())
}

package engine_test

import (
	"strconv"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

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

func TestNotAtOurSchoolMakesANewRoundWithATask(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	id := e.only(whichever)
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
				id = task.Id
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

func TestWhatThinEventsOfOneReferenceLeaveOutDoesNotOutgrowThePack(t *testing.T) {
	r := newRig(t)
	r.maxPack = 3000
	log := newGate(r.log)
	r.log = log
	largest := 0
	log.check(func(pack []byte) error { largest = max(largest, len(pack)); return nil })
	e := r.run()
	for i := range 8 { // a publisher that gives every event the same reference
		r.events.publish(r.incident("i"+strconv.Itoa(i), "N/A", func(ev *eventv1.Event) {
			ev.Risk, ev.Narrative = eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED, nil
		}))
		e.settle()
	}
	if largest > r.maxPack {
		t.Errorf("the largest pack has %d bytes, more than the store takes: nothing could be recorded any more", largest)
	}
	e.openTask(ledgerv1.TaskKind_TASK_KIND_GAP)
}

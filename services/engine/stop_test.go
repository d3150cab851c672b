package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var everything = ledger.Stop{Scope: ledgerv1.Scope_SCOPE_ALL}

func (e *running) halt(p ledger.Stop) {
	e.rig.t.Helper()
	if err := e.Stop(e.rig.context(), &ledgerv1.Stopped{Scope: p.Scope, Target: p.Target, By: "operator:a"}); err != nil {
		e.rig.t.Fatal(err)
	}
}

func (e *running) goOn(p ledger.Stop) {
	e.rig.t.Helper()
	if err := e.Resume(e.rig.context(), &ledgerv1.Resumed{Scope: p.Scope, Target: p.Target, By: "operator:a"}); err != nil {
		e.rig.t.Fatal(err)
	}
}

func TestWhileSendingIsStoppedNobodyIsToldAndNothingIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		stop ledger.Stop
		to   string
	}{
		"everything":                   {everything, ""},
		"the recipient":                {ledger.Stop{Scope: ledgerv1.Scope_SCOPE_ORGANISATION, Target: school}, ""},
		"the kind":                     {ledger.Stop{Scope: ledgerv1.Scope_SCOPE_KIND, Target: string(notice.EncompassIncident)}, ""},
		"the channel":                  {ledger.Stop{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: delivery.Email}, ""},
		"the channel of somebody else": {ledger.Stop{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: delivery.GRPC}, "dsl"},
		"another setting":              {ledger.Stop{Scope: ledgerv1.Scope_SCOPE_ORGANISATION, Target: other}, "dsl"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			e := r.run()
			e.halt(c.stop)
			e.halt(c.stop) // again changes nothing
			r.events.publish(r.incident("i1", "KV/1"))
			e.settle()
			equal(t, c.to, r.post.to())
			if c.to == "" {
				equal(t, school+" v1: stopped", e.notices())
			}
			e.goOn(c.stop)
			e.settle()
			equal(t, "dsl", r.post.to())
			equal(t, school+" v1: awaiting acknowledgement", e.notices())
			if err := e.Resume(r.context(), &ledgerv1.Resumed{Scope: c.stop.Scope, Target: c.stop.Target}); !isKind(err, notice.Precondition) {
				t.Errorf("resumed twice: %v", err)
			}
		})
	}
}

func TestAChainDoesNotMoveOnByEmailWhileItIsStopped(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl", r.post.to())
	e.halt(everything)
	r.clock.Advance(36 * time.Hour)
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: with a person", e.notices())
	e.see(func(s *ledger.State) {
		tasks := s.TasksByDue(false)
		if len(tasks) != 1 || tasks[0].Kind != ledgerv1.TaskKind_TASK_KIND_EXHAUSTED {
			t.Errorf("%d tasks", len(tasks))
		}
	})
}

func TestWhatCameDueWhileStoppedIsTelephonedOrGoesOutByItsDueTime(t *testing.T) {
	r := newRig(t)
	r.limits.Slots = 1
	e := r.run()
	e.halt(everything)
	for i := range 5 { // from Thursday evening, a day apart: each is due later than the one before
		r.events.publish(r.incident(fmt.Sprintf("i%d", i), fmt.Sprintf("KV/%d", i)))
		e.settle()
		r.clock.Advance(24 * time.Hour)
		e.settle()
	}
	equal(t, "", r.post.to())
	var taken, want []string
	e.see(func(s *ledger.State) {
		var due []*ledger.Notice
		for _, n := range s.Notices {
			if n.Phase == ledger.WithTask && taken == nil {
				taken = []string{n.Id, n.Task}
				continue
			}
			due = append(due, n)
		}
		slices.SortFunc(due, func(a, b *ledger.Notice) int { return int(a.DueMs - b.DueMs) })
		for _, n := range due {
			want = append(want, n.Id)
		}
	})
	if taken == nil || len(want) != 4 {
		t.Fatalf("taken %v, others %v", taken, want)
	}
	if err := e.ClaimTask(r.context(), taken[1], "operator:a"); err != nil {
		t.Fatal(err)
	}
	e.goOn(everything)
	e.settle()
	var got []string
	var due []int64
	e.see(func(s *ledger.State) {
		for _, m := range r.post.arrived(t, 4) {
			n := s.Notices[m.Notice.GetId()]
			if m.Endpoint.Contact == "dsl" {
				got, due = append(got, n.Id), append(due, n.DueMs)
			}
		}
		if n := s.Notices[taken[0]]; n.Phase != ledger.WithTask || n.Sent() {
			t.Errorf("what somebody had taken up is %s", n.Phase)
		}
	})
	if !slices.IsSorted(due) || len(got) != 4 {
		t.Errorf("sent %v, due %v; want by due time: %v", got, due, want)
	}
	e.stop()
	_ = e.end()
	r.run().settle() // the ledger folds again, and nothing goes out twice
	if sent := r.post.arrived(t, 4); len(sent) != 4 {
		t.Errorf("%d sends", len(sent))
	}
}

func TestNothingBeginsToBeSentOnceTheStopIsDurable(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	stopped := make(chan error, 1)
	log.check(func(stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		if !slices.ContainsFunc(pack.Facts, func(f *ledgerv1.Fact) bool { return f.GetAttemptStarted() != nil }) {
			return nil
		}
		// Sending is stopped while the start of an attempt is being written.
		log.mend()
		go func() { stopped <- e.Stop(r.context(), &ledgerv1.Stopped{Scope: everything.Scope}) }()
		for in := false; !in; {
			if err := e.View(r.context(), func(s *ledger.State) { in = s.Stopped(everything) }); err != nil {
				return err
			}
		}
		return nil
	})
	r.events.publish(r.incident("i1", "KV/1"))
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, "", r.post.to())
	equal(t, school+" v1: stopped", e.notices())
	e.goOn(everything)
	e.settle()
	equal(t, "dsl", r.post.to())
}

func TestWhatHadBegunEndsAndIsNotTriedAgainWhileStopped(t *testing.T) {
	r := newRig(t)
	r.post.holdBack()
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	e.halt(everything)
	r.post.letGo(delivery.Result{Outcome: delivery.Transient, Detail: "smtp 451"})
	e.await("the end of the send", func(s *ledger.State) bool { return s.Counts()[ledger.Waiting] == 1 })
	r.clock.Advance(10 * time.Minute)
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: stopped", e.notices())
}

func TestCorrectionsAndAnswersGoOnWhileSendingIsStopped(t *testing.T) {
	r := newRig(t)
	e := r.run()
	e.halt(everything)
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	first := e.only(whichever)
	if err := e.CodeSent(r.context(), first, "dsl"); !isKind(err, notice.Unavailable) {
		t.Errorf("a code was let out: %v", err)
	}
	r.events.publish(r.incident("i2", "KV/1", func(ev *eventv1.Event) {
		ev.Supersedes = "i1"
		ev.Narrative.Disclosable = "Officers were called to the home of two adults."
	}))
	e.settle()
	e.goOn(everything)
	e.settle()
	equal(t, "dsl", r.post.to()) // the corrected one, once
}

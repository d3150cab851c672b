package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ballot gives out turns when the test says so.
type ballot struct{ turns chan engine.Term }

func newBallot() *ballot { return &ballot{turns: make(chan engine.Term, 1)} }

func (b *ballot) Campaign(ctx context.Context) (engine.Term, error) {
	select {
	case t := <-b.turns:
		return t, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// turn is a term that the test ends.
type turn struct {
	over     atomic.Bool
	lost     chan struct{}
	resigned chan struct{}
}

func newTurn() *turn { return &turn{lost: make(chan struct{}), resigned: make(chan struct{})} }

func (t *turn) Held() bool            { return !t.over.Load() }
func (t *turn) Lost() <-chan struct{} { return t.lost }
func (t *turn) Resign()               { close(t.resigned) }

func (t *turn) lose() {
	t.over.Store(true)
	close(t.lost)
}

// runBeside runs a second engine over the same world, which waits for its turn.
func (r *rig) runBeside(election engine.Election) *running {
	r.t.Helper()
	r.election = election
	defer func() { r.election = nil }()
	ctx, stop := context.WithCancel(context.Background())
	e := &running{Engine: r.engine(), rig: r, stop: stop, done: make(chan error, 1)}
	go func() { e.done <- e.Run(ctx) }()
	r.t.Cleanup(func() {
		stop()
		_ = e.end()
	})
	select {
	case <-e.Ready():
	case <-time.After(patience):
		r.t.Fatal("the ledger was not read")
	}
	return e
}

func awaitClosed(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func TestAStandbyShowsWhatTheLeaderRecordsAndRecordsNothing(t *testing.T) {
	r := newRig(t)
	leader := r.run()
	election := newBallot()
	standby := r.runBeside(election)
	r.events.publish(r.incident("i1", "KV/1"))
	leader.settle()
	standby.await("the leader's notice", func(s *ledger.State) bool {
		for _, n := range s.Notices {
			return n.Phase == ledger.Awaiting
		}
		return false
	})
	id := standby.only(whichever)
	err := standby.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "page"})
	if !errors.Is(err, engine.ErrNotLeading) || !isKind(err, notice.Unavailable) {
		t.Fatalf("a command to the standby: %v", err)
	}

	leader.stop()
	if err := leader.end(); err != nil {
		t.Fatal(err)
	}
	mine := newTurn()
	election.turns <- mine
	awaitClosed(t, "the lead", standby.Started())
	if err := standby.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "page"}); err != nil {
		t.Fatal(err)
	}
	equal(t, school+" v1: acknowledged", standby.notices())
	equal(t, "dsl", r.post.to())
	if epoch, pack, err := standby.Position(r.context()); err != nil || epoch != 2 || pack == 0 {
		t.Errorf("epoch %d, pack %d, %v", epoch, pack, err)
	}
	standby.stop()
	if err := standby.end(); err != nil {
		t.Fatal(err)
	}
	awaitClosed(t, "the lead to be given back", mine.resigned)
}

func TestAStandbyThatIsToldToStopNeverLeads(t *testing.T) {
	r := newRig(t)
	standby := r.runBeside(newBallot())
	standby.stop()
	if err := standby.end(); err != nil {
		t.Fatal(err)
	}
	if n := len(r.facts()); n != 0 {
		t.Errorf("%d facts", n)
	}
}

func TestATurnThatIsLostCutsSendsOff(t *testing.T) {
	r := newRig(t)
	election, mine := newBallot(), newTurn()
	e := r.runBeside(election)
	election.turns <- mine
	awaitClosed(t, "the lead", e.Started())
	r.post.holdBack() // ends with the context alone
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	began := time.Now()
	mine.lose()
	if err := e.end(); !isKind(err, notice.Conflict) {
		t.Fatalf("Run returned %v", err)
	}
	if took := time.Since(began); took > lease/2 {
		t.Errorf("the send under way went on for %v", took)
	}
	awaitClosed(t, "the term to be given back", mine.resigned)
	err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: "x"})
	if !errors.Is(err, engine.ErrNotLeading) {
		t.Errorf("a command after the end: %v", err)
	}
}

// A process that wakes after its lease knows it by the clock before it is told: what was durable just then is not sent.
func TestNothingIsSentOnceTheLeaseIsOverThoughNobodyHasSaidSo(t *testing.T) {
	r := newRig(t)
	election, mine := newBallot(), newTurn()
	e := r.runBeside(election)
	election.turns <- mine
	awaitClosed(t, "the lead", e.Started())
	mine.over.Store(true)
	r.events.publish(r.incident("i1", "KV/1"))
	e.await("the attempt to end", func(s *ledger.State) bool {
		for _, n := range s.Notices {
			return len(n.Attempts) == 1 && n.Attempts[0].Ended()
		}
		return false
	})
	equal(t, "", r.post.to())
}

func TestWhoeverMaySendIsAskedByTheClockToo(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	past, cancelPast := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelPast()
	for name, tc := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"no lease at all":      {t.Context(), true},
		"a lease that lasts":   {delivery.WithLease(t.Context(), func() bool { return true }), true},
		"a lease that is over": {delivery.WithLease(t.Context(), func() bool { return false }), false},
		"a context that ended": {delivery.WithLease(over, func() bool { return true }), false},
		"a deadline gone by":   {delivery.WithLease(past, func() bool { return true }), false},
	} {
		if got := delivery.Held(tc.ctx); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

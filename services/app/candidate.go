package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// The times of the lease, by each machine's own clocks: no two machines' clocks are ever compared. A leader stops a second
// before anybody may take its place; both count from a renewal, and the leader from before it sent its own.
const (
	renewEvery = 2 * time.Second
	heldFor    = 5 * time.Second // since a renewal was sent that was stored
	goneAfter  = 6 * time.Second // since a renewal was first seen, and no other came
	lookEvery  = 250 * time.Millisecond
)

// lease is the record of who leads.
type lease interface {
	Get(ctx context.Context) (store.LeaseRecord, uint64, error)
	Put(ctx context.Context, after uint64, r store.LeaseRecord) (uint64, error)
}

// candidate is this process as one that may lead.
type candidate struct {
	lease    lease
	instance string
	run      string // tells apart processes of one name
	key      string // a hash that the same ledger key alone gives
	log      *zap.Logger

	looked bool // at the record, since this process began
}

func newCandidate(l lease, instance string, key notice.Key, log *zap.Logger) *candidate {
	var run [8]byte
	_, _ = rand.Read(run[:]) // never fails (crypto/rand)
	return &candidate{
		lease: l, instance: instance, run: hex.EncodeToString(run[:]), key: hex.EncodeToString(key.Digest("lease")[:8]), log: log,
	}
}

// Campaign looks at the record until nobody renews it, then puts this process's name there. It is not called twice at
// once.
func (c *candidate) Campaign(ctx context.Context) (engine.Term, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen uint64
	var since time.Time
	for {
		record, revision, err := c.lease.Get(ctx)
		switch {
		case err != nil:
			c.log.Warn("who leads cannot be read; trying again", zap.Error(err))
		case record.Key != "" && record.Key != c.key:
			return nil, notice.Faultf(notice.Precondition, "app.Campaign",
				"the ledger is written with another key than this instance has: copy data/keys and data/ca from %q, and start again", record.Instance)
		case since.IsZero() || revision != seen:
			seen, since = revision, time.Now()
		}
		if err == nil && c.free(record, revision, since) {
			if t := c.take(ctx, revision); t != nil {
				c.looked = true
				return t, nil
			}
		}
		c.looked = c.looked || err == nil
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// free says whether the lead may be tried for. The name of this process's predecessor is taken over at once, but only at
// the start: two that were given one name by mistake must not take the lead from each other for ever.
func (c *candidate) free(r store.LeaseRecord, revision uint64, since time.Time) bool {
	switch {
	case revision == 0, r.Run == "", r.Run == c.run:
		return true
	case !c.looked && r.Instance == c.instance:
		return true
	default:
		return time.Since(since) >= goneAfter
	}
}

// take puts this process's name into the record, unless another is quicker.
func (c *candidate) take(ctx context.Context, after uint64) *term {
	bounded, cancel := context.WithTimeout(ctx, heldFor)
	defer cancel()
	start := time.Now()
	revision, err := c.lease.Put(bounded, after, c.record())
	if err != nil {
		if notice.KindOf(err) != notice.Conflict {
			c.log.Warn("the lead cannot be tried for; trying again", zap.Error(err))
		}
		return nil
	}
	t := &term{candidate: c, revision: revision, lost: make(chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	t.extend(start)
	go t.renew()
	return t
}

func (c *candidate) record() store.LeaseRecord {
	return store.LeaseRecord{Instance: c.instance, Run: c.run, Key: c.key, Renewed: time.Now().UTC()}
}

// term is a turn to lead, renewed until it is lost or given back.
type term struct {
	*candidate
	revision uint64 // of the last renewal; owned by renew

	mu    sync.Mutex
	until time.Time

	lost chan struct{}
	stop chan struct{}
	done chan struct{} // closed once renew has returned
}

func (t *term) extend(start time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = start.Add(heldFor)
}

// Held says whether the lease lasts by both clocks of this machine: the one stands still while the machine sleeps, the
// other may be set back.
func (t *term) Held() bool {
	t.mu.Lock()
	until := t.until
	t.mu.Unlock()
	now := time.Now()
	return now.Before(until) && now.Round(0).Before(until.Round(0))
}

// Lost is closed once the lease is over.
func (t *term) Lost() <-chan struct{} { return t.lost }

// renew renews until the lease is lost or given back.
func (t *term) renew() {
	defer close(t.done)
	wait := renewEvery
	for {
		timer := time.NewTimer(wait)
		select {
		case <-t.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if wait = renewEvery; !t.again() {
			wait = lookEvery // it is not known to be renewed
		}
		if !t.Held() {
			t.log.Error("the lease on the lead is over: this instance stops sending", zap.String("instance", t.instance))
			close(t.lost)
			return
		}
	}
}

// again renews once. A conflict ends the term, unless what was stored is an earlier renewal whose answer was lost.
func (t *term) again() bool {
	t.mu.Lock()
	ctx, cancel := context.WithDeadline(context.Background(), t.until)
	t.mu.Unlock()
	defer cancel()
	start := time.Now()
	revision, err := t.lease.Put(ctx, t.revision, t.record())
	switch {
	case err == nil:
		t.revision = revision
		t.extend(start)
		return true
	case notice.KindOf(err) != notice.Conflict:
		t.log.Warn("the lease on the lead cannot be renewed; trying again", zap.Error(err))
		return false
	}
	record, revision, err := t.lease.Get(ctx)
	switch {
	case err != nil:
	case record.Run == t.run:
		t.revision = revision
	default:
		t.extend(time.Time{}) // another has it
	}
	return false
}

// resignFor bounds giving the lead back: whoever waits finds out without it, later.
const resignFor = time.Second

// Resign ends the renewals, and gives the lead back if it is held.
func (t *term) Resign() {
	close(t.stop)
	<-t.done
	if !t.Held() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), resignFor)
	defer cancel()
	if _, err := t.lease.Put(ctx, t.revision, store.LeaseRecord{Key: t.key, Renewed: time.Now().UTC()}); err != nil {
		t.log.Warn("the lead cannot be given back: the next to lead waits for the lease to end", zap.Error(err))
	}
}

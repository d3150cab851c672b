// Package clock tells the time: the machine's, or one that is moved by hand for rehearsals and tests.
//
// Everything that waits for an hour waits on a Clock, so that a day can pass in a moment. Machine is for those who must
// know whether the machine itself can be trusted, whatever a rehearsal does. It imports no other room.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and wakes those who wait for it.
type Clock interface {
	// Now is the present instant.
	Now() time.Time
	// Until returns a channel that is closed once the instant has come, and a function that gives the wait up.
	Until(at time.Time) (<-chan struct{}, func())
}

// System is the machine's clock.
type System struct{}

// Now is the present instant.
func (System) Now() time.Time { return time.Now() }

// Until returns a channel that is closed once the instant has come.
func (System) Until(at time.Time) (<-chan struct{}, func()) {
	done := make(chan struct{})
	t := time.AfterFunc(time.Until(at), func() { close(done) })
	return done, func() { t.Stop() }
}

// Movable stands still until it is moved.
type Movable struct {
	mu      sync.Mutex
	now     time.Time
	waiters map[*waiter]struct{}
}

type waiter struct {
	at   time.Time
	done chan struct{}
}

// NewMovable stands at an instant.
func NewMovable(at time.Time) *Movable {
	return &Movable{now: at, waiters: map[*waiter]struct{}{}}
}

// Now is the instant at which the clock stands.
func (m *Movable) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Until returns a channel that is closed once the clock was moved to the instant or past it.
func (m *Movable) Until(at time.Time) (<-chan struct{}, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := &waiter{at: at, done: make(chan struct{})}
	if !m.now.Before(at) {
		close(w.done)
		return w.done, func() {}
	}
	m.waiters[w] = struct{}{}
	return w.done, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.waiters, w)
	}
}

// Set moves the clock on to an instant. It never moves back: an earlier instant changes nothing.
func (m *Movable) Set(to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to.Before(m.now) {
		return
	}
	m.now = to
	for w := range m.waiters {
		if !w.at.After(to) {
			close(w.done)
			delete(m.waiters, w)
		}
	}
}

// Advance moves the clock on by a span.
func (m *Movable) Advance(by time.Duration) { m.Set(m.Now().Add(by)) }

// stride is how often a clock that runs is moved on.
const stride = 100 * time.Millisecond

// Run lets the clock run on from where it stands, as fast as the machine's, until the context ends. It may be moved on
// meanwhile.
func (m *Movable) Run(ctx context.Context) {
	tick := time.NewTicker(stride)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			m.Advance(now.Sub(last))
			last = now
		}
	}
}

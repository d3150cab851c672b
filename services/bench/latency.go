package bench

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
)

// arrivals are the times from when an event was to be published to when each of its notices came to the receiver.
type arrivals struct {
	mu    sync.Mutex
	sent  map[string]time.Time // by subject; others are not counted
	taken []time.Duration
}

func newArrivals() *arrivals { return &arrivals{sent: make(map[string]time.Time)} }

func (a *arrivals) expect(subject string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[subject] = at
}

func (a *arrivals) arrived(subject string) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.sent[subject]; ok {
		a.taken = append(a.taken, now.Sub(at))
	}
}

// watch has the receiver tell a of what arrives.
func (w *world) watch(a *arrivals) {
	tell := a.arrived
	w.receiver.arrived.Store(&tell)
}

// percentile is the smallest time that so many in a hundred do not exceed, in milliseconds.
func (a *arrivals) percentile(p float64) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.taken) == 0 {
		return 0
	}
	slices.Sort(a.taken)
	rank := int(math.Ceil(p/100*float64(len(a.taken)))) - 1
	return a.taken[max(rank, 0)].Seconds() * 1000
}

// stride is how often a steady publisher publishes what has fallen due.
const stride = time.Millisecond

// steady publishes events at a rate of notices a second. Each counts from when it was to be published, so that a service
// which falls behind shows it.
func (w *world) steady(ctx context.Context, notices int, span time.Duration, a *arrivals) error {
	events := int(span.Seconds() * float64(notices) / recipients)
	apart := time.Second * recipients / time.Duration(notices)
	tick := time.NewTicker(stride)
	defer tick.Stop()
	var futures []jetstream.PubAckFuture
	began := time.Now()
	for len(futures) < events {
		for due := began.Add(apart * time.Duration(len(futures))); len(futures) < events && !time.Now().Before(due); due = due.Add(apart) {
			ev := w.one(delivery.GRPC, eventv1.RiskGrade_RISK_GRADE_MEDIUM)
			a.expect(ev.Subject, due)
			future, err := w.send(ev)
			if err != nil {
				return err
			}
			futures = append(futures, future)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return durable(ctx, futures)
}

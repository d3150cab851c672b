package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// urgentRatio is how much longer an urgent notice takes, at its 99th percentile, while a queue of routine ones drains
// than with nothing else to do.
func (w *world) urgentRatio(ctx context.Context, sizes Sizes) (float64, error) {
	idle := newArrivals()
	w.watch(idle)
	for range sizes.UrgentIdle {
		if err := w.urgent(ctx, idle); err != nil {
			return 0, err
		}
		if err := pause(ctx, sizes.UrgentEvery); err != nil {
			return 0, err
		}
	}
	if err := w.settled(ctx); err != nil {
		return 0, err
	}

	draining := newArrivals()
	w.watch(draining)
	// The queue builds up while sending is stopped, as it does on a day when an operator stops it.
	sending := sendingv1.NewSendingServiceClient(w.operator)
	if _, err := sending.Stop(ctx, &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "bench"}); err != nil {
		return 0, rpc.Fault(err)
	}
	if err := w.publish(ctx, sizes.Routine/recipients, delivery.GRPC, eventv1.RiskGrade_RISK_GRADE_STANDARD); err != nil {
		return 0, err
	}
	if err := w.queued(ctx, int64(w.next*recipients)); err != nil {
		return 0, err
	}
	if _, err := sending.Resume(ctx, &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "bench"}); err != nil {
		return 0, rpc.Fault(err)
	}
	drained := make(chan error, 1)
	routine := int64(w.next * recipients)
	go func() { drained <- w.drained(ctx, routine) }()
	for {
		if err := w.urgent(ctx, draining); err != nil {
			return 0, err
		}
		select {
		case err := <-drained:
			if err == nil {
				err = w.settled(ctx)
			}
			return draining.percentile(99) / idle.percentile(99), err
		case <-time.After(sizes.UrgentEvery):
		}
	}
}

// urgent publishes one urgent event and waits until it is durable.
func (w *world) urgent(ctx context.Context, a *arrivals) error {
	ev := w.one(delivery.GRPC, eventv1.RiskGrade_RISK_GRADE_HIGH)
	a.expect(ev.Subject, time.Now())
	future, err := w.send(ev)
	if err != nil {
		return err
	}
	return durable(ctx, []jetstream.PubAckFuture{future})
}

// queued waits until so many notices are made.
func (w *world) queued(ctx context.Context, notices int64) error {
	return w.until(ctx, func(s *ledgerv1.SummaryResponse) bool { return s.Notices >= notices })
}

// drained waits until so many notices are delivered.
func (w *world) drained(ctx context.Context, notices int64) error {
	return w.until(ctx, func(s *ledgerv1.SummaryResponse) bool { return s.Delivered >= notices })
}

func (w *world) until(ctx context.Context, holds func(*ledgerv1.SummaryResponse) bool) error {
	for {
		s, err := w.ledger.Summary(ctx, &ledgerv1.SummaryRequest{})
		if err != nil {
			return fmt.Errorf("bench: %w", rpc.Fault(err))
		}
		if holds(s) {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

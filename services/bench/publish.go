package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// one makes the next event.
func (w *world) one(channel string, risk eventv1.RiskGrade) *eventv1.Event {
	ev := meeting(w.next, channel, risk, time.Now())
	w.next++
	return ev
}

// send publishes one event over NATS, as native protobuf, and does not wait until it is durable.
func (w *world) send(ev *eventv1.Event) (jetstream.PubAckFuture, error) {
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		return nil, err
	}
	subject := store.EventSubject(agency, notice.EventKind(ev.Type).Family())
	future, err := w.js.PublishMsgAsync(&nats.Msg{Subject: subject, Header: nats.Header(header), Data: data},
		jetstream.WithStallWait(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("bench: the agency cannot publish: %w", err)
	}
	return future, nil
}

// publish publishes events over NATS, one message each, and returns once all are durable.
func (w *world) publish(ctx context.Context, events int, channel string, risk eventv1.RiskGrade) error {
	futures := make([]jetstream.PubAckFuture, 0, events)
	for range events {
		future, err := w.send(w.one(channel, risk))
		if err != nil {
			return err
		}
		futures = append(futures, future)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return durable(ctx, futures)
}

func durable(ctx context.Context, futures []jetstream.PubAckFuture) error {
	for _, future := range futures {
		select {
		case <-future.Ok():
		case err := <-future.Err():
			return fmt.Errorf("bench: an event is not durable: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stream publishes events over one PublishStream and returns once all are durable.
func (w *world) stream(ctx context.Context, events int, channel string, risk eventv1.RiskGrade) error {
	stream, err := w.intake().PublishStream(ctx)
	if err != nil {
		return rpc.Fault(err)
	}
	var group errgroup.Group
	group.Go(func() error {
		for range events {
			if err := stream.Send(&intakev1.PublishStreamRequest{Event: w.one(channel, risk)}); err != nil {
				return nil // the answer says why
			}
		}
		return rpc.Fault(stream.CloseSend())
	})
	group.Go(func() error {
		for answered := 0; ; answered++ {
			response, err := stream.Recv()
			switch {
			case errors.Is(err, io.EOF) && answered == events:
				return nil
			case err != nil:
				return fmt.Errorf("bench: the stream ended after %d of %d events: %w", answered, events, rpc.Fault(err))
			case len(response.Faults) > 0:
				return fmt.Errorf("bench: an event was refused: %s: %s", response.Faults[0].Field, response.Faults[0].Message)
			}
		}
	})
	return group.Wait()
}

// settled waits until every notice of the world is settled, and fails where one was not delivered.
func (w *world) settled(ctx context.Context) error {
	if err := w.service.Settled(ctx); err != nil {
		return err
	}
	s, err := w.ledger.Summary(ctx, &ledgerv1.SummaryRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	if want := int64(w.next * recipients); s.Notices != want || s.Delivered != want || s.Refused > 0 {
		return fmt.Errorf("bench: of %d notices %d were made and %d delivered, and %d events refused: no figure is taken",
			want, s.Notices, s.Delivered, s.Refused)
	}
	return nil
}

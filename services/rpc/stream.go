package rpc

import (
	"context"
	"errors"
	"io"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// inFlight is how many events of one stream are on their way to the store at once. One at a time would wait for the
// disk each time.
const inFlight = 64

// answer is the end of one event of a stream, once it is known.
type answer struct {
	response *intakev1.PublishStreamResponse
	err      error
}

// PublishStream takes many events in. Answers come in the order of the requests; a refused event does not end the
// stream. When the server stops it answers what it has taken and ends the stream as unavailable.
func (s *intakeService) PublishStream(stream intakev1.IntakeService_PublishStreamServer) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()

	c := callerOf(ctx)
	pending := make(chan chan answer, inFlight)
	ended := make(chan error, 1) // why no more events come
	// Recv ends with the stream, which ends when this method returns: nobody can wait for it here, so the server does.
	s.receivers.Go(func() {
		defer close(pending)
		for {
			req, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			slot := make(chan answer, 1)
			select {
			case pending <- slot: // waits while too many are in flight
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
			s.take(ctx, c, req, slot)
		}
	})

	for {
		select {
		case slot, open := <-pending:
			if !open {
				if err := <-ended; !errors.Is(err, io.EOF) {
					return err
				}
				return nil
			}
			if err := send(stream, slot); err != nil {
				return err
			}
		case <-s.stopping:
			return s.drain(stream, pending)
		}
	}
}

// take validates an event and begins to store it. Its answer goes into slot.
func (s *intakeService) take(ctx context.Context, c caller, req *intakev1.PublishStreamRequest, slot chan<- answer) {
	ev := req.GetEvent()
	if faults := s.faults(c, ev); len(faults) > 0 {
		slot <- answer{response: &intakev1.PublishStreamResponse{Id: ev.GetId(), Faults: wireFaults(faults)}}
		return
	}
	s.receivers.Go(func() {
		sequence, err := s.store(ctx, c, ev)
		slot <- answer{response: &intakev1.PublishStreamResponse{Id: ev.GetId(), Sequence: sequence}, err: err}
	})
}

// drain answers the events that were taken before the server began to stop.
func (s *intakeService) drain(stream intakev1.IntakeService_PublishStreamServer, pending <-chan chan answer) error {
	for {
		select {
		case slot, open := <-pending:
			if open {
				if err := send(stream, slot); err != nil {
					return err
				}
				continue
			}
		default:
		}
		return notice.Faultf(notice.Unavailable, "rpc.PublishStream",
			"the server is stopping: connect again and publish again what was not answered")
	}
}

func send(stream intakev1.IntakeService_PublishStreamServer, slot <-chan answer) error {
	select {
	case a := <-slot:
		if a.err != nil {
			return a.err
		}
		return stream.Send(a.response)
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

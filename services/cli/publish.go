package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type publishCmd struct {
	Files    []string `arg:"" name:"file" help:"JSON files: an event, an array of events, or events one after the other. - is the input."`
	Via      string   `enum:"nats,grpc" default:"grpc" help:"The way in: nats or grpc."`
	Encoding string   `enum:"protobuf,cloudevents-binary,cloudevents-json" default:"protobuf" help:"With --via nats, how the message is encoded: protobuf, cloudevents-binary or cloudevents-json."`
	NATS     string   `name:"nats" group:"connection" placeholder:"URL" default:"tls://127.0.0.1:4222" env:"SIGNALBOX_NATS" help:"The service's NATS address, for --via nats; else tls://127.0.0.1:4222."`
	connection
}

func (publishCmd) Help() string {
	return `An event is the JSON form of signalbox.event.v1.Event, or a CloudEvent (specversion 1.0) that carries one. Its source must be the agency of --identity. Times need an offset: 2026-11-03T21:15:00Z.

    signalbox publish incident.json --identity kestrel-vale-police
    signalbox publish monday.json tuesday.json --via nats --nats tls://signalbox.example:4222
    generate-events | signalbox publish -

Each event gets a line: its sequence once it is durable, or its faults, field by field. One that is refused does not stop those behind it. The same event may be published again: it counts once. What became of it later: signalbox feedback.`
}

// sent is the answer to one event.
type sent struct {
	sequence uint64
	faults   []notice.FieldFault
}

// publisher sends events, and hands each answer over in the order of the events.
type publisher interface {
	publish(ctx context.Context, events []*eventv1.Event, answer func(i int, s sent)) error
}

func (c *publishCmd) Run(ctx context.Context, e *env) error {
	var all []written
	for _, path := range c.Files {
		events, err := readEvents(e.In, path)
		if err != nil {
			return err
		}
		all = append(all, events...)
	}
	who, err := c.credentials()
	if err != nil {
		return err
	}
	agency, err := who.agency()
	if err != nil {
		return err
	}

	refused := 0
	report := func(w written, s sent) {
		if len(s.faults) == 0 {
			fmt.Fprintf(e.Out, "%s: accepted, sequence %d\n", w.label(), s.sequence)
			return
		}
		refused++
		fmt.Fprintf(e.Out, "%s: refused, %s\n", w.label(), countFaults(len(s.faults)))
		printFields(e.Out, s.faults)
	}
	good, events := c.readable(e, agency, all, report)
	if len(events) > 0 {
		err = c.by(agency, who).publish(ctx, events, func(i int, s sent) { report(good[i], s) })
	}
	switch {
	case err != nil:
		return err
	case refused > 0:
		return errReported
	default:
		return nil
	}
}

// readable reports the events that are at fault here already and gives the others. NATS answers that it has a message, not
// that the event is good, so with it all that takes no clock is checked beforehand. This machine's may be wrong, and then a
// good event would be held back here; what lies in the future the service finds by its own.
func (c *publishCmd) readable(e *env, agency notice.AgencyID, all []written, report func(written, sent)) ([]written, []*eventv1.Event) {
	rules, err := intake.New()
	var good []written
	var events []*eventv1.Event
	for _, w := range all {
		fault := w.fault
		if fault != nil || c.Via == viaNATS { // what can be read of an event at fault is checked too: every fault at once
			fault = err
			if err == nil {
				_, fault = rules.Read(asCloudEvent(), w.text, intake.Check{Agency: agency, NoClock: true})
			}
		}
		if fault != nil {
			report(w, sent{faults: fieldsOr(fault)})
			continue
		}
		good, events = append(good, w), append(events, w.event)
	}
	return good, events
}

// fieldsOr gives the faults by field, or the whole error as one about the event.
func fieldsOr(err error) []notice.FieldFault {
	if fields := notice.FieldsOf(err); len(fields) > 0 {
		return fields
	}
	return []notice.FieldFault{{Field: "event", Message: faultText(err)}}
}

const viaNATS = "nats"

func (c *publishCmd) by(agency notice.AgencyID, who credentials) publisher {
	if c.Via == viaNATS {
		return natsPublisher{url: c.NATS, agency: agency, who: who, encoding: intake.Encoding(c.Encoding), wait: c.Timeout}
	}
	return grpcPublisher{connection: &c.connection}
}

// grpcPublisher sends events over one stream.
type grpcPublisher struct{ *connection }

func (p grpcPublisher) publish(ctx context.Context, events []*eventv1.Event, answer func(int, sent)) error {
	l, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := intakev1.NewIntakeServiceClient(l.conn).PublishStream(ctx)
	if err != nil {
		return l.fault(err)
	}
	var sending errgroup.Group
	sending.Go(func() error {
		for _, ev := range events {
			// The stream's own error comes out of Recv; here it is io.EOF.
			if err := stream.Send(&intakev1.PublishStreamRequest{Event: ev}); err != nil {
				return nil
			}
		}
		return stream.CloseSend()
	})
	err = p.receive(l, stream, len(events), answer)
	cancel()
	if sendErr := sending.Wait(); err == nil {
		err = sendErr
	}
	return err
}

func (p grpcPublisher) receive(l link, stream intakev1.IntakeService_PublishStreamClient, n int, answer func(int, sent)) error {
	for i := range n {
		response, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return notice.Faultf(notice.Unavailable, "cli.publish",
				"the service ended the stream after %d of %d events: publish the others again", i, n)
		case err != nil:
			return l.fault(err)
		}
		answer(i, sent{sequence: response.GetSequence(), faults: fieldFaults(response.GetFaults())})
	}
	return nil
}

func fieldFaults(faults []*intakev1.Fault) []notice.FieldFault {
	fields := make([]notice.FieldFault, len(faults))
	for i, f := range faults {
		fields[i] = notice.FieldFault{Field: plain(f.GetField()), Message: plain(f.GetMessage())}
	}
	return fields
}

package app

import (
	"context"
	"errors"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// inlet reads the agencies' streams for the engine: what is at fault goes to quarantine, the rest is handed over read.
type inlet struct {
	events *store.Events
	intake *intake.Intake
	holder *holder
	clock  clock.Clock
	live   bool
	seal   reportSeal
}

// Follow hands over an agency's events from a sequence on.
func (in *inlet) Follow(ctx context.Context, agency notice.AgencyID, from uint64, fn func(engine.Message) error) error {
	return in.events.Follow(ctx, agency, from, func(m store.Msg) error {
		message, err := in.read(ctx, agency, m)
		if err != nil {
			return err
		}
		return fn(message)
	})
}

func (in *inlet) read(ctx context.Context, agency notice.AgencyID, m store.Msg) (engine.Message, error) {
	ev, err := in.intake.Read(intake.Header(m.Header), m.Data, in.check(agency, m.Subject))
	if err == nil {
		return engine.Message{
			Sequence: m.Seq, Event: ev, Reported: in.seal.read(agency, ev.GetId(), intake.Header(m.Header)), Waited: waited(m),
		}, nil
	}
	faults := notice.FieldsOf(err)
	if len(faults) == 0 {
		faults = []notice.FieldFault{{Field: "event", Message: "cannot be read"}}
	}
	number, err := in.events.Quarantine(ctx, agency, m, store.FaultHeader(faults))
	if err != nil {
		// Whatever it is, it is tried again: a fault of any other kind would end the reading of every agency.
		return engine.Message{}, notice.Fault(notice.Unavailable, "app.read", err)
	}
	return engine.Message{Sequence: m.Seq, Event: ev, Faults: len(faults), Quarantine: number}, nil
}

// waited is how long a message has lain in its stream, in whole seconds. The store has its own clock, which a rehearsal does
// not move: only the time between two of its instants means something to the service.
func waited(m store.Msg) time.Duration { return max(time.Since(m.Received), 0).Truncate(time.Second) }

// check is what an agency's event is held against now.
func (in *inlet) check(agency notice.AgencyID, subject string) intake.Check {
	snapshot, _ := in.holder.Current()
	c := intake.Check{
		Agency: agency, Subject: subject, Now: in.clock.Now(), Live: in.live,
		AreaKnown: func(a notice.Area) bool { _, ok := snapshot.Area(a); return ok },
	}
	if row, ok := snapshot.Agency(agency); ok {
		c.Kinds = row.Kinds
	}
	return c
}

// Get reads an event that was accepted.
func (in *inlet) Get(ctx context.Context, agency notice.AgencyID, sequence uint64) (*eventv1.Event, error) {
	m, err := in.events.Get(ctx, agency, sequence)
	if err != nil {
		return nil, err
	}
	ev, err := intake.Decode(m.Subject, intake.Header(m.Header), m.Data)
	if err != nil {
		return nil, notice.Fault(notice.Internal, "app.Get", errors.New("an accepted event can no longer be read"))
	}
	return ev, nil
}

package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// scene is something that happens at one time.
type scene struct {
	at     time.Time
	title  string
	pieces []piece
	then   func(ctx context.Context, s *stage) error // shown at the end of the scene
}

// piece is one event of a scene and what people do about it.
type piece struct {
	file  string
	by    way
	say   string
	kids  map[string]string // what to call each child: the demo's own words, since a name is for those told
	quiet bool              // the event is not published: it is looked at again
	// also is what somebody does next, and how it is told.
	also func(ctx context.Context, s *stage, p *published) (string, error)
}

// published is an event that was published.
type published struct {
	event *eventv1.Event
	piece piece
	seen  int  // facts that were shown
	again bool // published a second time in the scene
}

// stage is where the scenes are played.
type stage struct {
	*world
	out  io.Writer
	show *progress

	events   []*published
	read     int            // mails read
	notices  map[string]int // mails about notices, by address
	instants map[int64]bool // when something is due, Unix milliseconds
	example  *example

	subscriber *subscriber // nil before it subscribes
}

// example is the first notice that somebody read.
type example struct {
	mail mailbox.Mail
	page string
}

func newStage(w *world, out io.Writer, show *progress) *stage {
	return &stage{world: w, out: out, show: show, notices: map[string]int{}, instants: map[int64]bool{}}
}

func (s *stage) play(ctx context.Context) error {
	for i, sc := range scenes() {
		s.show.at(sc.title)
		if err := s.moveTo(ctx, sc.at); err != nil {
			return err
		}
		said, err := s.enact(ctx, sc)
		if err != nil {
			return fmt.Errorf("scene %d: %w", i+1, err)
		}
		s.show.clear()
		if i == 0 {
			s.opening()
		} else if err := s.meanwhile(ctx); err != nil {
			return err
		}
		s.heading(i+1, sc)
		for j, p := range sc.pieces {
			if err := s.tell(ctx, p, said[j]); err != nil {
				return err
			}
		}
		if sc.then != nil {
			if err := sc.then(ctx, s); err != nil {
				return err
			}
		}
		s.show.done()
	}
	return nil
}

// enact publishes the events of a scene, lets everybody act, and returns what people did besides.
func (s *stage) enact(ctx context.Context, sc scene) ([]string, error) {
	for _, p := range sc.pieces {
		if p.quiet {
			continue
		}
		ev, err := sample(p.file)
		if err != nil {
			return nil, err
		}
		if err := s.agencies[ev.Source].publish(ctx, ev, p.by); err != nil {
			return nil, err
		}
		if known := s.find(p.file); known != nil {
			known.again = true
		} else {
			s.events = append(s.events, &published{event: ev, piece: p})
		}
	}
	if err := s.act(ctx); err != nil {
		return nil, err
	}
	said := make([]string, len(sc.pieces))
	for i, p := range sc.pieces {
		if p.also == nil {
			continue
		}
		var err error
		if said[i], err = p.also(ctx, s, s.find(p.file)); err != nil {
			return nil, err
		}
		if err := s.act(ctx); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// act lets the service and people act by turns until neither has anything left to do at this time.
func (s *stage) act(ctx context.Context) error {
	for {
		if err := s.settle(ctx); err != nil {
			return err
		}
		if err := s.workInbox(ctx); err != nil {
			return err
		}
		if err := s.readInbox(ctx); err != nil {
			return err
		}
		more, err := s.readMail(ctx)
		if err != nil {
			return err
		}
		if !more {
			return s.settle(ctx)
		}
	}
}

// moveTo moves the clock on, stopping whenever something is due on the way.
func (s *stage) moveTo(ctx context.Context, at time.Time) error {
	for _, p := range s.events {
		a, err := s.account(ctx, p.event.Source, p.event.Id)
		if err != nil {
			return err
		}
		for _, ms := range a.instants {
			s.instants[ms] = true
		}
	}
	var stops []int64
	for ms := range s.instants {
		if ms > s.clock.Now().UnixMilli() && ms < at.UnixMilli() {
			stops = append(stops, ms)
		}
	}
	slices.Sort(stops)
	for _, ms := range append(stops, at.UnixMilli()) {
		if err := s.settle(ctx); err != nil {
			return err
		}
		s.clock.Set(time.UnixMilli(ms))
		if err := s.act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// find is the event of a sample file that was published.
func (s *stage) find(file string) *published {
	for _, p := range s.events {
		if p.piece.file == file {
			return p
		}
	}
	return nil
}

// summary counts every notice by its present state.
func (s *stage) summary(ctx context.Context) (*ledgerv1.SummaryResponse, error) {
	sum, err := s.ledger.Summary(ctx, &ledgerv1.SummaryRequest{})
	return sum, rpc.Fault(err)
}

// lastLine says what became of every notice.
func (s *stage) lastLine(ctx context.Context) error {
	sum, err := s.summary(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "notices: %d in all, %d acknowledged, %d delivered, %d held, %d with a person, %d superseded, %d without an end or an owner\n",
		sum.Notices, sum.Acknowledged, sum.Delivered, sum.Held, sum.WithPerson, sum.Superseded, sum.WithoutEndOrOwner)
	return nil
}

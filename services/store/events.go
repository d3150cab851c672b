package store

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Events are what agencies published, a stream each.
type Events struct{ store *Store }

// Events reads and writes the agencies' streams, which ProvisionAgency has made.
func (s *Store) Events() *Events { return &Events{store: s} }

// Follow hands fn the agency's events from a sequence (0 and 1 are the first) on, in order, each once, waiting for
// more at the end. Sequences of erased events are missing. It returns when the context ends (Unavailable, wrapping
// the context's error), when fn returns an error (that error), or when there is no such stream (NotFound).
// Nothing is acknowledged: the ledger knows what was done with which event, and says where to start again.
func (e *Events) Follow(ctx context.Context, agency notice.AgencyID, from uint64, fn func(Msg) error) error {
	const op = "store.FollowEvents"
	if err := checkAgency(op, agency); err != nil {
		return err
	}
	return e.store.follow(ctx, op, eventsStream(agency), from, fn)
}

// Get reads one event. One that was erased is NotFound.
func (e *Events) Get(ctx context.Context, agency notice.AgencyID, seq uint64) (Msg, error) {
	const op = "store.GetEvent"
	if err := checkAgency(op, agency); err != nil {
		return Msg{}, err
	}
	m, err := e.store.get(ctx, eventsStream(agency), seq)
	return m, fault(op, err)
}

// Last is the sequence of the agency's newest event, 0 where there is none yet.
func (e *Events) Last(ctx context.Context, agency notice.AgencyID) (uint64, error) {
	const op = "store.LastEvent"
	if err := checkAgency(op, agency); err != nil {
		return 0, err
	}
	_, last, err := e.store.last(ctx, eventsStream(agency))
	return last, fault(op, err)
}

// Publish stores an event on an agency's behalf and returns its sequence; it is durable then. Many calls may be in
// flight at once. family is such as encompass.incident. A full stream is Unavailable, an event larger than a message
// may be is Invalid, an agency without a stream NotFound. After Unavailable the event may or may not be stored: publish it again, the ledger takes the
// same event twice as one.
func (e *Events) Publish(ctx context.Context, agency notice.AgencyID, family string, header Header, data []byte, msgID string) (uint64, error) {
	const op = "store.PublishEvent"
	if err := checkAgency(op, agency); err != nil {
		return 0, err
	}
	if !validFamily(family) {
		return 0, notice.Faultf(notice.Invalid, op, "an event's family is words of a-z, 0-9, _ and - with dots between")
	}
	for name := range header {
		// Such headers steer the server: expected sequences, rollups, lifetimes.
		if reserved(name) {
			return 0, notice.Faultf(notice.Invalid, op, "headers that begin with Nats- are the server's")
		}
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectStream(eventsStream(agency))}
	if msgID != "" {
		opts = append(opts, jetstream.WithMsgID(msgID))
	}
	// PublishMsg adds its headers to the message's: the caller's map must not be it.
	ack, err := e.store.js.PublishMsg(ctx, newMsg(EventSubject(agency, family), cloneHeader(header), data), opts...)
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		// Nobody answered: for want of a stream, which lasts, or of a leader, which passes?
		if _, missing := e.store.js.Stream(ctx, eventsStream(agency)); missing != nil {
			err = missing
		}
	}
	if err != nil {
		return 0, fault(op, err)
	}
	return ack.Sequence, nil
}

// Erase overwrites and removes an event, by retention or on request. One that is gone already is no error.
func (e *Events) Erase(ctx context.Context, agency notice.AgencyID, seq uint64) error {
	const op = "store.EraseEvent"
	if err := checkAgency(op, agency); err != nil {
		return err
	}
	return fault(op, e.store.erase(ctx, eventsStream(agency), seq))
}

func (s *Store) erase(ctx context.Context, stream string, seq uint64) error {
	str, err := s.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	return secureDelete(ctx, str, seq)
}

func secureDelete(ctx context.Context, str jetstream.Stream, seq uint64) error {
	err := str.SecureDeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		// The server refuses to delete what is not there; a second erasure has nothing left to do.
		if _, missing := str.GetMsg(ctx, seq); errors.Is(missing, jetstream.ErrMsgNotFound) {
			return nil
		}
	}
	return err
}

func validFamily(family string) bool {
	if len(family) > 100 {
		return false
	}
	for word := range strings.SplitSeq(family, ".") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return false
		}
	}
	return true
}

func reserved(header string) bool {
	const prefix = "nats-"
	return len(header) >= len(prefix) && strings.EqualFold(header[:len(prefix)], prefix)
}

func cloneHeader(h Header) Header {
	out := make(Header, len(h)+2)
	for name, values := range h {
		out[name] = append([]string(nil), values...)
	}
	return out
}

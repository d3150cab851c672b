package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const quarantinePrefix = "signalbox.quarantine."

// Headers that say where a refused event came from.
const (
	headerAgency   = "Signalbox-Agency"
	headerSubject  = "Signalbox-Subject"
	headerSeq      = "Signalbox-Seq"
	headerReceived = "Signalbox-Received"
)

// What is kept of a refused event: more than any event may have, and less than a message with the headers that are added.
// The whole of it stays in its agency's stream.
const (
	keptData    = 256 << 10
	keptHeaders = 32 << 10
)

// Refused is an event in quarantine: the bytes and headers as they came, cut where they were longer than any event's may
// be, and those added with its faults.
type Refused struct {
	Seq    uint64 // in the quarantine
	Agency notice.AgencyID
	At     time.Time // when it was refused
	Event  Msg       // Seq is 0 where the event never was in the agency's stream
}

// Quarantine stores a refused event, with headers that name its faults, and returns its number there; it is durable
// then. An event of the agency's stream is stored once: again, after a crash, finds the number it has. It never fails for
// what an event holds.
func (e *Events) Quarantine(ctx context.Context, agency notice.AgencyID, event Msg, faults Header) (uint64, error) {
	const op = "store.Quarantine"
	if err := checkAgency(op, agency); err != nil {
		return 0, err
	}
	header := Header{}
	own := event.Header
	if own.size() > keptHeaders {
		own = nil
	}
	for _, from := range []Header{own, faults} {
		for name, values := range from {
			if mayKeep(name, len(event.Data) > 0) {
				header[name] = values
			}
		}
	}
	header[headerAgency] = []string{string(agency)}
	header[headerSubject] = []string{event.Subject}
	header[headerSeq] = []string{strconv.FormatUint(event.Seq, 10)}
	header[headerReceived] = []string{event.Received.UTC().Format(time.RFC3339Nano)}
	data := event.Data[:min(len(event.Data), keptData)]

	if event.Seq == 0 {
		number, err := e.quarantine(ctx, agency, newMsg(quarantinePrefix+string(agency)+".direct", header, data))
		return number, fault(op, err)
	}
	// A subject per event makes a second store of it a conflict. The time tells apart the streams of an agency that
	// was removed and came back.
	subject := fmt.Sprintf("%s%s.%d-%d", quarantinePrefix, agency, event.Seq, event.Received.UnixNano())
	number, err := e.quarantine(ctx, agency, newMsg(subject, header, data), jetstream.WithExpectLastSequencePerSubject(0))
	if err == nil || kindOf(err) != notice.Conflict {
		return number, fault(op, err)
	}
	var stored *jetstream.RawStreamMsg
	err = e.store.ask(ctx, quarantineStream, func(str jetstream.Stream) (err error) {
		stored, err = str.GetLastMsgForSubject(ctx, subject)
		return err
	})
	if err != nil {
		return 0, fault(op, err)
	}
	return stored.Sequence, nil
}

// mayKeep says whether a header of an event may be kept. The publisher's instructions to the server, such as an expected
// sequence, must not act on the quarantine; a name that is none could not be written; and without data a status would
// pass for a word of the server's, which no reader is given.
func mayKeep(name string, hasData bool) bool {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
	return plain && !reserved(name) && (hasData || name != headerStatus)
}

// mostEvicted bounds the work of one refusal: the largest takes the room of so many of the smallest.
const mostEvicted = 4096

// quarantine stores a message. All agencies share the quarantine, and an event that is at fault must hold up neither
// those behind it nor another agency's: where it is full, the agency's own oldest give way, or where it has none there,
// the oldest of all. What gives way is still in its agency's stream.
func (e *Events) quarantine(ctx context.Context, agency notice.AgencyID, msg *nats.Msg, opts ...jetstream.PublishOpt) (uint64, error) {
	opts = append(opts, jetstream.WithExpectStream(quarantineStream))
	for range mostEvicted {
		ack, err := e.store.js.PublishMsg(ctx, msg, opts...)
		if err == nil {
			return ack.Sequence, nil
		}
		var api *jetstream.APIError
		if !errors.As(err, &api) || api.ErrorCode != codeStoreFailed {
			return 0, err
		}
		oldest, missing := e.oldestQuarantined(ctx, quarantinePrefix+string(agency)+".>")
		if errors.Is(missing, jetstream.ErrMsgNotFound) {
			oldest, missing = e.oldestQuarantined(ctx, quarantinePrefix+">")
		}
		if missing != nil {
			return 0, err // nothing can give way: the disk is full
		}
		if err := e.store.erase(ctx, quarantineStream, oldest); err != nil {
			return 0, err
		}
	}
	return 0, notice.Faultf(notice.Unavailable, "store.Quarantine", "no room could be made in the quarantine")
}

func (e *Events) oldestQuarantined(ctx context.Context, filter string) (uint64, error) {
	var oldest *jetstream.RawStreamMsg
	err := e.store.ask(ctx, quarantineStream, func(str jetstream.Stream) (err error) {
		oldest, err = str.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(filter))
		return err
	})
	if err != nil {
		return 0, err
	}
	return oldest.Sequence, nil
}

// ListQuarantine returns up to limit refused events from a quarantine number (0 and 1 are the first) on, oldest
// first; of one agency, or of all where agency is empty.
func (e *Events) ListQuarantine(ctx context.Context, agency notice.AgencyID, from uint64, limit int) ([]Refused, error) {
	const op = "store.ListQuarantine"
	filter := quarantinePrefix + ">"
	if agency != "" {
		if err := checkAgency(op, agency); err != nil {
			return nil, err
		}
		filter = quarantinePrefix + string(agency) + ".>"
	}
	if limit <= 0 {
		return nil, notice.Faultf(notice.Invalid, op, "limit: use 1 or more")
	}
	waiting, err := e.store.waiting(ctx, quarantineStream, filter, from)
	if err != nil || waiting == 0 {
		return nil, fault(op, err)
	}
	var out []Refused
	err = e.store.read(ctx, quarantineStream, filter, from, func(m Msg, pending uint64) error {
		r, err := refused(m)
		if err != nil {
			return err
		}
		if out = append(out, r); len(out) == limit || pending == 0 {
			return errStop
		}
		return nil
	})
	return out, fault(op, err)
}

// GetQuarantined reads one refused event by its quarantine number.
func (e *Events) GetQuarantined(ctx context.Context, seq uint64) (Refused, error) {
	const op = "store.GetQuarantined"
	m, err := e.store.get(ctx, quarantineStream, seq)
	if err != nil {
		return Refused{}, fault(op, err)
	}
	r, err := refused(m)
	return r, fault(op, err)
}

// EraseQuarantined overwrites and removes a refused event. One that is gone already is no error.
func (e *Events) EraseQuarantined(ctx context.Context, seq uint64) error {
	return fault("store.EraseQuarantined", e.store.erase(ctx, quarantineStream, seq))
}

func refused(m Msg) (Refused, error) {
	seq, err := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	if err != nil {
		return Refused{}, errors.New("a quarantined event lacks the sequence it came under")
	}
	received, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerReceived))
	if err != nil {
		return Refused{}, errors.New("a quarantined event lacks the time it was received")
	}
	header := Header{}
	for name, values := range m.Header {
		switch name {
		case headerAgency, headerSubject, headerSeq, headerReceived:
		default:
			if !reserved(name) {
				header[name] = values
			}
		}
	}
	return Refused{
		Seq: m.Seq, Agency: notice.AgencyID(m.Header.Get(headerAgency)), At: m.Received,
		Event: Msg{Seq: seq, Subject: m.Header.Get(headerSubject), Header: header, Data: m.Data, Received: received},
	}, nil
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Header carries a message's headers. Names are as they were sent: NATS does not fold their case.
type Header map[string][]string

// Get returns the first value of a header, or nothing.
func (h Header) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// size is about how many bytes the header takes.
func (h Header) size() int {
	const around = 4 // colon, space and line end
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + around
		}
	}
	return n
}

// Msg is a stored message. Its bytes belong to whoever received it.
type Msg struct {
	Seq      uint64
	Subject  string
	Header   Header
	Data     []byte
	Received time.Time // when the server stored it
}

// errStop ends a read early without being an error.
var errStop = errors.New("stop reading")

// pullAhead is how many messages a reader asks for at once. BenchmarkLogRead, packs of 20 KB: 64 reads as fast as 256
// (36 ms for a thousand) and faster than 500 (43 ms).
const pullAhead = 64

// read hands over a stream's messages in order, from a sequence on, until the context ends or fn returns an error.
// pending is how many were waiting behind this one when the server sent it. There are no acknowledgements to lose:
// the consumer is ordered and remade by the library from the last message it handed over.
func (s *Store) read(ctx context.Context, stream, filter string, from uint64, fn func(m Msg, pending uint64) error) error {
	cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1)}
	if filter != "" {
		cfg.FilterSubjects = []string{filter}
	}
	return s.consume(ctx, stream, cfg, nil, fn)
}

// quietAfter is how long nothing comes before a reader asks whether something should have: often enough for what waits
// behind a message that never comes, and seldom enough for hundreds of agencies that are silent most of the time.
const quietAfter = 2 * time.Second

// consume hands over what a consumer is given. quiet, unless nil, is asked whenever nothing has come for a while; its error
// ends the reading.
func (s *Store) consume(ctx context.Context, stream string, cfg jetstream.OrderedConsumerConfig, quiet func() error,
	fn func(m Msg, pending uint64) error) error {
	cons, err := s.js.OrderedConsumer(ctx, stream, cfg)
	if err != nil {
		return err
	}
	iter, err := cons.Messages(jetstream.PullMaxMessages(pullAhead))
	if err != nil {
		return err
	}
	defer iter.Stop()
	for {
		raw, err := nextOf(ctx, iter, quiet != nil)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if quiet == nil || !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			if err := quiet(); err != nil {
				return err
			}
			continue
		}
		meta, err := raw.Metadata()
		if err != nil {
			return err
		}
		err = fn(Msg{
			Seq: meta.Sequence.Stream, Subject: raw.Subject(), Header: Header(raw.Headers()), Data: raw.Data(), Received: meta.Timestamp.UTC(),
		}, meta.NumPending)
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// nextOf waits for the next message, or where it is impatient a while for it.
func nextOf(ctx context.Context, iter jetstream.MessagesContext, impatient bool) (jetstream.Msg, error) {
	if impatient {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, quietAfter)
		defer cancel()
	}
	return iter.Next(jetstream.NextContext(ctx))
}

// A reload of the server's configuration takes its services away for a moment. A read then waits this long for them.
const (
	reloadWait  = 3 * time.Second
	reloadPause = 25 * time.Millisecond
)

// ask runs fn on a stream, again while the server says that nobody is there to answer.
func (s *Store) ask(ctx context.Context, stream string, fn func(jetstream.Stream) error) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	for end := time.Now().Add(reloadWait); ; {
		str, err := s.js.Stream(ctx, stream) // asks the stream's leader
		if err == nil {
			err = fn(str)
		}
		if !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, jetstream.ErrNoStreamResponse) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(reloadPause):
		}
	}
}

// last is the last sequence a stream has given out, and the oldest it still holds.
func (s *Store) last(ctx context.Context, stream string) (first, last uint64, err error) {
	err = s.ask(ctx, stream, func(str jetstream.Stream) error {
		state := str.CachedInfo().State
		first, last = state.FirstSeq, state.LastSeq
		return nil
	})
	return first, last, err
}

// get reads one message from the stream's leader.
func (s *Store) get(ctx context.Context, stream string, seq uint64) (Msg, error) {
	if str, known := s.streams.Load(stream); known {
		if raw, err := s.rawMsg(ctx, str.(jetstream.Stream), stream, seq); err == nil {
			return fromRaw(raw), nil
		}
		// What is wrong is told below, where the stream itself is asked for.
	}
	var raw *jetstream.RawStreamMsg
	err := s.ask(ctx, stream, func(str jetstream.Stream) (err error) {
		if raw, err = s.rawMsg(ctx, str, stream, seq); err == nil {
			s.streams.Store(stream, str)
		}
		return err
	})
	if err != nil {
		return Msg{}, err
	}
	return fromRaw(raw), nil
}

// rawMsg asks for a message. One whose headers are no headers has none, as it has for a reader; the library would refuse
// to give it, and an event that was taken in could never be read again.
func (s *Store) rawMsg(ctx context.Context, str jetstream.Stream, stream string, seq uint64) (*jetstream.RawStreamMsg, error) {
	raw, err := str.GetMsg(ctx, seq)
	if !errors.Is(err, nats.ErrBadHeaderMsg) {
		return raw, err
	}
	reply, err := s.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+"STREAM.MSG.GET."+stream, fmt.Appendf(nil, `{"seq":%d}`, seq))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	if answer.Error != nil { // erased meanwhile
		return nil, answer.Error
	}
	m := answer.Message
	return &jetstream.RawStreamMsg{Subject: m.Subject, Sequence: m.Seq, Data: m.Data, Time: m.Time}, nil
}

func fromRaw(raw *jetstream.RawStreamMsg) Msg {
	return Msg{Seq: raw.Sequence, Subject: raw.Subject, Header: Header(raw.Header), Data: raw.Data, Received: raw.Time.UTC()}
}

func newMsg(subject string, header Header, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: nats.Header(header), Data: data}
}

// retryWait is the pause before a follower whose reader broke asks again.
const retryWait = 500 * time.Millisecond

// errPassedBy says that a reader was not given a message that the stream holds.
var errPassedBy = errors.New("a message was passed by")

// follow reads a stream for as long as the context lasts, across broken readers: each goes on after the last message
// that fn has had. It gives up where the stream is gone or the connection closed for good.
//
// A message that looks like a word of the server's own never comes through a reader: the library takes it for one, and
// begins again before it, for ever. Where a stream holds more than the reader was given, the rest is fetched by number, so
// that nobody can stop a stream with it.
func (s *Store) follow(ctx context.Context, op, stream string, from uint64, fn func(Msg) error) error {
	next := max(from, 1)
	hand := func(m Msg) error {
		if m.Seq < next {
			return nil
		}
		if err := fn(m); err != nil {
			return err
		}
		next = m.Seq + 1
		return nil
	}
	quiet := func() error {
		ctx, cancel := context.WithTimeout(ctx, quietAfter)
		defer cancel()
		if _, last, err := s.last(ctx, stream); err != nil || last < next {
			return nil // where it cannot be asked now, it is asked at the next occasion
		}
		return errPassedBy
	}
	return s.persist(ctx, op, func(stop func(error) error) error {
		handOrStop := func(m Msg) error {
			if err := hand(m); err != nil {
				return stop(err)
			}
			return nil
		}
		for {
			cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next}
			err := s.consume(ctx, stream, cfg, quiet, func(m Msg, _ uint64) error { return handOrStop(m) })
			if !errors.Is(err, errPassedBy) {
				return err
			}
			if next, err = s.fetch(ctx, stream, next, handOrStop); err != nil {
				return err
			}
		}
	})
}

// fetch hands over messages by their number, from one on, up to the newest: where one was passed by, more may follow. It
// returns the number to read on from.
func (s *Store) fetch(ctx context.Context, stream string, from uint64, hand func(Msg) error) (uint64, error) {
	first, last, err := s.last(ctx, stream)
	if err != nil {
		return from, err
	}
	for from = max(from, first); from <= last; from++ {
		m, err := s.get(ctx, stream, from)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // erased
		}
		if err != nil {
			return from, err
		}
		if err := hand(m); err != nil {
			return from, err
		}
	}
	return from, nil
}

// headerStatus is the header of the server's own words. They have no data.
const headerStatus = "Status"

// persist runs a reader again each time it breaks, until the context ends or the reader returns stop(err).
func (s *Store) persist(ctx context.Context, op string, reader func(stop func(error) error) error) error {
	for {
		var stopped error
		err := reader(func(err error) error { stopped = err; return errStop })
		switch {
		case stopped != nil:
			return stopped
		case ctx.Err() != nil:
			return fault(op, ctx.Err())
		case errors.Is(err, jetstream.ErrStreamNotFound), s.nc.IsClosed():
			return fault(op, err)
		}
		select {
		case <-ctx.Done():
			return fault(op, ctx.Err())
		case <-time.After(retryWait):
		}
	}
}

// waiting is how many messages of a subject a stream holds from a sequence on. A reader that found none would wait.
func (s *Store) waiting(ctx context.Context, stream, filter string, from uint64) (uint64, error) {
	cons, err := s.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1), FilterSubject: filter,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, InactiveThreshold: time.Second, Replicas: 1,
	})
	if err != nil {
		return 0, err
	}
	return cons.CachedInfo().NumPending, nil
}

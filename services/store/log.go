package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Log is the ledger of one year: packs of bytes under sequences 1, 2, 3… without a hole.
type Log struct {
	store   *Store
	stream  string
	subject string
}

// Ledger is the log of a year, which Provision has made.
func (s *Store) Ledger(year int) *Log {
	return &Log{store: s, stream: ledgerStream(year), subject: ledgerSubject(year)}
}

const (
	// tryFor is how long one publish waits for its acknowledgement before the log is read back.
	tryFor = 5 * time.Second
	// settleFor is how long settling an unclear append may take after the caller's own time is over.
	settleFor = 3 * time.Second
)

var errUnclear = errors.New("the pack may or may not be stored: append the same bytes again")

// Append stores a pack as number expectLast+1 and returns that number; it is durable then. The kinds of error:
//
//   - Conflict: that number holds other bytes. Another writer leads; step down.
//   - Unavailable: not known to be stored. Append the same bytes again with the same expectLast: that either finds
//     them, stores them, or is a Conflict. Appending other bytes instead could store both.
//   - Invalid: the pack is larger than a message may be.
//   - NotFound: there is no ledger of that year.
//
// A timeout, and a conflict that may be the echo of our own earlier try, are settled by comparing bytes first.
func (l *Log) Append(ctx context.Context, expectLast uint64, pack []byte) (uint64, error) {
	const op = "store.Append"
	try, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	ack, err := l.store.js.PublishMsg(try, newMsg(l.subject, nil, pack),
		jetstream.WithExpectLastSequence(expectLast), jetstream.WithExpectStream(l.stream))
	if err == nil {
		return ack.Sequence, nil
	}
	if kind := kindOf(err); kind == notice.Conflict || kind == notice.Unavailable {
		return l.settle(ctx, expectLast, pack, err)
	}
	return 0, fault(op, err)
}

// settle finds out what became of an append that failed with cause.
func (l *Log) settle(ctx context.Context, expectLast uint64, pack []byte, cause error) (uint64, error) {
	const op = "store.Append"
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	stored, err := l.store.get(ctx, l.stream, expectLast+1)
	switch {
	case err == nil && bytes.Equal(stored.Data, pack):
		return stored.Seq, nil
	case err == nil:
		return 0, notice.Fault(notice.Conflict, op, fmt.Errorf("another writer appended pack %d: %w", expectLast+1, cause))
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return 0, fault(op, err)
	case errors.Is(err, jetstream.ErrMsgNotFound) && kindOf(cause) == notice.Conflict:
		// The log is shorter than the caller believes.
		return 0, notice.Fault(notice.Conflict, op, cause)
	default:
		return 0, notice.Fault(notice.Unavailable, op, errors.Join(errUnclear, cause))
	}
}

// Read hands fn every pack from a sequence (0 and 1 are the first) to the log's present end, in order, and returns
// the last one handed over: from-1 where there was none. An error of fn ends the read and is returned.
func (l *Log) Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error) {
	const op = "store.Read"
	from = max(from, 1)
	done := from - 1
	end, err := l.Last(ctx)
	if err != nil {
		return done, err
	}
	if end < from {
		return done, nil
	}
	var failed error
	err = l.store.read(ctx, l.stream, "", from, func(m Msg, _ uint64) error {
		if m.Seq != done+1 {
			failed = notice.Faultf(notice.Internal, op, "the ledger has a hole: pack %d follows pack %d", m.Seq, done)
			return errStop
		}
		if err := fn(m.Seq, m.Received, m.Data); err != nil {
			failed = err
			return errStop
		}
		if done = m.Seq; done >= end {
			return errStop
		}
		return nil
	})
	if failed != nil {
		return done, failed
	}
	return done, fault(op, err)
}

// Follow is Read that goes on: it hands fn every pack from a sequence, waits at the end for more, and returns when
// the context ends or fn returns an error.
func (l *Log) Follow(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) error {
	return l.store.follow(ctx, "store.Follow", l.stream, from, func(m Msg) error { return fn(m.Seq, m.Received, m.Data) })
}

// Last is the number of the newest pack, 0 in an empty log. It is asked of the stream's leader.
func (l *Log) Last(ctx context.Context) (uint64, error) {
	_, last, err := l.store.last(ctx, l.stream)
	return last, fault("store.Last", err)
}

// Look is Last, with the time of the server that answered.
func (l *Log) Look(ctx context.Context) (last uint64, now time.Time, err error) {
	err = l.store.ask(ctx, l.stream, func(str jetstream.Stream) error {
		info := str.CachedInfo()
		last, now = info.State.LastSeq, info.TimeStamp
		return nil
	})
	return last, now, fault("store.Look", err)
}

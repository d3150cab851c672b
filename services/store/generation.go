package store

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// maxInFlight chunks of a generation are on their way at once: enough to keep the disk busy between round trips.
	maxInFlight = 64
	// asyncTimeout is when a chunk without an acknowledgement counts as failed.
	asyncTimeout = 30 * time.Second
)

// Generation is a change of the directory in the making. Nothing of it shows until Commit. It is for one goroutine;
// one that is given up needs no clean-up but the next Compact.
type Generation struct {
	store     *Store
	number    uint64
	base      head // what it was begun on
	merged    bool // it replaces the generations of base
	open      map[string]*chunk
	chunks    int
	inFlight  []jetstream.PubAckFuture
	limit     int   // of a chunk's bytes
	failed    error // a chunk was not stored: the generation can never be whole
	committed bool
}

// Begin starts a generation on top of the directory as it is now.
func (d *Directory) Begin(ctx context.Context) (*Generation, error) {
	const op = "store.Begin"
	base, err := d.head(ctx)
	if err != nil {
		return nil, fault(op, err)
	}
	// The sequence of this message is the generation's number: no other has it, now or ever, and whatever a crashed
	// import left behind cannot be taken for part of this one.
	ack, err := d.store.js.PublishMsg(ctx, newMsg(nextSubject, nil, nil), jetstream.WithExpectStream(directoryStream))
	if err != nil {
		return nil, fault(op, err)
	}
	const headers = 1 << 10
	return &Generation{
		store: d.store, number: ack.Sequence, base: base, open: map[string]*chunk{},
		limit: int(d.store.nc.MaxPayload()) - headers,
	}, nil
}

// Put sets a row. Of several for one row the last counts. It waits while many chunks are in flight.
func (g *Generation) Put(ctx context.Context, kind, id string, value []byte) error {
	return g.add(ctx, opPut, kind, id, value)
}

// Delete removes a row. One that is not there is no error.
func (g *Generation) Delete(ctx context.Context, kind, id string) error {
	return g.add(ctx, opDelete, kind, id, nil)
}

func (g *Generation) add(ctx context.Context, operation byte, kind, id string, value []byte) error {
	const op = "store.Put"
	const lengths = 32
	size := len(id) + len(value) + lengths
	switch {
	case g.failed != nil:
		return g.failed
	case g.committed:
		return notice.Faultf(notice.Precondition, op, "the generation is committed")
	case !rowKind.MatchString(kind):
		return notice.Faultf(notice.Invalid, op, "a row's kind is up to 32 of a-z, 0-9, _ and -, beginning with a letter")
	case size > g.limit:
		return notice.Faultf(notice.Invalid, op, "a %s row is larger than %d bytes", kind, g.limit-lengths)
	}
	c := g.open[kind]
	if c != nil && (c.full() || len(c.data)+size > g.limit) {
		if err := g.send(ctx, op, kind, c); err != nil {
			return err
		}
		c = nil
	}
	if c == nil {
		c = &chunk{}
		g.open[kind] = c
	}
	c.add(operation, id, value)
	return nil
}

func (g *Generation) send(ctx context.Context, op, kind string, c *chunk) error {
	if len(g.inFlight) >= maxInFlight {
		if err := g.await(ctx, op, 1); err != nil {
			return err
		}
	}
	future, err := g.store.js.PublishMsgAsync(newMsg(chunkSubject(g.number, kind, g.chunks), nil, c.data),
		jetstream.WithExpectStream(directoryStream), jetstream.WithStallWait(asyncTimeout))
	if err != nil {
		return g.fail(op, err)
	}
	g.chunks++
	g.inFlight = append(g.inFlight, future)
	return nil
}

// await waits until the oldest n chunks in flight are durable.
func (g *Generation) await(ctx context.Context, op string, n int) error {
	for ; n > 0; n-- {
		select {
		case <-ctx.Done():
			return g.fail(op, ctx.Err())
		case err := <-g.inFlight[0].Err():
			return g.fail(op, err)
		case <-g.inFlight[0].Ok():
			g.inFlight = g.inFlight[1:]
		}
	}
	return nil
}

func (g *Generation) fail(op string, err error) error {
	g.failed = fault(op, err)
	return g.failed
}

// Commit makes the whole generation visible at once and returns the directory's new head. If another generation was
// committed since Begin it is a Conflict and nothing shows: load the directory and begin again. After Unavailable
// nothing or all of it shows: call it again to know, or begin again. A generation without rows changes nothing.
func (g *Generation) Commit(ctx context.Context) (uint64, error) {
	const op = "store.Commit"
	if g.failed != nil {
		return 0, g.failed
	}
	for _, kind := range slices.Sorted(maps.Keys(g.open)) {
		if err := g.send(ctx, op, kind, g.open[kind]); err != nil {
			return 0, err
		}
		delete(g.open, kind)
	}
	if err := g.await(ctx, op, len(g.inFlight)); err != nil {
		return 0, err
	}
	if g.chunks == 0 && !g.merged {
		g.committed = true
		return g.base.Revision, nil
	}
	return g.moveHead(ctx)
}

func (g *Generation) moveHead(ctx context.Context) (uint64, error) {
	const op = "store.Commit"
	next := head{}
	if !g.merged {
		next.Generations = append(next.Generations, g.base.Generations...)
	}
	next.Generations = append(next.Generations, generation{Number: g.number, Chunks: g.chunks, Merged: g.merged})
	data, err := json.Marshal(next)
	if err != nil {
		return 0, fault(op, err)
	}
	ack, err := g.store.js.PublishMsg(ctx, newMsg(headSubject, nil, data),
		jetstream.WithExpectStream(directoryStream), jetstream.WithExpectLastSequencePerSubject(g.base.Revision))
	if err == nil {
		g.committed = true
		return ack.Sequence, nil
	}
	kind := kindOf(err)
	if kind != notice.Conflict && kind != notice.Unavailable {
		return 0, fault(op, err)
	}
	// Unclear, or a conflict that may be the echo of our own try: HEAD tells.
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	now, readErr := g.store.Directory().head(settle)
	switch {
	case readErr != nil:
		return 0, notice.Fault(notice.Unavailable, op, errors.Join(err, readErr))
	case now.position(g.number) >= 0:
		g.committed = true
		return now.Revision, nil
	case now.Revision != g.base.Revision:
		return 0, notice.Faultf(notice.Conflict, op, "the directory changed meanwhile: load it and begin again")
	default:
		return 0, notice.Fault(notice.Unavailable, op, err)
	}
}

package engine

import (
	"context"
	"sync"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// readPatience bounds one read: the owning goroutine waits for it.
const readPatience = 5 * time.Second

// body reads an event, from memory where it is still there. Bodies are shared and must not be changed.
func (e *Engine) body(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error) {
	if body := e.bodies.get(src); body != nil {
		return body, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	body, err := e.Events.Get(ctx, notice.AgencyID(src.Agency), src.Sequence)
	if err != nil {
		return nil, err
	}
	e.bodies.put(src, body)
	return body, nil
}

// Body reads an event of the ledger.
func (e *Engine) Body(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error) {
	return e.body(ctx, src)
}

type bodyKey struct {
	agency   string
	sequence uint64
}

// bodies keeps the events last read, the oldest dropped first.
type bodies struct {
	mu    sync.Mutex
	held  map[bodyKey]*eventv1.Event
	order []bodyKey
	next  int
}

func newBodies(size int) *bodies {
	return &bodies{held: make(map[bodyKey]*eventv1.Event, size), order: make([]bodyKey, size)}
}

func (b *bodies) get(src *ledgerv1.Source) *eventv1.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[bodyKey{src.Agency, src.Sequence}]
}

func (b *bodies) put(src *ledgerv1.Source, body *eventv1.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := bodyKey{src.Agency, src.Sequence}
	if _, known := b.held[key]; known {
		return
	}
	delete(b.held, b.order[b.next])
	b.order[b.next] = key
	b.next = (b.next + 1) % len(b.order)
	b.held[key] = body
}

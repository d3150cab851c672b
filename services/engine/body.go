package engine

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

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
	body, err := e.read(ctx, src)
	if err != nil {
		return nil, err
	}
	e.bodies.put(src, body)
	return body, nil
}

// read reads an event from the store.
func (e *Engine) read(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	return e.Events.Get(ctx, notice.AgencyID(src.Agency), src.Sequence)
}

// Body reads an event of the ledger.
func (e *Engine) Body(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error) {
	return e.body(ctx, src)
}

type bodyKey struct {
	agency   string
	sequence uint64
}

// bodies keeps the events last read.
type bodies struct {
	mu   sync.Mutex
	last recent[bodyKey, *eventv1.Event]
}

// bodyRoom is enough for the events of some minutes: a queue that outgrows it reads its events again from the store.
const bodyRoom = 64 << 20

func newBodies(room int) *bodies { return &bodies{last: newRecent[bodyKey, *eventv1.Event](room)} }

func (b *bodies) get(src *ledgerv1.Source) *eventv1.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last.held[bodyKey{src.Agency, src.Sequence}]
}

func (b *bodies) put(src *ledgerv1.Source, body *eventv1.Event) {
	key, size := bodyKey{src.Agency, src.Sequence}, sizeOf(body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.held[key] == nil {
		b.last.put(key, body, size)
	}
}

// sizeOf is about how many bytes an event takes in memory: some times what it takes on the wire.
func sizeOf(ev *eventv1.Event) int { return 3 * proto.Size(ev) }

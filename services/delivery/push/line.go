package push

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
)

const (
	// callsAtOnce is how many calls to one receiver are under way. What comes meanwhile waits, and goes in one call. For
	// what is urgent there may be urgentCalls more: it waits for no call that routine ones share.
	callsAtOnce, urgentCalls = 2, 4
	// batchNotices and batchBytes bound what goes in one call: below what gRPC takes in a message, and few enough that a
	// receiver which stores them one by one answers in time.
	batchNotices, batchBytes = 64, 1 << 20
	// singlyFor is how long a receiver that has no DeliverBatch is not asked for it again.
	singlyFor = 10 * time.Minute
)

// line is the way to one receiver: its connection, and what waits to be handed over. Whoever sends makes the call: for itself
// where few are under way, otherwise, once one of those has ended, the first that waits for all that do. So a notice
// waits for no other while there is room, and many share a call where there is none.
type line struct {
	conn    *grpc.ClientConn
	client  noticev1.NoticeReceiverServiceClient
	timeout time.Duration // of one call, and of waiting for one

	mu      sync.Mutex
	calls   int // under way, of those that are counted
	waiting []*handover
	singly  time.Time // until when each notice has a call of its own
}

func newLine(conn *grpc.ClientConn, timeout time.Duration) *line {
	return &line{conn: conn, client: noticev1.NewNoticeReceiverServiceClient(conn), timeout: timeout}
}

// handover is one notice on its way.
type handover struct {
	ctx     context.Context
	until   time.Time // waiting and calling are over by then
	urgent  bool
	request *noticev1.DeliverRequest
	turn    chan turn // told once, where it waits
}

// turn tells a handover that waited what it is to do.
type turn struct {
	do     task
	result delivery.Result // where it is over
}

type task int

const (
	_           task = iota
	beOver           // somebody called for it
	callForAll       // it is its turn to call, for all that wait
	callForSelf      // the call that it had a part in came to nothing
)

// deliver hands one notice over, by a call of its own or with others.
func (l *line) deliver(h *handover) delivery.Result {
	now, counted := l.enter(h)
	if counted {
		defer l.next()
	}
	if now {
		return l.one(h)
	}
	switch t := l.await(h); t.do {
	case callForAll:
		return l.all(h)
	case callForSelf:
		return l.one(h)
	case beOver:
		return t.result
	default:
		return t.result
	}
}

// enter says whether a handover may call at once, and whether its call is counted; otherwise it waits for its turn.
func (l *line) enter(h *handover) (now, counted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case time.Now().Before(l.singly):
		return true, false
	case l.calls < callsAtOnce, h.urgent && l.calls < callsAtOnce+urgentCalls:
		l.calls++
		return true, true // nobody waits who would be before it
	default:
		h.turn = make(chan turn, 1)
		l.waiting = slices.Insert(l.waiting, l.place(h), h)
		return false, false
	}
}

// place is where a handover comes to stand among those that wait: urgent ones before all others, each in the order in which
// they came.
func (l *line) place(h *handover) int {
	first := slices.IndexFunc(l.waiting, func(w *handover) bool { return !w.urgent })
	if h.urgent && first >= 0 {
		return first
	}
	return len(l.waiting)
}

// await returns a handover's turn, or its end where its time is up first.
func (l *line) await(h *handover) turn {
	patience := time.NewTimer(l.timeout)
	defer patience.Stop()
	select {
	case t := <-h.turn:
		return t
	case <-patience.C:
	case <-h.ctx.Done():
	}
	l.mu.Lock()
	i := slices.Index(l.waiting, h)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 {
		return <-h.turn // it has a part in a call
	}
	return turn{do: beOver, result: notBegun("the receiver answered too slowly for it to have a turn")}
}

func notBegun(why string) delivery.Result {
	return delivery.Result{Outcome: delivery.Transient, Detail: "not sent: " + why}
}

// next passes the turn of a call that has ended on.
func (l *line) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 || l.calls > callsAtOnce && !l.waiting[0].urgent {
		l.calls--
		return
	}
	first := l.waiting[0]
	l.waiting = slices.Delete(l.waiting, 0, 1)
	first.turn <- turn{do: callForAll}
}

// all calls for every handover that waits, h first.
func (l *line) all(h *handover) delivery.Result {
	if !delivery.Held(h.ctx) {
		l.next()
		return notBegun("its time was up")
	}
	batch := l.gather(h)
	if len(batch) == 1 {
		defer l.next()
		return l.one(h)
	}
	c := &call{}
	request := &noticev1.DeliverBatchRequest{Deliveries: make([]*noticev1.DeliverRequest, len(batch))}
	for i, b := range batch {
		request.Deliveries[i] = b.request
		c.sends = append(c.sends, b.ctx)
	}
	ctx, cancel := l.begin(h)
	defer cancel()
	response, err := l.client.DeliverBatch(withCall(ctx, c), request)
	l.next()
	turns := c.turns(response.GetResults(), err, len(batch))
	if err != nil && turns[0].do == callForSelf && c.sent.Load() {
		none := status.Code(err) == codes.Unimplemented
		if none {
			l.callSingly()
		}
		for _, b := range batch {
			b.request.PossibleDuplicate = b.request.PossibleDuplicate || !none
		}
	}
	for i, b := range batch[1:] {
		b.turn <- turns[i+1]
	}
	if turns[0].do == callForSelf {
		return l.one(h)
	}
	return turns[0].result
}

// gather takes from what waits as much as goes into one call with h.
func (l *line) gather(h *handover) []*handover {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch, size := []*handover{h}, proto.Size(h.request)
	taken := 0
	for _, w := range l.waiting {
		if !delivery.Held(w.ctx) {
			taken++
			w.turn <- turn{do: beOver, result: notBegun("its time was up")}
			continue
		}
		if size += proto.Size(w.request); size > batchBytes || len(batch) == batchNotices {
			break
		}
		taken++
		batch = append(batch, w)
	}
	l.waiting = slices.Delete(l.waiting, 0, taken)
	return batch
}

// callSingly has each notice go by a call of its own for a while, those that wait among them.
func (l *line) callSingly() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.singly = time.Now().Add(singlyFor)
	for _, w := range l.waiting {
		w.turn <- turn{do: callForSelf}
	}
	l.waiting = nil
}

// one calls for one handover.
func (l *line) one(h *handover) delivery.Result {
	c := &call{sends: []context.Context{h.ctx}}
	ctx, cancel := l.begin(h)
	defer cancel()
	_, err := l.client.Deliver(withCall(ctx, c), h.request)
	return c.result(err)
}

// begin bounds a call for a handover.
func (l *line) begin(h *handover) (context.Context, context.CancelFunc) {
	ends := time.Now().Add(l.timeout)
	if h.until.Before(ends) {
		ends = h.until
	}
	return context.WithDeadline(h.ctx, ends)
}

package queue

import (
	"cmp"
	"container/heap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Item is a notice that waits to be sent.
type Item struct {
	ID        string
	Lane      ledgerv1.Lane
	Publisher string
	Endpoint  string
	DueMS     int64
	SinceMS   int64 // of two that are due together the older goes first
	EndsMS    int64 // when it moves on if it still waits

	flow *flow // nil once it is out of the queue
	lane *lane
	from *publisher
	to   *endpoint
	aged bool // it had the turn of whoever has waited longest for the endpoint
	at   int
}

func (i *Item) place() *int { return &i.at }

// The lanes, as places in order.
const (
	urgent = iota
	high
	routine
	lanes
)

// placeOf is the place of a lane. What nobody graded may be grave: it counts as high.
func placeOf(l ledgerv1.Lane) int {
	switch l {
	case ledgerv1.Lane_LANE_URGENT:
		return urgent
	case ledgerv1.Lane_LANE_ROUTINE:
		return routine
	case ledgerv1.Lane_LANE_HIGH, ledgerv1.Lane_LANE_UNSPECIFIED:
		return high
	default:
		return high
	}
}

// lane is what waits in one lane. Publishers take turns by virtual time: each send moves its publisher's on by one, the
// least goes next, and one that had nothing to send starts from where the lane has come to, so that it saves nothing up.
type lane struct {
	publishers map[string]*publisher
	open       ranked[*publisher] // that have something which may be sent
	virtual    int64
	turns      int64
	waiting    int
	passed     int // sends of the lanes above since its own last, while it waits
}

func newLane() *lane {
	return &lane{publishers: map[string]*publisher{}, open: ranked[*publisher]{before: func(a, b *publisher) bool {
		return cmp.Or(cmp.Compare(a.virtual, b.virtual), cmp.Compare(a.served, b.served), cmp.Compare(a.id, b.id)) < 0
	}}}
}

type publisher struct {
	id      string
	lane    *lane
	virtual int64
	served  int64 // turn of the lane at which it was last sent for
	flows   map[*endpoint]*flow
	open    ranked[*flow] // whose endpoints are not known to be closed
	at      int
}

func (p *publisher) place() *int { return &p.at }

// flow is what one publisher has waiting for one endpoint.
type flow struct {
	publisher *publisher
	endpoint  *endpoint
	items     ranked[*Item]
	since     int64 // turn of the endpoint at which it last had one, or came
	nth       int   // among those of the endpoint
	at        int
}

func (f *flow) place() *int { return &f.at }

func before(a, b *Item) bool {
	return cmp.Or(cmp.Compare(a.DueMS, b.DueMS), cmp.Compare(a.SinceMS, b.SinceMS), cmp.Compare(a.ID, b.ID)) < 0
}

func (l *lane) publisher(id string) *publisher {
	p := l.publishers[id]
	if p == nil {
		p = &publisher{id: id, lane: l, flows: map[*endpoint]*flow{}, at: nowhere}
		p.open.before = func(a, b *flow) bool { return before(a.items.all[0], b.items.all[0]) }
		l.publishers[id] = p
	}
	return p
}

// add puts an item behind its publisher's others for the endpoint.
func (l *lane) add(it *Item, to *endpoint) {
	p := l.publisher(it.Publisher)
	f := p.flows[to]
	isNew := f == nil
	if isNew {
		f = &flow{publisher: p, endpoint: to, items: ranked[*Item]{before: before}, at: nowhere}
		p.flows[to] = f
		to.add(f)
	}
	heap.Push(&f.items, it)
	it.flow, it.lane, it.from, it.to = f, l, p, to
	l.waiting++
	switch {
	case isNew:
		f.unpark()
	case f.at != nowhere:
		heap.Fix(&p.open, f.at)
	}
}

// unpark lets a flow take part again.
func (f *flow) unpark() {
	if f.items.Len() == 0 || f.at != nowhere {
		return
	}
	p := f.publisher
	heap.Push(&p.open, f)
	if p.at == nowhere {
		p.virtual = max(p.virtual, p.lane.virtual)
		heap.Push(&p.lane.open, p)
	}
}

// close takes a flow out until it is unparked.
func (f *flow) close() {
	p := f.publisher
	heap.Remove(&p.open, f.at)
	if p.open.Len() == 0 {
		heap.Remove(&p.lane.open, p.at)
	}
}

// remove takes an item out.
func (l *lane) remove(it *Item) {
	f := it.flow
	it.flow = nil
	l.waiting--
	if l.waiting == 0 {
		l.passed = 0
	}
	heap.Remove(&f.items, it.at)
	switch {
	case f.items.Len() == 0:
		if f.at != nowhere {
			f.close()
		}
		delete(f.publisher.flows, f.endpoint)
		f.endpoint.remove(f)
	case f.at != nowhere:
		heap.Fix(&f.publisher.open, f.at)
	}
}

// serve moves the turn on from a publisher that was sent for.
func (l *lane) serve(p *publisher) {
	l.virtual = max(l.virtual, p.virtual)
	p.virtual++
	l.turns++
	p.served = l.turns
	l.passed = 0
	if p.at != nowhere {
		heap.Fix(&l.open, p.at)
	}
}

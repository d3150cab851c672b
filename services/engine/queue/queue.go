package queue

import (
	"container/heap"
	"slices"
)

// turnAfter is how many sends of the lanes above a lane lets pass before it has a turn. As many sends to an endpoint pass before
// whoever has waited longest for it has one.
const turnAfter = 16

// Queue is the notices that are ready to go out on one channel, and the sends under way.
type Queue struct {
	limits    Limits
	lanes     [lanes]*lane
	endpoints map[string]*endpoint
	wakes     ranked[*awakening]

	busy    [lanes]int // slots taken
	slow    int        // sends that gave their slot up
	sending int
	begun   []*Send // that have a slot, in order; those that have ended are among them until they are in the way

	added []*Item // since the last Next that found nothing: most never need watching
	ends  []*Item // heap by EndsMS; those that are out of the queue are among them
}

// Send is a send under way.
type Send struct {
	lane     int
	endpoint *endpoint
	beganMS  int64
	slow     bool
	over     bool
}

// New makes an empty queue. The limits have passed Check.
func New(l Limits) *Queue {
	q := &Queue{limits: l, endpoints: map[string]*endpoint{}}
	q.wakes.before = func(a, b *awakening) bool { return a.atMS < b.atMS }
	for i := range q.lanes {
		q.lanes[i] = newLane()
	}
	return q
}

// Len is how many wait.
func (q *Queue) Len() int {
	sum := 0
	for _, l := range q.lanes {
		sum += l.waiting
	}
	return sum
}

// Sending is how many sends are under way.
func (q *Queue) Sending() int { return q.sending }

// Add has an item wait. It must not be in a queue.
func (q *Queue) Add(it *Item) {
	to := q.endpoints[it.Endpoint]
	if to == nil {
		to = &endpoint{key: it.Endpoint}
		q.endpoints[it.Endpoint] = to
	}
	q.lanes[placeOf(it.Lane)].add(it, to)
	q.added = append(q.added, it)
}

// Next takes out what is to be sent next, nil where nothing may be sent now. The caller calls Start, or drops the item.
func (q *Queue) Next(nowMS int64) *Item {
	q.makeRoom(nowMS)
	for q.wakes.Len() > 0 && q.wakes.all[0].atMS <= nowMS {
		e := heap.Pop(&q.wakes).(*awakening).endpoint
		e.wakeMS = 0
		q.unpark(e)
	}
	for _, i := range q.order() {
		if !q.room(i) {
			continue
		}
		if it := q.take(q.lanes[i], nowMS); it != nil {
			return it
		}
	}
	q.watch()
	return nil
}

// order is the lanes from the most urgent on, but first those whose turn has come.
func (q *Queue) order() [lanes]int {
	var order [lanes]int
	n := 0
	for i := lanes - 1; i >= 0; i-- {
		if q.lanes[i].passed >= turnAfter {
			order[n] = i
			n++
		}
	}
	for i := range lanes {
		if q.lanes[i].passed < turnAfter {
			order[n] = i
			n++
		}
	}
	return order
}

// room says whether a lane may take a slot: what is kept for the lanes above stays free.
func (q *Queue) room(i int) bool {
	l := &q.limits
	below := q.busy[routine]
	if i == routine && below >= l.Slots-l.Urgent-l.High {
		return false
	}
	below += q.busy[high]
	if i != urgent && below >= l.Slots-l.Urgent {
		return false
	}
	return below+q.busy[urgent] < l.Slots
}

// take finds the first of a lane whose endpoint may be sent to. What waits for another endpoint is put aside, so that it
// is not looked at again before something has changed.
func (q *Queue) take(l *lane, nowMS int64) *Item {
	for l.open.Len() > 0 {
		f := l.open.all[0].open.all[0]
		ok, againMS := f.endpoint.ready(&q.limits, nowMS)
		if ok {
			return q.takeFor(f)
		}
		f.close()
		e := f.endpoint
		e.parked = append(e.parked, f)
		if againMS > 0 && (e.wakeMS == 0 || againMS < e.wakeMS) {
			e.wakeMS = againMS
			heap.Push(&q.wakes, &awakening{atMS: againMS, endpoint: e})
		}
	}
	return nil
}

// takeFor takes what is to go to the endpoint of a flow whose turn it is: the flow's own or, after so many, what has waited
// longest for it. The turns of lanes and publishers cannot see to that: where many wait for one endpoint they have their turns
// elsewhere, and are passed by here.
func (q *Queue) takeFor(f *flow) *Item {
	aged := f.endpoint.passed >= turnAfter
	if aged {
		f = f.endpoint.longest(f, func(f *flow) bool { return q.room(placeOf(f.items.all[0].Lane)) })
	}
	it := f.items.all[0]
	it.lane.remove(it)
	it.aged = aged
	return it
}

func (q *Queue) unpark(e *endpoint) {
	parked := e.parked
	e.parked = nil
	for _, f := range parked {
		f.unpark()
	}
}

// Start takes a slot for an item that Next gave. One for an endpoint that is known to be slow gives its slot up at once: the
// slots are for those that are quick.
func (q *Queue) Start(it *Item, nowMS int64) *Send {
	i := placeOf(it.Lane)
	for _, below := range q.lanes[i+1:] {
		if below.waiting > 0 {
			below.passed++
		}
	}
	it.lane.serve(it.from)
	it.to.served(it.from.flows[it.to], it.aged)
	it.to.began(&q.limits, nowMS)
	s := &Send{lane: i, endpoint: it.to, beganMS: nowMS}
	q.sending++
	if it.to.slow && q.slow < q.limits.Slow {
		s.slow = true
		q.slow++
		return s
	}
	q.busy[i]++
	if q.limits.Slow > 0 {
		q.begun = append(q.begun, s)
	}
	return s
}

// Done takes the end of a send.
func (q *Queue) Done(s *Send, v Verdict, nowMS int64) {
	if s.over {
		return
	}
	s.over = true
	q.sending--
	if s.slow {
		q.slow--
	} else {
		q.busy[s.lane]--
	}
	if len(q.begun) > 2*q.sending+64 {
		q.begun = slices.DeleteFunc(q.begun, func(s *Send) bool { return s.over })
	}
	e := s.endpoint
	e.ended(&q.limits, v, s.beganMS, nowMS)
	q.unpark(e)
	if e.forgettable(nowMS) {
		delete(q.endpoints, e.key)
	}
}

// makeRoom has sends that take long give their slots up.
func (q *Queue) makeRoom(nowMS int64) {
	for len(q.begun) > 0 {
		s := q.begun[0]
		if !s.over {
			if q.slow >= q.limits.Slow || !slowBy(s.beganMS, nowMS) {
				return
			}
			s.slow, s.endpoint.slow = true, true
			q.slow++
			q.busy[s.lane]--
		}
		q.begun[0] = nil
		q.begun = q.begun[1:]
	}
}

func slowBy(beganMS, nowMS int64) bool { return beganMS+SlowAfter.Milliseconds() <= nowMS }

// Expired takes out what has waited until its end.
func (q *Queue) Expired(nowMS int64) []*Item {
	q.watch()
	var over []*Item
	for len(q.ends) > 0 && q.ends[0].EndsMS <= nowMS {
		it := heap.Pop((*endings)(&q.ends)).(*Item)
		if it.flow != nil {
			it.lane.remove(it)
			over = append(over, it)
		}
	}
	return over
}

// watch notes the ends of what has been added and still waits.
func (q *Queue) watch() {
	if waiting := q.Len(); len(q.ends) > 2*waiting+1024 {
		q.ends = slices.DeleteFunc(q.ends, func(it *Item) bool { return it.flow == nil })
		heap.Init((*endings)(&q.ends))
	}
	for _, it := range q.added {
		if it.flow != nil {
			heap.Push((*endings)(&q.ends), it)
		}
	}
	clear(q.added)
	q.added = q.added[:0]
}

// NextMS is when Next or Expired may have something without a send ending first, false where that is never.
func (q *Queue) NextMS() (int64, bool) {
	if q.Len() == 0 {
		return 0, false
	}
	q.watch()
	next, armed := int64(0), false
	soonest := func(ms int64) {
		if !armed || ms < next {
			next, armed = ms, true
		}
	}
	if len(q.ends) > 0 {
		soonest(q.ends[0].EndsMS)
	}
	if q.wakes.Len() > 0 {
		soonest(q.wakes.all[0].atMS)
	}
	for len(q.begun) > 0 && q.begun[0].over {
		q.begun[0] = nil
		q.begun = q.begun[1:]
	}
	if len(q.begun) > 0 && q.slow < q.limits.Slow {
		soonest(q.begun[0].beganMS + SlowAfter.Milliseconds())
	}
	return next, armed
}

// Resting says whether an endpoint is being left alone, or tried again after it was.
func (q *Queue) Resting(endpoint string) bool {
	e := q.endpoints[endpoint]
	return e != nil && e.restsMS > 0
}

// endings is items by their end.
type endings []*Item

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].EndsMS < e[j].EndsMS }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push is for container/heap.
func (e *endings) Push(x any) { *e = append(*e, x.(*Item)) }

// Pop is for container/heap.
func (e *endings) Pop() any {
	last := len(*e) - 1
	it := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return it
}

package queue

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Whatever comes, in whatever order sends end, whichever endpoints fail: the bounds hold at each start, the lanes above go
// first unless a turn is due, no publisher gets far ahead of another, and everything goes out in the end, once.
func TestWhateverComesTheBoundsHoldAndEverythingGoesOut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := Limits{
			Slots: rapid.IntRange(1, 6).Draw(r, "slots"), AtOnce: rapid.IntRange(0, 3).Draw(r, "at once"),
			Rate: rapid.SampledFrom([]float64{0, 0, 0.5, 7}).Draw(r, "rate"), Failures: rapid.IntRange(0, 3).Draw(r, "failures"),
			Rest: 30 * time.Second, Slow: rapid.IntRange(0, 3).Draw(r, "slow"),
		}
		l.Urgent = rapid.IntRange(0, (l.Slots-1)/2).Draw(r, "urgent")
		l.High = rapid.IntRange(0, (l.Slots-1)/2).Draw(r, "high")
		p := &player{desk: open(t, l), r: r, waiting: map[string]*Item{}, started: map[string]bool{}}
		for range rapid.IntRange(1, 120).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"add", "add", "end", "end", "time"}).Draw(r, "what") {
			case "add":
				p.arrive()
			case "end":
				p.end()
			case "time":
				p.now += rapid.Int64Range(0, 5000).Draw(r, "ms")
			}
			p.sweep()
		}
		for i := 0; len(p.waiting)+len(p.under) > 0; i++ {
			if i > 5000 {
				r.Fatalf("%d wait for ever", len(p.waiting))
			}
			for id := range p.under {
				p.done(Answered, id)
			}
			if next, ok := p.q.NextMS(); ok && next > p.now && next < never {
				p.now = next
			}
			p.sweep()
		}
		if p.q.Len() != 0 || p.q.Sending() != 0 {
			r.Fatalf("%d wait and %d are sent in an empty queue", p.q.Len(), p.q.Sending())
		}
	})
}

// player plays a queue at random and holds it to its rules.
type player struct {
	*desk
	r       *rapid.T
	made    int
	waiting map[string]*Item
	started map[string]bool
}

func (p *player) arrive() {
	p.made++
	it := item(fmt.Sprintf("n%d", p.made),
		in(rapid.SampledFrom([]ledgerv1.Lane{laneUrgent, laneHigh, laneRoutine, laneRoutine}).Draw(p.r, "lane")),
		by(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(p.r, "publisher")), to(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(p.r, "endpoint")),
		due(rapid.Int64Range(0, 5).Draw(p.r, "due")))
	p.waiting[it.ID] = it
	p.add(it)
}

func (p *player) end() {
	if len(p.under) == 0 {
		return
	}
	ids := make([]string, 0, len(p.under))
	for i := 1; i <= p.made; i++ {
		if id := fmt.Sprintf("n%d", i); p.under[id] != nil {
			ids = append(ids, id)
		}
	}
	p.done(rapid.SampledFrom([]Verdict{Answered, Answered, Failed, NotAsked}).Draw(p.r, "verdict"), rapid.SampledFrom(ids).Draw(p.r, "ended"))
}

// sweep starts all that may be and checks each start.
func (p *player) sweep() {
	for {
		var passed [lanes]int
		for i, l := range p.q.lanes {
			passed[i] = l.passed
		}
		since, passedAt := map[string]int64{}, map[*endpoint]int{}
		for id, w := range p.waiting {
			since[id], passedAt[w.to] = w.flow.since, w.to.passed
		}
		it := p.q.Next(p.now)
		if it == nil {
			break
		}
		if p.waiting[it.ID] == nil || p.started[it.ID] {
			p.r.Fatalf("%s was given twice", it.ID)
		}
		delete(p.waiting, it.ID)
		p.started[it.ID] = true
		mine := placeOf(it.Lane)
		if it.aged && passedAt[it.to] < turnAfter {
			p.r.Fatalf("%s had the turn of who waited longest after %d sends", it.ID, passedAt[it.to])
		}
		for _, w := range p.waiting {
			ready, _ := p.q.endpoints[w.Endpoint].ready(&p.q.limits, p.now)
			other := placeOf(w.Lane)
			switch {
			case !ready || !p.q.room(other):
			case it.aged: // out of its turn: whoever waits for the same endpoint has not waited longer
				if w.to == it.to && since[w.ID] < since[it.ID] {
					p.r.Fatalf("%s went before %s, which has waited longer", it.ID, w.ID)
				}
			case other < mine && passed[mine] < turnAfter:
				p.r.Fatalf("%s of lane %d went before %s of lane %d", it.ID, mine, w.ID, other)
			case other == mine && w.Publisher == it.Publisher && before(w, it):
				p.r.Fatalf("%s went before %s", it.ID, w.ID)
			case other == mine && it.lane.publishers[it.Publisher].virtual > it.lane.publishers[w.Publisher].virtual &&
				it.lane.publishers[w.Publisher].at != nowhere:
				p.r.Fatalf("%s of %s went before the turn of %s", it.ID, it.Publisher, w.Publisher)
			}
		}
		p.under[it.ID] = p.q.Start(it, p.now)
		p.bounds()
	}
	// Nothing more may start: so nothing is left that might.
	for _, w := range p.waiting {
		if ready, _ := p.q.endpoints[w.Endpoint].ready(&p.q.limits, p.now); ready && p.q.room(placeOf(w.Lane)) {
			p.r.Fatalf("%s might be sent and is not", w.ID)
		}
	}
}

// bounds holds the sends under way against the limits, counted anew.
func (p *player) bounds() {
	l := &p.q.limits
	slots, kept, slowly := 0, [lanes]int{}, 0
	at := map[*endpoint]int{}
	for _, s := range p.under {
		at[s.endpoint]++
		if s.slow {
			slowly++
			continue
		}
		slots++
		kept[s.lane]++
	}
	switch {
	case slots > l.Slots || slowly > l.Slow || slots+slowly != p.q.Sending():
		p.r.Fatalf("%d sends in slots and %d besides", slots, slowly)
	case kept[high]+kept[routine] > l.Slots-l.Urgent || kept[routine] > l.Slots-l.Urgent-l.High:
		p.r.Fatalf("slots by lane: %v", kept)
	}
	for e, n := range at {
		if l.AtOnce > 0 && n > l.AtOnce || e.sending != n {
			p.r.Fatalf("%d sends to %s, counted %d", n, e.key, e.sending)
		}
	}
}

// BenchmarkQueue takes an item through a queue in which a hundred thousand wait.
func BenchmarkQueue(b *testing.B) {
	d := open(b, Limits{Slots: 64, Urgent: 8, High: 8, Slow: 64, AtOnce: 32, Failures: 5, Rest: time.Minute})
	one := func(i int) *Item {
		return item(strconv.Itoa(i), by(strconv.Itoa(i%40)), to(strconv.Itoa(i%1000)), due(int64(i)))
	}
	for i := range 100_000 {
		d.add(one(i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.add(one(i))
		it := d.q.Next(int64(i))
		d.q.Done(d.q.Start(it, int64(i)), Answered, int64(i))
	}
}

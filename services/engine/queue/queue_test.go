package queue

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	laneUrgent  = ledgerv1.Lane_LANE_URGENT
	laneHigh    = ledgerv1.Lane_LANE_HIGH
	laneRoutine = ledgerv1.Lane_LANE_ROUTINE
	ungraded    = ledgerv1.Lane_LANE_UNSPECIFIED

	never = int64(1) << 50
	slow  = int64(SlowAfter / time.Millisecond)
)

// desk is a queue with its sends, driven by hand.
type desk struct {
	t     testing.TB
	q     *Queue
	now   int64
	under map[string]*Send
}

func open(t testing.TB, l Limits) *desk {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, q: New(l), under: map[string]*Send{}}
}

func item(id string, change ...func(*Item)) *Item {
	it := &Item{ID: id, Lane: laneRoutine, Publisher: "police", Endpoint: "school", EndsMS: never}
	for _, f := range change {
		f(it)
	}
	return it
}

func in(l ledgerv1.Lane) func(*Item)  { return func(it *Item) { it.Lane = l } }
func by(publisher string) func(*Item) { return func(it *Item) { it.Publisher = publisher } }
func to(endpoint string) func(*Item)  { return func(it *Item) { it.Endpoint = endpoint } }
func due(ms int64) func(*Item)        { return func(it *Item) { it.DueMS = ms } }
func ends(ms int64) func(*Item)       { return func(it *Item) { it.EndsMS = ms } }
func since(ms int64) func(*Item)      { return func(it *Item) { it.SinceMS = ms } }
func (d *desk) add(items ...*Item) *desk {
	for _, it := range items {
		d.q.Add(it)
	}
	return d
}

// many adds n items like one, named after it.
func (d *desk) many(n int, prefix string, change ...func(*Item)) *desk {
	for i := range n {
		d.add(item(prefix+strconv.Itoa(i), append([]func(*Item){since(int64(i))}, change...)...))
	}
	return d
}

// start starts all that may be and names it in order.
func (d *desk) start() string {
	d.t.Helper()
	var ids []string
	for {
		it := d.q.Next(d.now)
		if it == nil {
			return strings.Join(ids, " ")
		}
		ids = append(ids, it.ID)
		d.under[it.ID] = d.q.Start(it, d.now)
	}
}

func (d *desk) done(v Verdict, ids ...string) *desk {
	d.t.Helper()
	for _, id := range ids {
		s := d.under[id]
		if s == nil {
			d.t.Fatalf("%s is not under way", id)
		}
		delete(d.under, id)
		d.q.Done(s, v, d.now)
	}
	return d
}

func (d *desk) expect(want string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.start()); diff != "" {
		d.t.Fatalf("started (-want +got):\n%s", diff)
	}
}

// next expects an instant at which something may happen.
func (d *desk) next(want int64) {
	d.t.Helper()
	if got, ok := d.q.NextMS(); !ok || got != want {
		d.t.Fatalf("looked at again at %d (%t), want %d", got, ok, want)
	}
}

func (d *desk) expired() string {
	var ids []string
	for _, it := range d.q.Expired(d.now) {
		ids = append(ids, it.ID)
	}
	return strings.Join(ids, " ")
}

func TestLanes(t *testing.T) {
	t.Run("go by urgency, and within a lane by due time, then age", func(t *testing.T) {
		d := open(t, Limits{Slots: 9})
		d.add(item("r", due(1)), item("h late", in(laneHigh), due(9)), item("h", in(laneHigh), due(5), since(2)),
			item("h older", in(laneHigh), due(5), since(1)), item("u", in(laneUrgent), due(99)))
		d.expect("u h older h h late r")
	})
	t.Run("what nobody graded counts as high", func(t *testing.T) {
		d := open(t, Limits{Slots: 9})
		d.add(item("routine"), item("ungraded", in(ungraded)), item("unheard of", in(77), since(1)))
		d.expect("ungraded unheard of routine")
	})
	t.Run("keep slots free for those above", func(t *testing.T) {
		d := open(t, Limits{Slots: 4, Urgent: 1, High: 1})
		d.many(9, "r").expect("r0 r1")
		d.many(9, "h", in(laneHigh)).expect("h0")
		d.many(9, "u", in(laneUrgent)).expect("u0")
		d.done(Answered, "r0").expect("u1")
		d.done(Answered, "u0", "u1").expect("u2 u3")
	})
	t.Run("five thousand routine ones wait, and an urgent one goes next", func(t *testing.T) {
		d := open(t, Limits{Slots: 8, Urgent: 1, High: 1})
		d.many(5000, "r").expect("r0 r1 r2 r3 r4 r5")
		d.add(item("u", in(laneUrgent), due(never))).expect("u")
	})
	t.Run("age: routine has a turn however many urgent ones come", func(t *testing.T) {
		d := open(t, Limits{Slots: 1})
		d.add(item("r", due(1)), item("r later", due(2))).many(turnAfter+2, "u", in(laneUrgent))
		for i := range turnAfter {
			d.expect("u" + strconv.Itoa(i))
			d.done(Answered, "u"+strconv.Itoa(i))
		}
		d.expect("r")
		d.done(Answered, "r").expect("u" + strconv.Itoa(turnAfter))
	})
	t.Run("age: high has its turn where routine's endpoint is shut", func(t *testing.T) {
		d := open(t, Limits{Slots: 2, AtOnce: 1})
		d.add(item("r0", to("hung")), item("r1", to("hung"))).expect("r0")
		d.add(item("h", in(laneHigh))).many(turnAfter+2, "u", in(laneUrgent), to("hub"))
		for i := range turnAfter {
			d.expect("u" + strconv.Itoa(i))
			d.done(Answered, "u"+strconv.Itoa(i))
		}
		d.expect("h")
	})
}

func TestPublishersTakeTurns(t *testing.T) {
	t.Run("a noisy one's hundredth is not ahead of a quiet one's first", func(t *testing.T) {
		d := open(t, Limits{Slots: 1})
		d.many(100, "noisy").expect("noisy0")
		d.add(item("quiet", by("health"), due(never)))
		d.done(Answered, "noisy0").expect("quiet")
		d.done(Answered, "quiet").expect("noisy1")
	})
	t.Run("one that was quiet for long has saved nothing up", func(t *testing.T) {
		d := open(t, Limits{Slots: 1})
		d.many(100, "a", by("a"))
		for i := range 50 {
			d.expect("a" + strconv.Itoa(i))
			d.done(Answered, "a"+strconv.Itoa(i))
		}
		d.many(5, "b", by("b"))
		var order []string
		for range 6 {
			id := d.start()
			order = append(order, id)
			d.done(Answered, id)
		}
		if got := strings.Join(order, " "); got != "b0 a50 b1 a51 b2 a52" {
			t.Fatal(got)
		}
	})
	t.Run("one whose items come singly does not shut the others out", func(t *testing.T) {
		d := open(t, Limits{Slots: 1})
		d.many(10, "a", by("a"))
		var order []string
		for i := range 6 {
			d.add(item("b"+strconv.Itoa(i), by("b")))
			id := d.start()
			order = append(order, id[:1])
			d.done(Answered, id)
		}
		if got := strings.Join(order, ""); got != "ababab" {
			t.Fatal(got)
		}
	})
	t.Run("one whose endpoints are all shut holds up nobody", func(t *testing.T) {
		d := open(t, Limits{Slots: 9, AtOnce: 1})
		d.many(3, "a", by("a"), to("hung")).many(3, "b", by("b"), to("well"))
		d.expect("a0 b0")
		d.done(Answered, "b0").expect("b1")
		d.done(Answered, "a0").expect("a1")
	})
}

func TestEndpoints(t *testing.T) {
	breaker := Limits{Slots: 9, AtOnce: 4, Failures: 3, Rest: time.Minute}
	t.Run("get so many sends at once and no more", func(t *testing.T) {
		d := open(t, Limits{Slots: 9, AtOnce: 2})
		d.many(5, "a", to("a")).many(1, "b", to("b")).expect("a0 b0 a1")
		d.done(Answered, "a1").expect("a2")
	})
	t.Run("get so many sends a second and no more", func(t *testing.T) {
		d := open(t, Limits{Slots: 9, Rate: 2})
		d.now = 5000
		d.many(5, "a", to("a")).many(1, "b", to("b")).expect("a0 b0 a1")
		d.next(5500)
		d.now = 5499
		d.expect("")
		d.now = 5500
		d.expect("a2")
		d.now = 60_000
		d.expect("a3 a4")
	})
	t.Run("with less than one send a second wait for each", func(t *testing.T) {
		d := open(t, Limits{Slots: 9, Rate: 0.1})
		d.many(2, "a").expect("a0")
		d.next(10_000)
		d.now = 10_000
		d.expect("a1")
	})
	t.Run("that failed get a single send at a time", func(t *testing.T) {
		d := open(t, breaker)
		d.many(9, "a").expect("a0 a1 a2 a3")
		d.done(Failed, "a0", "a1").expect("")
		d.done(Answered, "a2").expect("a4 a5 a6")
	})
	t.Run("that failed in a row are left alone, probed, and open again once they answer", func(t *testing.T) {
		d := open(t, breaker)
		d.many(9, "a").many(1, "b", to("b")).expect("a0 b0 a1 a2 a3")
		d.now = 1000
		d.done(Failed, "a0", "a1", "a2", "a3").expect("")
		if !d.q.Resting("school") || d.q.Resting("b") {
			t.Fatal("the endpoint that failed rests, and no other")
		}
		d.next(61_000)
		d.now = 60_999
		d.expect("")
		d.now = 61_000
		d.expect("a4")
		d.done(Failed, "a4").expect("")
		d.next(121_000)
		d.now = 121_000
		d.expect("a5")
		d.done(Answered, "a5").expect("a6 a7 a8")
		if d.q.Resting("school") {
			t.Fatal("an endpoint that answers still rests")
		}
	})
	t.Run("that were not asked are neither well nor ill", func(t *testing.T) {
		d := open(t, breaker)
		d.many(9, "a").expect("a0 a1 a2 a3")
		d.done(Failed, "a0", "a1").done(NotAsked, "a2", "a3").expect("a4")
		d.done(Failed, "a4").expect("")
		d.next(60_000)
	})
	t.Run("that hang give their slots up to others, but not all", func(t *testing.T) {
		d := open(t, Limits{Slots: 2, Slow: 2})
		d.many(2, "hung", to("hung")).expect("hung0 hung1")
		d.many(5, "well", to("well")).expect("")
		d.next(slow)
		d.now = slow
		d.expect("well0 well1")
		d.now = 10 * slow
		d.expect("")
		d.done(Failed, "hung0").expect("well2")
		d.done(Answered, "well0", "well1", "well2").expect("well3 well4")
		if got := d.q.Sending(); got != 3 {
			t.Fatalf("%d under way", got)
		}
	})
	t.Run("that are known to be slow take no slot from others, until they are quick again", func(t *testing.T) {
		d := open(t, Limits{Slots: 2, Slow: 4, AtOnce: 3})
		d.many(9, "slow", to("slow")).expect("slow0 slow1")
		d.now = slow
		d.expect("slow2")
		d.many(9, "well", to("well")).expect("well0 well1")
		d.done(Answered, "slow0", "well0").expect("well2") // slow0 came late: its endpoint is as slow as before
		d.done(Answered, "well1").expect("slow3 well3")
		d.done(Answered, "slow3", "well2").expect("slow4")
	})
	t.Run("are forgotten once there is nothing to remember", func(t *testing.T) {
		d := open(t, Limits{Slots: 9, Failures: 3, Rest: time.Minute})
		for i := range 50 {
			d.add(item("a", to(strconv.Itoa(i)))).expect("a")
			d.done(Answered, "a")
		}
		if n := len(d.q.endpoints); n != 0 {
			t.Fatalf("%d endpoints are remembered", n)
		}
	})
}

func TestWhatWaitsMovesOnAtItsEnd(t *testing.T) {
	d := open(t, Limits{Slots: 1, Failures: 1, Rest: time.Hour})
	d.add(item("a")).expect("a")
	d.done(Failed, "a")
	d.add(item("b", ends(900), due(2)), item("c", ends(500), due(1)), item("d", due(3), ends(time.Hour.Milliseconds()+1)), item("e", to("well"), ends(100))).expect("e")
	d.next(500)
	d.now = 499
	if got := d.expired(); got != "" {
		t.Fatalf("%s expired early", got)
	}
	d.now = 500
	if got := d.expired(); got != "c" {
		t.Fatalf("%q expired", got)
	}
	d.now = 5000
	if got := d.expired(); got != "b" {
		t.Fatalf("%q expired", got)
	}
	d.done(Answered, "e").expect("")
	d.now = time.Hour.Milliseconds()
	d.expect("d")
	d.now += 5
	if got := d.expired(); got != "" {
		t.Fatalf("%s expired while it was being sent", got)
	}
	if _, ok := d.q.NextMS(); ok || d.q.Len() != 0 {
		t.Fatal("an empty queue waits for something")
	}
}

func TestLimitsThatCannotBe(t *testing.T) {
	for name, l := range map[string]Limits{
		"no slots":                         {},
		"nothing left to routine":          {Slots: 4, Urgent: 2, High: 2},
		"below zero":                       {Slots: 4, Rate: -1},
		"left alone for no time":           {Slots: 4, Failures: 3},
		"fewer than no slots kept":         {Slots: 4, Urgent: -1},
		"more kept for urgent than exist ": {Slots: 1, Urgent: 1},
	} {
		if l.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

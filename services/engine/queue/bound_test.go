package queue

import (
	"maps"
	"slices"
	"strconv"
	"testing"
)

// A routine notice that is due in five minutes is added last, behind all that the others have waiting. Turns are sends: of the
// channel where its endpoint is free, of its endpoint where that is what everybody waits for.
func TestHowLongANoticeWaitsAtMost(t *testing.T) {
	const others, each, soon = 9, 1200, 300_000
	crowd := func(d *desk, prefix string, change ...func(*Item)) {
		for p := range others {
			publisher := prefix + strconv.Itoa(p)
			d.many(each, publisher+"-", append([]func(*Item){by(publisher), to(publisher), due(1)}, change...)...)
		}
	}
	for _, tc := range []struct {
		name   string
		limits Limits
		before func(*desk)
		due    []func(*Item)
		turnOf func(*Item) bool
		most   int
	}{
		{
			name: "behind ten thousand routine ones of other agencies, of which each has its turn", limits: Limits{Slots: 1},
			before: func(d *desk) { crowd(d, "routine") },
			most:   others,
		},
		{
			name: "behind as many urgent ones besides, of which sixteen go first each time", limits: Limits{Slots: 1},
			before: func(d *desk) { crowd(d, "routine"); crowd(d, "urgent", in(laneUrgent)) },
			most:   (turnAfter + 1) * (others + 1),
		},
		{
			name: "behind its own agency's that are due later", limits: Limits{Slots: 1},
			before: func(d *desk) { d.many(each, "own", by("council"), due(soon+1)) },
			most:   1,
		},
		{
			name: "at an endpoint that takes one at a time, where urgent ones wait for it and routine ones go elsewhere", limits: Limits{Slots: 4, AtOnce: 1},
			before: func(d *desk) {
				d.many(each, "urgent", in(laneUrgent), by("police"), to("hub"), due(1))
				crowd(d, "routine")
			},
			turnOf: func(it *Item) bool { return it.Endpoint == "hub" }, most: 2 * (turnAfter + 1),
		},
		{
			name: "at such an endpoint, where another agency's wait for it and its own agency's go elsewhere", limits: Limits{Slots: 4, AtOnce: 1},
			before: func(d *desk) {
				d.many(each, "theirs", by("police"), to("hub"), due(1))
				for p := range others {
					d.many(each, "own"+strconv.Itoa(p), by("council"), to("own"+strconv.Itoa(p)), due(1))
				}
			},
			turnOf: func(it *Item) bool { return it.Endpoint == "hub" }, most: 2 * (turnAfter + 1),
		},
		{
			name: "at such an endpoint, where everybody waits for it in every lane", limits: Limits{Slots: 4, AtOnce: 1},
			before: func(d *desk) {
				for p := range others {
					for i, l := range []func(*Item){in(laneUrgent), in(laneHigh), in(laneRoutine)} {
						d.many(each/3, strconv.Itoa(p)+"-"+strconv.Itoa(i)+"-", l, by(strconv.Itoa(p)), to("hub"), due(1))
					}
				}
				crowd(d, "routine")
			},
			turnOf: func(it *Item) bool { return it.Endpoint == "hub" }, most: (turnAfter + 1) * (3*others + 1),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, tc.limits)
			tc.before(d)
			d.add(item("it", by("council"), to("hub"), due(soon)))
			turns := 0
			for {
				it := d.q.Next(d.now)
				if it == nil { // all that may be sent is: they end, one by one, in the order of their ids
					d.done(Answered, slices.Sorted(maps.Keys(d.under))...)
					continue
				}
				if tc.turnOf == nil || tc.turnOf(it) {
					turns++
				}
				if it.ID == "it" {
					break
				}
				d.under[it.ID] = d.q.Start(it, d.now)
			}
			if t.Logf("%d turns", turns); turns > tc.most {
				t.Errorf("it waited for %d turns, want %d at most", turns, tc.most)
			}
		})
	}
}

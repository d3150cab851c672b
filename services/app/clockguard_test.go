package app

import (
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/clock"
)

// dials are a machine's clocks as a test has them.
type dials struct {
	wall    time.Time
	elapsed time.Duration
}

func (d *dials) Read() (wall time.Time, elapsed time.Duration) { return d.wall, d.elapsed }

// pass lets time pass, as the clock that is set has it and as it is.
func (d *dials) pass(wall, elapsed time.Duration) {
	d.wall, d.elapsed = d.wall.Add(wall), d.elapsed+elapsed
}

func TestWhenAClockIsInDoubt(t *testing.T) {
	start := time.Date(2026, time.June, 18, 19, 42, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		do   func(*clockGuard, *dials)
		want string
	}{
		"it goes": {func(_ *clockGuard, d *dials) { d.pass(time.Hour, time.Hour) }, ""},
		"it is slowed down to come right": {func(g *clockGuard, d *dials) {
			for range 1000 {
				d.pass(9*time.Second, 10*time.Second)
				g.Steady()
			}
		}, ""},
		"it was set by less than matters": {func(_ *clockGuard, d *dials) { d.pass(-time.Minute, 0) }, ""},
		"it was set back":                 {func(_ *clockGuard, d *dials) { d.pass(-time.Hour, time.Second) }, "it was set 1h0m1s back"},
		"it was set forward":              {func(_ *clockGuard, d *dials) { d.pass(time.Hour, 0) }, "it was set 1h0m0s forward"},
		"it was set twice": {func(g *clockGuard, d *dials) {
			d.pass(2*time.Minute, 0)
			g.Steady()
			d.pass(2*time.Minute, 0)
		}, "it was set 4m0s forward"},
		"it was set and set right again": {func(g *clockGuard, d *dials) {
			d.pass(time.Hour, 0)
			g.Steady()
			d.pass(-time.Hour+10*time.Second, 0)
		}, ""},
		"it is behind the ledger": {func(g *clockGuard, _ *dials) { g.Plausible(start.Add(2*time.Minute).UnixMilli(), 0) },
			"it is 2m0s behind the newest fact of the ledger"},
		"it is a little behind the ledger": {func(g *clockGuard, _ *dials) { g.Plausible(start.Add(50*time.Second).UnixMilli(), 0) }, ""},
		"it is ahead of the servers": {func(g *clockGuard, d *dials) { g.compare(d.wall.Add(-time.Hour), d.wall, d.wall) },
			"it is 1h0m0s ahead of the NATS server's"},
		"the servers took long to answer": {func(g *clockGuard, d *dials) { g.compare(d.wall.Add(-time.Hour), d.wall, d.wall.Add(40*time.Second)) }, ""},
		"it was set, and the servers say right": {func(g *clockGuard, d *dials) {
			d.pass(time.Hour, 0)
			g.compare(d.wall, d.wall, d.wall)
		}, ""},
		"a person confirmed it": {func(g *clockGuard, d *dials) {
			g.Plausible(0, 3)
			d.pass(time.Hour, 0)
			g.compare(d.wall.Add(-time.Hour), d.wall, d.wall)
			g.Plausible(0, 4)
		}, ""},
		"a person confirmed it, and then the servers were put right": {func(g *clockGuard, d *dials) {
			g.Plausible(0, 3)
			g.compare(d.wall.Add(-time.Hour), d.wall, d.wall)
			g.Plausible(0, 4)
			g.compare(d.wall, d.wall, d.wall)
		}, ""},
		"a person confirmed it before this process began": {func(g *clockGuard, d *dials) {
			d.pass(time.Hour, 0)
			g.Plausible(0, 4)
		}, "it was set 1h0m0s forward"},
		"a person confirmed it, and it was set since": {func(g *clockGuard, d *dials) {
			g.Plausible(0, 3)
			d.pass(time.Hour, 0)
			g.Plausible(0, 4)
			d.pass(time.Hour, 0)
		}, "it was set 1h0m0s forward"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &dials{wall: start}
			g := newClockGuard(d, clock.NewMovable(start), time.Minute)
			g.Plausible(0, 0)
			g.confirmed = -1 // as at the start
			c.do(g, d)
			if why, _ := g.why(); why != c.want {
				t.Errorf("%q, want %q", why, c.want)
			}
			if g.Steady() != (c.want == "") {
				t.Error("it does not say the same twice")
			}
		})
	}
}

func TestHowLongAClockHasBeenInDoubtIsByTheOneThatNobodySets(t *testing.T) {
	d := &dials{wall: time.Date(2026, time.June, 18, 19, 42, 0, 0, time.UTC)}
	g := newClockGuard(d, clock.System{}, time.Minute)
	g.Steady()
	d.pass(time.Hour, 0)
	g.Steady()
	d.pass(10*time.Minute, 10*time.Minute)
	if _, age := g.why(); age != 10*time.Minute {
		t.Errorf("for %v", age)
	}
}

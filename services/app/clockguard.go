package app

import (
	"fmt"
	"sync"
	"time"

	"github.com/signalbox-hq/signalbox/services/clock"
)

// clockGuard says whether this machine's clock can be right. There is no telling that it is: only that it is behind what
// the ledger says has happened, that somebody set it, or that it is not the time of the NATS servers.
type clockGuard struct {
	machine   clock.Machine
	service   clock.Clock // that the facts are dated by; the machine's, but in a rehearsal
	tolerance time.Duration

	mu        sync.Mutex
	looked    bool
	wall      time.Time     // at the last look
	elapsed   time.Duration // at the last look
	stepped   time.Duration // by how much the clock was set since it was trusted
	away      time.Duration // from the time of an external NATS server
	accepted  time.Duration // how much of that a person confirmed
	newestMS  int64         // in the ledger
	confirmed int64         // how often a person confirmed this instance's clock; -1 until the ledger has said
	wrong     string
	wrongAt   time.Duration // elapsed when it became so
}

func newClockGuard(machine clock.Machine, service clock.Clock, tolerance time.Duration) *clockGuard {
	return &clockGuard{machine: machine, service: service, tolerance: tolerance, confirmed: -1}
}

// Plausible looks at the clocks, knowing the newest instant of the ledger and how often a person confirmed this
// instance's clock. Once confirmed, it is trusted as it stands.
func (g *clockGuard) Plausible(newestMS, confirmed int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.newestMS = newestMS
	if g.confirmed >= 0 && confirmed > g.confirmed {
		g.look()
		g.stepped, g.accepted = 0, g.away
	}
	g.confirmed = max(g.confirmed, confirmed)
	return g.look()
}

// Steady looks at the clocks again.
func (g *clockGuard) Steady() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.look()
}

// compare notes how far this machine is from a NATS server's time. Asking took from before to after by the machine's
// clock; where that was long the answer says nothing.
func (g *clockGuard) compare(server, before, after time.Time) {
	trip := after.Sub(before)
	if trip < 0 || trip > g.tolerance/2 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.look()
	if g.away = before.Add(trip / 2).Sub(server); !beyond(g.away, g.tolerance) {
		g.stepped, g.accepted = 0, 0 // whoever set it set it right, or the server
	}
	g.look()
}

// why says what is wrong with the clock and for how long, nothing where it may be right.
func (g *clockGuard) why() (string, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.look() {
		return "", 0
	}
	return g.wrong, g.elapsed - g.wrongAt
}

func (g *clockGuard) look() bool {
	wall, elapsed := g.machine.Read()
	if g.looked {
		step := wall.Sub(g.wall) - (elapsed - g.elapsed)
		if beyond(step, g.tolerance) { // a clock that is slowed down or sped up to come right makes no steps
			g.stepped += step
		}
		if !beyond(g.stepped, g.tolerance) {
			g.stepped = 0
		}
	}
	g.looked, g.wall, g.elapsed = true, wall, elapsed
	was := g.wrong
	g.wrong = g.judge()
	if was == "" && g.wrong != "" {
		g.wrongAt = elapsed
	}
	return g.wrong == ""
}

func (g *clockGuard) judge() string {
	behind := time.UnixMilli(g.newestMS).Sub(g.service.Now())
	switch {
	case behind > g.tolerance:
		return fmt.Sprintf("it is %s behind the newest fact of the ledger", whole(behind))
	case beyond(g.stepped, g.tolerance):
		return fmt.Sprintf("it was set %s", direction(g.stepped, "forward", "back"))
	case beyond(g.away-g.accepted, g.tolerance):
		return fmt.Sprintf("it is %s the NATS server's", direction(g.away, "ahead of", "behind"))
	default:
		return ""
	}
}

func beyond(d, tolerance time.Duration) bool { return d > tolerance || d < -tolerance }

func direction(d time.Duration, ahead, behind string) string {
	if d < 0 {
		return whole(-d).String() + " " + behind
	}
	return whole(d).String() + " " + ahead
}

func whole(d time.Duration) time.Duration { return d.Round(time.Second) }

package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/clock"
)

func TestMovableWakesThoseWhoseTimeHasCome(t *testing.T) {
	start := time.Date(2026, 6, 18, 19, 42, 0, 0, time.UTC)
	c := clock.NewMovable(start)
	soon, _ := c.Until(start.Add(time.Minute))
	later, giveUp := c.Until(start.Add(time.Hour))
	defer giveUp()

	c.Advance(time.Minute)
	<-soon
	select {
	case <-later:
		t.Error("woke an hour early")
	default:
	}
	c.Set(start) // never back
	if got := c.Now(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("the clock went back to %s", got)
	}
	c.Advance(time.Hour)
	<-later
	past, _ := c.Until(start)
	<-past
}

func TestMovableRunsOnFromWhereItStands(t *testing.T) {
	start := time.Date(2026, 8, 10, 11, 0, 0, 0, time.UTC)
	c := clock.NewMovable(start)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		c.Run(ctx)
		close(ran)
	}()
	moved, _ := c.Until(start.Add(time.Nanosecond))
	<-moved
	stop()
	<-ran
	if now := c.Now(); now.After(start.Add(time.Minute)) {
		t.Errorf("the clock ran to %s, faster than the machine's", now)
	}
}

func TestTheClocksOfAMachineGoOnTogether(t *testing.T) {
	m := clock.NewHardware()
	wall, elapsed := m.Read()
	for { // until both have moved
		w, e := m.Read()
		if w.After(wall) && e > elapsed {
			if apart := w.Sub(wall) - (e - elapsed); apart > time.Minute || apart < -time.Minute {
				t.Errorf("the clocks went %v apart", apart)
			}
			return
		}
	}
}

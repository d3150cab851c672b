package queue

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound the sends of one channel.
type Limits struct {
	Slots  int // sends at once
	Urgent int // slots kept for urgent notices
	High   int // slots kept for urgent and high ones
	Slow   int // sends besides, that have taken longer than SlowAfter and gave their slot up

	AtOnce   int           // sends at once to one endpoint; 0 is no bound
	Rate     float64       // sends a second to one endpoint, as many in one go; 0 is no bound
	Failures int           // in a row, after which an endpoint is left alone; 0 is never
	Rest     time.Duration // how long it is left alone
}

// SlowAfter is how long a send may take before it gives its slot up.
const SlowAfter = 3 * time.Second

// Check says what is wrong with the limits, without naming their owner.
func (l Limits) Check() error {
	switch {
	case l.Slots < 1:
		return errors.New("give the number of sends at once")
	case l.Urgent < 0 || l.High < 0 || l.Slow < 0 || l.AtOnce < 0 || l.Rate < 0 || l.Failures < 0 || l.Rest < 0:
		return errors.New("no limit may be below zero")
	case l.Urgent+l.High >= l.Slots:
		return fmt.Errorf("of %d sends at once leave one to routine notices: fewer must be kept for urgent and high ones", l.Slots)
	case l.Failures > 0 && l.Rest <= 0:
		return errors.New("say how long an endpoint is left alone after its failures")
	}
	return nil
}

package app

import (
	"time"

	"github.com/signalbox-hq/signalbox/services/directory"
)

// officeTime is how much of a span of time fell between 9:00 and 17:00 of a working day in London.
func officeTime(from, to time.Time, days directory.WorkingDays) time.Duration {
	var sum time.Duration
	for d := directory.DateOf(from); !d.After(directory.DateOf(to)); d = days.Next(d) {
		if !days.Is(d) {
			continue
		}
		opens, closes := d.At("09:00"), d.At("17:00")
		if opens.Before(from) {
			opens = from
		}
		if closes.After(to) {
			closes = to
		}
		sum += max(0, closes.Sub(opens))
	}
	return sum
}

package directory

import "time"

// Recurrence is a clock time in London every so many days from a first day on. One without days, or without a clock time,
// never comes.
type Recurrence struct {
	First Date
	Days  int
	At    string // HH:MM
}

// LastBy is the latest instant of the recurrence up to t, false where none has come.
func (r Recurrence) LastBy(t time.Time) (time.Time, bool) {
	for n := r.round(t); n >= 0; n-- { // of the day of t the clock time may not have come
		if at := r.instant(n); !at.After(t) {
			return at, true
		}
	}
	return time.Time{}, false
}

// NextAfter is the first instant of the recurrence after t, false where none comes.
func (r Recurrence) NextAfter(t time.Time) (time.Time, bool) {
	if !r.comes() {
		return time.Time{}, false
	}
	n := max(r.round(t), 0)
	if !r.instant(n).After(t) {
		n++
	}
	return r.instant(n), true
}

func (r Recurrence) comes() bool { return r.Days > 0 && !r.First.IsZero() && ValidClock(r.At) }

// round is which day of the recurrence is the last up to the day of t, counted from 0; -1 where none is.
func (r Recurrence) round(t time.Time) int {
	day := DateOf(t)
	if !r.comes() || day.Before(r.First) {
		return -1
	}
	return int(day.midnightUTC().Sub(r.First.midnightUTC())/(24*time.Hour)) / r.Days
}

func (r Recurrence) instant(n int) time.Time { return r.First.AddDays(n * r.Days).At(r.At) }

package directory

import (
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
)

// WorkingDays are Monday to Friday without the bank holidays of a division. The zero value knows no bank holidays.
type WorkingDays struct {
	holidays map[Date]struct{}
}

// Is says whether d is a working day.
func (w WorkingDays) Is(d Date) bool { return !weekend(d) && !w.holiday(d) }

func (w WorkingDays) holiday(d Date) bool {
	_, ok := w.holidays[d]
	return ok
}

func weekend(d Date) bool {
	wd := d.Weekday()
	return wd == time.Saturday || wd == time.Sunday
}

// Next is the first working day after d.
func (w WorkingDays) Next(d Date) Date { return w.step(d, 1) }

// Last is the last working day before d.
func (w WorkingDays) Last(before Date) Date { return w.step(before, -1) }

func (w WorkingDays) step(d Date, by int) Date {
	for d = d.AddDays(by); !w.Is(d); d = d.AddDays(by) {
	}
	return d
}

// Add is the same clock time in London n working days later. Days are counted as they are met after t's own, whether
// or not that is a working day: Friday 14:00 and Saturday 14:00, plus one, are both Monday 14:00. Plus none is t. A
// clock time that a change skips or repeats follows the rule of Date.At.
func (w WorkingDays) Add(t time.Time, n int) time.Time {
	if n <= 0 {
		return t
	}
	d := DateOf(t)
	for range n {
		d = w.Next(d)
	}
	l := t.In(London())
	return d.instant(time.Duration(l.Hour())*time.Hour + time.Duration(l.Minute())*time.Minute +
		time.Duration(l.Second())*time.Second + time.Duration(l.Nanosecond()))
}

// OnDuty says whether a contact is at work at that instant. Its hours alone decide, whatever its use; none means
// always. A span whose end is not after its beginning runs on into the next day. A bank holiday counts as a Sunday:
// an office that keeps Monday to Friday is shut, a team that covers Sundays is there. A span begins and ends at the
// instants that Date.At gives, so that a clock change neither opens it twice nor leaves an hour between two of them.
func OnDuty(c *directoryv1.Contact, at time.Time, w WorkingDays) bool {
	if len(c.GetHours()) == 0 {
		return true
	}
	today := DateOf(at)
	yesterday := today.AddDays(-1)
	for _, h := range c.GetHours() {
		from, ok1 := parseClock(h.GetFrom())
		until, ok2 := parseClock(h.GetUntil())
		if !ok1 || !ok2 {
			continue
		}
		overnight := until <= from
		if covers(h, w.dutyDay(today)) && !at.Before(today.at(from)) && (overnight || at.Before(today.at(until))) {
			return true
		}
		if overnight && covers(h, w.dutyDay(yesterday)) && at.Before(today.at(until)) {
			return true
		}
	}
	return false
}

// InUse says whether a contact is in use on a day, by its first and last day.
func InUse(c *directoryv1.Contact, on Date) bool {
	from, until := optionalDate(c.GetFrom()), optionalDate(c.GetUntil())
	return spans(from, until, on)
}

// dutyDay is 1 Monday to 7 Sunday, as Hours counts.
func (w WorkingDays) dutyDay(d Date) int32 {
	if wd := d.Weekday(); wd != time.Sunday && !w.holiday(d) {
		return int32(wd)
	}
	return 7
}

func covers(h *directoryv1.Hours, day int32) bool {
	for _, d := range h.GetDays() {
		if d == day {
			return true
		}
	}
	return false
}

// optionalDate reads a date of a row that was checked when it came in; empty is no date.
func optionalDate(s string) Date {
	if s == "" {
		return Date{} // most are; the error that says so would cost more than the rest
	}
	d, err := ParseDate(s)
	if err != nil {
		return Date{}
	}
	return d
}

// spans says whether a day lies between two dates, both included; no date leaves that end open.
func spans(from, until, on Date) bool {
	return (from.IsZero() || !on.Before(from)) && (until.IsZero() || !on.After(until))
}

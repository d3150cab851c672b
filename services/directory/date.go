package directory

import (
	"errors"
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // so that a machine without zone files has the same clock changes
)

// london is read once; the zone's rules do not change while a process runs.
var london = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic("the embedded time zone data lacks Europe/London: " + err.Error())
	}
	return loc
})

// London is the time zone of every clock time in the directory.
func London() *time.Location { return london() }

// Date is a civil date. The zero Date is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, errors.New("a date is YYYY-MM-DD, such as 2026-09-01")
	}
	return civil(t), nil
}

// DateOf is the date that a calendar in London shows at t.
func DateOf(t time.Time) Date { return civil(t.In(London())) }

func civil(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}
}

func (d Date) midnightUTC() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// String is YYYY-MM-DD, or empty for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// IsZero says that there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays is the date n days later, or earlier where n is negative.
func (d Date) AddDays(n int) Date { return civil(d.midnightUTC().AddDate(0, 0, n)) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnightUTC().Weekday() }

// Before says that d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.compare(e) < 0 }

// After says that d is a later day than e.
func (d Date) After(e Date) bool { return d.compare(e) > 0 }

// Equal says that both are the same day.
func (d Date) Equal(e Date) bool { return d == e }

func (d Date) compare(e Date) int { return d.midnightUTC().Compare(e.midnightUTC()) }

// At is the instant at which clocks in London show a clock time, HH:MM (24:00 is the end of the day), on that day.
//
// Where a clock change skips the time (01:00 to 01:59 on the last Sunday of March) it is the instant of the change,
// 02:00 BST. Where it is repeated (01:00 to 01:59 on the last Sunday of October) it is the first of the two, in BST:
// a deadline then errs on the early side. A text that is not a clock time gives the zero Time; Build and the importer
// refuse rows that hold one.
func (d Date) At(clock string) time.Time {
	c, ok := parseClock(clock)
	if !ok {
		return time.Time{}
	}
	return d.at(c)
}

func (d Date) at(c clock) time.Time { return d.instant(time.Duration(c) * time.Minute) }

// instant finds the time by trying the offsets in force a day before and a day after: time.Date does not promise
// which of the two it takes.
func (d Date) instant(sinceMidnight time.Duration) time.Time {
	wall := d.midnightUTC().Add(sinceMidnight)
	_, before := wall.Add(-24 * time.Hour).In(London()).Zone()
	_, after := wall.Add(24 * time.Hour).In(London()).Zone()
	first := wall.Add(-time.Duration(max(before, after)) * time.Second).In(London())
	if before == after || shows(first, wall) {
		return first
	}
	if second := wall.Add(-time.Duration(min(before, after)) * time.Second).In(London()); shows(second, wall) {
		return second
	}
	_, change := first.ZoneBounds()
	return change
}

// shows says that the clock at t shows what wall shows in UTC.
func shows(t, wall time.Time) bool {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second).Equal(wall)
}

// clock is minutes since midnight.
type clock int

// parseClock reads HH:MM, 00:00 to 24:00.
func parseClock(s string) (clock, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	digit := func(i int) int {
		if s[i] < '0' || s[i] > '9' {
			return 1 << 10
		}
		return int(s[i] - '0')
	}
	h, m := digit(0)*10+digit(1), digit(3)*10+digit(4)
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return clock(h*60 + m), true
}

// ValidClock says whether s is a clock time of the directory, HH:MM.
func ValidClock(s string) bool {
	_, ok := parseClock(s)
	return ok
}

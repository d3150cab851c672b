package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Which of an hour that came twice.
const (
	first  = "first"
	second = "second"
)

var (
	dayPattern   = regexp.MustCompile(`^([0-9]{1,2})[ ./-]+([0-9]{1,2})[ ./-]+([0-9]{4})$`)
	clockPattern = regexp.MustCompile(`^([0-9]{1,2})[:. ]?([0-9]{2})$`)
)

// readDay reads a day as people here write one, such as 9 5 2015 or 09/05/2015.
func readDay(s string) (year, month, day int, ok bool) {
	m := dayPattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, 0, 0, false
	}
	day, _ = strconv.Atoi(m[1]) // digits, by the pattern
	month, _ = strconv.Atoi(m[2])
	year, _ = strconv.Atoi(m[3])
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return year, month, day, t.Day() == day && int(t.Month()) == month && t.Year() == year
}

// isoDay is a day as the contract writes it, empty where it is none.
func isoDay(s string) string {
	year, month, day, ok := readDay(s)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

func readClock(s string) (hour, minute int, ok bool) {
	m := clockPattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, 0, false
	}
	hour, _ = strconv.Atoi(m[1])
	minute, _ = strconv.Atoi(m[2])
	return hour, minute, hour < 24 && minute < 60
}

// problem is what is wrong with a field of a moment, or nothing.
type problem struct{ field, text string }

// at is the instant of a moment in London. Where the clocks went back the hour came twice: which one, only the person
// knows. Where they went forward the hour never came.
func (m moment) at(london *time.Location) (time.Time, *problem) {
	year, month, day, ok := readDay(m.day)
	switch {
	case strings.TrimSpace(m.day) == "":
		return time.Time{}, &problem{"day", "is missing: give day, month and year, such as 27 3 2026"}
	case !ok:
		return time.Time{}, &problem{"day", "is not a date: give day, month and year, such as 27 3 2026"}
	}
	hour, minute, ok := readClock(m.clock)
	switch {
	case strings.TrimSpace(m.clock) == "":
		return time.Time{}, &problem{"clock", "is missing: give the time on the 24-hour clock, such as 21:15"}
	case !ok:
		return time.Time{}, &problem{"clock", "is not a time: give it on the 24-hour clock, such as 21:15"}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, 0, 0, london)
	if t.Hour() != hour || t.Minute() != minute {
		return time.Time{}, &problem{"clock", "did not exist that night, because the clocks went forward: correct the time"}
	}
	earlier, later, twice := both(t)
	switch {
	case !twice:
		return t, nil
	case m.which == first:
		return earlier, nil
	case m.which == second:
		return later, nil
	default:
		return time.Time{}, &problem{"which", "came twice that night, because the clocks went back: say which one it was"}
	}
}

// both are the two instants of a clock time that came twice.
func both(t time.Time) (earlier, later time.Time, twice bool) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		other := t.Add(by)
		if other.Hour() != t.Hour() || other.Minute() != t.Minute() || other.Day() != t.Day() {
			continue
		}
		if by < 0 {
			return other, t, true
		}
		return t, other, true
	}
	return t, t, false
}

// twice says that a person is to be asked which hour is meant.
func (m moment) twice(london *time.Location) bool {
	year, month, day, ok := readDay(m.day)
	hour, minute, ok2 := readClock(m.clock)
	if !ok || !ok2 {
		return false
	}
	_, _, twice := both(time.Date(year, time.Month(month), day, hour, minute, 0, 0, london))
	return twice
}

// momentOf is an instant as a person would type it.
func momentOf(t time.Time, london *time.Location) moment {
	t = t.In(london)
	m := moment{day: t.Format("02/01/2006"), clock: t.Format("15:04")}
	if earlier, _, twice := both(t); twice {
		m.which = second
		if t.Equal(earlier) {
			m.which = first
		}
	}
	return m
}

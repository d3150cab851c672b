package directory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The school day where a calendar states none, and the hour that parts a morning from an afternoon.
const (
	defaultBegins clock = 8*60 + 30
	defaultEnds   clock = 15*60 + 30
	defaultCutOff clock = 8*60 + 30
	midday        clock = 12 * 60
)

// horizon is how many days ahead a calendar is searched.
const horizon = 400

// Calendar is when a setting is open: its terms, INSET days and school day, and the bank holidays of its nation.
//
// A calendar without terms (Known is false) takes every working day for attended, so that a deadline comes too early
// rather than too late, and no day for a holiday. One with terms knows nothing after its last: from then on it is
// holiday, with no next session.
type Calendar struct {
	terms  []span
	inset  map[Date]struct{}
	begins clock
	ends   clock
	cutOff clock
	days   WorkingDays
}

type span struct{ opens, closes Date }

// Session is what a child attends on one day.
type Session struct {
	Begins time.Time
	Ends   time.Time
	// CutOff is when an overnight notice must have been given.
	CutOff time.Time
}

// Known says whether any term is known.
func (c Calendar) Known() bool { return len(c.terms) > 0 }

// Session is what a child attends that day: nothing on a weekend, bank holiday or INSET day, out of term, or on a day
// off by its attendance pattern (see Enrolment.pattern; empty, or of a form not known, is every day).
//
// A morning ends and an afternoon begins at 12:00. The cut-off is the school's on every attended day, afternoons
// included: those who must read the notice are there from the morning, and the early side is the safe one.
func (c Calendar) Session(d Date, pattern string) (Session, bool) {
	if !c.attended(d) {
		return Session{}, false
	}
	begins, ends := c.begins, c.ends
	if len(pattern) == 5 {
		switch pattern[d.Weekday()-time.Monday] {
		case '-':
			return Session{}, false
		case 'A':
			if begins < midday {
				ends = min(ends, midday)
			}
		case 'P':
			if ends > midday {
				begins = max(begins, midday)
			}
		}
	}
	return Session{Begins: d.at(begins), Ends: d.at(ends), CutOff: d.at(c.cutOff)}, true
}

// attended says whether pupils come in that day.
func (c Calendar) attended(d Date) bool {
	if !c.days.Is(d) {
		return false
	}
	if _, ok := c.inset[d]; ok {
		return false
	}
	return !c.Known() || c.inTerm(d)
}

func (c Calendar) inTerm(d Date) bool {
	return slices.ContainsFunc(c.terms, func(t span) bool { return spans(t.opens, t.closes, d) })
}

// Next is the first session whose cut-off is after t, within 400 days.
func (c Calendar) Next(after time.Time, pattern string) (Session, bool) {
	d := DateOf(after)
	for range horizon {
		if s, ok := c.Session(d, pattern); ok && s.CutOff.After(after) {
			return s, true
		}
		d = d.AddDays(1)
	}
	return Session{}, false
}

// Current is the session in progress at that instant: from its cut-off until it ends.
func (c Calendar) Current(at time.Time, pattern string) (Session, bool) {
	s, ok := c.Session(DateOf(at), pattern)
	if !ok || at.Before(s.CutOff) || !at.Before(s.Ends) {
		return Session{}, false
	}
	return s, true
}

// InHoliday says whether the setting is on holiday: today, unless its school day is over, is not in a term, and the
// next working day is not either. A weekend or bank holiday within a term is no holiday, nor is an INSET day; the
// evening of the last day of term is. Without terms it is never holiday.
func (c Calendar) InHoliday(at time.Time) bool {
	if !c.Known() {
		return false
	}
	today := DateOf(at)
	if at.Before(today.at(c.ends)) && c.inTerm(today) {
		return false
	}
	return !c.inTerm(c.days.Next(today))
}

// Season is a time in which a setting is on holiday, or is not.
type Season struct {
	From, Until time.Time
	Holiday     bool
}

// Seasons are the seasons from one instant to another, in order.
func (c Calendar) Seasons(from, until time.Time) []Season {
	var seasons []Season
	begin := func(at time.Time) {
		holiday := c.InHoliday(at)
		if last := len(seasons) - 1; last >= 0 {
			if seasons[last].Holiday == holiday {
				return
			}
			seasons[last].Until = at
		}
		seasons = append(seasons, Season{From: at, Until: until, Holiday: holiday})
	}
	begin(from)
	for d := DateOf(from); !d.After(DateOf(until)); d = d.AddDays(1) {
		for _, at := range []time.Time{d.at(0), d.at(c.ends)} { // when the answer may change
			if at.After(from) && at.Before(until) {
				begin(at)
			}
		}
	}
	return seasons
}

// TermOpens is the first day that pupils attend of the first term to begin after t, by that day's cut-off. Terms are
// split at half-term holidays, so the weeks after one are a term of their own.
func (c Calendar) TermOpens(after time.Time) (Date, bool) {
	for _, t := range c.terms {
		d := t.opens
		for !c.attended(d) && d.Before(t.closes) {
			d = d.AddDays(1)
		}
		if c.attended(d) && d.at(c.cutOff).After(after) {
			return d, true
		}
	}
	return Date{}, false
}

// Calendar is the calendar of a setting: each part its own, else its authority's, else the default (no terms, 08:30
// to 15:30, cut-off 08:30). A setting with terms of its own has its own INSET days only.
func (s *Snapshot) Calendar(setting notice.OrgID) Calendar {
	area := s.settings[setting].GetArea()
	own, shared := s.calendars[string(setting)], s.calendars[area]
	c := Calendar{
		terms:  own.terms,
		inset:  own.inset,
		begins: cmp.Or(own.begins, shared.begins, defaultBegins),
		ends:   cmp.Or(own.ends, shared.ends, defaultEnds),
		cutOff: cmp.Or(own.cutOff, shared.cutOff, defaultCutOff),
		days:   s.workingDays(area),
	}
	if len(c.terms) == 0 {
		c.terms = shared.terms
		if len(c.inset) == 0 {
			c.inset = shared.inset
		}
	}
	return c
}

// calendarRow is a row read; a part that it does not state is zero.
type calendarRow struct {
	row                  *directoryv1.Calendar
	terms                []span
	inset                map[Date]struct{}
	begins, ends, cutOff clock
}

func readCalendar(row *directoryv1.Calendar) (calendarRow, error) {
	c := calendarRow{row: row}
	for i, t := range row.GetTerms() {
		opens, err1 := ParseDate(t.GetOpens())
		closes, err2 := ParseDate(t.GetCloses())
		if err1 != nil || err2 != nil || closes.Before(opens) {
			return c, fmt.Errorf("terms[%d] is not two dates in order", i)
		}
		c.terms = append(c.terms, span{opens, closes})
	}
	slices.SortFunc(c.terms, func(a, b span) int { return a.opens.compare(b.opens) })
	dates, err := dateSet(row.GetInsetDays())
	if err != nil {
		return c, fmt.Errorf("inset_days: %w", err)
	}
	c.inset = dates
	for _, part := range []struct {
		name, value string
		to          *clock
	}{
		{"day_begins", row.GetDayBegins(), &c.begins},
		{"day_ends", row.GetDayEnds(), &c.ends},
		{"cut_off", row.GetCutOff(), &c.cutOff},
	} {
		if part.value == "" {
			continue
		}
		v, ok := parseClock(part.value)
		if !ok {
			return c, fmt.Errorf("%s is not HH:MM", part.name)
		}
		*part.to = v
	}
	return c, nil
}

func dateSet(dates []string) (map[Date]struct{}, error) {
	if len(dates) == 0 {
		return nil, nil
	}
	set := make(map[Date]struct{}, len(dates))
	for _, s := range dates {
		d, err := ParseDate(s)
		if err != nil {
			return nil, err
		}
		set[d] = struct{}{}
	}
	return set, nil
}

package importer

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// What an event of a calendar of term dates says, by its title.
type occasionKind int

const (
	nothing    occasionKind = iota // of no matter
	termSpan                       // a term, from its first to its last day
	termBegins                     // its first day
	termEnds                       // its last
	noSchool                       // a holiday or half-term
	training                       // an INSET day
	unclear                        // it speaks of terms, and does not say what
)

const (
	readDays    = 366 // the longest event that is read, in days
	shortestOff = 5   // working days in a row off that part a term in two; fewer are days off within it
)

var (
	trainingWords = regexp.MustCompile(` (inset|staff training|teacher training|training days?|staff development|professional development|staff only) `)
	holidayWords  = regexp.MustCompile(` (holidays?|vacation|closed|closure|occasional days?|(christmas|easter|summer|autumn|winter|spring|term) break) `)
	halfTermWords = regexp.MustCompile(` (half term|halfterm|mid term) `)
	bankHoliday   = regexp.MustCompile(` (bank holiday|public holiday) `)
	schoolWords   = regexp.MustCompile(` (terms?|schools?|pupils|students|children) `)
	termWords     = regexp.MustCompile(` terms? `)
	beginWords    = regexp.MustCompile(` (starts?|begins?|opens?|reopens?|returns?|first day|start of) `)
	endWords      = regexp.MustCompile(` (ends?|closes?|breaks? up|last day|end of|finish|finishes) `)
)

func occasionOf(title string, days int) occasionKind {
	t := " " + strings.Join(wordsOf(title), " ") + " "
	half := halfTermWords.MatchString(t)
	rest := halfTermWords.ReplaceAllString(t, "  ")
	off := holidayWords.MatchString(rest)
	begins, ends := beginWords.MatchString(rest), endWords.MatchString(rest)
	marks := days == 1 && begins != ends
	switch {
	case trainingWords.MatchString(t):
		return training
	case bankHoliday.MatchString(t):
		return nothing // those come with the bank holidays
	case marks && (off || half && !schoolWords.MatchString(rest)):
		return unclear // the first day of a holiday, or the last of school before it?
	case marks && schoolWords.MatchString(rest) && begins:
		return termBegins
	case marks && schoolWords.MatchString(rest):
		return termEnds
	case off || half:
		return noSchool
	case termWords.MatchString(rest) && days > 1:
		return termSpan
	case termWords.MatchString(rest):
		return unclear
	default:
		return nothing
	}
}

// occasion is an event of term dates, in days.
type occasion struct {
	line        int64
	kind        occasionKind
	first, last directory.Date
}

// readTermCalendar reads term dates as iCalendar, of one setting or authority. Terms that close before the first of the
// file stay, since calendars drop old years; the school day stays, since a calendar has none.
func (j *job) readTermCalendar(text string) error {
	id := j.req.Owner
	if setting := settingID(id); setting != "" {
		id = setting
		if _, ok := j.current.Setting(notice.OrgID(id)); !ok {
			id = ""
		}
	} else if _, ok := j.current.Area(notice.Area(id)); !ok {
		id = ""
	}
	if id == "" {
		return errors.New("a calendar does not say whose term dates it has: give a setting or the GSS code of an authority of the directory with --owner")
	}
	file, err := readCalendarFile(text)
	if err != nil {
		return err
	}
	var all []occasion
	good := true
	for _, e := range file.events {
		j.res.Read++
		o, ok := j.occasion(file, e)
		good = good && ok
		if ok && o.kind != nothing {
			all = append(all, o)
		}
	}
	terms := j.terms(all)
	key := RowKey{directory.KindCalendar, id}
	switch {
	case len(j.res.Faults) > 0 || !good:
		j.keep[key] = true
		return nil
	case len(terms) == 0:
		return errors.New("it has no terms: an event is a term where its title says term and it lasts from the first day to the last, or where two say that a term starts and ends")
	}
	before, _ := j.current.Row(key.Kind, key.ID)
	j.want[key] = directory.CalendarRow(calendarFrom(id, before.GetCalendar(), terms, all))
	return nil
}

func (j *job) occasion(file *calendarFile, e calendarEvent) (occasion, bool) {
	if strings.EqualFold(e.value(ics.ComponentPropertyStatus), "CANCELLED") {
		return occasion{}, true
	}
	begins, lasts, column, err := e.span(file)
	if err != nil {
		j.eventFault(e.line, column, err.Error())
		return occasion{}, false
	}
	begins = begins.london()
	o := occasion{line: e.line, first: dateOf(begins.wall), last: dateOf(begins.wall.Add(lasts - time.Minute))}
	if daysBetween(o.first.String(), o.last.String()) > readDays {
		j.eventFault(e.line, "DTEND", "is more than a year after the beginning: correct the dates")
		return o, false
	}
	title := e.value(ics.ComponentPropertySummary)
	o.kind = occasionOf(title, daysBetween(o.first.String(), o.last.String())+1)
	switch {
	case garbled(title):
		j.eventFault(e.line, "SUMMARY", "letters are garbled: the text was saved in one encoding and read in another; export it again as UTF-8")
	case o.kind == unclear:
		j.eventFault(e.line, "SUMMARY", "speaks of a term or holiday and does not say which part: let the event last from the first day to the last, or say that the term starts or ends")
	case o.kind != nothing && e.GetProperty(ics.ComponentPropertyRrule) != nil:
		j.eventFault(e.line, "RRULE", "repeats: terms and holidays fall on other days each year; export each by itself")
	case o.kind == training && daysBetween(o.first.String(), o.last.String()) > 14:
		j.eventFault(e.line, "DTEND", "is more than 14 days after the beginning: correct the dates")
	default:
		return o, true
	}
	return o, false
}

func dateOf(wall time.Time) directory.Date {
	return directory.Date{Year: wall.Year(), Month: wall.Month(), Day: wall.Day()}
}

// terms puts the terms together: from spans, and from marks of beginnings and ends outside of them; each split at the
// holidays within it.
func (j *job) terms(all []occasion) []occasion {
	slices.SortStableFunc(all, func(a, b occasion) int { return compareText(a.first.String(), b.first.String()) })
	var terms []occasion
	var open *occasion
	for i := range all {
		o := all[i]
		inSpan := slices.ContainsFunc(all, func(t occasion) bool {
			return t.kind == termSpan && !o.first.Before(t.first) && !o.first.After(t.last)
		})
		switch {
		case o.kind == termSpan:
			terms = append(terms, o)
		case inSpan:
		case o.kind == termBegins && open != nil:
			j.eventFault(open.line, "SUMMARY", "is a term that starts and does not end before the next: add its end")
			open = &all[i]
		case o.kind == termBegins:
			open = &all[i]
		case o.kind == termEnds && open == nil:
			j.eventFault(o.line, "SUMMARY", "is a term that ends and did not start: add its start")
		case o.kind == termEnds:
			terms = append(terms, occasion{line: open.line, kind: termSpan, first: open.first, last: o.last})
			open = nil
		}
	}
	if open != nil {
		j.eventFault(open.line, "SUMMARY", "is a term that starts and does not end: add its end")
	}
	var split []occasion
	for _, t := range terms {
		split = append(split, t.without(all)...)
	}
	slices.SortStableFunc(split, func(a, b occasion) int { return compareText(a.first.String(), b.first.String()) })
	for i, t := range split {
		if daysBetween(t.first.String(), t.last.String()) > longestTerm {
			j.eventFault(t.line, "DTEND", "the term is longer than 140 days: correct the year, or add the half-term in it")
		}
		if i > 0 && !t.first.After(split[i-1].last) {
			j.eventFault(t.line, "DTSTART", "the term overlaps another: leave one of them out")
		}
	}
	return split
}

// without is a term in parts, before, between and after the holidays in it.
func (o occasion) without(all []occasion) []occasion {
	parts := []occasion{o}
	for _, h := range all {
		if h.kind != noSchool || h.weekdays() < shortestOff {
			continue
		}
		var next []occasion
		for _, p := range parts {
			if h.last.Before(p.first) || h.first.After(p.last) {
				next = append(next, p)
				continue
			}
			if h.first.After(p.first) {
				next = append(next, occasion{line: p.line, first: p.first, last: h.first.AddDays(-1)})
			}
			if h.last.Before(p.last) {
				next = append(next, occasion{line: p.line, first: h.last.AddDays(1), last: p.last})
			}
		}
		parts = next
	}
	return parts
}

func (o occasion) weekdays() int {
	n := 0
	for d := o.first; !d.After(o.last); d = d.AddDays(1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			n++
		}
	}
	return n
}

func calendarFrom(id string, before *directoryv1.Calendar, terms, all []occasion) *directoryv1.Calendar {
	row := &directoryv1.Calendar{Id: id, DayBegins: before.GetDayBegins(), DayEnds: before.GetDayEnds(), CutOff: before.GetCutOff()}
	opens := terms[0].first.String()
	for _, t := range before.GetTerms() {
		if t.GetCloses() < opens {
			row.Terms = append(row.Terms, t)
		}
	}
	for _, t := range terms {
		row.Terms = append(row.Terms, &directoryv1.Term{Opens: t.first.String(), Closes: t.last.String()})
	}
	inTerm := func(d string) bool {
		return slices.ContainsFunc(row.GetTerms(), func(t *directoryv1.Term) bool { return t.GetOpens() <= d && d <= t.GetCloses() })
	}
	for _, d := range before.GetInsetDays() {
		if d < opens && inTerm(d) {
			row.InsetDays = append(row.InsetDays, d)
		}
	}
	for _, o := range all {
		if o.kind != training && (o.kind != noSchool || o.weekdays() >= shortestOff) {
			continue
		}
		for d := o.first; !d.After(o.last); d = d.AddDays(1) {
			if s := d.String(); inTerm(s) && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
				row.InsetDays = append(row.InsetDays, s)
			}
		}
	}
	slices.Sort(row.InsetDays)
	row.InsetDays = slices.Compact(row.InsetDays)
	return row
}

package importer

import (
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// longestTerm is in days. A longer one is a slip in a year.
const longestTerm = 140

// calendarLines are the rows of one setting or authority.
type calendarLines struct {
	row    *directoryv1.Calendar
	inset  []insetLine
	remove bool
	bad    bool
	days   int
}

type insetLine struct {
	l    *line
	date string
}

func (j *job) readTermDates(text string) error {
	if isCalendar(text) {
		return j.readTermCalendar(text)
	}
	cols := columns{required: []string{"id", "kind", "from", "until"}, optional: []string{"day_begins", "day_ends", "cut_off"}}
	j.total = len(j.current.Rows(directory.KindCalendar))
	calendars := make(map[string]*calendarLines)
	err := j.table(text, cols, func(l *line) {
		id := l.calendarID()
		c := calendars[id]
		if c == nil {
			c = &calendarLines{row: &directoryv1.Calendar{Id: id}}
			calendars[id] = c
		}
		l.calendar(c)
		c.bad = c.bad || l.bad
	})
	if err != nil {
		return err
	}
	for id, c := range calendars {
		c.close()
		key := RowKey{directory.KindCalendar, id}
		switch {
		case id == "":
		case c.bad:
			j.keep[key] = true
		case c.remove:
			j.drop[key] = true
		default:
			j.want[key] = directory.CalendarRow(c.row)
		}
	}
	return nil
}

// calendarID is a setting's id or an authority's GSS code.
func (l *line) calendarID() string {
	s := l.required("id")
	if s == "" || settingID(s) != "" {
		if s == "" {
			return ""
		}
		return l.setting("id")
	}
	return l.knownArea("id")
}

func (l *line) calendar(c *calendarLines) {
	kind := l.requiredOneOf("kind", "term", "inset", "day", "remove")
	from, until := l.span("from", "until")
	begins, ends, cutOff := l.clock("day_begins"), l.clock("day_ends"), l.clock("cut_off")
	if kind != "day" && (begins != "" || ends != "" || cutOff != "") {
		l.fault("day_begins", "times stand in a row of the kind day: give them one of their own")
	}
	switch kind {
	case "term":
		l.term(c, from, until)
	case "inset":
		if l.required("from") == "" {
			return
		}
		if until == "" {
			until = from
		}
		if daysBetween(from, until) > 14 {
			l.fault("until", "is more than 14 days after from: correct the dates")
			return
		}
		for d := from; !l.bad && d <= until; d = addDay(d) {
			c.inset = append(c.inset, insetLine{l, d})
		}
	case "day":
		if c.days++; c.days > 1 {
			l.fault("kind", "is the second school day of this id: keep one")
		}
		if orDefault(ends, "15:30") <= orDefault(begins, "08:30") {
			l.fault("day_ends", "is not after day_begins: correct one of them")
		}
		if orDefault(cutOff, "08:30") >= orDefault(ends, "15:30") {
			l.fault("cut_off", "is not before day_ends: correct one of them")
		}
		c.row.DayBegins, c.row.DayEnds, c.row.CutOff = begins, ends, cutOff
	case "remove":
		c.remove = true
	}
}

func (l *line) term(c *calendarLines, from, until string) {
	if l.required("from") == "" || l.required("until") == "" || l.bad {
		return
	}
	if daysBetween(from, until) > longestTerm {
		l.fault("until", "is more than 140 days after from: correct the year, and split the term at half-term")
		return
	}
	for _, t := range c.row.GetTerms() {
		if from <= t.GetCloses() && until >= t.GetOpens() {
			l.fault("from", "the term overlaps another of the same id: correct the dates")
			return
		}
	}
	c.row.Terms = append(c.row.Terms, &directoryv1.Term{Opens: from, Closes: until})
}

// close puts the rows in order, and checks what needs all of them.
func (c *calendarLines) close() {
	slices.SortFunc(c.row.GetTerms(), func(a, b *directoryv1.Term) int { return compareText(a.GetOpens(), b.GetOpens()) })
	for _, in := range c.inset {
		if len(c.row.GetTerms()) > 0 && !slices.ContainsFunc(c.row.GetTerms(), func(t *directoryv1.Term) bool {
			return t.GetOpens() <= in.date && in.date <= t.GetCloses()
		}) {
			in.l.fault("from", "the INSET day is in none of the terms: correct it, or let the term begin with it")
			c.bad = true
		}
		c.row.InsetDays = append(c.row.InsetDays, in.date)
	}
	slices.Sort(c.row.InsetDays)
	c.row.InsetDays = slices.Compact(c.row.InsetDays)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// daysBetween counts from one ISO date to another; 0 where either is not one.
func daysBetween(from, until string) int {
	a, err1 := directory.ParseDate(from)
	b, err2 := directory.ParseDate(until)
	if err1 != nil || err2 != nil {
		return 0
	}
	return int(b.At("12:00").Sub(a.At("12:00")).Hours()+12) / 24
}

func addDay(s string) string {
	d, err := directory.ParseDate(s)
	if err != nil {
		return "9999-99-99" // past every date: ends a loop
	}
	return d.AddDays(1).String()
}

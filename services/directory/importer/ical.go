package importer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

const (
	maxEvents       = 5000 // of one file
	maxOccurrences  = 2000 // of one event within the time that is read
	longestInterval = 400  // between occurrences, in the rule's own unit
	earliestYear    = 2000 // an event that begins before is a slip, and would repeat for ever
	// A calendar that repeats without end is read from a month ago to this far ahead.
	readAhead = 400 * 24 * time.Hour
	readBack  = 31 * 24 * time.Hour
)

// calendarFile is an iCalendar file (RFC 5545) read.
type calendarFile struct {
	events []calendarEvent
	zones  map[string]bool // by TZID, whether its clock is London's
	float  bool            // times without a zone are London's
}

// calendarEvent is one VEVENT and the line on which it begins.
type calendarEvent struct {
	*ics.VEvent
	line int64
}

func isCalendar(text string) bool {
	const begin = "BEGIN:VCALENDAR"
	text = strings.TrimSpace(text)
	return len(text) >= len(begin) && strings.EqualFold(text[:len(begin)], begin)
}

func readCalendarFile(text string) (*calendarFile, error) {
	trimmed := strings.ToUpper(strings.TrimSpace(text))
	if !strings.HasSuffix(trimmed, "END:VCALENDAR") {
		return nil, errors.New("it does not end with END:VCALENDAR, so it was cut short: export it again")
	}
	calendar, err := ics.ParseCalendarWithOptions(strings.NewReader(text), ics.WithUnknownPropertyHandler(ics.AcceptUnknownPropertyHandler))
	if err != nil {
		return nil, errors.New("it cannot be read as iCalendar: export it again, as one calendar (RFC 5545)")
	}
	var lines []int64
	for i, line := range strings.Split(text, "\n") {
		if strings.EqualFold(strings.TrimRight(line, "\r \t"), "BEGIN:VEVENT") {
			lines = append(lines, int64(i+1))
		}
	}
	f := &calendarFile{zones: map[string]bool{}, float: true}
	events := calendar.Events()
	switch {
	case len(events) == 0:
		return nil, errors.New("it has no events: export it again")
	case len(events) > maxEvents:
		return nil, fmt.Errorf("it has more than %d events: export fewer months", maxEvents)
	case len(events) != len(lines):
		return nil, errors.New("its events do not stand one after another, so it was cut short or put together badly: export it again")
	}
	for i, e := range events {
		f.events = append(f.events, calendarEvent{e, lines[i]})
	}
	for _, z := range calendar.Timezones() {
		if id := z.GetProperty(ics.ComponentProperty(ics.PropertyTzid)); id != nil {
			f.zones[id.Value] = londonZone(id.Value) || likeLondon(z)
		}
	}
	for _, p := range calendar.CalendarProperties {
		if strings.EqualFold(p.IANAToken, "X-WR-TIMEZONE") {
			f.float = londonZone(p.Value) || utcZone(p.Value) // Google gives a calendar of UK times as UTC where nobody chose
		}
	}
	return f, nil
}

// londonZone says whether a TZID names the time zone of the UK: by the IANA name, whatever stands before it, or as
// Windows, Outlook and Exchange name it.
func londonZone(id string) bool {
	id = strings.Trim(id, `"`)
	for _, name := range []string{"Europe/London", "Europe/Belfast", "GB", "GB-Eire"} {
		if id == name || strings.HasSuffix(id, "/"+name) {
			return true
		}
	}
	switch id {
	case "GMT Standard Time", "(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
		"(UTC) Dublin, Edinburgh, Lisbon, London", "GMT -0000 (Standard) / GMT +0100 (Daylight)":
		return true
	}
	return false
}

func utcZone(id string) bool {
	return slices.Contains([]string{"UTC", "Etc/UTC", "Z", "(UTC) Coordinated Universal Time", "Coordinated Universal Time"}, strings.Trim(id, `"`))
}

// likeLondon says whether a zone that a file describes itself has the UK's offsets and changes: a zone of one's own name
// in Outlook.
func likeLondon(z *ics.VTimezone) bool {
	offsets := map[string]bool{}
	for _, part := range z.Components {
		var name, month string
		var base *ics.ComponentBase
		switch p := part.(type) {
		case *ics.Standard:
			name, month, base = "+0000", "BYMONTH=10", &p.ComponentBase
		case *ics.Daylight:
			name, month, base = "+0100", "BYMONTH=3", &p.ComponentBase
		default:
			continue
		}
		to := base.GetProperty(ics.ComponentProperty(ics.PropertyTzoffsetto))
		rule := base.GetProperty(ics.ComponentPropertyRrule)
		if to == nil || strings.Replace(to.Value, "-0000", "+0000", 1) != name || rule == nil || !strings.Contains(rule.Value+";", month+";") || !strings.Contains(rule.Value, "-1SU") {
			return false
		}
		offsets[name] = true
	}
	return len(offsets) == 2
}

// stamp is a date or time as a file has it: what the clock shows, kept as if it were UTC. Repeating is reckoned by the
// clock, and only its outcome is an instant: a shift from 20:00 to 08:00 ends at 08:00 in the night of a clock change too.
type stamp struct {
	wall   time.Time
	allDay bool
	utc    bool // the instant itself
}

func (s stamp) instant() time.Time {
	if s.utc {
		return s.wall
	}
	return directory.Date{Year: s.wall.Year(), Month: s.wall.Month(), Day: s.wall.Day()}.At(s.wall.Format("15:04"))
}

// london is the stamp by the clock in London.
func (s stamp) london() stamp {
	if !s.utc {
		return s
	}
	t := s.wall.In(directory.London())
	return stamp{wall: time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)}
}

// at is the same kind of stamp at another time.
func (s stamp) at(wall time.Time) stamp { return stamp{wall: wall, allDay: s.allDay, utc: s.utc} }

func (f *calendarFile) stamp(value, zone string) (stamp, error) {
	value = strings.TrimSpace(value)
	if t, err := time.Parse("20060102", value); err == nil {
		return stamp{wall: t, allDay: true}, checkYear(t)
	}
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return stamp{wall: t, utc: true}, checkYear(t)
	}
	t, err := time.Parse("20060102T150405", value)
	if err != nil {
		return stamp{}, errors.New("is not a date or time of iCalendar, such as 20261024T200000: export the file again")
	}
	switch {
	case zone == "" && f.float, londonZone(zone), f.zones[zone]:
		return stamp{wall: t}, checkYear(t)
	case utcZone(zone):
		return stamp{wall: t, utc: true}, checkYear(t)
	default:
		return stamp{}, errors.New("is in another time zone than the UK's: export the calendar in UK time or UTC")
	}
}

func checkYear(t time.Time) error {
	if t.Year() < earliestYear || t.Year() > 2200 {
		return fmt.Errorf("lies before %d or after 2200: correct the year", earliestYear)
	}
	return nil
}

func (f *calendarFile) stampOf(p *ics.IANAProperty) (stamp, error) {
	zone := ""
	if z := p.ICalParameters["TZID"]; len(z) > 0 {
		zone = z[0]
	}
	return f.stamp(p.Value, zone)
}

// list reads a property that holds several dates or times, such as EXDATE.
func (f *calendarFile) list(p *ics.IANAProperty) ([]stamp, error) {
	var all []stamp
	for _, value := range strings.Split(p.Value, ",") {
		one := *p
		one.Value = value
		s, err := f.stampOf(&one)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (e calendarEvent) value(name ics.ComponentProperty) string {
	if p := e.GetProperty(name); p != nil {
		return strings.TrimSpace(p.Value)
	}
	return ""
}

// span is the first occurrence: its beginning, and how long it lasts by the clock.
func (e calendarEvent) span(f *calendarFile) (begins stamp, lasts time.Duration, column string, err error) {
	p := e.GetProperty(ics.ComponentPropertyDtStart)
	if p == nil {
		return stamp{}, 0, "DTSTART", errors.New("is missing: export the file again")
	}
	if begins, err = f.stampOf(p); err != nil {
		return stamp{}, 0, "DTSTART", err
	}
	if p := e.GetProperty(ics.ComponentPropertyDtEnd); p != nil {
		ends, err := f.stampOf(p)
		switch {
		case err != nil:
			return stamp{}, 0, "DTEND", err
		case ends.allDay != begins.allDay:
			return stamp{}, 0, "DTEND", errors.New("is a date where the beginning is a time, or the other way round: export the file again")
		case begins.utc && ends.utc:
			lasts = ends.wall.Sub(begins.wall)
		default:
			begins = begins.london()
			lasts = ends.london().wall.Sub(begins.wall)
		}
		if lasts == 0 && begins.allDay { // some write the last day, not the day after it
			lasts = 24 * time.Hour
		}
		return begins, lasts, "DTEND", positive(lasts)
	}
	if s := e.value(ics.ComponentProperty(ics.PropertyDuration)); s != "" {
		lasts, err = duration(s)
		return begins, lasts, "DURATION", err
	}
	if begins.allDay {
		return begins, 24 * time.Hour, "", nil
	}
	return stamp{}, 0, "DTEND", errors.New("is missing: give the event an end")
}

func positive(d time.Duration) error {
	if d <= 0 {
		return errors.New("is not after the beginning: correct the event")
	}
	return nil
}

var durationPattern = regexp.MustCompile(`^\+?P(?:([0-9]{1,3})W)?(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:[0-9]{1,6}S)?)?$`)

// duration reads a length of time such as PT12H or P1D; its seconds are left out.
func duration(s string) (time.Duration, error) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, errors.New("is not a length of time such as PT12H: give the event an end instead")
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi("0" + m[i+1])
		d += time.Duration(n) * unit
	}
	return d, positive(d)
}

// repeats lists the beginnings of an event by its RRULE, RDATE and EXDATE, as far as the calendar is read.
func (e calendarEvent) repeats(f *calendarFile, begins stamp, now time.Time) (all []stamp, column string, err error) {
	all = []stamp{begins}
	if rule := e.GetProperty(ics.ComponentPropertyRrule); rule != nil {
		if all, err = expand(rule.Value, begins, now); err != nil {
			return nil, "RRULE", err
		}
	}
	for _, p := range e.GetProperties(ics.ComponentPropertyRdate) {
		dates, err := f.list(p)
		if err != nil {
			return nil, "RDATE", err
		}
		all = append(all, dates...)
	}
	for _, p := range e.GetProperties(ics.ComponentPropertyExdate) {
		dates, err := f.list(p)
		if err != nil {
			return nil, "EXDATE", err
		}
		for _, out := range dates {
			all = slices.DeleteFunc(all, func(s stamp) bool { return s.is(out) })
		}
	}
	return all, "", nil
}

// is says whether an occurrence is the one that a date or time names; a date alone names the occurrence of that day.
func (s stamp) is(named stamp) bool {
	if named.allDay {
		return s.london().wall.Format(time.DateOnly) == named.wall.Format(time.DateOnly)
	}
	return s.instant().Equal(named.instant())
}

// supported says whether a rule is one that rotas have: of days, weeks, months or years, by weekdays and days of a month.
// Others are refused because they may never come true, which takes long to find out, or make a day of occurrences a day.
func supported(o *rrule.ROption) bool {
	within := len(o.Byhour) + len(o.Byminute) + len(o.Bysecond)
	rare := len(o.Byeaster) + len(o.Byyearday) + len(o.Byweekno)
	if within+rare > 0 || o.Interval > longestInterval {
		return false
	}
	switch o.Freq {
	case rrule.DAILY, rrule.WEEKLY:
		return len(o.Bymonth)+len(o.Bymonthday)+len(o.Bysetpos) == 0
	case rrule.MONTHLY:
		return len(o.Bymonth) == 0
	case rrule.YEARLY:
		return len(o.Bysetpos) == 0
	case rrule.HOURLY, rrule.MINUTELY, rrule.SECONDLY:
	}
	return false
}

// errNever refuses the file: it takes long to find out that a rule never comes true, and a file may have thousands.
var errNever = errors.New("has a rule that never comes true: export the event as single events")

func expand(value string, begins stamp, now time.Time) ([]stamp, error) {
	option, err := rrule.StrToROption(strings.ToUpper(strings.TrimSpace(value)))
	if err != nil {
		return nil, errors.New("is not a rule that can be read: export the event as single events")
	}
	if !supported(option) {
		return nil, errors.New("repeats within a day, or by a rule of its own kind: export the event as single events")
	}
	option.Dtstart = begins.wall
	if !option.Until.IsZero() {
		last := stamp{wall: option.Until, utc: strings.Contains(strings.ToUpper(value)+";", "Z;")}
		if until := regexp.MustCompile(`UNTIL=[0-9]{8}(;|$)`); until.MatchString(strings.ToUpper(value)) {
			last = stamp{wall: option.Until.Add(24*time.Hour - time.Second)} // the whole of the last day
		}
		if !begins.utc {
			last = last.london()
		}
		option.Until = last.wall
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, errors.New("is not a rule that can be read: export the event as single events")
	}
	var all []stamp
	next := rule.Iterator()
	wall, ok := next()
	if !ok {
		return nil, errNever
	}
	for ; ok && wall.Before(now.Add(readAhead)); wall, ok = next() {
		if wall.Before(now.Add(-readBack)) {
			continue
		}
		if all = append(all, begins.at(wall)); len(all) > maxOccurrences {
			return nil, fmt.Errorf("makes more than %d occurrences: export fewer months", maxOccurrences)
		}
	}
	return all, nil
}

// at reports a fault of an event. It does not count towards the columns that may be shifted: an event has none.
func (j *job) eventFault(line int64, property, message string) {
	j.res.Faults = append(j.res.Faults, &directoryv1.RowFault{Line: line, Column: property, Message: message})
}

package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const edtContacts = `id,organisation,role,name,channel,address,verified_on,use
edt-pike,ashmere-council,duty,Ana Pike,email,a.pike@edt.example,2026-09-01,out_of_hours
edt-pike-phone,ashmere-council,duty,Ana Pike,telephone,01632 960111,2026-09-01,out_of_hours
edt-holm,ashmere-council,duty,Birk Holm,email,b.holm@edt.example,2026-09-01,out_of_hours
edt-lund,ashmere-council,duty,Cai Lund,email,c.lund@edt.example,,out_of_hours
`

// onCall is the sample directory with the people of an emergency duty team.
func onCall(t testing.TB) *directory.Snapshot {
	t.Helper()
	s := filled(t, Contacts)
	req := request(Contacts)
	req.Source = "edt"
	return apply(t, s, plan(t, req, edtContacts, s))
}

const rotaHeader = "organisation,role,kind,contact,from,until,instead_of\n"

// stints are a rota's shifts and swaps in words, shortened to the minute.
func stints(t testing.TB, s *directory.Snapshot, id string) []string {
	t.Helper()
	row, ok := s.Row(directory.KindRota, id)
	if !ok {
		return nil
	}
	short := func(from, until string) string { return from[:16] + from[19:] + " to " + until[:16] + until[19:] }
	var out []string
	for _, x := range row.GetRota().GetShifts() {
		out = append(out, strings.TrimPrefix(x.GetContact(), "edt/edt-")+" "+short(x.GetFrom(), x.GetUntil()))
	}
	for _, x := range row.GetRota().GetSwaps() {
		out = append(out, "swap "+strings.TrimPrefix(x.GetContact(), "edt/edt-")+" for "+strings.TrimPrefix(x.GetInsteadOf(), "edt/edt-")+" "+short(x.GetFrom(), x.GetUntil()))
	}
	return out
}

func duty(contact, from, until string) string {
	return fmt.Sprintf("ashmere-council,duty,,%s,%s,%s,\n", contact, from, until)
}

func swapRow(contact, from, until, insteadOf string) string {
	return fmt.Sprintf("ashmere-council,duty,swap,%s,%s,%s,%s\n", contact, from, until, insteadOf)
}

func TestARotasTimesAreThoseOfTheClockInBothClockChanges(t *testing.T) {
	s := onCall(t)
	s = apply(t, s, plan(t, request(Rota), rotaHeader+
		duty("edt-pike", "2026-10-24 20:00", "2026-10-25 01:30")+
		duty("edt-holm", "2026-10-25 01:30", "2026-10-25 01:30 GMT")+
		duty("edt-pike", "25/10/2026 01:30 GMT", "2026-10-25 8:00")+
		duty("edt-holm", "2027-03-27T20:00", "2027-03-28 01:30")+
		duty("edt-pike", "2027-03-28 01:30", "2027-03-28 08:00"), s))
	want := []string{
		"pike 2026-10-24T20:00+01:00 to 2026-10-25T01:30+01:00", "holm 2026-10-25T01:30+01:00 to 2026-10-25T01:30Z", "pike 2026-10-25T01:30Z to 2026-10-25T08:00Z",
		"holm 2027-03-27T20:00Z to 2027-03-28T02:00+01:00", "pike 2027-03-28T02:00+01:00 to 2027-03-28T08:00+01:00",
	}
	if diff := cmp.Diff(want, stints(t, s, "ashmere-council/duty")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANewRotaTakesThePlaceOfTheOldForItsTimeAndKeepsTheRestAndTheSwaps(t *testing.T) {
	s := onCall(t)
	file := rotaHeader + duty("edt-pike", "2026-09-14 20:00", "2026-09-15 08:00") + duty("edt-holm", "2026-09-15 20:00", "2026-09-16 08:00") +
		duty("edt-pike", "2026-09-16 20:00", "2026-09-18 20:00") + duty("edt-holm", "2026-09-20 20:00", "2026-09-21 08:00")
	s = apply(t, s, plan(t, request(Rota), file, s))
	s = apply(t, s, plan(t, request(Rota), rotaHeader+swapRow("edt-holm", "2026-09-14 22:00", "2026-09-15 08:00", "edt-pike"), s))
	if res := plan(t, request(Rota), file, s); len(res.Puts) > 0 {
		t.Errorf("the rota, read again after a swap, changes %v", res.Changes)
	}
	next := rotaHeader + duty("edt-holm", "2026-09-17 20:00", "2026-09-18 08:00")
	res := plan(t, request(Rota), next, s)
	s = apply(t, s, res)
	want := []string{
		"pike 2026-09-14T20:00+01:00 to 2026-09-15T08:00+01:00", "holm 2026-09-15T20:00+01:00 to 2026-09-16T08:00+01:00",
		"pike 2026-09-16T20:00+01:00 to 2026-09-17T20:00+01:00", "holm 2026-09-17T20:00+01:00 to 2026-09-18T08:00+01:00",
		"pike 2026-09-18T08:00+01:00 to 2026-09-18T20:00+01:00", "holm 2026-09-20T20:00+01:00 to 2026-09-21T08:00+01:00",
		"swap holm for pike 2026-09-14T22:00+01:00 to 2026-09-15T08:00+01:00",
	}
	if diff := cmp.Diff(want, stints(t, s, "ashmere-council/duty")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := plan(t, request(Rota), next, s); len(again.Puts) > 0 {
		t.Errorf("the second time it changes %v", again.Changes)
	}
	later := request(Rota)
	later.Now = today().AddDate(0, 6, 0)
	s = apply(t, s, plan(t, later, rotaHeader+duty("edt-holm", "2027-03-17 20:00", "2027-03-18 08:00"), s))
	if got := stints(t, s, "ashmere-council/duty"); len(got) != 1 {
		t.Errorf("what is long over is kept: %v", got)
	}
}

func TestABadRowLeavesTheRotaAsItWas(t *testing.T) {
	s := onCall(t)
	s = apply(t, s, plan(t, request(Rota), rotaHeader+duty("edt-pike", "2026-09-14 20:00", "2026-09-15 08:00"), s))
	before := stints(t, s, "ashmere-council/duty")
	good := duty("edt-holm", "2026-09-15 20:00", "2026-09-16 08:00")
	for _, tc := range []struct{ name, row, want string }{
		{"a contact nobody knows", duty("edt-nobody", "2026-09-16 20:00", "2026-09-17 08:00"), "3 contact: is no contact of this organisation with this role"},
		{"a contact of another role", duty("ashmere-contacts/alder-dsl", "2026-09-16 20:00", "2026-09-17 08:00"), "3 contact: is no contact of this organisation with this role"},
		{"back to front", duty("edt-pike", "2026-09-16 20:00", "2026-09-16 08:00"), "3 until: is not after from"},
		{"a slip in the month", duty("edt-pike", "2026-09-16 20:00", "2026-11-17 08:00"), "3 until: is more than 31 days after from"},
		{"no time", duty("edt-pike", "2026-09-16", "2026-09-17 08:00"), "3 from: is not a date and time of the form YYYY-MM-DD HH"},
		{"a time there is not", duty("edt-pike", "2026-09-16 25:00", "2026-09-17 08:00"), "3 from: is no date and time that there is"},
		{"GMT in summer", duty("edt-pike", "2026-09-16 20:00 GMT", "2026-09-17 08:00"), "3 from: that zone is not in force then"},
		{"two shifts at once of one person", duty("edt-holm", "2026-09-16 07:00", "2026-09-17 08:00"), "3 from: overlaps another shift of the same contact"},
		{"an organisation nobody knows", "ashmere-counsel,duty,,edt-pike,2026-09-16 20:00,2026-09-17 08:00,\n", "3 organisation: is not an organisation or setting of the directory"},
		{"a shift in place of another", "ashmere-council,duty,,edt-pike,2026-09-16 20:00,2026-09-17 08:00,edt-holm\n", "3 instead_of: stands in a row of the kind swap only"},
		{"a swap of one who has no shift", swapRow("edt-holm", "2026-09-16 20:00", "2026-09-17 08:00", "edt-pike"), "3 instead_of: has no shift in this span, so nobody would be replaced"},
		{"a swap with oneself", swapRow("edt-pike", "2026-09-14 20:00", "2026-09-15 08:00", "edt-pike"), "3 instead_of: is the same contact"},
		{"a swap with one not confirmed", swapRow("edt-lund", "2026-09-14 20:00", "2026-09-15 08:00", "edt-pike"), "3 contact: is not confirmed and would get nothing"},
		{"a removal beside a shift", "ashmere-council,duty,remove,,,,\n", "2 kind: another row removes this rota"},
	} {
		res := plan(t, request(Rota), rotaHeader+good+tc.row, s)
		if diff := cmp.Diff([]string{tc.want}, faults(res)); diff != "" {
			t.Errorf("%s: faults (-want +got):\n%s", tc.name, diff)
		}
		if tc.name == "an organisation nobody knows" { // whose rota it is cannot be told, so the other stands
			continue
		}
		if diff := cmp.Diff(before, stints(t, apply(t, s, res), "ashmere-council/duty")); diff != "" {
			t.Errorf("%s: the rota changed (-before +after):\n%s", tc.name, diff)
		}
	}
}

func TestARotaThatTakesManyShiftsAwayIsHeldBack(t *testing.T) {
	s := onCall(t)
	file := func(night, day string) string {
		var b strings.Builder
		b.WriteString(rotaHeader)
		for d := directory.DateOf(today()); d.Before(directory.DateOf(today()).AddDays(30)); d = d.AddDays(1) {
			b.WriteString(duty(day, d.String()+" 08:00", d.String()+" 20:00") + duty(night, d.String()+" 20:00", d.AddDays(1).String()+" 08:00"))
		}
		return b.String()
	}
	s = apply(t, s, plan(t, request(Rota), file("edt-pike", "edt-holm"), s))
	for name, text := range map[string]string{"given to others": file("edt-holm", "edt-pike"), "removed": rotaHeader + "ashmere-council,duty,remove,,,,\n"} {
		if _, err := Plan(request(Rota), strings.NewReader(text), s, nil); notice.KindOf(err) != notice.Precondition {
			t.Errorf("%s: %v", name, err)
		}
		force := request(Rota)
		force.Force = true
		if res := plan(t, force, text, s); len(res.Puts)+len(res.Deletes) != 1 {
			t.Errorf("%s, by force: %v", name, res.Changes)
		}
	}
	month := rotaHeader + duty("edt-pike", "2026-10-14 08:00", "2026-11-10 20:00")
	if res := plan(t, request(Rota), month, s); res.Changed != 1 {
		t.Errorf("the next month: %v", res.Changes)
	}
}

func exported(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rotaRequest() Request {
	req := request(Rota)
	req.Owner, req.Role = "ashmere-council", "duty"
	return req
}

func TestARotaIsReadAsCalendarsExportIt(t *testing.T) {
	for name, want := range map[string][]string{
		"rota-google.ics": {
			"pike 2026-09-14T20:00+01:00 to 2026-09-15T08:00+01:00",
			"holm 2026-09-16T20:00+01:00 to 2026-09-17T08:00+01:00",
			"holm 2026-09-22T21:00+01:00 to 2026-09-23T07:00+01:00", // the Monday's, moved to another evening and person
			"pike 2026-09-26T20:00+01:00 to 2026-09-27T08:00+01:00", // the 19th is taken out
			"pike 2026-09-28T20:00+01:00 to 2026-09-29T08:00+01:00",
			"pike 2026-10-03T20:00+01:00 to 2026-10-04T08:00+01:00",
			"pike 2026-10-05T20:00+01:00 to 2026-10-06T08:00+01:00",
			"pike 2026-10-10T20:00+01:00 to 2026-10-11T08:00+01:00",
			"pike 2026-10-12T20:00+01:00 to 2026-10-13T08:00+01:00",
			"pike 2026-10-17T20:00+01:00 to 2026-10-18T08:00+01:00",
			"pike 2026-10-19T20:00+01:00 to 2026-10-20T08:00+01:00",
			"pike 2026-10-24T20:00+01:00 to 2026-10-25T08:00Z", // the clocks go back: thirteen hours
			"pike 2026-10-26T20:00Z to 2026-10-27T08:00Z",
			"pike 2026-10-31T20:00Z to 2026-11-01T08:00Z",
			"pike 2026-11-02T20:00Z to 2026-11-03T08:00Z",
			"pike 2026-11-07T20:00Z to 2026-11-08T08:00Z",
			"pike 2026-11-09T20:00Z to 2026-11-10T08:00Z",
		},
		"rota-outlook.ics": {
			"pike 2026-09-14T20:00+01:00 to 2026-09-15T08:00+01:00",
			"pike 2026-09-15T20:00+01:00 to 2026-09-16T08:00+01:00",
			"pike 2026-09-16T20:00+01:00 to 2026-09-17T08:00+01:00",
			"holm 2026-09-19T00:00+01:00 to 2026-09-21T00:00+01:00",
			"holm 2026-10-24T20:00+01:00 to 2026-10-25T08:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := onCall(t)
			res := plan(t, rotaRequest(), exported(t, name), s)
			if len(res.Faults) > 0 {
				t.Fatal(faults(res))
			}
			s = apply(t, s, res)
			if diff := cmp.Diff(want, stints(t, s, "ashmere-council/duty")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := plan(t, rotaRequest(), exported(t, name), s); len(again.Puts) > 0 {
				t.Errorf("the second time it changes %v", again.Changes)
			}
		})
	}
}

// calendar is one event in a calendar.
func calendar(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

func TestAnEventThatIsNoShiftIsNamedByItsLineAndTheRotaStays(t *testing.T) {
	s := onCall(t)
	s = apply(t, s, plan(t, request(Rota), rotaHeader+duty("edt-pike", "2026-09-14 20:00", "2026-09-15 08:00"), s))
	const begins, ends, who = "DTSTART:20260914T200000Z", "DTEND:20260915T080000Z", "SUMMARY:Ana Pike"
	for _, tc := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"nobody", []string{begins, ends, "SUMMARY:Night shift"}, "3 SUMMARY: names nobody of the role"},
		{"somebody of another name", []string{begins, ends, "SUMMARY:Ana Pikeman"}, "3 SUMMARY: names nobody of the role"},
		{"two people", []string{begins, ends, "SUMMARY:Ana Pike covers for Birk Holm"}, "3 SUMMARY: names several people of the role"},
		{"declined", []string{begins, ends, who, "ATTENDEE;PARTSTAT=DECLINED:mailto:a.pike@edt.example"}, "3 SUMMARY: is of somebody who declined"},
		{"another zone", []string{"DTSTART;TZID=Europe/Madrid:20260914T200000", ends, who}, "3 DTSTART: is in another time zone than the UK's"},
		{"no beginning", []string{ends, who}, "3 DTSTART: is missing"},
		{"no end", []string{begins, who}, "3 DTEND: is missing"},
		{"no time", []string{"DTSTART:tonight", ends, who}, "3 DTSTART: is not a date or time of iCalendar, such as 20261024T200000"},
		{"an end before the beginning", []string{begins, "DTEND:20260913T200000Z", who}, "3 DTEND: is not after the beginning"},
		{"a length that is none", []string{begins, "DURATION:12 hours", who}, "3 DURATION: is not a length of time such as PT12H"},
		{"every minute", []string{begins, ends, who, "RRULE:FREQ=MINUTELY"}, "3 RRULE: repeats within a day, or by a rule of its own kind"},
		{"every month by the year", []string{begins, ends, who, "RRULE:FREQ=MONTHLY;BYMONTH=2"}, "3 RRULE: repeats within a day, or by a rule of its own kind"},
		{"an interval past all bounds", []string{begins, ends, who, "RRULE:FREQ=MONTHLY;INTERVAL=9223372036854775807"}, "3 RRULE: repeats within a day, or by a rule of its own kind"},
		{"a rule that is none", []string{begins, ends, who, "RRULE:EVERY=DAY"}, "3 RRULE: is not a rule that can be read"},
		{"an exception that is none", []string{begins, ends, who, "EXDATE:never"}, "3 EXDATE: is not a date or time of iCalendar, such as 20261024T200000"},
		{"a series split", []string{begins, ends, who, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260914T200000Z"}, "3 RECURRENCE-ID: changes this and all later events of a series"},
		{"the year 1601", []string{"DTSTART:16010914T200000Z", ends, who, "RRULE:FREQ=DAILY"}, "3 DTSTART: lies before 2000 or after 2200"},
		{"two months on end", []string{begins, "DTEND:20261115T080000Z", who}, "3 DTEND: is more than 31 days after from"},
		{"shifts that overlap", []string{begins, ends, who, "RDATE:20260915T070000Z"}, "3 DTSTART: overlaps another shift of the same contact"},
	} {
		res := plan(t, rotaRequest(), calendar(tc.lines...), s)
		if diff := cmp.Diff([]string{tc.want}, faults(res)); diff != "" || len(res.Puts) > 0 {
			t.Errorf("%s: changes %v, faults (-want +got):\n%s", tc.name, res.Changes, diff)
		}
	}
	for _, tc := range []struct{ name, file, owner, role, want string }{
		{"cut short", strings.TrimSuffix(calendar(begins, ends, who), "END:VCALENDAR\r\n"), "ashmere-council", "duty", "cut short"},
		{"an event cut short", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + begins + "\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "ashmere-council", "duty", "export it again"},
		{"nothing in it", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "ashmere-council", "duty", "has no events"},
		{"no property", "BEGIN:VCALENDAR\r\nAna Pike is on duty\r\nEND:VCALENDAR\r\n", "ashmere-council", "duty", "cannot be read as iCalendar"},
		{"a rule that never comes true", calendar(begins, ends, who, "RRULE:FREQ=MONTHLY;BYDAY=7MO"), "ashmere-council", "duty", "the event of line 3 has a rule that never comes true"},
		{"nobody's", calendar(begins, ends, who), "", "duty", "--owner"},
		{"of no role", calendar(begins, ends, who), "ashmere-council", "", "--role"},
		{"of a role that nobody has", calendar(begins, ends, who), "ashmere-council", "desk", "no contact with this role"},
	} {
		req := rotaRequest()
		req.Owner, req.Role = tc.owner, tc.role
		_, err := Plan(req, strings.NewReader(tc.file), s, nil)
		if notice.KindOf(err) != notice.Invalid || err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "Pike") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestACalendarThatRepeatsWithoutEndIsReadAYearAhead(t *testing.T) {
	s := onCall(t)
	s = apply(t, s, plan(t, rotaRequest(), calendar("DTSTART;TZID=Europe/London:20200106T200000", "DTEND;TZID=Europe/London:20200107T080000", "SUMMARY:Ana Pike", "RRULE:FREQ=DAILY;INTERVAL=2"), s))
	got := stints(t, s, "ashmere-council/duty")
	if len(got) < 200 || len(got) > 230 {
		t.Fatalf("%d shifts of every other day", len(got))
	}
	row, _ := s.Row(directory.KindRota, "ashmere-council/duty")
	shifts := row.GetRota().GetShifts()
	first, last := shifts[0], shifts[len(shifts)-1]
	for what, x := range map[string]struct {
		shift *directoryv1.Shift
		near  time.Time
	}{"first": {first, today().Add(-readBack)}, "last": {last, today().Add(readAhead)}} {
		if at := parsed(x.shift.GetFrom()); at.Sub(x.near).Abs() > 49*time.Hour {
			t.Errorf("the %s shift is at %v, not near %v", what, at, x.near)
		}
	}
}

package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func termRequest(owner string) Request {
	req := request(TermDates)
	req.Owner = owner
	return req
}

func TestTermDatesAreReadAsCalendarsHaveThem(t *testing.T) {
	for _, tc := range []struct {
		name, file, owner string
		before            string // term dates in force, as CSV
		want              *directoryv1.Calendar
	}{
		{
			name: "an authority's, with spans", file: "terms-spans.ics", owner: "E09000901",
			before: "id,kind,from,until,day_begins\nE09000901,term,2026-04-13,2026-07-21,\nE09000901,term,2026-09-07,2026-12-18,\nE09000901,inset,2026-06-26,,\nE09000901,inset,2026-12-18,,\nE09000901,day,,,08:45\n",
			want: &directoryv1.Calendar{
				Id: "E09000901", DayBegins: "08:45", InsetDays: []string{"2026-06-26", "2026-09-01"},
				Terms: []*directoryv1.Term{
					{Opens: "2026-04-13", Closes: "2026-07-21"}, // before the file's first: kept
					{Opens: "2026-09-01", Closes: "2026-10-25"}, {Opens: "2026-10-31", Closes: "2026-12-18"},
					{Opens: "2027-01-04", Closes: "2027-02-14"}, {Opens: "2027-02-20", Closes: "2027-03-25"},
				},
			},
		},
		{
			name: "a school's, with first and last days", file: "terms-marks.ics", owner: "900201",
			want: &directoryv1.Calendar{
				Id: "gias:900201", InsetDays: []string{"2026-09-03", "2026-09-04", "2026-11-27"},
				Terms: []*directoryv1.Term{{Opens: "2026-09-03", Closes: "2026-10-16"}, {Opens: "2026-11-02", Closes: "2026-12-18"}},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := filled(t, TermDates)
			if tc.before != "" {
				s = apply(t, s, plan(t, request(TermDates), tc.before, s))
			}
			res := plan(t, termRequest(tc.owner), exported(t, tc.file), s)
			if len(res.Faults) > 0 {
				t.Fatal(faults(res))
			}
			s = apply(t, s, res)
			row, _ := s.Row(directory.KindCalendar, tc.want.GetId())
			if diff := cmp.Diff(tc.want, row.GetCalendar(), protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := plan(t, termRequest(tc.owner), exported(t, tc.file), s); len(again.Puts) > 0 {
				t.Errorf("the second time it changes %v", again.Changes)
			}
		})
	}
}

func TestAnEventOfTermDatesThatIsNotClearIsNamedAndTheCalendarStays(t *testing.T) {
	s := filled(t, "")
	day := func(d, title string) string { return "DTSTART;VALUE=DATE:" + d + "\r\nSUMMARY:" + title }
	span := func(from, until, title string) string {
		return "DTSTART;VALUE=DATE:" + from + "\r\nDTEND;VALUE=DATE:" + until + "\r\nSUMMARY:" + title
	}
	events := func(all ...string) string {
		return "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + strings.Join(all, "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	for _, tc := range []struct{ name, file, want string }{
		{"a holiday that starts", events(day("20261218", "Christmas holidays start")), "2 SUMMARY: speaks of a term or holiday and does not say which part"},
		{"a half-term that ends", events(day("20261030", "Half-term ends")), "2 SUMMARY: speaks of a term or holiday and does not say which part"},
		{"a term of a day", events(day("20260901", "Autumn term")), "2 SUMMARY: speaks of a term or holiday and does not say which part"},
		{"a term without an end", events(day("20260901", "Autumn term starts")), "2 SUMMARY: is a term that starts and does not end"},
		{"a term without a start", events(day("20261218", "Term ends")), "2 SUMMARY: is a term that ends and did not start"},
		{"two starts", events(day("20260901", "Term starts"), day("20261102", "Term starts"), day("20261218", "Term ends")), "2 SUMMARY: is a term that starts and does not end before the next"},
		{"a term of half a year", events(span("20260901", "20270220", "Autumn term")), "2 DTEND: the term is longer than 140 days"},
		{"two terms at once", events(span("20260901", "20261219", "Autumn term"), span("20260901", "20261024", "Term 1")), "7 DTSTART: the term overlaps another"},
		{"a term each year", events(span("20260901", "20261219", "Autumn term\r\nRRULE:FREQ=YEARLY")), "2 RRULE: repeats"},
		{"an end in another century", events(span("20260901", "20991219", "Autumn term")), "2 DTEND: is more than a year after the beginning"},
		{"garbled letters", events(span("20260901", "20261219", "Autumn term Ã©")), "2 SUMMARY: letters are garbled"},
	} {
		res := plan(t, termRequest("E09000901"), tc.file, s)
		if diff := cmp.Diff([]string{tc.want}, faults(res)); diff != "" || len(res.Puts) > 0 {
			t.Errorf("%s: changes %v, faults (-want +got):\n%s", tc.name, res.Changes, diff)
		}
	}
	for _, tc := range []struct{ name, file, owner, want string }{
		{"no terms", events(day("20261225", "Christmas Day")), "E09000901", "has no terms"},
		{"nobody's", exported(t, "terms-spans.ics"), "", "--owner"},
		{"of a school nobody knows", exported(t, "terms-spans.ics"), "900999", "--owner"},
		{"of an area nobody knows", exported(t, "terms-spans.ics"), "E09000999", "--owner"},
	} {
		if _, err := Plan(termRequest(tc.owner), strings.NewReader(tc.file), s, nil); notice.KindOf(err) != notice.Invalid || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

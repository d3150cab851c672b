package directory

import (
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	ownTerms   notice.OrgID = "gias:900101" // terms, INSET and school day of its own
	ownInset   notice.OrgID = "gias:900102" // INSET days of its own, the rest its authority's
	ownNothing notice.OrgID = "gias:900103"
	noCalendar notice.OrgID = "gias:900104" // in an authority without a calendar
	inScotland notice.OrgID = "gias:900105"
)

func calendars(t testing.TB) *Snapshot {
	t.Helper()
	setting := func(id notice.OrgID, area string) *directoryv1.Row {
		return SettingRow(&directoryv1.Setting{Id: string(id), Area: area, Status: "open"})
	}
	return build(t,
		AreaRow(&directoryv1.Area{Gss: "E09000901", Kind: "local_authority", Nation: "england"}),
		AreaRow(&directoryv1.Area{Gss: "S12000901", Kind: "local_authority", Nation: "scotland"}),
		setting(ownTerms, "E09000901"), setting(ownInset, "E09000901"), setting(ownNothing, "E09000901"),
		setting(noCalendar, "E09000902"), setting(inScotland, "S12000901"),
		BankHolidaysRow(&directoryv1.BankHolidays{Division: EnglandAndWales, Dates: []string{
			"2025-12-25", "2025-12-26", "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-08-31",
		}}),
		BankHolidaysRow(&directoryv1.BankHolidays{Division: Scotland, Dates: []string{"2026-01-02", "2026-05-04"}}),
		CalendarRow(&directoryv1.Calendar{
			Id: "E09000901",
			Terms: []*directoryv1.Term{
				{Opens: "2025-11-03", Closes: "2025-12-19"}, {Opens: "2025-09-01", Closes: "2025-10-24"},
				{Opens: "2026-01-05", Closes: "2026-02-13"}, {Opens: "2026-02-23", Closes: "2026-03-27"},
				{Opens: "2026-04-13", Closes: "2026-05-22"}, {Opens: "2026-06-01", Closes: "2026-07-21"},
				{Opens: "2026-09-01", Closes: "2026-10-23"}, {Opens: "2026-11-02", Closes: "2026-12-18"},
			},
			InsetDays: []string{"2025-09-01", "2026-09-01"},
		}),
		CalendarRow(&directoryv1.Calendar{
			Id:        string(ownTerms),
			Terms:     []*directoryv1.Term{{Opens: "2026-03-02", Closes: "2026-03-31"}, {Opens: "2026-09-03", Closes: "2026-10-30"}},
			InsetDays: []string{"2026-10-26"},
			DayBegins: "08:45", DayEnds: "15:15", CutOff: "09:00",
		}),
		CalendarRow(&directoryv1.Calendar{Id: string(ownInset), InsetDays: []string{"2026-09-02"}}),
	)
}

func TestACalendarIsTheSettingsThenItsAuthoritysThenTheDefault(t *testing.T) {
	s := calendars(t)
	for _, tc := range []struct {
		name    string
		setting notice.OrgID
		date    string
		want    string // begins, ends, cut-off; empty is no session
	}{
		{"a setting's own school day and cut-off", ownTerms, "2026-09-03", "08:45 15:15 09:00"},
		{"its own terms replace the authority's", ownTerms, "2026-09-02", ""},
		{"its own terms bring no INSET days of the authority", ownTerms, "2026-10-26", ""},
		{"a setting without a calendar has its authority's terms and the default day", ownNothing, "2026-09-02", "08:30 15:30 08:30"},
		{"and its authority's INSET days", ownNothing, "2026-09-01", ""},
		{"a setting with INSET days alone has them in place of its authority's", ownInset, "2026-09-01", "08:30 15:30 08:30"},
		{"on which it is shut", ownInset, "2026-09-02", ""},
		{"without any calendar every working day counts", noCalendar, "2026-08-12", "08:30 15:30 08:30"},
		{"but no bank holiday", noCalendar, "2026-08-31", ""},
		{"nor a weekend", noCalendar, "2026-08-29", ""},
		{"a setting in Scotland keeps Scotland's bank holidays", inScotland, "2026-01-02", ""},
		{"and not England's", inScotland, "2026-04-06", "08:30 15:30 08:30"},
		{"a setting that nobody knows has the default", "gias:999999", "2026-08-12", "08:30 15:30 08:30"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if ses, ok := s.Calendar(tc.setting).Session(date(t, tc.date), ""); ok {
				got = ses.Begins.Format("15:04") + " " + ses.Ends.Format("15:04") + " " + ses.CutOff.Format("15:04")
			}
			if got != tc.want {
				t.Errorf("session %q, want %q", got, tc.want)
			}
		})
	}
	if s.Calendar(noCalendar).Known() || !s.Calendar(ownNothing).Known() || !s.Calendar(ownTerms).Known() {
		t.Error("a calendar is known exactly where a term is")
	}
}

func TestASessionFollowsTheAttendancePattern(t *testing.T) {
	c := calendars(t).Calendar(ownTerms)
	for _, tc := range []struct{ name, pattern, want string }{
		{"a full day", "FFFFF", "08:45 15:15 09:00"},
		{"a morning ends at noon", "AAAAA", "08:45 12:00 09:00"},
		{"an afternoon begins at noon and keeps the school's cut-off", "PPPPP", "12:00 15:15 09:00"},
		{"a day off", "F-FFF", "none"},
		{"the other days do not matter", "-P---", "12:00 15:15 09:00"},
		{"a pattern of a form not known is every day", "--", "08:45 15:15 09:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := "none"
			if s, ok := c.Session(date(t, "2026-09-08"), tc.pattern); ok { // a Tuesday
				got = s.Begins.Format("15:04") + " " + s.Ends.Format("15:04") + " " + s.CutOff.Format("15:04")
			}
			if got != tc.want {
				t.Errorf("session %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheNextSessionIsTheFirstWhoseCutOffIsStillToCome(t *testing.T) {
	s := calendars(t)
	for _, tc := range []struct {
		name, after, pattern, want string
		setting                    notice.OrgID
	}{
		{"on a school night it is the next morning", "2026-09-08 23:10", "", "2026-09-09T07:30:00Z", ownNothing},
		{"before the cut-off it is today's", "2026-09-09 08:29", "", "2026-09-09T07:30:00Z", ownNothing},
		{"at the cut-off it is too late for today's", "2026-09-09 08:30", "", "2026-09-10T07:30:00Z", ownNothing},
		{"on a Friday night it is Monday's", "2026-09-11 23:10", "", "2026-09-14T07:30:00Z", ownNothing},
		{"before a bank holiday it is Tuesday's", "2026-05-01 20:00", "", "2026-05-05T07:30:00Z", ownNothing},
		{"in August it is the first attended day after INSET", "2026-08-07 23:00", "", "2026-09-02T07:30:00Z", ownNothing},
		{"a part-time child's next session skips the days off", "2026-09-08 23:10", "AA--F", "2026-09-11T07:30:00Z", ownNothing},
		{"over the October change it is 08:30 GMT", "2025-10-25 23:30", "", "2025-11-03T08:30:00Z", ownNothing},
		{"in the repeated hour, the first time", "2026-10-25T00:30:00Z", "", "2026-10-27T09:00:00Z", ownTerms},
		{"in the repeated hour, the second time", "2026-10-25T01:30:00Z", "", "2026-10-27T09:00:00Z", ownTerms},
		{"over the March change it is the school's 09:00 in BST", "2026-03-28 23:30", "", "2026-03-30T08:00:00Z", ownTerms},
		{"before the March change it is 09:00 GMT", "2026-03-26 23:30", "", "2026-03-27T09:00:00Z", ownTerms},
		{"a child with no day of attendance has none", "2026-09-08 23:10", "-----", "", ownNothing},
		{"after the last known term there is none", "2026-12-18 09:00", "", "", ownNothing},
		{"without terms it is the next working day", "2026-08-07 23:00", "", "2026-08-10T07:30:00Z", noCalendar},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if ses, ok := s.Calendar(tc.setting).Next(instant(t, tc.after), tc.pattern); ok {
				got = ses.CutOff.UTC().Format(time.RFC3339)
			}
			if got != tc.want {
				t.Errorf("cut-off %s, want %s", got, tc.want)
			}
		})
	}
}

func TestASessionIsInProgressFromItsCutOffUntilItEnds(t *testing.T) {
	s := calendars(t)
	for _, tc := range []struct {
		name, at, pattern, want string
		setting                 notice.OrgID
	}{
		{"before the cut-off it is not", "2026-09-09 08:29", "", "", ownNothing},
		{"from the cut-off it is", "2026-09-09 08:30", "", "15:30", ownNothing},
		{"between the first bell and a later cut-off it is not", "2026-09-09 08:50", "", "", ownTerms},
		{"until the last minute it is", "2026-09-09 15:29", "", "15:30", ownNothing},
		{"at the end it is not", "2026-09-09 15:30", "", "", ownNothing},
		{"a morning is over at noon", "2026-09-09 12:00", "AAAAA", "", ownNothing},
		{"an afternoon child's is from the cut-off", "2026-09-09 10:00", "PPPPP", "15:30", ownNothing},
		{"on an INSET day it is not", "2026-09-01 10:00", "", "", ownNothing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if ses, ok := s.Calendar(tc.setting).Current(instant(t, tc.at), tc.pattern); ok {
				got = ses.Ends.Format("15:04")
			}
			if got != tc.want {
				t.Errorf("ends %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHolidayIsBetweenTermsOnly(t *testing.T) {
	s := calendars(t)
	for _, tc := range []struct {
		name, at string
		want     bool
	}{
		{"a school day", "2026-09-09 10:00", false},
		{"a weekend within term", "2026-09-12 10:00", false},
		{"a bank holiday within term", "2026-05-04 10:00", false},
		{"the evening before a bank holiday within term", "2026-05-01 20:00", false},
		{"an INSET day", "2026-09-01 10:00", false},
		{"the evening before the INSET day that opens term", "2026-08-31 20:00", false},
		{"the last day of term while school is in", "2026-07-21 15:29", false},
		{"the evening of the last day of term", "2026-07-21 15:30", true},
		{"a Friday evening before half-term", "2026-10-23 18:00", true},
		{"the Saturday before half-term", "2026-10-24 10:00", true},
		{"August", "2026-08-07 23:00", true},
		{"Christmas Day", "2025-12-25 10:00", true},
		{"the Saturday before term opens on a Monday", "2026-01-03 10:00", false},
		{"after the last known term", "2027-03-01 10:00", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := s.Calendar(ownNothing).InHoliday(instant(t, tc.at)); got != tc.want {
				t.Errorf("in holiday %v, want %v", got, tc.want)
			}
		})
	}
	if s.Calendar(noCalendar).InHoliday(instant(t, "2026-08-07 23:00")) {
		t.Error("a setting without known terms is never on holiday")
	}
}

func TestTermOpensOnItsFirstAttendedDay(t *testing.T) {
	s := calendars(t)
	for _, tc := range []struct {
		name, after, want string
		setting           notice.OrgID
	}{
		{"after the INSET day", "2026-08-07 23:00", "2026-09-02", ownNothing},
		{"the first term, whatever the order of the rows", "2025-08-07 23:00", "2025-09-02", ownNothing},
		{"on the day itself before the cut-off", "2026-09-02 08:29", "2026-09-02", ownNothing},
		{"after that it is the next, half-terms included", "2026-09-02 08:30", "2026-11-02", ownNothing},
		{"none is known", "2026-11-10 08:30", "", ownNothing},
		{"no term is known at all", "2026-08-07 23:00", "", noCalendar},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := s.Calendar(tc.setting).TermOpens(instant(t, tc.after))
			if got.String() != tc.want || ok != (tc.want != "") {
				t.Errorf("opens %s (%v), want %s", got, ok, tc.want)
			}
		})
	}
}

func TestWorkingDaysSkipWeekendsAndBankHolidays(t *testing.T) {
	w := calendars(t).WorkingDays()
	if w.Is(date(t, "2026-05-04")) || w.Is(date(t, "2026-05-03")) || !w.Is(date(t, "2026-05-05")) {
		t.Error("a bank holiday or a Sunday counts as a working day, or a Tuesday does not")
	}
	if got := w.Next(date(t, "2026-04-02")).String(); got != "2026-04-07" {
		t.Errorf("the working day after Maundy Thursday is %s", got)
	}
	if got := w.Last(date(t, "2026-09-01")).String(); got != "2026-08-28" {
		t.Errorf("the working day before 1 September 2026 is %s", got)
	}
	for _, tc := range []struct {
		name, from, want string
		n                int
	}{
		{"the same time the next day", "2026-09-08 14:05", "2026-09-09T13:05:00Z", 1},
		{"over a weekend", "2026-09-11 14:05", "2026-09-14T13:05:00Z", 1},
		{"from a weekend", "2026-09-12 14:05", "2026-09-14T13:05:00Z", 1},
		{"ten over Easter", "2026-03-30 09:00", "2026-04-15T08:00:00Z", 10},
		{"over the October change the clock time stays", "2026-10-23 14:05", "2026-10-26T14:05:00Z", 1},
		{"over the March change the clock time stays", "2026-03-27 14:05", "2026-03-30T13:05:00Z", 1},
		{"none is the instant itself", "2026-09-12 14:05", "2026-09-12T13:05:00Z", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := w.Add(instant(t, tc.from), tc.n).UTC().Format(time.RFC3339); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAContactIsOnDutyByItsHours(t *testing.T) {
	w := calendars(t).WorkingDays()
	office := []*directoryv1.Hours{{Days: []int32{1, 2, 3, 4, 5}, From: "09:00", Until: "17:00"}}
	nights := []*directoryv1.Hours{
		{Days: []int32{1, 2, 3, 4, 5, 6, 7}, From: "17:00", Until: "09:00"}, {Days: []int32{6, 7}, From: "09:00", Until: "17:00"},
	}
	for _, tc := range []struct {
		name, at string
		hours    []*directoryv1.Hours
		want     bool
	}{
		{"no hours means always", "2026-05-03 03:00", nil, true},
		{"an office opens on the minute", "2026-09-08 09:00", office, true},
		{"not a minute earlier", "2026-09-08 08:59", office, false},
		{"and shuts on the minute", "2026-09-08 17:00", office, false},
		{"not on a weekend", "2026-09-12 10:00", office, false},
		{"not on a bank holiday", "2026-05-04 10:00", office, false},
		{"a night team is there in the evening", "2026-09-08 23:00", nights, true},
		{"and early in the morning", "2026-09-08 08:59", nights, true},
		{"not by day", "2026-09-08 10:00", nights, false},
		{"but on a weekend by day", "2026-09-12 10:00", nights, true},
		{"and on a bank holiday, which counts as a Sunday", "2026-05-04 10:00", nights, true},
		{"hours that cannot be read cover nothing", "2026-09-08 10:00", []*directoryv1.Hours{{Days: []int32{2}, From: "nine", Until: "17:00"}}, false},
		{"the whole of a day", "2026-09-08 23:59", []*directoryv1.Hours{{Days: []int32{2}, From: "00:00", Until: "24:00"}}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := OnDuty(&directoryv1.Contact{Hours: tc.hours}, instant(t, tc.at), w); got != tc.want {
				t.Errorf("on duty %v, want %v", got, tc.want)
			}
		})
	}
	c := &directoryv1.Contact{From: "2026-09-01", Until: "2026-09-30"}
	if InUse(c, date(t, "2026-08-31")) || !InUse(c, date(t, "2026-09-01")) || !InUse(c, date(t, "2026-09-30")) || InUse(c, date(t, "2026-10-01")) {
		t.Error("a contact is in use from its first day to its last, both included")
	}
}

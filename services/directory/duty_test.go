package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const council notice.OrgID = "ashmere-council"

// onCall is a contact of the council's duty role.
func onCall(id, use string, hours ...*directoryv1.Hours) *directoryv1.Row {
	return ContactRow(&directoryv1.Contact{Id: id, Organisation: string(council), Role: "duty", Name: "Person " + id, Use: use, Hours: hours})
}

func everyDay(from, until string) *directoryv1.Hours {
	return &directoryv1.Hours{Days: []int32{1, 2, 3, 4, 5, 6, 7}, From: from, Until: until}
}

func officeHours() *directoryv1.Hours {
	return &directoryv1.Hours{Days: []int32{1, 2, 3, 4, 5}, From: "09:00", Until: "17:00"}
}

// local is a clock time in London, such as "2026-10-24 20:00".
func local(t testing.TB, s string) time.Time {
	t.Helper()
	date, clock, _ := strings.Cut(s, " ")
	d, err := ParseDate(date)
	if err != nil || !ValidClock(clock) {
		t.Fatalf("%q is no time", s)
	}
	return d.At(clock)
}

// dutyRota reads shifts such as "pike 2026-10-24 20:00 to 2026-10-25 08:00", and swaps with "pike for holm" before the times.
func dutyRota(t testing.TB, lines ...string) *directoryv1.Row {
	t.Helper()
	r := &directoryv1.Rota{Id: RotaID(council, "duty"), Organisation: string(council), Role: "duty"}
	for _, line := range lines {
		var who, instead string
		w := strings.Fields(line)
		who, w = w[0], w[1:]
		swap := w[0] == "for"
		if swap {
			instead, w = strings.TrimPrefix(w[1], "anybody"), w[2:]
		}
		from, until := local(t, w[0]+" "+w[1]).Format(time.RFC3339), local(t, w[3]+" "+w[4]).Format(time.RFC3339)
		if swap {
			r.Swaps = append(r.Swaps, &directoryv1.Swap{Contact: who, InsteadOf: instead, From: from, Until: until})
		} else {
			r.Shifts = append(r.Shifts, &directoryv1.Shift{Contact: who, From: from, Until: until})
		}
	}
	return RotaRow(r)
}

// inWords is an answer as "pike: swap for holm", in order, and who is missing.
func inWords(d Duty) []string {
	var out []string
	for _, turn := range d.Turns {
		text := turn.Contact.GetId() + ": " + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(turn.Why.String(), "DUTY_WHY_"), "_", " "))
		if turn.InsteadOf != "" {
			text += " for " + turn.InsteadOf
		}
		out = append(out, text)
	}
	for _, id := range d.Missing {
		out = append(out, id+": missing")
	}
	return out
}

func TestWhoIsOnDutyComesFirstAndEveryOtherFollows(t *testing.T) {
	office, edt := onCall("office", UseRegular, officeHours()), onCall("team", UseOutOfHours, everyDay("17:00", "09:00"))
	holm, pike, lund := onCall("holm", UseOutOfHours), onCall("pike", UseOutOfHours), onCall("lund", UseOutOfHours)
	const thursdayNight, fridayNoon = "2026-06-18 23:00", "2026-06-19 12:00"
	night := "pike 2026-06-18 20:00 to 2026-06-19 08:00"
	for _, tc := range []struct {
		name string
		rows []*directoryv1.Row
		at   string
		use  string
		want []string
	}{
		{
			"without a rota the hours decide", []*directoryv1.Row{office, edt}, thursdayNight, UseAny,
			[]string{"team: out of hours", "office: off duty"},
		},
		{
			"a shift comes before hours", []*directoryv1.Row{office, edt, pike, dutyRota(t, night)}, thursdayNight, UseAny,
			[]string{"pike: shift", "team: out of hours", "office: off duty"},
		},
		{
			"before office hours too", []*directoryv1.Row{office, pike, dutyRota(t, "pike 2026-06-19 08:00 to 2026-06-19 18:00")}, fridayNoon, UseAny,
			[]string{"pike: shift", "office: office hours"},
		},
		{
			"outside their shifts those of the rota come after who is on duty", []*directoryv1.Row{office, pike, holm, dutyRota(t, night, "holm 2026-06-20 20:00 to 2026-06-21 08:00")},
			fridayNoon, UseAny, []string{"office: office hours", "holm: no shift", "pike: no shift"},
		},
		{
			"in a gap they come before an office that is shut", []*directoryv1.Row{office, pike, dutyRota(t, night)}, "2026-06-20 12:00", UseAny,
			[]string{"pike: no shift", "office: off duty"},
		},
		{
			"a shift ends at its hour, and not a moment later", []*directoryv1.Row{office, pike, dutyRota(t, night)}, "2026-06-19 08:00", UseAny,
			[]string{"pike: no shift", "office: off duty"},
		},
		{
			"of two shifts the one that began last comes first", []*directoryv1.Row{pike, holm, dutyRota(t, night, "holm 2026-06-15 08:00 to 2026-06-22 08:00")},
			thursdayNight, UseAny, []string{"pike: shift", "holm: shift"},
		},
		{
			"a swap takes the shift over", []*directoryv1.Row{pike, holm, dutyRota(t, night, "holm for pike 2026-06-18 22:00 to 2026-06-19 02:00")},
			thursdayNight, UseAny, []string{"holm: swap for pike", "pike: no shift"},
		},
		{
			"and gives it back", []*directoryv1.Row{pike, holm, dutyRota(t, night, "holm for pike 2026-06-18 21:00 to 2026-06-18 23:00")},
			thursdayNight, UseAny, []string{"pike: shift", "holm: no shift"},
		},
		{
			"what was swapped can be swapped on", []*directoryv1.Row{pike, holm, lund, dutyRota(t, night, "holm for pike 2026-06-18 20:00 to 2026-06-19 08:00",
				"lund for holm 2026-06-18 22:00 to 2026-06-19 08:00")}, thursdayNight, UseAny,
			[]string{"lund: swap for pike", "holm: no shift", "pike: no shift"},
		},
		{
			"and back", []*directoryv1.Row{pike, holm, dutyRota(t, night, "holm for pike 2026-06-18 20:00 to 2026-06-19 08:00",
				"pike for holm 2026-06-18 22:00 to 2026-06-19 08:00")}, thursdayNight, UseAny, []string{"pike: shift", "holm: no shift"},
		},
		{
			"a swap does nothing where the rota has somebody else by now", []*directoryv1.Row{pike, holm, lund,
				dutyRota(t, "lund 2026-06-18 20:00 to 2026-06-19 08:00", "holm for pike 2026-06-18 20:00 to 2026-06-19 08:00")},
			thursdayNight, UseAny, []string{"lund: shift", "holm: no shift", "pike: no shift"},
		},
		{
			"a swap for whoever is on duty", []*directoryv1.Row{pike, holm, dutyRota(t, night, "holm for anybody 2026-06-18 20:00 to 2026-06-19 08:00")},
			thursdayNight, UseAny, []string{"holm: swap for pike", "pike: no shift"},
		},
		{
			"a swap over a gap", []*directoryv1.Row{office, holm, dutyRota(t, "holm for anybody 2026-06-20 08:00 to 2026-06-20 20:00")}, "2026-06-20 12:00", UseAny,
			[]string{"holm: shift", "office: off duty"},
		},
		{
			"a shift of somebody who has left leaves the others", []*directoryv1.Row{office, edt, dutyRota(t, night)}, thursdayNight, UseAny,
			[]string{"team: out of hours", "office: off duty", "pike: missing"},
		},
		{
			"a person's other contact counts as on the rota", []*directoryv1.Row{edt, pike,
				ContactRow(&directoryv1.Contact{Id: "a-phone", Organisation: string(council), Role: "duty", Name: "PERSON PIKE", Channel: "telephone", Use: UseOutOfHours}),
				dutyRota(t, night)}, thursdayNight, UseAny, []string{"pike: shift", "a-phone: shift", "team: out of hours"},
		},
		{
			"on a bank holiday the office is shut", []*directoryv1.Row{office, edt, BankHolidaysRow(&directoryv1.BankHolidays{Division: EnglandAndWales, Dates: []string{"2026-06-19"}})},
			fridayNoon, UseAny, []string{"office: off duty", "team: off duty"},
		},
		{
			"of another nation it is not", []*directoryv1.Row{office, edt, BankHolidaysRow(&directoryv1.BankHolidays{Division: Scotland, Dates: []string{"2026-06-19"}})},
			fridayNoon, UseAny, []string{"office: office hours", "team: off duty"},
		},
		{
			"a link for regular contacts knows no rota", []*directoryv1.Row{office, pike, onCall("a", UseRegular), dutyRota(t, "a 2026-06-18 20:00 to 2026-06-19 08:00")},
			thursdayNight, UseRegular, []string{"a: off duty", "office: off duty"},
		},
		{
			"a link for holidays has holiday contacts, by rota and hours", []*directoryv1.Row{office, onCall("a", UseHoliday), onCall("b", UseHoliday), onCall("c", UseHoliday, officeHours()),
				dutyRota(t, "b 2026-06-18 20:00 to 2026-06-19 08:00")}, thursdayNight, UseHoliday, []string{"b: shift", "a: holiday", "c: off duty"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := build(t, append(tc.rows, OrganisationRow(&directoryv1.Organisation{Id: string(council), Area: "E09000901"}))...)
			if diff := cmp.Diff(tc.want, inWords(s.Duty(council, "duty", tc.use, local(t, tc.at)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestARotaKeepsItsHoursInTheNightsOfBothClockChanges(t *testing.T) {
	pike, holm := onCall("pike", UseOutOfHours), onCall("holm", UseOutOfHours)
	for _, tc := range []struct {
		night string // the day on which the night begins
		hours float64
	}{
		{"2026-10-24", 13}, {"2027-03-27", 11}, {"2026-06-18", 12},
	} {
		d, _ := ParseDate(tc.night)
		next := d.AddDays(1)
		s := build(t, pike, holm, dutyRota(t,
			fmt.Sprintf("pike %s 20:00 to %s 01:30", d, next), fmt.Sprintf("holm %s 01:30 to %s 08:00", next, next)))
		var got []string
		var length time.Duration
		for _, span := range s.Spans(council, "duty", UseAny, d.At("20:00"), next.At("08:00")) {
			if len(span.Duty.Turns) == 0 || !span.Duty.Turns[0].OnShift() {
				t.Errorf("%s: nobody has a shift from %v", tc.night, span.From)
				continue
			}
			length += span.Until.Sub(span.From)
			got = append(got, span.Duty.Turns[0].Contact.GetId())
		}
		if diff := cmp.Diff([]string{"pike", "holm"}, slices.Compact(got)); diff != "" {
			t.Errorf("%s: one after the other (-want +got):\n%s", tc.night, diff)
		}
		if length.Hours() != tc.hours {
			t.Errorf("%s: the night lasts %v, want %v hours", tc.night, length, tc.hours)
		}
	}
}

// Weekly hours that meet leave no gap and make no overlap, whatever a clock change does to their edge.
func TestHoursThatMeetMeetInTheNightsOfBothClockChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		edge := fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 3).Draw(rt, "hour"), rapid.IntRange(0, 59).Draw(rt, "minute"))
		begin := fmt.Sprintf("%02d:00", rapid.IntRange(4, 23).Draw(rt, "begin"))
		early := &directoryv1.Contact{Hours: []*directoryv1.Hours{everyDay(begin, edge)}}
		late := &directoryv1.Contact{Hours: []*directoryv1.Hours{everyDay(edge, begin)}}
		day, _ := ParseDate(rapid.SampledFrom([]string{"2026-10-24", "2027-03-27", "2026-06-18"}).Draw(rt, "day"))
		at := day.At("18:00").Add(time.Duration(rapid.IntRange(0, 14*60).Draw(rt, "minutes")) * time.Minute)
		if OnDuty(early, at, WorkingDays{}) == OnDuty(late, at, WorkingDays{}) {
			rt.Fatalf("%s to %s to %s: at %v both are on duty, or neither", begin, edge, begin, at)
		}
	})
}

// anyRole draws contacts of one role with hours and uses, and a rota over them with whoever may have left.
func anyRole(rt *rapid.T, t testing.TB) []*directoryv1.Row {
	var rows []*directoryv1.Row
	ids := []string{"a", "b", "c", "d"}
	for _, id := range ids[:rapid.IntRange(0, 4).Draw(rt, "contacts")] {
		var hours []*directoryv1.Hours
		if rapid.Bool().Draw(rt, "has hours") {
			hours = append(hours, rapid.SampledFrom([]*directoryv1.Hours{officeHours(), everyDay("17:00", "09:00"), everyDay("01:30", "02:15")}).Draw(rt, "hours"))
		}
		rows = append(rows, onCall(id, rapid.SampledFrom([]string{UseRegular, UseOutOfHours, UseHoliday}).Draw(rt, "use"), hours...))
	}
	var lines []string
	for range rapid.IntRange(0, 6).Draw(rt, "stints") {
		from := local(t, "2026-10-24 00:00").Add(time.Duration(rapid.IntRange(0, 72).Draw(rt, "from")) * time.Hour)
		until := from.Add(time.Duration(rapid.IntRange(2, 24).Draw(rt, "hours")) * time.Hour)
		who := rapid.SampledFrom(append(ids, "gone")).Draw(rt, "who")
		if rapid.Bool().Draw(rt, "swap") {
			who += " for " + rapid.SampledFrom(append(ids, "anybody")).Draw(rt, "for")
		}
		lines = append(lines, fmt.Sprintf("%s %s to %s", who, from.Format("2006-01-02 15:04"), until.Format("2006-01-02 15:04")))
	}
	return append(rows, dutyRota(t, lines...), OrganisationRow(&directoryv1.Organisation{Id: string(council), Area: "E09000901"}))
}

func TestAtEveryInstantEveryContactHasItsTurnAndSpansSayTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := anyRole(rt, t)
		s := build(t, rows...)
		use := rapid.SampledFrom([]string{UseAny, UseHoliday, UseRegular, UseEvery}).Draw(rt, "use")
		from := local(t, "2026-10-24 00:00")
		at := from.Add(time.Duration(rapid.IntRange(0, 72*60-1).Draw(rt, "at")) * time.Minute)
		got := s.Duty(council, "duty", use, at)
		have := 0
		for _, row := range rows {
			c := row.GetContact()
			if c == nil || !usable(use, c.GetUse()) {
				continue
			}
			have++
			if _, ok := got.Of(c.GetId()); !ok {
				rt.Fatalf("%s has no turn among %v", c.GetId(), inWords(got))
			}
		}
		if have != len(got.Turns) {
			rt.Fatalf("%d turns of %d contacts: %v", len(got.Turns), have, inWords(got))
		}
		for i, turn := range got.Turns {
			if i > 0 && use != UseRegular && !got.Turns[i-1].OnDuty() && turn.OnDuty() {
				rt.Fatalf("off duty before on duty: %v", inWords(got))
			}
		}
		spans := s.Spans(council, "duty", use, from, from.Add(72*time.Hour))
		for i, span := range spans {
			if i > 0 && !span.From.Equal(spans[i-1].Until) || !span.Until.After(span.From) {
				rt.Fatalf("span %d from %v until %v follows one until %v", i, span.From, span.Until, spans[max(i-1, 0)].Until)
			}
			if at.Before(span.From) || !at.Before(span.Until) {
				continue
			}
			if diff := cmp.Diff(inWords(got), inWords(span.Duty)); diff != "" {
				rt.Fatalf("at %v (-at the instant +of its span from %v):\n%s", at, span.From, diff)
			}
		}
	})
}

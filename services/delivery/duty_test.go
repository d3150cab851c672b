package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

func rota(t testing.TB, role string, shifts ...string) *directoryv1.Rota {
	t.Helper()
	r := &directoryv1.Rota{Id: "gias:900101/" + role, Organisation: "gias:900101", Role: role}
	for _, s := range shifts {
		var contact, from, until string
		if _, err := fmt.Sscan(s, &contact, &from, &until); err != nil {
			t.Fatal(err)
		}
		r.Shifts = append(r.Shifts, &directoryv1.Shift{Contact: contact, From: from, Until: until})
	}
	return r
}

func TestWhoHasTheShiftIsSentToAndElseWhoeverIsNext(t *testing.T) {
	const nightShift = "pike 2026-11-19T20:00:00Z 2026-11-20T08:00:00Z"
	night := instant(t, "2026-11-19T23:05:00Z")
	for _, tc := range []struct {
		name  string
		rows  []any
		want  string
		skips []Skip
	}{
		{
			"who has the shift", []any{contact("day", "dsl", hours("08:00", "17:00")), contact("holm", "dsl", use(outOfHours)), contact("pike", "dsl", use(outOfHours))},
			"pike", []Skip{{"day", "not on duty"}, {"holm", "another contact of the role comes first"}},
		},
		{
			"not confirmed", []any{contact("holm", "dsl", use(outOfHours)), contact("pike", "dsl", use(outOfHours), func(c *directoryv1.Contact) { c.VerifiedOn = "" })},
			"holm", []Skip{{"pike", "on the rota, but address not confirmed by a person"}},
		},
		{
			"barred", []any{contact("holm", "dsl", use(outOfHours)), contact("pike", "dsl", use(outOfHours)), &directoryv1.Restriction{Kind: "barred_contact", Target: "pike"}},
			"holm", []Skip{{"pike", "on the rota, but not to be told"}},
		},
		{
			"gone", []any{contact("holm", "dsl", use(outOfHours))},
			"holm", []Skip{{"pike", "on the rota, but no contact of the role any more"}},
		},
		{
			"by telephone only, and so is everybody", []any{contact("pike", "dsl", use(outOfHours), func(c *directoryv1.Contact) { c.Channel = Telephone })},
			"", []Skip{{"pike", "on the rota, but telephone only"}},
		},
		{
			"who has the shift, by a mailbox where the rota names the telephone", []any{contact("holm", "dsl", use(outOfHours)),
				contact("pike", "dsl", use(outOfHours), func(c *directoryv1.Contact) { c.Channel, c.Name = Telephone, "Ana Pike" }),
				contact("z-mail", "dsl", use(outOfHours), func(c *directoryv1.Contact) { c.Name = "Ana Pike" })},
			"z-mail", []Skip{{"pike", "on the rota, but telephone only"}, {"holm", "another contact of the role comes first"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			link := &ledgerv1.Link{Organisation: "gias:900101", Roles: []string{"dsl"}, Use: directory.UseAny}
			ep, skips, ok := Resolve(link, About{Child: child}, snapshot(t, append(tc.rows, rota(t, "dsl", nightShift))...), night, History{})
			if ok != (tc.want != "") || ep.Contact != tc.want {
				t.Errorf("contact %q, %v; want %q", ep.Contact, ok, tc.want)
			}
			if diff := cmp.Diff(tc.skips, skips); diff != "" {
				t.Errorf("passed over (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoeverHasTheShiftIsTelephonedFirst(t *testing.T) {
	telephone := func(c *directoryv1.Contact) { c.Channel, c.Name = Telephone, "Ana Pike" }
	s := snapshot(t, contact("a", "dsl", func(c *directoryv1.Contact) { c.Channel = Telephone }), contact("pike-phone", "dsl", use(outOfHours), telephone),
		contact("pike", "dsl", use(outOfHours), func(c *directoryv1.Contact) { c.Name = "Ana Pike" }), rota(t, "dsl", "pike 2026-11-19T20:00:00Z 2026-11-20T08:00:00Z"))
	var ids []string
	for _, c := range Callable([]*ledgerv1.Link{{Organisation: "gias:900101", Roles: []string{"dsl"}}}, About{Child: child}, s, instant(t, "2026-11-19T23:05:00Z")) {
		ids = append(ids, c.GetId())
	}
	if diff := cmp.Diff([]string{"pike-phone", "a"}, ids); diff != "" {
		t.Errorf("to call (-want +got):\n%s", diff)
	}
}

// In its holidays a setting is told by its holiday contacts, from the end of the last school day to the evening before school.
func TestAWeekInTheHolidaysShowsTheHolidayContact(t *testing.T) {
	summer := contact("summer", "dsl", use(holiday), hours("09:00", "12:00"))
	rows := []any{
		contact("dsl", "dsl", hours("08:00", "17:00")), summer, contact("head", "head"),
		&directoryv1.Calendar{Id: "gias:900101", Terms: []*directoryv1.Term{{Opens: "2026-09-01", Closes: "2026-10-23"}, {Opens: "2026-11-02", Closes: "2026-12-18"}},
			DayBegins: "08:45", DayEnds: "15:15"},
	}
	s := snapshot(t, rows...)
	shown := func(role, inHoliday string) []string {
		var out []string
		for _, w := range Watches(s, "gias:900101", role, inHoliday, instant(t, "2026-10-23T00:00:00+01:00"), instant(t, "2026-10-28T00:00:00Z")) {
			line := fmt.Sprintf("%s %s %s", w.From.In(directory.London()).Format("Mon 15:04"), w.Contact.GetId(), w.Why)
			if w.Gap {
				line += " gap"
			}
			if w.Holiday {
				line += " holiday"
			}
			out = append(out, line)
			use := directory.UseAny
			if w.Holiday {
				use = inHoliday
			}
			ep, _, _ := Resolve(&ledgerv1.Link{Organisation: "gias:900101", Roles: []string{role}, Use: use}, About{}, s, w.From, History{})
			if ep.Contact != w.Contact.GetId() || w.Holiday != (s.Calendar("gias:900101").InHoliday(w.From) && inHoliday != "") {
				t.Errorf("%s: %q is sent to", line, ep.Contact)
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{
		"Fri 00:00 dsl DUTY_WHY_OFF_DUTY gap", "Fri 08:00 dsl DUTY_WHY_OFFICE_HOURS",
		"Fri 15:15 summer DUTY_WHY_OFF_DUTY gap holiday", "Mon 09:00 summer DUTY_WHY_HOLIDAY holiday", "Mon 12:00 summer DUTY_WHY_OFF_DUTY gap holiday",
		"Tue 09:00 summer DUTY_WHY_HOLIDAY holiday", "Tue 12:00 summer DUTY_WHY_OFF_DUTY gap holiday",
	}, shown("dsl", holiday)); diff != "" {
		t.Errorf("the safeguarding lead (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Fri 00:00 head DUTY_WHY_OFFICE_HOURS", "Fri 15:15  DUTY_WHY_NOBODY gap holiday"}, shown("head", holiday)); diff != "" {
		t.Errorf("a role without a holiday contact (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Fri 00:00 head DUTY_WHY_OFFICE_HOURS"}, shown("head", "")); diff != "" {
		t.Errorf("a role that no rule turns to in holidays (-want +got):\n%s", diff)
	}
}

// A rota says who comes first, and keeps nobody from being told: at every instant somebody is resolved if anybody could be
// without it, and Watches says who.
func TestNoRotaLeavesARoleWithoutSomebodyWhoCanBeSentTo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ids := []string{"a", "b", "c"}
		var rows []any
		for _, id := range ids[:rapid.IntRange(0, 3).Draw(rt, "contacts")] {
			rows = append(rows, contact(id, "dsl", func(c *directoryv1.Contact) {
				c.Use = rapid.SampledFrom([]string{regular, outOfHours, holiday}).Draw(rt, "use")
				c.VerifiedOn = rapid.SampledFrom([]string{"2026-09-01", "2026-09-01", "2026-10-26", ""}).Draw(rt, "verified")
				c.Channel = rapid.SampledFrom([]string{Email, Email, Telephone}).Draw(rt, "channel")
				c.Until = rapid.SampledFrom([]string{"", "", "2026-10-24"}).Draw(rt, "until")
				if rapid.Bool().Draw(rt, "hours") {
					hours("09:00", "17:00")(c)
				}
			}))
		}
		from := instant(t, "2026-10-24T00:00:00+01:00")
		r := &directoryv1.Rota{Id: "gias:900101/dsl", Organisation: "gias:900101", Role: "dsl"}
		for range rapid.IntRange(0, 5).Draw(rt, "stints") {
			begins := from.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "from")) * time.Hour)
			ends := begins.Add(time.Duration(rapid.IntRange(1, 24).Draw(rt, "lasts")) * time.Hour)
			who := rapid.SampledFrom(append(ids, "gone")).Draw(rt, "who")
			if rapid.Bool().Draw(rt, "swap") {
				instead := rapid.SampledFrom(append(ids, "")).Draw(rt, "instead")
				r.Swaps = append(r.Swaps, &directoryv1.Swap{Contact: who, InsteadOf: instead, From: begins.Format(time.RFC3339), Until: ends.Format(time.RFC3339)})
			} else {
				r.Shifts = append(r.Shifts, &directoryv1.Shift{Contact: who, From: begins.Format(time.RFC3339), Until: ends.Format(time.RFC3339)})
			}
		}
		with := snapshot(t, append(rows, r)...)
		without := snapshot(t, rows...)
		at := from.Add(time.Duration(rapid.IntRange(0, 60*60).Draw(rt, "at")) * time.Minute)
		for _, use := range []string{directory.UseAny, holiday, regular} {
			link := &ledgerv1.Link{Organisation: "gias:900101", Roles: []string{"dsl"}, Use: use}
			_, _, before := Resolve(link, About{Child: child}, without, at, History{})
			endpoint, skips, after := Resolve(link, About{Child: child}, with, at, History{})
			if before != after {
				rt.Fatalf("use %s at %v: somebody without the rota %v, with it %v: %v", use, at, before, after, skips)
			}
			if use != directory.UseAny {
				continue
			}
			for _, w := range Watches(with, "gias:900101", "dsl", "", from, from.Add(61*time.Hour)) {
				if !at.Before(w.From) && at.Before(w.Until) && (w.Contact.GetId() != endpoint.Contact || (w.Contact == nil) == after) {
					rt.Fatalf("at %v %q is sent to, and %q shown from %v to %v", at, endpoint.Contact, w.Contact.GetId(), w.From, w.Until)
				}
			}
		}
	})
}

package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

const emergencyTeam = `id,organisation,role,name,channel,address,verified_on,use
pike,ashmere-council,duty,Ana Pike,email,a.pike@edt.ashmere.example,2026-05-18,out_of_hours
holm,ashmere-council,duty,Birk Holm,email,b.holm@edt.ashmere.example,2026-05-18,out_of_hours
lund,ashmere-council,duty,Cai Lund,email,c.lund@edt.ashmere.example,2026-05-18,out_of_hours
`

// withRota is the borough with an emergency duty team and its rota, as rows "contact,from,until".
func withRota(t *testing.T, at string, shifts ...string) *apptest.Rig {
	t.Helper()
	r := apptest.Start(t, apptest.London(at))
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Source: "edt"}, []byte(emergencyTeam))
	importRota(r, shifts...)
	return r
}

func importRota(r *apptest.Rig, shifts ...string) {
	r.T.Helper()
	file := "organisation,role,contact,from,until,kind,instead_of\n"
	for _, s := range shifts {
		file += "ashmere-council,duty," + s + strings.Repeat(",", 4-strings.Count(s, ",")) + "\n"
	}
	if result := r.Import(&directoryv1.ImportHeader{Format: "rota"}, []byte(file)); len(result.Faults) > 0 {
		r.T.Fatal(result.Faults)
	}
}

// refer publishes a referral that arrives now.
func refer(r *apptest.Rig, council *apptest.Agency, id string) {
	ev := referral(council, id)
	ev.Time = timestamppb.New(r.Clock.Now())
	ev.GetPayload().(*eventv1.Event_ReferralReceived).ReferralReceived.ReceivedAt = ev.Time
	council.Publish(ev)
	r.Settle()
}

// team is how many mails each of the team has, with the council's daytime desk and team mailbox.
func team(r *apptest.Rig) map[string]int {
	got := map[string]int{}
	for name, address := range map[string]string{
		"pike": "a.pike@edt.ashmere.example", "holm": "b.holm@edt.ashmere.example", "lund": "c.lund@edt.ashmere.example",
		"office": "duty@ashmere.example", "mailbox": "edt@ashmere.example",
	} {
		if n := len(r.Person(address).Notices()); n > 0 {
			got[name] = n
		}
	}
	return got
}

func TestAReferralOutOfHoursGoesToWhoeverOfTheEmergencyDutyTeamIsOnDutyAtThatHour(t *testing.T) {
	r := withRota(t, "2026-06-18 19:30", "pike,2026-06-18 17:00,2026-06-19 01:00", "holm,2026-06-19 01:00,2026-06-19 09:00", "lund,2026-06-19 17:00,2026-06-19 22:00")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	for _, step := range []struct {
		at   string
		want map[string]int
	}{
		{"2026-06-18 19:30", map[string]int{"pike": 1}},
		{"2026-06-19 01:00", map[string]int{"pike": 1, "holm": 2}}, // Pike did not answer: the second step goes to Holm too
		{"2026-06-19 08:59", map[string]int{"pike": 1, "holm": 4}},
		{"2026-06-19 11:00", map[string]int{"pike": 1, "holm": 4, "office": 1}},                          // the last one of the night moves on by day
		{"2026-06-19 19:00", map[string]int{"pike": 1, "holm": 4, "office": 1, "lund": 1}},               // the next evening
		{"2026-06-20 12:00", map[string]int{"pike": 1, "holm": 4, "office": 1, "lund": 1, "mailbox": 2}}, // a gap: the team's mailbox
	} {
		r.Clock.Set(apptest.London(step.at))
		r.Settle()
		if hour := r.Clock.Now().In(apptest.London(step.at).Location()).Hour(); hour != 11 {
			refer(r, council, "ref-"+strings.ReplaceAll(step.at, " ", "-"))
		}
		equal(t, "told by "+step.at, team(r), step.want)
	}
	spans, err := r.Directory.Duty(r.Context(), &directoryv1.DutyRequest{Organisation: "ashmere-council", Role: "duty", From: "2026-06-18", Days: 2})
	check(t, err)
	var got []string
	for _, s := range spans.Spans {
		gap := ""
		if s.Gap {
			gap = " gap"
		}
		got = append(got, fmt.Sprintf("%s to %s %s %s%s", apptest.Clock(s.FromMs), apptest.Clock(s.UntilMs), s.Contact, s.Why.String()[len("DUTY_WHY_"):], gap))
	}
	equal(t, "the rota shown", got, []string{
		"00:00 Thu 18 Jun (BST) to 09:00 Thu 18 Jun (BST) contacts/ashmere-edt OUT_OF_HOURS",
		"09:00 Thu 18 Jun (BST) to 17:00 Thu 18 Jun (BST) contacts/ashmere-duty OFFICE_HOURS",
		"17:00 Thu 18 Jun (BST) to 01:00 Fri 19 Jun (BST) edt/pike SHIFT",
		"01:00 Fri 19 Jun (BST) to 09:00 Fri 19 Jun (BST) edt/holm SHIFT",
		"09:00 Fri 19 Jun (BST) to 17:00 Fri 19 Jun (BST) contacts/ashmere-duty OFFICE_HOURS",
		"17:00 Fri 19 Jun (BST) to 22:00 Fri 19 Jun (BST) edt/lund SHIFT",
		"22:00 Fri 19 Jun (BST) to 00:00 Sat 20 Jun (BST) contacts/ashmere-edt OUT_OF_HOURS",
	})
	r.Verify()
}

func TestAcrossAChangeOfRotaInTheNightTheClocksChangeTheNextStepGoesToTheNextShift(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, referred string
		shifts         []string
		due            string
	}{
		{
			"the clocks go back", "2026-10-25 00:55", []string{"pike,2026-10-24 17:00,2026-10-25 01:30", "holm,2026-10-25 01:30,2026-10-25 01:30 GMT", "lund,2026-10-25 01:30 GMT,2026-10-25 09:00"},
			"01:55 Sun 25 Oct (BST)",
		},
		{
			"the clocks go forward", "2027-03-28 00:55", []string{"pike,2027-03-27 17:00,2027-03-28 02:00", "holm,2027-03-28 02:00,2027-03-28 03:00", "lund,2027-03-28 03:00,2027-03-28 09:00"},
			"02:55 Sun 28 Mar (BST)",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := withRota(t, tc.referred, tc.shifts...)
			council := r.AddAgency("ashmere-social-care", "ashmere-council")
			refer(r, council, "ref-1")
			equal(t, "at once", team(r), map[string]int{"pike": 1})
			for _, n := range r.Decision(council.ID, "ref-1").Notices {
				if n.Rule == "referral.out_of_hours" {
					equal(t, "due", apptest.Clock(n.DueMs), tc.due)
				}
			}
			r.Clock.Advance(time.Hour - time.Minute)
			r.Settle()
			equal(t, "a minute before it is due", team(r), map[string]int{"pike": 1})
			r.Clock.Advance(time.Minute)
			r.Settle()
			equal(t, "when it is due, an hour later by no clock", team(r), map[string]int{"pike": 1, "holm": 1})
			r.Clock.Advance(10 * time.Minute)
			holm := r.Person("b.holm@edt.ashmere.example")
			holm.Acknowledge(holm.Notices()[0])
			r.Clock.Advance(24 * time.Hour)
			r.Settle()
			equal(t, "after the acknowledgement", team(r), map[string]int{"pike": 1, "holm": 1})
			r.Verify()
		})
	}
}

func TestASwapBetweenTheDecisionAndTheSendIsHonouredAtTheSend(t *testing.T) {
	r := withRota(t, "2026-06-18 22:30", "pike,2026-06-18 17:00,2026-06-19 09:00")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	_, err := sending(r).Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "a test"})
	check(t, err)
	refer(r, council, "ref-1")
	if told := apptest.Told(r.Decision(council.ID, "ref-1")); len(told) != 2 {
		t.Fatalf("decided: %v", told)
	}
	equal(t, "while sending is stopped", team(r), map[string]int{})
	importRota(r, "holm,2026-06-18 20:00,2026-06-19 09:00,swap,pike")
	_, err = sending(r).Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "a test"})
	check(t, err)
	r.Settle()
	equal(t, "after the swap", team(r), map[string]int{"holm": 1})

	// Who is on the rota and is no contact any more is passed over: the team's mailbox has it, not nobody.
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Source: "edt", Force: true},
		[]byte(strings.Replace(emergencyTeam, "holm,ashmere-council,duty,Birk Holm,email,b.holm@edt.ashmere.example,2026-05-18,out_of_hours\n", "", 1)))
	refer(r, council, "ref-2")
	equal(t, "after Holm has left", team(r), map[string]int{"holm": 1, "mailbox": 1})
	r.Verify()
}

func TestASchoolsWeekInAugustNamesWhomANoticeOfThatDayGoesTo(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-08-05 11:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/1", r.Clock.Now(), ivo()))
	r.Settle()
	equal(t, "told", r.MailTo(), []string{"safeguarding@beacon-row.example"})
	week := func(from string) []string {
		response, err := r.Directory.Duty(r.Context(), &directoryv1.DutyRequest{Organisation: "gias:900101", From: from})
		must(t, err)
		spans := []string{}
		for _, s := range response.Spans {
			line := fmt.Sprintf("%s from %s: %s", s.Role, apptest.Clock(s.FromMs), s.Contact)
			if s.Holiday {
				line += " (holiday)"
			}
			if s.Role == "dsl" || s.Role == "head" && s.Holiday {
				spans = append(spans, line)
			}
		}
		return spans
	}
	equal(t, "in August", week("2026-08-03"), []string{
		"dsl from 00:00 Mon 3 Aug (BST): contacts/beacon-row-holiday (holiday)", "head from 00:00 Mon 3 Aug (BST):  (holiday)",
	})
	returns := week("2026-08-31")
	equal(t, "the week in which school begins", []string{returns[0], returns[1]}, []string{
		"dsl from 00:00 Mon 31 Aug (BST): contacts/beacon-row-holiday (holiday)", "dsl from 00:00 Tue 1 Sep (BST): contacts/beacon-row-dsl",
	})
}

// By the default policy: the shift changes in the hour that comes twice, and nobody of the first one answers.
func TestPoliceProtectionInTheHourThatComesTwiceGoesToTheNextShiftAndThenToTheTelephone(t *testing.T) {
	at := func(hhmm, offset string) time.Time {
		instant, err := time.Parse(time.RFC3339, "2026-10-25T"+hhmm+":00"+offset)
		check(t, err)
		return instant
	}
	const bst, gmt = "+01:00", "Z"
	r := withRota(t, "2026-10-24 20:00", "pike,2026-10-24 17:00,2026-10-25 01:00 GMT", "holm,2026-10-25 01:00 GMT,2026-10-25 01:15 GMT", "lund,2026-10-25 01:15 GMT,2026-10-25 09:00")
	police := r.AddAgency("northbridge-police", "northbridge-police")
	r.Clock.Set(at("01:50", bst))
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	began := r.Clock.Now().Add(-time.Hour)
	police.Publish(protection(police, "pp-1", r.Clock.Now(), began, began.Add(72*time.Hour), joss))
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(police.ID, "pp-1")), []string{
		"police_protection.found_area ashmere-council: 01:20 Sun 25 Oct (GMT)", "police_protection.home_area kestrel-vale-council: 01:20 Sun 25 Oct (GMT)",
	})
	for _, step := range []struct {
		at   time.Time
		want map[string]int
	}{
		{at("01:50", bst), map[string]int{"pike": 1}},
		{at("01:04", gmt), map[string]int{"pike": 1}}, // ten to two by the summer clock, and fourteen minutes later
		{at("01:05", gmt), map[string]int{"pike": 1, "holm": 1}},
	} {
		r.Clock.Set(step.at)
		r.Settle()
		equal(t, "told by "+apptest.Clock(step.at.UnixMilli()), team(r), step.want)
	}
	equal(t, "tasks before it is due", r.OpenTasks(), []string{})
	holm := r.Person("b.holm@edt.ashmere.example")
	page := holm.Open(holm.Notices()[0])
	if !strings.Contains(page, "23:50 on Tuesday 27 October 2026 (GMT)") {
		t.Errorf("the next shift does not see when the protection ends:\n%s", page)
	}
	holm.Acknowledge(holm.Notices()[0])
	r.Clock.Set(at("01:20", gmt))
	r.Settle()
	equal(t, "after the acknowledgement", team(r), map[string]int{"pike": 1, "holm": 1})
	equal(t, "tasks when it is due: nobody answered at the home area", r.OpenTasks(), []string{"EXHAUSTED northbridge-police desk"})
	r.Verify()
}

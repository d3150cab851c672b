package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// policeEvent is an event of a kind about one child, reported at an instant, without its payload.
func policeEvent(a *apptest.Agency, kind notice.EventKind, id string, at time.Time, child *eventv1.Child) *eventv1.Event {
	return &eventv1.Event{
		Id: id, Source: string(a.ID), Type: string(kind), Subject: "NP/" + id, Area: apptest.Ashmere,
		Time: timestamppb.New(at), Children: []*eventv1.Child{child},
	}
}

func reportedMissing(a *apptest.Agency, id string, at time.Time, child *eventv1.Child) *eventv1.Event {
	ev := policeEvent(a, notice.MissingReported, id, at, child)
	ev.Narrative = &eventv1.Narrative{Disclosable: "The child left school as usual and did not arrive."}
	ev.Payload = &eventv1.Event_MissingReported{MissingReported: &eventv1.MissingReported{
		LastSeenAt: timestamppb.New(at.Add(-4 * time.Hour)), Carer: &eventv1.OrganisationRef{Name: "Harbour Lights Fostering"},
		LastSeenPlace: &eventv1.Address{Lines: []string{"Harbour Walk"}, Postcode: "ZZ9 2AA"},
	}}
	return ev
}

func protection(a *apptest.Agency, id string, at, began, ends time.Time, child *eventv1.Child) *eventv1.Event {
	ev := policeEvent(a, notice.PoliceProtectionExercised, id, at, child)
	ev.Payload = &eventv1.Event_PoliceProtectionExercised{PoliceProtectionExercised: &eventv1.PoliceProtectionExercised{
		BeganAt: timestamppb.New(began), EndsBy: timestamppb.New(ends), DesignatedOfficer: "Inspector Vale",
	}}
	return ev
}

func concern(a *apptest.Agency, id string, at time.Time, risk eventv1.RiskGrade, child *eventv1.Child) *eventv1.Event {
	ev := policeEvent(a, notice.VulnerablePersonNoticeRaised, id, at, child)
	ev.Risk = risk
	ev.Payload = &eventv1.Event_VulnerablePersonNoticeRaised{VulnerablePersonNoticeRaised: &eventv1.VulnerablePersonNoticeRaised{
		SeenAt: timestamppb.New(at.Add(-time.Hour)), Concern: eventv1.Concern_CONCERN_NEGLECT,
	}}
	return ev
}

// reads has the reader of an address open the one notice that came there, and gives the page.
func reads(t *testing.T, r *apptest.Rig, address string) string {
	t.Helper()
	person := r.Person(address)
	mails := person.Notices()
	if len(mails) != 1 {
		t.Fatalf("%d notices to %s, want one; mail went to %v", len(mails), address, r.MailTo())
	}
	return person.Open(mails[0])
}

func TestAChildPlacedByAnotherAreaIsMissingAndBothAuthoritiesAndTheSchoolAreTold(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	placed := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	placed.LookedAfterBy = apptest.KestrelVale
	police.Publish(reportedMissing(police, "mis-1", r.Clock.Now(), placed))
	r.Settle()

	equal(t, "told", apptest.Told(r.Decision(police.ID, "mis-1")), []string{
		"missing.authority ashmere-council: 20:12 Thu 18 Jun (BST)",
		"missing.placing_authority kestrel-vale-council: 20:12 Thu 18 Jun (BST)",
		"missing.setting gias:900101: 08:30 Fri 19 Jun (BST)",
	})
	host, placing, school := "edt@ashmere.example", "duty@kestrelvale.example", "j.marlowe@beacon-row.example"
	equal(t, "mail", r.MailTo(), []string{placing, host, school})
	for _, address := range []string{host, placing} {
		page := reads(t, r, address)
		for _, want := range []string{"A child is missing", "Brennock", "15:42 on Thursday 18 June 2026 (BST)", "Harbour Lights Fostering", "as usual"} {
			if !strings.Contains(page, want) {
				t.Errorf("the notice to %s does not say %q", address, want)
			}
		}
	}
	page := reads(t, r, school)
	if !strings.Contains(page, "Brennock") || strings.Contains(page, "Harbour Lights") || strings.Contains(page, "Harbour Walk") {
		t.Errorf("the school is told too little, or who has the care of the child, or where it was seen:\n%s", page)
	}
	for _, m := range r.Mail.All() {
		if strings.Contains(m.Subject+m.Text+m.HTML, "Brennock") || strings.Contains(m.Text, "missing") {
			t.Errorf("the mail to %s says what the page is for", m.To)
		}
	}

	// Found in the night: the same three, and the notice says by when a return interview is due.
	r.Clock.Set(apptest.London("2026-06-19 01:30"))
	found := policeEvent(police, notice.MissingFound, "mis-1-found", r.Clock.Now(), placed)
	found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{
		FoundAt: timestamppb.New(apptest.London("2026-06-19 01:05")), Safety: eventv1.Safety_SAFETY_SAFE,
	}}
	police.Publish(found)
	r.Settle()
	equal(t, "told of the return", apptest.Told(r.Decision(police.ID, "mis-1-found")), []string{
		"missing.authority ashmere-council: 02:00 Fri 19 Jun (BST)",
		"missing.placing_authority kestrel-vale-council: 02:00 Fri 19 Jun (BST)",
		"missing.setting gias:900101: 08:30 Fri 19 Jun (BST)",
	})
	mails := r.Person(placing).Notices()
	if page := r.Person(placing).Open(mails[len(mails)-1]); !strings.Contains(page, "01:05 on Monday 22 June 2026 (BST)") {
		t.Errorf("the notice does not say when the return interview is due:\n%s", page)
	}
	r.Verify()
}

func TestPoliceProtectionOnANightWhenTheClocksChange(t *testing.T) {
	for _, tc := range []struct {
		name, began, ends, wrong, at, due, shown string
	}{
		{
			name: "back", began: "2026-10-24T23:00:00+01:00", ends: "2026-10-27T22:00:00Z", wrong: "2026-10-27T23:00:00Z",
			at: "2026-10-25T01:45:00+01:00", due: "01:15 Sun 25 Oct (GMT)", shown: "22:00 on Tuesday 27 October 2026 (GMT)",
		},
		{
			name: "forward", began: "2027-03-27T23:00:00Z", ends: "2027-03-31T00:00:00+01:00", wrong: "2027-03-31T00:00:01+01:00",
			at: "2027-03-28T00:45:00Z", due: "02:15 Sun 28 Mar (BST)", shown: "00:00 on Wednesday 31 March 2027 (BST)",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			instant := func(s string) time.Time {
				at, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			r := apptest.Start(t, instant(tc.at))
			police := r.AddAgency("northbridge-police", "northbridge-police")
			joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
			joss.ResidenceArea = apptest.KestrelVale
			police.Publish(protection(police, "pp-wrong", r.Clock.Now(), instant(tc.began), instant(tc.wrong), joss))
			police.Publish(protection(police, "pp-1", r.Clock.Now(), instant(tc.began), instant(tc.ends), joss))
			r.Settle()

			rejected := apptest.Rejected(police.Feedback())
			if len(rejected) != 1 || rejected[0].EventId != "pp-wrong" {
				t.Fatalf("refused: %v, want the one of more than 72 hours", rejected)
			}
			equal(t, "at fault", fields(rejected[0].Faults), []string{"police_protection_exercised.ends_by"})
			equal(t, "told", apptest.Told(r.Decision(police.ID, "pp-1")), []string{
				"police_protection.found_area ashmere-council: " + tc.due, "police_protection.home_area kestrel-vale-council: " + tc.due,
			})
			for _, address := range []string{"edt@ashmere.example", "duty@kestrelvale.example"} {
				page := reads(t, r, address)
				if !strings.Contains(page, tc.shown) || !strings.Contains(page, "Inspector Vale") {
					t.Errorf("%s does not see when it ends, or whom to ask:\n%s", address, page)
				}
			}
			r.Verify()
		})
	}
}

func TestARedVulnerablePersonNoticeBehindFiveHundredGreenOnesArrivesFirst(t *testing.T) {
	t.Parallel()
	const green = 500
	r := apptest.World(t, apptest.London("2026-06-18 10:00"))
	r.Config.Send.Emails = 1 // one at a time, so that the order of arrival is that of the queue
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")

	// They pile up while sending is stopped, as behind a relay that is down; the red one comes last.
	sending := sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
	if _, err := sending.Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."}); err != nil {
		t.Fatal(err)
	}
	for i := range green {
		police.Publish(concern(police, fmt.Sprintf("vpn-%d", i), r.Clock.Now(), eventv1.RiskGrade_RISK_GRADE_STANDARD, ivo))
	}
	police.Publish(concern(police, "vpn-red", r.Clock.Now(), eventv1.RiskGrade_RISK_GRADE_HIGH, ivo))
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(police.ID, "vpn-red")), []string{
		"vulnerable_person_notice.health_red ashmere-health: 12:00 Thu 18 Jun (BST)",
		"vulnerable_person_notice.red ashmere-council: 12:00 Thu 18 Jun (BST)",
	})
	if mail := r.Mail.All(); len(mail) != 0 {
		t.Fatalf("%d mails went out while sending was stopped", len(mail))
	}
	if _, err := sending.Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."}); err != nil {
		t.Fatal(err)
	}
	r.Settle()

	mails := r.Mail.All()
	if len(mails) != 2*(green+1) {
		t.Fatalf("%d mails, want two for each notice: nothing may be lost", len(mails))
	}
	var first []string
	for _, m := range mails[:2] {
		first = append(first, m.To)
		if page := r.Person(m.To).Open(m); !strings.Contains(page, "NP/vpn-red") {
			t.Errorf("the first mail to %s is not about the red one", m.To)
		}
	}
	slices.Sort(first)
	equal(t, "first", first, []string{"duty@ashmere.example", "safeguarding@ashmere-health.example"})
}

// One bad event of each kind, and a good one behind them: nothing of the bad ones is sent, and none is lost.
func TestABadEventOfEachKindThatPolicePublishIsRefusedByField(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 10:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	now := r.Clock.Now()
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	ago := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(-d)) }
	bad := func(kind notice.EventKind) *eventv1.Event {
		return policeEvent(police, kind, "bad-"+string(kind), now, ivo)
	}

	concern1 := concern(police, "bad-"+string(notice.VulnerablePersonNoticeRaised), now, 0, ivo)
	concern1.GetVulnerablePersonNoticeRaised().Concern = 0
	missing1 := reportedMissing(police, "bad-"+string(notice.MissingReported), now, ivo)
	missing1.GetMissingReported().LastSeenAt = nil
	found := bad(notice.MissingFound)
	found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: ago(-24 * time.Hour)}}
	interview := bad(notice.ReturnInterviewCompleted)
	interview.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{
		ReturnedAt: ago(time.Hour), CompletedAt: ago(2 * time.Hour), Outcome: eventv1.InterviewOutcome_INTERVIEW_OUTCOME_HELD,
	}}
	protected := protection(police, "bad-"+string(notice.PoliceProtectionExercised), now, now.Add(-time.Hour), now.Add(72*time.Hour), ivo)
	ended := bad(notice.PoliceProtectionEnded)
	ended.Payload = &eventv1.Event_PoliceProtectionEnded{PoliceProtectionEnded: &eventv1.PoliceProtectionEnded{BeganAt: ago(time.Hour), EndedAt: ago(0)}}
	detained := bad(notice.CustodyDetained)
	detained.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{
		DetainedAt: ago(time.Hour), HeldAt: strings.Repeat("x", 201),
	}}
	released := bad(notice.CustodyReleased)
	released.Payload = &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
		DetainedAt: ago(time.Hour), ReleasedAt: ago(2 * time.Hour), Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_BAILED,
	}}
	want := map[string][]string{
		concern1.Id:  {"vulnerable_person_notice_raised.concern"},
		missing1.Id:  {"missing_reported.last_seen_at"},
		found.Id:     {"missing_found.found_at", "missing_found.found_at"},
		interview.Id: {"return_interview_completed.completed_at", "return_interview_completed.offered_by"},
		protected.Id: {"police_protection_exercised.ends_by"},
		ended.Id:     {"police_protection_ended.how"},
		detained.Id:  {"custody_detained.held_at"},
		released.Id:  {"custody_released.released_at"},
	}
	for _, ev := range []*eventv1.Event{concern1, missing1, found, interview, protected, ended, detained, released} {
		police.Publish(ev)
	}
	police.Publish(reportedMissing(police, "good", now, ivo))
	r.Settle()

	got := map[string][]string{}
	for _, rejected := range apptest.Rejected(police.Feedback()) {
		got[rejected.EventId] = fields(rejected.Faults)
	}
	equal(t, "refused", got, want)
	tasks := slices.DeleteFunc(r.OpenTasks(), func(task string) bool { return !strings.HasPrefix(task, "QUARANTINED") })
	equal(t, "the publisher's tasks", tasks, slices.Repeat([]string{"QUARANTINED northbridge-police desk"}, len(want)))
	equal(t, "mail: of the good one alone", r.MailTo(), []string{"duty@ashmere.example", "j.marlowe@beacon-row.example"})
	r.Verify()
}

func TestADetainedChildsAuthorityAndYouthJusticeAreToldAndNotWhereAndOfTheRelease(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 10:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := policeEvent(police, notice.CustodyDetained, "cus-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	ev.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{
		DetainedAt: timestamppb.New(r.Clock.Now().Add(-time.Hour)), HeldAt: "Kestrel Road suite", SuspectedOf: "Theft from a shop.",
		AppropriateAdult: eventv1.AppropriateAdult_APPROPRIATE_ADULT_NOT_FOUND,
	}}
	police.Publish(ev)
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(police.ID, "cus-1")), []string{
		"custody.authority ashmere-council: 10:30 Thu 18 Jun (BST)", "custody.youth_justice ashmere-youth-justice: 10:30 Thu 18 Jun (BST)",
	})
	for _, address := range []string{"duty@ashmere.example", "desk@ashmere-yjs.example"} {
		page := reads(t, r, address)
		if !strings.Contains(page, "nobody found yet") || !strings.Contains(page, "Theft from a shop") || strings.Contains(page, "Kestrel Road") {
			t.Errorf("%s sees too little, or where the child is held:\n%s", address, page)
		}
	}
	listed := func() []string {
		t.Helper()
		response, err := r.Ledger.Whereabouts(r.Context(), &ledgerv1.WhereaboutsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		lines := []string{}
		for _, e := range response.Episodes {
			line := fmt.Sprintf("%s of %s: detained %s, no end", e.Kind, e.Reference, apptest.Clock(e.BeganMs))
			if e.EndedMs != 0 {
				line = fmt.Sprintf("%s of %s: detained %s, left %s", e.Kind, e.Reference, apptest.Clock(e.BeganMs), apptest.Clock(e.EndedMs))
			}
			lines = append(lines, line)
		}
		return lines
	}
	equal(t, "in custody", listed(), []string{"EPISODE_KIND_CUSTODY of NP/cus-1: detained 09:00 Thu 18 Jun (BST), no end"})

	// Held for longer than the law lets police hold a child without a charge: taken in as it is, and told to the same.
	r.Clock.Set(apptest.London("2026-06-22 12:00"))
	left := policeEvent(police, notice.CustodyReleased, "cus-1-2", r.Clock.Now(), ev.Children[0])
	left.Subject = ev.Subject
	left.Narrative = &eventv1.Narrative{Disclosable: "A parent came for the child."}
	left.Payload = &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
		DetainedAt: ev.GetCustodyDetained().DetainedAt, ReleasedAt: timestamppb.New(apptest.London("2026-06-22 11:30")),
		Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_NO_FURTHER_ACTION,
	}}
	police.Publish(left)
	r.Settle()
	equal(t, "told of the release", apptest.Told(r.Decision(police.ID, "cus-1-2")), []string{
		"custody.authority ashmere-council: 12:30 Mon 22 Jun (BST)", "custody.youth_justice ashmere-youth-justice: 12:30 Mon 22 Jun (BST)",
	})
	for _, address := range []string{"duty@ashmere.example", "desk@ashmere-yjs.example"} {
		mails := r.Person(address).Notices()
		page := r.Person(address).Open(mails[len(mails)-1])
		for _, want := range []string{"09:00 on Thursday 18 June 2026 (BST)", "11:30 on Monday 22 June 2026 (BST)", "nothing further is to be done", "A parent came"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not see %q of the release:\n%s", address, want, page)
			}
		}
	}
	equal(t, "released", listed(), []string{"EPISODE_KIND_CUSTODY of NP/cus-1: detained 09:00 Thu 18 Jun (BST), left 11:30 Mon 22 Jun (BST)"})
	r.Verify()
}

func TestTheFortnightsListIsOfWhatWasPublished(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	ivo, joss := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"), apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	began := r.Clock.Now().Add(-4 * time.Hour)
	police.Publish(reportedMissing(police, "mis-1", r.Clock.Now(), ivo))
	police.Publish(reportedMissing(police, "mis-2", r.Clock.Now(), joss))
	police.Publish(reportedMissing(police, "mis-3", r.Clock.Now(), apptest.Child("c1", "Noor", "Ashdown", "2013-10-10"))) // sealed
	mistaken := reportedMissing(police, "mis-4", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05"))
	police.Publish(mistaken)
	police.Publish(&eventv1.Event{
		Id: "mis-4-withdrawn", Source: string(police.ID), Type: string(notice.EventWithdrawn), Subject: mistaken.Subject, Area: apptest.Ashmere,
		Time:    timestamppb.New(r.Clock.Now()),
		Payload: &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: "mis-4", Reason: "wrong_child"}},
	})
	r.Settle()
	before := r.Clock.Now()

	r.Clock.Set(apptest.London("2026-06-20 10:00"))
	found := policeEvent(police, notice.MissingFound, "mis-1-found", r.Clock.Now(), ivo)
	returned := apptest.London("2026-06-19 01:05")
	found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: timestamppb.New(returned)}}
	police.Publish(found)
	interview := policeEvent(council, notice.ReturnInterviewCompleted, "ri-1", r.Clock.Now(), ivo)
	interview.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{
		ReturnedAt: timestamppb.New(returned), CompletedAt: timestamppb.New(r.Clock.Now()), Outcome: eventv1.InterviewOutcome_INTERVIEW_OUTCOME_DECLINED,
		OfferedBy: &eventv1.OrganisationRef{Name: "Harbour Lights Youth Club"},
	}}
	council.Publish(interview)
	r.Settle()

	list := func(asOf time.Time) []string {
		response, err := r.Ledger.Whereabouts(r.Context(), &ledgerv1.WhereaboutsRequest{AsOfMs: asOf.UnixMilli()})
		if err != nil {
			t.Fatal(err)
		}
		if text := response.String(); strings.Contains(text, "Brennock") || strings.Contains(text, "Ivo") {
			t.Error("the list names a child")
		}
		lines := []string{}
		for _, e := range response.Episodes {
			if e.BeganMs != began.UnixMilli() {
				t.Errorf("%s began at %s", e.Reference, apptest.Clock(e.BeganMs))
			}
			lines = append(lines, fmt.Sprintf("%s: ended %t, %s", e.Reference, e.EndedMs != 0, e.Interview))
		}
		slices.Sort(lines)
		return lines
	}
	equal(t, "now", list(r.Clock.Now()), []string{
		"NP/mis-1: ended true, INTERVIEW_DECLINED", "NP/mis-2: ended false, INTERVIEW_UNSPECIFIED", "NP/mis-3: ended false, INTERVIEW_UNSPECIFIED",
	})
	autumn, err := r.Ledger.Whereabouts(r.Context(), &ledgerv1.WhereaboutsRequest{AsOfMs: apptest.London("2026-11-04 00:00").UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a fortnight of the calendar, in which the clocks go back", apptest.Clock(autumn.SinceMs), apptest.Clock(apptest.London("2026-10-21 00:00").UnixMilli()))
	equal(t, "as it stood", list(before), []string{
		"NP/mis-1: ended false, INTERVIEW_UNSPECIFIED", "NP/mis-2: ended false, INTERVIEW_UNSPECIFIED", "NP/mis-3: ended false, INTERVIEW_UNSPECIFIED",
	})
}

func TestARedNoticeAtNightGoesOnFromAHubThatIsClosed(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 22:00"))
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "hub.csv", Source: "hub"}, []byte(
		"id,organisation,role,name,channel,address,hours,verified_on\n"+
			"hub,ashmere-council,hub,Safeguarding Hub,email,hub@ashmere.example,Mon-Fri 09:00-17:00,2026-05-18\n"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(concern(police, "vpn-1", r.Clock.Now(), eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	equal(t, "at once", r.MailTo(), []string{"hub@ashmere.example", "safeguarding@ashmere-health.example"})
	r.Clock.Set(apptest.London("2026-06-18 22:30"))
	r.Settle()
	equal(t, "half an hour later", r.MailTo(), []string{"edt@ashmere.example", "hub@ashmere.example", "safeguarding@ashmere-health.example"})
	r.Person("edt@ashmere.example").Acknowledge(r.Person("edt@ashmere.example").Notices()[0])
	r.Settle()
	r.Clock.Set(apptest.London("2026-06-19 00:00"))
	r.Settle()
	equal(t, "at the due time: nobody answered at the health trust, and police telephone", r.OpenTasks(), []string{"EXHAUSTED northbridge-police desk"})
	r.Verify()
}

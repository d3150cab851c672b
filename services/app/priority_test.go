package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestWhatAPatternOrAnIndicatorRaisesGoesBeforeFiveHundredThatWaited(t *testing.T) {
	t.Parallel()
	const standard = 500
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	r.Config.Send.Emails = 1 // one at a time, so that the order of arrival is that of the queue
	r.Boot()
	r.ImportBorough()
	roll := "pupil_id,upn,nhs_number,given,family,known_as,date_of_birth,postcode,residence_area,setting,authority,enrolment,from,until,pattern,as_of\n"
	for i := range standard {
		roll += fmt.Sprintf("R-%d,%s,,Ada%s,Larch%s,,2015-03-03,,%s,900101,,,2019-09-03,,,2026-06-01\n", i, upn(i), letters(i), letters(i), apptest.Ashmere)
	}
	if result := r.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Name: "roll.csv", Source: "other-roll"}, []byte(roll)); len(result.Faults) > 0 {
		t.Fatal(result.Faults[0])
	}
	police := r.AddAgency("northbridge-police", "northbridge-police")
	graded := func(id string, at time.Time, c *eventv1.Child) *eventv1.Event {
		ev := apptest.Incident(police, id, "NP/"+id, at, c)
		ev.Risk = eventv1.RiskGrade_RISK_GRADE_STANDARD
		return ev
	}
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	orla := apptest.Child("c1", "Orla", "Quint", "2015-01-30")
	first, second := graded("ivo-1", r.Clock.Now().AddDate(0, 0, -60), ivo), graded("ivo-2", r.Clock.Now().AddDate(0, 0, -20), ivo)
	police.Publish(first)
	police.Publish(second)
	r.Settle()
	before := len(r.Mail.All())

	sending := sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
	if _, err := sending.Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."}); err != nil {
		t.Fatal(err)
	}
	for i := range standard {
		police.Publish(graded(fmt.Sprintf("other-%d", i), r.Clock.Now(), apptest.Child("c1", "Ada"+letters(i), "Larch"+letters(i), "2015-03-03")))
	}
	unseen := graded("orla-unseen", r.Clock.Now(), orla)
	unseen.Checks.Welfare = eventv1.Check_CHECK_NOT_DONE
	police.Publish(unseen)
	police.Publish(graded("ivo-3", r.Clock.Now(), ivo))
	r.Settle()
	if _, err := sending.Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."}); err != nil {
		t.Fatal(err)
	}
	r.Settle()

	var raised []string
	for _, id := range []string{"ivo-1", "ivo-2", "ivo-3", "orla-unseen", "other-499"} {
		for _, n := range r.Decision(police.ID, id).Notices {
			raised = append(raised, strings.TrimSpace(id+": "+n.Lane.String()+" "+n.LaneBecause))
		}
	}
	equal(t, "lanes", raised, []string{
		"ivo-1: LANE_ROUTINE", "ivo-2: LANE_ROUTINE",
		"ivo-3: LANE_HIGH the child was in at least three incidents within 90 days",
		"orla-unseen: LANE_HIGH nobody has seen the child, who was there",
		"other-499: LANE_ROUTINE",
	})
	mails := r.Mail.All()[before:]
	if len(mails) != standard+2 {
		t.Fatalf("%d mails, want one for each notice: nothing may be lost", len(mails))
	}
	var about []string
	for _, m := range mails[:2] {
		page := r.Person(m.To).Open(m)
		for _, id := range []string{"ivo-3", "orla-unseen", "other-"} {
			if strings.Contains(page, "NP/"+id) {
				about = append(about, id)
			}
		}
	}
	slices.Sort(about)
	equal(t, "first", about, []string{"ivo-3", "orla-unseen"})
	r.Verify()
}

func TestWhatIsDueWithinTheHourGoesBeforeWhatWaitedAllNight(t *testing.T) {
	const waiting = 20
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	r.Config.Send.Emails = 1 // one at a time, so that the order of arrival is that of the queue
	r.Boot()
	r.ImportBorough()
	roll := "pupil_id,upn,nhs_number,given,family,known_as,date_of_birth,postcode,residence_area,setting,authority,enrolment,from,until,pattern,as_of\n"
	for i := range waiting {
		roll += fmt.Sprintf("R-%d,%s,,Ada%s,Larch%s,,2015-03-03,,%s,900101,,,2019-09-03,,,2026-06-01\n", i, upn(i), letters(i), letters(i), apptest.Ashmere)
	}
	if result := r.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Name: "roll.csv", Source: "other-roll"}, []byte(roll)); len(result.Faults) > 0 {
		t.Fatal(result.Faults[0])
	}
	police := r.AddAgency("northbridge-police", "northbridge-police")
	standard := func(id string, c *eventv1.Child) *eventv1.Event {
		ev := apptest.Incident(police, id, "NP/"+id, r.Clock.Now(), c)
		ev.Risk = eventv1.RiskGrade_RISK_GRADE_STANDARD
		return ev
	}
	sending := sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
	_, err := sending.Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."})
	must(t, err)
	for i := range waiting {
		police.Publish(standard(fmt.Sprintf("evening-%d", i), apptest.Child("c1", "Ada"+letters(i), "Larch"+letters(i), "2015-03-03")))
	}
	r.Settle()
	r.Clock.Set(apptest.London("2026-06-19 07:50"))
	police.Publish(standard("morning", apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	_, err = sending.Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "A test."})
	must(t, err)
	r.Settle()

	var lanes []string
	for _, id := range []string{"evening-0", "morning"} {
		for _, n := range r.Decision(police.ID, id).Notices {
			lanes = append(lanes, strings.TrimSpace(fmt.Sprintf("%s, due %s: %v %s", id, apptest.Clock(n.DueMs), n.Lane, n.LaneBecause)))
		}
	}
	equal(t, "lanes", lanes, []string{
		"evening-0, due 08:30 Fri 19 Jun (BST): LANE_ROUTINE", "morning, due 08:30 Fri 19 Jun (BST): LANE_HIGH it is due within the hour",
	})
	mails := r.Mail.All()
	if len(mails) != waiting+1 {
		t.Fatalf("%d mails, want one for each notice: nothing may be lost", len(mails))
	}
	if page := r.Person(mails[0].To).Open(mails[0]); !strings.Contains(page, "NP/morning") {
		t.Error("the first mail is about what waited")
	}
	r.Verify()
}

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// councils are the authorities that a decision tells, each as "<rule> <organisation>".
func councils(r *apptest.Rig, a *apptest.Agency, event string) []string {
	r.T.Helper()
	told := []string{}
	for _, n := range r.Decision(a.ID, event).Notices {
		if strings.HasSuffix(n.Organisation, "-council") {
			told = append(told, n.Rule+" "+n.Organisation)
		}
	}
	slices.Sort(told)
	return told
}

// The roll and the authority that looks after the child both say Kestrel Vale; police say only where it happened.
func TestTheAuthorityOfWhereItHappenedCannotBeLeftOut(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	now := r.Clock.Now()
	ago := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(-d)) }
	joss := func() *eventv1.Child {
		c := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
		c.ResidenceArea, c.LookedAfterBy = "", apptest.KestrelVale
		return c
	}

	found := policeEvent(police, notice.MissingFound, "found", now, joss())
	found.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: ago(time.Hour)}}
	interview := policeEvent(police, notice.ReturnInterviewCompleted, "interview", now, joss())
	interview.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{
		ReturnedAt: ago(2 * time.Hour), CompletedAt: ago(time.Hour), Outcome: eventv1.InterviewOutcome_INTERVIEW_OUTCOME_HELD,
		OfferedBy: &eventv1.OrganisationRef{Id: "harbour-trust"},
	}}
	detained := policeEvent(police, notice.CustodyDetained, "detained", now, joss())
	detained.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{DetainedAt: ago(time.Hour)}}
	released := policeEvent(police, notice.CustodyReleased, "released", now, joss())
	released.Payload = &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
		DetainedAt: ago(2 * time.Hour), ReleasedAt: ago(time.Hour), Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_BAILED,
	}}
	// Where the authority of the place is told already, it is told once.
	here := joss()
	here.LookedAfterBy = apptest.Ashmere
	police.Publish(reportedMissing(police, "looked-after-here", now, here))
	r.Settle()
	equal(t, "where the authority of the place looks after the child", councils(r, police, "looked-after-here"), []string{
		"missing.authority kestrel-vale-council", "missing.placing_authority ashmere-council",
	})

	for _, tc := range []struct {
		event *eventv1.Event
		rules string // whose rules tell both authorities
	}{
		{reportedMissing(police, "missing", now, joss()), "missing."},
		{found, "missing."},
		{interview, "return_interview."},
		{detained, "custody."},
		{released, "custody."},
	} {
		police.Publish(tc.event)
		r.Settle()
		equal(t, "told of "+tc.event.Id, councils(r, police, tc.event.Id), []string{
			tc.rules + "authority kestrel-vale-council", tc.rules + "incident_authority ashmere-council",
		})
	}
	for risk, grade := range map[eventv1.RiskGrade]string{
		eventv1.RiskGrade_RISK_GRADE_HIGH: "red", eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED: "red",
		eventv1.RiskGrade_RISK_GRADE_MEDIUM: "amber", eventv1.RiskGrade_RISK_GRADE_STANDARD: "green",
	} {
		id := strings.ToLower(risk.String())
		police.Publish(concern(police, id, now, risk, joss()))
		r.Settle()
		want := []string{
			"vulnerable_person_notice." + grade + " kestrel-vale-council", "vulnerable_person_notice.incident_" + grade + " ashmere-council",
		}
		slices.Sort(want)
		equal(t, "told of "+id, councils(r, police, id), want)
	}

	r.Verify()
}

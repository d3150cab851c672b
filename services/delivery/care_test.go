package delivery

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// sampleCare sets the payload of a placement, plan, medical or enrolment.
func sampleCare(t *testing.T, ev *eventv1.Event, kind notice.EventKind) {
	t.Helper()
	at := func(s string) *timestamppb.Timestamp { return timestamppb.New(instant(t, s)) }
	ref := func(id string) *eventv1.OrganisationRef { return &eventv1.OrganisationRef{Id: id} }
	group := []*eventv1.Participant{
		{Organisation: ref("gias:900101"), Function: "school", Person: "Jo Penrose"},
		{Organisation: &eventv1.OrganisationRef{Name: "Ashmere Community Health"}, Function: "health_visitor"},
	}
	switch string(kind) {
	case string(notice.PlacementNotified):
		ev.Payload = &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{
			Urgency: eventv1.PlacementUrgency_PLACEMENT_URGENCY_PLANNED, BeginsAt: at("2026-11-24T10:00:00Z"), PlacedIn: "E09000901",
			Placement: eventv1.PlacementKind_PLACEMENT_KIND_FOSTER_CARE, ParentsInformed: eventv1.ParentsInformed_PARENTS_INFORMED_NO_RISK,
		}}
	case string(notice.ResponsibilityAccepted):
		ev.Payload = &eventv1.Event_ResponsibilityAccepted{ResponsibilityAccepted: &eventv1.ResponsibilityAccepted{
			Accepts:    &eventv1.Matter{Agency: "ashmere-social-care", Kind: "enquiry.concluded", Reference: "S47-0199"},
			AcceptedAt: at("2026-11-19T16:00:00Z"), AcceptedBy: "R. Castellane, team manager",
		}}
	case string(notice.ProtectionPlanStarted):
		ev.Payload = &eventv1.Event_ProtectionPlanStarted{ProtectionPlanStarted: &eventv1.ProtectionPlanStarted{
			StartedAt: at("2026-11-19T13:00:00Z"), Category: "neglect,emotional", Plan: "A family worker visits weekly.", CoreGroup: group,
			CoreGroupMeetsAt: at("2026-12-01T10:00:00Z"),
		}}
	case string(notice.ProtectionPlanEnded):
		ev.Payload = &eventv1.Event_ProtectionPlanEnded{ProtectionPlanEnded: &eventv1.ProtectionPlanEnded{
			EndedAt: at("2026-11-19T13:00:00Z"), Reason: eventv1.PlanEnd_PLAN_END_RISK_ENDED, NextStep: "A child in need plan.", CoreGroup: group,
		}}
	case string(notice.MedicalRequested):
		ev.Payload = &eventv1.Event_MedicalRequested{MedicalRequested: &eventv1.MedicalRequested{
			RequestedAt: at("2026-11-19T22:50:00Z"), Kind: eventv1.MedicalKind_MEDICAL_KIND_PHYSICAL, NeededBy: at("2026-11-20T12:00:00Z"),
			Question: "Whether the marks agree with the account given.", Consent: eventv1.MedicalConsent_MEDICAL_CONSENT_NOT_YET,
			CallBack: "Duty social worker, 01632 960 104", Providers: group[1:],
		}}
	case string(notice.MedicalConcluded):
		ev.Payload = &eventv1.Event_MedicalConcluded{MedicalConcluded: &eventv1.MedicalConcluded{
			ExaminedAt: at("2026-11-19T21:00:00Z"), Outcome: eventv1.MedicalOutcome_MEDICAL_OUTCOME_INCONCLUSIVE,
			NextStep: "Seen again in a week.", Findings: "Two marks of the same age.",
		}}
	case string(notice.EnrolmentChanged):
		ev.Payload = &eventv1.Event_EnrolmentChanged{EnrolmentChanged: &eventv1.EnrolmentChanged{
			Change: eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT, Setting: ref("gias:900101"), On: "2026-12-04",
			Other: &eventv1.OrganisationRef{Name: "Heronsgate Primary School"},
		}}
	default:
		t.Fatalf("no sample of kind %s", kind)
	}
}

// Whoever is not told that the parents know must not take it that they do.
func TestAPlacementOfWhichTheParentsMayNotKnowSaysSo(t *testing.T) {
	for stated, want := range map[eventv1.ParentsInformed]string{
		eventv1.ParentsInformed_PARENTS_INFORMED_NO_RISK:     "no, and they must not",
		eventv1.ParentsInformed_PARENTS_INFORMED_UNSPECIFIED: "not stated: take it that they do not",
	} {
		ev := sampleEvent(t, notice.PlacementNotified)
		ev.GetPlacementNotified().ParentsInformed = stated
		mail, err := RenderMail(sampleMessage(t, sampleNotice(t, notice.PlacementNotified, ev), Full), sampleNames)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(mail.Text, want) {
			t.Errorf("%s: the notice does not say %q:\n%s", stated, want, mail.Text)
		}
	}
}

func TestAnUnbornChildIsFoundByItsMother(t *testing.T) {
	ev := sampleEvent(t, notice.ProtectionPlanStarted)
	ev.Children = []*eventv1.Child{{Ref: "c1", Unborn: &eventv1.Unborn{
		ExpectedOn: "2027-02-14", MotherRef: "p1", Mother: &eventv1.Name{Given: "Maren", Family: "Hartley"}, MotherBornOn: "1994-04-30",
	}}}
	mail, err := RenderMail(sampleMessage(t, sampleNotice(t, notice.ProtectionPlanStarted, ev), Full), sampleNames)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "unborn_child_full", mail)
}

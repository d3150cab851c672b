package delivery

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	noticeID   = "abcdefghjkmnpqrstvwx"
	replacedID = "zyxwvtsrqpnmkjhgfedc"
)

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func sampleNames(id notice.OrgID) string {
	return map[notice.OrgID]string{
		"gias:900101":         "Ashmere Primary School",
		"ashmere-council":     "Ashmere Council",
		"kestrel-vale-police": "Kestrel Vale Police",
	}[id]
}

// sampleEvent is an event of the kind in which every field a view could show is set.
func sampleEvent(t *testing.T, kind notice.EventKind) *eventv1.Event {
	t.Helper()
	at := func(s string) *timestamppb.Timestamp { return timestamppb.New(instant(t, s)) }
	ev := &eventv1.Event{
		Id: "kv-1", Source: "kestrel-vale-police", Type: string(kind), Subject: "KV/2026/004512", Time: at("2026-11-19T23:05:00Z"), Area: "E09000901",
		Children: []*eventv1.Child{{
			Ref: "c1", Name: &eventv1.Name{Given: "Rowan", Family: "Hartley", KnownAs: "Ro"}, DateOfBirth: "2017-03-04",
			Identifiers: []*eventv1.Identifier{{Scheme: "upn", Value: "R305200024001"}},
			Address:     &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
			Presence:    eventv1.Presence_PRESENCE_PRESENT, Voice: "Rowan asked to sleep at her aunt's.",
			SettingAsStated: "Ashmere school",
		}},
		Risk:      eventv1.RiskGrade_RISK_GRADE_HIGH,
		Checks:    &eventv1.Checks{Pnc: eventv1.Check_CHECK_DONE, Pnd: eventv1.Check_CHECK_NOT_DONE},
		Narrative: &eventv1.Narrative{Disclosable: "Officers were called to an argument between two adults.\nIt had ended when they came."},
	}
	people := []*eventv1.Participant{
		{Organisation: &eventv1.OrganisationRef{Id: "kestrel-vale-police"}, Function: "police", Person: "DS Morgan", Attendance: eventv1.Attendance_ATTENDANCE_ATTENDED},
		{Organisation: &eventv1.OrganisationRef{Name: "Ashmere Community Health"}, Function: "health", Attendance: eventv1.Attendance_ATTENDANCE_ABSENT},
	}
	actions := []*eventv1.Action{
		{Owner: &eventv1.OrganisationRef{Id: "ashmere-council"}, Text: "Visit the child at school.", DueOn: "2026-11-24"},
		{Owner: &eventv1.OrganisationRef{Name: "Ashmere Community Health"}, Text: "Share the health record."},
	}
	switch kind {
	case notice.EncompassIncident:
		ev.Payload = &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{
			OccurredAt: at("2026-11-19T22:40:00Z"), Place: &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
		}}
	case notice.ReferralReceived:
		ev.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: at("2026-11-19T09:00:00Z")}}
		ev.People = []*eventv1.Person{{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Given: "Ana", Family: "Ferreira"},
			Email: "ana@health.example", Organisation: &eventv1.OrganisationRef{Name: "Ashmere Community Health"}, Professional: true}}
	case notice.ReferralDecided:
		ev.Payload = &eventv1.Event_ReferralDecided{ReferralDecided: &eventv1.ReferralDecided{
			ReceivedAt: at("2026-11-19T09:00:00Z"), DecidedAt: at("2026-11-19T16:30:00Z"),
			Decision: eventv1.ReferralDecision_REFERRAL_DECISION_ASSESSMENT, NextStep: "A social worker will call you this week.",
		}}
	case notice.StrategyMeetingConvened:
		ev.Payload = &eventv1.Event_StrategyMeetingConvened{StrategyMeetingConvened: &eventv1.StrategyMeetingConvened{
			MeetsAt: at("2026-11-20T14:00:00Z"), Joining: "Room 2, Ashmere Town Hall", Urgent: true, Invited: people[:1],
		}}
	case notice.StrategyMeetingConcluded:
		ev.Payload = &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{
			HeldAt: at("2026-11-20T14:00:00Z"), Decision: eventv1.MeetingDecision_MEETING_DECISION_JOINT_ENQUIRY,
			Record: "The meeting agreed a joint enquiry.\n\nPolice and the local authority will see the child together.", Participants: people, Actions: actions,
		}}
	case notice.EnquiryConcluded:
		ev.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
			ConcludedAt: at("2026-11-27T12:00:00Z"), Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK,
			Summary: "The enquiry found that the concerns were right.", Participants: people,
		}}
	case notice.ConferenceConcluded:
		ev.Payload = &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
			HeldAt: at("2026-12-04T10:00:00Z"), Outcome: eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN, Category: "neglect,emotional",
			Record: "The child is made the subject of a plan.", Participants: people, Actions: actions,
		}}
	case notice.VulnerablePersonNoticeRaised:
		ev.Payload = &eventv1.Event_VulnerablePersonNoticeRaised{VulnerablePersonNoticeRaised: &eventv1.VulnerablePersonNoticeRaised{
			SeenAt: at("2026-11-19T22:40:00Z"), Concern: eventv1.Concern_CONCERN_EXPLOITATION,
			Place: &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
		}}
	case notice.MissingReported:
		ev.Payload = &eventv1.Event_MissingReported{MissingReported: &eventv1.MissingReported{
			LastSeenAt: at("2026-11-19T17:10:00Z"), LastSeenPlace: &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
			Carer: &eventv1.OrganisationRef{Name: "Harbour Lights Fostering"},
		}}
	case notice.MissingFound:
		ev.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{
			FoundAt: at("2026-11-19T22:40:00Z"), How: eventv1.FoundHow_FOUND_HOW_BY_POLICE, Safety: eventv1.Safety_SAFETY_HARMED,
			Place: &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
		}}
	case notice.ReturnInterviewCompleted:
		ev.Payload = &eventv1.Event_ReturnInterviewCompleted{ReturnInterviewCompleted: &eventv1.ReturnInterviewCompleted{
			ReturnedAt: at("2026-11-17T22:40:00Z"), CompletedAt: at("2026-11-19T16:00:00Z"), Outcome: eventv1.InterviewOutcome_INTERVIEW_OUTCOME_HELD,
			OfferedBy: &eventv1.OrganisationRef{Name: "Harbour Lights Youth Club"}, Summary: "Rowan stayed with a friend.\nNobody had asked why.",
		}}
	case notice.PoliceProtectionExercised:
		ev.Payload = &eventv1.Event_PoliceProtectionExercised{PoliceProtectionExercised: &eventv1.PoliceProtectionExercised{
			BeganAt: at("2026-11-19T22:40:00Z"), EndsBy: at("2026-11-22T22:40:00Z"), DesignatedOfficer: "Inspector Vale",
			Place: &eventv1.Address{Lines: []string{"1 Invented Row"}, Postcode: "ZZ1 1ZZ"},
		}}
	case notice.PoliceProtectionEnded:
		ev.Payload = &eventv1.Event_PoliceProtectionEnded{PoliceProtectionEnded: &eventv1.PoliceProtectionEnded{
			BeganAt: at("2026-11-17T22:40:00Z"), EndedAt: at("2026-11-19T16:00:00Z"), How: eventv1.ProtectionEnd_PROTECTION_END_EMERGENCY_PROTECTION_ORDER,
		}}
	case notice.CustodyDetained:
		ev.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{
			DetainedAt: at("2026-11-19T22:40:00Z"), AppropriateAdult: eventv1.AppropriateAdult_APPROPRIATE_ADULT_NOT_FOUND,
			SuspectedOf: "Theft from a shop.",
		}}
	case notice.CustodyReleased:
		ev.Payload = &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
			DetainedAt: at("2026-11-18T22:40:00Z"), ReleasedAt: at("2026-11-19T16:00:00Z"),
			Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_CHARGED_AND_KEPT_FOR_COURT,
		}}
	case notice.PlacementNotified, notice.ResponsibilityAccepted, notice.ProtectionPlanStarted, notice.ProtectionPlanEnded,
		notice.MedicalRequested, notice.MedicalConcluded, notice.EnrolmentChanged:
		sampleCare(t, ev, kind)
	case notice.EventWithdrawn, notice.Manifest, notice.DeletionRequest: // no notice tells of one
		t.Fatalf("no notice tells of a %s", kind)
	default:
		t.Fatalf("no sample of kind %s", kind)
	}
	return ev
}

// sampleNotice is a composed notice about the events.
func sampleNotice(t *testing.T, kind notice.EventKind, events ...*eventv1.Event) *noticev1.Notice {
	t.Helper()
	function := "attendee"
	switch kind.Family() {
	case "encompass":
		function = "setting"
	case "custody":
		function = "youth_justice"
	}
	do, doNot := advice(kind, function, true)
	if len(events) == 0 {
		events = []*eventv1.Event{sampleEvent(t, kind)}
	}
	return &noticev1.Notice{
		Id: noticeID, Version: 1, Kind: string(kind), Organisation: "gias:900101", Role: "dsl",
		Basis:   "Domestic Abuse Act 2021, section 49A",
		Because: "Sent on behalf of Kestrel Vale Police. The child is registered at your school.",
		Due:     timestamppb.New(instant(t, "2026-11-20T08:30:00Z")), Acknowledge: kind != notice.ReferralReceived,
		Do: do, DoNot: doNot, Events: events, Invitation: kind == notice.StrategyMeetingConvened,
	}
}

func sampleMessage(t *testing.T, n *noticev1.Notice, form Form) Message {
	t.Helper()
	return Message{
		Notice: n,
		Endpoint: Endpoint{Contact: "ashmere-primary-dsl", Organisation: "gias:900101", Role: "dsl", Channel: Email,
			Address: "dsl@ashmere-primary.example", Name: "Jo Penrose"},
		Form: form, Link: "https://signalbox.example/n/" + noticeID + ".1.0123456789abcdefghjkmnpqrs",
		MessageID: MessageID(n.GetId(), "ashmere-primary-dsl", "signalbox.example"), Attempt: 1,
		At: instant(t, "2026-11-19T23:06:00Z"),
	}
}

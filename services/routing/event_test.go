package routing_test

import (
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// reported is a pupil as a publisher names it; the handle is the id.
func reported(id string) *eventv1.Child {
	for _, p := range pupils() {
		if p.id == id {
			return &eventv1.Child{
				Ref: p.id, Name: &eventv1.Name{Given: p.given, Family: p.family}, DateOfBirth: p.born, ResidenceArea: ashmere,
				Presence: eventv1.Presence_PRESENCE_PRESENT, Voice: p.given + " hid upstairs.",
			}
		}
	}
	return &eventv1.Child{Ref: id, Name: &eventv1.Name{Given: "Zed", Family: "Nobody"}, DateOfBirth: "2015-05-05", ResidenceArea: ashmere}
}

func children(ids ...string) []*eventv1.Child {
	var out []*eventv1.Child
	for _, id := range ids {
		out = append(out, reported(id))
	}
	return out
}

// incident is an Operation Encompass event about pupils.
func incident(id, at string, ids ...string) *eventv1.Event {
	return &eventv1.Event{
		Id: id, Source: "ashmere-police", Type: "encompass.incident", Subject: "AP/1234/26", Time: stamp(at), Area: ashmere,
		Children: children(ids...), Checks: &eventv1.Checks{Pnc: eventv1.Check_CHECK_DONE},
		Narrative: &eventv1.Narrative{Disclosable: "Police attended after a call from a neighbour."},
		Payload:   &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{OccurredAt: stamp(at)}},
	}
}

func referrer(professional bool) *eventv1.Person {
	p := &eventv1.Person{
		Ref: "r", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Given: "Rae", Family: "Quill"}, Professional: professional,
	}
	if professional {
		p.Organisation = &eventv1.OrganisationRef{Id: ashmereHealth}
	} else {
		p.Email = "rae.quill@mail.example"
	}
	return p
}

func referralReceived(who *eventv1.Person, ids ...string) *eventv1.Event {
	return &eventv1.Event{
		Id: "r-1", Source: "ashmere-council", Type: "referral.received", Subject: "REF-1", Time: stamp("2026-11-05T10:00:00Z"), Area: ashmere,
		Children: children(ids...), People: []*eventv1.Person{who},
		Payload: &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: stamp("2026-11-05T10:00:00Z")}},
	}
}

func referralDecided(who *eventv1.Person, ids ...string) *eventv1.Event {
	return &eventv1.Event{
		Id: "r-2", Source: "ashmere-council", Type: "referral.decided", Subject: "REF-1", Time: stamp("2026-11-06T09:00:00Z"), Area: ashmere,
		Children: children(ids...), People: []*eventv1.Person{who},
		Payload: &eventv1.Event_ReferralDecided{ReferralDecided: &eventv1.ReferralDecided{
			ReceivedAt: stamp("2026-11-05T10:00:00Z"), DecidedAt: stamp("2026-11-06T09:00:00Z"),
			Decision: eventv1.ReferralDecision_REFERRAL_DECISION_ASSESSMENT, NextStep: "A social worker visits next week.",
		}},
	}
}

func takesPart(id, function string, a eventv1.Attendance) *eventv1.Participant {
	return &eventv1.Participant{Organisation: &eventv1.OrganisationRef{Id: id}, Function: function, Attendance: a}
}

const (
	attended = eventv1.Attendance_ATTENDANCE_ATTENDED
	absent   = eventv1.Attendance_ATTENDANCE_ABSENT
	invited  = eventv1.Attendance_ATTENDANCE_UNSPECIFIED
)

func convened(urgent bool, ids []string, who ...*eventv1.Participant) *eventv1.Event {
	return &eventv1.Event{
		Id: "m-1", Source: "ashmere-council", Type: "strategy_meeting.convened", Subject: "SM-1", Time: stamp("2026-11-05T10:00:00Z"), Area: ashmere,
		Children: children(ids...),
		Payload: &eventv1.Event_StrategyMeetingConvened{StrategyMeetingConvened: &eventv1.StrategyMeetingConvened{
			MeetsAt: stamp("2026-11-05T15:00:00Z"), Joining: "Room 4", Urgent: urgent, Invited: who,
		}},
	}
}

func concluded(ids []string, who ...*eventv1.Participant) *eventv1.Event {
	return &eventv1.Event{
		Id: "m-2", Source: "ashmere-council", Type: "strategy_meeting.concluded", Subject: "SM-1", Time: stamp("2026-11-06T16:00:00Z"), Area: ashmere,
		Children: children(ids...),
		Payload: &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{
			HeldAt: stamp("2026-11-06T15:00:00Z"), Decision: eventv1.MeetingDecision_MEETING_DECISION_JOINT_ENQUIRY,
			Record: "Those present agreed a joint enquiry.", Participants: who,
			Actions: []*eventv1.Action{{Owner: &eventv1.OrganisationRef{Id: ashmereHealth}, Text: "Arrange a medical."}},
		}},
	}
}

func enquiry(ids []string, who ...*eventv1.Participant) *eventv1.Event {
	return &eventv1.Event{
		Id: "e-1", Source: "ashmere-council", Type: "enquiry.concluded", Subject: "S47-1", Time: stamp("2026-11-06T16:00:00Z"), Area: ashmere,
		Children: children(ids...),
		Payload: &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
			ConcludedAt: stamp("2026-11-06T15:00:00Z"), Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_NOT_SUBSTANTIATED,
			Summary: "No further concerns.", Participants: who,
		}},
	}
}

func conference(ids []string, who ...*eventv1.Participant) *eventv1.Event {
	return &eventv1.Event{
		Id: "c-1", Source: "ashmere-council", Type: "conference.concluded", Subject: "CC-1", Time: stamp("2026-11-06T16:00:00Z"), Area: ashmere,
		Children: children(ids...),
		Payload: &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
			HeldAt: stamp("2026-11-06T15:00:00Z"), Outcome: eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN, Category: "neglect",
			Record: "A plan was made.", Participants: who,
		}},
	}
}

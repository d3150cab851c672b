package notice

import (
	"slices"
	"strings"
)

// EventKind is a kind of event, family and verb: `encompass.incident`.
type EventKind string

// The kinds of event.
const (
	EncompassIncident        EventKind = "encompass.incident"
	ReferralReceived         EventKind = "referral.received"
	ReferralDecided          EventKind = "referral.decided"
	StrategyMeetingConvened  EventKind = "strategy_meeting.convened"
	StrategyMeetingConcluded EventKind = "strategy_meeting.concluded"
	EnquiryConcluded         EventKind = "enquiry.concluded"
	ConferenceConcluded      EventKind = "conference.concluded"

	VulnerablePersonNoticeRaised EventKind = "vulnerable_person_notice.raised"
	MissingReported              EventKind = "missing.reported"
	MissingFound                 EventKind = "missing.found"
	ReturnInterviewCompleted     EventKind = "return_interview.completed"
	PoliceProtectionExercised    EventKind = "police_protection.exercised"
	PoliceProtectionEnded        EventKind = "police_protection.ended"
	CustodyDetained              EventKind = "custody.detained"
	CustodyReleased              EventKind = "custody.released"
	PlacementNotified            EventKind = "placement.notified"
	ResponsibilityAccepted       EventKind = "responsibility.accepted"
	ProtectionPlanStarted        EventKind = "protection_plan.started"
	ProtectionPlanEnded          EventKind = "protection_plan.ended"
	MedicalRequested             EventKind = "medical.requested"
	MedicalConcluded             EventKind = "medical.concluded"
	EnrolmentChanged             EventKind = "enrolment.changed"

	// EventWithdrawn takes an earlier event back. It is published like any other and told to nobody.
	EventWithdrawn EventKind = "event.withdrawn"
	// Manifest lists what a publisher sent of a day. It is published like any other and told to nobody.
	Manifest EventKind = "manifest"
	// DeletionRequest is the kind of a notice that asks somebody to delete another. Nobody publishes it.
	DeletionRequest EventKind = "deletion.request"
)

// EveryKind stands for all kinds of event where somebody is given access: an empty list may be a slip, so it is not taken
// for all of them.
const EveryKind = "all"

// PublishedKinds lists every kind that an agency may publish.
func PublishedKinds() []EventKind { return append(EventKinds(), EventWithdrawn, Manifest) }

// EventKinds lists every kind that somebody is told of, in the order in which a case meets them.
func EventKinds() []EventKind {
	return []EventKind{
		EncompassIncident, ReferralReceived, ReferralDecided, StrategyMeetingConvened, StrategyMeetingConcluded,
		EnquiryConcluded, ConferenceConcluded,
		VulnerablePersonNoticeRaised, MissingReported, MissingFound, ReturnInterviewCompleted,
		PoliceProtectionExercised, PoliceProtectionEnded, CustodyDetained, CustodyReleased,
		PlacementNotified, ResponsibilityAccepted, ProtectionPlanStarted, ProtectionPlanEnded, MedicalRequested, MedicalConcluded,
		EnrolmentChanged,
	}
}

// Unborn says whether an event of this kind can be about a child who is not born yet. No such child can be missing, detained, in
// police protection, placed, examined or enrolled; whatever else happens, midwifery and the hub have to know.
func (k EventKind) Unborn() bool {
	return !slices.Contains([]EventKind{
		MissingReported, MissingFound, ReturnInterviewCompleted, PoliceProtectionExercised, PoliceProtectionEnded,
		CustodyDetained, CustodyReleased, PlacementNotified, MedicalRequested, MedicalConcluded, EnrolmentChanged,
	}, k)
}

// Family is the part before the dot, or all of a kind that has none, the last token of the subject that the event is published on.
func (k EventKind) Family() string {
	family, _, _ := strings.Cut(string(k), ".")
	return family
}

package notice

import "strings"

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
)

// EventKinds lists every kind, in the order in which a case meets them.
func EventKinds() []EventKind {
	return []EventKind{
		EncompassIncident, ReferralReceived, ReferralDecided, StrategyMeetingConvened, StrategyMeetingConcluded,
		EnquiryConcluded, ConferenceConcluded,
	}
}

// Family is the part before the dot, the last token of the subject that the event is published on.
func (k EventKind) Family() string {
	family, _, _ := strings.Cut(string(k), ".")
	return family
}

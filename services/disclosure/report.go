package disclosure

import (
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Report is an event as it may be told of about one child: its texts were looked through once, for however many
// recipients. It does not change, and the event must not.
type Report struct {
	event    *eventv1.Event
	cleared  *eventv1.Event // the event without the texts of the findings
	child    string
	findings []Finding
}

// NewReport looks through the texts of an event for a notice about the child with the ref.
func NewReport(ev *eventv1.Event, childRef string) *Report {
	r := &Report{event: ev, cleared: ev, child: childRef, findings: Withhold(ev, childRef)}
	if len(r.findings) > 0 {
		r.cleared = WithoutText(ev, r.findings)
	}
	return r
}

// Findings are what the texts hold that they must not.
func (r *Report) Findings() []Finding { return r.findings }

// As is the recipient as far as the view shows it something else than others: itself where the view shows actions to
// their owners and it owns one, else nobody. Those who are the same are shown the same.
func (r *Report) As(recipient notice.OrgID, v View) notice.OrgID {
	if v.ownActionsOnly && recipient != "" {
		for _, a := range actionsOf(r.event) {
			if a.GetOwner().GetId() == string(recipient) {
				return recipient
			}
		}
	}
	return ""
}

// actionsOf are the actions that an event tells of.
func actionsOf(ev *eventv1.Event) []*eventv1.Action {
	return append(slices.Clip(ev.GetStrategyMeetingConcluded().GetActions()), ev.GetConferenceConcluded().GetActions()...)
}

// Shown is what a recipient sees of a report.
type Shown struct {
	Event    *eventv1.Event // shared by all who see the same: it must not be changed
	Fields   []string       // paths, as Apply gives them
	Withheld bool           // a text that the view allows is left out
}

// Show is what the recipient sees by the view.
func (r *Report) Show(recipient notice.OrgID, v View) Shown {
	event, fields := Apply(r.cleared, r.child, recipient, v)
	s := Shown{Event: event, Fields: fields}
	if len(r.findings) > 0 {
		_, all := Apply(r.event, r.child, recipient, v)
		s.Withheld = len(fields) < len(all)
	}
	return s
}

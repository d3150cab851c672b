package delivery

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// returnInterviewWithin is when the interview of a child who was missing is due after the return, in elapsed hours
// (statutory guidance on children who run away or go missing from home or care).
const returnInterviewWithin = 72 * time.Hour

// police lays out what police tell of a child.
func (l layer) police(p *Part, ev *eventv1.Event) {
	rows := (*rowList)(&p.Rows)
	switch {
	case ev.GetVulnerablePersonNoticeRaised() != nil:
		v := ev.GetVulnerablePersonNoticeRaised()
		rows.add("Concern", concernText(v.GetConcern()))
		rows.add("Police met the child, or learnt of it", stamp(v.GetSeenAt()))
		rows.add("Reported", stamp(ev.GetTime()))
		rows.add("Where", l.address(v.GetPlace()))
		if v.GetSeenAt() != nil {
			l.checks(p, ev)
		}
	case ev.GetMissingReported() != nil:
		m := ev.GetMissingReported()
		rows.add("Last seen", stamp(m.GetLastSeenAt()))
		rows.add("Reported missing", stamp(ev.GetTime()))
		rows.add("Last seen at", l.address(m.GetLastSeenPlace()))
		rows.add("Looked after by", l.organisation(m.GetCarer()))
	case ev.GetMissingFound() != nil:
		f := ev.GetMissingFound()
		rows.add("Found", stamp(f.GetFoundAt()))
		if f.GetFoundAt() != nil {
			rows.add("How", foundText(f.GetHow()))
			rows.add("Is the child safe", safetyText(f.GetSafety()))
		}
		rows.add("Where", l.address(f.GetPlace()))
		rows.add("Return interview due by", after(f.GetFoundAt(), returnInterviewWithin))
	case ev.GetReturnInterviewCompleted() != nil:
		r := ev.GetReturnInterviewCompleted()
		rows.add("Came back", stamp(r.GetReturnedAt()))
		rows.add("Return interview", interviewText(r.GetOutcome()))
		rows.add("Held or declined", stamp(r.GetCompletedAt()))
		rows.add("Was due by", after(r.GetReturnedAt(), returnInterviewWithin))
		rows.add("Offered by", l.organisation(r.GetOfferedBy()))
		p.text("What came of it", r.GetSummary())
	case ev.GetPoliceProtectionExercised() != nil:
		x := ev.GetPoliceProtectionExercised()
		rows.add("Began", stamp(x.GetBeganAt()))
		rows.add("Ends by", stamp(x.GetEndsBy()))
		rows.add("Found at", l.address(x.GetPlace()))
		rows.add("Designated officer", x.GetDesignatedOfficer())
	case ev.GetPoliceProtectionEnded() != nil:
		x := ev.GetPoliceProtectionEnded()
		rows.add("Began", stamp(x.GetBeganAt()))
		rows.add("Ended", stamp(x.GetEndedAt()))
		rows.add("How it ended", protectionEndText(x.GetHow()))
	case ev.GetCustodyDetained() != nil:
		c := ev.GetCustodyDetained()
		rows.add("Detained since", stamp(c.GetDetainedAt()))
		rows.add("Held at", c.GetHeldAt())
		if c.GetDetainedAt() != nil {
			rows.add("Appropriate adult", appropriateAdultText(c.GetAppropriateAdult()))
		}
		p.text("Suspected of", c.GetSuspectedOf())
	case ev.GetCustodyReleased() != nil:
		c := ev.GetCustodyReleased()
		rows.add("Detained", stamp(c.GetDetainedAt()))
		rows.add("Left police custody", stamp(c.GetReleasedAt()))
		rows.add("How it ended", custodyOutcomeText(c.GetOutcome()))
	}
}

// checks shows what police looked up, and that they did not say so where they did not.
func (layer) checks(p *Part, ev *eventv1.Event) {
	rows := (*rowList)(&p.Rows)
	rows.add("Police National Computer check", checkText(ev.GetChecks().GetPnc()))
	rows.add("Police National Database check", checkText(ev.GetChecks().GetPnd()))
	rows.add("Welfare check (an officer has seen the child)", checkText(ev.GetChecks().GetWelfare()))
}

// after is an instant so many elapsed hours later, as it reads.
func after(t *timestamppb.Timestamp, hours time.Duration) string {
	if t == nil {
		return ""
	}
	return stamp(timestamppb.New(t.AsTime().Add(hours)))
}

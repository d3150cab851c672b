package routing

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// shortestWait is the shortest time that a recipient is given before the chain moves on, where the due time is nearer or past.
const shortestWait = 15 * time.Minute

// Times of day, local.
const (
	noon       = "12:00" // ends the wait for somebody in a holiday
	deskOpens  = "09:00" // until then a working day counts as ahead
	defaultCut = "08:30" // ends the wait where no calendar has a session
)

// schoolClock is the calendar and attendance that a due time may follow.
type schoolClock struct {
	calendar directory.Calendar
	pattern  string
}

// due works out a due time, and says why then. It counts from when the event came in, however long it waited or a question
// about it was open: what is late is late.
func (d *decider) due(c *policyv1.Clock, s *subject, school schoolClock) (time.Time, string) {
	from, ev := d.received(s), s.event
	minutes := time.Duration(c.Minutes) * time.Minute
	working := d.Directory.WorkingDays()
	switch c.Clock {
	case "next_session":
		if session, ok := school.calendar.Current(from, school.pattern); ok {
			if by := from.Add(minutes); by.Before(session.Ends) {
				return by, fmt.Sprintf("reported during the school day: within %d minutes", c.Minutes)
			}
			return session.Ends, "reported during the school day: before the day ends"
		}
		if session, ok := school.calendar.Next(from, school.pattern); ok {
			return session.CutOff, "before the child's next attended session"
		}
		return nextWorkingMorning(from, working), "no term ahead in the calendar: the morning of the next working day"
	case "working_days":
		from, what := clockFrom(c.From, ev)
		return working.Add(from, int(c.WorkingDays)), fmt.Sprintf("%s from %s", days(c.WorkingDays), what)
	case "noon_next_working_day":
		return nextNoon(from, working), "noon of the next working day"
	case "before_meeting":
		if meets := ev.GetStrategyMeetingConvened().GetMeetsAt(); meets != nil {
			return d.beforeMeeting(meets.AsTime(), c.Minutes)
		}
		return d.Now, "before the meeting"
	case "placement":
		return placementDue(c, ev, working)
	default: // at_once; the policy's check admits no other
		return from.Add(minutes), "at once: within " + span(c.Minutes)
	}
}

// received is when the event came in that a subject was last reported by. A duty that begins now, because an operator asks for
// it or because what had ended it was taken back, counts from now.
func (d *decider) received(s *subject) time.Time {
	anew := []ledgerv1.Cause{ledgerv1.Cause_CAUSE_REPLAY, ledgerv1.Cause_CAUSE_ENDING, ledgerv1.Cause_CAUSE_ACCEPTANCE}
	at := d.events[s.index].Received
	if at.IsZero() || at.After(d.Now) || slices.Contains(anew, d.round.Cause) {
		return d.Now
	}
	return at
}

// keepDue leaves a notice the time by which somebody should have had the one before it, where nobody has: a correction takes
// nothing off a duty. A meeting, a placement or a term that begins later is another matter.
func (d *decider) keepDue(n *ledgerv1.Notice) {
	if n.Kind == string(notice.StrategyMeetingConvened) || n.Kind == string(notice.PlacementNotified) || n.ReleaseMs != 0 {
		return
	}
	for _, p := range d.round.Prior {
		if p.Obligation == n.Obligation && !p.Withdrawn && !p.Again && p.DueMS != 0 && p.DueMS < n.DueMs {
			n.DueMs, n.DueBecause = p.DueMS, p.DueBecause
		}
	}
}

func nextWorkingMorning(from time.Time, w directory.WorkingDays) time.Time {
	today := directory.DateOf(from)
	if cut := today.At(defaultCut); w.Is(today) && from.Before(cut) {
		return cut
	}
	return w.Next(today).At(defaultCut)
}

// nextNoon is noon of the working day ahead: today's where the desk has yet to open, else the next one's.
func nextNoon(from time.Time, w directory.WorkingDays) time.Time {
	today := directory.DateOf(from)
	if w.Is(today) && from.Before(today.At(deskOpens)) {
		return today.At(noon)
	}
	return w.Next(today).At(noon)
}

// span is a number of minutes as people say it: two hours and more that are whole ones, as hours.
func span(minutes int32) string {
	if minutes >= 120 && minutes%60 == 0 {
		return fmt.Sprintf("%d hours", minutes/60)
	}
	return fmt.Sprintf("%d minutes", minutes)
}

func days(n int32) string {
	if n == 1 {
		return "one working day"
	}
	return fmt.Sprintf("%d working days", n)
}

// clockFrom is the instant that working days count from.
func clockFrom(from string, ev *eventv1.Event) (time.Time, string) {
	var at *timestamppb.Timestamp
	what := "the event"
	switch from {
	case "received":
		what = "receipt"
		at = ev.GetReferralDecided().GetReceivedAt()
		if at == nil {
			at = ev.GetReferralReceived().GetReceivedAt()
		}
	case "held":
		what = "the conclusion"
		switch p := ev.Payload.(type) {
		case *eventv1.Event_StrategyMeetingConcluded:
			at = p.StrategyMeetingConcluded.HeldAt
		case *eventv1.Event_EnquiryConcluded:
			at = p.EnquiryConcluded.ConcludedAt
		case *eventv1.Event_ConferenceConcluded:
			at = p.ConferenceConcluded.HeldAt
		case *eventv1.Event_ProtectionPlanStarted:
			at, what = p.ProtectionPlanStarted.StartedAt, "the start of the plan"
		case *eventv1.Event_ProtectionPlanEnded:
			at, what = p.ProtectionPlanEnded.EndedAt, "the end of the plan"
		case *eventv1.Event_MedicalConcluded:
			at, what = p.MedicalConcluded.ExaminedAt, "the examination"
		}
	}
	if at == nil {
		return ev.Time.AsTime(), "the event"
	}
	return at.AsTime(), what
}

// placementDue is before a planned placement begins, and so many working days after one that an emergency brought about.
func placementDue(c *policyv1.Clock, ev *eventv1.Event, w directory.WorkingDays) (time.Time, string) {
	p := ev.GetPlacementNotified()
	begins := ev.Time.AsTime()
	if p.GetBeginsAt() != nil {
		begins = p.BeginsAt.AsTime()
	}
	if p.GetUrgency() == eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY {
		return w.Add(begins, int(c.WorkingDays)), fmt.Sprintf("%s from the beginning of an emergency placement", days(c.WorkingDays))
	}
	return begins, "before the placement begins"
}

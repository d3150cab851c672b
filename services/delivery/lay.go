package delivery

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// event lays out one event. What the view cut away is simply not there.
func (l layer) event(ev *eventv1.Event) Part {
	var p Part
	rows := (*rowList)(&p.Rows)
	rows.add("Reference", ev.GetSubject())
	switch {
	case ev.GetEncompassIncident() != nil:
		l.encompass(&p, ev, ev.GetEncompassIncident())
	case ev.GetReferralReceived() != nil:
		rows.add("Received", stamp(ev.GetReferralReceived().GetReceivedAt()))
	case ev.GetReferralDecided() != nil:
		r := ev.GetReferralDecided()
		rows.add("Received", stamp(r.GetReceivedAt()))
		rows.add("Decided", stamp(r.GetDecidedAt()))
		rows.add("Decision", referralDecision(r.GetDecision()))
		p.text("Next step", r.GetNextStep())
	case ev.GetStrategyMeetingConvened() != nil:
		m := ev.GetStrategyMeetingConvened()
		rows.add("Starts", stamp(m.GetMeetsAt()))
		if m.GetUrgent() {
			rows.add("Urgent", "yes: it is held the same day")
		}
		p.text("How to take part", m.GetJoining())
		p.list("Who is invited", l.participants(m.GetInvited()))
	case ev.GetStrategyMeetingConcluded() != nil:
		m := ev.GetStrategyMeetingConcluded()
		rows.add("Held", stamp(m.GetHeldAt()))
		rows.add("Decision", meetingDecision(m.GetDecision()))
		p.text("Record", m.GetRecord())
		p.list("Actions", l.actions(m.GetActions()))
		p.list("Who took part", l.participants(m.GetParticipants()))
	case ev.GetEnquiryConcluded() != nil:
		e := ev.GetEnquiryConcluded()
		rows.add("Ended", stamp(e.GetConcludedAt()))
		rows.add("Outcome", enquiryOutcome(e.GetOutcome()))
		p.text("Summary", e.GetSummary())
		p.list("Parties to the enquiry", l.participants(e.GetParticipants()))
	case ev.GetConferenceConcluded() != nil:
		c := ev.GetConferenceConcluded()
		rows.add("Held", stamp(c.GetHeldAt()))
		rows.add("Outcome", conferenceOutcome(c.GetOutcome()))
		rows.add("Category of harm", strings.ReplaceAll(c.GetCategory(), ",", ", "))
		p.text("Decisions and outline plan", c.GetRecord())
		p.list("Actions", l.actions(c.GetActions()))
		p.list("Who took part", l.participants(c.GetParticipants()))
	default:
		l.police(&p, ev)
		l.care(&p, ev)
	}
	rows.add("Risk, as the publisher graded it", riskGrade(ev.GetRisk()))
	p.text("Circumstances", ev.GetNarrative().GetDisclosable())
	for _, c := range ev.GetChildren() {
		p.text("What the child said or showed", c.GetVoice())
	}
	p.text("Not for disclosure to anyone else", ev.GetNarrative().GetRestricted())
	p.list("People concerned", l.people(ev.GetPeople()))
	return p
}

// encompass shows presence and checks as not stated where the publisher did not say, for that is itself worth knowing:
// but only to a recipient who may see them, which the time of the incident, of the same label, tells.
func (l layer) encompass(p *Part, ev *eventv1.Event, e *eventv1.EncompassIncident) {
	rows := (*rowList)(&p.Rows)
	rows.add("When", stamp(e.GetOccurredAt()))
	rows.add("Reported", stamp(ev.GetTime()))
	rows.add("Where", l.address(e.GetPlace()))
	if e.GetOccurredAt() == nil {
		return
	}
	presence := eventv1.Presence_PRESENCE_UNSPECIFIED
	for _, c := range ev.GetChildren() {
		presence = c.GetPresence()
	}
	if !l.apart {
		rows.add("Was the child present", presenceText(presence))
	}
	l.checks(p, ev)
}

func (p *Part) text(heading, text string) {
	if ps := paragraphs(text); len(ps) > 0 {
		p.Texts = append(p.Texts, Text{Heading: heading, Paragraphs: ps})
	}
}

func (p *Part) list(heading string, items []string) {
	if len(items) > 0 {
		p.Lists = append(p.Lists, List{Heading: heading, Items: items})
	}
}

func (l layer) organisation(o *eventv1.OrganisationRef) string {
	if o.GetId() != "" {
		if name := line(l.names(notice.OrgID(o.GetId()))); name != "" {
			return name
		}
	}
	if name := line(o.GetName()); name != "" {
		return name
	}
	return line(o.GetId())
}

func (l layer) participants(all []*eventv1.Participant) []string {
	var items []string
	for _, p := range all {
		item := joined(l.organisation(p.GetOrganisation()), strings.ReplaceAll(p.GetFunction(), "_", " "), p.GetPerson())
		switch p.GetAttendance() {
		case eventv1.Attendance_ATTENDANCE_ATTENDED:
			item += ": took part"
		case eventv1.Attendance_ATTENDANCE_ABSENT:
			item += ": did not take part"
		case eventv1.Attendance_ATTENDANCE_UNSPECIFIED:
		}
		if item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (l layer) actions(all []*eventv1.Action) []string {
	var items []string
	for _, a := range all {
		item := line(a.GetText())
		if owner := l.organisation(a.GetOwner()); owner != "" {
			item = owner + ": " + item
		}
		if due := LongDate(a.GetDueOn()); due != "" {
			item += " (by " + due + ")"
		}
		items = append(items, item)
	}
	return items
}

func (l layer) people(all []*eventv1.Person) []string {
	var items []string
	for _, p := range all {
		item := joined(personRole(p.GetRole()), fullName(p.GetName()), born(p.GetDateOfBirth()),
			l.organisation(p.GetOrganisation()), p.GetEmail(), p.GetTelephone(), l.position(p))
		if address := l.address(p.GetAddress()); address != "" {
			item = joined(item, "address "+address)
		}
		if item != "" {
			items = append(items, item)
		}
	}
	return items
}

// joined sets what is not empty apart by commas.
func joined(parts ...string) string {
	var some []string
	for _, s := range parts {
		if s = line(s); s != "" {
			some = append(some, s)
		}
	}
	return strings.Join(some, ", ")
}

func born(date string) string {
	if date == "" {
		return ""
	}
	return "born " + LongDate(date)
}

func stamp(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return LongTime(t.AsTime(), directory.London())
}

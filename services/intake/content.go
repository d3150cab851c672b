package intake

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// checkPeople checks the children and the others concerned.
func checkPeople(ev *eventv1.Event, came moment, found *faults) {
	when := came
	if ev.GetTime().CheckValid() == nil {
		when = moment{at: ev.GetTime().AsTime(), known: true}
	}
	for i, child := range ev.GetChildren() {
		at := fmt.Sprintf("children[%d]", i)
		if child.GetUnborn() != nil {
			checkUnborn(ev, child, at, when, found)
		} else if child.GetName() != nil && nameless(child.GetName()) {
			found.add(at+".name", "is empty: give the family name or the given names")
		}
		if problem := birthProblem(child.GetDateOfBirth(), when, came, adultYears); problem != "" {
			found.add(at+".date_of_birth", "%s", problem)
		}
		for j, id := range child.GetIdentifiers() {
			if problem := identifierProblem(id); problem != "" {
				found.add(fmt.Sprintf("%s.identifiers[%d].value", at, j), "%s", problem)
			}
		}
	}
	referrers := 0
	for i, person := range ev.GetPeople() {
		if problem := birthProblem(person.GetDateOfBirth(), came, came, oldYears); problem != "" {
			found.add(entry("people", i, "date_of_birth").String(), "%s", problem)
		}
		if person.GetOrganisation() != nil {
			checkOrganisation(person.GetOrganisation(), entry("people", i, "organisation"), found)
		}
		if person.GetWorksAt() != nil {
			checkOrganisation(person.GetWorksAt(), entry("people", i, "works_at"), found)
			if !person.GetWorksWithChildren() {
				found.add(entry("people", i, "works_at").String(), "is given of somebody who is not said to work with children: set works_with_children, or leave it out")
			}
		}
		if person.GetRole() == eventv1.PersonRole_PERSON_ROLE_REFERRER {
			referrers++
		}
	}
	kind := kindOf(ev)
	if referrers != 1 && (kind == notice.ReferralReceived || kind == notice.ReferralDecided) {
		found.add("people", "must hold one person with role %s: name who referred, once", eventv1.PersonRole_PERSON_ROLE_REFERRER)
	}
}

func nameless(n *eventv1.Name) bool {
	return strings.TrimSpace(n.GetGiven()) == "" && strings.TrimSpace(n.GetFamily()) == ""
}

// birthProblem checks a date of birth that has the right form; the contract checks the form. The age counts at when.
func birthProblem(date string, when, came moment, years int) string {
	if !dateShaped(date) {
		return ""
	}
	born, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
		return "is not a date of the calendar: give the date as YYYY-MM-DD"
	// In summer a child is born on a British date that is not yet UTC's.
	case came.isBefore(born, time.Hour):
		return "is in the future: correct the date"
	case years == adultYears && when.isAfter(born.AddDate(years, 0, 0)):
		return "makes the child more than 25 years old: is this an adult? Correct the year, or give adults under people"
	case when.isAfter(born.AddDate(years, 0, 0)):
		return "makes the person more than 120 years old: correct the year"
	default:
		return ""
	}
}

func dateShaped(s string) bool { return len(s) == len(time.DateOnly) && s[4] == '-' && s[7] == '-' }

func checkOrganisation(o *eventv1.OrganisationRef, at *place, found *faults) {
	if o.GetId() != "" {
		if _, err := notice.ParseOrgID(o.GetId()); err != nil {
			found.add(at.named("id").String(), "is not an id of the directory, such as ashmere-council or gias:900101: put what you have in name")
		}
		return
	}
	if o.GetName() != "" && strings.TrimSpace(o.GetName()) == "" {
		found.add(at.named("name").String(), "is blank: give the organisation's name, or its id in the directory")
	}
}

// checkPayload checks what the contract cannot say about each kind.
func checkPayload(ev *eventv1.Event, came moment, found *faults) {
	switch p := ev.GetPayload().(type) {
	case *eventv1.Event_ReferralDecided:
		if before(p.ReferralDecided.GetDecidedAt(), p.ReferralDecided.GetReceivedAt()) {
			found.add("referral_decided.decided_at", "is before received_at: correct one of the two")
		}
	case *eventv1.Event_StrategyMeetingConvened:
		checkParticipants(p.StrategyMeetingConvened.GetInvited(), "strategy_meeting_convened.invited", found)
	case *eventv1.Event_StrategyMeetingConcluded:
		checkParticipants(p.StrategyMeetingConcluded.GetParticipants(), "strategy_meeting_concluded.participants", found)
		checkActions(p.StrategyMeetingConcluded.GetActions(), "strategy_meeting_concluded.actions", found)
	case *eventv1.Event_EnquiryConcluded:
		checkParticipants(p.EnquiryConcluded.GetParticipants(), "enquiry_concluded.participants", found)
	case *eventv1.Event_ConferenceConcluded:
		checkParticipants(p.ConferenceConcluded.GetParticipants(), "conference_concluded.participants", found)
		checkActions(p.ConferenceConcluded.GetActions(), "conference_concluded.actions", found)
		if !knownCategories(p.ConferenceConcluded.GetCategory()) {
			found.add("conference_concluded.category", "is not known: use neglect, physical, sexual, emotional, or several with commas between")
		}
	case *eventv1.Event_EventWithdrawn:
		checkWithdrawal(ev, p.EventWithdrawn, found)
	case *eventv1.Event_Manifest:
		checkManifest(ev, p.Manifest, came, found)
	default:
		checkPolice(ev, found)
		checkCare(ev, found)
	}
}

// checkWithdrawal sees to it that a withdrawal says which event and why, and tells nothing of anybody.
func checkWithdrawal(ev *eventv1.Event, w *eventv1.EventWithdrawn, found *faults) {
	if w.GetEvent() != "" && w.GetEvent() == ev.GetId() {
		found.add("event_withdrawn.event", "is the event's own id: give the id of the event that is withdrawn")
	}
	if ev.GetSupersedes() != "" {
		found.add("supersedes", "does not belong in a withdrawal, which corrects nothing: leave it out")
	}
	namesNobody(ev, "a withdrawal", found)
}

func before(a, b *timestamppb.Timestamp) bool {
	return a.CheckValid() == nil && b.CheckValid() == nil && a.AsTime().Before(b.AsTime())
}

func checkParticipants(list []*eventv1.Participant, at string, found *faults) {
	for i, p := range list {
		checkOrganisation(p.GetOrganisation(), entry(at, i, "organisation"), found)
	}
}

func checkActions(list []*eventv1.Action, at string, found *faults) {
	for i, a := range list {
		checkOrganisation(a.GetOwner(), entry(at, i, "owner"), found)
		if due := a.GetDueOn(); dateShaped(due) {
			if _, err := time.Parse(time.DateOnly, due); err != nil {
				found.add(fmt.Sprintf("%s[%d].due_on", at, i), "is not a date of the calendar: give the date as YYYY-MM-DD, or leave it out")
			}
		}
	}
}

func knownCategories(list string) bool {
	if list == "" {
		return true
	}
	for word := range strings.SplitSeq(list, ",") {
		switch strings.TrimSpace(word) {
		case "neglect", "physical", "sexual", "emotional":
		default:
			return false
		}
	}
	return true
}

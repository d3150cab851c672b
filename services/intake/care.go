package intake

import (
	"fmt"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Of an unborn child: how long after the expected day it is taken for unborn still, and how far ahead that day may be.
const (
	overdueDays  = 60
	expectedDays = 310
)

// checkUnborn checks a child who is not born yet.
func checkUnborn(ev *eventv1.Event, child *eventv1.Child, at string, when moment, found *faults) {
	u := child.GetUnborn()
	if kind := notice.EventKind(ev.GetType()); !kind.Unborn() {
		found.add(at+".unborn", "is set, and %s cannot be about a child who is not born yet: give name and date of birth, or name the mother alone "+
			"and publish the concern for her baby as a notice or a referral of its own", kind)
	}
	if dateShaped(u.GetExpectedOn()) {
		switch expected, err := time.Parse(time.DateOnly, u.GetExpectedOn()); {
		case err != nil:
			found.add(at+".unborn.expected_on", "is not a date of the calendar: give the date as YYYY-MM-DD")
		case when.isAfter(expected.AddDate(0, 0, overdueDays)):
			found.add(at+".unborn.expected_on", "is long past: give the child's name and date of birth instead, or correct the date")
		case when.isBefore(expected, expectedDays*24*time.Hour):
			found.add(at+".unborn.expected_on", "is more than ten months ahead: correct the date")
		}
	}
	if u.GetMotherRef() != "" && (u.GetMotherRef() == child.GetRef() || !hasRef(ev, u.GetMotherRef())) {
		found.add(at+".unborn.mother_ref", "is not the ref of anybody else in the event: add the mother to people, or give her ref among children")
	}
	if problem := birthProblem(u.GetMotherBornOn(), when, when, oldYears); problem != "" {
		found.add(at+".unborn.mother_born_on", "%s", problem)
	}
	if len(child.GetIdentifiers()) > 0 {
		found.add(at+".identifiers", "do not belong with an unborn child, who has none yet: leave them out")
	}
	if child.GetPresence() == eventv1.Presence_PRESENCE_PRESENT || child.GetVoice() != "" || child.GetSettingAsStated() != "" {
		found.add(at+".unborn", "is set for a child who was present, spoke or goes to a setting: leave out one of the two")
	}
}

func hasRef(ev *eventv1.Event, ref string) bool {
	for _, p := range ev.GetPeople() {
		if p.GetRef() == ref {
			return true
		}
	}
	for _, c := range ev.GetChildren() {
		if c.GetRef() == ref {
			return true
		}
	}
	return false
}

// checkCare checks what the contract cannot say about placements, plans, medicals and enrolments.
func checkCare(ev *eventv1.Event, found *faults) {
	switch p := ev.GetPayload().(type) {
	case *eventv1.Event_PlacementNotified:
		checkPlacement(ev, p.PlacementNotified, found)
	case *eventv1.Event_ResponsibilityAccepted:
		checkAcceptance(ev, p.ResponsibilityAccepted, found)
	case *eventv1.Event_ProtectionPlanStarted:
		plan := p.ProtectionPlanStarted
		checkParticipants(plan.GetCoreGroup(), "protection_plan_started.core_group", found)
		if plan.GetCategory() != "" && !knownCategories(plan.GetCategory()) {
			found.add("protection_plan_started.category", "is not known: use neglect, physical, sexual, emotional, or several with commas between")
		}
		if before(plan.GetCoreGroupMeetsAt(), plan.GetStartedAt()) {
			found.add("protection_plan_started.core_group_meets_at", "is before started_at: correct one of the two")
		}
	case *eventv1.Event_ProtectionPlanEnded:
		checkParticipants(p.ProtectionPlanEnded.GetCoreGroup(), "protection_plan_ended.core_group", found)
	case *eventv1.Event_MedicalRequested:
		checkParticipants(p.MedicalRequested.GetProviders(), "medical_requested.providers", found)
		if before(p.MedicalRequested.GetNeededBy(), p.MedicalRequested.GetRequestedAt()) {
			found.add("medical_requested.needed_by", "is before requested_at: correct one of the two, or leave it out for as soon as can be")
		}
	case *eventv1.Event_EnrolmentChanged:
		checkEnrolment(ev, p.EnrolmentChanged, found)
	}
}

func checkPlacement(ev *eventv1.Event, p *eventv1.PlacementNotified, found *faults) {
	if _, err := notice.ParseArea(p.GetPlacedIn()); err == nil && p.GetPlacedIn() != ev.GetArea() {
		found.add("placement_notified.placed_in", "is not the event's area: give the area where the child is placed in both")
	}
	for i, c := range ev.GetChildren() {
		if c.GetLookedAfterBy() == "" {
			found.add(fmt.Sprintf("children[%d].looked_after_by", i), "is missing: give the GSS code of the authority that looks after the child and places it")
		}
	}
	if p.GetUrgency() == eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY && before(ev.GetTime(), p.GetBeginsAt()) {
		found.add("placement_notified.begins_at", "is after the event's time: a placement that is still to come is planned, so correct urgency or the time")
	}
}

func checkAcceptance(ev *eventv1.Event, a *eventv1.ResponsibilityAccepted, found *faults) {
	m := a.GetAccepts()
	switch kind := notice.EventKind(m.GetKind()); {
	case m.GetKind() == "" || m.GetAgency() == "": // the contract says so
	case !told(kind):
		found.add("responsibility_accepted.accepts.kind", "is not a kind of event that can be accepted: give the type of the event that the notice was about")
	case m.GetAgency() == ev.GetSource():
		found.add("responsibility_accepted.accepts.agency", "is your own: name the agency of the other area whose event you accept")
	}
}

// told says whether somebody is told of a kind of event and can accept what it is about.
func told(kind notice.EventKind) bool {
	for _, k := range notice.EventKinds() {
		if k == kind {
			return k != notice.ResponsibilityAccepted
		}
	}
	return false
}

func checkEnrolment(ev *eventv1.Event, e *eventv1.EnrolmentChanged, found *faults) {
	checkOrganisation(e.GetSetting(), (&place{name: "enrolment_changed", index: -1}).named("setting"), found)
	if e.GetOther() != nil {
		checkOrganisation(e.GetOther(), (&place{name: "enrolment_changed", index: -1}).named("other"), found)
	}
	if e.GetOther().GetId() != "" && e.GetOther().GetId() == e.GetSetting().GetId() {
		found.add("enrolment_changed.other", "is the same setting: give the one at the other end of the move, or leave it out")
	}
	if e.GetToHomeEducation() && e.GetChange() == eventv1.EnrolmentChange_ENROLMENT_CHANGE_JOINED {
		found.add("enrolment_changed.to_home_education", "is set for a child who joined a setting: leave it out, or correct change")
	}
	if e.GetToHomeEducation() && e.GetOther() != nil {
		found.add("enrolment_changed.other", "is given for a child who is to be educated at home: leave out one of the two")
	}
	if on := e.GetOn(); dateShaped(on) {
		day, err := time.Parse(time.DateOnly, on)
		switch {
		case err != nil:
			found.add("enrolment_changed.on", "is not a date of the calendar: give the date as YYYY-MM-DD")
		case ev.GetTime().CheckValid() == nil && (day.After(ev.GetTime().AsTime().Add(meetsAhead)) || day.Before(ev.GetTime().AsTime().Add(-meetsAhead))):
			found.add("enrolment_changed.on", "is more than a year from the event: correct the year")
		}
	}
}

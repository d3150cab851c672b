package intake_test

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// careBadInputs are faults of placements, plans, medicals, enrolments and unborn children.
func careBadInputs() []bad {
	in := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(d)) }
	return []bad{
		{name: "a placement that does not say where or how", kind: notice.PlacementNotified, change: func(ev *eventv1.Event) {
			p := ev.GetPlacementNotified()
			p.Urgency, p.BeginsAt, p.PlacedIn = 0, nil, leak
			ev.Children[0].LookedAfterBy = ""
		}},
		{name: "a placement in another area than the event's", kind: notice.PlacementNotified, change: func(ev *eventv1.Event) {
			ev.GetPlacementNotified().PlacedIn = "E09000902"
		}},
		{name: "an emergency that is still to come", kind: notice.PlacementNotified, change: func(ev *eventv1.Event) {
			ev.GetPlacementNotified().Urgency = eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY
		}},
		{name: "a placement years ahead", kind: notice.PlacementNotified, change: func(ev *eventv1.Event) {
			ev.GetPlacementNotified().BeginsAt = in(400 * 24 * time.Hour)
		}},
		{name: "an acceptance of nothing by nobody", kind: notice.ResponsibilityAccepted, change: func(ev *eventv1.Event) {
			a := ev.GetResponsibilityAccepted()
			a.Accepts, a.AcceptedAt, a.AcceptedBy = nil, nil, ""
		}},
		{name: "an acceptance of what cannot be accepted", kind: notice.ResponsibilityAccepted, change: func(ev *eventv1.Event) {
			ev.GetResponsibilityAccepted().Accepts = &eventv1.Matter{Agency: leak, Kind: "responsibility.accepted", Reference: ""}
		}},
		{name: "an acceptance of one's own", kind: notice.ResponsibilityAccepted, change: func(ev *eventv1.Event) {
			ev.GetResponsibilityAccepted().Accepts.Agency = ev.Source
		}},
		{name: "a plan of nobody for nothing", kind: notice.ProtectionPlanStarted, change: func(ev *eventv1.Event) {
			p := ev.GetProtectionPlanStarted()
			p.Category, p.CoreGroup, p.StartedAt = leak, nil, in(time.Hour)
		}},
		{name: "a core group that meets before the plan", kind: notice.ProtectionPlanStarted, change: func(ev *eventv1.Event) {
			p := ev.GetProtectionPlanStarted()
			p.CoreGroupMeetsAt, p.CoreGroup[0].Organisation = timestamppb.New(p.StartedAt.AsTime().Add(-time.Hour)), &eventv1.OrganisationRef{Id: leak}
		}},
		{name: "a plan that ended for no reason", kind: notice.ProtectionPlanEnded, change: func(ev *eventv1.Event) {
			p := ev.GetProtectionPlanEnded()
			p.Reason, p.EndedAt = 0, nil
		}},
		{name: "a medical about nothing that nobody arranges", kind: notice.MedicalRequested, change: func(ev *eventv1.Event) {
			m := ev.GetMedicalRequested()
			m.Kind, m.CallBack, m.Providers[0].Organisation = 0, "", nil
			m.NeededBy = timestamppb.New(m.RequestedAt.AsTime().Add(-time.Hour))
		}},
		{name: "a medical without an outcome, held tomorrow", kind: notice.MedicalConcluded, change: func(ev *eventv1.Event) {
			ev.GetMedicalConcluded().Outcome, ev.GetMedicalConcluded().ExaminedAt = 0, in(24*time.Hour)
		}},
		{name: "an enrolment that does not say which way or where", kind: notice.EnrolmentChanged, change: func(ev *eventv1.Event) {
			e := ev.GetEnrolmentChanged()
			e.Change, e.Setting, e.On = 0, nil, "last Friday"
		}},
		{name: "a move from a setting to itself, in another century", kind: notice.EnrolmentChanged, change: func(ev *eventv1.Event) {
			e := ev.GetEnrolmentChanged()
			e.Other, e.On = e.Setting, "2126-12-04"
		}},
		{name: "a child who joins a school to be educated at home", kind: notice.EnrolmentChanged, change: func(ev *eventv1.Event) {
			e := ev.GetEnrolmentChanged()
			e.Change, e.ToHomeEducation, e.On = eventv1.EnrolmentChange_ENROLMENT_CHANGE_JOINED, true, "2026-02-30"
		}},
		{name: "an unborn child who joins a school", kind: notice.EnrolmentChanged, change: func(ev *eventv1.Event) {
			c := ev.Children[0]
			c.Name, c.DateOfBirth = nil, ""
			c.Unborn = &eventv1.Unborn{ExpectedOn: "2027-02-14", MotherRef: c.Ref}
		}},
		{name: "an unborn child with a date of birth and a pupil number", kind: notice.ProtectionPlanStarted, change: func(ev *eventv1.Event) {
			c := ev.Children[1]
			c.DateOfBirth, c.Identifiers = "2026-11-30", []*eventv1.Identifier{{Scheme: "upn", Value: "R305200024001"}}
			c.Presence = eventv1.Presence_PRESENCE_PRESENT
		}},
		{name: "an unborn child of nobody, expected years ago", kind: notice.ProtectionPlanStarted, change: func(ev *eventv1.Event) {
			u := ev.Children[1].Unborn
			u.ExpectedOn, u.MotherRef, u.MotherBornOn = "2024-02-14", leak, "2026-13-01"
		}},
		{name: "an unborn child expected in years", kind: notice.ProtectionPlanStarted, change: func(ev *eventv1.Event) {
			ev.Children[1].Unborn.ExpectedOn, ev.Children[1].Unborn.MotherRef = "2028-02-14", ""
		}},
		{name: "a child who is neither born nor unborn", change: func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = "" }},
	}
}

package app_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Nothing of a bad event is sent or lost: it is in quarantine, its publisher hears each fault by field, and has a task.
func TestABadEventOfEachKindOfCareIsRefusedByField(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	bad := func(kind notice.EventKind, set func(*eventv1.Event)) *eventv1.Event {
		ev := envelope(council, string(kind), kind, "X-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
		set(ev)
		return ev
	}
	now := timestamppb.New(r.Clock.Now())
	events := []*eventv1.Event{
		bad(notice.PlacementNotified, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{
				Urgency: eventv1.PlacementUrgency_PLACEMENT_URGENCY_PLANNED, BeginsAt: now, PlacedIn: apptest.KestrelVale,
			}}
		}),
		bad(notice.ResponsibilityAccepted, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ResponsibilityAccepted{ResponsibilityAccepted: &eventv1.ResponsibilityAccepted{AcceptedAt: now}}
		}),
		bad(notice.ProtectionPlanStarted, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ProtectionPlanStarted{ProtectionPlanStarted: &eventv1.ProtectionPlanStarted{StartedAt: now, Category: "bad luck"}}
		}),
		bad(notice.ProtectionPlanEnded, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_ProtectionPlanEnded{ProtectionPlanEnded: &eventv1.ProtectionPlanEnded{EndedAt: now}}
		}),
		bad(notice.MedicalRequested, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_MedicalRequested{MedicalRequested: &eventv1.MedicalRequested{RequestedAt: now}}
		}),
		bad(notice.MedicalConcluded, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_MedicalConcluded{MedicalConcluded: &eventv1.MedicalConcluded{}}
		}),
		bad(notice.EnrolmentChanged, func(ev *eventv1.Event) {
			ev.Payload = &eventv1.Event_EnrolmentChanged{EnrolmentChanged: &eventv1.EnrolmentChanged{On: "2026-06-31", Setting: organisation("gias:900101")}}
		}),
	}
	for _, ev := range events {
		council.Publish(ev)
	}
	good := envelope(council, "med", notice.MedicalRequested, "MED-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	good.Payload = &eventv1.Event_MedicalRequested{MedicalRequested: &eventv1.MedicalRequested{
		RequestedAt: now, Kind: eventv1.MedicalKind_MEDICAL_KIND_PHYSICAL, CallBack: "Duty social worker",
	}}
	council.Publish(good)
	r.Settle()

	var got [][]string
	for _, rejected := range apptest.Rejected(council.Feedback()) {
		got = append(got, fields(rejected.Faults))
	}
	equal(t, "faults", got, [][]string{
		{"children[0].looked_after_by", "placement_notified.placed_in"},
		{"responsibility_accepted.accepted_by", "responsibility_accepted.accepts"},
		{"protection_plan_started.category", "protection_plan_started.core_group"},
		{"protection_plan_ended.reason"},
		{"medical_requested.call_back", "medical_requested.kind"},
		{"medical_concluded.examined_at", "medical_concluded.outcome"},
		{"enrolment_changed.change", "enrolment_changed.on"},
	})
	s := r.Summary()
	equal(t, "events refused and taken, notices, tasks", []int64{s.Refused, s.Events, s.Notices, s.OpenTasks}, []int64{7, 1, 1, 7})
	r.Verify()
}

// A withdrawal that is at fault takes nothing back, and a manifest that is at fault is compared with nothing.
func TestABadWithdrawalAndABadManifestAreRefusedByField(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), ivo()))
	withdrawal := func(id, event, reason string, children ...*eventv1.Child) *eventv1.Event {
		ev := envelope(police, id, notice.EventWithdrawn, "NP/26/1", r.Clock.Now(), children...)
		ev.Payload = &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: event, Reason: reason}}
		return ev
	}
	day := directory.DateOf(r.Clock.Now())
	manifest := func(id string, day directory.Date, entries ...listed) *eventv1.Event {
		return manifestOf(police, id, r.Clock.Now(), day, 1, 1, entries...)
	}
	named := manifest("m-named", day, listed{"NP/26/1", 1})
	named.Children = []*eventv1.Child{ivo()}
	for _, ev := range []*eventv1.Event{
		withdrawal("w-nothing", "", "wrong_child"), withdrawal("w-why", "np-1", "the child is another"), withdrawal("w-itself", "w-itself", "wrong_child"),
		withdrawal("w-named", "np-1", "wrong_child", ivo()),
		manifest("m-tomorrow", day.AddDays(1), listed{"NP/26/1", 1}), manifest("m-twice", day, listed{"NP/26/1", 1}, listed{"NP/26/1", 1}),
		manifest("m-nobody", day, listed{"NP/26/1", 0}), named,
	} {
		police.Publish(ev)
	}
	r.Settle()
	var got [][]string
	for _, rejected := range apptest.Rejected(police.Feedback()) {
		got = append(got, fields(rejected.Faults))
	}
	equal(t, "faults", got, [][]string{
		{"event_withdrawn.event"}, {"event_withdrawn.reason"}, {"event_withdrawn.event"}, {"children"},
		{"manifest.day"}, {"manifest.entries[1].subject"}, {"manifest.entries[0].children"}, {"children"},
	})
	s := r.Summary()
	equal(t, "events refused and taken, notices withdrawn, tasks", []int64{s.Refused, s.Events, s.Withdrawn, s.OpenTasks}, []int64{8, 1, 0, 8})
	dsl := r.Person("j.marlowe@beacon-row.example")
	dsl.Acknowledge(dsl.Notices()[0]) // its link still counts
	r.Clock.Set(apptest.London("2026-06-20 12:00"))
	r.Settle()
	equal(t, "compared", compared(police.Feedback()), []string{})

	police.Publish(withdrawal("w-good", "np-1", "wrong_child"))
	police.Publish(manifest("m-good", day, listed{"NP/26/1", 1}))
	r.Settle()
	equal(t, "refused, with what is right behind it", r.Summary().Refused, int64(8))
	equal(t, "taken back", strings.Contains(strings.Join(r.OpenTasks(), " "), "MISDIRECTION northbridge-police desk"), true)
	r.Verify()
}

func TestAChildmindersAndAPartTimeNurserysNoticesAreInTimeForTheChildsOwnDay(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 18:30")) // a Tuesday
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(),
		apptest.Child("pip", "Pip", "Larkspur", "2023-03-19"),   // mornings on Monday and Tuesday, all day on Thursday
		apptest.Child("otis", "Otis", "Graveney", "2024-05-05"), // Monday, Wednesday, Friday
		apptest.Child("hazel", "Hazel", "Alder", "2011-11-08"))) // educated at home
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-1")), []string{
		"encompass.childminder ofsted:EY900202: 08:30 Wed 17 Jun (BST)",
		"encompass.home_education ashmere-council: 12:00 Wed 17 Jun (BST)",
		"encompass.other_setting ofsted:EY900201: 08:30 Thu 18 Jun (BST)",
	})
	r.Verify()
}

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// startCare boots the borough with what these cases need besides: health services in Ashmere that are on duty out of hours.
func startCare(t *testing.T, at string) *apptest.Rig {
	t.Helper()
	r := apptest.Start(t, apptest.London(at))
	contacts := []string{
		"id,organisation,role,name,channel,address,use,hours,verified_on,shared,code_address",
		"ashmere-paediatrics,ashmere-health,duty,Paediatric Registrar,email,registrar@ashmere-health.example,,Mon-Fri 09:00-17:00,2026-05-18,,",
		"ashmere-on-call,ashmere-health,duty,Paediatrician on call,email,on.call@ashmere-health.example,out_of_hours,\"Mon-Fri 17:00-09:00; Sat,Sun 00:00-24:00\",2026-05-18,,",
	}
	header := &directoryv1.ImportHeader{Format: "contacts", Name: "contacts.csv", Source: "care-contacts"}
	if result := r.Import(header, []byte(strings.Join(contacts, "\n")+"\n")); len(result.Faults) > 0 {
		t.Fatal(result.Faults)
	}
	return r
}

func TestAPlacementInAnotherAreaIsToldBeforeItBegins(t *testing.T) {
	r := startCare(t, "2026-06-16 10:00")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	ivo.LookedAfterBy = apptest.Ashmere
	placed := func(id, reference string, urgency eventv1.PlacementUrgency, begins time.Time) *eventv1.Event {
		ev := envelope(council, id, notice.PlacementNotified, reference, r.Clock.Now(), ivo)
		ev.Area = apptest.KestrelVale
		ev.Payload = &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{
			Urgency: urgency, BeginsAt: timestamppb.New(begins), PlacedIn: apptest.KestrelVale,
			Placement:       eventv1.PlacementKind_PLACEMENT_KIND_FOSTER_CARE,
			ParentsInformed: eventv1.ParentsInformed_PARENTS_INFORMED_NO_RISK,
		}}
		return ev
	}
	council.Publish(placed("pl-1", "PL-1", eventv1.PlacementUrgency_PLACEMENT_URGENCY_PLANNED, apptest.London("2026-06-22 14:00")))
	council.Publish(placed("pl-2", "PL-2", eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY, apptest.London("2026-06-15 22:00")))
	r.Settle()

	for id, due := range map[string]string{"pl-1": "14:00 Mon 22 Jun (BST)", "pl-2": "22:00 Mon 22 Jun (BST)"} { // five working days from the 15th
		equal(t, "told of "+id, apptest.Told(r.Decision(council.ID, id)), []string{
			"placement.health kestrel-health: " + due,
			"placement.host kestrel-vale-council: " + due,
			"placement.host_police kestrel-police: " + due,
			"placement.placing_health ashmere-health: " + due,
			"placement.setting gias:900101: " + due,
		})
		var gaps []string
		for _, gap := range r.Decision(council.ID, id).Gaps {
			gaps = append(gaps, gap.Function)
		}
		equal(t, "who has to be told and is not known", gaps, []string{"gp", "reviewing_officer"})
	}
	lead := r.Person("j.marlowe@beacon-row.example")
	page := lead.Open(lead.Notices()[0])
	for _, want := range []string{"Brennock", "with foster carers", "it would put the child at risk", "where the child is"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	r.Verify()
}

// enquiryElsewhere has Ashmere end an enquiry about a child who lives in Kestrel Vale.
func enquiryElsewhere(r *apptest.Rig, council *apptest.Agency) *eventv1.Event {
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	enquiry := envelope(council, "eq-1", notice.EnquiryConcluded, "EQ-1", r.Clock.Now(), joss)
	enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK,
		Participants: []*eventv1.Participant{{Organisation: organisation("northbridge-police"), Function: "police"}},
	}}
	return enquiry
}

// acceptance is an agency's acceptance of responsibility for that child.
func acceptance(r *apptest.Rig, by *apptest.Agency, id, reference string) *eventv1.Event {
	joss := apptest.Child("k1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	ev := envelope(by, id, notice.ResponsibilityAccepted, "RA-"+id, r.Clock.Now(), joss)
	ev.Payload = &eventv1.Event_ResponsibilityAccepted{ResponsibilityAccepted: &eventv1.ResponsibilityAccepted{
		Accepts:    &eventv1.Matter{Agency: "ashmere-social-care", Kind: string(notice.EnquiryConcluded), Reference: reference},
		AcceptedAt: ev.Time, AcceptedBy: "R. Castellane, team manager",
	}}
	return ev
}

func TestTheHomeAreasAcceptanceEndsWhatTheHostOwes(t *testing.T) {
	r := startCare(t, "2026-06-18 16:00")
	ashmere := r.AddAgency("ashmere-social-care", "ashmere-council")
	kestrel := r.AddAgency("kestrel-social-care", "kestrel-vale-council")
	police := r.AddAgency("northbridge-police", "northbridge-police")

	// It may come before what it accepts: then nobody is told, and its publisher is asked.
	kestrel.Publish(acceptance(r, kestrel, "ra-0", "EQ-1"))
	r.Settle()
	equal(t, "told of an acceptance of nothing", apptest.Told(r.Decision(kestrel.ID, "ra-0")), []string{})
	equal(t, "tasks", r.OpenTasks(), []string{"GAP kestrel-vale-council desk"})

	ashmere.Publish(enquiryElsewhere(r, ashmere))
	r.Settle()
	equal(t, "the home area's notice, accepted before it came", apptest.Told(r.Decision(ashmere.ID, "eq-1")), []string{
		"enquiry.outcome northbridge-police: 16:00 Fri 19 Jun (BST)",
	})
	equal(t, "told of the acceptance", apptest.Told(r.Decision(kestrel.ID, "ra-0")), []string{
		"responsibility.host ashmere-council: 17:00 Thu 18 Jun (BST)",
	})
	equal(t, "tasks", r.OpenTasks(), []string{})
	r.Verify()

	t.Run("what anybody else accepts changes nothing", func(t *testing.T) {
		withdrawal := envelope(kestrel, "wd-1", notice.EventWithdrawn, "WD-1", r.Clock.Now())
		withdrawal.Payload = &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: "ra-0", Reason: "published_in_error"}}
		kestrel.Publish(withdrawal)
		r.Settle()
		equal(t, "once it is withdrawn the home area is told after all", apptest.Told(r.Decision(ashmere.ID, "eq-1")), []string{
			"enquiry.home_area kestrel-vale-council: 16:00 Fri 19 Jun (BST)",
		})
		before := r.MailTo()
		police.Publish(acceptance(r, police, "ra-1", "EQ-1"))
		kestrel.Publish(acceptance(r, kestrel, "ra-2", "EQ-99")) // no such matter
		r.Settle()
		equal(t, "mail", r.MailTo(), before)
		for agency, id := range map[notice.AgencyID]string{police.ID: "ra-1", kestrel.ID: "ra-2"} {
			equal(t, "told of "+id, apptest.Told(r.Decision(agency, id)), []string{})
		}
		if !slices.Contains(r.OpenTasks(), "GAP northbridge-police desk") {
			t.Errorf("tasks: %v", r.OpenTasks())
		}
	})

	home := r.Person("duty@kestrelvale.example")
	asked := home.Notices()
	if page := home.Open(asked[len(asked)-1]); !strings.Contains(page, "agency ashmere-social-care, kind enquiry.concluded, reference EQ-1") {
		t.Error("the home area is not told how to accept")
	}
	kestrel.Publish(acceptance(r, kestrel, "ra-3", "EQ-1"))
	r.Settle()
	ended := r.Decision(ashmere.ID, "eq-1")
	if len(ended.Superseded) != 1 || !strings.Contains(ended.Superseded[0].Reason, "home area has accepted responsibility") {
		t.Errorf("the host's duty did not end: %v", ended)
	}
	host := r.Person("duty@ashmere.example")
	mails := host.Notices()
	page := host.Open(mails[len(mails)-1])
	for _, want := range []string{"R. Castellane", "EQ-1", "Penhallow"} {
		if !strings.Contains(page, want) {
			t.Errorf("the host is not shown %q", want)
		}
	}
	host.Acknowledge(mails[len(mails)-1])
	sent := len(r.Person("duty@kestrelvale.example").Notices())
	r.Clock.Advance(96 * time.Hour)
	r.Settle()
	if now := len(r.Person("duty@kestrelvale.example").Notices()); now != sent {
		t.Errorf("the home area is chased after it accepted: %d mails, then %d", sent, now)
	}
	r.Verify()
}

func TestAMedicalAskedForAtTheWeekendGoesToWhoeverIsOnDuty(t *testing.T) {
	r := startCare(t, "2026-06-21 02:10") // a Sunday
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	ev := envelope(council, "med-1", notice.MedicalRequested, "MED-1", r.Clock.Now(), ivo)
	ev.Payload = &eventv1.Event_MedicalRequested{MedicalRequested: &eventv1.MedicalRequested{
		RequestedAt: ev.Time, Kind: eventv1.MedicalKind_MEDICAL_KIND_PHYSICAL, CallBack: "Emergency duty team, 01632 960 901",
		Question: "Whether the marks agree with the account given.",
	}}
	council.Publish(ev)
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(council.ID, "med-1")), []string{"medical.area ashmere-health: 02:40 Sun 21 Jun (BST)"})
	equal(t, "mail", r.MailTo(), []string{"on.call@ashmere-health.example"})
	r.Clock.Advance(time.Hour) // nobody answers: the authority's emergency duty team
	r.Settle()
	equal(t, "mail after an hour", r.MailTo(), []string{"edt@ashmere.example", "on.call@ashmere-health.example"})
	edt := r.Person("edt@ashmere.example")
	if page := edt.Open(edt.Notices()[0]); !strings.Contains(page, "01632 960 901") {
		t.Error("whoever is to arrange it is not told whom to call")
	}

	// What it found, on Monday: to social care and police, and not to the school.
	r.Clock.Set(apptest.London("2026-06-22 11:00"))
	health := r.AddAgency("ashmere-hospital", "ashmere-health")
	done := envelope(health, "med-1-done", notice.MedicalConcluded, "MED-1", r.Clock.Now(), ivo)
	done.Payload = &eventv1.Event_MedicalConcluded{MedicalConcluded: &eventv1.MedicalConcluded{
		ExaminedAt: timestamppb.New(r.Clock.Now().Add(-time.Hour)), Outcome: eventv1.MedicalOutcome_MEDICAL_OUTCOME_INCONCLUSIVE,
		Findings: "Two marks of the same age.",
	}}
	health.Publish(done)
	r.Settle()
	equal(t, "told of the outcome", apptest.Told(r.Decision(health.ID, "med-1-done")), []string{
		"medical.authority ashmere-council: 12:00 Mon 22 Jun (BST)", "medical.police northbridge-police: 12:00 Mon 22 Jun (BST)",
	})
	r.Verify()
}

func TestABabyNotYetBornIsToldToMidwiferyAndTheHubAndNoSetting(t *testing.T) {
	r := startCare(t, "2026-06-18 19:42")
	police := r.AddAgency("northbridge-police", "northbridge-police")
	unborn := &eventv1.Child{Ref: "u1", ResidenceArea: apptest.Ashmere, Unborn: &eventv1.Unborn{
		ExpectedOn: "2026-09-30", MotherRef: "p1", Mother: &eventv1.Name{Given: "Maren", Family: "Brennock"}, MotherBornOn: "1994-04-30",
	}}
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"), unborn)
	ev.People = []*eventv1.Person{{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_VICTIM, Name: &eventv1.Name{Given: "Maren", Family: "Brennock"}}}
	police.Publish(ev)
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-1")), []string{
		"encompass.school gias:900101: 08:30 Fri 19 Jun (BST)", // of the sibling
		"unborn.hub ashmere-council: 12:00 Fri 19 Jun (BST)",
		"unborn.midwifery ashmere-midwifery: 12:00 Fri 19 Jun (BST)",
	})
	equal(t, "tasks", r.OpenTasks(), []string{})
	midwife := r.Person("safeguarding@ashmere-midwifery.example")
	page := midwife.Open(midwife.Notices()[0])
	for _, want := range []string{"Maren Brennock", "30 September 2026", "30 April 1994"} {
		if !strings.Contains(page, want) {
			t.Errorf("midwifery is not shown %q", want)
		}
	}
	if strings.Contains(page, "Ivo") {
		t.Error("the notice about the unborn child names the sibling")
	}
	lead := r.Person("j.marlowe@beacon-row.example")
	if page := lead.Open(lead.Notices()[0]); strings.Contains(page, "Maren") || strings.Contains(page, "nborn") {
		t.Error("the school is told of the mother or the unborn child")
	}

	// A school in the core group of a plan for the baby is not told of it: a person decides.
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	plan := envelope(council, "cp-1", notice.ProtectionPlanStarted, "CP-1", r.Clock.Now(), unborn)
	plan.People = ev.People
	plan.Payload = &eventv1.Event_ProtectionPlanStarted{ProtectionPlanStarted: &eventv1.ProtectionPlanStarted{
		StartedAt: plan.Time, Category: "neglect",
		CoreGroup: []*eventv1.Participant{{Organisation: organisation("gias:900101"), Function: "school"}},
	}}
	council.Publish(plan)
	r.Settle()
	for _, told := range apptest.Told(r.Decision(council.ID, "cp-1")) {
		if strings.Contains(told, "gias:") || strings.Contains(told, "ofsted:") {
			t.Errorf("a setting is told of an unborn child: %s", told)
		}
	}
	equal(t, "tasks", r.OpenTasks(), []string{"GAP ashmere-council desk"})
	r.Verify()
}

func sendingOf(r *apptest.Rig) sendingv1.SendingServiceClient {
	return sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
}

func TestACollegeIsToldOfAStudentOf17AndNotOfOneOf18(t *testing.T) {
	r := apptest.Start(t, apptest.London("2027-01-22 10:00")) // Marlow turns 18 tomorrow, a Saturday
	police := r.AddAgency("northbridge-police", "northbridge-police")
	marlow := apptest.Child("c1", "Marlow", "Teague", "2009-01-23")
	police.Publish(apptest.Incident(police, "np-1", "NP/27/1", r.Clock.Now(), marlow))
	r.Settle()
	equal(t, "told of a student of 17", apptest.Told(r.Decision(police.ID, "np-1")), []string{
		"encompass.school gias:900104: 11:00 Fri 22 Jan (GMT)",
	})
	college := r.Person("t.wexford@ashmere-college.example")
	college.Acknowledge(college.Notices()[0])

	// Sending is stopped over the birthday: what waits ends, and says why.
	_, err := sendingOf(r).Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "a drill"})
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Set(apptest.London("2027-01-22 20:00"))
	police.Publish(apptest.Incident(police, "np-2", "NP/27/2", r.Clock.Now(), marlow))
	council := r.AddAgency("ashmere-social-care", "ashmere-council") // about somebody on no roll
	enquiry := enquiryElsewhere(r, council)
	enquiry.Children = []*eventv1.Child{apptest.Child("c1", "Quill", "Unlisted", "2009-01-23")}
	council.Publish(enquiry)
	r.Settle()
	if d := r.Decision(police.ID, "np-2"); len(d.Notices) != 1 {
		t.Fatalf("told on the last day of being 17: %v", apptest.Told(d))
	}
	r.Clock.Set(apptest.London("2027-01-23 00:05"))
	if _, err := sendingOf(r).Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "over"}); err != nil {
		t.Fatal(err)
	}
	r.Settle()
	if d := r.Decision(council.ID, "eq-1"); d.Cause != ledgerv1.Cause_CAUSE_ADULT || len(d.Superseded) != 1 {
		t.Errorf("of somebody on no roll: %v", d)
	}
	d := r.Decision(police.ID, "np-2")
	if d.Cause != ledgerv1.Cause_CAUSE_ADULT || len(d.Superseded) != 1 || !strings.Contains(d.Superseded[0].Reason, "turned 18") {
		t.Errorf("what waited for the birthday did not end: %v", d)
	}
	if n := len(college.Notices()); n != 1 {
		t.Errorf("the college had %d mails, want the one about the student of 17", n)
	}
	if len(r.OpenTasks()) > 0 || r.Summary().Superseded != 2 {
		t.Errorf("tasks %v, %v", r.OpenTasks(), r.Summary())
	}

	// And of a student of 18 nobody is told, which is recorded.
	police.Publish(apptest.Incident(police, "np-3", "NP/27/3", r.Clock.Now(), marlow))
	r.Settle()
	d = r.Decision(police.ID, "np-3")
	if len(d.Notices) > 0 || len(d.Considered) != 1 || !strings.Contains(d.Considered[0].Reason, "18 or over") {
		t.Errorf("of a student of 18: %v", d)
	}
	r.Verify()
}

func TestNobodyIsChasedAboutSomebodyWhoHasTurned18(t *testing.T) {
	r := apptest.Start(t, apptest.London("2027-01-22 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/27/1", r.Clock.Now(), apptest.Child("c1", "Marlow", "Teague", "2009-01-23")))
	r.Settle()
	told := r.MailTo()
	equal(t, "told at 17", told, []string{"t.wexford@ashmere-college.example"})
	r.Clock.Set(apptest.London("2027-01-26 12:00")) // the deputy and the authority's team would long have been next
	r.Settle()
	equal(t, "mail after the birthday", r.MailTo(), told)
	equal(t, "tasks", r.OpenTasks(), []string{})
	if d := r.Decision(police.ID, "np-1"); d.Cause != ledgerv1.Cause_CAUSE_ADULT || len(d.Superseded) != 1 {
		t.Errorf("the chase did not end: %v", d)
	}
	r.Verify()
}

func TestAChangeOfEnrolmentAsksForTheRollAndNoticesFollowTheRoll(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	ev := envelope(council, "en-1", notice.EnrolmentChanged, "EN-1", r.Clock.Now(), ivo)
	ev.Payload = &eventv1.Event_EnrolmentChanged{EnrolmentChanged: &eventv1.EnrolmentChanged{
		Change: eventv1.EnrolmentChange_ENROLMENT_CHANGE_JOINED, Setting: organisation("gias:900102"), On: "2026-06-15", Other: organisation("gias:900101"),
	}}
	council.Publish(ev)
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(council.ID, "en-1")), []string{
		"enrolment.authority ashmere-council: 10:00 Wed 17 Jun (BST)",
		"enrolment.new_setting gias:900102: 10:00 Wed 17 Jun (BST)",
		"enrolment.old_setting gias:900101: 10:00 Wed 17 Jun (BST)",
	})
	equal(t, "tasks", r.OpenTasks(), []string{"GAP ashmere-council education_safeguarding"})
	old := r.Person("j.marlowe@beacon-row.example")
	if page := old.Open(old.Notices()[0]); strings.Contains(page, "Lanternfield") || !strings.Contains(page, "Brennock") {
		t.Error("the old school is told where the child is now, or not told of the child")
	}
	fresh := r.Person("a.rennie@lanternfield.example")
	if page := fresh.Open(fresh.Notices()[0]); !strings.Contains(page, "Beacon Row") {
		t.Error("the new school is not told where the child comes from")
	}

	// Until the roll is put right an incident is told to the school on the roll.
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), ivo))
	r.Settle()
	equal(t, "an incident follows the roll", apptest.Told(r.Decision(police.ID, "np-1")), []string{
		"encompass.school gias:900101: 11:00 Tue 16 Jun (BST)",
	})
	r.Verify()
}

// An agency that may not accept must not be able to have another's events decided anew either.
func TestAnAcceptanceThatCountsForNothingLeavesWhatItNamesAsItIs(t *testing.T) {
	r := startCare(t, "2026-06-18 16:00")
	ashmere := r.AddAgency("ashmere-social-care", "ashmere-council")
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ashmere.Publish(enquiryElsewhere(r, ashmere))
	r.Settle()
	before := r.Decision(ashmere.ID, "eq-1")
	gone := r.Import(&directoryv1.ImportHeader{Format: "organisations", Name: "organisations.csv"}, // another decision would tell nobody there
		[]byte("id,name,kind,area,status,postcode,remove\nkestrel-vale-council,Kestrel Vale Council,local_authority,E10000902,,,yes\n"))
	if gone.Removed != 1 {
		t.Fatalf("the council is not gone: %v", gone)
	}
	police.Publish(acceptance(r, police, "ra-1", "EQ-1"))
	r.Settle()
	after := r.Decision(ashmere.ID, "eq-1")
	if after.Cause != ledgerv1.Cause_CAUSE_ACCEPTANCE || len(after.Superseded)+len(after.Notices)+len(after.Tasks) > 0 || len(after.Kept) != len(before.Notices) {
		t.Errorf("decided anew: %v", after)
	}
	r.Verify()
}

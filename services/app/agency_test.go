package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func envelope(a *apptest.Agency, id string, kind notice.EventKind, reference string, at time.Time, children ...*eventv1.Child) *eventv1.Event {
	return &eventv1.Event{
		Id: id, Source: string(a.ID), Type: string(kind), Subject: reference, Area: apptest.Ashmere,
		Time: timestamppb.New(at), Children: children,
	}
}

func organisation(id string) *eventv1.OrganisationRef { return &eventv1.OrganisationRef{Id: id} }

// Case 6.
func TestAHealthVisitorHearsTheDecisionAndANeighbourOnlyThatTheReferralArrived(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	healthVisitor := &eventv1.Person{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Professional: true,
		Name: &eventv1.Name{Given: "Maud", Family: "Ferrars"}, Organisation: organisation("ashmere-health-visiting"),
	}
	neighbour := &eventv1.Person{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Email: "g.oakes@post.example",
		Name: &eventv1.Name{Given: "Gilbert", Family: "Oakes"},
	}
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	for id, referrer := range map[string]*eventv1.Person{"hv": healthVisitor, "nb": neighbour} {
		received := envelope(council, id+"-received", notice.ReferralReceived, "REF-"+id, r.Clock.Now(), ivo)
		received.People = []*eventv1.Person{referrer}
		received.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: received.Time}}
		council.Publish(received)

		decided := envelope(council, id+"-decided", notice.ReferralDecided, "REF-"+id, r.Clock.Now(), ivo)
		decided.People = []*eventv1.Person{referrer}
		decided.Payload = &eventv1.Event_ReferralDecided{ReferralDecided: &eventv1.ReferralDecided{
			ReceivedAt: received.Time, DecidedAt: received.Time,
			Decision: eventv1.ReferralDecision_REFERRAL_DECISION_EARLY_HELP, NextStep: "A family worker will telephone this week.",
		}}
		council.Publish(decided)
	}
	r.Settle()

	equal(t, "the health visitor, of the decision", apptest.Told(r.Decision(council.ID, "hv-decided")), []string{
		"referral.decision ashmere-health-visiting: 10:00 Wed 17 Jun (BST)",
	})
	equal(t, "the neighbour, of the decision", apptest.Told(r.Decision(council.ID, "nb-decided")), []string{
		"referral.dealt_with event: 10:00 Wed 17 Jun (BST)",
	})
	hub := r.Person("hub@ashmere-health-visiting.example")
	decision := hub.Open(hub.Notices()[1])
	if !strings.Contains(decision, "A family worker will telephone") && !strings.Contains(hub.Open(hub.Notices()[0]), "A family worker will telephone") {
		t.Error("the health visitor is not told the next step")
	}
	mails := r.Mail.To("g.oakes@post.example")
	if len(mails) != 2 {
		t.Fatalf("%d mails to the neighbour, want an acknowledgement of each event", len(mails))
	}
	for _, m := range mails {
		for _, secret := range []string{"Ivo", "Brennock", "family worker", "early help", "Early help"} {
			if strings.Contains(m.Text+m.HTML+m.Subject, secret) {
				t.Errorf("the neighbour is told %q", secret)
			}
		}
	}
	for _, m := range r.Mail.All() {
		for _, name := range []string{"Oakes", "Gilbert"} {
			if strings.Contains(m.Text+m.HTML+m.Subject, name) {
				t.Errorf("the neighbour is named to %s", m.To)
			}
		}
	}
	if strings.Contains(decision, "Oakes") || strings.Contains(decision, "Maud") {
		t.Error("a referrer is named on a page")
	}
	r.Verify()
}

// Case 7.
func TestAfterAStrategyMeetingEachAgencyHasItsPartAndAnUnknownOneIsAGap(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 16:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	held := timestamppb.New(r.Clock.Now().Add(-2 * time.Hour))
	meeting := envelope(council, "sm-1", notice.StrategyMeetingConcluded, "SM-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	attended, absent := eventv1.Attendance_ATTENDANCE_ATTENDED, eventv1.Attendance_ATTENDANCE_ABSENT
	meeting.Payload = &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{
		HeldAt: held, Decision: eventv1.MeetingDecision_MEETING_DECISION_JOINT_ENQUIRY, Record: "Everyone agreed the plan as set out.",
		Participants: []*eventv1.Participant{
			{Organisation: organisation("ashmere-council"), Function: "local_authority", Attendance: attended},
			{Organisation: organisation("northbridge-police"), Function: "police", Attendance: attended},
			{Organisation: organisation("ashmere-health"), Function: "health", Attendance: absent},
			{Organisation: &eventv1.OrganisationRef{Name: "Lantern Street Advice"}, Function: "voluntary", Attendance: absent},
		},
		Actions: []*eventv1.Action{
			{Owner: organisation("ashmere-health"), Text: "Arrange the medical by Monday.", DueOn: "2026-06-22"},
			{Owner: organisation("northbridge-police"), Text: "Visit the home address tonight."},
		},
	}}
	council.Publish(meeting)
	r.Settle()

	d := r.Decision(council.ID, "sm-1")
	equal(t, "told", apptest.Told(d), []string{
		"strategy_meeting.actions ashmere-health: 14:00 Fri 19 Jun (BST)",
		"strategy_meeting.record ashmere-council: 14:00 Fri 19 Jun (BST)",
		"strategy_meeting.record northbridge-police: 14:00 Fri 19 Jun (BST)",
	})
	if len(d.Gaps) != 1 || d.Gaps[0].Function != "voluntary" {
		t.Errorf("gaps: %v", d.Gaps)
	}
	equal(t, "tasks", r.OpenTasks(), []string{"GAP ashmere-council desk"})

	health := r.Person("safeguarding@ashmere-health.example")
	page := health.Open(health.Notices()[0])
	if !strings.Contains(page, "Arrange the medical") || strings.Contains(page, "Visit the home") || strings.Contains(page, "Everyone agreed") {
		t.Errorf("the absent agency sees more or less than the decision and its own actions:\n%s", page)
	}
	police := r.Person("hub@northbridge-police.example")
	if page := police.Open(police.Notices()[0]); !strings.Contains(page, "Everyone agreed") || !strings.Contains(page, "Arrange the medical") {
		t.Error("an attendee is not shown the record")
	}
	r.Verify()
}

// Case 8.
func TestTheHomeAreaIsToldOfAnEnquiryHeldElsewhere(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 16:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	enquiry := envelope(council, "eq-1", notice.EnquiryConcluded, "EQ-1", r.Clock.Now(), joss)
	enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK,
		Participants: []*eventv1.Participant{{Organisation: organisation("ashmere-council"), Function: "local_authority"}},
	}}
	council.Publish(enquiry)
	r.Settle()

	d := r.Decision(council.ID, "eq-1")
	i := slices.IndexFunc(apptest.Told(d), func(s string) bool {
		return s == "enquiry.home_area kestrel-vale-council: 16:00 Fri 19 Jun (BST)"
	})
	if i < 0 {
		t.Fatalf("the home area is not told: %v", apptest.Told(d))
	}
	home := r.Person("duty@kestrelvale.example")
	home.Acknowledge(home.Notices()[0])
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("acceptance by the home area is not recorded: %v", s)
	}
}

// Case 10, a clock that counts minutes through the repeated hour.
func TestWithinTheHourOfARepeatedHour(t *testing.T) {
	at, err := time.Parse(time.RFC3339, "2026-10-25T01:30:00+01:00")
	if err != nil {
		t.Fatal(err)
	}
	r := apptest.Start(t, at)
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	received := envelope(council, "hv-1", notice.ReferralReceived, "REF-1", at, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	received.People = []*eventv1.Person{{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Professional: true, Organisation: organisation("ashmere-health-visiting"),
	}}
	received.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: received.Time}}
	council.Publish(received)
	r.Settle()
	equal(t, "told", apptest.Told(r.Decision(council.ID, "hv-1")), []string{
		"referral.out_of_hours ashmere-council: 01:30 Sun 25 Oct (GMT)", // an hour later, by no clock
		"referral.receipt ashmere-health-visiting: 01:30 Sun 25 Oct (GMT)",
	})
}

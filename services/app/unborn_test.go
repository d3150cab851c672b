package app_test

import (
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Of every kind that can be about a baby who is not born, midwifery and the hub hear where its mother lives: by her own roll.
func TestMidwiferyAndTheHubWhereTheMotherLivesAreToldOfHerUnbornChildWhateverItIsAbout(t *testing.T) {
	r := startCare(t, "2026-06-18 10:00")
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	mother := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18") // on Kestrel Vale's roll
	mother.ResidenceArea = ""
	family := func() []*eventv1.Child {
		return []*eventv1.Child{mother, {Ref: "u1", Unborn: &eventv1.Unborn{
			ExpectedOn: "2026-09-30", MotherRef: "c1", Mother: mother.Name, MotherBornOn: mother.DateOfBirth,
		}}}
	}
	who := []*eventv1.Participant{{Organisation: organisation("northbridge-police"), Function: "police"}}
	now := r.Clock.Now()
	enquiry := envelope(council, "enquiry", notice.EnquiryConcluded, "EQ-9", now, family()...)
	enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK, Participants: who,
	}}
	conference := envelope(council, "conference", notice.ConferenceConcluded, "CO-9", now, family()...)
	conference.Payload = &eventv1.Event_ConferenceConcluded{ConferenceConcluded: &eventv1.ConferenceConcluded{
		HeldAt: enquiry.Time, Outcome: eventv1.ConferenceOutcome_CONFERENCE_OUTCOME_PLAN, Category: "neglect", Participants: who,
	}}
	for _, ev := range []*eventv1.Event{enquiry, conference} {
		council.Publish(ev)
	}
	red := concern(police, "red", now, eventv1.RiskGrade_RISK_GRADE_HIGH, mother)
	red.Children = family()
	police.Publish(red)
	r.Settle()
	of := func(a *apptest.Agency, event string) []string {
		told := []string{}
		for _, n := range r.Decision(a.ID, event).Notices {
			if n.Function == "midwifery" || n.Function == "hub" && n.Rule == "unborn.hub" {
				told = append(told, n.Rule+" "+n.Organisation)
			}
		}
		return told
	}
	both := []string{"unborn.midwifery kestrel-health", "unborn.hub kestrel-vale-council"}
	equal(t, "of the enquiry", of(council, "enquiry"), both)
	equal(t, "of the conference", of(council, "conference"), both)
	equal(t, "of the vulnerable person notice, of which rules of their own tell the hub", of(police, "red"), both[:1])

	// A midwifery service of the directory's own hears instead of the trust.
	result := r.Import(&directoryv1.ImportHeader{Format: "organisations", Name: "organisations.csv", Source: "midwives"},
		[]byte("id,name,kind,area,status,postcode\nkestrel-midwives,Kestrel Vale Midwives,midwifery,E10000902,,\n"))
	if len(result.Faults) > 0 {
		t.Fatal(result.Faults)
	}
	again := concern(police, "again", now, eventv1.RiskGrade_RISK_GRADE_STANDARD, mother)
	again.Children = family()
	police.Publish(again)
	r.Settle()
	equal(t, "with a midwifery service", of(police, "again"), []string{"unborn.midwifery kestrel-midwives"})

	// Nobody who is not born can be detained: refused by field.
	detained := policeEvent(police, notice.CustodyDetained, "detained", now, mother)
	detained.Children = family()
	detained.Payload = &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{DetainedAt: detained.Time}}
	police.Publish(detained)
	r.Settle()
	rejected := apptest.Rejected(police.Feedback())
	if len(rejected) != 1 || rejected[0].EventId != "detained" {
		t.Fatalf("refused: %v", rejected)
	}
	equal(t, "at fault", fields(rejected[0].Faults), []string{"children[1].unborn"})
	r.Verify()
}

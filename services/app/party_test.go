package app_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// marlowe is the school's own safeguarding lead, as a force would report them.
func marlowe() *eventv1.Person {
	return &eventv1.Person{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Jude", Family: "Marlowe"},
		Email: "J.Marlowe@beacon-row.example",
	}
}

func byMarlowe(ev *eventv1.Event) { ev.People = append(ev.People, marlowe()) }

func ivosIncident(police *apptest.Agency, at time.Time, change ...func(*eventv1.Event)) *eventv1.Event {
	ev := apptest.Incident(police, "np-1", "NP/26/1", at, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	for _, f := range change {
		f(ev)
	}
	return ev
}

// passedOver lists, as the timeline of an event says it, who was passed over.
func passedOver(r *apptest.Rig, event string) []string {
	var over []string
	for _, f := range r.Timeline("northbridge-police", event) {
		for _, p := range f.GetAttemptStarted().GetPassedOver() {
			over = append(over, p.Contact+": "+p.Reason)
		}
	}
	return over
}

func TestTheSuspectWhoLeadsOnSafeguardingAtTheSchoolIsNotTheOneToldOfIt(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := ivosIncident(police, r.Clock.Now(), byMarlowe)

	explained, err := r.Routing.Explain(r.Context(), &routingv1.ExplainRequest{Event: ev})
	if err != nil {
		t.Fatal(err)
	}
	preview := explained.GetPreviews()[0]
	equal(t, "told by explain", []string{preview.GetContact()}, []string{"contacts/beacon-row-deputy"})
	equal(t, "passed over by explain", contactsOf(preview.GetPassedOver()), []string{
		"contacts/beacon-row-dsl: is a party, or may be: same mailbox", "contacts/beacon-row-holiday: is a party, or may be: same family name and initial",
	})

	police.Publish(ev)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"s.ikande@beacon-row.example"})
	equal(t, "passed over", passedOver(r, "np-1"), []string{
		"contacts/beacon-row-dsl: is a party, or may be: same mailbox", "contacts/beacon-row-holiday: is a party, or may be: same family name and initial",
	})

	deputy := r.Person("s.ikande@beacon-row.example")
	deputy.Acknowledge(deputy.Notices()[0])
	r.Settle()
	if s := r.Summary(); s.Acknowledged != 1 || s.OpenTasks != 0 {
		t.Errorf("%v", s)
	}
	r.Verify()
}

func contactsOf(over []*ledgerv1.PassedOver) []string {
	var all []string
	for _, p := range over {
		all = append(all, p.Contact+": "+p.Reason)
	}
	return all
}

func TestWhereTheOnlyContactIsAPartyTheAuthorityIsToldAndItsDutyOfficerTelephones(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	// Everybody at the school is one of the family, and so is whoever reads the mailbox of the authority's team.
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "contacts.csv", Source: "only"}, []byte(
		"id,organisation,role,name,channel,address,use,hours,verified_on,shared,code_address\n"+
			"only-dsl,900101,dsl,Mx Jude Marlowe,email,jude@home.example,,,2026-05-18,,\n"))
	police.Publish(ivosIncident(police, r.Clock.Now(), func(ev *eventv1.Event) {
		ev.People = []*eventv1.Person{
			{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Jude", Family: "Marlowe"}},
			{Ref: "p2", Role: eventv1.PersonRole_PERSON_ROLE_VICTIM, Name: &eventv1.Name{Given: "Sam", Family: "Ikande"}},
			{Ref: "p3", Role: eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER, Name: &eventv1.Name{Given: "Per", Family: "Lindqvist"}},
			{Ref: "p4", Role: eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER, Name: &eventv1.Name{Given: "Una", Family: "Other"}, Email: "education.safeguarding@ashmere.example"},
		}
	}))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{})
	equal(t, "tasks", r.OpenTasks(), []string{"EXHAUSTED ashmere-council duty"})
	shown, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: r.TaskItems()[0].GetTask().GetId()})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(shown.GetNumbers(), func(n *taskv1.Number) bool { return strings.Contains(n.GetName(), "Marlowe") }) {
		t.Error("whoever telephones is given the number of the suspect")
	}
	r.Verify()
}

func TestACorrectionThatNamesTheSuspectTakesTheNoticeFromThemAndTellsSomebodyElse(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := ivosIncident(police, r.Clock.Now())
	police.Publish(ev)
	r.Settle()
	suspect := r.Person("j.marlowe@beacon-row.example")
	link := suspect.Notices()[0]
	suspect.Open(link)

	police.Publish(corrected(ev, "np-1b", byMarlowe))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "s.ikande@beacon-row.example"})
	equal(t, "tasks", r.OpenTasks(), []string{"MISDIRECTION northbridge-police desk"})
	if page := suspect.Scan(link); strings.Contains(page, "disturbance") {
		t.Error("the suspect's link still shows the notice")
	}
	suspect.Try(link, "/code", url.Values{})
	r.Settle()
	codes := 0
	for _, f := range r.Timeline("northbridge-police", "np-1") {
		if f.GetCodeSent() != nil {
			codes++
		}
	}
	if codes != 1 {
		t.Errorf("%d codes were sent, want the one from before the correction", codes)
	}

	// The chase never comes back to them.
	deputy := r.Person("s.ikande@beacon-row.example")
	if strings.Contains(deputy.Notices()[0].Text, "Version 2") {
		t.Error("the deputy, who is told for the first time, is told of a second version")
	}
	r.Clock.Advance(26 * time.Hour)
	r.Settle()
	if got := len(suspect.Notices()); got != 1 {
		t.Errorf("the suspect has %d mails, want the one of before", got)
	}
	r.Verify()
}

func TestWhatTheSuspectAcknowledgedIsToldAgainToSomebodyElse(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := ivosIncident(police, r.Clock.Now())
	police.Publish(ev)
	r.Settle()
	suspect := r.Person("j.marlowe@beacon-row.example")
	suspect.Acknowledge(suspect.Notices()[0])
	r.Settle()
	police.Publish(corrected(ev, "np-1b", byMarlowe))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "s.ikande@beacon-row.example"})
	equal(t, "tasks", r.OpenTasks(), []string{"MISDIRECTION northbridge-police desk"})

	// A person who turns out to be no party is no longer kept off; what others have they keep.
	police.Publish(corrected(ev, "np-1c", func(c *eventv1.Event) { c.Supersedes = "np-1b" }))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "s.ikande@beacon-row.example"})
	r.Verify()
}

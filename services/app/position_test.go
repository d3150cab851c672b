package app_test

import (
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func suspectWorksAt(id string) func(*eventv1.Event) {
	return func(ev *eventv1.Event) {
		ev.People = []*eventv1.Person{{
			Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Tobias", Family: "Kettle"},
			WorksWithChildren: true, WorksAt: &eventv1.OrganisationRef{Id: id},
		}}
	}
}

func TestTheDesignatedOfficerIsToldOfATeacherAndTheTeachersSchoolIsNot(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := ivosIncident(police, r.Clock.Now(), suspectWorksAt("gias:900101"))
	police.Publish(ev)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"v.thornbury@ashmere.example"})
	equal(t, "tasks", r.OpenTasks(), []string{"GAP ashmere-council lado"})
	officer := r.Person("v.thornbury@ashmere.example")
	page := officer.Open(officer.Notices()[0])
	for _, want := range []string{"Tobias Kettle", "Beacon Row", "NP/26/1", "Allegation about somebody who works with children"} {
		if !strings.Contains(page, want) {
			t.Errorf("the officer does not read %q", want)
		}
	}
	for _, banned := range []string{"Brennock", "Ivo", "2015", "disturbance"} {
		if strings.Contains(page, banned) {
			t.Errorf("the officer reads %q: an allegation is about an adult", banned)
		}
	}

	// It was another school: the child's own is told, and the officer has nothing new to hear.
	police.Publish(corrected(ev, "np-1b", suspectWorksAt("gias:900108")))
	r.Settle()
	equal(t, "tasks", r.OpenTasks(), []string{})
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("the child's school has %d mails, want one", len(got))
	}
	r.Verify()
}

func TestAnAuthorityWithoutADesignatedOfficerIsAskedAndOneThatHasOneInTheNextAreaIsTold(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 10:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := ivosIncident(police, r.Clock.Now(), suspectWorksAt("gias:900201"))
	police.Publish(ev)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example"})
	equal(t, "tasks", r.OpenTasks(), []string{"GAP kestrel-vale-council duty"})

	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "contacts.csv", Source: "more"}, []byte(
		"id,organisation,role,name,channel,address,use,hours,verified_on,shared,code_address\n"+
			"lado,kestrel-vale-council,lado,W. Arden,email,w.arden@kestrelvale.example,,,2026-05-18,,\n"))
	police.Publish(corrected(ev, "np-1b", func(*eventv1.Event) {}))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "w.arden@kestrelvale.example"})
	equal(t, "tasks", r.OpenTasks(), []string{})
	r.Verify()
}

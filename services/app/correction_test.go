package app_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
)

func corrected(ev *eventv1.Event, id string, change func(*eventv1.Event)) *eventv1.Event {
	c := proto.CloneOf(ev)
	c.Id, c.Supersedes = id, ev.Id
	change(c)
	return c
}

// Case 9: the same incident again.
func TestTheSameIncidentAgainIsOneNotice(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	for _, encoding := range intake.Encodings() {
		police.PublishAs(ev, encoding)
	}
	again := proto.CloneOf(ev)
	again.Id = "np-1-again" // another id, the same incident
	police.Publish(again)
	r.Settle()
	if s := r.Summary(); s.Notices != 1 {
		t.Errorf("%d notices, want one: %v", s.Notices, s)
	}
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("%d mails, want one", len(got))
	}
	r.Verify()
}

// Case 9: a correction.
func TestACorrectionIsANewVersionForThoseItConcernsAndNothingForTheOthers(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(),
		apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09"), apptest.Child("bram", "Bram", "Sollis", "2015-12-05"))
	police.Publish(ev)
	r.Settle()

	police.Publish(corrected(ev, "np-1b", func(c *eventv1.Event) { c.Children[0].Voice = "I hid in the garden." }))
	r.Settle()
	lead := r.Person("j.marlowe@beacon-row.example")
	mails := lead.Notices()
	if len(mails) != 2 || !strings.Contains(mails[1].Text, "Version 2") {
		t.Fatalf("the lead has %d mails, want the notice and its second version, marked so", len(mails))
	}
	if page := lead.Open(mails[1]); !strings.Contains(page, "I hid in the garden.") {
		t.Error("the new version does not show what is new")
	}
	if got := r.Person("office@fernside.example").Notices(); len(got) != 1 {
		t.Errorf("the other school has %d mails, want the one it had: nothing changed for it", len(got))
	}
	if s := r.Summary(); s.Superseded != 1 || s.Notices != 3 {
		t.Errorf("%v", s)
	}

	// One that changes nothing for any recipient.
	police.Publish(corrected(ev, "np-1c", func(c *eventv1.Event) {
		c.Supersedes = "np-1b"
		c.Children[0].Voice = "I hid in the garden."
		c.Narrative.Restricted = "Not for disclosure."
	}))
	r.Settle()
	if s := r.Summary(); s.Notices != 3 {
		t.Errorf("a correction that changes nothing for a recipient made a notice: %v", s)
	}
	r.Verify()
}

// Case 9: a correction that arrives first.
func TestACorrectionThatArrivesFirstIsTheOnlyOneTold(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	wrong := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05"))
	right := corrected(wrong, "np-1b", func(c *eventv1.Event) {
		c.Children = []*eventv1.Child{apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")}
	})
	police.Publish(right)
	r.Settle()
	police.Publish(wrong)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example"})
	r.Verify()
}

func TestTwoReportsOfOneIncidentLeaveNoSiblingOut(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "office@fernside.example"})
	if s := r.Summary(); s.Superseded != 0 {
		t.Errorf("the second report withdrew the first's notice: %v", s)
	}
}

func TestAChildWhoIsNotAtTheSchoolIsLookedForByPeople(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	lead := r.Person("j.marlowe@beacon-row.example")
	lead.NotHere(lead.Notices()[0])
	r.Settle()
	equal(t, "tasks", r.OpenTasks(), []string{
		"MISDIRECTION northbridge-police desk", "NOT_AT_SETTING ashmere-council duty", "NOT_AT_SETTING northbridge-police desk",
	})
	if s := r.Summary(); s.Superseded != 1 {
		t.Errorf("%v", s)
	}
	task := r.TaskItems()[0].Task
	_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
		Task: task.Id, Resolution: "setting_chosen", Settings: []string{"gias:900108"}, Reason: "Moved in May.",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Settle()
	equal(t, "tasks once one of the two knows", r.OpenTasks(), []string{"MISDIRECTION northbridge-police desk"})
	equal(t, "mail", r.MailTo(), []string{"h.pryce@millandmeadow.example", "j.marlowe@beacon-row.example"})
	r.Verify()
}

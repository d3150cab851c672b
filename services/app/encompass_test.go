package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Case 1.
func TestOnASchoolNightTheSafeguardingLeadIsToldAndAcknowledgesOnThePage(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), ivo))
	r.Settle()

	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-1")), []string{
		"encompass.school gias:900101: 08:30 Fri 19 Jun (BST)",
	})
	lead := r.Person("j.marlowe@beacon-row.example")
	mails := lead.Notices()
	if len(mails) != 1 {
		t.Fatalf("%d mails to the lead, want one; mail went to %v", len(mails), r.MailTo())
	}
	for _, part := range []string{mails[0].Subject, mails[0].Text, mails[0].HTML} {
		if strings.Contains(part, "Brennock") || strings.Contains(part, "Ivo") || strings.Contains(strings.ToLower(part), "domestic") {
			t.Errorf("the stub says more than it may:\n%s", part)
		}
	}
	if !strings.HasPrefix(mails[0].Subject, "OFFICIAL-SENSITIVE") {
		t.Errorf("subject %q is not marked", mails[0].Subject)
	}

	lead.Scan(mails[0])
	if n := r.Summary().Acknowledged; n != 0 {
		t.Fatal("a fetched link was taken for an acknowledgement")
	}
	page := lead.Open(mails[0])
	for _, want := range []string{"Brennock", "9 May 2015", "NP/26/1", "Officers attended"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if n := r.Summary().Acknowledged; n != 0 {
		t.Fatal("reading was taken for an acknowledgement")
	}
	lead.Acknowledge(mails[0])
	r.Settle()
	if s := r.Summary(); s.Acknowledged != 1 || s.Notices != 1 {
		t.Errorf("%v", s)
	}
	equal(t, "what the publisher heard", apptest.States(police.Feedback(), "np-1", "c1"), []intakev1.ChildState{
		intakev1.ChildState_CHILD_STATE_TOLD, intakev1.ChildState_CHILD_STATE_ACKNOWLEDGED,
	})
	r.Clock.Advance(48 * time.Hour)
	r.Settle()
	if len(r.MailTo()) != 1 {
		t.Errorf("somebody else was told after the acknowledgement: %v", r.MailTo())
	}
	r.Verify()
}

// Case 2.
func TestEverySiblingsPlaceIsToldAndNoNoticeNamesAnotherChild(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 21:10"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(),
		apptest.Child("wren", "Wren", "Alder", "2022-10-03"),
		apptest.Child("linden", "Linden", "Alder", "2020-12-01"),
		apptest.Child("rowan", "Rowan", "Alder", "2013-02-17"),
		apptest.Child("hazel", "Hazel", "Alder", "2011-11-08"))
	police.Publish(ev)
	r.Settle()

	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-2")), []string{
		"encompass.home_education ashmere-council: 12:00 Fri 19 Jun (BST)",
		"encompass.school gias:900101: 08:30 Fri 19 Jun (BST)", // Linden
		"encompass.school gias:900101: 08:30 Mon 22 Jun (BST)", // Wren: mornings, Monday to Wednesday
		"encompass.school gias:900102: 08:30 Mon 22 Jun (BST)", // Rowan: the 19th is an INSET day there
		"encompass.school gias:900103: 08:30 Fri 19 Jun (BST)", // Rowan
	})
	siblings := []string{"Wren", "Linden", "Rowan", "Hazel"}
	shown := 0
	for _, address := range r.MailTo() {
		for _, m := range r.Person(address).Notices() {
			page := r.Person(address).Open(m)
			named := slices.DeleteFunc(slices.Clone(siblings), func(n string) bool { return !strings.Contains(page, n) })
			if len(named) != 1 {
				t.Errorf("the notice to %s names %v", address, named)
			}
			shown++
		}
	}
	if shown != 5 {
		t.Errorf("%d notices were read, want 5", shown)
	}
}

// Case 3.
func TestInTheHolidayTheHolidayContactThenTheOtherAreasTeamThenTheSchoolOfTheNewTerm(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-08-07 23:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	orla := apptest.Child("c1", "Orla", "Quint", "2015-01-30")
	police.Publish(apptest.Incident(police, "np-3", "NP/26/3", r.Clock.Now(), orla))
	r.Settle()

	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-3")), []string{
		"encompass.school gias:900202: 12:00 Mon 10 Aug (BST)",
	})
	equal(t, "mail at once", r.MailTo(), []string{"w.ashby@holiday.heronsgate.example"})
	if s := r.Summary(); s.Held != 1 {
		t.Fatalf("the notice before term is not held: %v", s)
	}

	r.Clock.Set(apptest.London("2026-08-10 11:59"))
	r.Settle()
	equal(t, "mail before the deadline", r.MailTo(), []string{"w.ashby@holiday.heronsgate.example"})
	r.Clock.Set(apptest.London("2026-08-10 12:00"))
	r.Settle()
	equal(t, "mail at the deadline", r.MailTo(), []string{"w.ashby@holiday.heronsgate.example", "x.ferreira@kestrelvale.example"})
	r.Person("x.ferreira@kestrelvale.example").Acknowledge(r.Person("x.ferreira@kestrelvale.example").Notices()[0])

	// A second incident of the same holiday joins the one notice before term.
	r.Clock.Set(apptest.London("2026-08-20 18:00"))
	police.Publish(apptest.Incident(police, "np-4", "NP/26/4", r.Clock.Now(), orla))
	r.Settle()
	if s := r.Summary(); s.Held != 1 {
		t.Fatalf("held: %v", s)
	}
	r.Clock.Set(apptest.London("2026-09-01 08:59"))
	r.Settle()
	if got := r.Person("b.novak@kestrelhigh.example").Notices(); len(got) != 0 {
		t.Fatal("the new school was told before the release")
	}
	r.Clock.Set(apptest.London("2026-09-01 09:00")) // the last working day before the 2nd; the 1st is an INSET day
	r.Settle()
	lead := r.Person("b.novak@kestrelhigh.example")
	if got := lead.Notices(); len(got) != 1 {
		t.Fatalf("%d notices to the school of the new term, want one; mail went to %v", len(got), r.MailTo())
	}
	page := lead.Open(lead.Notices()[0])
	for _, want := range []string{"Quint", "NP/26/3", "NP/26/4"} {
		if !strings.Contains(page, want) {
			t.Errorf("the notice before term does not show %q", want)
		}
	}
	r.Verify()
}

// Case 4.
func TestAClosedSchoolsSuccessorIsToldOrAPersonChoosesOrTheAuthoritysTeamIsTold(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-06-16 19:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-5", "NP/26/5", r.Clock.Now(),
		apptest.Child("one", "Edie", "Farrow", "2018-02-02"),
		apptest.Child("two", "Jonah", "Sable", "2017-06-21"),
		apptest.Child("none", "Isla", "Fennimore", "2016-09-27")))
	r.Settle()

	equal(t, "told", apptest.Told(r.Decision(police.ID, "np-5")), []string{
		"encompass.school ashmere-council: 08:30 Wed 17 Jun (BST)", // no successor: the authority's team
		"encompass.school gias:900108: 08:30 Wed 17 Jun (BST)",     // one successor
	})
	equal(t, "mail", r.MailTo(), []string{"education.safeguarding@ashmere.example", "h.pryce@millandmeadow.example"})
	equal(t, "tasks", r.OpenTasks(), []string{"CHOOSE_SUCCESSOR ashmere-council education_safeguarding"})

	task := r.TaskItems()[0].Task
	equal(t, "options", task.Options, []string{"gias:900109", "gias:900110"})
	_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
		Task: task.Id, Resolution: "setting_chosen", Settings: []string{"gias:900110"}, Reason: "The admissions team confirmed it.",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Settle()
	equal(t, "mail after the choice", r.MailTo(), []string{
		"education.safeguarding@ashmere.example", "h.pryce@millandmeadow.example", "office@fernside.example",
	})
	equal(t, "tasks after the choice", r.OpenTasks(), []string{})
	fernside := r.Person("office@fernside.example")
	fernside.CodesTo = "k.adeyemi@fernside.example" // the mailbox is shared
	if page := fernside.Open(fernside.Notices()[0]); !strings.Contains(page, "Sable") {
		t.Error("the shared mailbox's reader, with the code of one person, is not shown the notice")
	}
	r.Verify()
}

// Case 5.
func TestAChildWhoIsNotCertainlyFoundIsToldAboutToNobody(t *testing.T) {
	unknown := apptest.Child("c1", "Casimir", "Underwood", "2016-06-06")
	twoMatch := apptest.Child("c1", "Sam", "Thorne", "2014-04-12")
	contradicted := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	contradicted.Identifiers = []*eventv1.Identifier{{Scheme: "upn", Value: "W902410017002"}} // another child's
	sealed := apptest.Child("c1", "Noor", "Ashdown", "2013-10-10")
	want := []string{"UNMATCHED ashmere-council duty", "UNMATCHED northbridge-police desk"}

	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	for id, child := range map[string]*eventv1.Child{
		"np-unknown": unknown, "np-two": twoMatch, "np-contradicted": contradicted, "np-sealed": sealed,
	} {
		police.Publish(apptest.Incident(police, id, "NP/26/"+id, r.Clock.Now(), child))
		r.Settle()
		equal(t, id+": tasks", r.OpenTasks(), want)
		equal(t, id+": publisher", apptest.States(police.Feedback(), id, "c1"), []intakev1.ChildState{intakev1.ChildState_CHILD_STATE_UNMATCHED})
		for _, item := range r.TaskItems() {
			_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
				Task: item.Task.Id, Resolution: "no_action", Reason: "Told in person.",
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if mail := r.Mail.All(); len(mail) != 0 {
		t.Errorf("%d mails went out, want none", len(mail))
	}

	// To the publisher a sealed child is an unknown one: the findings differ in the child's key alone.
	plain := func(id string) *ledgerv1.Decision {
		d := r.Decision(police.ID, id)
		for _, c := range d.Children {
			c.Child, c.Event = "", ""
		}
		return d
	}
	if a, b := plain("np-unknown").Children[0], plain("np-sealed").Children[0]; a.String() != b.String() {
		t.Errorf("a sealed child is told from an unknown one:\n%v\n%v", a, b)
	}
	r.Verify()
}

func TestAnUnmatchedChildIsToldAboutOnceAPersonSaysWhoItIs(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	misspelt := apptest.Child("c1", "Evo", "Brenock", "2015-05-09")
	police.Publish(apptest.Incident(police, "np-6", "NP/26/6", r.Clock.Now(), misspelt))
	r.Settle()

	// Whoever resolves it finds the child's id where the child was found before: in another event's decision.
	right := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	police.Publish(apptest.Incident(police, "np-7", "NP/26/7", r.Clock.Now(), right))
	r.Settle()
	id := r.Decision(police.ID, "np-7").Children[0].Child

	for _, item := range r.TaskItems() {
		if item.Task.Organisation != "ashmere-council" {
			continue
		}
		_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
			Task: item.Task.Id, Resolution: "matched", Child: id, Reason: "The family's school confirmed the spelling.",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r.Settle()
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 2 {
		t.Errorf("%d notices to the lead, want one for each incident", len(got))
	}
	equal(t, "tasks", r.OpenTasks(), []string{}) // the publisher's own is settled too
	r.Verify()
}

// Case 11.
func TestReportedDuringTheSchoolDay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ at, due string }{
		{"2026-06-17 10:00", "11:00 Wed 17 Jun (BST)"},
		{"2026-06-17 15:00", "15:30 Wed 17 Jun (BST)"},
	} {
		t.Run(tc.at, func(t *testing.T) {
			r := apptest.Start(t, apptest.London(tc.at))
			police := r.AddAgency("northbridge-police", "northbridge-police")
			police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
			r.Settle()
			equal(t, "told", apptest.Told(r.Decision(police.ID, "np-1")), []string{"encompass.school gias:900101: " + tc.due})
		})
	}
}

// Case 10.
func TestDueTimesAcrossClockChangesAndInsetDays(t *testing.T) {
	t.Parallel()
	rowan := apptest.Child("c1", "Rowan", "Alder", "2013-02-17")   // at Lanternfield, which has an INSET day of its own
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18") // at Kestrel Vale High, given terms of its own below
	for _, tc := range []struct {
		name, at string
		child    *eventv1.Child
		want     string
	}{
		{"in the repeated hour, first time round: half term, so noon of the next working day",
			"2026-10-25T01:30:00+01:00", rowan, "encompass.school gias:900102: 12:00 Mon 26 Oct (GMT)"},
		{"in the repeated hour, second time round",
			"2026-10-25T01:30:00Z", rowan, "encompass.school gias:900102: 12:00 Mon 26 Oct (GMT)"},
		{"in the holiday when the clocks go forward, with Easter Monday between",
			"2027-03-27T23:30:00Z", rowan, "encompass.school gias:900102: 12:00 Tue 30 Mar (BST)"},
		{"in term when the clocks go forward, with Easter Monday between",
			"2027-03-27T23:30:00Z", joss, "encompass.school gias:900201: 08:30 Tue 30 Mar (BST)"},
		{"the school's own INSET day is the next day",
			"2026-06-18T20:00:00+01:00", rowan, "encompass.school gias:900102: 08:30 Mon 22 Jun (BST)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			r := apptest.Start(t, at)
			r.Import(&directoryv1.ImportHeader{Format: "term-dates", Name: "own.csv"},
				[]byte("id,kind,from,until\n900201,term,2026-09-01,2026-12-18\n900201,term,2027-01-04,2027-04-09\n"))
			police := r.AddAgency("northbridge-police", "northbridge-police")
			police.Publish(apptest.Incident(police, "np-1", "NP/26/1", at, tc.child))
			r.Settle()
			if got := apptest.Told(r.Decision(police.ID, "np-1")); !slices.Contains(got, tc.want) {
				t.Errorf("told %q, want %q among them", got, tc.want)
			}
		})
	}
}

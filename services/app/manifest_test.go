package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// listed is a reference in a manifest, with its number of children.
type listed struct {
	reference string
	children  uint32
}

// manifest is an agency's manifest of the day that it is in London at an instant, whole.
func manifest(a *apptest.Agency, id string, at time.Time, entries ...listed) *eventv1.Event {
	return manifestOf(a, id, at, directory.DateOf(at), 1, 1, entries...)
}

func manifestOf(a *apptest.Agency, id string, at time.Time, day directory.Date, part, parts uint32, entries ...listed) *eventv1.Event {
	m := &eventv1.Manifest{Day: day.String(), Part: part, Parts: parts}
	for _, e := range entries {
		m.Entries = append(m.Entries, &eventv1.ManifestEntry{Kind: string(notice.EncompassIncident), Subject: e.reference, Children: e.children})
	}
	return &eventv1.Event{
		Id: id, Source: string(a.ID), Type: string(notice.Manifest), Subject: "manifest " + day.String(), Area: apptest.Ashmere,
		Time: timestamppb.New(at), Payload: &eventv1.Event_Manifest{Manifest: m},
	}
}

// compared is each comparison of manifests that an agency heard of: the day, and what differs.
func compared(changes []*intakev1.Change) []string {
	all := []string{}
	for _, c := range changes {
		m := c.GetManifest()
		if m == nil {
			continue
		}
		line := fmt.Sprintf("%s of %d:", m.Day, m.References)
		for _, d := range m.Differences {
			line += fmt.Sprintf(" [%s %s %d/%d/%d]", strings.TrimPrefix(d.What.String(), "DIVERGENCE_"), d.Subject, d.Part, d.Listed, d.Taken)
		}
		all = append(all, line)
	}
	return all
}

// manifestTasks are the references of each open task of a manifest, sorted.
func manifestTasks(t *testing.T, r *apptest.Rig) []string {
	t.Helper()
	asked := []string{}
	for _, item := range r.TaskItems() {
		if item.Task.Kind != ledgerv1.TaskKind_TASK_KIND_MANIFEST {
			continue
		}
		shown, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: item.Task.Id})
		must(t, err)
		asked = append(asked, fmt.Sprintf("%s %s %s", item.Task.Organisation, item.Task.Role, strings.Join(shown.Item.References, " ")))
	}
	slices.Sort(asked)
	return asked
}

func TestAManifestFindsAMissingReferenceAndAMissingSibling(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ivo, orla := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"), apptest.Child("c2", "Orla", "Quint", "2015-01-30")
	at := r.Clock.Now()
	lost := apptest.Incident(police, "np-1", "NP/26/1", at, ivo)
	alone := apptest.Incident(police, "np-2", "NP/26/2", at, ivo)
	police.Publish(alone)
	police.Publish(apptest.Incident(police, "np-3", "NP/26/3", at, ivo, orla))
	unlisted := apptest.Incident(police, "np-4", "NP/26/4", at, orla)
	police.Publish(unlisted)
	bad := apptest.Incident(police, "np-5", "NP/26/5", at, ivo)
	bad.Children[0].DateOfBirth = "2115-05-09"
	police.Publish(bad)
	tomorrow := apptest.Incident(police, "np-6", "NP/26/6", apptest.London("2026-06-19 00:10"), orla)

	// A day in London ends at 23:00 GMT in summer; half an hour later what it sent is listed, in two parts.
	r.Clock.Set(apptest.London("2026-06-19 00:30"))
	ivo.DateOfBirth = "2015-05-09"
	police.Publish(tomorrow)
	day := directory.DateOf(at)
	first := []listed{{"NP/26/1", 1}, {"NP/26/2", 2}}
	second := manifestOf(police, "np-m2", r.Clock.Now(), day, 2, 2, listed{"NP/26/3", 2}, listed{"NP/26/5", 1})
	police.PublishAs(manifestOf(police, "np-m1", r.Clock.Now(), day, 1, 2, first...), intake.CloudEventsJSON)
	police.Publish(second)
	police.Publish(second) // again: it changes nothing
	r.Settle()
	equal(t, "compared before its time", compared(police.Feedback()), []string{})

	hints, err := police.NATS.SubscribeSync(store.AgencySubject(police.ID, string(store.Manifest)))
	must(t, err)
	must(t, police.NATS.Flush())
	r.Clock.Set(apptest.London("2026-06-19 02:30"))
	r.Settle()
	differ := "2026-06-18 of 4: [NOT_TAKEN_IN NP/26/1 0/1/0] [FEWER_CHILDREN NP/26/2 0/2/1] [REFUSED NP/26/5 0/1/0] [NOT_LISTED NP/26/4 0/0/1]"
	equal(t, "compared", compared(police.Feedback()), []string{differ})
	equal(t, "tasks", manifestTasks(t, r), []string{
		"northbridge-police desk NP/26/1", "northbridge-police desk NP/26/2", "northbridge-police desk NP/26/4", "northbridge-police desk NP/26/5",
	})
	if hint, err := hints.NextMsg(time.Minute); err != nil || !strings.Contains(string(hint.Data), "NP/26/2") {
		t.Errorf("the agency hears %v, %v", hint, err)
	}

	// What was missing is published, the sibling added, what was refused corrected; the manifest had left one out.
	police.Publish(lost)
	both := proto.CloneOf(alone)
	both.Id, both.Supersedes, both.Children = "np-2b", "np-2", append(both.Children, orla)
	police.Publish(both)
	right := proto.CloneOf(bad)
	right.Id, right.Children[0].DateOfBirth = "np-5b", "2015-05-09"
	police.Publish(right)
	r.Settle() // taken in by the clock of then
	r.Clock.Set(apptest.London("2026-06-19 02:45"))
	r.Settle()
	equal(t, "compared again", compared(police.Feedback())[1:], []string{"2026-06-18 of 4: [NOT_LISTED NP/26/4 0/0/1]"})
	equal(t, "tasks left", manifestTasks(t, r), []string{"northbridge-police desk NP/26/4"})

	again := manifestOf(police, "np-m1b", r.Clock.Now(), day, 1, 2, append(first, listed{"NP/26/4", 1})...)
	again.Supersedes = "np-m1"
	police.Publish(again)
	r.Settle() // taken in by the clock of then
	r.Clock.Set(apptest.London("2026-06-19 05:00"))
	r.Settle()
	equal(t, "compared in the end", compared(police.Feedback())[2:], []string{"2026-06-18 of 5:"})
	equal(t, "tasks in the end", manifestTasks(t, r), []string{})
	r.Verify()

	// The restarted service says the same, and misses the manifest of the day after at noon.
	r.Restart()
	r.Reattach()
	police.Connect()
	r.Clock.Set(apptest.London("2026-06-20 12:00"))
	r.Settle()
	equal(t, "missed", compared(police.Feedback())[3:], []string{"2026-06-19 of 0: [NO_MANIFEST  0/0/0]"})
	police.Publish(manifestOf(police, "np-m3", r.Clock.Now(), day.AddDays(1), 1, 1, listed{"NP/26/6", 1}, listed{"NP/26/2", 2}))
	r.Settle() // taken in by the clock of then
	r.Clock.Set(apptest.London("2026-06-20 14:00"))
	r.Settle()
	equal(t, "made up for", compared(police.Feedback())[4:], []string{"2026-06-19 of 2:"})
	equal(t, "tasks after all", manifestTasks(t, r), []string{})
	r.Verify()
}

func TestADayOfWhichNothingArrivedIsFewTasks(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-10-25 12:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	var lost []listed
	for i := range 1000 {
		lost = append(lost, listed{fmt.Sprintf("NP/26/%d", i), 2})
	}
	// The day has 25 hours: what was reported in the last of them belongs to it.
	last := apptest.London("2026-10-25 23:59")
	r.Clock.Set(last)
	police.Publish(apptest.Incident(police, "np-late", "NP/26/late", last, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	day := directory.DateOf(last)
	police.Publish(manifestOf(police, "np-m1", last, day, 1, 3, lost...))
	police.Publish(manifestOf(police, "np-m2", last, day, 2, 3, listed{"NP/26/late", 1}, listed{"NP/26/more", 1}))
	r.Settle() // taken in by the clock of then
	r.Clock.Set(apptest.London("2026-10-26 02:00"))
	r.Settle()
	heard := police.Feedback()
	told := heard[len(heard)-1].GetManifest()
	if len(told.GetDifferences()) != 1000 || told.GetFurther() != 2 || told.GetDifferences()[0].GetWhat() != ledgerv1.Divergence_DIVERGENCE_PART_MISSING {
		t.Fatalf("%d differences and %d further", len(told.GetDifferences()), told.GetFurther())
	}
	if n := len(r.OpenTasks()); n < 51 || n > 53 {
		t.Errorf("%d tasks", n)
	}
	police.Publish(manifestOf(police, "np-m3", r.Clock.Now(), day, 1, 1, listed{"NP/26/late", 1}))
	r.Settle() // taken in by the clock of then
	r.Clock.Set(apptest.London("2026-10-26 04:00"))
	r.Settle()
	if got := compared(police.Feedback()); got[len(got)-1] != "2026-10-25 of 1:" {
		t.Errorf("%s", got[len(got)-1])
	}
	equal(t, "tasks", manifestTasks(t, r), []string{})
	r.Verify()
}

func TestAManifestOfTheWrongDayIsCorrectedWithoutATrace(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	at := r.Clock.Now()
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", at, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Clock.Set(apptest.London("2026-06-19 00:30"))
	wrong := manifest(police, "np-m1", r.Clock.Now(), listed{"NP/26/1", 1}) // of the day that has just begun
	police.Publish(wrong)
	right := manifestOf(police, "np-m2", r.Clock.Now(), directory.DateOf(at), 1, 1, listed{"NP/26/1", 1})
	right.Supersedes = wrong.Id
	police.Publish(right)
	r.Settle() // taken in by the clock of then
	for _, step := range []struct {
		at, heard string
	}{
		{"2026-06-19 02:30", "2026-06-18 of 1:"},
		{"2026-06-20 11:59", ""},
		{"2026-06-20 12:00", "2026-06-19 of 0: [NO_MANIFEST  0/0/0]"}, // it is expected all the same
	} {
		before := len(compared(police.Feedback()))
		r.Clock.Set(apptest.London(step.at))
		r.Settle()
		equal(t, step.at, strings.Join(compared(police.Feedback())[before:], "; "), step.heard)
	}
	equal(t, "tasks", manifestTasks(t, r), []string{"northbridge-police desk "})
	r.Verify()
}

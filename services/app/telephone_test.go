package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

const form = "agency,kind,reference,organisation,child,told,told_at,told_by,verified\n"

// call is a row about Beacon Row's lead, who was told of every child of an incident.
func call(reference, at string) string {
	return "northbridge-police,encompass.incident," + reference + ",900101,all,J. Marlowe," + at + ",PC Lund,number of the offline list\n"
}

func importCalls(r *apptest.Rig, dry bool, rows ...string) []*telephonev1.Call {
	r.T.Helper()
	response, err := r.Telephone.Import(r.Context(), &telephonev1.ImportRequest{File: []byte(form + strings.Join(rows, "")), DryRun: dry})
	if err != nil {
		r.T.Fatal(rpc.Fault(err))
	}
	return response.Calls
}

func listCalls(r *apptest.Rig, all bool) []*telephonev1.Call {
	r.T.Helper()
	response, err := r.Telephone.List(r.Context(), &telephonev1.ListRequest{All: all})
	if err != nil {
		r.T.Fatal(rpc.Fault(err))
	}
	return response.Calls
}

func facts(r *apptest.Rig, a *apptest.Agency, event string, is func(*ledgerv1.Fact) bool) int {
	n := 0
	for _, f := range r.Timeline(a.ID, event) {
		if is(f) {
			n++
		}
	}
	return n
}

// stored is how many messages the service has made durable.
func stored(r *apptest.Rig) uint64 {
	r.T.Helper()
	n, err := r.Service.Stored(r.Context())
	if err != nil {
		r.T.Fatal(err)
	}
	return n
}

func begun(f *ledgerv1.Fact) bool { return f.GetAttemptStarted() != nil }

func TestACallImportedBeforeItsEventEndsTheNoticeBeforeAnythingIsSent(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	row := call("NP/26/1", "2026-06-18 19:50")

	foretold := importCalls(r, true, row)
	if len(foretold) != 1 || foretold[0].Known || !strings.HasPrefix(foretold[0].WaitsFor, "its event") || len(listCalls(r, true)) != 0 {
		t.Fatalf("a dry run: %v", foretold)
	}
	importCalls(r, false, row)
	waiting := listCalls(r, false)
	if len(waiting) != 1 || !strings.HasPrefix(waiting[0].WaitsFor, "its event") || !strings.Contains(waiting[0].Statement, "J. Marlowe") {
		t.Fatalf("waiting: %v", waiting)
	}

	// The police's system catches up. The time is that of the report; the due time of the evening is long past for neither.
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", apptest.London("2026-06-18 19:42"), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{})
	if s := r.Summary(); s.Acknowledged != 1 || s.Notices != 1 {
		t.Errorf("%v", s)
	}
	if begins, told := facts(r, police, "np-1", begun), facts(r, police, "np-1", func(f *ledgerv1.Fact) bool { return f.GetToldByTelephone() != nil }); begins != 0 || told != 1 {
		t.Errorf("%d sends begun, %d calls in the timeline", begins, told)
	}
	equal(t, "states", apptest.States(police.Feedback(), "np-1", "c1"), []intakev1.ChildState{intakev1.ChildState_CHILD_STATE_ACKNOWLEDGED})
	if left := listCalls(r, false); len(left) != 0 {
		t.Errorf("still waiting: %v", left)
	}

	before := stored(r)
	again := importCalls(r, false, row)
	if !again[0].Known || len(again[0].Ended) != 1 || stored(r) != before {
		t.Errorf("the same file again: %v, %d messages stored before and %d after", again, before, stored(r))
	}
	r.Restart()
	if left := listCalls(r, true); len(left) != 1 || len(left[0].Ended) != 1 {
		t.Errorf("after a restart: %v", left)
	}
	r.Verify()
}

func TestACallEndsWhatWasSentWithItsChasesAndTasks(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	sent := len(r.Mail.All())
	r.Clock.Set(apptest.London("2026-06-18 22:00"))
	ended := importCalls(r, false, call("NP/26/1", "2026-06-18 20:15"))
	if len(ended[0].Ended) != 1 || ended[0].WaitsFor != "" {
		t.Fatalf("%v", ended)
	}
	if facts(r, police, "np-1", func(f *ledgerv1.Fact) bool {
		return f.GetAcknowledged().GetMeans() == "telephone" && f.GetAcknowledged().GetCall() != ""
	}) != 1 {
		t.Error("no acknowledgement by telephone")
	}
	r.Clock.Set(apptest.London("2026-06-22 12:00")) // past every due time and every link of the chains
	r.Settle()
	for _, m := range r.Mail.All()[sent:] {
		if strings.Contains(m.To, "beacon-row") {
			t.Errorf("a chase went to %s after the call", m.To)
		}
	}
	if facts(r, police, "np-1", func(f *ledgerv1.Fact) bool {
		return f.GetEscalated() != nil || f.GetLate() != nil || f.GetTaskOpened() != nil
	}) != 0 {
		t.Error("the chain went on after the call")
	}
	r.Verify()
}

func TestACorrectionAfterTheCallIsSentAsANewVersion(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-1", "NP/26/1", apptest.London("2026-06-18 19:42"), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	importCalls(r, false, call("NP/26/1", "2026-06-18 19:50"))
	police.Publish(ev)
	r.Settle()
	equal(t, "mail after the call", r.MailTo(), []string{})

	police.Publish(corrected(ev, "np-1b", func(c *eventv1.Event) { c.Children[0].Voice = "I hid in the garden." })) // with the time of the original
	r.Settle()
	mails := r.Person("j.marlowe@beacon-row.example").Notices()
	if len(mails) != 1 || !strings.Contains(mails[0].Text, "Version 2") {
		t.Fatalf("%d mails to the lead, want the second version", len(mails))
	}
	r.Verify()
}

func TestAFileOfCallsWithAFaultTakesNothingIn(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	r.AddAgency("northbridge-police", "northbridge-police")
	_, err := r.Telephone.Import(r.Context(), &telephonev1.ImportRequest{File: []byte(form + call("NP/26/1", "2026-06-18 19:50") +
		call("NP/26/2", "2026-06-18 20:01") + strings.Replace(call("NP/26/3", "2026-06-18 19:50"), "900101", "900999", 1))})
	var fields []string
	for _, f := range notice.FieldsOf(rpc.Fault(err)) {
		fields = append(fields, f.Field)
	}
	equal(t, "faults", fields, []string{"line 3, told_at", "line 4, organisation"})
	if taken := listCalls(r, true); len(taken) != 0 {
		t.Errorf("%d calls were taken in", len(taken))
	}
}

func TestTheOfflineListIsWrittenEveryHourAndRevealsNoSealedChild(t *testing.T) {
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	key, recipient, err := telephone.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list.age")
	r.Config.Offline = app.OfflineConfig{Path: path, Recipients: []string{recipient}}
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05")))
	r.Settle()

	made := func(at string) string {
		t.Helper()
		text := ""
		r.Await("the list of "+at, func() bool {
			f, err := os.Open(path)
			if err != nil {
				return false
			}
			defer f.Close()
			text, err = telephone.Open(f, key)
			return err == nil && strings.Contains(text, at)
		})
		return text
	}
	made("19:42 BST")
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	text := made("20:42 BST")
	for _, want := range []string{"J. Marlowe", "NP/26/1,gias:900101", "NP/26/2,", telephone.Columns()[2]} {
		if !strings.Contains(text, want) {
			t.Errorf("the list lacks %s", want)
		}
	}
	for _, name := range []string{"Brennock", "Sollis", "Ivo", "2015"} {
		if strings.Contains(text, name) {
			t.Error("the list says something of a child")
		}
	}

	// The child is sealed after the notice went out: from the next list on there is no line of it.
	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nR-2026-020,ashmere-roll,A-1001,protected_location,,Head of Safeguarding,refuge,2027-03-01\n"))
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	if text = made("21:42 BST"); strings.Contains(text, "NP/26/1,") || !strings.Contains(text, "NP/26/2,") {
		t.Error("the sealed child's notice is on the list, or another's is not")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files in the list's folder: %v", len(entries), err)
	}
}

func TestACallAfterTheDueTimeIsOnRecordAsLateOneBeforeItIsNot(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 16:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	concluded := r.Clock.Now()
	r.Clock.Set(apptest.London("2026-06-18 09:00")) // the outage is over, and the working day for it too
	row := func(reference, at string) string {
		return "ashmere-social-care,enquiry.concluded," + reference + ",kestrel-vale-council,all,Duty desk," + at + ",T. Abara,number of the offline list\n"
	}
	importCalls(r, false, row("EQ-1", "2026-06-17 15:59"), row("EQ-2", "2026-06-17 16:30"))
	for id, reference := range map[string]string{"eq-1": "EQ-1", "eq-2": "EQ-2"} {
		joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
		joss.ResidenceArea = apptest.KestrelVale
		enquiry := envelope(council, id, notice.EnquiryConcluded, reference, concluded, joss)
		enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
			ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_SUBSTANTIATED_CONTINUING_RISK,
			Participants: []*eventv1.Participant{{Organisation: organisation("ashmere-council"), Function: "local_authority"}},
		}}
		council.Publish(enquiry)
	}
	r.Settle()
	equal(t, "mail to the home area", len(r.Person("duty@kestrelvale.example").Notices()), 0)
	for id, want := range map[string]int{"eq-1": 0, "eq-2": 1} {
		var told []string
		for _, f := range r.Timeline(council.ID, id) {
			if call := f.GetAcknowledged(); call.GetCall() != "" {
				told = append(told, call.Notice)
			}
		}
		late := facts(r, council, id, func(f *ledgerv1.Fact) bool { return len(told) == 1 && f.GetLate().GetNotice() == told[0] })
		if len(told) != 1 || late != want {
			t.Errorf("%s: %d notices ended by the call, %d of them late, want %d", id, len(told), late, want)
		}
	}
	r.Verify()
}

func TestAnOfflineListThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	key, recipient, err := telephone.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mounted later", "list.age")
	r.Config.Offline = app.OfflineConfig{Path: path, Recipients: []string{recipient}}
	r.Boot()
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	began := r.Clock.Now()
	var sealed []byte
	r.Await("the list", func() bool {
		if sealed, err = os.ReadFile(path); err != nil {
			r.Clock.Advance(time.Minute)
		}
		return err == nil
	})
	if waited := r.Clock.Now().Sub(began); waited > 50*time.Minute {
		t.Errorf("it was tried again only after %s", waited)
	}
	if text, err := telephone.Open(bytes.NewReader(sealed), key); err != nil || !strings.Contains(text, "OFFICIAL-SENSITIVE") {
		t.Errorf("%v", err)
	}
}

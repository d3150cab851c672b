package app_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/demo"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

const missing = "900101" // Beacon Row

// withoutBeaconRow boots a service whose directory lacks one school and everything about it.
func withoutBeaconRow(t *testing.T, at time.Time) *apptest.Rig {
	t.Helper()
	r := apptest.Empty(t, at)
	for _, file := range demo.BoroughFiles() {
		data, err := fs.ReadFile(demo.Borough(), file.Name)
		if err != nil {
			t.Fatal(err)
		}
		var kept [][]byte
		for _, line := range bytes.SplitAfter(data, []byte("\n")) {
			if !bytes.Contains(line, []byte(missing)) {
				kept = append(kept, line)
			}
		}
		if result := r.Import(&directoryv1.ImportHeader{Format: file.Format, Name: file.Name, Source: file.Source}, bytes.Join(kept, nil)); len(result.Faults) > 0 {
			t.Fatalf("%s: %v", file.Name, result.Faults)
		}
	}
	return r
}

func one(event string, force bool) *replayv1.Selection {
	return &replayv1.Selection{Agency: "northbridge-police", Event: event, Force: force}
}

func plan(r *apptest.Rig, sel *replayv1.Selection) *replayv1.Plan {
	r.T.Helper()
	response, err := r.Replay.Plan(r.Context(), &replayv1.PlanRequest{Selection: sel})
	if err != nil {
		r.T.Fatal(rpc.Fault(err))
	}
	return response.Plan
}

func confirm(r *apptest.Rig, sel *replayv1.Selection, digest string) *replayv1.ConfirmResponse {
	r.T.Helper()
	response, err := r.Replay.Confirm(r.Context(), &replayv1.ConfirmRequest{Selection: sel, Digest: digest, Reason: "The school was missing."})
	if err != nil {
		r.T.Fatal(rpc.Fault(err))
	}
	r.Settle()
	return response
}

// items is what a plan does, as "<what> <organisation>".
func items(p *replayv1.Plan) []string {
	out := []string{}
	for _, l := range p.Lineages {
		for _, item := range l.Items {
			out = append(out, strings.ToLower(strings.TrimPrefix(item.What.String(), "WHAT_"))+" "+item.Organisation)
		}
	}
	return out
}

func TestASchoolThatWasMissingIsToldByAReplayAndNobodyElseAgain(t *testing.T) {
	r := withoutBeaconRow(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(),
		apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09"), apptest.Child("bram", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	equal(t, "mail before", r.MailTo(), []string{"office@fernside.example"})
	equal(t, "tasks before", r.OpenTasks(), []string{"UNMATCHED ashmere-council duty", "UNMATCHED northbridge-police desk"})

	r.ImportBorough()
	r.Settle()
	before := stored(r)
	dry := plan(r, one("np-1", false))
	equal(t, "plan", items(dry), []string{"new gias:900101", "kept gias:900110", "task_settled ashmere-council", "task_settled northbridge-police"})
	if dry.Lineages[0].Reference != "NP/26/1" || dry.Lineages[0].Items[0].Lane != ledgerv1.Lane_LANE_HIGH {
		t.Errorf("%v", dry)
	}
	if stored(r) != before {
		t.Error("the dry run recorded something")
	}
	equal(t, "mail after the dry run", r.MailTo(), []string{"office@fernside.example"})

	if done := confirm(r, one("np-1", false), dry.Digest); !done.Done {
		t.Fatalf("not done: %v", done)
	}
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example", "office@fernside.example"})
	for _, address := range r.MailTo() {
		if mails := r.Person(address).Notices(); len(mails) != 1 || strings.Contains(mails[0].Text, "Sent again") {
			t.Errorf("%s has %d mails", address, len(mails))
		}
	}
	equal(t, "tasks", r.OpenTasks(), []string{})
	replays := facts(r, police, "np-1", func(f *ledgerv1.Fact) bool {
		return f.GetReplayed().GetBy() != "" && f.GetReplayed().GetStatement() != 0 && !f.GetReplayed().GetForced()
	})
	if d := r.Decision(police.ID, "np-1"); replays != 1 || d.Cause != ledgerv1.Cause_CAUSE_REPLAY || d.Round != 2 {
		t.Errorf("%d replays in the timeline; decided by %v in round %d", replays, d.Cause, d.Round)
	}

	// A second time there is nothing to do.
	again := plan(r, one("np-1", false))
	equal(t, "plan the second time", items(again), []string{"kept gias:900101", "kept gias:900110"})
	if again.Digest != "" {
		t.Error("there is something to confirm")
	}
	_, err := r.Replay.Confirm(r.Context(), &replayv1.ConfirmRequest{Selection: one("np-1", false), Digest: dry.Digest, Reason: "Twice."})
	if notice.KindOf(rpc.Fault(err)) != notice.Precondition {
		t.Errorf("confirmed twice: %v", err)
	}
	r.Verify()
}

func TestAReplaySendsAgainOnlyByForceAndSaysSo(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(),
		apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09"), apptest.Child("bram", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	lead, first := r.Person("j.marlowe@beacon-row.example"), r.Person("j.marlowe@beacon-row.example").Notices()[0]
	lead.Acknowledge(first)
	r.Settle()
	equal(t, "without force", items(plan(r, one("np-1", false))), []string{"left gias:900101", "kept gias:900110"})

	forced := plan(r, one("np-1", true))
	equal(t, "with force", items(forced), []string{"repeated gias:900101", "kept gias:900110"})
	// A call of before the replay does not end what is sent again.
	r.Clock.Set(r.Clock.Now().Add(5 * time.Minute))
	importCalls(r, false, call("NP/26/1", "2026-06-16 19:44"))
	if done := confirm(r, one("np-1", true), forced.Digest); !done.Done {
		t.Fatalf("not done: %v", done)
	}
	mails := lead.Notices()
	if len(mails) != 2 || !strings.Contains(mails[1].Subject, "sent again") || !strings.Contains(mails[1].Text, "It is not a new incident.") {
		t.Fatalf("%d mails to the lead; the last: %s", len(mails), mails[len(mails)-1].Subject)
	}
	if page := lead.Open(mails[1]); !strings.Contains(page, "It is not a new incident.") {
		t.Error("the page does not say that it was sent again")
	}
	if got := r.Person("office@fernside.example").Notices(); len(got) != 1 {
		t.Errorf("what is under way was doubled: %d mails", len(got))
	}
	if facts(r, police, "np-1", func(f *ledgerv1.Fact) bool { return f.GetReplayed().GetForced() }) != 1 {
		t.Error("the timeline does not say that it was forced")
	}
	lead.Acknowledge(mails[1])
	r.Settle()
	equal(t, "afterwards", items(plan(r, one("np-1", false))), []string{"left gias:900101", "kept gias:900110"})
	r.Verify()
}

func TestAReplayIsRefusedWhereTheWorldHasChangedSinceItsPlan(t *testing.T) {
	r := withoutBeaconRow(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09"))
	police.Publish(ev)
	r.Settle()
	r.ImportBorough()
	r.Settle()
	seen := plan(r, one("np-1", false))
	r.Clock.Set(r.Clock.Now().Add(10 * time.Minute)) // time alone changes nothing
	if again := plan(r, one("np-1", false)); again.Digest != seen.Digest {
		t.Error("ten minutes later the plan is another")
	}

	// A correction comes between: the child is another one.
	police.Publish(corrected(ev, "np-1b", func(c *eventv1.Event) {
		c.Children = []*eventv1.Child{apptest.Child("bram", "Bram", "Sollis", "2015-12-05")}
	}))
	r.Settle()
	before := stored(r)
	refused, err := r.Replay.Confirm(r.Context(), &replayv1.ConfirmRequest{Selection: one("np-1", false), Digest: seen.Digest, Reason: "Too late."})
	if status := rpc.Fault(err); err == nil && refused.Done || err != nil && notice.KindOf(status) != notice.Precondition {
		t.Errorf("confirmed a plan that is no more: %v, %v", refused, err)
	}
	if stored(r) != before {
		t.Error("something was recorded")
	}
	// By the event that was corrected its matter is found, as it stands now.
	equal(t, "plan of the corrected event", items(plan(r, one("np-1", false))), []string{"kept gias:900110"})

	r.Import(&directoryv1.ImportHeader{Format: "restrictions", Name: "restrictions.csv"}, []byte(
		"id,roll,pupil_id,kind,target,authoriser,reason,review_on\nR-2026-021,ashmere-roll,A-1013,barred_organisation,900110,Head of Safeguarding,party,2027-03-01\n"))
	changed, err := r.Replay.Confirm(r.Context(), &replayv1.ConfirmRequest{Selection: one("np-1b", false), Digest: seen.Digest, Reason: "Too late."})
	if err != nil || changed.Done || changed.Plan.Digest == "" || changed.Plan.Digest == seen.Digest || stored(r) != before {
		t.Errorf("want the new plan and nothing done: %v, %v", changed, err)
	}
	equal(t, "the new plan", items(changed.Plan), []string{"superseded gias:900110", "task ashmere-council"})
	r.Verify()
}

func TestAReplayOfARangeTakesItsMattersInOrderAndLeavesOutWhatWasErased(t *testing.T) {
	t.Parallel()
	r := withoutBeaconRow(t, apptest.London("2026-06-16 18:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	for i, reference := range []string{"NP/26/1", "NP/26/2", "NP/26/3", "NP/26/4"} {
		r.Clock.Set(apptest.London("2026-06-16 18:00").Add(time.Duration(i) * time.Hour))
		police.Publish(apptest.Incident(police, "np-"+reference[6:], reference, r.Clock.Now(), apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09")))
		r.Settle()
	}
	r.ImportBorough()
	if err := r.Service.Store().Events().Erase(r.Context(), police.ID, 2); err != nil {
		t.Fatal(err)
	}
	r.Restart() // an event that was read is in memory until then
	span := &replayv1.Selection{
		Agency: "northbridge-police", Kind: string(notice.EncompassIncident),
		From: timestamppb.New(apptest.London("2026-06-16 18:30")), Until: timestamppb.New(apptest.London("2026-06-16 21:00")),
	}
	p := plan(r, span)
	if len(p.Lineages) != 1 || p.Lineages[0].Reference != "NP/26/3" || len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Reason, "erased") {
		t.Fatalf("%v", p)
	}
	span.From = timestamppb.New(apptest.London("2026-06-16 18:00"))
	if p = plan(r, span); len(p.Lineages) != 2 || p.Lineages[0].Reference != "NP/26/1" || p.Lineages[1].Reference != "NP/26/3" {
		t.Fatalf("not in order of time: %v", p)
	}
	if done := confirm(r, span, p.Digest); !done.Done {
		t.Fatal("not done")
	}
	if mails := r.Person("j.marlowe@beacon-row.example").Notices(); len(mails) != 2 {
		t.Errorf("%d mails to the lead, want those of the two in the span", len(mails))
	}
	span.Kind = string(notice.ReferralReceived)
	if p = plan(r, span); len(p.Lineages) != 0 || p.Digest != "" {
		t.Errorf("of another kind: %v", p)
	}
	for name, sel := range map[string]*replayv1.Selection{
		"a span too long":   {Agency: "northbridge-police", From: timestamppb.New(r.Clock.Now().AddDate(0, -2, 0)), Until: timestamppb.New(r.Clock.Now())},
		"a span backwards":  {Agency: "northbridge-police", From: span.Until, Until: span.From},
		"nothing":           {Agency: "northbridge-police"},
		"another's kind":    {Agency: "northbridge-police", Event: "np-1", Kind: "gossip"},
		"nobody's":          {Agency: "nobody", Event: "np-1"},
		"an event and more": {Agency: "northbridge-police", Event: "np-1", From: span.From, Until: span.Until},
	} {
		if _, err := r.Replay.Plan(r.Context(), &replayv1.PlanRequest{Selection: sel}); notice.KindOf(rpc.Fault(err)) != notice.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	withdraw(t, r, "np-4")
	r.Settle()
	if p = plan(r, one("np-4", true)); len(p.Lineages) != 0 || len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Reason, "withdrawn") {
		t.Errorf("what was withdrawn: %v", p)
	}
	if _, err := r.Replay.Plan(r.Context(), &replayv1.PlanRequest{Selection: one("np-unknown", false)}); notice.KindOf(rpc.Fault(err)) != notice.NotFound {
		t.Errorf("an unknown event: %v", err)
	}
	r.Verify()
}

func TestWhatIsReplayedLateGoesWithTheRoutineAndWhatWasToldByTelephoneIsNotSent(t *testing.T) {
	r := withoutBeaconRow(t, apptest.London("2026-06-16 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09")))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("ivo", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	r.ImportBorough()
	r.Clock.Set(apptest.London("2026-06-18 10:00")) // two mornings later
	importCalls(r, false, call("NP/26/2", "2026-06-17 08:00"))
	r.Settle()
	for event, want := range map[string]string{"np-1": "", "np-2": "told by telephone on 17 Jun 2026 08:00 BST: it ends at once, and nothing is sent"} {
		p := plan(r, one(event, false))
		item := p.Lineages[0].Items[0]
		if item.What != replayv1.What_WHAT_NEW || item.Lane != ledgerv1.Lane_LANE_ROUTINE || item.State != want {
			t.Errorf("%s: %v", event, item)
		}
		if done := confirm(r, one(event, false), p.Digest); !done.Done {
			t.Errorf("%s: not done", event)
		}
	}
	if mails := r.Person("j.marlowe@beacon-row.example").Notices(); len(mails) != 1 {
		t.Errorf("%d mails to the lead, want the one that no call told of", len(mails))
	}
	r.Verify()
}

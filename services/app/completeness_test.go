package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/store"
)

// leftOut is what an agency heard was left out of an event, each time that it heard.
func leftOut(changes []*intakev1.Change, event string) [][]string {
	var heard [][]string
	for _, c := range changes {
		told := c.GetCompleteness()
		if told == nil || told.EventId != event {
			continue
		}
		left := []string{}
		for _, m := range told.Missing {
			left = append(left, strings.Join(m.Fields, " or "))
		}
		heard = append(heard, left)
	}
	return heard
}

func counted(t *testing.T, r *apptest.Rig, from, until time.Time) []*ledgerv1.CompletenessCount {
	t.Helper()
	response, err := r.Ledger.Completeness(r.Context(), &ledgerv1.CompletenessRequest{
		Agency: "northbridge-police", FromMs: from.UnixMilli(), UntilMs: until.UnixMilli(),
	})
	must(t, err)
	return response.Counts
}

func TestAThinEventGoesOutIsFedBackCountedAndClearedByItsCorrection(t *testing.T) {
	t.Parallel()
	r, police := watched(t, func(r *apptest.Rig) { r.Config.Metrics.Listen = "127.0.0.1:0" })
	hints, err := police.NATS.SubscribeSync(store.AgencySubject(police.ID, string(store.Completeness)))
	must(t, err)
	must(t, police.NATS.Flush())
	ivo := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
	ivo.Presence = eventv1.Presence_PRESENCE_UNSPECIFIED
	ivo.SettingAsStated = "Beacon Row"
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), ivo)
	ev.Narrative = nil
	police.Publish(ev)
	r.Settle()

	equal(t, "mail", r.MailTo(), []string{lead})
	school := r.Person(lead)
	page := school.Open(school.Notices()[0])
	if n := strings.Count(strings.ToLower(page), "not stated"); n != 3 {
		t.Errorf("presence and two checks are not stated, and the notice says so %d times:\n%s", n, page)
	}
	want := [][]string{{
		"children[0].presence", "narrative.disclosable or children[0].voice", "checks.pnc", "checks.pnd", "risk", "encompass_incident.place",
	}}
	if diff := cmp.Diff(want, leftOut(police.Feedback(), "np-1")); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	hint, err := hints.NextMsg(time.Minute)
	must(t, err)
	var told struct {
		EventID string `json:"eventId"`
		Missing []struct{ Need, ChildRef, Message string }
	}
	must(t, json.Unmarshal(hint.Data, &told))
	if told.EventID != "np-1" || len(told.Missing) != 6 || told.Missing[0].ChildRef != "c1" || !strings.Contains(told.Missing[2].Message, "Police National Computer") {
		t.Errorf("the agency hears %s", hint.Data)
	}

	r.Clock.Set(r.Clock.Now().Add(20 * time.Minute))
	corrected := proto.CloneOf(ev)
	corrected.Id, corrected.Supersedes = "np-1b", "np-1"
	corrected.Children[0].Presence, corrected.Children[0].Voice = eventv1.Presence_PRESENCE_PRESENT, "I hid in the garden."
	corrected.Checks.Pnc, corrected.Checks.Pnd = eventv1.Check_CHECK_DONE, eventv1.Check_CHECK_NOT_DONE
	corrected.Risk = eventv1.RiskGrade_RISK_GRADE_STANDARD
	police.Publish(corrected)
	r.Settle()
	if diff := cmp.Diff([][]string{{"encompass_incident.place"}}, leftOut(police.Feedback(), "np-1b")); diff != "" {
		t.Errorf("missing after the correction (-want +got):\n%s", diff)
	}
	whole := proto.CloneOf(corrected)
	whole.Id, whole.Supersedes = "np-1c", "np-1b"
	whole.GetEncompassIncident().Place = &eventv1.Address{Lines: []string{"4 Heron Row"}}
	police.Publish(whole)
	police.Publish(whole)
	r.Settle()
	if diff := cmp.Diff([][]string{{}}, leftOut(police.Feedback(), "np-1c")); diff != "" {
		t.Errorf("missing in the end (-want +got):\n%s", diff)
	}

	day := apptest.London("2026-06-18 00:00")
	counts := counted(t, r, day, day.AddDate(0, 0, 1))
	if len(counts) != 1 || counts[0].Events != 3 || counts[0].Thin != 2 {
		t.Fatalf("counted: %v", counts)
	}
	for _, lack := range counts[0].Lacks {
		events := int64(1)
		if lack.Need == "encompass.place" {
			events = 2
		}
		if lack.Missing != events || lack.Given != events || len(lack.Fields) == 0 {
			t.Errorf("%v, want it missing and given since in %d", lack, events)
		}
	}
	if got := counted(t, r, day.AddDate(0, 0, 1), day.AddDate(0, 0, 2)); len(got) != 0 {
		t.Errorf("the day after: %v", got)
	}
	var lines map[string][]string
	r.AwaitMail(func() bool {
		lines = scrape(t, r)
		return slices.Contains(lines["signalbox_events_assessed_total"], `{agency="northbridge-police"} 3`)
	})
	if got := `{agency="northbridge-police",need="encompass.place"} 2`; !slices.Contains(lines["signalbox_events_lacking_given_total"], got) {
		t.Errorf("metrics: %v", lines["signalbox_events_lacking_given_total"])
	}
	r.Verify()
}

func TestWhatIsMissingSaysNothingOfAChildWhoIsSealed(t *testing.T) {
	t.Parallel()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.PublishAs(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Noor", "Ashdown", "2013-10-10")), intake.CloudEventsJSON)
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Nobody", "Weknow", "2013-10-10")))
	r.Settle()
	if diff := cmp.Diff(leftOut(police.Feedback(), "np-2"), leftOut(police.Feedback(), "np-1")); diff != "" || len(leftOut(police.Feedback(), "np-1")) != 1 {
		t.Errorf("(-unknown +sealed):\n%s", diff)
	}
}

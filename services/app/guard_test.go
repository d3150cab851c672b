package app_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/nats-io/nats.go/jetstream"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/store"
)

// watched is a service whose guards look often, with the borough and the police.
func watched(t *testing.T, change func(*apptest.Rig)) (*apptest.Rig, *apptest.Agency) {
	t.Helper()
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	r.Watchful()
	if change != nil {
		change(r)
	}
	r.Boot()
	r.ImportBorough()
	return r, r.AddAgency("northbridge-police", "northbridge-police")
}

// aboutIvo is an incident about a child of Beacon Row, whose lead is told.
func aboutIvo(a *apptest.Agency, r *apptest.Rig, n int) {
	a.Publish(apptest.Incident(a, fmt.Sprint("np-", n), fmt.Sprint("NP/26/", n), r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
}

func TestAMailDomainThatAnswersNobodyRaisesTheOldestUndispatched(t *testing.T) {
	t.Parallel()
	r, police := watched(t, func(r *apptest.Rig) {
		r.Config.Send.Endpoint = app.EndpointConfig{Failures: 1, Rest: 20 * time.Minute}
	})
	r.Mail.Refuse(func(string) error {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Shutting down"}
	})
	aboutIvo(police, r, 1)
	r.AwaitEvents(1)
	r.AwaitMail(func() bool { // until its first attempt has failed
		return slices.ContainsFunc(r.Timeline(police.ID, "np-1"), func(f *ledgerv1.Fact) bool { return f.GetAttemptFinished() != nil })
	})
	aboutIvo(police, r, 2) // waits behind the first: its domain is left alone
	r.AwaitSummary(func(s *ledgerv1.SummaryResponse) bool { return s.WithoutEndOrOwner == 2 })
	if raised, known := r.Alarms(); !known || raised["oldest-undispatched"] != nil {
		t.Errorf("raised at once: %v", raised)
	}
	r.Clock.Advance(6 * time.Minute)
	a := r.AwaitAlarm("oldest-undispatched")
	if a.Severity != alarmv1.Severity_SEVERITY_CRITICAL || len(a.Subjects) != 1 || r.Clock.Now().Sub(time.UnixMilli(a.SinceMs)) < 5*time.Minute {
		t.Errorf("%v", a)
	}
	r.Mail.Refuse(nil)
	r.Clock.Advance(20 * time.Minute)
	r.AwaitNoAlarm("oldest-undispatched")
}

func TestWhatWaitsForPeopleIsRaisedAgainByWhoeverTakesTheLead(t *testing.T) {
	t.Parallel()
	r, police := watched(t, (*apptest.Rig).TakeReturns)
	raised := func(codes ...string) (since []int64) {
		t.Helper()
		for _, code := range codes {
			since = append(since, r.AwaitAlarm(code).SinceMs)
		}
		return since
	}
	codes := []string{"sending-stopped", "contact-failing", "task-overdue"}

	aboutIvo(police, r, 1)
	r.Settle()
	must(t, r.Back().Bounce(r.Context(), r.Person("j.marlowe@beacon-row.example").Notices()[0], "failed", "5.1.1"))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Nobody", "Unheardof", "2015-05-09")))
	r.Settle()
	sending := sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
	_, err := sending.Stop(r.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "email", Reason: "a rehearsal"})
	must(t, err)
	r.Clock.Advance(10 * 24 * time.Hour)
	r.Settle()
	before := raised(codes...)
	if a := r.AwaitAlarm("sending-stopped"); a.Subjects[0] != "channel email" {
		t.Errorf("%v", a)
	}

	r.Restart()
	equal(t, "since when, by the next to lead", raised(codes...), before)

	sending = sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
	_, err = sending.Resume(r.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "email", Reason: "it is over"})
	must(t, err)
	r.AwaitNoAlarm("sending-stopped")
	for {
		open := r.TaskItems()
		if len(open) == 0 {
			break
		}
		_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{Task: open[0].Task.Id, Resolution: "no_action", Reason: "a rehearsal"})
		must(t, err)
	}
	r.AwaitNoAlarm("task-overdue")
}

func TestAnAgencyThatFallsSilentAndOneWhoseEventsAreRefusedAreRaised(t *testing.T) {
	t.Parallel()
	r, police := watched(t, func(r *apptest.Rig) {
		r.Config.Alarms.Silence = time.Second
		r.Config.Alarms.Refused = 2
		r.Config.Alarms.Agencies = map[string]app.SilenceConfig{"ashmere-social-care": {Never: true}}
	})
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	aboutIvo(council, r, 2)
	aboutIvo(police, r, 1)
	a := r.AwaitAlarm("silent-publisher")
	equal(t, "silent", a.Subjects, []string{"northbridge-police"})
	for range 3 { // that it published is what counts, not what
		police.PublishRaw(store.EventSubject(police.ID, "encompass.incident"), nil, []byte("no event"))
	}
	equal(t, "refused", r.AwaitAlarm("quarantine-growing").Subjects, []string{"northbridge-police"})
	r.Clock.Advance(time.Hour)
	r.AwaitNoAlarm("quarantine-growing")
}

func TestEventsThatAreKeptAndNotTakenInAreRaised(t *testing.T) {
	t.Parallel()
	r, _ := overExternal(t, apptest.London("2026-06-18 19:42"))
	r.Watchful()
	r.Config.Alarms.Undecided = time.Second
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")

	// There is no quarantine, so an event at fault cannot be set aside, and those behind it wait.
	nc, err := store.Connect(t.Context(), store.External{URL: r.Config.NATS.URL, SeedFile: r.Config.NATS.Seed, RootsFile: r.Config.NATS.Roots})
	must(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(t, err)
	must(t, js.DeleteStream(t.Context(), "QUARANTINE"))
	police.PublishRaw(store.EventSubject(police.ID, "encompass.incident"), nil, []byte("no event"))
	aboutIvo(police, r, 1)
	equal(t, "behind", r.AwaitAlarm("events-not-taken").Subjects, []string{"northbridge-police"})

	must(t, r.Service.Store().Provision(t.Context(), r.Clock.Now().Year()))
	r.AwaitNoAlarm("events-not-taken")
	r.Settle()
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("%d notices, want one", len(got))
	}
}

// probe asks the listener of the metrics.
func probe(t *testing.T, r *apptest.Rig, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get("http://" + r.Service.MetricsAddr() + path)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

func TestAnInstanceThatSeesNoLeaderSaysSo(t *testing.T) {
	t.Parallel()
	r, nats := overExternal(t, apptest.London("2026-06-18 19:42"))
	cable := r.Proxy("127.0.0.1:" + nats.port)
	r.Watchful()
	r.Config.Alarms.NoLeader = 7 * time.Second // the lease is renewed every two
	r.Config.NATS.URL = "tls://" + cable.Addr()
	r.Config.Metrics.Listen = "127.0.0.1:0"
	r.Boot()
	r.AwaitNoAlarm("no-leader")
	equal(t, "ready", probe(t, r, "/readyz"), "200 ready\n")
	cable.Cut()
	r.AwaitAlarm("no-leader")
	equal(t, "ready", probe(t, r, "/readyz"), "503 no instance leads\n")
	equal(t, "alive", probe(t, r, "/healthz"), "200 alive\n")
	cable.Mend()
	r.AwaitNoAlarm("no-leader")
}

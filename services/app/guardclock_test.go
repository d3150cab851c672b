package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"encoding/pem"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// watcher waits for heartbeats over HTTPS, as whoever looks from outside does.
type watcher struct {
	beats  chan string
	status chan int // answers the next beats, until another is given
}

func newWatcher(t *testing.T, r *apptest.Rig) *watcher {
	t.Helper()
	w := &watcher{beats: make(chan string), status: make(chan int, 1)}
	answer := http.StatusOK
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		select {
		case answer = <-w.status:
		default:
		}
		var said map[string]string
		if request.Method != http.MethodPost || request.Header.Get("Authorization") != "Bearer s3cret" || json.Unmarshal(body, &said) != nil || len(said) != 2 {
			t.Errorf("%s %s: %s", request.Method, request.URL, body)
		}
		rw.WriteHeader(answer)
		select {
		case w.beats <- said["instance"] + " " + said["status"]:
		default:
		}
	}))
	t.Cleanup(server.Close)
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	r.Config.Heartbeat = app.HeartbeatConfig{
		URLFile: write("url", server.URL+"/ping/3f9c\n"), TokenFile: write("token", "s3cret\n"), Every: 50 * time.Millisecond,
		Roots: write("roots.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))),
	}
	return w
}

func (w *watcher) await(t *testing.T) string {
	t.Helper()
	select {
	case said := <-w.beats:
		return said
	case <-time.After(time.Minute):
		t.Fatal("no heartbeat")
		return ""
	}
}

// silent waits for twenty heartbeats' time in vain.
func (w *watcher) silent(t *testing.T) {
	t.Helper()
	select {
	case <-w.beats:
		t.Error("a heartbeat, though the service is not well")
	case <-time.After(time.Second):
	}
}

func TestByAClockThatWasSetNothingIsDecidedOrSentUntilItIsRightOrConfirmed(t *testing.T) {
	t.Parallel()
	hands := apptest.NewHands()
	var outside *watcher
	r, police := watched(t, func(r *apptest.Rig) {
		r.Machine = hands
		outside = newWatcher(t, r)
	})
	lead := r.Person("j.marlowe@beacon-row.example")
	aboutIvo(police, r, 1)
	r.Settle()
	r.AwaitNoAlarm("clock-implausible")
	equal(t, "heartbeat", outside.await(t), "test leads")

	hands.Set(24 * time.Hour)
	a := r.AwaitAlarm("clock-implausible")
	equal(t, "what is wrong", a.Text, "it was set 24h0m0s forward")
	aboutIvo(police, r, 2)
	r.AwaitEvents(2)
	lead.Acknowledge(lead.Notices()[0]) // people go on
	outside.silent(t)
	r.Clock.Advance(3 * time.Minute)
	r.AwaitAlarm("engine-stuck")
	if got := lead.Notices(); len(got) != 1 {
		t.Fatalf("%d notices were sent by a clock that cannot be right", len(got)-1)
	}

	hands.Set(-24 * time.Hour)
	r.AwaitNoAlarm("clock-implausible")
	r.Settle()
	r.AwaitNoAlarm("engine-stuck")
	if got := lead.Notices(); len(got) != 2 {
		t.Fatalf("%d notices once the clock is right, want 2", len(got))
	}
	outside.await(t)

	alarms := alarmv1.NewAlarmServiceClient(r.Dial(r.Service.AdminIdentity()))
	confirm := func() error {
		_, err := alarms.ConfirmClock(r.Context(), &alarmv1.ConfirmClockRequest{Reason: "it was behind, and is right now"})
		return err
	}
	if err := confirm(); notice.KindOf(rpc.Fault(err)) != notice.Precondition {
		t.Errorf("a clock that nobody doubts is confirmed: %v", err)
	}
	hands.Set(time.Hour)
	r.AwaitAlarm("clock-implausible")
	aboutIvo(police, r, 3)
	r.AwaitEvents(3)
	must(t, confirm())
	r.AwaitNoAlarm("clock-implausible")
	r.Settle()
	if got := lead.Notices(); len(got) != 3 {
		t.Errorf("%d notices once the clock is confirmed, want 3", len(got))
	}
	r.Verify()
}

func TestAClockBehindTheLedgerIsNotBelievedUntilAPersonConfirmsIt(t *testing.T) {
	t.Parallel()
	r, police := watched(t, nil)
	aboutIvo(police, r, 1)
	r.Settle()
	r.Stop()
	r.SetBack(2 * time.Hour)
	r.Boot()
	police.Connect()
	a := r.AwaitAlarm("clock-implausible")
	equal(t, "what is wrong", a.Text, "it is 2h0m0s behind the newest fact of the ledger")
	aboutIvo(police, r, 2)
	r.AwaitEvents(2)
	lead := r.Person("j.marlowe@beacon-row.example")
	if got := lead.Notices(); len(got) != 1 {
		t.Fatalf("%d notices, want one", len(got))
	}
	_, err := alarmv1.NewAlarmServiceClient(r.Dial(r.Service.AdminIdentity())).ConfirmClock(r.Context(), &alarmv1.ConfirmClockRequest{Reason: "it was ahead"})
	must(t, err)
	r.AwaitNoAlarm("clock-implausible")
	r.Settle()
	if got := lead.Notices(); len(got) != 2 {
		t.Errorf("%d notices once the clock is confirmed, want 2", len(got))
	}
	r.Restart() // it stays confirmed
	r.AwaitNoAlarm("clock-implausible")
}

func TestAClockAwayFromTheNATSServersIsNotBelieved(t *testing.T) {
	t.Parallel()
	r, _ := overExternal(t, apptest.London("2026-06-18 19:42"))
	hands := apptest.NewHands()
	hands.Set(-10 * time.Minute) // from the start: nobody saw it being set
	r.Machine = hands
	r.Watchful()
	r.Boot()
	equal(t, "what is wrong", r.AwaitAlarm("clock-implausible").Text, "it is 10m0s behind the NATS server's")
	hands.Set(10 * time.Minute)
	r.AwaitNoAlarm("clock-implausible")
}

func TestAWatcherThatTakesNoHeartbeatIsRaised(t *testing.T) {
	t.Parallel()
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	r.Watchful()
	w := newWatcher(t, r)
	w.status <- http.StatusServiceUnavailable
	r.Boot()
	equal(t, "why", r.AwaitAlarm("heartbeat-failing").Text[len("not taken for 0 s: "):], "the watcher answered 503")
	w.status <- http.StatusNoContent
	r.AwaitNoAlarm("heartbeat-failing")
}

package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/testing/protocmp"

	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/archive"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

const passphrase = "seven wooden boats at anchor"

// backup takes an archive over gRPC, as the command does.
func backup(t *testing.T, r *apptest.Rig) []byte {
	t.Helper()
	stream, err := backupv1.NewBackupServiceClient(r.Dial(r.Service.AdminIdentity())).Backup(r.Context(), &backupv1.BackupRequest{})
	check(t, err)
	var sealed bytes.Buffer
	seal, err := archive.Seal(&sealed, passphrase, archive.Quick)
	check(t, err)
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		_, err = seal.Write(part.Chunk)
		check(t, err)
	}
	check(t, seal.Close())
	return sealed.Bytes()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// elsewhere is a world whose service has an empty data folder yet to come.
func elsewhere(t *testing.T, at time.Time) *apptest.Rig {
	t.Helper()
	r := apptest.World(t, at)
	r.Config.Data = filepath.Join(r.Data, "restored")
	return r
}

func restore(r *apptest.Rig, sealed []byte, with string) (app.Restored, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return app.Restore(ctx, r.Config, r.Clock.Now(), func() (io.Reader, error) { return archive.Open(bytes.NewReader(sealed), with) })
}

func sending(r *apptest.Rig) sendingv1.SendingServiceClient {
	return sendingv1.NewSendingServiceClient(r.Dial(r.Service.AdminIdentity()))
}

// busyHoliday is a service with something of everything: acknowledged, held, to be acknowledged, refused, on a task, erased.
func busyHoliday(t *testing.T) (*apptest.Rig, *apptest.Agency) {
	t.Helper()
	r := apptest.Start(t, apptest.London("2026-08-07 23:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	for i, child := range [][3]string{{"Orla", "Quint", "2015-01-30"}, {"Nobody", "Weknow", "2014-01-01"}, {"Ivo", "Brennock", "2015-05-09"}} {
		id := fmt.Sprintf("np-%d", i+1)
		police.Publish(apptest.Incident(police, id, "NP/26/"+id, r.Clock.Now(), apptest.Child("c1", child[0], child[1], child[2])))
		r.Settle()
	}
	police.PublishRaw("signalbox.events.northbridge-police.encompass", nil, []byte("\xff"))
	r.Settle()
	contact := r.Person("w.ashby@holiday.heronsgate.example")
	contact.Acknowledge(contact.Notices()[0])
	check(t, r.Service.Store().Events().Erase(r.Context(), police.ID, 3))
	r.Settle()
	return r, police
}

func TestABackupRestoresEverythingAndSendsNothingUntilItMay(t *testing.T) {
	t.Parallel()
	was, police := busyHoliday(t)
	before := was.Summary()
	tasks := was.OpenTasks()
	timelines := map[string][]*ledgerv1.Fact{}
	for _, id := range []string{"np-1", "np-2", "np-3"} {
		timelines[id] = was.Timeline(police.ID, id)
	}
	if before.Held == 0 || before.Acknowledged == 0 || before.OpenTasks == 0 || before.Refused == 0 {
		t.Fatalf("the service that is backed up lacks something: %v", before)
	}
	sealed := backup(t, was)

	now := elsewhere(t, was.Clock.Now())
	restored, err := restore(now, sealed, passphrase)
	check(t, err)
	if restored.Summary.Notices != before.Notices || restored.Fold.Facts == 0 {
		t.Errorf("restored %+v", restored)
	}
	now.Boot()
	now.Settle()
	after := now.Summary()
	if len(after.Stops) != 1 || after.Stops[0].Scope != ledgerv1.Scope_SCOPE_ALL || after.Stops[0].By != "restore" {
		t.Errorf("the restored service is not stopped: %v", after.Stops)
	}
	health := grpc_health_v1.NewHealthClient(now.Dial(now.Service.AdminIdentity()))
	awaitHealth(t, now, health, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	after.Stops = nil
	if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
		t.Errorf("summary (-before +after):\n%s", diff)
	}
	equal(t, "tasks", now.OpenTasks(), tasks)
	for id, want := range timelines {
		if diff := cmp.Diff(want, now.Timeline(police.ID, id), protocmp.Transform()); diff != "" {
			t.Errorf("timeline of %s (-before +after):\n%s", id, diff)
		}
	}
	if _, err := now.Service.Store().Events().Get(now.Context(), police.ID, 3); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Errorf("an erased event is back: %v", err)
	}
	if _, err := os.Stat(filepath.Join(now.Config.Data, ".restoring")); err == nil {
		t.Error("the working folder is left behind")
	}

	// Until somebody resumes, what is due waits; then it goes out, once.
	release := apptest.London("2026-08-28 12:00")
	now.Clock.Set(release)
	now.Settle()
	equal(t, "mail while stopped", now.MailTo(), []string{})
	stopped := now.Summary()
	now.Clock.Set(apptest.London("2026-09-03 08:00"))
	now.Settle()
	equal(t, "mail while stopped", now.MailTo(), []string{})
	_, err = sending(now).Resume(now.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "checked against the relay's log"})
	check(t, err)
	now.Settle()
	awaitHealth(t, now, health, grpc_health_v1.HealthCheckResponse_SERVING)
	if len(now.MailTo()) == 0 {
		t.Errorf("nothing went out once sending was resumed: %v, while stopped %v", now.Summary(), stopped)
	}
	sent := map[string]int{}
	for _, m := range now.Mail.All() {
		sent[m.To+" "+m.Header["X-Signalbox-Notice"]]++
	}
	now.Restart()
	now.Settle()
	for key, n := range sent {
		if n != 1 {
			t.Errorf("%s: %d times", key, n)
		}
	}
	if n := len(now.Mail.All()); n != len(sent) {
		t.Errorf("%d mails, %d of them for one notice and person", n, len(sent))
	}
	now.Verify()
}

// awaitHealth waits for the health of sending: it follows the ledger.
func awaitHealth(t *testing.T, r *apptest.Rig, health grpc_health_v1.HealthClient, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	watch, err := health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: rpc.SendingHealth})
	check(t, err)
	for {
		got, err := watch.Recv()
		check(t, err)
		if got.Status == want {
			return
		}
	}
}

func TestABackupUnderLoadIsWholeAndTheEventsOnTheWayAreTakenIn(t *testing.T) {
	t.Parallel()
	was, police := busyHoliday(t)
	settled := was.Summary().Events
	ctx, stop := context.WithCancel(context.Background())
	published := make(chan int64)
	go func() {
		n := int64(0)
		defer func() { published <- n }()
		for ; ctx.Err() == nil; n++ {
			id := fmt.Sprintf("load-%d", n)
			police.Publish(apptest.Incident(police, id, id, was.Clock.Now(), apptest.Child("c1", "Nobody", "Weknow", "2014-01-01")))
		}
	}()
	first := backup(t, was)
	second := backup(t, was)
	stop()
	total := settled + <-published
	was.Settle()
	for _, sealed := range [][]byte{first, second} {
		now := elsewhere(t, was.Clock.Now())
		_, err := restore(now, sealed, passphrase)
		check(t, err)
		now.Boot()
		now.Settle()
		if s := now.Summary(); s.Events < settled || s.Events > total || len(s.Stops) != 1 {
			t.Errorf("%d events, %d were settled before and %d published; stopped by %v", s.Events, settled, total, s.Stops)
		}
		equal(t, "mail", now.MailTo(), []string{})
		now.Verify()
	}
}

func TestWhatCannotBeRestoredLeavesNothingBehind(t *testing.T) {
	was := apptest.Empty(t, apptest.London("2026-08-07 23:00"))
	sealed := backup(t, was)
	altered := bytes.Clone(sealed)
	altered[len(altered)/2] ^= 1
	now := elsewhere(t, was.Clock.Now())
	for name, c := range map[string]struct {
		sealed     []byte
		passphrase string
		data       func(string) // what is in the data folder
		want       notice.Kind
	}{
		"a wrong passphrase":       {sealed: sealed, passphrase: "another passphrase", want: notice.Denied},
		"an archive that was cut":  {sealed: sealed[:len(sealed)-100], want: notice.Invalid},
		"an archive altered":       {sealed: altered, want: notice.Invalid},
		"no archive":               {sealed: []byte("something else"), want: notice.Invalid},
		"a folder with other data": {sealed: sealed, data: func(dir string) { check(t, os.MkdirAll(filepath.Join(dir, "ca"), 0o700)) }, want: notice.Precondition},
		"an interrupted restore":   {sealed: sealed, data: func(dir string) { check(t, os.MkdirAll(filepath.Join(dir, ".restoring"), 0o700)) }, want: notice.Precondition},
	} {
		t.Run(name, func(t *testing.T) {
			now.Config.Data = filepath.Join(t.TempDir(), "restored")
			if c.data != nil {
				c.data(now.Config.Data)
			}
			left := entries(t, now.Config.Data)
			if c.passphrase == "" {
				c.passphrase = passphrase
			}
			if _, err := restore(now, c.sealed, c.passphrase); err == nil || notice.KindOf(err) != c.want {
				t.Errorf("restored, or refused with another kind: %v", err)
			}
			equal(t, "left behind", entries(t, now.Config.Data), left)
		})
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	found, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

// As the runbook says where the external server's own files are lost too: new ones are made with a scratch authority.
func TestABackupIsRestoredToAnExternalServer(t *testing.T) {
	t.Parallel()
	was, police := busyHoliday(t)
	sealed := backup(t, was)

	dir := t.TempDir()
	now := elsewhere(t, was.Clock.Now())
	scratch := now.Config
	scratch.Data = t.TempDir()
	check(t, app.Init(t.Context(), scratch, dir, []string{"127.0.0.1"}))
	nats := &external{t: t, file: filepath.Join(dir, app.NATSConfigFile), port: "-1"}
	nats.start()
	now.Config.NATS = app.NATSConfig{
		URL: "tls://127.0.0.1:" + nats.port, Seed: filepath.Join(dir, app.RouterSeedFile),
		Roots: filepath.Join(scratch.Data, "ca", "ca.crt"), Replicas: 1, EventsBytes: 16 << 20,
	}
	_, err := restore(now, sealed, passphrase)
	check(t, err)
	now.Boot()
	now.Settle()
	if diff := cmp.Diff(was.Timeline(police.ID, "np-1"), now.Timeline(police.ID, "np-1"), protocmp.Transform()); diff != "" {
		t.Errorf("timeline (-before +after):\n%s", diff)
	}
	if s := now.Summary(); len(s.Stops) != 1 {
		t.Errorf("not stopped: %v", s)
	}
	now.Verify()

	again := elsewhere(t, was.Clock.Now())
	again.Config.NATS = now.Config.NATS
	if _, err := restore(again, sealed, passphrase); notice.KindOf(err) != notice.Precondition || err == nil {
		t.Errorf("restored over the streams of a service: %v", err)
	}
	equal(t, "left behind", entries(t, again.Config.Data), []string(nil))
	now.Verify()
}

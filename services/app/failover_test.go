package app_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// takeover is the longest that nobody may lead.
const takeover = 10 * time.Second

// overExternal is a world whose services work over one NATS server that somebody else runs.
func overExternal(t *testing.T, at time.Time) (*apptest.Rig, *external) {
	t.Helper()
	return overExternalOf(t, at, 0)
}

// overExternalOf is overExternal where no more than so many bytes may be stored; 0 is no limit.
func overExternalOf(t *testing.T, at time.Time, room int64) (*apptest.Rig, *external) {
	t.Helper()
	dir := t.TempDir()
	r := apptest.World(t, at)
	r.Config.NATS.StoreBytes = room
	if err := app.Init(t.Context(), r.Config, dir, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	nats := &external{t: t, file: filepath.Join(dir, app.NATSConfigFile), port: "-1"}
	nats.start()
	r.Config.NATS = app.NATSConfig{
		URL: "tls://127.0.0.1:" + nats.port, Seed: filepath.Join(dir, app.RouterSeedFile),
		Roots: filepath.Join(r.Data, "ca", "ca.crt"), Replicas: 1, EventsBytes: 16 << 20, StoreBytes: room,
	}
	r.ReloadNATS = func(configuration string) {
		for range 2 { // a new account's imports are dead until the second time
			if err := nats.ns.ReloadOptions(nats.configure(configuration)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r, nats
}

// Two instances of one service: who leads, what the other does for people meanwhile, and that nothing is lost when the
// lead passes on.
func TestTwoInstancesOverOneNATS(t *testing.T) {
	t.Parallel()
	world, nats := overExternal(t, apptest.London("2026-06-18 19:42"))
	cable := world.Proxy("127.0.0.1:" + nats.port)
	a := world.Another("a", func(c *app.Config) { c.NATS.URL = "tls://" + cable.Addr() })
	b := world.Another("b", nil)

	apptest.BootAtOnce(a, b)
	var leader, standby *apptest.Rig
	select {
	case <-a.Service.Started():
		leader, standby = a, b
	case <-b.Service.Started():
		leader, standby = b, a
	case <-time.After(takeover):
		t.Fatal("neither leads")
	}
	if !leader.Leads(t.Context()) || standby.Leads(t.Context()) {
		t.Fatal("two instances that started at once do not agree on who leads")
	}
	if leader == b { // the one behind the cable is to lead
		b.Stop()
		a.AwaitLead(true)
		b.BootBeside()
		leader, standby = a, b
	}

	standby.ImportBorough()
	police := standby.AddAgency("northbridge-police", "northbridge-police")
	publish := func(id, subject string) {
		t.Helper()
		police.Publish(apptest.Incident(police, id, subject, world.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	}
	lead := standby.Person("j.marlowe@beacon-row.example")
	lead.At = standby.Service.PageURL()

	publish("np-1", "NP/26/1")
	standby.Settle()
	if got := lead.Notices(); len(got) != 1 {
		t.Fatalf("%d notices, want one", len(got))
	}
	if page := lead.Acknowledge(lead.Notices()[0]); !strings.Contains(page, "acknowledged") && !strings.Contains(page, "Thank you") {
		t.Errorf("the page of the instance that stands by says:\n%s", page)
	}
	if s := standby.Summary(); s.Acknowledged != 1 {
		t.Errorf("the instance that stands by does not show at once what it passed on: %v", s)
	}

	publish("np-2", "NP/26/2")
	standby.Settle()
	inbox := inboxv1.NewInboxServiceClient(standby.Dial(standby.Service.AdminIdentity()))
	if _, err := inbox.Acknowledge(standby.Context(), &inboxv1.AcknowledgeRequest{
		Notice: standby.Decision(police.ID, "np-2").Notices[0].Id, Person: "Rowan Castle",
	}); err != nil {
		t.Fatalf("a command given to the instance that stands by: %v", err)
	}
	_, err := standby.Tasks.Claim(standby.Context(), &taskv1.ClaimRequest{Task: "no-such-task"})
	if err = rpc.Fault(err); notice.KindOf(err) != notice.NotFound {
		t.Errorf("a task that is not there: %v", err)
	}
	leader.Settle()
	if s := leader.Summary(); s.Acknowledged != 2 {
		t.Errorf("the leader has not recorded what the other passed on: %v", s)
	}

	// The cable of the leader is cut.
	began := time.Now()
	cable.Cut()
	b.AwaitLead(true)
	took := time.Since(began)
	if took > takeover {
		t.Errorf("the other took the lead after %v", took)
	}
	a.AwaitLead(false)
	publish("np-3", "NP/26/3")
	b.Settle()
	if got := len(lead.Notices()); got != 3 {
		t.Errorf("%d notices after the leader was cut off, want 3", got)
	}
	cable.Mend()
	lead.At = b.Service.PageURL()
	lead.Acknowledge(lead.Notices()[2])
	awaitAcknowledged(t, a, 3)
	if a.Leads(t.Context()) {
		t.Error("the instance that was cut off leads again")
	}

	// The leader is told to stop: it gives the lead back.
	stopping := time.Now()
	b.Stop()
	a.AwaitLead(true)
	gaveBack := time.Since(stopping)
	if gaveBack > takeover/2 {
		t.Errorf("after an orderly stop the other took the lead after %v", gaveBack)
	}
	publish("np-4", "NP/26/4")
	a.Settle()
	if got := len(lead.Notices()); got != 4 {
		t.Errorf("%d notices in the end, want 4", got)
	}
	a.Verify()
	t.Logf("cut off: the other led after %v; stopped in order: after %v", took.Round(time.Millisecond), gaveBack.Round(time.Millisecond))
}

func awaitAcknowledged(t *testing.T, r *apptest.Rig, want int64) {
	t.Helper()
	deadline := time.Now().Add(takeover)
	for {
		s, err := r.Ledger.Summary(r.Context(), &ledgerv1.SummaryRequest{})
		if err == nil && s.Acknowledged == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never showed %d acknowledged notices: %v, %v", want, s, err)
		}
	}
}

// configureChild writes the configuration of an instance in a process of its own.
func configureChild(t *testing.T, world *apptest.Rig, instance string) (c *child, grpcAddr string) {
	t.Helper()
	grpcAddr = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	n := world.Config.NATS
	config := filepath.Join(t.TempDir(), "signalbox.yaml")
	text := fmt.Sprintf(`
data: %q
instance: %s
names: [localhost, 127.0.0.1]
nats: {url: %q, seed: %q, roots: %q, events_bytes: 16777216}
grpc: {listen: %q}
page: {listen: "127.0.0.1:0", url: "https://%s.page.example"}
mail: {host: localhost, port: %d, from: notices@signalbox.example, roots: %q}
send: {lease: 3s, emails: 4, pushes: 4}
`, world.Data, instance, n.URL, n.Seed, n.Roots, grpcAddr, instance, world.Mail.Port(), filepath.Join(world.Data, "mail-roots.crt"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c = &child{t: t, config: config}
	t.Cleanup(func() {
		if c.command != nil {
			c.kill()
		}
	})
	return c, grpcAddr
}

// sentBy says which instance's address a mail links to.
func sentBy(text string) string {
	for field := range strings.FieldsSeq(text) {
		if u, err := url.Parse(field); err == nil && strings.HasSuffix(u.Host, ".page.example") {
			return strings.TrimSuffix(u.Host, ".page.example")
		}
	}
	return ""
}

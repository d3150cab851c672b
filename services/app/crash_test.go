package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

// childConfig names the configuration of a service that this test binary is to run as, instead of testing.
const childConfig = "SIGNALBOX_TEST_SERVE"

// serveAsChild runs the real service until it is told to stop, or killed.
func serveAsChild(config string) error {
	c, err := app.LoadConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	service, err := app.New(ctx, c, clock.System{}, zap.NewNop())
	if err != nil {
		return err
	}
	return service.Run(ctx)
}

// child is the service in a process of its own.
type child struct {
	t       *testing.T
	config  string
	command *exec.Cmd
}

func (c *child) start() {
	c.t.Helper()
	c.command = exec.Command(os.Args[0])
	c.command.Env = append(os.Environ(), childConfig+"="+c.config)
	c.command.Stderr = os.Stderr
	if err := c.command.Start(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) kill() {
	_ = c.command.Process.Kill() // SIGKILL: nothing is flushed, nothing is said
	_ = c.command.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// Killed again and again while events arrive and mail goes out, the service loses nothing, and what arrives twice says so.
func TestKilledUnderLoadNothingIsLostAndOnlyMarkedMailIsDoubled(t *testing.T) {
	const events, kills = 90, 4
	random := rand.New(rand.NewPCG(2026, 11))

	world := apptest.World(t, time.Now())
	config := filepath.Join(t.TempDir(), "signalbox.yaml")
	natsURL := fmt.Sprintf("tls://127.0.0.1:%d", freePort(t))
	grpcAddr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	text := fmt.Sprintf(`
data: %s
instance: crash
names: [localhost, 127.0.0.1]
nats: {listen: %q, events_bytes: 16777216}
grpc: {listen: %q}
page: {listen: "127.0.0.1:0"}
mail: {host: localhost, port: %d, from: notices@signalbox.example, roots: %s}
send: {lease: 2s, emails: 4, pushes: 4}
`, world.Data, strings.TrimPrefix(natsURL, "tls://"), grpcAddr, world.Mail.Port(), filepath.Join(world.Data, "mail-roots.crt"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	service := &child{t: t, config: config}
	service.start()
	t.Cleanup(service.kill)
	world.Attach(grpcAddr, natsURL)
	world.ImportBorough()
	world.Import(&directoryv1.ImportHeader{Format: "policy", Name: "quick.yaml"},
		[]byte(strings.Replace(string(policy.Default()), "first_seconds: 30", "first_seconds: 1", 1)))
	council := world.AddAgency("ashmere-social-care", "ashmere-council")
	js, err := council.NATS.JetStream(nats.MaxWait(time.Second))
	if err != nil {
		t.Fatal(err)
	}

	killAt := map[int]bool{}
	for len(killAt) < kills {
		killAt[10+random.IntN(events-10)] = true
	}
	for i := range events {
		if killAt[i] {
			service.kill()
			service.start()
		}
		ev := referral(council, fmt.Sprintf("ref-%03d", i))
		header, data, err := intake.Encode(ev, intake.Protobuf)
		if err != nil {
			t.Fatal(err)
		}
		// A publisher that got no acknowledgement publishes again, as the guide tells it to.
		for deadline := time.Now().Add(30 * time.Second); ; {
			_, err := js.PublishMsg(&nats.Msg{
				Subject: store.EventSubject(council.ID, notice.ReferralReceived.Family()), Header: nats.Header(header), Data: data,
			})
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("event %d was never acknowledged: %v", i, err)
			}
		}
	}

	reached := map[string]int{}
	marked := map[string]int{}
	world.AwaitMail(func() bool {
		clear(reached)
		clear(marked)
		for _, m := range world.Mail.All() {
			reached[m.Header["X-Signalbox-Notice"]]++
			if m.Header["X-Signalbox-Possible-Duplicate"] != "" {
				marked[m.Header["X-Signalbox-Notice"]]++
			}
		}
		return len(reached) == events
	})
	world.Reattach()
	world.AwaitSummary(func(delivered, neither int64) bool { return delivered == events && neither == 0 })
	doubled := 0
	for reference, copies := range reached {
		if copies > 1 {
			doubled++
			if marked[reference] < copies-1 {
				t.Errorf("notice %s came %d times, %d of them marked as possible duplicates", reference, copies, marked[reference])
			}
		}
	}
	t.Logf("%d events in, %d killings, %d notices out, %d doubled and marked so", events, kills, len(reached), doubled)
	world.Verify()
}

func referral(a *apptest.Agency, id string) *eventv1.Event {
	ev := envelope(a, id, notice.ReferralReceived, id, time.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	ev.People = []*eventv1.Person{{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Professional: true, Organisation: organisation("ashmere-health-visiting"),
	}}
	ev.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: timestamppb.Now()}}
	return ev
}

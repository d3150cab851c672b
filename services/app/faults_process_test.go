package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// processFaults are those of the process that runs the service.
func processFaults() []fault {
	return []fault{
		{
			name: "killed at random points under load, nothing is lost and only what is marked is doubled",
			left: "40 killings instead of 3", run: killed,
		},
		{
			name: "killed before and after each kind of fact and in a send, nothing is lost and only what is marked is doubled",
			left: "all but three kinds of fact", run: endedAtEachKind,
		},
		{
			name: "the leader of two is killed under load, and the other loses nothing",
			left: "5 killings instead of 1", run: leaderKilled,
		},
		{name: "a leader that is stopped and wakes sends nothing more", run: leaderPaused},
	}
}

// killed kills the service again and again while events arrive and mail goes out, each time at a moment that is drawn, and
// starts it again over the same data folder.
func killed(t *testing.T, a *account) {
	kills := a.pick(3, 40, 400)
	between := 20 // events, on average
	random := a.draw(1)

	world, service := childOfOne(t, "")
	a.mailbox(world.Mail)
	council := world.AddAgency("ashmere-social-care", "ashmere-council")
	stop, published := make(chan struct{}), make(chan error, 1)
	acknowledged := make(chan struct{}, between)
	go func() {
		for i := 0; ; i++ {
			if err := a.publishUntilTaken(council, referral(council, fmt.Sprintf("ref-%05d", i))); err != nil {
				published <- err
				return
			}
			select {
			case acknowledged <- struct{}{}:
			case <-stop:
				published <- nil
				return
			}
		}
	}()
	for range kills {
		// The service dies after so many acknowledgements and so long a while: in the middle of whatever it is doing then.
		for range 1 + random.IntN(2*between) {
			select {
			case <-acknowledged:
			case err := <-published:
				t.Fatal(err)
			}
		}
		<-time.After(time.Duration(random.IntN(30)) * time.Millisecond)
		service.kill()
		service.start()
	}
	close(stop)
	check(t, <-published)
	a.note("%d killings", kills)
	world.Reattach()
	world.AwaitSummary(a.quiet)
	service.stop()
	a.balance(t, leftBehind(t, world.Data), time.Now())
}

// childOfOne is a world with a service in a process of its own, the borough imported, and the first try of a mail that
// failed repeated after a second. more is added to its configuration.
func childOfOne(t *testing.T, more string) (*apptest.Rig, *child) {
	t.Helper()
	world := apptest.World(t, time.Now())
	return world, childOver(world, nil, more)
}

// childOver is childOfOne in a world, and by a clock that is moved by hand, or nil.
func childOver(world *apptest.Rig, clocked *clock.Movable, more string) *child {
	t := world.T
	t.Helper()
	config := filepath.Join(t.TempDir(), "signalbox.yaml")
	natsURL := fmt.Sprintf("tls://127.0.0.1:%d", freePort(t))
	grpcAddr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	text := fmt.Sprintf(`
data: %q
instance: crash
names: [localhost, 127.0.0.1]
nats: {listen: %q, events_bytes: 16777216}
grpc: {listen: %q}
page: {listen: "127.0.0.1:%d"}
mail: {host: localhost, port: %d, from: notices@signalbox.example, roots: %q}
send: {lease: 2s, emails: 4, pushes: 4}
%s`, world.Data, strings.TrimPrefix(natsURL, "tls://"), grpcAddr, freePort(t), world.Mail.Port(), filepath.Join(world.Data, "mail-roots.crt"), more)
	check(t, os.WriteFile(config, []byte(text), 0o600))
	service := &child{t: t, config: config, clocked: clocked}
	service.start()
	t.Cleanup(service.kill)
	world.Attach(grpcAddr, natsURL)
	world.ImportBorough()
	quickRetries(world)
	return service
}

// quickRetries has the first try of a mail that failed repeated after a second.
func quickRetries(world *apptest.Rig) {
	world.T.Helper()
	world.Import(&directoryv1.ImportHeader{Format: "policy", Name: "quick.yaml"},
		[]byte(strings.Replace(string(policy.Default()), "first_seconds: 30", "first_seconds: 1", 1)))
}

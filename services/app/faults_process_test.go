package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
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
		{name: "a leader that is stopped and wakes, sends nothing more", run: leaderPaused},
		{
			name: "two instances that start at once, agree on one who leads",
			left: "10 starts instead of 2", run: startedAtOnce,
		},
		{
			name: "told to stop under load, the service ends in time and leaves nothing unknown",
			left: "10 stops instead of 2", run: toldToStop,
		},
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
	load := a.load(council)
	for range kills {
		// The service dies after so many acknowledgements and so long a while: in the middle of whatever it is doing then.
		for range 1 + random.IntN(2*between) {
			load.next(t)
		}
		<-time.After(time.Duration(random.IntN(30)) * time.Millisecond)
		service.kill()
		service.start()
	}
	load.end(t)
	a.note("%d killings", kills)
	world.Reattach()
	world.AwaitSummary(a.quiet)
	service.stop()
	a.balance(t, leftBehind(t, world.Data), time.Now())
}

// load is a publisher that goes on and on.
type load struct {
	acknowledged, stop chan struct{}
	done               chan error
}

// load publishes one referral after another, each until it is acknowledged, no faster than next is called.
func (a *account) load(agency *apptest.Agency) *load {
	l := &load{acknowledged: make(chan struct{}, 16), stop: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		for i := 0; ; i++ {
			if err := a.publishUntilTaken(agency, decision(agency, fmt.Sprintf("load-%05d", i))); err != nil {
				l.done <- err
				return
			}
			select {
			case l.acknowledged <- struct{}{}:
			case <-l.stop:
				l.done <- nil
				return
			}
		}
	}()
	return l
}

// next waits for one more event to be acknowledged.
func (l *load) next(t *testing.T) {
	t.Helper()
	select {
	case <-l.acknowledged:
	case err := <-l.done:
		t.Fatalf("the publisher gave up: %v", err)
	}
}

// end has the publisher end with the event it is at.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	check(t, <-l.done)
}

// stopsWithin is how long the service may take to stop: the sends under way end before their lease of two seconds, and are
// written.
const stopsWithin = 6 * time.Second

// toldToStop sends SIGTERM under load, as whoever runs the service does to start a new version.
func toldToStop(t *testing.T, a *account) {
	random := a.draw(2)
	world, service := childOfOne(t, "")
	a.mailbox(world.Mail)
	load := a.load(world.AddAgency("ashmere-social-care", "ashmere-council"))
	stops := a.pick(2, 10, 100)
	var longest time.Duration
	for range stops {
		for range 1 + random.IntN(40) {
			load.next(t)
		}
		<-time.After(time.Duration(random.IntN(20)) * time.Millisecond)
		longest = max(longest, service.stop())
		service.start()
		world.Reattach()
	}
	load.end(t)
	a.note("%d stops, each within %v", stops, longest.Round(time.Millisecond))
	if longest > stopsWithin {
		t.Errorf("it took %v to stop", longest)
	}
	world.AwaitSummary(a.quiet)
	service.stop()
	b := a.balance(t, leftBehind(t, world.Data), time.Now())
	for id, n := range b.state.Notices {
		for i := range n.Attempts {
			if n.Attempts[i].Outcome == ledgerv1.Outcome_OUTCOME_UNKNOWN {
				t.Errorf("notice %s: told to stop, the service left a send behind whose end nobody knows", id)
			}
		}
	}
}

// startedAtOnce starts two instances in the same moment, again and again.
func startedAtOnce(t *testing.T, a *account) {
	world, _ := overExternal(t, time.Now())
	world.RunClock()
	a.mailbox(world.Mail)
	one, other := world.Another("a", nil), world.Another("b", nil)
	var council *apptest.Agency
	starts := a.pick(2, 10, 100)
	for round := range starts {
		apptest.BootAtOnce(one, other)
		var leader, standby *apptest.Rig
		select {
		case <-one.Service.Started():
			leader, standby = one, other
		case <-other.Service.Started():
			leader, standby = other, one
		case <-time.After(takeover):
			t.Fatal("neither leads")
		}
		if !leader.Leads(t.Context()) || standby.Leads(t.Context()) {
			t.Fatal("the two do not agree on who leads")
		}
		if council == nil {
			leader.ImportBorough()
			council = leader.AddAgency("ashmere-social-care", "ashmere-council")
		}
		for i := range 5 {
			check(t, a.publishUntilTaken(council, decision(council, fmt.Sprintf("ref-%d-%d", round, i))))
		}
		leader.Settle()
		standby.Stop()
		leader.Stop()
	}
	a.note("%d starts", starts)
	a.balance(t, besides(t, world.Config.NATS), world.Clock.Now())
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

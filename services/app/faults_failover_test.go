package app_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// processes are two instances in processes of their own, the first of which leads.
type processes struct {
	t            *testing.T
	world        *apptest.Rig
	a, b         *child
	seenA, seenB *apptest.Rig // the world as each of them has it

	addressA, addressB string // of their gRPC

	council   *apptest.Agency
	account   *account
	published int
}

func startProcesses(t *testing.T, a *account) *processes {
	t.Helper()
	world, _ := overExternal(t, time.Now())
	p := &processes{t: t, world: world, account: a}
	a.mailbox(world.Mail)
	p.a, p.addressA = configureChild(t, world, "a")
	p.b, p.addressB = configureChild(t, world, "b")
	p.seenA, p.seenB = world.Another("a", nil), world.Another("b", nil)
	p.a.start()
	p.seenA.Attach(p.addressA, world.Config.NATS.URL)
	p.seenA.AwaitLead(true)
	p.seenA.ImportBorough()
	quickRetries(p.seenA)
	p.council = p.seenA.AddAgency("ashmere-social-care", "ashmere-council")
	p.b.start()
	p.seenB.Attach(p.addressB, world.Config.NATS.URL)
	return p
}

// publish publishes referrals and waits until each is durable.
func (p *processes) publish(n int) error {
	for range n {
		p.published++
		if err := p.account.publishUntilTaken(p.council, decision(p.council, fmt.Sprintf("ref-%04d", p.published))); err != nil {
			return err
		}
	}
	return nil
}

// balance waits until an instance shows everything at rest, and compares.
func (p *processes) balance(at *apptest.Rig) {
	p.t.Helper()
	at.AwaitSummary(p.account.quiet)
	p.account.balance(p.t, besides(p.t, p.world.Config.NATS), time.Now())
}

// leaderKilled kills the leader of two under load, and then the one that took its place, and so on.
func leaderKilled(t *testing.T, a *account) {
	p := startProcesses(t, a)
	leader, seenLeader, standby, seenStandby := p.a, p.seenA, p.b, p.seenB
	var longest time.Duration
	rounds := a.pick(1, 5, 50)
	for range rounds {
		check(t, p.publish(30))
		leader.kill()
		killed := time.Now()
		loaded := make(chan error, 1)
		go func() { loaded <- p.publish(30) }()
		seenStandby.AwaitLead(true)
		longest = max(longest, time.Since(killed))
		check(t, <-loaded)
		leader.start()
		seenLeader.Reattach()
		if seenLeader.Leads(t.Context()) {
			t.Error("the killed instance leads again, though the other does")
		}
		leader, seenLeader, standby, seenStandby = standby, seenStandby, leader, seenLeader
	}
	check(t, p.publish(10))
	p.balance(seenLeader)
	inTime(t, a, fmt.Sprintf("%d killings, nobody led", rounds), longest)
}

// inTime notes how long nobody led, which must not be longer than a takeover may take.
func inTime(t *testing.T, a *account, what string, took time.Duration) {
	t.Helper()
	a.note("%s for %v", what, took.Round(time.Millisecond))
	if took > takeover {
		t.Errorf("%s for %v", what, took)
	}
}

// leaderPaused stops the leader's process in the middle of its mails and lets it go on after another has taken its
// place: what it was about to send stays unsent.
func leaderPaused(t *testing.T, a *account) {
	p := startProcesses(t, a)
	asked, release := make(chan struct{}, 64), make(chan struct{})
	p.world.Mail.Refuse(func(string) error {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		return nil
	})
	check(t, p.publish(12))
	for range 2 { // the leader waits for the relay to take recipients
		select {
		case <-asked:
		case <-time.After(takeover):
			t.Fatal("the leader began no mail")
		}
	}
	p.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.a.command.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the leader did not stop: %v, %v", status, err)
	}
	stopped := time.Now()
	p.world.Mail.Refuse(nil)
	close(release) // the relay's answer waits for the process to wake
	p.seenB.AwaitLead(true)
	inTime(t, a, "nobody led", time.Since(stopped))
	for _, m := range p.world.Mail.All() {
		if sentBy(m.Text) == "a" {
			t.Fatal("a mail of the stopped leader arrived before it was stopped: the test shows nothing")
		}
	}
	p.signal(syscall.SIGCONT)
	p.seenA.Reattach()
	p.seenA.AwaitLead(false)
	check(t, p.publish(5))
	p.balance(p.seenB)
	for _, m := range p.world.Mail.All() {
		if by := sentBy(m.Text); by != "b" {
			t.Errorf("a mail was sent by %q after it had lost the lead", by)
		}
	}
	p.seenA.AwaitSummary(a.quiet)
	if !p.seenB.Leads(t.Context()) || p.seenA.Leads(t.Context()) {
		t.Error("the lead went back to the one that woke")
	}
}

func (p *processes) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.a.command.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

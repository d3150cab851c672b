package app_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

// processes are two instances in processes of their own, the first of which leads.
type processes struct {
	t             *testing.T
	world         *apptest.Rig
	a, b          *child
	seenA, seenB  *apptest.Rig // the world as each of them has it
	council       *apptest.Agency
	js            nats.JetStreamContext
	publishedRefs []string
}

func startProcesses(t *testing.T) *processes {
	t.Helper()
	world, _ := overExternal(t, time.Now())
	p := &processes{t: t, world: world}
	var addressA, addressB string
	p.a, addressA = configureChild(t, world, "a")
	p.b, addressB = configureChild(t, world, "b")
	p.seenA, p.seenB = world.Another("a", nil), world.Another("b", nil)
	p.a.start()
	p.seenA.Attach(addressA, world.Config.NATS.URL)
	p.seenA.AwaitLead(true)
	p.seenA.ImportBorough()
	p.seenA.Import(&directoryv1.ImportHeader{Format: "policy", Name: "quick.yaml"},
		[]byte(strings.Replace(string(policy.Default()), "first_seconds: 30", "first_seconds: 1", 1)))
	p.council = p.seenA.AddAgency("ashmere-social-care", "ashmere-council")
	var err error
	if p.js, err = p.council.NATS.JetStream(nats.MaxWait(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	p.b.start()
	p.seenB.Attach(addressB, world.Config.NATS.URL)
	return p
}

// publish publishes referrals and waits until each is durable.
func (p *processes) publish(n int) {
	p.t.Helper()
	if err := p.tryPublish(n); err != nil {
		p.t.Fatal(err)
	}
}

func (p *processes) tryPublish(n int) error {
	for range n {
		ev := referral(p.council, fmt.Sprintf("ref-%03d", len(p.publishedRefs)))
		header, data, err := intake.Encode(ev, intake.Protobuf)
		if err != nil {
			return err
		}
		if _, err := p.js.PublishMsg(&nats.Msg{
			Subject: store.EventSubject(p.council.ID, notice.ReferralReceived.Family()), Header: nats.Header(header), Data: data,
		}); err != nil {
			return err
		}
		p.publishedRefs = append(p.publishedRefs, ev.Id)
	}
	return nil
}

// account waits until every notice has arrived and is settled at an instance, and counts the copies.
func (p *processes) account(at *apptest.Rig) (doubled int) {
	p.t.Helper()
	reached, marked := map[string]int{}, map[string]int{}
	p.world.AwaitMail(func() bool {
		clear(reached)
		clear(marked)
		for _, m := range p.world.Mail.All() {
			reached[m.Header["X-Signalbox-Notice"]]++
			if m.Header["X-Signalbox-Possible-Duplicate"] != "" {
				marked[m.Header["X-Signalbox-Notice"]]++
			}
		}
		return len(reached) == len(p.publishedRefs)
	})
	at.AwaitSummary(func(delivered, neither int64) bool {
		return delivered == int64(len(p.publishedRefs)) && neither == 0
	})
	for reference, copies := range reached {
		if copies > 1 {
			doubled++
			if marked[reference] < copies-1 {
				p.t.Errorf("notice %s came %d times, %d of them marked as possible duplicates", reference, copies, marked[reference])
			}
		}
	}
	at.Verify()
	return doubled
}

func TestTheLeaderIsKilledUnderLoadAndTheOtherLosesNothing(t *testing.T) {
	t.Parallel()
	p := startProcesses(t)
	leader, seenLeader, standby, seenStandby := p.a, p.seenA, p.b, p.seenB
	var longest time.Duration
	rounds := failoverRounds(t)
	for range rounds {
		p.publish(30)
		leader.kill()
		killed := time.Now()
		loaded := make(chan error, 1)
		go func() { loaded <- p.tryPublish(30) }()
		seenStandby.AwaitLead(true)
		took := time.Since(killed)
		if longest = max(longest, took); took > takeover {
			t.Errorf("the other took the lead after %v", took)
		}
		if err := <-loaded; err != nil {
			t.Fatal(err)
		}
		leader.start()
		seenLeader.Reattach()
		if seenLeader.Leads(t.Context()) {
			t.Error("the killed instance leads again, though the other does")
		}
		leader, seenLeader, standby, seenStandby = standby, seenStandby, leader, seenLeader
	}
	p.publish(10)
	doubled := p.account(seenLeader)
	t.Logf("%d events in, %d killings, as many notices out, %d doubled and marked so; nobody led for %v at most",
		len(p.publishedRefs), rounds, doubled, longest.Round(time.Millisecond))
}

// failoverRoundsVariable is how often the leader is killed, once where it is not set.
const failoverRoundsVariable = "SIGNALBOX_FAILOVER_ROUNDS"

func failoverRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv(failoverRoundsVariable)
	if text == "" {
		return 1
	}
	rounds, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", failoverRoundsVariable, err)
	}
	return rounds
}

// The process is stopped in the middle of its mails, and goes on after another has taken its place: what it was about to
// send stays unsent.
func TestALeaderThatIsStoppedAndWakesSendsNothingMore(t *testing.T) {
	t.Parallel()
	p := startProcesses(t)
	asked, release := make(chan struct{}, 64), make(chan struct{})
	p.world.Mail.Refuse(func(string) error {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		return nil
	})
	p.publish(12)
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
	took := time.Since(stopped)
	if took > takeover {
		t.Errorf("the other took the lead after %v", took)
	}
	for _, m := range p.world.Mail.All() {
		if sentBy(m.Text) == "a" {
			t.Fatal("a mail of the stopped leader arrived before it was stopped: the test shows nothing")
		}
	}
	p.signal(syscall.SIGCONT)
	p.seenA.Reattach()
	p.seenA.AwaitLead(false)
	p.publish(5)
	doubled := p.account(p.seenB)
	for _, m := range p.world.Mail.All() {
		if by := sentBy(m.Text); by != "b" {
			t.Errorf("a mail was sent by %q after it had lost the lead", by)
		}
	}
	p.seenA.AwaitSummary(func(delivered, neither int64) bool { return delivered == int64(len(p.publishedRefs)) && neither == 0 })
	if !p.seenB.Leads(t.Context()) || p.seenA.Leads(t.Context()) {
		t.Error("the lead went back to the one that woke")
	}
	t.Logf("%d events in and as many notices out, %d doubled and marked so; the other led after %v",
		len(p.publishedRefs), doubled, took.Round(time.Millisecond))
}

func (p *processes) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.a.command.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

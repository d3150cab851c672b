package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// subscribersAlone is the default policy with no rule but the one that tells subscribers.
func subscribersAlone() []byte {
	text := string(policy.Default())
	head, _, _ := strings.Cut(text, "\nrules:\n")
	i, j := strings.Index(text, "  - id: outcome.subscriber"), strings.Index(text, "# What the rules come to")
	return []byte(head + "\nrules:\n" + text[i:j])
}

// publishMany publishes outcomes by one stream, as fast as they are taken.
func publishMany(t *testing.T, council *apptest.Agency, from, until int, at time.Time) {
	t.Helper()
	stream, err := intakev1.NewIntakeServiceClient(council.GRPC).PublishStream(t.Context())
	must(t, err)
	sent := make(chan error, 1)
	go func() {
		for i := from; i < until; i++ {
			if err := stream.Send(&intakev1.PublishStreamRequest{Event: outcome(council, fmt.Sprintf("CC-%d", i), at, ivo())}); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for range until - from {
		answer, err := stream.Recv()
		must(t, err)
		if len(answer.Faults) > 0 {
			t.Fatalf("refused: %v", answer.Faults)
		}
	}
	must(t, <-sent)
}

// presses publishes outcomes over NATS, as many at once as it has publishers, up to a number that the test raises. Each is
// published again until it is acknowledged.
type presses struct {
	work      chan int
	published atomic.Int64 // acknowledged
	limit     int          // so many are to be published
	done      errgroup.Group
}

func startPresses(a *account, council *apptest.Agency, outcomes int) *presses {
	p := &presses{work: make(chan int, outcomes)}
	for range 4 {
		p.done.Go(func() error {
			for i := range p.work {
				if err := a.publishUntilTaken(council, outcome(council, fmt.Sprintf("CC-%d", i), time.Now(), ivo())); err != nil {
					return err
				}
				p.published.Add(1)
			}
			return nil
		})
	}
	return p
}

// upTo has them publish up to a number of outcomes.
func (p *presses) upTo(limit int) {
	for ; p.limit < limit; p.limit++ {
		p.work <- p.limit
	}
}

// decided is how many outcomes have been decided, as an instance that is not killed has it.
func decided(t *testing.T, r *apptest.Rig) int {
	t.Helper()
	return int(r.Summary().Notices)
}

// underWay waits until an eighth of what is being published has been decided, kills something, and shows that both were
// going on then: once it is dead there are still events to publish, and to decide.
func underWay(t *testing.T, what string, p *presses, at *apptest.Rig, kill func()) {
	t.Helper()
	before := decided(t, at)
	burst := p.limit - before
	for deadline := time.Now().Add(time.Minute); decided(t, at) < before+burst/8; {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is decided: %d of %d published", p.published.Load(), p.limit)
		}
	}
	kill()
	published, then := int(p.published.Load()), decided(t, at)
	t.Logf("%s: %d of %d published, %d decided", what, published, p.limit, then)
	if published >= p.limit || then >= p.limit {
		t.Errorf("%s when %d of %d outcomes were published and %d decided: it was to be in the middle of them", what, published, p.limit, then)
	}
}

// Thousands of outcomes to an agency whose receiver breaks off a hundred times and more, and is killed with what it had not
// confirmed while events are published and decided; so is the one of two instances that leads. Each outcome comes, each once
// by its id, in one order.
func TestAnAgencyThatReconnectsAHundredTimesHasEveryOutcomeOnceAndInOrder(t *testing.T) {
	const reconnects = 100
	a := newAccount(chosenForm(t), chosenSeed(t))
	outcomes := a.pick(2_000, 10_000, 10_000)
	two := startProcesses(t, a)
	result := two.seenB.Import(&directoryv1.ImportHeader{Format: "policy", Name: "policy.yaml"}, subscribersAlone())
	equal(t, "faults of the policy", len(result.Faults), 0)
	health := subscriberOf(t, two.seenB, "ashmere-health", "ashmere-health")
	health.subscribes(time.Now().Add(24 * time.Hour))
	first, err := health.inbox.Subscribe(two.seenB.Context(), &inboxv1.SubscribeRequest{})
	must(t, err)
	begun, err := first.Recv() // the leader knows of it
	must(t, err)
	press := startPresses(a, two.council, outcomes)
	reading := newReceiving(t, receiver{Identity: health.Identity, At: []string{two.addressA, two.addressB}, Most: outcomes / 133}, begun.Cursor)

	press.upTo(outcomes / 8)
	reading.await("begun", func(j *journal) bool { return len(j.order) > outcomes/16 })
	unconfirmed := 0
	press.upTo(outcomes * 5 / 8)
	underWay(t, "the receiver was killed", press, two.seenB, func() {
		for ; unconfirmed == 0; unconfirmed = reading.journal().unsaved { // not just as it had written its cursor down
			reading.start()
			reading.await("something to confirm", func(j *journal) bool { return j.unsaved > 1 })
			reading.kill()
		}
	})
	reading.start()
	reading.await("a third", func(j *journal) bool { return len(j.order) > outcomes/3 })
	press.upTo(outcomes)
	underWay(t, "the leader was killed", press, two.seenB, two.a.kill)
	if two.seenB.Leads(t.Context()) {
		t.Error("the other led at once: it was not the leader that was killed")
	}
	close(press.work)
	must(t, press.done.Wait())
	equal(t, "published", press.published.Load(), int64(outcomes))
	read := reading.await("everything", func(j *journal) bool { return len(j.order) >= outcomes })
	reading.kill()

	last := health.read("")
	_, err = health.inbox.Confirm(two.seenB.Context(), &inboxv1.ConfirmRequest{Cursor: last[len(last)-1].Cursor})
	must(t, err)
	t.Logf("%d connections, %d items twice, %d unconfirmed when the receiver was killed", read.connections, read.twice, unconfirmed)
	if read.connections < reconnects || read.twice == 0 {
		t.Errorf("%d connections and %d items twice: the receiver was too well", read.connections, read.twice)
	}
	var order []string
	for _, item := range last[1:] {
		order = append(order, item.Id)
	}
	equal(t, "the order of the inbox", read.order, order)
	subjects := map[string]bool{}
	for _, subject := range read.subject {
		subjects[subject] = true
	}
	if len(read.order) != outcomes || len(subjects) != outcomes {
		t.Errorf("%d items of %d outcomes, want %d of each", len(read.order), len(subjects), outcomes)
	}
	s := two.seenB.Summary()
	equal(t, "delivered, of all", fmt.Sprint(s.Delivered, " of ", s.Notices), fmt.Sprint(outcomes, " of ", outcomes))
	two.seenB.Verify()
}

func TestASubscriberThatDoesNotReadHoldsUpNobody(t *testing.T) {
	const outcomes = 600
	r, council, health := weekday(t)
	r.Import(&directoryv1.ImportHeader{Format: "policy", Name: "policy.yaml"}, subscribersAlone())
	slow := subscriberOf(t, r, "harbour", "harbour-trust")
	until := r.Clock.Now().Add(24 * time.Hour)
	health.subscribes(until)
	slow.subscribes(until)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stuck, err := slow.inbox.Subscribe(ctx, &inboxv1.SubscribeRequest{})
	must(t, err)
	_, err = stuck.Recv() // it is there, and reads no more
	must(t, err)
	publishMany(t, council, 0, outcomes, r.Clock.Now())
	r.Settle()
	items := health.read("")
	equal(t, "items of the one that reads", len(items), outcomes+1)
	_, err = health.inbox.Confirm(r.Context(), &inboxv1.ConfirmRequest{Cursor: items[outcomes].Cursor})
	must(t, err)
	s, err := r.Ledger.Summary(r.Context(), &ledgerv1.SummaryRequest{})
	must(t, err)
	equal(t, "delivered", s.Delivered, int64(outcomes))
	equal(t, "with a person", s.WithPerson, int64(outcomes))

	// It goes on where it was, and has all of it in the same order.
	for i := 1; i <= outcomes; i++ {
		item, err := stuck.Recv()
		must(t, rpc.Fault(err))
		if want := items[i].GetNotice().GetEvents()[0].GetSubject(); item.GetNotice().GetEvents()[0].GetSubject() != want {
			t.Fatalf("item %d tells of another outcome", i)
		}
	}
	r.Verify()
}

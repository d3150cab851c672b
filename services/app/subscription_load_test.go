package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

// keeper is an agency's own receiver: it stores items by id, and remembers how far it has come. What it remembers may be
// from before its last breakdown.
type keeper struct {
	order  []string // ids, as they first came
	has    map[string]string
	twice  int
	cursor string
}

// take reads at most so many items and breaks the connection off. Every third time it forgets the last cursors.
func (k *keeper) take(ctx context.Context, inbox inboxv1.InboxServiceClient, want int, forget bool) error {
	const most = 120
	ctx, breakOff := context.WithTimeout(ctx, 60*time.Second)
	defer breakOff()
	stream, err := inbox.Subscribe(ctx, &inboxv1.SubscribeRequest{Cursor: k.cursor})
	if err != nil {
		return err
	}
	cursor := k.cursor
	for i := range most {
		item, err := stream.Recv()
		if status.Code(err) == codes.Unavailable {
			break // a breakdown of the other side
		}
		if err != nil {
			return err
		}
		if _, had := k.has[item.Id]; had {
			k.twice++
		} else {
			k.order = append(k.order, item.Id)
			k.has[item.Id] = item.GetNotice().GetEvents()[0].GetSubject()
		}
		if !forget || i < most/2 {
			cursor = item.Cursor
		}
		if len(k.order) == want {
			break
		}
	}
	k.cursor = cursor
	return nil
}

// Ten thousand outcomes to an agency whose receiver breaks down a hundred times and more, over two instances of which the
// one that leads is stopped meanwhile: each outcome comes, each once by its id, in one order.
func TestAnAgencyThatReconnectsAHundredTimesHasEveryOutcomeOnceAndInOrder(t *testing.T) {
	const outcomes, reconnects = 10_000, 100
	world, _ := overExternal(t, apptest.London("2026-06-16 10:00"))
	a, b := world.Another("a", nil), world.Another("b", nil)
	a.Boot()
	b.BootBeside()
	b.ImportBorough()
	result := b.Import(&directoryv1.ImportHeader{Format: "policy", Name: "policy.yaml"}, subscribersAlone())
	equal(t, "faults of the policy", len(result.Faults), 0)
	council := b.AddAgency("ashmere-social-care", "ashmere-council")
	health := subscriberOf(t, b, "ashmere-health", "ashmere-health")
	health.subscribes(world.Clock.Now().Add(24 * time.Hour))
	atA := inboxv1.NewInboxServiceClient(a.Dial(health.Identity))
	atB := health.inbox
	first, err := health.inbox.Subscribe(b.Context(), &inboxv1.SubscribeRequest{})
	must(t, err)
	begun, err := first.Recv() // the leader knows of it
	must(t, err)
	k := &keeper{has: map[string]string{}, cursor: begun.Cursor}

	published := make(chan struct{})
	go func() {
		defer close(published)
		publishMany(t, council, 0, outcomes, world.Clock.Now())
	}()
	connections := 0
	for ; len(k.order) < outcomes; connections++ {
		inbox := atA
		if connections%2 == 1 || connections >= reconnects/2 {
			inbox = atB
		}
		if connections == reconnects/2 {
			a.Stop() // in the middle of it the leader goes
		}
		if err := k.take(t.Context(), inbox, outcomes, connections%3 == 0); err != nil {
			t.Fatal(err)
		}
	}
	<-published
	last := health.read("")
	_, err = atB.Confirm(b.Context(), &inboxv1.ConfirmRequest{Cursor: last[len(last)-1].Cursor})
	must(t, err)
	t.Logf("%d connections, %d items twice", connections, k.twice)
	if connections < reconnects || k.twice == 0 {
		t.Errorf("%d connections and %d items twice: the receiver was too well", connections, k.twice)
	}
	var order []string
	for _, item := range last[1:] {
		order = append(order, item.Id)
	}
	equal(t, "the order of the inbox", k.order, order)
	subjects := map[string]bool{}
	for _, subject := range k.has {
		subjects[subject] = true
	}
	if len(k.order) != outcomes || len(subjects) != outcomes {
		t.Errorf("%d items of %d outcomes, want %d of each", len(k.order), len(subjects), outcomes)
	}
	s := b.Summary()
	equal(t, "delivered, of all", fmt.Sprint(s.Delivered, " of ", s.Notices), fmt.Sprint(outcomes, " of ", outcomes))
	b.Verify()
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

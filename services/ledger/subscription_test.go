package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const hub = "hub"

func changed(state ledgerv1.SubscriptionState, notices ...string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
		Subscription: "s1", Agency: hub, Organisation: "council", Basis: "basis", State: state, Notices: notices,
	}}}
}

const (
	began    = ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN
	expired  = ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_EXPIRED
	narrowed = ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED
)

func placed(notice string, attempt uint32) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: &ledgerv1.AttemptStarted{
		Notice: notice, Attempt: attempt, Contact: "inbox:hub", Organisation: "council", Role: "inbox", Channel: ByInbox, Inbox: hub, LeaseMs: 1,
	}}}
}

// subscribed is a book with a subscription that has begun and a notice in the hub's inbox that follows from it.
func subscribed(t *testing.T, edit func(*ledgerv1.Notice)) *book {
	t.Helper()
	b := newBook(t)
	b.must(0, changed(began))
	b.event(0, "e1", "l")
	n := obligation("n", "child")
	n.Acknowledge, n.Subscription = false, "s1"
	if edit != nil {
		edit(n)
	}
	b.must(0, decided(decision("l", 1, n)))
	b.must(0, placed("n", 1))
	return b
}

// lying lists the hub's inbox.
func (b *book) lying() []string {
	var ids []string
	for _, item := range b.state.Inbox(hub, 0, 100) {
		ids = append(ids, item.ID())
	}
	return ids
}

func TestANoticeInAnInboxEndsWhenTheAgencySaysThatItHasIt(t *testing.T) {
	b := subscribed(t, nil)
	b.phase("n", Awaiting)
	if n := len(b.state.Unconfirmed(hub, 2, 10)); n != 1 {
		t.Errorf("%d notices wait for a receipt, want 1", n)
	}
	b.must(5, finished("n", 1, delivered, 0))
	b.phase("n", Delivered)
	if n := len(b.state.Unconfirmed(hub, 2, 10)); n != 0 {
		t.Errorf("%d notices wait for a receipt after it came", n)
	}
	if diff := cmp.Diff([]string{"s1/BEGAN", "n"}, b.lying()); diff != "" {
		t.Errorf("inbox (-want +got):\n%s", diff)
	}
}

func TestAReceiptIsNoAcknowledgement(t *testing.T) {
	b := subscribed(t, func(n *ledgerv1.Notice) { n.Acknowledge, n.Subscription = true, "" })
	b.must(5, finished("n", 1, delivered, 0))
	b.phase("n", Awaiting)
	b.must(6, acknowledged("n", "agency:hub"))
	b.phase("n", Acknowledged)
}

func TestAnInboxThatNobodyReadsMovesTheNoticeOnToAPersonAndAReceiptStillEndsIt(t *testing.T) {
	b := subscribed(t, nil)
	steps := b.state.Plan(ms(60))
	if diff := cmp.Diff(2, len(steps)); diff != "" { // late, and the chain moves on
		t.Fatalf("steps at the due time %v (-want +got):\n%s", steps, diff)
	}
	b.must(60, late("n"))
	b.must(60, escalated("n", 2))
	b.must(60, opened(telephone("t", "n")))
	b.phase("n", WithTask)
	b.must(90, finished("n", 1, delivered, 0))
	b.phase("n", Delivered)
	if got := b.state.Tasks["t"].State; got != TaskSettled {
		t.Errorf("the task is %s, want settled", got)
	}
}

func TestWhatMayNoLongerBeShownInAnInboxMovesOnAtOnce(t *testing.T) {
	b := subscribed(t, nil)
	b.must(5, finished("n", 1, unknown, 0))
	b.phase("n", Ready)
	if !b.state.Notices["n"].GaveUp("inbox:hub") {
		t.Error("the inbox would be tried again")
	}
}

func TestTheEndOfASubscriptionEndsWhatFollowsFromItAndLiesInTheInbox(t *testing.T) {
	b := subscribed(t, nil)
	if diff := cmp.Diff([]string{"n"}, b.state.Open("s1")); diff != "" {
		t.Fatalf("open (-want +got):\n%s", diff)
	}
	b.must(9, changed(expired, "n"))
	b.phase("n", Superseded)
	if diff := cmp.Diff([]string{"s1/BEGAN", "n", "s1/EXPIRED"}, b.lying()); diff != "" {
		t.Errorf("inbox (-want +got):\n%s", diff)
	}
}

func TestAPublisherHearsNothingOfSubscribers(t *testing.T) {
	b := subscribed(t, nil)
	b.must(60, late("n"))
	for _, c := range b.state.Feedback("police", 0, 10) {
		if c.State != ChildAccepted {
			t.Errorf("the publisher hears %v", c)
		}
	}
}

func TestImpossibleFactsAboutInboxesAndSubscriptionsAreRefused(t *testing.T) {
	withoutBasis := changed(expired)
	withoutBasis.GetSubscriptionChanged().Basis = ""
	another := changed(expired)
	another.GetSubscriptionChanged().Agency = "police"
	noInbox := placed("n", 2)
	noInbox.GetAttemptStarted().Inbox = ""
	for name, fact := range map[string]*ledgerv1.Fact{
		"beginning twice":                     changed(began),
		"beginning with notices":              changed(began, "n"),
		"a change that says nothing":          changed(0),
		"without a basis":                     withoutBasis,
		"of another agency":                   another,
		"ending a notice that does not exist": changed(expired, "x"),
		"ending one twice at once":            changed(expired, "n", "n"),
		"narrowing and ending nothing":        changed(narrowed),
		"by an inbox without one":             noInbox,
		"an inbox that fails for a while":     finished("n", 1, transient, 9),
		"an inbox that tries again":           finished("n", 1, unknown, 9),
	} {
		t.Run(name, func(t *testing.T) { subscribed(t, nil).refuses(1, fact) })
	}
	t.Run("ending twice", func(t *testing.T) {
		b := subscribed(t, nil)
		b.must(1, changed(expired, "n"))
		b.refuses(2, changed(expired))
		b.refuses(2, changed(expired, "n"))
	})
	t.Run("ending what never began", func(t *testing.T) { newBook(t).refuses(1, changed(expired)) })
}

func TestASubscriptionThatCoversLessEndsWhatItCoversNoMoreAndGoesOn(t *testing.T) {
	b := subscribed(t, nil)
	b.refuses(8, changed(narrowed))
	b.must(9, changed(narrowed, "n"))
	b.phase("n", Superseded)
	if diff := cmp.Diff([]string{"s1/BEGAN", "n"}, b.lying()); diff != "" {
		t.Errorf("inbox (-want +got):\n%s", diff)
	}
	b.refuses(10, changed(narrowed, "n"))
	b.must(11, changed(expired))
	if diff := cmp.Diff([]string{"s1/BEGAN", "n", "s1/EXPIRED"}, b.lying()); diff != "" {
		t.Errorf("inbox in the end (-want +got):\n%s", diff)
	}
}

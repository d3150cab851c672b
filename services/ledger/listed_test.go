package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	listDue   = ledgerv1.Listing_LISTING_DUE
	listShown = ledgerv1.Listing_LISTING_SHOWN
)

// list is the list of a minute, of the day before it, brought or shown to the hub by its subscription.
func list(what ledgerv1.Listing, minute int64, of ...*ledgerv1.Listed) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: &ledgerv1.WhereaboutsListed{
		Subscription: "s1", Agency: hub, Basis: "basis", SinceMs: ms(minute - 24*60), AsOfMs: ms(minute), Listing: what, Shown: of,
	}}}
}

// missingChild is an entry of a list that follows from the one event of a subscribed book.
func missingChild() *ledgerv1.Listed { return &ledgerv1.Listed{Event: "e1", Child: "child"} }

func TestAListLiesInTheInboxOnceForEachOfItsDays(t *testing.T) {
	b := subscribed(t, nil)
	b.must(5, list(listDue, 4))
	if got := b.state.ListedMS("s1"); got != ms(4) {
		t.Errorf("the last list is of %d, want %d", got, ms(4))
	}
	b.refuses(6, list(listDue, 4))
	b.refuses(6, list(listDue, 3))
	b.must(9, list(listDue, 8))
	if diff := cmp.Diff([]string{"s1/BEGAN", "n", "s1/LIST/1795000240000", "s1/LIST/1795000480000"}, b.lying()); diff != "" {
		t.Errorf("inbox (-want +got):\n%s", diff)
	}
}

func TestAListIsShownAgainOnlyWhereItWouldSaySomethingElse(t *testing.T) {
	b := subscribed(t, nil)
	b.must(5, list(listDue, 4))
	same := func(f *ledgerv1.Fact) bool { return b.state.ShownAlready(f.GetWhereaboutsListed()) }
	if same(list(listShown, 4)) {
		t.Error("shown before it was")
	}
	b.must(6, list(listShown, 4, missingChild()))
	if !same(list(listShown, 4, missingChild())) {
		t.Error("what was shown is not known")
	}
	if same(list(listShown, 4)) {
		t.Error("without the child it is the same")
	}
	b.must(7, list(listShown, 4))
	if !same(list(listShown, 4)) {
		t.Error("what was shown last is not known")
	}
	b.must(8, list(listShown, 8, missingChild())) // because the agency asked
	if same(list(listShown, 8, missingChild())) {
		t.Error("what an agency asks for is another list each time")
	}
}

func TestAStopKeepsAListFromBeingShownUnlessItWasAlready(t *testing.T) {
	for name, stop := range map[string]*ledgerv1.Stopped{
		"everything":       {Scope: ledgerv1.Scope_SCOPE_ALL, By: "op"},
		"the organisation": {Scope: ledgerv1.Scope_SCOPE_ORGANISATION, Target: "council", By: "op"},
		"inboxes":          {Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: ByInbox, By: "op"},
	} {
		t.Run(name, func(t *testing.T) {
			b := subscribed(t, nil)
			b.must(5, list(listDue, 4))
			b.must(6, list(listShown, 4))
			b.must(9, list(listDue, 8))
			if b.state.ListStopped("s1", ms(8)) {
				t.Error("stopped before it was")
			}
			b.must(10, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: stop}})
			if !b.state.ListStopped("s1", ms(8)) || !b.state.ListStopped("s1", ms(9)) {
				t.Error("a list that was not shown is not stopped")
			}
			if b.state.ListStopped("s1", ms(4)) {
				t.Error("one that was shown is taken back")
			}
		})
	}
	b := subscribed(t, nil)
	b.must(5, list(listDue, 4))
	b.must(6, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: &ledgerv1.Stopped{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "email", By: "op"}}})
	if b.state.ListStopped("s1", ms(4)) {
		t.Error("a stop of mail stops a list")
	}
}

func TestImpossibleFactsAboutListsAreRefused(t *testing.T) {
	edited := func(f *ledgerv1.Fact, edit func(*ledgerv1.WhereaboutsListed)) *ledgerv1.Fact {
		edit(f.GetWhereaboutsListed())
		return f
	}
	for name, fact := range map[string]*ledgerv1.Fact{
		"by a subscription that never began": edited(list(listDue, 4), func(f *ledgerv1.WhereaboutsListed) { f.Subscription = "s2" }),
		"of another agency":                  edited(list(listDue, 4), func(f *ledgerv1.WhereaboutsListed) { f.Agency = "police" }),
		"of no time":                         edited(list(listDue, 4), func(f *ledgerv1.WhereaboutsListed) { f.SinceMs = f.AsOfMs }),
		"on no basis":                        edited(list(listDue, 4), func(f *ledgerv1.WhereaboutsListed) { f.Basis = "" }),
		"brought as if it were shown":        list(listDue, 4, missingChild()),
		"neither brought nor shown":          list(0, 4),
		"of an event that is not there":      list(listShown, 4, &ledgerv1.Listed{Event: "e9", Child: "child"}),
		"of nobody":                          list(listShown, 4, &ledgerv1.Listed{Event: "e1"}),
	} {
		t.Run(name, func(t *testing.T) { subscribed(t, nil).refuses(5, fact) })
	}
	t.Run("by a subscription that has ended", func(t *testing.T) {
		b := subscribed(t, nil)
		b.must(5, changed(expired, "n"))
		b.refuses(6, list(listDue, 4))
		b.refuses(6, list(listShown, 4))
	})
}

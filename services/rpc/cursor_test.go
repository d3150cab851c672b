package rpc

import (
	"testing"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// lyingThere is a ledger in which so many subscriptions of an agency began, by ids that begin with a word.
func lyingThere(t *testing.T, agency, word string, count int) *ledger.State {
	t.Helper()
	var ids []string
	for i := range count {
		ids = append(ids, word+string(rune('a'+i)))
	}
	return begun(t, agency, ids...)
}

func begun(t *testing.T, agency string, ids ...string) *ledger.State {
	t.Helper()
	state := ledger.NewState()
	for _, id := range ids {
		if err := state.Fold(&ledgerv1.Fact{AtMs: 1, Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
			Subscription: id, Agency: agency, Organisation: "o", Basis: "b",
			State: ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN,
		}}}); err != nil {
			t.Fatal(err)
		}
	}
	return state
}

func TestACursorFitsItsOwnInboxAloneAndOnlyWhileTheSameLiesThere(t *testing.T) {
	state := lyingThere(t, "hub", "s", 3)
	own := cursors{key: notice.Key{1}, agency: "hub"}
	second := own.cursor(2, state.Inbox("hub", 1, 1)[0].ID(), state.Inbox("hub", 1, 1)[0].Trail)
	if place, err := own.place(second, state); place != 2 || err != nil {
		t.Errorf("place %d, %v", place, err)
	}
	if place, err := own.place("", state); place != 0 || err != nil {
		t.Errorf("the beginning: place %d, %v", place, err)
	}
	for name, tc := range map[string]struct {
		of     cursors
		state  *ledger.State
		cursor string
	}{
		"another agency's":                         {cursors{key: notice.Key{1}, agency: "police"}, lyingThere(t, "police", "s", 3), second},
		"of a ledger with another key":             {cursors{key: notice.Key{2}, agency: "hub"}, state, second},
		"from before a restore, not there yet":     {own, lyingThere(t, "hub", "s", 1), second},
		"from before a restore, another there":     {own, lyingThere(t, "hub", "x", 3), second},
		"from before a restore, another before it": {own, begun(t, "hub", "x", "sb", "sc"), second},
		"cut short":           {own, state, second[:8]},
		"with more behind it": {own, state, second + "AAAA"},
		"no text of ours":     {own, state, "!"},
		"a place beyond all":  {own, state, own.cursor(1<<40, "sb/BEGAN", 0)},
	} {
		if place, err := tc.of.place(tc.cursor, tc.state); place != 0 || notice.KindOf(err) != notice.Precondition {
			t.Errorf("%s: place %d, %v", name, place, err)
		}
	}
}

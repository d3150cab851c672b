package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Subscription is a subscription that was granted, and the notices that follow from it.
type Subscription struct {
	*ledgerv1.SubscriptionChanged // how it began
	Ended                         bool
	open                          []*Notice // without an end, and some that have one
	counted                       int       // of open, when those with an end were last let go
	lists                         lists     // that came to lie in the inbox
}

// follows notes which subscription a new notice follows from. The decision may be the first to know of it: the directory
// is read by whoever decides.
func (s *State) follows(n *Notice) {
	if n.Subscription == "" {
		return
	}
	sub := s.subscription(n.Subscription)
	if len(sub.open) > 2*sub.counted+unbegunSlack {
		sub.open = slices.DeleteFunc(sub.open, func(n *Notice) bool { return n.Phase.Ended() })
		sub.counted = len(sub.open)
	}
	sub.open = append(sub.open, n)
}

func (s *State) subscription(id string) *Subscription {
	sub := s.Subscriptions[id]
	if sub == nil {
		sub = &Subscription{}
		s.Subscriptions[id] = sub
	}
	return sub
}

// Open are the notices of a subscription that have no end yet, in the order in which they were made.
func (s *State) Open(subscription string) []string {
	sub := s.Subscriptions[subscription]
	if sub == nil {
		return nil
	}
	var ids []string
	for _, n := range sub.open {
		if !n.Phase.Ended() {
			ids = append(ids, n.Id)
		}
	}
	return ids
}

func (s *State) subscriptionChanged(f *ledgerv1.SubscriptionChanged, atMS int64) error {
	sub := s.Subscriptions[f.Subscription]
	begun := sub != nil && sub.SubscriptionChanged != nil
	switch {
	case f.Subscription == "" || f.Agency == "" || f.Organisation == "" || f.Basis == "":
		return s.impossible("changes a subscription without saying whose, or on what basis", f.Subscription)
	case f.State == ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN:
		if begun || len(f.Notices) > 0 {
			return s.impossible("begins twice, or with notices, subscription", f.Subscription)
		}
		s.subscription(f.Subscription).SubscriptionChanged = f
		s.put(notice.AgencyID(f.Agency), InboxItem{AtMS: atMS, Change: f})
		return nil
	case f.State == ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_UNSPECIFIED:
		return s.impossible("says nothing of subscription", f.Subscription)
	case !begun || sub.Agency != f.Agency:
		return s.impossible("ends what did not begin so, subscription", f.Subscription)
	case f.State == ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED && len(f.Notices) == 0:
		return s.impossible("narrows without ending anything subscription", f.Subscription)
	case sub.Ended && len(f.Notices) == 0:
		return s.impossible("ends twice subscription", f.Subscription)
	}
	seen := make(map[string]bool, len(f.Notices))
	for _, id := range f.Notices {
		if n := s.Notices[id]; n == nil || n.Subscription != f.Subscription || n.Phase.Ended() || seen[id] {
			return s.impossible("ends with its subscription a notice that does not follow from it, or has ended:", id)
		}
		seen[id] = true
	}
	if f.State != ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED && !sub.Ended {
		s.put(notice.AgencyID(f.Agency), InboxItem{AtMS: atMS, Change: f})
		sub.Ended = true
	}
	for _, id := range f.Notices {
		s.end(s.Notices[id], Superseded, atMS, f.By)
	}
	return nil
}

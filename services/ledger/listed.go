package ledger

import (
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// lists are the lists of children missing, in police protection or in custody that a subscription has brought.
type lists struct {
	lastMS int64                                 // the instant of the last one
	shown  map[int64]*ledgerv1.WhereaboutsListed // by instant: how each was shown last, nil where it was not yet
}

// ListedMS is the instant of the last list that a subscription brought, 0 where it has brought none.
func (s *State) ListedMS(subscription string) int64 {
	if sub := s.Subscriptions[subscription]; sub != nil {
		return sub.lists.lastMS
	}
	return 0
}

// ShownAlready says whether the list of an instant was last shown as it would be shown now. What is made because the agency
// asks is another each time.
func (s *State) ShownAlready(f *ledgerv1.WhereaboutsListed) bool {
	sub := s.Subscriptions[f.Subscription]
	if sub == nil || sub.lists.shown[f.AsOfMs] == nil {
		return false
	}
	return slices.EqualFunc(sub.lists.shown[f.AsOfMs].Shown, f.Shown, func(a, b *ledgerv1.Listed) bool { return proto.Equal(a, b) })
}

// ListStopped says whether a stop of sending keeps the list of an instant from being shown. One that was shown already is not
// taken back, as no notice is that was fetched.
func (s *State) ListStopped(subscription string, asOfMS int64) bool {
	sub := s.Subscriptions[subscription]
	if sub == nil || sub.SubscriptionChanged == nil || sub.lists.shown[asOfMS] != nil {
		return false
	}
	return s.Stopped(Stop{Scope: ledgerv1.Scope_SCOPE_ALL}) ||
		s.Stopped(Stop{ledgerv1.Scope_SCOPE_ORGANISATION, sub.Organisation}) ||
		s.Stopped(Stop{ledgerv1.Scope_SCOPE_CHANNEL, ByInbox})
}

func (s *State) whereaboutsListed(f *ledgerv1.WhereaboutsListed, atMS int64) error {
	sub := s.Subscriptions[f.Subscription]
	switch {
	case sub == nil || sub.SubscriptionChanged == nil || sub.Ended || sub.Agency != f.Agency:
		return s.impossible("lists for what is no subscription of that agency, or has ended:", f.Subscription)
	case f.SinceMs >= f.AsOfMs || f.Basis == "":
		return s.impossible("lists nothing, or on no basis, for", f.Subscription)
	}
	switch f.Listing {
	case ledgerv1.Listing_LISTING_DUE:
		if f.AsOfMs <= sub.lists.lastMS || len(f.Shown) > 0 {
			return s.impossible("brings a list again, or as shown, for", f.Subscription)
		}
		if sub.lists.shown == nil {
			sub.lists.shown = map[int64]*ledgerv1.WhereaboutsListed{}
		}
		sub.lists.lastMS, sub.lists.shown[f.AsOfMs] = f.AsOfMs, nil
		s.put(notice.AgencyID(f.Agency), InboxItem{AtMS: atMS, Listed: f})
		return nil
	case ledgerv1.Listing_LISTING_SHOWN:
		for _, l := range f.Shown {
			if s.Events[l.Event] == nil || l.Child == "" {
				return s.impossible("shows on a list what is not there, for", f.Subscription)
			}
		}
		if _, lies := sub.lists.shown[f.AsOfMs]; lies {
			sub.lists.shown[f.AsOfMs] = f
		}
		return nil
	case ledgerv1.Listing_LISTING_UNSPECIFIED:
	}
	return s.impossible("says nothing of a list for", f.Subscription)
}

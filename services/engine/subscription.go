package engine

import (
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// mostEnded is how many notices one fact ends with their subscription: it has to fit a pack with others.
const mostEnded = 2000

// followed is how far the ledger has followed the directory's subscriptions.
type followed struct {
	known      bool
	generation uint64 // of the directory that was looked at
	policy     string // digest of the policy that was
	nextMS     int64  // when the next one begins, ends or has a list due; 0 where none does
}

// followSubscriptions records which subscriptions have begun and which count no more, so that each change is told to the
// agency, in the order of everything else that lies in its inbox, and nothing goes on that rests on a basis that is over. It
// puts the lists there whose day has come. The directory is the record of what was granted; it is looked at anew when it has
// changed, and at each such instant.
func (e *Engine) followSubscriptions() {
	snapshot, current := e.Current()
	now := e.now()
	seen := &e.subscriptions
	same := seen.generation == snapshot.Generation() && seen.policy == current.Digest()
	if seen.known && same && (seen.nextMS == 0 || now.UnixMilli() < seen.nextMS) {
		return
	}
	seen.known, seen.generation, seen.policy, seen.nextMS = true, snapshot.Generation(), current.Digest(), 0
	for _, s := range snapshot.Granted() {
		if ms := e.followSubscription(s, current.List(), snapshot, now); ms != 0 && (seen.nextMS == 0 || ms < seen.nextMS) {
			seen.nextMS = ms
		}
	}
}

// followSubscription brings the ledger up to one subscription, and says when to look again; 0 is never.
func (e *Engine) followSubscription(s *directoryv1.Subscription, list *policy.List, snapshot *directory.Snapshot, now time.Time) (againMS int64) {
	nowMS, ends := now.UnixMilli(), directory.SubscriptionEndsMS(s)
	was := e.state.Subscriptions[s.GetId()]
	begun := was != nil && was.SubscriptionChanged != nil
	switch {
	case ends <= s.GetFromMs() && !begun:
		return 0 // ended before it began: it never counted
	case nowMS < s.GetFromMs():
		if begun {
			e.endUncovered(s, snapshot, now)
		}
		return s.GetFromMs()
	}
	if !begun {
		e.recordSubscription(s, ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN, s.GetGrantedBy(), nil)
	}
	if nowMS < ends {
		e.endUncovered(s, snapshot, now)
		return min(ends, e.bringList(s, list, nowMS))
	}
	state, by := ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_EXPIRED, ""
	if s.GetEndedMs() != 0 && s.GetEndedMs() < s.GetUntilMs() {
		state, by = ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_ENDED, s.GetEndedBy()
	}
	for first := !e.state.Subscriptions[s.GetId()].Ended; ; first = false {
		open := e.state.Open(s.GetId())
		if len(open) == 0 && !first {
			return 0
		}
		open = open[:min(len(open), mostEnded)]
		e.recordSubscription(s, state, by, open)
		for _, id := range open {
			e.callOff(e.state.Notices[id])
		}
	}
}

// endUncovered ends what is under way by a subscription that was granted anew for less, or from later on. Where it covers
// more than before, nobody is told of what was.
func (e *Engine) endUncovered(s *directoryv1.Subscription, snapshot *directory.Snapshot, now time.Time) {
	uncovered := slices.DeleteFunc(e.state.Open(s.GetId()), func(id string) bool {
		return directory.Stands(s, now) && delivery.Covers(s, e.state.Notices[id].Notice, snapshot)
	})
	for some := range slices.Chunk(uncovered, mostEnded) {
		e.recordSubscription(s, ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED, s.GetGrantedBy(), some)
		for _, id := range some {
			e.callOff(e.state.Notices[id])
		}
	}
}

func (e *Engine) recordSubscription(s *directoryv1.Subscription, state ledgerv1.SubscriptionState, by string, notices []string) {
	e.intoInbox(notice.AgencyID(s.GetAgency()), &ledgerv1.Fact{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
		Subscription: s.GetId(), Agency: s.GetAgency(), Organisation: s.GetOrganisation(), State: state, Basis: s.GetBasis(),
		FromMs: s.GetFromMs(), UntilMs: s.GetUntilMs(), By: by, Notices: notices,
	}}})
}

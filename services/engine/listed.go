package engine

import (
	"context"
	"math"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// never is later than every instant.
const never = math.MaxInt64

// bringList puts the list of the last day that has come into the inbox of an agency that subscribes to it, unless it lies
// there, and says when the next day comes. Of days that passed while nobody led the last one alone is made up for: what
// was so on those before is on it, or is over.
func (e *Engine) bringList(s *directoryv1.Subscription, list *policy.List, nowMS int64) (nextMS int64) {
	if !s.GetList() || !list.GrantedOn(s.GetBasis()) {
		return never
	}
	first, err := directory.ParseDate(list.GetFirst())
	if err != nil {
		return never // the policy was checked
	}
	days := directory.Recurrence{First: first, Days: int(list.GetEveryDays()), At: list.GetAt()}
	now := time.UnixMilli(nowMS)
	if due, ok := days.LastBy(now); ok && due.UnixMilli() >= s.GetFromMs() && due.UnixMilli() > e.state.ListedMS(s.GetId()) {
		e.intoInbox(notice.AgencyID(s.GetAgency()), &ledgerv1.Fact{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: &ledgerv1.WhereaboutsListed{
			Subscription: s.GetId(), Agency: s.GetAgency(), Listing: ledgerv1.Listing_LISTING_DUE, Basis: s.GetBasis(),
			SinceMs: list.Since(due.In(directory.London())).UnixMilli(), AsOfMs: due.UnixMilli(),
		}}})
	}
	next, ok := days.NextAfter(now)
	if !ok {
		return never
	}
	return next.UnixMilli()
}

// ListShown records that a list is about to be shown to an agency. The same again changes nothing.
func (e *Engine) ListShown(ctx context.Context, f *ledgerv1.WhereaboutsListed) error {
	const op = "engine.ListShown"
	return e.command(ctx, op, func() error {
		sub := e.state.Subscriptions[f.GetSubscription()]
		fact := &ledgerv1.Fact{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: f}}
		switch {
		case sub == nil || sub.SubscriptionChanged == nil || sub.Agency != f.GetAgency():
			return notice.Faultf(notice.Unavailable, op, "the subscription has only just been granted: try again in a moment")
		case sub.Ended:
			return notice.Faultf(notice.Precondition, op, "the subscription counts no more")
		case f.GetListing() != ledgerv1.Listing_LISTING_SHOWN || f.GetSinceMs() >= f.GetAsOfMs() || f.GetBasis() == "" || !e.fits(fact):
			return notice.Faultf(notice.Internal, op, "the list cannot be recorded as shown, and so is not")
		case e.state.ShownAlready(f):
			return nil
		case e.state.ListStopped(f.GetSubscription(), f.GetAsOfMs()):
			return notice.Faultf(notice.Unavailable, op, "sending is stopped, and so are lists")
		}
		for _, l := range f.GetShown() {
			if e.state.Events[l.GetEvent()] == nil || l.GetChild() == "" {
				return notice.Faultf(notice.Internal, op, "the list is made of what is not in the ledger")
			}
		}
		e.record(fact)
		return nil
	})
}

package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
	"github.com/signalbox-hq/signalbox/services/whereabouts"
)

// Whereabouts shows an agency the list that it subscribes to, as things stand now.
func (s *subscriptionService) Whereabouts(ctx context.Context, req *subscriptionv1.WhereaboutsRequest) (*subscriptionv1.WhereaboutsResponse, error) {
	const op = "rpc.Whereabouts"
	agency := callerOf(ctx).Name
	snapshot, current := s.Current()
	sub, ok := snapshot.Subscription(req.GetSubscription())
	now := s.Clock.Now()
	switch {
	case !ok || sub.GetAgency() != agency || !sub.GetList():
		return nil, notice.Faultf(notice.NotFound, op, "you have no such subscription to the list: see `signalbox subscription list`")
	case !maySee(sub, snapshot, current, now):
		return nil, notice.Faultf(notice.Precondition, op, "the subscription does not count: `signalbox subscription list` says why; ask for another where it is over")
	}
	since := current.List().Since(now.In(directory.London()))
	list, err := s.showList(ctx, sub.GetId(), since.UnixMilli(), now.UnixMilli())
	switch {
	case err != nil:
		return nil, err
	case list == nil: // its basis was over meanwhile
		return nil, notice.Faultf(notice.Precondition, op, "the subscription counts no more: ask for another")
	}
	return &subscriptionv1.WhereaboutsResponse{List: list}, nil
}

// maySee says whether a subscription brings the list at an instant: it stands, its agency has access and acts for the same
// organisation still, and the policy has the list on its basis.
func maySee(sub *directoryv1.Subscription, snapshot *directory.Snapshot, current *policy.Policy, at time.Time) bool {
	return sub.GetList() && directory.Stands(sub, at) && snapshot.ActsFor(sub.GetAgency(), sub.GetOrganisation()) &&
		current.List().GrantedOn(sub.GetBasis())
}

// showList makes the list that a subscription brings as its agency may see it now, and records that it is shown before it is;
// nil where it may not be shown any more.
func (d Deps) showList(ctx context.Context, subscription string, sinceMS, asOfMS int64) (*noticev1.WhereaboutsList, error) {
	reports, _, err := reportsOf(ctx, d.Engine)
	if err != nil {
		return nil, err
	}
	snapshot, current := d.Current() // once everything was read: what restricts a child by now counts
	now := d.Clock.Now()
	sub, ok := snapshot.Subscription(subscription)
	if !ok || !maySee(sub, snapshot, current, now) {
		return nil, nil
	}
	fact := &ledgerv1.WhereaboutsListed{
		Subscription: subscription, Agency: sub.GetAgency(), SinceMs: sinceMS, AsOfMs: asOfMS,
		Listing: ledgerv1.Listing_LISTING_SHOWN, Basis: sub.GetBasis(),
	}
	list := &noticev1.WhereaboutsList{
		Subscription: subscription, Area: sub.GetArea(), Since: timestamppb.New(time.UnixMilli(sinceMS)), AsOf: timestamppb.New(time.UnixMilli(asOfMS)),
		DoNot: delivery.ListDoNot(),
	}
	list.Basis, _ = current.Basis(sub.GetBasis())
	for _, e := range whereabouts.List(reports, time.UnixMilli(sinceMS), time.UnixMilli(asOfMS)) {
		if !e.Kid().Known || !mayBeListed(sub, e, snapshot, now) {
			continue
		}
		list.Entries = append(list.Entries, entryOf(e, notice.OrgID(sub.GetOrganisation()), current.List().View))
		fact.Shown = append(fact.Shown, &ledgerv1.Listed{Event: e.Report.Key, Child: e.GetChild()})
	}
	switch err := d.Engine.ListShown(ctx, fact); {
	case notice.KindOf(err) == notice.Precondition && err != nil: // by the clock of whoever leads it is over
		return nil, nil
	case err != nil:
		return nil, err
	}
	return list, nil
}

// mayBeListed says whether a subscriber may be told of an episode: of a child of its area, whom nothing keeps from it.
func mayBeListed(sub *directoryv1.Subscription, e *whereabouts.Episode, snapshot *directory.Snapshot, at time.Time) bool {
	child := notice.ChildID(e.GetChild())
	r := routing.Reported{Event: e.Report.Body, Child: e.Reported, ID: child, Named: e.Kid().Named}
	if !routing.Listed(sub, r, snapshot, at) {
		return false
	}
	_, open := delivery.Still(directory.InboxContact(sub.GetAgency()), notice.OrgID(sub.GetOrganisation()), delivery.About{Child: child}, snapshot, at)
	return open
}

// entryOf is an episode as the view shows it. What else it says of the child is made of the fields that every view of a list
// shows: the policy was checked for that.
func entryOf(e *whereabouts.Episode, recipient notice.OrgID, view disclosure.View) *noticev1.WhereaboutsEntry {
	shown, _ := disclosure.Apply(e.Report.Body, e.Reported.GetRef(), recipient, view)
	entry := &noticev1.WhereaboutsEntry{
		Kind: e.GetKind(), Agency: e.GetAgency(), Reference: e.GetReference(),
		Began: instantOf(e.GetBeganMs()), Ended: instantOf(e.GetEndedMs()), EndsBy: instantOf(e.GetEndsByMs()),
		Interview: e.GetInterview(), InterviewAt: instantOf(e.GetInterviewMs()),
	}
	for _, c := range shown.GetChildren() { // the one child that it is about
		entry.Name, entry.DateOfBirth = c.GetName(), c.GetDateOfBirth()
	}
	return entry
}

// instantOf is an instant of Unix milliseconds; nil where there is none.
func instantOf(ms int64) *timestamppb.Timestamp {
	if ms == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMilli(ms))
}

package rpc

import (
	"context"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// inboxBatch is how many items of an inbox are looked at in one go, and all that one stream keeps in memory.
	inboxBatch = 64
	// receiptBatch is how many notices are confirmed in one go.
	receiptBatch = 500
	// looksFor is how long what was seen of a batch counts: a notice that is withdrawn while its reader is slow must not
	// be shown by what was true before.
	looksFor = 250 * time.Millisecond
)

type inboxStream = grpc.ServerStreamingServer[inboxv1.SubscribeResponse]

// Subscribe hands over what lies in the caller's inbox. A caller that reads slowly blocks this method and nothing else.
func (s *inboxService) Subscribe(req *inboxv1.SubscribeRequest, stream inboxStream) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	s.receivers.Go(func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	})
	reader := &inboxReader{inboxService: s, agency: notice.AgencyID(callerOf(ctx).Name)}
	reader.cursors = cursors{key: s.key, agency: reader.agency}
	if _, err := reader.confirm(ctx, req.GetCursor(), &reader.place); err != nil {
		return err
	}
	for {
		handed, err := reader.hand(ctx, stream)
		if err == nil && handed == 0 {
			if req.GetUntilNow() {
				return nil
			}
			err = s.Engine.AwaitInbox(ctx, reader.agency, reader.hasNews)
		}
		switch {
		case err == nil:
		case stream.Context().Err() == nil && ctx.Err() != nil:
			return notice.Faultf(notice.Unavailable, "rpc.Subscribe", "the server is stopping: connect again behind your last cursor")
		default:
			return err
		}
	}
}

// Confirm records that the caller has everything up to a cursor.
func (s *inboxService) Confirm(ctx context.Context, req *inboxv1.ConfirmRequest) (*inboxv1.ConfirmResponse, error) {
	agency := notice.AgencyID(callerOf(ctx).Name)
	reader := &inboxReader{inboxService: s, agency: agency, cursors: cursors{key: s.key, agency: agency}}
	confirmed, err := reader.confirm(ctx, req.GetCursor(), new(int))
	if err != nil {
		return nil, err
	}
	return &inboxv1.ConfirmResponse{Confirmed: confirmed}, nil
}

// inboxReader is one reading of one agency's inbox.
type inboxReader struct {
	*inboxService
	agency  notice.AgencyID
	cursors cursors
	place   int  // of the last item that was handed over
	stopped bool // sending to the inbox is stopped: the item behind it waits
}

// catchUpWithin is how long a cursor of a place that does not show here yet is waited for: another instance gave it, and
// this one is a moment behind.
const catchUpWithin = 5 * time.Second

// catchUp waits until the place of a cursor shows here. Where it does not in time, the cursor is held against what does.
func (r *inboxReader) catchUp(ctx context.Context, cursor string) error {
	place := placeOf(cursor)
	bounded, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	err := r.Engine.AwaitInbox(bounded, r.agency, func(_ *ledger.State, durable int) bool { return uint64(durable) >= place })
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// confirm records that the agency has what lies up to a cursor, and sets the cursor's place. Everything up to it was shown:
// whatever was not has its end on record from when it was passed over.
func (r *inboxReader) confirm(ctx context.Context, cursor string, place *int) (confirmed int64, err error) {
	if err := r.catchUp(ctx, cursor); err != nil {
		return 0, err
	}
	for {
		var ends []*ledgerv1.AttemptFinished
		var fault error
		if err := r.Engine.View(ctx, func(state *ledger.State) {
			if *place, fault = r.cursors.place(cursor, state); fault != nil {
				return
			}
			for _, item := range state.Unconfirmed(r.agency, *place, receiptBatch) {
				ends = append(ends, &ledgerv1.AttemptFinished{
					Notice: item.Notice.Id, Attempt: item.Attempt, Outcome: ledgerv1.Outcome_OUTCOME_DELIVERED, Detail: "fetched from the inbox",
				})
			}
		}); err != nil {
			return confirmed, err
		}
		if fault != nil || len(ends) == 0 {
			return confirmed, fault
		}
		if err := r.Engine.Fetched(ctx, ends); err != nil {
			return confirmed, err
		}
		confirmed += int64(len(ends))
	}
}

// hasNews says whether there is something to hand over that was not there before.
func (r *inboxReader) hasNews(state *ledger.State, durable int) bool {
	return r.place < durable && (!r.stopped || !stoppedItem(state, state.Inbox(r.agency, r.place, 1)[0]))
}

// stoppedItem says whether a stop of sending covers a notice or list in an inbox: it is not shown until sending goes on.
func stoppedItem(state *ledger.State, item ledger.InboxItem) bool {
	if list := item.Listed; list != nil {
		return state.ListStopped(list.GetSubscription(), list.GetAsOfMs())
	}
	if !item.Unconfirmed() {
		return false
	}
	_, stopped := state.StopOf(item.Notice, delivery.Inbox, item.Started().GetOrganisation())
	return stopped
}

// lying is an item of an inbox as it was when it was looked at.
type lying struct {
	place       int
	id          string
	trail       uint64
	atMS        int64
	change      *ledgerv1.SubscriptionChanged
	listed      *ledgerv1.WhereaboutsListed
	frozen      *ledgerv1.Notice
	sources     []*ledgerv1.Source
	started     *ledgerv1.AttemptStarted
	unconfirmed bool
	gone        inboxv1.Reason // unspecified while it may be shown
}

// lyingAt looks at an item. A notice that was fetched keeps that end when a correction takes its place, or takes it away:
// whoever reads from the beginning again is shown it no more.
func lyingAt(place int, item ledger.InboxItem, state *ledger.State) lying {
	l := lying{place: place, id: item.ID(), trail: item.Trail, atMS: item.AtMS, change: item.Change, listed: item.Listed}
	n := item.Notice
	if n == nil {
		return l
	}
	l.frozen, l.sources, l.started, l.unconfirmed = n.Notice, n.Sources, item.Started(), item.Unconfirmed()
	switch {
	case n.Withdrawn:
		l.gone = inboxv1.Reason_REASON_WITHDRAWN
	case n.ReplacedBy != "":
		l.gone = inboxv1.Reason_REASON_REPLACED
	case !state.Stands(n), item.GaveUp():
		l.gone = inboxv1.Reason_REASON_NOT_FOR_YOU
	}
	return l
}

// hand hands over the items that follow, and says how many. The caller's access is looked at again for each batch: a stream
// may last for months.
func (r *inboxReader) hand(ctx context.Context, stream inboxStream) (handed int, err error) {
	snapshot, _ := r.Current()
	if _, err := admit(ctx, inboxv1.InboxService_Subscribe_FullMethodName, rules(), snapshot); err != nil {
		return 0, err
	}
	var items []lying
	if err := r.Engine.AwaitInbox(ctx, r.agency, func(state *ledger.State, durable int) bool {
		r.stopped = false
		for i, item := range state.Inbox(r.agency, r.place, min(inboxBatch, max(0, durable-r.place))) {
			if r.stopped = stoppedItem(state, item); r.stopped {
				break
			}
			items = append(items, lyingAt(r.place+i+1, item, state))
		}
		return true
	}); err != nil {
		return 0, err
	}
	looked := time.Now()
	for _, item := range items {
		if time.Since(looked) > looksFor && handed > 0 {
			return handed, nil // and look again
		}
		response, err := r.show(ctx, item)
		if err != nil {
			return handed, err
		}
		if err := stream.Send(response); err != nil {
			return handed, err
		}
		r.place, handed = item.place, handed+1
	}
	return handed, nil
}

// show makes what is handed over of an item. What may not be shown, and has no end yet, gets one first: by the receipt for
// what lies behind it nobody is to think that it was read, and whoever comes next in its chain is told at once.
func (r *inboxReader) show(ctx context.Context, item lying) (*inboxv1.SubscribeResponse, error) {
	response := &inboxv1.SubscribeResponse{
		Id: item.id, Cursor: r.cursors.cursor(item.place, item.id, item.trail), At: timestamppb.New(time.UnixMilli(item.atMS)),
	}
	if item.change != nil {
		response.Item = &inboxv1.SubscribeResponse_Subscription{Subscription: changeOf(item.change)}
		return response, nil
	}
	if item.listed != nil {
		list, err := r.showList(ctx, item.listed.GetSubscription(), item.listed.GetSinceMs(), item.listed.GetAsOfMs())
		if err != nil {
			return nil, err
		}
		response.Item = &inboxv1.SubscribeResponse_List{List: list}
		if list == nil {
			response.Item = &inboxv1.SubscribeResponse_Gone{Gone: &inboxv1.Gone{Reason: inboxv1.Reason_REASON_NOT_FOR_YOU}}
		}
		return response, nil
	}
	shown, gone, err := r.content(ctx, item)
	if err != nil {
		return nil, err
	}
	if gone == inboxv1.Reason_REASON_UNSPECIFIED {
		response.Item = &inboxv1.SubscribeResponse_Notice{Notice: shown}
		return response, nil
	}
	if item.unconfirmed {
		if err := r.Engine.Fetched(ctx, []*ledgerv1.AttemptFinished{{
			Notice: item.frozen.GetId(), Attempt: item.started.GetAttempt(), Outcome: ledgerv1.Outcome_OUTCOME_UNKNOWN,
			Detail: "no longer to be shown in the inbox",
		}}); err != nil {
			return nil, err
		}
	}
	response.Item = &inboxv1.SubscribeResponse_Gone{Gone: &inboxv1.Gone{Notice: item.frozen.GetId(), Reason: gone}}
	return response, nil
}

// content is a notice as the agency may see it now, or why it may not.
func (r *inboxReader) content(ctx context.Context, item lying) (*noticev1.Notice, inboxv1.Reason, error) {
	const mayNot = inboxv1.Reason_REASON_NOT_FOR_YOU
	if item.gone != inboxv1.Reason_REASON_UNSPECIFIED {
		return nil, item.gone, nil
	}
	snapshot, current := r.Current()
	if !delivery.MayRead(item.frozen, item.started, snapshot, r.Clock.Now()) {
		return nil, mayNot, nil
	}
	events := make([]*eventv1.Event, len(item.sources))
	for i, src := range item.sources {
		if item.frozen.GetRefs()[i] == "" {
			continue
		}
		body, err := r.Engine.Body(ctx, src)
		if notice.KindOf(err) == notice.NotFound && err != nil {
			return nil, mayNot, nil // erased
		}
		if err != nil {
			return nil, 0, err
		}
		events[i] = body
	}
	content, _, err := delivery.Compose(item.frozen, events, current, snapshot)
	if err != nil {
		r.Logger.Error("a notice in an inbox cannot be composed", zap.String("notice", item.frozen.GetId()), zap.Error(err))
		return nil, mayNot, nil
	}
	return proto.CloneOf(content), 0, nil
}

func changeOf(c *ledgerv1.SubscriptionChanged) *inboxv1.Subscription {
	state := inboxv1.State_STATE_UNSPECIFIED
	switch c.GetState() {
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN:
		state = inboxv1.State_STATE_BEGAN
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_EXPIRED:
		state = inboxv1.State_STATE_EXPIRED
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_ENDED:
		state = inboxv1.State_STATE_ENDED
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_UNSPECIFIED, ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED: // never lies there
	}
	return &inboxv1.Subscription{Id: c.GetSubscription(), State: state, Until: timestamppb.New(time.UnixMilli(c.GetUntilMs()))}
}

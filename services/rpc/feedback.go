package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

const (
	defaultChanges = 1000
	maxChanges     = 10000

	// maxFeedback bounds one answer in bytes, so that its JSON fits a NATS message too. What is left comes after its cursor.
	maxFeedback = 256 << 10
)

// Feedback tells an agency what became of its events: over gRPC, and for whoever answers the same question over NATS.
type Feedback struct {
	engine     Viewer
	quarantine Quarantine
	current    func() (*directory.Snapshot, *policy.Policy)
}

// NewFeedback makes a Feedback. What is missing from an event it says in the words of the current policy.
func NewFeedback(engine Viewer, quarantine Quarantine, current func() (*directory.Snapshot, *policy.Policy)) *Feedback {
	return &Feedback{engine: engine, quarantine: quarantine, current: current}
}

// Changes are what became of an agency's events after a cursor, in order, at most limit; 0 is 1000. An answer may hold
// fewer than there are: ask again after its cursor, until nothing comes.
func (f *Feedback) Changes(ctx context.Context, agency notice.AgencyID, after uint64, limit int) (*intakev1.FeedbackResponse, error) {
	if limit <= 0 {
		limit = defaultChanges
	}
	var changes []ledger.Change
	if err := f.engine.View(ctx, func(s *ledger.State) {
		changes = s.Feedback(agency, after, min(limit, maxChanges))
	}); err != nil {
		return nil, err
	}

	response := &intakev1.FeedbackResponse{Cursor: after}
	events := reader{engine: f.engine, agency: agency, read: map[uint64]*eventv1.Event{}}
	size := 0
	for _, c := range changes {
		change, err := f.change(ctx, c, events)
		if err != nil {
			return nil, err
		}
		size += proto.Size(change)
		if size > maxFeedback && len(response.Changes) > 0 {
			break
		}
		response.Changes = append(response.Changes, change)
		response.Cursor = c.Cursor
	}
	return response, nil
}

func (f *Feedback) change(ctx context.Context, c ledger.Change, events reader) (*intakev1.Change, error) {
	at := timestamppb.New(time.UnixMilli(c.AtMS))
	switch {
	case c.Assessed:
		return f.completeness(ctx, c, events)
	case c.Manifest != nil:
		return f.manifest(ctx, c, events)
	}
	if c.Event == "" && c.Quarantine != 0 {
		id, faults, err := f.refusal(ctx, c.Quarantine)
		if err != nil {
			return nil, err
		}
		return &intakev1.Change{Change: &intakev1.Change_Rejected{Rejected: &intakev1.Rejected{
			Cursor: c.Cursor, EventId: id, Sequence: c.Sequence, Faults: faults, At: at,
		}}}, nil
	}
	body, err := events.event(ctx, c.Sequence)
	if err != nil {
		return nil, err
	}
	id := body.GetId() // empty where it was erased
	if c.Event == "" {
		return &intakev1.Change{Change: &intakev1.Change_Rejected{Rejected: &intakev1.Rejected{
			Cursor: c.Cursor, EventId: id, Sequence: c.Sequence, At: at, Faults: []*intakev1.Fault{{
				Field: "id", Message: "was used before for other content, supersedes an event of another kind, or withdraws a withdrawal: publish the new content under a new id, with supersedes set to the event of its own kind",
			}},
		}}}, nil
	}
	return &intakev1.Change{Change: &intakev1.Change_Status{Status: &intakev1.Status{
		Cursor: c.Cursor, EventId: id, Sequence: c.Sequence, ChildRef: c.Ref, State: childState(c.State), At: at,
	}}}, nil
}

// refusal is what the quarantine holds of a refused event: its id, where one can be read, and its faults.
func (f *Feedback) refusal(ctx context.Context, number uint64) (string, []*intakev1.Fault, error) {
	kept, err := f.quarantine.GetQuarantined(ctx, number)
	if notice.KindOf(err) == notice.NotFound && err != nil {
		return "", nil, nil // erased
	}
	if err != nil {
		return "", nil, err
	}
	return eventID(kept.Event), wireFaults(store.FaultsOf(kept.Event.Header)), nil
}

// eventID is the id of a refused event, as far as one can be read.
func eventID(m store.Msg) string {
	ev, err := intake.Decode(m.Subject, intake.Header(m.Header), m.Data)
	if err != nil && ev == nil {
		ev = &eventv1.Event{}
	}
	return ev.GetId()
}

func wireFaults(faults []notice.FieldFault) []*intakev1.Fault {
	out := make([]*intakev1.Fault, len(faults))
	for i, f := range faults {
		out[i] = &intakev1.Fault{Field: f.Field, Message: f.Message}
	}
	return out
}

func childState(s ledger.ChildState) intakev1.ChildState {
	switch s {
	case ledger.ChildAccepted:
		return intakev1.ChildState_CHILD_STATE_ACCEPTED
	case ledger.ChildUnmatched:
		return intakev1.ChildState_CHILD_STATE_UNMATCHED
	case ledger.ChildTold:
		return intakev1.ChildState_CHILD_STATE_TOLD
	case ledger.ChildAcknowledged:
		return intakev1.ChildState_CHILD_STATE_ACKNOWLEDGED
	case ledger.ChildLate:
		return intakev1.ChildState_CHILD_STATE_LATE
	case ledger.ChildWithdrawn:
		return intakev1.ChildState_CHILD_STATE_WITHDRAWN
	default:
		return intakev1.ChildState_CHILD_STATE_UNSPECIFIED
	}
}

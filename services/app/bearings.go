package app

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/store"
)

// bearings are the directory and the policy in force, together: a decision never sees one without the other.
type bearings struct {
	snapshot *directory.Snapshot
	policy   *policy.Policy
}

// holder keeps the present bearings.
type holder struct {
	kept    *store.Directory
	loading sync.Mutex // one load at a time; readers never wait
	now     atomic.Pointer[bearings]
}

// Current is the directory and policy in force.
func (h *holder) Current() (*directory.Snapshot, *policy.Policy) {
	b := h.now.Load()
	return b.snapshot, b.policy
}

// load reads the directory anew, unless it is as it was.
func (h *holder) load(ctx context.Context) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	head, err := h.kept.Head(ctx)
	if err != nil {
		return err
	}
	if b := h.now.Load(); b != nil && b.snapshot.Generation() == head {
		return nil
	}
	kept, err := h.kept.Load(ctx)
	if err != nil {
		return err
	}
	rows := make([]*directoryv1.Row, len(kept.Rows))
	for i, r := range kept.Rows {
		rows[i] = &directoryv1.Row{}
		if err := proto.Unmarshal(r.Value, rows[i]); err != nil {
			return notice.Faultf(notice.Internal, "app.load", "a row of kind %s cannot be read", r.Kind)
		}
	}
	snapshot, err := directory.Build(kept.Head, rows)
	if err != nil {
		return err
	}
	inForce, err := h.policyOf(snapshot)
	if err != nil {
		return err
	}
	h.now.Store(&bearings{snapshot: snapshot, policy: inForce})
	return nil
}

// policyOf is the policy in force. Most changes of the directory leave it as it was, and making one ready takes longer than
// all the rest of a load.
func (h *holder) policyOf(snapshot *directory.Snapshot) (*policy.Policy, error) {
	text := policy.Default()
	if document, ok := snapshot.Policy(); ok {
		text = []byte(document.Text)
	}
	if b := h.now.Load(); b != nil && b.policy.Digest() == policy.Digest(text) {
		return b.policy, nil
	}
	inForce, err := policy.Load(text)
	if err != nil {
		return nil, fmt.Errorf("app.load: the policy in force: %w", err)
	}
	return inForce, nil
}

// firstPolicy puts the default policy into an empty directory, so that every version in force is kept.
func firstPolicy(ctx context.Context, kept *store.Directory, h *holder) error {
	if snapshot, _ := h.Current(); snapshot != nil {
		if _, ok := snapshot.Policy(); ok {
			return nil
		}
	}
	text := policy.Default()
	row := &directoryv1.Row{Row: &directoryv1.Row_Policy{Policy: &directoryv1.PolicyDocument{
		Digest: policy.Digest(text), Text: string(text), InForce: true,
	}}}
	if err := putRows(ctx, kept, row); err != nil && notice.KindOf(err) != notice.Conflict { // another instance was quicker
		return err
	}
	return h.load(ctx)
}

// putRows makes rows visible, all at once.
func putRows(ctx context.Context, kept *store.Directory, rows ...*directoryv1.Row) error {
	generation, err := kept.Begin(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		kind, id := directory.KeyOf(row)
		value, err := proto.Marshal(row)
		if err != nil {
			return notice.Fault(notice.Internal, "app.putRows", err)
		}
		if err := generation.Put(ctx, kind, id, value); err != nil {
			return err
		}
	}
	_, err = generation.Commit(ctx)
	return err
}

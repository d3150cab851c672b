package rpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// gone is an engine whose events were erased.
type gone struct{ rpc.Viewer }

func (gone) Body(context.Context, *ledgerv1.Source) (*eventv1.Event, error) {
	return nil, notice.Faultf(notice.NotFound, "store.GetEvent", "erased")
}

// mute is an engine whose store does not answer.
type mute struct{ rpc.Viewer }

func (mute) Body(context.Context, *ledgerv1.Source) (*eventv1.Event, error) {
	return nil, notice.Faultf(notice.Unavailable, "store.GetEvent", "no answer")
}

func TestFeedbackOutlivesTheErasureOfWhatItIsAbout(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.settled(t, police, must(r.store.Events().Publish(ctx, police, "encompass", nil, []byte("\xff"), ""))(t))
	check(t, r.store.Events().EraseQuarantined(ctx, 1))

	after := must(rpc.NewFeedback(gone{r.engine}, r.store.Events(), r.Current).Changes(ctx, police, 0, 0))(t)
	want := []string{"1: event  (1) child  ACCEPTED", "2: event  (1) child c1 TOLD", "3: event  (2) rejected: "}
	if diff := cmp.Diff(want, told(after.GetChanges())); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if got, err := rpc.NewFeedback(mute{r.engine}, r.store.Events(), r.Current).Changes(ctx, police, 0, 0); notice.KindOf(err) != notice.Unavailable || err == nil {
		t.Errorf("a store that does not answer is taken for an erasure: %v, %v", got, err)
	}
}

func TestFeedbackComesInAnswersThatFitAMessage(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	var bad strings.Builder
	for i := range 100 {
		fmt.Fprintf(&bad, `"a_field_that_is_not_in_the_contract_%d":1,`, i)
	}
	const n = 60
	for range n {
		must(r.store.Events().Publish(ctx, police, "encompass", store.Header{"Content-Type": {"application/cloudevents+json"}},
			[]byte(`{"specversion":"1.0","id":"x","data":{`+strings.TrimSuffix(bad.String(), ",")+`}}`), ""))(t)
	}
	r.settled(t, police, n)
	feedback := rpc.NewFeedback(r.engine, r.store.Events(), r.Current)
	answers, cursor := 0, uint64(0)
	for {
		answer := must(feedback.Changes(ctx, police, cursor, 0))(t)
		if len(answer.GetChanges()) == 0 {
			break
		}
		if size := proto.Size(answer); size > 300<<10 {
			t.Errorf("an answer of %d bytes", size)
		}
		for _, c := range answer.GetChanges() {
			if cursor++; c.GetRejected().GetCursor() != cursor || len(c.GetRejected().GetFaults()) < 100 {
				t.Fatalf("after cursor %d: %v", cursor, c)
			}
		}
		if answer.GetCursor() != cursor {
			t.Fatalf("cursor %d after change %d", answer.GetCursor(), cursor)
		}
		answers++
	}
	if cursor != n || answers < 2 {
		t.Errorf("%d changes in %d answers", cursor, answers)
	}
}

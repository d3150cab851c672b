package rpc_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/query"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

func (r *rig) search(t *testing.T, req *ledgerv1.SearchRequest) []*ledgerv1.FoundNotice {
	t.Helper()
	response, err := ledgerv1.NewLedgerServiceClient(r.operator(t)).Search(testContext(t), req)
	if err != nil {
		t.Fatal(rpc.Fault(err))
	}
	return response.GetNotices()
}

// reading waits until the read model has reached the ledger's end.
func (r *rig) reading(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	current := false
	r.query.Watch(ctx, func(s query.Status) {
		if current = current || s.Current; current {
			cancel()
		}
	})
	if !current {
		t.Fatal("the read model does not reach the ledger's end")
	}
}

func TestAnOperatorFindsANoticeByWhatIsKnownOfIt(t *testing.T) {
	r := newRig(t)
	r.reading(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	all := r.search(t, &ledgerv1.SearchRequest{})
	if len(all) != 1 {
		t.Fatalf("%d notices found, want one", len(all))
	}
	want := &ledgerv1.FoundNotice{
		Notice: id, Reference: notice.Reference(id), Agency: string(police), Organisation: "gias:900101", Function: "setting",
		Kind: string(notice.EncompassIncident), Child: "child-1", State: ledgerv1.NoticeState_NOTICE_STATE_AWAITING, Attempts: 1,
		Contact: "lanternfield-dsl", DecidedMs: evening.UnixMilli(),
	}
	ignored := protocmp.IgnoreFields(&ledgerv1.FoundNotice{}, "lineage", "rule", "lane", "due_ms")
	if diff := cmp.Diff(want, all[0], protocmp.Transform(), ignored); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	for _, req := range []*ledgerv1.SearchRequest{
		{Reference: notice.Reference(id)}, {Child: "child-1"}, {Contact: "lanternfield-dsl"}, {Organisation: "gias:900101", Open: true},
		{Rule: all[0].GetRule(), Lane: all[0].GetLane()}, {DueFromMs: all[0].GetDueMs(), DueUntilMs: all[0].GetDueMs() + 1},
	} {
		if found := r.search(t, req); len(found) != 1 {
			t.Errorf("%v finds %d", req, len(found))
		}
	}
	if found := r.search(t, &ledgerv1.SearchRequest{Late: true}); len(found) != 0 {
		t.Errorf("late: %v", found)
	}
	_, err := ledgerv1.NewLedgerServiceClient(r.operator(t)).Search(testContext(t), &ledgerv1.SearchRequest{Cursor: "x", PageSize: 501})
	var fields []string
	for _, f := range notice.FieldsOf(rpc.Fault(err)) {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"page_size", "cursor"}, fields); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if _, err := ledgerv1.NewLedgerServiceClient(r.agency(t, school)).Search(testContext(t), &ledgerv1.SearchRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("an agency searches the ledger: %v", err)
	}
}

func TestAChildSealedSinceIsNotFound(t *testing.T) {
	r := newRig(t)
	r.reading(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.put(testContext(t), t, restriction("child-1", "protected_location"))
	if found := r.search(t, &ledgerv1.SearchRequest{Child: "child-1"}); len(found) != 0 {
		t.Errorf("found by the child: %v", found)
	}
	all := r.search(t, &ledgerv1.SearchRequest{})
	if len(all) != 1 || all[0].GetChild() != "" {
		t.Errorf("found %v, want one that names no child", all)
	}
}

// nothing is a read model that is not to be had.
type nothing struct{}

func (nothing) Timeline(context.Context, query.Subject) ([]*ledgerv1.Fact, error) {
	return nil, notice.Faultf(notice.Unavailable, "query", "the read model is being rebuilt, 1 of 2 packs: ask again in a minute")
}

func (nothing) Search(context.Context, *ledgerv1.SearchRequest) (*ledgerv1.SearchResponse, error) {
	return nil, notice.Faultf(notice.Unavailable, "query", "the read model is being rebuilt, 1 of 2 packs: ask again in a minute")
}

func (nothing) Overdue(context.Context, int64) ([]*ledgerv1.Overdue, error) {
	return nil, notice.Faultf(notice.Unavailable, "query", "the read model is being rebuilt, 1 of 2 packs: ask again in a minute")
}

func TestWithoutAReadModelTimelinesAndWhatIsOverdueAreAnsweredAllTheSame(t *testing.T) {
	with := newRig(t)
	without := newRig(t, func(r *rig) { r.deps.Query = nothing{} })
	with.reading(t)
	timelines := map[*rig]*ledgerv1.TimelineResponse{}
	for _, r := range []*rig{with, without} {
		r.settled(t, police, r.publish(t, incident("i-1")))
		timelines[r] = r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Event{
			Event: &ledgerv1.EventRef{Agency: string(police), Id: "i-1"},
		}})
	}
	if diff := cmp.Diff(timelines[with], timelines[without], protocmp.Transform()); diff != "" {
		t.Errorf("timeline (-with +without):\n%s", diff)
	}
	ctx := testContext(t)
	overdue, err := ledgerv1.NewLedgerServiceClient(without.operator(t)).Overdue(ctx, &ledgerv1.OverdueRequest{})
	if err != nil || len(overdue.GetOverdue()) != 0 {
		t.Errorf("overdue: %v, %v", overdue, err)
	}
	if _, err := ledgerv1.NewLedgerServiceClient(without.operator(t)).Search(ctx, &ledgerv1.SearchRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("search: %v", err)
	}
	health := grpc_health_v1.NewHealthClient(without.operator(t))
	without.server.SetReading(true)
	answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: rpc.QueryService})
	if err != nil || answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", answer, err)
	}
}

package rpc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

func (r *rig) explain(t *testing.T, req *routingv1.ExplainRequest) *routingv1.ExplainResponse {
	t.Helper()
	response, err := routingv1.NewRoutingServiceClient(r.operator(t)).Explain(testContext(t), req)
	if err != nil {
		t.Fatal(rpc.Fault(err))
	}
	return response
}

func TestExplainShowsTheDecisionThatTheEngineWouldMakeAndSendsNothing(t *testing.T) {
	r := newRig(t)
	explained := r.explain(t, &routingv1.ExplainRequest{Event: incident("i-1")})
	check(t, r.engine.View(testContext(t), func(s *ledger.State) {
		if len(s.Events)+len(s.Notices)+len(s.Tasks) > 0 {
			t.Errorf("something was recorded: %v", s.Summarise())
		}
	}))
	if len(explained.GetPreviews()) != 1 {
		t.Fatalf("previews %v", explained.GetPreviews())
	}
	p := explained.GetPreviews()[0]
	if p.GetNotice() != explained.GetDecision().GetNotices()[0].GetId() || p.GetContact() != "lanternfield-dsl" || p.GetChannel() != "email" || p.GetUnreachable() != "" {
		t.Errorf("preview %v", p)
	}
	shown := p.GetContent().GetEvents()[0]
	if shown.GetChildren()[0].GetName().GetFamily() != "Quillfeather" || shown.GetNarrative().GetRestricted() != "" {
		t.Errorf("shown %v", shown)
	}

	r.settled(t, police, r.publish(t, incident("i-1")))
	timeline := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Notice{Notice: p.GetNotice()}})
	made := timeline.GetFacts()[0].GetDecided()
	ignoreSequence := protocmp.IgnoreFields(&ledgerv1.Source{}, "sequence")
	if diff := cmp.Diff(explained.GetDecision(), made, protocmp.Transform(), ignoreSequence); diff != "" {
		t.Errorf("decided (-explained +made):\n%s", diff)
	}
}

func TestExplainSaysWhyNobodyCanBeReached(t *testing.T) {
	r := newRig(t)
	r.remove(testContext(t), t, directory.KindContact, "lanternfield-dsl")
	p := r.explain(t, &routingv1.ExplainRequest{Event: incident("i-1")}).GetPreviews()
	if len(p) != 1 || p[0].GetContact() != "" || !strings.Contains(p[0].GetUnreachable(), "gias:900101: no contact with the role dsl") {
		t.Errorf("previews %v", p)
	}
}

func TestExplainDecidesAtTheInstantGivenAndShowsTheNoticeBeforeTerm(t *testing.T) {
	r := newRig(t)
	ev := incident("i-1")
	at := time.Date(2026, time.December, 22, 23, 0, 0, 0, time.UTC) // in the Christmas holiday
	ev.Time = timestamppb.New(at.Add(-time.Hour))
	ev.GetEncompassIncident().OccurredAt = timestamppb.New(at.Add(-2 * time.Hour))
	explained := r.explain(t, &routingv1.ExplainRequest{Event: ev, At: timestamppb.New(at)})

	var beforeTerm *ledgerv1.Notice
	for _, n := range explained.GetDecision().GetNotices() {
		if n.GetBeforeTerm() {
			beforeTerm = n
		}
	}
	if beforeTerm == nil || len(explained.GetPreviews()) != len(explained.GetDecision().GetNotices()) {
		t.Fatalf("explained %v", explained)
	}
	opens := time.Date(2027, time.January, 4, 8, 30, 0, 0, time.UTC).UnixMilli()
	if beforeTerm.GetDueMs() > opens || beforeTerm.GetReleaseMs() <= at.UnixMilli() {
		t.Errorf("released %v, due %v", time.UnixMilli(beforeTerm.GetReleaseMs()), time.UnixMilli(beforeTerm.GetDueMs()))
	}
	for _, p := range explained.GetPreviews() {
		if p.GetNotice() == beforeTerm.GetId() && p.GetContact() != "lanternfield-dsl" {
			t.Errorf("preview %v", p)
		}
	}
}

func TestExplainRefusesWhatIntakeWould(t *testing.T) {
	r := newRig(t)
	client := routingv1.NewRoutingServiceClient(r.operator(t))
	for _, tc := range []struct {
		name   string
		change func(*routingv1.ExplainRequest)
		want   []string
	}{
		{"no event", func(req *routingv1.ExplainRequest) { req.Event = nil }, []string{"event"}},
		{"an unknown agency", func(req *routingv1.ExplainRequest) { req.Event.Source = "elsewhere-police" }, []string{"source"}},
		{"a future event", func(req *routingv1.ExplainRequest) { req.Event.Time = timestamppb.New(evening.Add(48 * time.Hour)) }, []string{"time"}},
		{"no child", func(req *routingv1.ExplainRequest) { req.Event.Children = nil }, []string{"children"}},
		{"an instant that is none", func(req *routingv1.ExplainRequest) { req.At = &timestamppb.Timestamp{Nanos: -1} }, []string{"at"}},
	} {
		req := &routingv1.ExplainRequest{Event: incident("i-1")}
		tc.change(req)
		_, err := client.Explain(testContext(t), req)
		var fields []string
		for _, f := range notice.FieldsOf(rpc.Fault(err)) {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff(tc.want, fields); diff != "" || status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v; fields (-want +got):\n%s", tc.name, err, diff)
		}
	}
}

func TestExplainAnswersForAProtectedChildAsForAnUnknownOne(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	ev := incident("i-1")
	r.put(ctx, t, restriction("child-1", "protected_location"))
	protected := r.explain(t, &routingv1.ExplainRequest{Event: ev})
	r.remove(ctx, t, directory.KindRestriction, "r-1")
	r.remove(ctx, t, directory.KindChild, "child-1")
	missing := r.explain(t, &routingv1.ExplainRequest{Event: ev})
	if len(protected.GetPreviews()) != 0 || len(protected.GetDecision().GetTasks()) == 0 {
		t.Errorf("protected: %v", protected)
	}
	// The directory has changed between, and how a finding is worded is routing's to hold.
	ignored := cmp.Options{protocmp.IgnoreFields(&ledgerv1.Decision{}, "directory"), protocmp.IgnoreFields(&ledgerv1.ChildFinding{}, "reason")}
	if diff := cmp.Diff(missing, protected, protocmp.Transform(), ignored); diff != "" {
		t.Errorf("(-unknown +protected):\n%s", diff)
	}
}

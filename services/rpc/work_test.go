package rpc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// onlyNotice is the id of the one notice there is.
func (r *rig) onlyNotice(t *testing.T) string {
	t.Helper()
	var ids []string
	check(t, r.engine.View(testContext(t), func(s *ledger.State) {
		for id := range s.Notices {
			ids = append(ids, id)
		}
	}))
	if len(ids) != 1 {
		t.Fatalf("%d notices, want one", len(ids))
	}
	return ids[0]
}

// facts are the facts of a timeline by name, in order, consecutive ones of a name once.
func facts(response *ledgerv1.TimelineResponse) []string {
	var names []string
	for _, f := range response.GetFacts() {
		m := f.ProtoReflect()
		names = append(names, string(m.WhichOneof(m.Descriptor().Oneofs().ByName("fact")).Name()))
	}
	return slices.Compact(names)
}

func (r *rig) timeline(t *testing.T, req *ledgerv1.TimelineRequest) *ledgerv1.TimelineResponse {
	t.Helper()
	response, err := ledgerv1.NewLedgerServiceClient(r.operator(t)).Timeline(testContext(t), req)
	if err != nil {
		t.Fatal(rpc.Fault(err))
	}
	return response
}

func TestAnAgencyAcknowledgesItsOwnNoticesOnly(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	request := &inboxv1.AcknowledgeRequest{Notice: id, Person: "Priya Anand"}

	others := inboxv1.NewInboxServiceClient(r.agency(t, council))
	_, another := others.Acknowledge(ctx, request)
	_, none := others.Acknowledge(ctx, &inboxv1.AcknowledgeRequest{Notice: "nothing", Person: "Priya Anand"})
	if status.Code(another) != codes.NotFound || another.Error() != none.Error() {
		t.Errorf("another's notice: %v; one that is not there: %v", another, none)
	}
	if kept := r.vault.kept(); len(kept) != 0 {
		t.Fatalf("the vault keeps %v of a refused acknowledgement", kept)
	}
	own := inboxv1.NewInboxServiceClient(r.agency(t, school))
	if c, err := own.Acknowledge(ctx, &inboxv1.AcknowledgeRequest{Notice: "nothing", Person: "Priya Anand"}); status.Code(err) != codes.NotFound {
		t.Errorf("a notice that is not there: %v, %v", c, err)
	}
	for range 2 { // again changes nothing
		if _, err := own.Acknowledge(ctx, request); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Priya Anand"}, r.vault.kept()); diff != "" {
		t.Errorf("vault (-want +got):\n%s", diff)
	}
	timeline := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Notice{Notice: id}})
	want := []string{"decided", "attempt_started", "attempt_finished", "acknowledged"}
	if diff := cmp.Diff(want, facts(timeline)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	last := timeline.GetFacts()[len(timeline.GetFacts())-1].GetAcknowledged()
	if !proto.Equal(last, &ledgerv1.Acknowledged{Notice: id, By: "agency:lanternfield-school", Means: "grpc", Statement: 1}) {
		t.Errorf("recorded %v", last)
	}
}

func TestTheOneANoticeWasEscalatedToMayAcknowledgeIt(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t, contactRow("council-duty", "ashmere-council", "education_safeguarding", "duty@council.example"))
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	inbox := inboxv1.NewInboxServiceClient(r.agency(t, council))
	request := &inboxv1.AcknowledgeRequest{Notice: id, Person: "Sam Lowe"}
	if _, err := inbox.Acknowledge(ctx, request); status.Code(err) != codes.NotFound {
		t.Fatalf("before: %v", err)
	}
	r.clock.Set(time.Date(2026, time.November, 25, 8, 30, 0, 0, time.UTC)) // due: the chain moves on
	r.await(t, "the notice went on to the authority", func(s *ledger.State) bool {
		n := s.Notices[id]
		return n.Link == 1 && n.Phase == ledger.Awaiting
	})
	if _, err := inbox.Acknowledge(ctx, request); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTasksAreWorkedOnByTheirOwners(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.settled(t, police, r.publish(t, unknown("i-1")))
	operator := taskv1.NewTaskServiceClient(r.operator(t))
	desk := taskv1.NewTaskServiceClient(r.agency(t, police))
	teachers := taskv1.NewTaskServiceClient(r.agency(t, school))

	all := must(operator.List(ctx, &taskv1.ListRequest{}))(t).GetItems()
	own := must(desk.List(ctx, &taskv1.ListRequest{}))(t).GetItems()
	if len(all) < 2 || len(own) == 0 || len(own) == len(all) {
		t.Fatalf("an operator sees %d tasks, the publisher %d", len(all), len(own))
	}
	for _, item := range own {
		if item.GetTask().GetOrganisation() != "kestrel-vale-police" || item.GetState() != "open" || item.GetOverdue() {
			t.Errorf("the publisher sees %v", item)
		}
	}
	if items := must(teachers.List(ctx, &taskv1.ListRequest{}))(t).GetItems(); len(items) != 0 {
		t.Errorf("a school without tasks sees %v", items)
	}
	if _, err := teachers.List(ctx, &taskv1.ListRequest{Organisation: "kestrel-vale-police"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another organisation's tasks: %v", err)
	}
	if items := must(operator.List(ctx, &taskv1.ListRequest{Organisation: "ashmere-council"}))(t).GetItems(); len(items) != len(all)-len(own) {
		t.Errorf("an operator sees %d tasks of the authority", len(items))
	}

	id := own[0].GetTask().GetId()
	resolve := &taskv1.ResolveRequest{Task: id, Resolution: "matched", Child: "child-1", Reason: "Wren is Ivo's name at home"}
	_, claimed := teachers.Claim(ctx, &taskv1.ClaimRequest{Task: id})
	_, resolved := teachers.Resolve(ctx, resolve)
	_, none := teachers.Claim(ctx, &taskv1.ClaimRequest{Task: "nothing"})
	if status.Code(claimed) != codes.NotFound || claimed.Error() != none.Error() || resolved == nil || resolved.Error() != none.Error() {
		t.Errorf("another's task: claimed %v, resolved %v; one that is not there: %v", claimed, resolved, none)
	}
	if kept := r.vault.kept(); len(kept) != 0 {
		t.Fatalf("the vault keeps %v of a refused resolution", kept)
	}

	if _, err := desk.Claim(ctx, &taskv1.ClaimRequest{Task: id}); err != nil {
		t.Fatal(err)
	}
	wrong := proto.CloneOf(resolve)
	wrong.Child = "nobody"
	if _, err := desk.Resolve(ctx, wrong); notice.KindOf(rpc.Fault(err)) != notice.Invalid || err == nil {
		t.Errorf("a child that is not there: %v", err)
	}
	if _, err := desk.Resolve(ctx, resolve); err != nil {
		t.Fatal(err)
	}
	r.await(t, "routing has decided again", func(s *ledger.State) bool { return len(s.Notices) == 1 })
	if _, err := desk.Resolve(ctx, resolve); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("again: %v", err)
	}
	for _, item := range must(desk.List(ctx, &taskv1.ListRequest{All: true}))(t).GetItems() {
		if item.GetTask().GetId() == id && (item.GetState() != "resolved" || item.GetBy() != "agency:kestrel-vale-police" || item.GetResolution() != "matched") {
			t.Errorf("the task is %v", item)
		}
	}
	timeline := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Task{Task: id}})
	if diff := cmp.Diff([]string{"decided", "task_claimed", "task_resolved"}, facts(timeline)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	for _, f := range timeline.GetFacts() {
		if strings.Contains(f.String(), "Wren") {
			t.Errorf("the ledger holds the reason: %v", f)
		}
	}
}

func TestATimelineHoldsWhatConcernsItsSubjectAndNothingElse(t *testing.T) {
	r := newRig(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.settled(t, police, r.publish(t, unknown("i-2")))
	reused := incident("i-1")
	reused.Narrative.Disclosable = "Other words."
	r.settled(t, police, r.publish(t, reused))

	event := func(agency notice.AgencyID, id string) *ledgerv1.TimelineRequest {
		return &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Event{Event: &ledgerv1.EventRef{Agency: string(agency), Id: id}}}
	}
	first := r.timeline(t, event(police, "i-1"))
	want := []string{"event_accepted", "decided", "attempt_started", "attempt_finished", "event_refused", "task_opened"}
	if diff := cmp.Diff(want, facts(first)); diff != "" {
		t.Errorf("an event (-want +got):\n%s", diff)
	}
	lineage := first.GetFacts()[0].GetEventAccepted().GetLineage()
	same := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Lineage{Lineage: lineage}})
	if diff := cmp.Diff(want, facts(same)); diff != "" {
		t.Errorf("its lineage (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"event_accepted", "decided"}, facts(r.timeline(t, event(police, "i-2")))); diff != "" {
		t.Errorf("the other event (-want +got):\n%s", diff)
	}
	ledgers := ledgerv1.NewLedgerServiceClient(r.operator(t))
	for _, req := range []*ledgerv1.TimelineRequest{
		event(police, "i-9"), event(council, "i-1"), {Of: &ledgerv1.TimelineRequest_Notice{Notice: "nothing"}},
	} {
		if _, err := ledgers.Timeline(testContext(t), req); status.Code(err) != codes.NotFound {
			t.Errorf("%v: %v", req, err)
		}
	}
}

func TestTheSummarySaysWhenNothingMoreHappens(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	ledgers := ledgerv1.NewLedgerServiceClient(r.operator(t))
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.settled(t, police, r.publish(t, unknown("i-2")))
	got := must(ledgers.Summary(ctx, &ledgerv1.SummaryRequest{}))(t)
	tasks := got.GetOpenTasks()
	want := &ledgerv1.SummaryResponse{Notices: 1, WithPerson: 1, OpenTasks: tasks, Events: 2, Idle: true}
	if !proto.Equal(want, got) || tasks < 2 {
		t.Errorf("summary %v", got)
	}
	// An agency whose stream is ahead of the ledger: nobody follows it, so the ledger never takes its event in.
	check(t, r.store.ProvisionAgency(ctx, "late-agency"))
	must(r.store.Events().Publish(ctx, "late-agency", "encompass", nil, []byte("x"), ""))(t)
	engine := r.engine
	r.engine = nil // it is not told
	r.put(ctx, t, agencyRow("late-agency", "ashmere-council"))
	r.engine = engine
	if must(ledgers.Summary(ctx, &ledgerv1.SummaryRequest{}))(t).GetIdle() {
		t.Error("idle while an event waits in a stream")
	}
}

func TestOverdueAndVerify(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	ledgers := ledgerv1.NewLedgerServiceClient(r.operator(t))
	r.settled(t, police, r.publish(t, incident("i-1")))
	if o := must(ledgers.Overdue(ctx, &ledgerv1.OverdueRequest{}))(t).GetOverdue(); len(o) != 0 {
		t.Errorf("overdue already: %v", o)
	}
	id := r.onlyNotice(t)
	r.clock.Advance(24 * time.Hour)
	r.await(t, "nobody acknowledged", func(s *ledger.State) bool { return s.Notices[id].Phase == ledger.WithTask })
	o := must(ledgers.Overdue(ctx, &ledgerv1.OverdueRequest{}))(t).GetOverdue()
	if len(o) != 1 || o[0].GetNotice() != id || o[0].GetTask() == "" {
		t.Errorf("overdue: %v", o)
	}
	v := must(ledgers.Verify(ctx, &ledgerv1.VerifyRequest{}))(t)
	if len(v.GetFaults()) != 0 || v.GetPacks() == 0 || v.GetFacts() == 0 {
		t.Errorf("verify: %v", v)
	}
}

func TestVerifyFindsWhatDoesNotHold(t *testing.T) {
	long := evening.Add(-24 * time.Hour).UnixMilli()
	fact := func(f *ledgerv1.Fact) *ledgerv1.Fact { f.AtMs = long; return f }
	led := fact(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: 1, Instance: "one"}}})
	for _, tc := range []struct {
		name  string
		packs []*ledgerv1.Pack
		want  []string
	}{
		{"a pack that does not follow", []*ledgerv1.Pack{{Facts: []*ledgerv1.Fact{led}}, {Previous: []byte("other")}},
			[]string{"pack 2 does not follow the pack before it: the chain of hashes is broken; nothing after it was checked"}},
		{"a fact that cannot follow", []*ledgerv1.Pack{{Facts: []*ledgerv1.Fact{led, led}}},
			[]string{"pack 1: ledger: a fact cannot follow those before it: fact 2: epoch does not grow one; nothing after it was checked"}},
		{"a notice and a task that nobody has", []*ledgerv1.Pack{{Facts: []*ledgerv1.Fact{led,
			fact(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{
				Source: &ledgerv1.Source{Agency: string(police), Sequence: 1, Event: "e"}, Lineage: "l", Kind: "encompass.incident"}}}),
			fact(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: &ledgerv1.Decision{Lineage: "l", Round: 1, Cause: ledgerv1.Cause_CAUSE_EVENT,
				Notices: []*ledgerv1.Notice{{Id: "n", DueMs: long + 1000, Chain: []*ledgerv1.Link{{}}}},
				Tasks:   []*ledgerv1.Task{{Id: "t", Kind: ledgerv1.TaskKind_TASK_KIND_GAP, DueMs: long + 1000}}}}}),
		}}}, []string{
			fmt.Sprintf("notice n is past due (%s) and its next step has not been taken", ledger.Ready),
			"task t has no owner: add the organisation to the directory, and resolve the task",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := store.NewMemLog(time.Now)
			for i, pack := range tc.packs {
				must(log.Append(testContext(t), uint64(i), must(proto.Marshal(pack))(t)))(t)
			}
			r := newRig(t, func(r *rig) { r.deps.Log = log })
			got := must(ledgerv1.NewLedgerServiceClient(r.operator(t)).Verify(testContext(t), &ledgerv1.VerifyRequest{}))(t)
			if diff := cmp.Diff(tc.want, got.GetFaults()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnOperatorMayActForAnyOrganisation(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.settled(t, police, r.publish(t, unknown("i-2")))
	conn := r.as(t, identity.Operator, "sam.okafor")
	id := r.onlyNotice(t)
	if _, err := inboxv1.NewInboxServiceClient(conn).Acknowledge(ctx, &inboxv1.AcknowledgeRequest{Notice: id, Person: "Priya Anand"}); err != nil {
		t.Error(err)
	}
	tasks := taskv1.NewTaskServiceClient(conn)
	for i, item := range must(tasks.List(ctx, &taskv1.ListRequest{}))(t).GetItems() {
		req := &taskv1.ResolveRequest{Task: item.GetTask().GetId(), Resolution: "no_action", Reason: fmt.Sprintf("reason %d", i)}
		if _, err := tasks.Resolve(ctx, req); err != nil {
			t.Error(err)
		}
	}
	r.await(t, "they are recorded", func(s *ledger.State) bool { return s.Notices[id].EndedBy == "operator:sam.okafor" })
}

func TestANoticeBeforeTermIsInTheTimelineOfItsIncidentAndWaitsForItsRelease(t *testing.T) {
	r := newRig(t)
	r.clock.Set(time.Date(2026, time.December, 22, 23, 0, 0, 0, time.UTC)) // in the Christmas holiday
	r.settled(t, police, r.publish(t, incident("i-1")))
	var held, lineage string
	check(t, r.engine.View(testContext(t), func(s *ledger.State) {
		for id, n := range s.Notices {
			if n.BeforeTerm {
				held, lineage = id, n.Lineage
			}
		}
	}))
	_, err := inboxv1.NewInboxServiceClient(r.agency(t, school)).Acknowledge(testContext(t), &inboxv1.AcknowledgeRequest{Notice: held, Person: "Priya Anand"})
	if status.Code(err) != codes.FailedPrecondition || len(r.vault.kept()) != 0 {
		t.Errorf("acknowledged before its release: %v; the vault keeps %d texts", err, len(r.vault.kept()))
	}

	lineages := func(response *ledgerv1.TimelineResponse) []string {
		var ids []string
		for _, f := range response.GetFacts() {
			if d := f.GetDecided(); d != nil {
				ids = append(ids, d.GetLineage())
			}
		}
		return ids
	}
	ofEvent := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Event{Event: &ledgerv1.EventRef{Agency: string(police), Id: "i-1"}}})
	ofLineage := r.timeline(t, &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Lineage{Lineage: lineage}})
	if got := lineages(ofEvent); len(got) != 2 || got[1] != lineage {
		t.Errorf("the event's timeline has decisions about %v, want the incident and %s", got, lineage)
	}
	if got := lineages(ofLineage); !slices.Contains(got, lineage) || facts(ofLineage)[0] != "event_accepted" {
		t.Errorf("the lineage's own timeline: %v, decisions about %v", facts(ofLineage), got)
	}
}

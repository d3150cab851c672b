package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), write it anew with -update:\n%s", path, diff)
	}
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func ms(t testing.TB, text string) int64 { return at(t, text).UnixMilli() }

func sampleEvent(t testing.TB) *eventv1.Event {
	return &eventv1.Event{
		Id: "np-1018", Source: "northbridge-police", Type: "encompass.incident", Subject: "NP/1018/26", Area: "E09000901",
		Time: timestamppb.New(at(t, "2026-10-24T21:00:00+01:00")),
		Children: []*eventv1.Child{
			{Ref: "c1", Name: &eventv1.Name{Given: "Ada", Family: "Fen-Marsh"}, DateOfBirth: "2015-05-01"},
			{Ref: "c2", Name: &eventv1.Name{Given: "Una\x1b[31m", Family: "Fen-Marsh"}, DateOfBirth: "2017-05-01"},
		},
		Narrative: &eventv1.Narrative{Disclosable: "Officers attended a disturbance."},
		Payload: &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{
			OccurredAt: timestamppb.New(at(t, "2026-10-24T20:30:00+01:00")),
		}},
	}
}

func sampleExplanation(t testing.TB) explanation {
	shown := sampleEvent(t)
	shown.Children = shown.Children[:1]
	return explanation{
		event: sampleEvent(t),
		names: names{
			organisations: map[string]string{"gias:900101": "Lantern Row School", "ashmere-council": "Ashmere Council", "northbridge-police": ""},
			contacts:      map[string]*directoryv1.Contact{"ashmere/lantern-dsl": {Name: "M. Okoro", Role: "dsl"}},
		},
		response: &routingv1.ExplainResponse{
			At: timestamppb.New(at(t, "2026-10-24T21:05:00+01:00")),
			Decision: &ledgerv1.Decision{
				Children: []*ledgerv1.ChildFinding{
					{Ref: "c1", Child: "k1", Match: ledgerv1.Match_MATCH_NAME, Reason: "name_and_date_of_birth_agree"},
					{Ref: "c2", Child: "k2", Match: ledgerv1.Match_MATCH_SEVERAL, Reason: "several_agree"},
				},
				Notices: []*ledgerv1.Notice{
					{
						Id: "n1", Kind: "encompass.incident", Rule: "encompass.school", Child: "k1", Refs: []string{"c1"}, Organisation: "gias:900101",
						Function: "setting", View: "encompass_full", Basis: "domestic_abuse_act_2021_s49a", Lane: ledgerv1.Lane_LANE_HIGH,
						DueMs: ms(t, "2026-10-26T08:30:00Z"), DueBecause: "the cut-off before the child's next session", Acknowledge: true,
						Because: "the child goes to this school or college",
						Chain: []*ledgerv1.Link{
							{Organisation: "gias:900101", Roles: []string{"dsl", "deputy_dsl", "head"}},
							{Organisation: "ashmere-council", Roles: []string{"education_safeguarding"}, OffsetMinutes: 60},
						},
					},
					{
						Id: "n2", Rule: "encompass.home_education", Child: "k1", Organisation: "ashmere-council", Function: "authority", View: "encompass_minimal",
						Basis: "encompass_home_education", Lane: ledgerv1.Lane_LANE_ROUTINE, DueMs: ms(t, "2026-10-26T12:00:00Z"),
						ReleaseMs: ms(t, "2026-10-26T09:00:00Z"), Because: "the child is educated at home", Fields: []string{"children.name", "time"},
					},
				},
				Considered:    []*ledgerv1.Considered{{Organisation: "northbridge-police", Rule: "enquiry.home_area", Child: "k1", Reason: "published it"}, {Reason: "the young person is 18 or over: the duty has ended"}},
				Gaps:          []*ledgerv1.Gap{{Rule: "encompass.school", Function: "setting", Child: "k2", Reason: "the child's setting is not known"}},
				Contributions: []*ledgerv1.Contribution{{Rule: "encompass.school", Child: "k1", Organisation: "gias:900101", Opens: "2026-11-02"}},
				Tasks: []*ledgerv1.Task{{
					Id: "t1", Kind: ledgerv1.TaskKind_TASK_KIND_UNMATCHED, Organisation: "northbridge-police", Role: "desk", DueMs: ms(t, "2026-10-25T00:05:00Z"),
					Child: "k2", Ref: "c2", Detail: "several children fit", Options: []string{"k7", "k8"}, EscalateTo: "ashmere-council",
				}},
			},
			Previews: []*routingv1.Preview{
				{Notice: "n1", Contact: "ashmere/lantern-dsl", Channel: "email", Content: &noticev1.Notice{
					Id: "n1", Kind: "encompass.incident", Basis: "Domestic Abuse Act 2021 section 49A", Because: "the child goes to this school or college",
					Events: []*eventv1.Event{shown},
				}},
				{Notice: "n2", Unreachable: "no contact with the role elective_home_education"},
			},
		},
	}
}

func TestExplainReadsAtAGlance(t *testing.T) {
	var out bytes.Buffer
	sampleExplanation(t).print(&out)
	golden(t, "explain", out.String())
}

func TestTimelineHasALineForEveryKindOfFact(t *testing.T) {
	source := &ledgerv1.Source{Agency: "northbridge-police", Sequence: 7, Event: "e1"}
	// Both sides of the hour that comes twice.
	when := ms(t, "2026-10-25T00:59:58Z")
	facts := []*ledgerv1.Fact{
		{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: 3, Instance: "one"}}},
		{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{Source: source, Lineage: "l1", Kind: "encompass.incident", TimeMs: when, Supersedes: "e0", Overtaken: true, ReportedBy: "contacts/hub-desk", Statement: 4}}},
		{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{Source: source, Quarantine: 2, Faults: 1}}},
		{Fact: &ledgerv1.Fact_EventRepeated{EventRepeated: &ledgerv1.EventRepeated{Source: source}}},
		{Fact: &ledgerv1.Fact_Decided{Decided: sampleExplanation(t).response.GetDecision()}},
		{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: &ledgerv1.AttemptStarted{
			Notice: "n1", Attempt: 2, Contact: "ashmere/lantern-dsl", Role: "dsl", Organisation: "gias:900101", Channel: "email", Form: "stub", PossibleDuplicate: true,
			PassedOver: []*ledgerv1.PassedOver{{Contact: "ashmere/lantern-head", Reason: "is a party, or may be: same mailbox"}},
		}}},
		{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{Notice: "n1", Attempt: 2, Outcome: ledgerv1.Outcome_OUTCOME_TRANSIENT, Detail: "smtp_451", RetryMs: when + 60_000}}},
		{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{Notice: "n1", Attempt: 3, Outcome: ledgerv1.Outcome_OUTCOME_DELIVERED}}},
		{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{Notice: "n1", Attempt: 4, Outcome: ledgerv1.Outcome_OUTCOME_PERMANENT, Detail: "smtp_550"}}},
		{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{Notice: "n1", Attempt: 5, Outcome: ledgerv1.Outcome_OUTCOME_UNKNOWN}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 3, Kind: ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT, Code: "4.4.1"}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 3, Kind: ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT, Code: "5.1.1"}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 5, Kind: ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED, Code: "2.0.0"}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 5, Kind: ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY, MovesOn: true}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 6, Kind: ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY}}},
		{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{Notice: "n1", Attempt: 6, Kind: ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN}}},
		{Fact: &ledgerv1.Fact_Replayed{Replayed: &ledgerv1.Replayed{Agency: "northbridge-police", Event: "e1", Digest: "0123456789abcdef", By: "operator:j-marsh", Lineages: []string{"l1"}, Forced: true}}},
		{Fact: &ledgerv1.Fact_Replayed{Replayed: &ledgerv1.Replayed{Agency: "northbridge-police", FromMs: when, UntilMs: when + 3_600_000, Digest: "0123456789abcdef", By: "operator:j-marsh", Lineages: []string{"l1", "l2"}}}},
		{Fact: &ledgerv1.Fact_Decided{Decided: &ledgerv1.Decision{Lineage: "l1", Round: 2, Cause: ledgerv1.Cause_CAUSE_REPLAY, Notices: []*ledgerv1.Notice{{Id: "n3", Organisation: "gias:900101", DueMs: when, Repeats: "n1"}}, Ended: []*ledgerv1.Ended{{Obligation: "o2", Child: "k1", Notice: "n9"}}}}},
		{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: &ledgerv1.ToldByTelephone{
			Id: "call1", Lineage: "l1", Agency: "northbridge-police", Kind: "encompass.incident", Organisation: "gias:900101", ToldMs: when, By: "operator:j-marsh", Statement: 9,
		}}},
		{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: &ledgerv1.ToldByTelephone{Id: "call2", Lineage: "l1", Organisation: "gias:900101", Child: "k1", ToldMs: when, By: "operator:j-marsh"}}},
		{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{Notice: "n1", By: "operator:j-marsh", Means: "telephone", Call: "call1"}}},
		{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{Notice: "n1", Link: 1, Reason: "not acknowledged by its due time"}}},
		{Fact: &ledgerv1.Fact_Late{Late: &ledgerv1.Late{Notice: "n1"}}},
		{Fact: &ledgerv1.Fact_CodeSent{CodeSent: &ledgerv1.CodeSent{Notice: "n1", Contact: "ashmere/lantern-dsl"}}},
		{Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: "n1", Contact: "ashmere/lantern-dsl"}}},
		{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{Notice: "n1", By: "ashmere/lantern-dsl", Means: "page"}}},
		{Fact: &ledgerv1.Fact_Replied{Replied: &ledgerv1.Replied{Notice: "n1", By: "police/hub", Contact: "police/hub", Means: "page", Answer: ledgerv1.Answer_ANSWER_ACCEPTED}}},
		{Fact: &ledgerv1.Fact_Replied{Replied: &ledgerv1.Replied{Notice: "n1", By: "agency:trust", Means: "grpc", Answer: ledgerv1.Answer_ANSWER_DEPUTY}}},
		{Fact: &ledgerv1.Fact_Replied{Replied: &ledgerv1.Replied{Notice: "n1", By: "police/hub", Contact: "police/hub", Means: "page", Answer: ledgerv1.Answer_ANSWER_DECLINED, Reason: "no_capacity"}}},
		{Fact: &ledgerv1.Fact_NotAtSetting{NotAtSetting: &ledgerv1.NotAtSetting{Notice: "n1", By: "ashmere/lantern-dsl"}}},
		{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: &ledgerv1.Task{Id: "t1", Kind: ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, Organisation: "ashmere-council", Role: "duty", DueMs: when}}},
		{Fact: &ledgerv1.Fact_TaskRead{TaskRead: &ledgerv1.TaskRead{Task: "t1", By: "agency:ashmere-social-care", View: "task_finding"}}},
		{Fact: &ledgerv1.Fact_TaskClaimed{TaskClaimed: &ledgerv1.TaskClaimed{Task: "t1", By: "m.okoro"}}},
		{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: &ledgerv1.TaskResolved{Task: "t1", By: "m.okoro", Resolution: "matched", Child: "k7", Settings: []string{"gias:900101"}}}},
		{Fact: &ledgerv1.Fact_TaskEscalated{TaskEscalated: &ledgerv1.TaskEscalated{Task: "t1", Organisation: "ashmere-council", Role: "duty", DueMs: when}}},
		{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: &ledgerv1.EventWithdrawn{Event: "e1", Agency: "northbridge-police", By: "operator:m.okoro", Reason: "wrong_child", Statement: 2}}},
		{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: &ledgerv1.TaskResolved{Task: "t2", By: "m.okoro", Resolution: "safe_to_ask", Except: []string{"gias:900101"}}}},
		{Fact: &ledgerv1.Fact_Stopped{Stopped: &ledgerv1.Stopped{Scope: ledgerv1.Scope_SCOPE_ALL, By: "operator:m.okoro", Statement: 3}}},
		{Fact: &ledgerv1.Fact_HeldBack{HeldBack: &ledgerv1.HeldBack{Notice: "n1", Scope: ledgerv1.Scope_SCOPE_ALL}}},
		{Fact: &ledgerv1.Fact_Resumed{Resumed: &ledgerv1.Resumed{Scope: ledgerv1.Scope_SCOPE_CHANNEL, Target: "email", By: "operator:m.okoro", Statement: 4}}},
		{Fact: &ledgerv1.Fact_ClockConfirmed{ClockConfirmed: &ledgerv1.ClockConfirmed{Instance: "one", By: "operator:m.okoro", Statement: 5}}},
		{Fact: &ledgerv1.Fact_ManifestTaken{ManifestTaken: &ledgerv1.ManifestTaken{Source: source, Day: "2026-10-24", Part: 1, Parts: 2, Entries: 1000, DueMs: when, Overtaken: true}}},
		{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: &ledgerv1.ManifestCompared{Agency: "northbridge-police", Day: "2026-10-24", References: 12}}},
		{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: sampleComparison()}},
		{},
		{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
			Subscription: "sub-1", Agency: "ashmere-health", Organisation: "ashmere-health", Basis: "children_act_2004_s10",
			State: ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN, UntilMs: when, By: "operator:admin",
		}}},
		{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
			Subscription: "sub-1", Agency: "ashmere-health", Organisation: "ashmere-health", Basis: "children_act_2004_s10",
			State: ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_EXPIRED, UntilMs: when, Notices: []string{"n1", "n2"},
		}}},
		{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: &ledgerv1.WhereaboutsListed{
			Subscription: "sub-2", Agency: "ashmere-health", SinceMs: when - 1, AsOfMs: when, Listing: ledgerv1.Listing_LISTING_DUE, Basis: "children_missing_meeting",
		}}},
		{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: &ledgerv1.WhereaboutsListed{
			Subscription: "sub-2", Agency: "ashmere-health", SinceMs: when - 1, AsOfMs: when, Listing: ledgerv1.Listing_LISTING_SHOWN, Basis: "children_missing_meeting",
			Shown: []*ledgerv1.Listed{{Event: "e1", Child: "k7"}},
		}}},
		{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: &ledgerv1.SubscriptionChanged{
			Subscription: "sub-1", Agency: "ashmere-health", Organisation: "ashmere-health", Basis: "children_act_2004_s10",
			State: ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED, UntilMs: when, By: "operator:import", Notices: []string{"n1"},
		}}},
	}
	// Every kind of fact that the contract has is shown, so that a new one is not forgotten here.
	shown := map[string]bool{}
	for i, f := range facts {
		f.AtMs = when + int64(i)*1000
		m := f.ProtoReflect()
		if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("fact")); field != nil {
			shown[string(field.Name())] = true
		}
	}
	kinds := (&ledgerv1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("fact").Fields()
	for i := range kinds.Len() {
		if !shown[string(kinds.Get(i).Name())] {
			t.Errorf("the sample has no fact %s", kinds.Get(i).Name())
		}
	}
	var out bytes.Buffer
	if err := printTimeline(&out, facts); err != nil {
		t.Fatal(err)
	}
	golden(t, "timeline", out.String())
}

func TestTablesReadAtAGlance(t *testing.T) {
	task := sampleExplanation(t).response.GetDecision().GetTasks()[0]
	task.Lineage = "l1"
	exhausted := &ledgerv1.Task{Id: "t2", Kind: ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, Organisation: "ashmere-council", Role: "duty", DueMs: ms(t, "2026-07-01T09:00:00+01:00"), Notice: "n1"}
	for name, print := range map[string]func(*bytes.Buffer) error{
		"tasks": func(b *bytes.Buffer) error {
			return printTasks(b, []*taskv1.Item{
				{Task: task, State: "claimed", By: "m.okoro"},
				{Task: exhausted, State: "open", Overdue: true},
				{Task: exhausted, State: "resolved", By: "m.okoro", Resolution: "told_by_telephone", Overdue: true},
			})
		},
		"call": func(b *bytes.Buffer) error {
			return printCall(b, &taskv1.ShowResponse{
				Numbers: []*taskv1.Number{{Contact: "a", Name: "Priya Anand", Role: "dsl", Organisation: "gias:900101", OrganisationName: "Lantern Row School", Number: "01632 960101", Use: "out_of_hours", VerifiedOn: "2026-09-01"}},
				Script:  []string{"Ask for the person named.", "Leave no message."},
			})
		},
		"nonumber": func(b *bytes.Buffer) error {
			return printCall(b, &taskv1.ShowResponse{Script: []string{"Ask for the person named."}})
		},
		"misdirection": func(b *bytes.Buffer) error {
			astray := &ledgerv1.Task{
				Id: "t3", Kind: ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, Organisation: "northbridge-police", Role: "desk",
				DueMs: ms(t, "2026-07-04T09:00:00+01:00"), Detail: "an event was withdrawn (wrong child) that somebody may have been told of",
			}
			sent := ms(t, "2026-07-01T08:05:00+01:00")
			return printTask(b, &taskv1.ShowResponse{Item: &taskv1.Item{Task: astray, State: "open"}, Holders: []*taskv1.Holder{
				{Notice: "n1", Organisation: "gias:900101", OrganisationName: "Lantern Row School", Role: "dsl", Contact: "ashmere/lantern-dsl", Channel: "email", Form: "stub", SentMs: sent, Outcome: "delivered", Read: true, Request: "n9", RequestState: "awaiting acknowledgement"},
				{Notice: "n1", Organisation: "gias:900101", Role: "head", Contact: "ashmere/lantern-head", Channel: "email", Form: "stub", SentMs: sent, Outcome: "unknown"},
				{Notice: "n1", Organisation: "ashmere-council", Role: "duty", Contact: "ashmere/duty", Channel: "grpc", Form: "full", SentMs: sent, Outcome: "under way"},
				{Notice: "n1", Organisation: "gias:900101", Role: "setting", Channel: "telephone", SentMs: sent, Outcome: "delivered", Acknowledged: true},
			}})
		},
		"withdrawn": func(b *bytes.Buffer) error {
			if err := printWithdrawn(b, &intakev1.WithdrawResponse{}); err != nil {
				return err
			}
			return printWithdrawn(b, &intakev1.WithdrawResponse{Ended: 2, MayHaveArrived: 1, Task: "t3", CorrectionStands: true})
		},
		"meeting": func(b *bytes.Buffer) error {
			asked := ms(t, "2026-06-22T11:00:00+01:00")
			if err := printMeeting(b, &meetingv1.ShowResponse{}); err != nil {
				return err
			}
			return printMeeting(b, &meetingv1.ShowResponse{
				Lineage: "l1", MeetsMs: ms(t, "2026-06-22T14:30:00+01:00"), Missing: []string{"police"}, Tasks: []string{"t8"},
				Invited: []*meetingv1.Invited{
					{Organisation: "ashmere-council", Name: "Ashmere Council", Function: "local_authority", Represents: []string{"local_authority"}, State: "accepted", Comes: "P. Ravenscroft", AnsweredMs: asked + 600_000, Answers: 1, Asked: "duty", AskedMs: asked},
					{Organisation: "ashmere-health", Name: "Ashmere Community Health Trust", Function: "health", Represents: []string{"health"}, State: "deputy", Comes: "N. Okafor", AnsweredMs: asked + 900_000, Answers: 1, Asked: "duty", AskedMs: asked},
					{Organisation: "gias:900108", Name: "Mill and Meadow Primary School", Function: "school", State: "no_answer", Asked: "dsl", AskedMs: asked, NextMs: asked + 7_200_000},
					{Organisation: "harbour-trust", Function: "voluntary", State: "not_reached", Task: "t9"},
					{Organisation: "kestrel-police", Name: "Kestrel Police", Function: "police", State: "telephone", Asked: "desk", AskedMs: asked},
					{Organisation: "northbridge-police", Name: "Northbridge Police", Function: "police", Represents: []string{"police"}, State: "declined", Reason: "no_capacity", AnsweredMs: asked + 1_200_000, Answers: 2, Asked: "deputy", AskedMs: asked + 1_200_000, NextMs: asked + 7_200_000},
				},
			})
		},
		"notasks": func(b *bytes.Buffer) error { return printTasks(b, nil) },
		"feedback": func(b *bytes.Buffer) error {
			when := timestamppb.New(at(t, "2026-11-03T21:15:00Z"))
			return printFeedback(b, &intakev1.FeedbackResponse{Cursor: 3, Changes: []*intakev1.Change{
				{Change: &intakev1.Change_Status{Status: &intakev1.Status{Cursor: 1, EventId: "np-1018", ChildRef: "c1", State: intakev1.ChildState_CHILD_STATE_TOLD, At: when}}},
				{Change: &intakev1.Change_Completeness{Completeness: &intakev1.Completeness{Cursor: 1, EventId: "np-1018", At: when, Missing: []*intakev1.Missing{
					{Need: "encompass.pnd", Fields: []string{"checks.pnd"}, Message: "say whether it was checked"},
					{Need: "encompass.voice", ChildRef: "c1", Fields: []string{"narrative.disclosable", "children[0].voice"}, Message: "say what happened"},
				}}}},
				{Change: &intakev1.Change_Completeness{Completeness: &intakev1.Completeness{Cursor: 2, EventId: "np-1019", At: when}}},
				{Change: &intakev1.Change_Manifest{Manifest: &intakev1.ManifestStatus{Cursor: 2, Day: "2026-11-02", References: 14, At: when}}},
				{Change: &intakev1.Change_Manifest{Manifest: sampleManifest(when)}},
				{Change: &intakev1.Change_Rejected{Rejected: &intakev1.Rejected{Cursor: 3, Sequence: 9, At: when, Faults: []*intakev1.Fault{{Field: "time", Message: "is missing: give it"}}}}},
			}})
		},
		"completeness": func(b *bytes.Buffer) error {
			if err := printCompleteness(b, &ledgerv1.CompletenessResponse{}); err != nil {
				return err
			}
			return printCompleteness(b, &ledgerv1.CompletenessResponse{Counts: []*ledgerv1.CompletenessCount{
				{Agency: "northbridge-police", Kind: "encompass.incident", Events: 412, Thin: 97, Lacks: []*ledgerv1.LackCount{
					{Need: "encompass.circumstances", Fields: []string{"narrative.disclosable", "children.voice"}, Missing: 31, Given: 4},
					{Need: "local.gone", Missing: 2},
				}},
				{Agency: "ashmere-social-care", Kind: "referral.decided", Events: 12},
			}})
		},
		"quarantine": func(b *bytes.Buffer) error {
			printQuarantine(b, []*intakev1.Quarantined{{
				Sequence: 4, Agency: "northbridge-police", At: timestamppb.New(at(t, "2026-07-03T21:15:00Z")), Size: 812,
				Faults: []*intakev1.Fault{{Field: "children[1].date_of_birth", Message: "lies in the future: correct it"}},
			}})
			return nil
		},
		"import": func(b *bytes.Buffer) error {
			r := &directoryv1.ImportResult{
				Added: 2, Changed: 1, Removed: 1, Unchanged: 40, Readdressed: 1, Generation: 12, Changes: []string{"add setting gias:900101", "change contact a/b"},
				Faults: []*directoryv1.RowFault{{Line: 7, Column: "verified_on", Message: "is not a date: write YYYY-MM-DD"}, {Line: 9, Message: "the row has 3 columns"}},
			}
			printImport(b, r, false)
			printImport(b, r, true)
			return nil
		},
		"rows": func(b *bytes.Buffer) error {
			rows := []*directoryv1.Row{
				{Row: &directoryv1.Row_Area{Area: &directoryv1.Area{Gss: "E09000901", Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901"}}},
				{Row: &directoryv1.Row_Setting{Setting: &directoryv1.Setting{Id: "gias:900101", Name: "Lantern Row School", Kind: "school", Status: "open", Area: "E09000901", Successors: []*directoryv1.Link{{Setting: "gias:900102"}}, LowAge: 4}}},
				{Row: &directoryv1.Row_Contact{Contact: &directoryv1.Contact{Id: "a/b", Organisation: "gias:900101", Role: "deputy_dsl", Name: "M. Okoro", Channel: "email", Address: "m.okoro@lantern.example"}}},
				{Row: &directoryv1.Row_Agency{Agency: &directoryv1.Agency{Id: "northbridge-police", Organisation: "northbridge-police"}}},
			}
			if err := printRows(b, rows); err != nil {
				return err
			}
			printRow(b, rows[1])
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := print(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.String())
		})
	}
}

func TestFailingContactsReadAtAGlance(t *testing.T) {
	var out bytes.Buffer
	e := &env{Program: Program{Out: &out}}
	if err := printFailing(e, nil); err != nil {
		t.Fatal(err)
	}
	if err := printFailing(e, []*ledgerv1.FailingContact{
		{Contact: "contacts/beacon-row-dsl", Organisation: "gias:900101", Role: "dsl", Code: "5.1.1", SinceMs: ms(t, "2026-06-18T18:42:00Z"), LastMs: ms(t, "2026-11-19T18:42:00Z"), Bounces: 3, Notice: "n1"},
		{Contact: "contacts/mash", Organisation: "ashmere-council", Role: "duty", SinceMs: ms(t, "2026-06-19T18:42:00Z"), LastMs: ms(t, "2026-06-19T18:42:00Z"), Bounces: 1, Notice: "n2"},
	}); err != nil {
		t.Fatal(err)
	}
	golden(t, "failing", out.String())
}

func TestCallsSayWhatTheyComeTo(t *testing.T) {
	entry := func(child string) *ledgerv1.ToldByTelephone {
		return &ledgerv1.ToldByTelephone{Id: "call1", Organisation: "gias:900101", Child: child, ToldMs: ms(t, "2026-06-18T18:42:00Z")}
	}
	var out bytes.Buffer
	if err := printCalls(&out, []*telephonev1.Call{
		{Line: 2, Entry: entry(""), Ended: []string{"n1", "n2"}},
		{Line: 3, Entry: entry("k1"), WaitsFor: "its event: nothing with this reference has come from the agency"},
		{Line: 4, Entry: entry(""), Known: true, Ended: []string{"n3"}},
		{Line: 5, Entry: entry("")},
	}, true); err != nil {
		t.Fatal(err)
	}
	golden(t, "calls", out.String())
}

func TestAPlanSaysWhatBecomesOfEachNotice(t *testing.T) {
	plan := &replayv1.Plan{
		Digest: "0123456789abcdef",
		Lineages: []*replayv1.Lineage{
			{Lineage: "l1", Kind: "encompass.incident", Reference: "NP/26/1", AtMs: ms(t, "2026-06-16T18:42:00Z"), Changes: true, Items: []*replayv1.Item{
				{What: replayv1.What_WHAT_NEW, Id: "n3", Organisation: "gias:900101", Function: "setting", Child: "k1", Rule: "encompass.school", Reason: "the child goes to this school or college", DueMs: ms(t, "2026-06-17T07:30:00Z"), Lane: ledgerv1.Lane_LANE_HIGH},
				{What: replayv1.What_WHAT_REPEATED, Id: "n4", Organisation: "gias:900110", Function: "setting", Rule: "encompass.school", Reason: "says again what n1 said", DueMs: ms(t, "2026-06-17T07:30:00Z"), Lane: ledgerv1.Lane_LANE_ROUTINE},
				{What: replayv1.What_WHAT_KEPT, Id: "n2", Organisation: "ashmere-council", Function: "authority", Rule: "encompass.home_education", State: "awaiting acknowledgement", Reason: "it stands as it is"},
				{What: replayv1.What_WHAT_LEFT, Id: "n5", Organisation: "gias:900102", Function: "setting", Rule: "encompass.school", State: "acknowledged", Reason: "it has ended: only --force sends it again"},
				{What: replayv1.What_WHAT_SUPERSEDED, Id: "n6", Organisation: "gias:900103", Function: "setting", Rule: "encompass.school", State: "awaiting acknowledgement", Reason: "this recipient is no longer one to be told"},
				{What: replayv1.What_WHAT_TASK, Id: "t1", Organisation: "northbridge-police", Function: "desk", Reason: "several children fit", DueMs: ms(t, "2026-06-16T20:00:00Z")},
				{What: replayv1.What_WHAT_TASK_SETTLED, Id: "t2", Organisation: "ashmere-council", Function: "duty", State: "open", Reason: "nothing is left to do"},
				{What: replayv1.What_WHAT_BEFORE_TERM, Id: "l9", Organisation: "gias:900101", Rule: "encompass.school", Reason: "joins the notice before term opens on 2026-09-02"},
			}},
			{Lineage: "l2", Kind: "encompass.incident", Reference: "NP/26/2\x1b[31m", AtMs: ms(t, "2026-06-16T19:42:00Z")},
		},
		Skipped: []*replayv1.Skipped{{Lineage: "l3", Reason: "an event of it was erased: nobody can be told of it any more"}},
	}
	var out bytes.Buffer
	if err := printPlan(&out, plan, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan", out.String())
}

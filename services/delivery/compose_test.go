package delivery

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

func testPolicy(t *testing.T) *policy.Policy {
	t.Helper()
	text := strings.NewReplacer(
		"full_text_domains: []", "full_text_domains: [ashmere-primary.example]",
		"secure_subject_domains: []", "secure_subject_domains: [health.example]",
	).Replace(string(policy.Default()))
	p, err := policy.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func frozen(kind notice.EventKind, function, view, basis string, refs ...string) *ledgerv1.Notice {
	return &ledgerv1.Notice{
		Id: noticeID, Version: 1, Kind: string(kind), Function: function, View: view, Basis: basis, Refs: refs, Child: string(child),
		Organisation: "gias:900101", Because: "the child is registered at your school", DueBecause: "before the next school day",
		DueMs: 1_795_163_400_000, Acknowledge: true, Chain: []*ledgerv1.Link{{Organisation: "gias:900101", Roles: []string{"dsl", "deputy_dsl"}}},
	}
}

func TestASchoolIsToldOfItsOwnChildAndNothingElse(t *testing.T) {
	ev := sampleEvent(t, notice.EncompassIncident)
	ev.Children = append(ev.Children, &eventv1.Child{Ref: "c2", Name: &eventv1.Name{Given: "Wren", Family: "Hartley"}, DateOfBirth: "2015-01-02"})
	ev.People = []*eventv1.Person{{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Sol", Family: "Brannick"}}}
	ev.Narrative.Restricted = "A secret."
	got, fields, err := Compose(frozen(notice.EncompassIncident, "setting", "encompass_full", "domestic_abuse_act_2021_s49a", "c1"),
		[]*eventv1.Event{ev}, testPolicy(t), snapshot(t))
	if err != nil {
		t.Fatal(err)
	}
	do, doNot := advice(notice.EncompassIncident, "setting", false)
	want := &noticev1.Notice{
		Id: noticeID, Version: 1, Kind: string(notice.EncompassIncident), Organisation: "gias:900101", Role: "dsl",
		Because: "Sent on behalf of Kestrel Vale Police. The child is registered at your school. The time was set so: before the next school day.",
		Due:     &timestamppb.Timestamp{Seconds: 1_795_163_400}, Acknowledge: true, Do: do, DoNot: doNot,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(want, "basis", "events")); diff != "" {
		t.Errorf("notice (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got.GetBasis(), "Domestic Abuse Act 2021 section 49A") {
		t.Errorf("basis %q", got.GetBasis())
	}
	text := protojson.Format(got)
	for _, banned := range []string{"Wren", "2015", "Brannick", "secret", "Invented Row", "R3052", "kestrel-vale-police", "kv-1", "Ashmere school"} {
		if strings.Contains(text, banned) {
			t.Errorf("the notice holds %q", banned)
		}
	}
	for _, wanted := range []string{"Rowan", "KV/2026/004512", "her aunt's", "an argument between two adults"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the notice lacks %q", wanted)
		}
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "people") || strings.Contains(f, "address") || strings.Contains(f, "restricted") {
			t.Errorf("field %s was disclosed", f)
		}
	}
	if len(fields) == 0 {
		t.Error("no field is listed")
	}
}

func TestATextThatNamesSomebodyIsHeldBackAndItsAbsenceIsSaid(t *testing.T) {
	ev := sampleEvent(t, notice.EncompassIncident)
	ev.People = []*eventv1.Person{{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Sol", Family: "Brannick"}}}
	ev.Narrative.Disclosable = "Sol Brannick left before officers came."
	before := proto.CloneOf(ev)
	p, snap := testPolicy(t), snapshot(t)
	const said = "Part of the text is held back"

	got, fields, err := Compose(frozen(notice.EncompassIncident, "setting", "encompass_full", "domestic_abuse_act_2021_s49a", "c1"), []*eventv1.Event{ev}, p, snap)
	if err != nil {
		t.Fatal(err)
	}
	if text := protojson.Format(got); strings.Contains(text, "Brannick") || !strings.Contains(text, "her aunt's") || !strings.Contains(text, said) {
		t.Errorf("notice %s", text)
	}
	for _, f := range fields {
		if f == "narrative.disclosable" {
			t.Error("the text is listed as disclosed")
		}
	}
	// Who may not see the text is not told that there is one.
	got, _, err = Compose(frozen(notice.EncompassIncident, "setting", "encompass_minimal", "domestic_abuse_act_2021_s49a", "c1"), []*eventv1.Event{ev}, p, snap)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(protojson.Format(got), said) {
		t.Error("a recipient who may not see the text hears of it")
	}
	if diff := cmp.Diff(before, ev, protocmp.Transform()); diff != "" {
		t.Errorf("the event was changed (-before +after):\n%s", diff)
	}
}

func TestANoticeOfSeveralSourcesShowsEachThatConcernsTheChild(t *testing.T) {
	first, second, third := sampleEvent(t, notice.EncompassIncident), sampleEvent(t, notice.EncompassIncident), sampleEvent(t, notice.EncompassIncident)
	second.Children[0].Ref, second.Subject = "kid", "KV/2"
	third.Subject = "KV/3"
	got, _, err := Compose(frozen(notice.EncompassIncident, "setting", "encompass_full", "domestic_abuse_act_2021_s49a", "c1", "kid", ""),
		[]*eventv1.Event{first, second, third}, testPolicy(t), snapshot(t))
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, ev := range got.GetEvents() {
		subjects = append(subjects, ev.GetSubject())
		if len(ev.GetChildren()) != 1 {
			t.Errorf("%s shows %d children, want 1", ev.GetSubject(), len(ev.GetChildren()))
		}
	}
	if diff := cmp.Diff([]string{"KV/2026/004512", "KV/2"}, subjects); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAMemberOfThePublicHearsThatTheReferralWasDealtWithAndNoMore(t *testing.T) {
	n := frozen(notice.ReferralDecided, "referrer", "referral_acknowledgement", "referral_receipt", "c1")
	n.Organisation, n.Acknowledge, n.Because = string(EventOrganisation), false, "you made this referral"
	got, _, err := Compose(n, []*eventv1.Event{sampleEvent(t, notice.ReferralDecided)}, testPolicy(t), snapshot(t))
	if err != nil {
		t.Fatal(err)
	}
	m := sampleMessage(t, got, Full)
	mail, err := RenderMail(m, sampleNames)
	if err != nil {
		t.Fatal(err)
	}
	for _, banned := range []string{"Rowan", "Hartley", "section 17", "social worker", "high"} {
		if strings.Contains(mail.Text+mail.HTML, banned) {
			t.Errorf("the mail holds %q", banned)
		}
	}
	golden(t, "referral_decided_public", mail)
}

func TestWhatCannotBeComposedIsAFault(t *testing.T) {
	ev := sampleEvent(t, notice.EncompassIncident)
	good := func() *ledgerv1.Notice {
		return frozen(notice.EncompassIncident, "setting", "encompass_full", "domestic_abuse_act_2021_s49a", "c1")
	}
	for _, tc := range []struct {
		name   string
		change func(*ledgerv1.Notice)
		events []*eventv1.Event
		want   notice.Kind
	}{
		{name: "without events", want: notice.Internal},
		{name: "with more events than refs", events: []*eventv1.Event{ev, ev}, want: notice.Internal},
		{name: "where no event concerns the child", events: []*eventv1.Event{ev}, change: func(n *ledgerv1.Notice) { n.Refs[0] = "" }, want: notice.Internal},
		{name: "with a view that is gone", events: []*eventv1.Event{ev}, change: func(n *ledgerv1.Notice) { n.View = "x" }, want: notice.Precondition},
		{name: "with a basis that is gone", events: []*eventv1.Event{ev}, change: func(n *ledgerv1.Notice) { n.Basis = "x" }, want: notice.Precondition},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := good()
			if tc.change != nil {
				tc.change(n)
			}
			_, _, err := Compose(n, tc.events, testPolicy(t), snapshot(t))
			if err == nil || notice.KindOf(err) != tc.want {
				t.Errorf("error %v, want kind %v", err, tc.want)
			}
		})
	}
}

func TestAnEmailHoldsEverythingOnlyAtATrustedDomainAndInOnePersonsMailbox(t *testing.T) {
	p := testPolicy(t)
	for _, tc := range []struct {
		name string
		ep   Endpoint
		want Form
	}{
		{name: "trusted", ep: Endpoint{Channel: Email, Address: "dsl@Ashmere-Primary.example"}, want: Full},
		{name: "trusted but shared", ep: Endpoint{Channel: Email, Address: "office@ashmere-primary.example", Shared: true}, want: Stub},
		{name: "not trusted", ep: Endpoint{Channel: Email, Address: "dsl@elsewhere.example"}, want: Stub},
		{name: "below a trusted one", ep: Endpoint{Channel: Email, Address: "dsl@mail.ashmere-primary.example"}, want: Stub},
		{name: "with a trusted one for a name", ep: Endpoint{Channel: Email, Address: "ashmere-primary.example@thief.test"}, want: Stub},
		{name: "without a domain", ep: Endpoint{Channel: Email, Address: "dsl"}, want: Stub},
		{name: "a receiver", ep: Endpoint{Channel: GRPC, Address: "receiver.example:443"}, want: Full},
		{name: "a referrer's own address", ep: Endpoint{Channel: Email, Organisation: EventOrganisation, Address: "neighbour@post.example"}, want: Full},
	} {
		if got := FormOf(tc.ep, p); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestAnInvitationSaysThatItIsAnswered(t *testing.T) {
	n := frozen(notice.StrategyMeetingConvened, "police", "meeting_invitation", "children_act_1989_s47", "c1")
	for _, invites := range []bool{false, true} {
		if invites {
			n.Invitation = &ledgerv1.Invitation{MeetsMs: 1_795_170_600_000}
		}
		got, _, err := Compose(n, []*eventv1.Event{sampleEvent(t, notice.StrategyMeetingConvened)}, testPolicy(t), snapshot(t))
		if err != nil || got.GetInvitation() != invites {
			t.Errorf("invites %v: %v, %v", invites, got.GetInvitation(), err)
		}
	}
}

package disclosure_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

const recipient notice.OrgID = "ashmere-council"

// Each file shows what one view of the default policy discloses of each kind of event when every field is set, and one of
// two actions is the recipient's own.
func TestTheViewsOfTheDefaultPolicy(t *testing.T) {
	p, err := policy.Load(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range p.Views() {
		t.Run(id, func(t *testing.T) {
			v, _ := p.View(id)
			var b strings.Builder
			for _, kind := range notice.EventKinds() {
				ev := fill(t, kind).event
				for _, actions := range [][]*eventv1.Action{
					ev.GetStrategyMeetingConcluded().GetActions(), ev.GetConferenceConcluded().GetActions(),
				} {
					if len(actions) > 0 {
						actions[0].Owner.Id = string(recipient)
					}
				}
				fmt.Fprintln(&b, kind)
				_, paths := disclosure.Apply(ev, "c1", recipient, v)
				for _, path := range paths {
					fmt.Fprintln(&b, "  "+path)
				}
			}
			golden(t, id, b.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, diff)
	}
}

// For any event, view, child and recipient: what is disclosed is what the labels allow, of one child alone.
func TestNothingIsDisclosedThatTheViewDoesNotAllow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		labels := rapid.SliceOfDistinct(rapid.SampledFrom(disclosure.LabelNames()), rapid.ID).Draw(rt, "labels")
		v, err := disclosure.NewView("any", labels, rapid.Bool().Draw(rt, "own actions only"))
		if err != nil {
			rt.Fatal(err)
		}
		f := fill(rt, rapid.SampledFrom(notice.EventKinds()).Draw(rt, "kind"))
		f.event.People[1].Professional = rapid.Bool().Draw(rt, "the referrer is a professional")
		childRef := rapid.SampledFrom([]string{"c1", "c2", "c3", ""}).Draw(rt, "child")
		before := proto.CloneOf(f.event)

		out, paths := disclosure.Apply(f.event, childRef, recipient, v)

		if diff := cmp.Diff(before, f.event, protocmp.Transform()); diff != "" {
			rt.Fatalf("the event was changed:\n%s", diff)
		}
		shown := prototext.Format(out)
		for _, m := range f.markers {
			want := mayBeSeen(m, v, childRef, f.event.People[1].Professional)
			if got := strings.Contains(shown, m.text); got != want {
				rt.Errorf("%s, labelled %v: disclosed is %t, want %t", m.path, m.labels, got, want)
			}
		}
		if slices.ContainsFunc(paths, func(p string) bool { return strings.ContainsAny(p, "<[") }) {
			rt.Errorf("a path holds a value or an index: %q", paths)
		}
		if empty := proto.Size(out) == 0; empty != (len(paths) == 0) {
			rt.Errorf("%d paths for an event that is empty: %t", len(paths), empty)
		}
	})
}

// mayBeSeen says from a marker's place, without regard to how Apply goes about it, whether the recipient may see it.
func mayBeSeen(m marker, v disclosure.View, childRef string, professional bool) bool {
	for _, label := range m.labels {
		if m.referrer && label == eventv1.Label_LABEL_PARTY {
			label = eventv1.Label_LABEL_REFERRER
		}
		if !v.Allows(label) {
			return false
		}
	}
	switch {
	case m.child != "":
		return m.child == childRef
	case m.referrer:
		return professional && v.Allows(eventv1.Label_LABEL_REFERRER)
	case m.person:
		return v.Allows(eventv1.Label_LABEL_PARTY) && !v.Allows(eventv1.Label_LABEL_POSITION) // fill's is no suspect
	case m.action:
		return !v.OwnActionsOnly() // no action of fill's is the recipient's
	}
	return true
}

func TestApply(t *testing.T) {
	ev := &eventv1.Event{
		Id: "1", Subject: "CAD 7", Time: &timestamppb.Timestamp{Seconds: 1},
		Children: []*eventv1.Child{
			{Ref: "a", Name: &eventv1.Name{Given: "Tamsin", Family: "Alder"}},
			{Ref: "b", Name: &eventv1.Name{Given: "Joss", Family: "Alder"}},
			{Ref: "twice"}, {Ref: "twice", Name: &eventv1.Name{Given: "Wren"}},
		},
		People: []*eventv1.Person{
			{Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Family: "Rowan"}},
			{Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Family: "Hazel"}, Email: "h@example.test", Professional: true},
			{Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Family: "Neighbour"}},
		},
		Payload: &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{
			Actions: []*eventv1.Action{
				{Owner: &eventv1.OrganisationRef{Id: string(recipient)}, Text: "visit"},
				{Owner: &eventv1.OrganisationRef{Id: "kestrel-vale-police"}, Text: "interview"},
				{Text: "nobody's"},
			},
		}},
	}
	for _, tc := range []struct {
		name      string
		labels    []string
		own       bool
		child     string
		recipient notice.OrgID
		want      *eventv1.Event
		wantPaths []string
	}{
		{name: "a view without labels shows nothing", child: "a", want: &eventv1.Event{}},
		{
			name: "one child is kept, and no group that would be empty", labels: []string{"child_identity"}, child: "b",
			want:      &eventv1.Event{Children: []*eventv1.Child{{Name: &eventv1.Name{Given: "Joss", Family: "Alder"}}}},
			wantPaths: []string{"children.name.family", "children.name.given"},
		},
		{name: "a ref that nobody has shows no child", labels: []string{"child_identity"}, child: "z", want: &eventv1.Event{}},
		{name: "a ref that two children have shows neither", labels: []string{"child_identity"}, child: "twice", want: &eventv1.Event{}},
		{
			name: "a party is shown without those who referred", labels: []string{"party"}, child: "a",
			want: &eventv1.Event{People: []*eventv1.Person{
				{Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Family: "Rowan"}},
			}},
			wantPaths: []string{"people.name.family", "people.role"},
		},
		{
			name: "a professional referrer is shown, a member of the public never", labels: []string{"referrer"}, child: "a",
			want: &eventv1.Event{People: []*eventv1.Person{{
				Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Name: &eventv1.Name{Family: "Hazel"}, Email: "h@example.test", Professional: true,
			}}},
			wantPaths: []string{"people.email", "people.name.family", "people.professional", "people.role"},
		},
		{
			name: "of the actions the recipient's own are shown", labels: []string{"action"}, own: true, recipient: recipient,
			want: &eventv1.Event{Payload: &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: &eventv1.StrategyMeetingConcluded{
				Actions: []*eventv1.Action{{Text: "visit"}},
			}}},
			wantPaths: []string{"strategy_meeting_concluded.actions.text"},
		},
		{name: "a recipient without an id owns no action", labels: []string{"action"}, own: true, want: &eventv1.Event{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := disclosure.NewView("v", tc.labels, tc.own)
			if err != nil {
				t.Fatal(err)
			}
			got, paths := disclosure.Apply(ev, tc.child, tc.recipient, v)
			// Whether an owner's id is disclosed with an action hangs on its label, which TestTheViewsOfTheDefaultPolicy shows.
			if diff := cmp.Diff(tc.want, got, protocmp.Transform(), protocmp.IgnoreFields(&eventv1.Action{}, "owner")); diff != "" {
				t.Errorf("disclosed (-want +got):\n%s", diff)
			}
			paths = slices.DeleteFunc(paths, func(p string) bool { return strings.Contains(p, "actions.owner") })
			if diff := cmp.Diff(tc.wantPaths, paths); len(tc.wantPaths)+len(paths) > 0 && diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAViewWithPositionShowsOnlyThoseWhoWorkWithChildrenAndAreSuspected(t *testing.T) {
	named := func(ref, family string, role eventv1.PersonRole, works bool) *eventv1.Person {
		return &eventv1.Person{Ref: ref, Role: role, Name: &eventv1.Name{Family: family}, WorksWithChildren: works, Email: family + "@home.example"}
	}
	ev := &eventv1.Event{
		Children: []*eventv1.Child{{Ref: "c1", Name: &eventv1.Name{Family: "Child"}}},
		People: []*eventv1.Person{
			named("p1", "Teacher", eventv1.PersonRole_PERSON_ROLE_SUSPECT, true), named("p2", "Suspect", eventv1.PersonRole_PERSON_ROLE_SUSPECT, false),
			named("p3", "Nurse", eventv1.PersonRole_PERSON_ROLE_VICTIM, true), named("p4", "Referrer", eventv1.PersonRole_PERSON_ROLE_REFERRER, true),
		},
	}
	for _, tc := range []struct {
		labels []string
		want   []string
	}{
		{[]string{"party", "position"}, []string{"Teacher"}},
		{[]string{"party"}, []string{"Teacher", "Suspect", "Nurse"}},
		{[]string{"position"}, nil},
		{[]string{"reference", "child_identity", "incident", "narrative"}, nil},
	} {
		v, err := disclosure.NewView("v", tc.labels, false)
		if err != nil {
			t.Fatal(err)
		}
		out, paths := disclosure.Apply(ev, "*", recipient, v)
		var got []string
		for _, p := range out.GetPeople() {
			got = append(got, p.GetName().GetFamily())
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%v shows (-want +got):\n%s", tc.labels, diff)
		}
		if slices.Contains(paths, "people.works_with_children") != (len(tc.want) == 1) {
			t.Errorf("%v discloses %v", tc.labels, paths)
		}
	}
}

func TestTheCopyIsApart(t *testing.T) {
	v, err := disclosure.NewView("v", []string{"incident", "location"}, false)
	if err != nil {
		t.Fatal(err)
	}
	ev := &eventv1.Event{
		Time:     &timestamppb.Timestamp{Seconds: 1},
		Children: []*eventv1.Child{{Ref: "a", Address: &eventv1.Address{Lines: []string{"1 High Street"}}}},
	}
	before := proto.CloneOf(ev)
	out, _ := disclosure.Apply(ev, "a", recipient, v)
	out.Time.Seconds = 2
	out.Children[0].Address.Lines[0] = "changed"
	if diff := cmp.Diff(before, ev, protocmp.Transform()); diff != "" {
		t.Errorf("a change to the copy reached the event:\n%s", diff)
	}
}

func TestNewView(t *testing.T) {
	const valid = "the labels are reference, child_identity, child_identifier, location, incident, narrative, restricted, " +
		"party, referrer, decision, record, action, professional, risk, detail, position"
	for _, tc := range []struct {
		name    string
		labels  []string
		wantErr string
	}{
		{name: "labels of values make a view", labels: []string{"reference", "location", "restricted"}},
		{name: "no labels make a view that shows nothing"},
		{name: "a label that does not exist is refused", labels: []string{"names"}, wantErr: `a view cannot name "names": ` + valid},
		{
			name:    "the labels of structure are refused",
			labels:  []string{"technical", "group", "inherited", "unspecified"},
			wantErr: `a view cannot name "technical", "group", "inherited", "unspecified": ` + valid,
		},
		{name: "labels are lower case", labels: []string{"Party"}, wantErr: `a view cannot name "Party": ` + valid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := disclosure.NewView("v", tc.labels, false)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.wantErr, got); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			for n, name := range eventv1.Label_name {
				lower := strings.ToLower(strings.TrimPrefix(name, "LABEL_"))
				want := tc.wantErr == "" && slices.Contains(tc.labels, lower)
				if got := v.Allows(eventv1.Label(n)); got != want {
					t.Errorf("allows %s: %t, want %t", lower, got, want)
				}
			}
			for _, odd := range []eventv1.Label{-1, 63, 64, 1000} {
				if v.Allows(odd) {
					t.Errorf("allows label %d", odd)
				}
			}
		})
	}
}

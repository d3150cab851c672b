package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// lacks are what a policy finds left out of an event, as `need` or `need of ref`.
func lacks(p *policy.Policy, ev *eventv1.Event) []string {
	var all []string
	for _, lack := range p.Lacks(ev) {
		text := lack.GetNeed()
		if lack.GetRef() != "" {
			text += " of " + lack.GetRef()
		}
		all = append(all, text)
	}
	return all
}

// needing is the base policy with needs.
func needing(t *testing.T, needs ...string) *policy.Policy {
	t.Helper()
	return with(t, `version: "test"`, "version: \"test\"\ncompleteness:\n  needs:\n    - "+strings.Join(needs, "\n    - "))
}

func thin() *eventv1.Event {
	return &eventv1.Event{
		Type: string(notice.EncompassIncident), Time: timestamppb.New(time.Date(2026, 11, 19, 21, 0, 0, 0, time.UTC)),
		Children: []*eventv1.Child{
			{Ref: "c1", DateOfBirth: "2015-05-09", Voice: "I hid."}, {Ref: "c2", DateOfBirth: "2024-11-20", Address: &eventv1.Address{}},
		},
		Checks:  &eventv1.Checks{Pnc: eventv1.Check_CHECK_NOT_DONE},
		Payload: &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{}},
	}
}

func TestWhatAnEventLeavesOut(t *testing.T) {
	for name, tc := range map[string]struct {
		need   string
		change func(*eventv1.Event)
		want   []string
	}{
		"a check that was not stated":             {need: "{id: n, on: [encompass.incident], fields: [checks.pnd], remedy: r}", want: []string{"n"}},
		"a check that was stated as not done":     {need: "{id: n, on: [encompass.incident], fields: [checks.pnc], remedy: r}"},
		"of the child who lacks it":               {need: "{id: n, on: [encompass.incident], fields: [children.voice], remedy: r}", want: []string{"n of c2"}},
		"an address with nothing in it":           {need: "{id: n, on: [encompass.incident], fields: [children.address], remedy: r}", want: []string{"n of c1", "n of c2"}},
		"an empty list":                           {need: "{id: n, on: [encompass.incident], fields: [people], remedy: r}", want: []string{"n"}},
		"one of several is enough":                {need: "{id: n, on: [encompass.incident], fields: [checks.pnd, checks.pnc], remedy: r}"},
		"the event's own stands in for the child": {need: "{id: n, on: [encompass.incident], fields: [narrative.disclosable, children.voice], remedy: r}", change: func(ev *eventv1.Event) { ev.Narrative = &eventv1.Narrative{Disclosable: "Shouting."} }},
		"nothing but blanks":                      {need: "{id: n, on: [encompass.incident], fields: [narrative.disclosable], remedy: r}", change: func(ev *eventv1.Event) { ev.Narrative = &eventv1.Narrative{Disclosable: " \n"} }, want: []string{"n"}},
		"only where it is asked for":              {need: "{id: n, on: [encompass.incident], fields: [children.presence], when: age >= 2, remedy: r}", want: []string{"n of c1"}},
		"there, and not enough":                   {need: "{id: n, on: [encompass.incident], fields: [children.voice], enough: size(child.voice) > 20, remedy: r}", want: []string{"n of c1", "n of c2"}},
		"a condition that fails":                  {need: "{id: n, on: [encompass.incident], fields: [risk], enough: \"event.people[0].email != ''\", remedy: r}", want: []string{"n"}},
		"of another kind":                         {need: "{id: n, on: [enquiry.concluded], fields: [risk], remedy: r}"},
	} {
		t.Run(name, func(t *testing.T) {
			ev := thin()
			if tc.change != nil {
				tc.change(ev)
			}
			if diff := cmp.Diff(tc.want, lacks(needing(t, tc.need), ev)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPolicyThatAsksForNothingFindsNothingLeftOut(t *testing.T) {
	p := load(t, base)
	if found := lacks(p, thin()); found != nil {
		t.Errorf("%v", found)
	}
	if p.ManifestGrace() != 2*time.Hour || p.ManifestDue() != 12*time.Hour {
		t.Errorf("a manifest has %v, and is missed after %v", p.ManifestGrace(), p.ManifestDue())
	}
}

func TestTheDefaultPolicyAsksForWhatAnEncompassNoticeNeeds(t *testing.T) {
	p := load(t, string(policy.Default()))
	want := []string{
		"encompass.presence of c1", "encompass.presence of c2", "encompass.circumstances of c2", "encompass.pnd", "encompass.welfare",
		"encompass.risk", "encompass.place", "encompass.finding of c1", "encompass.finding of c2",
	}
	if diff := cmp.Diff(want, lacks(p, thin())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheDefaultPolicyAsksSomethingOfTheKindsOfACase(t *testing.T) {
	p := load(t, string(policy.Default()))
	files, err := filepath.Glob("examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ev := &eventv1.Event{}
		if err := protojson.Unmarshal(text, ev); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains([]string{"encompass", "referral", "strategy_meeting", "enquiry", "conference"}, notice.EventKind(ev.Type).Family()) {
			continue
		}
		bare := &eventv1.Event{Type: ev.Type, Time: ev.Time, Children: []*eventv1.Child{{Ref: "c1"}}}
		if len(p.Lacks(bare)) == 0 {
			t.Errorf("%s: nothing is asked of it", ev.Type)
		}
		seen[ev.Type] = true
	}
	for _, kind := range []notice.EventKind{
		notice.EncompassIncident, notice.ReferralReceived, notice.ReferralDecided, notice.StrategyMeetingConvened,
		notice.StrategyMeetingConcluded, notice.EnquiryConcluded, notice.ConferenceConcluded,
	} {
		if !seen[string(kind)] {
			t.Errorf("no example of %s", kind)
		}
	}
}

func TestTheExamplesOfPoliceAndOfCareLeaveNothingOutThatTheDefaultPolicyAsksFor(t *testing.T) {
	p := load(t, string(policy.Default()))
	files, err := filepath.Glob("examples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Glob("../demo/events/[34]?-*.json")
	if err != nil {
		t.Fatal(err)
	}
	of := map[notice.EventKind]bool{
		notice.VulnerablePersonNoticeRaised: false, notice.MissingReported: false, notice.MissingFound: false,
		notice.ReturnInterviewCompleted: false, notice.PoliceProtectionExercised: false, notice.PoliceProtectionEnded: false,
		notice.CustodyDetained: false, notice.CustodyReleased: false, notice.PlacementNotified: false, notice.ResponsibilityAccepted: false,
		notice.ProtectionPlanStarted: false, notice.ProtectionPlanEnded: false, notice.MedicalRequested: false,
		notice.MedicalConcluded: false, notice.EnrolmentChanged: false,
	}
	for _, file := range append(files, samples...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ev := &eventv1.Event{}
		if err := protojson.Unmarshal(text, ev); err != nil {
			t.Fatal(err)
		}
		kind := notice.EventKind(ev.Type)
		if _, ok := of[kind]; !ok {
			continue
		}
		of[kind] = true
		var want []string
		if filepath.Base(file) == "vulnerable-red.json" {
			want = []string{"vulnerable_person_notice.risk"} // the example of a notice that nobody graded
		}
		if diff := cmp.Diff(want, lacks(p, ev)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		bare := &eventv1.Event{Type: ev.Type, Time: ev.Time, Children: []*eventv1.Child{{Ref: "c1"}}}
		if len(p.Lacks(bare)) == 0 {
			t.Errorf("%s: nothing is asked of it", kind)
		}
	}
	for kind, seen := range of {
		if !seen {
			t.Errorf("no example of %s", kind)
		}
	}
}

package policy_test

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// `signalbox policy test` shows that the examples hold; that test is in services/cli. This one, that no rule can be
// changed unnoticed for want of an example.
func TestEveryRuleOfTheDefaultPolicyIsNamedByAnExample(t *testing.T) {
	p := load(t, string(policy.Default()))
	named := map[string]bool{}
	for _, x := range p.Examples() {
		for _, told := range x.GetTells() {
			rule, _, _ := strings.Cut(told, " ")
			named[rule] = true
		}
	}
	for _, kind := range notice.EventKinds() {
		for _, r := range p.Rules(kind) {
			if !named[r.GetId()] {
				t.Errorf("no example tells anybody by %s", r.GetId())
			}
		}
	}
	if !slices.ContainsFunc(p.Examples(), func(x *policyv1.Example) bool { return len(x.GetTells()) == 0 }) {
		t.Error("no example shows that nobody is told")
	}
}

func TestEveryEventBesideTheDefaultPolicyIsOfOneExample(t *testing.T) {
	files, err := filepath.Glob("examples/*")
	if err != nil {
		t.Fatal(err)
	}
	var inUse []string
	for _, x := range load(t, string(policy.Default())).Examples() {
		inUse = append(inUse, path.Clean(x.GetEvent()))
	}
	slices.Sort(inUse)
	for i, f := range files {
		files[i] = filepath.ToSlash(f)
	}
	if diff := cmp.Diff(files, inUse); diff != "" {
		t.Errorf("files beside the policy (-there +in use):\n%s", diff)
	}
}

// Whatever can be about a child who is not born: a kind that is added has to be added there too.
func TestTheDefaultPolicyTellsMidwiferyAndTheHubOfEveryKindThatCanBeAboutAnUnbornChild(t *testing.T) {
	p := load(t, string(policy.Default()))
	for _, kind := range slices.DeleteFunc(notice.EventKinds(), func(k notice.EventKind) bool { return !k.Unborn() }) {
		functions := map[string]bool{}
		for _, r := range p.Rules(kind) {
			ok, err := r.Applies(policy.Input{Event: &eventv1.Event{Type: string(kind)}, Child: &eventv1.Child{Unborn: &eventv1.Unborn{}}})
			if err == nil && ok {
				functions[r.GetFunction()] = true
			}
		}
		if !functions["midwifery"] || !functions["hub"] {
			t.Errorf("%s of an unborn child tells %v, want midwifery and the hub", kind, functions)
		}
	}
}

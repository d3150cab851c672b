package policy_test

import (
	"os"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
)

// The guide names every label, every key of the document and of a rule, and every word that a key of theirs may have.
func TestTheGuideIsComplete(t *testing.T) {
	guide, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	words := disclosure.LabelNames()
	for _, m := range []proto.Message{&policyv1.Policy{}, &policyv1.Rule{}, &policyv1.Clock{}, &policyv1.Step{}, &policyv1.List{}} {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			words = append(words, fields.Get(i).TextName())
			words = append(words, allowed(fields.Get(i))...)
		}
	}
	if len(words) < 60 {
		t.Errorf("only %d words to look for: this test looks in the wrong place", len(words))
	}
	for _, word := range words {
		if !strings.Contains(string(guide), word) {
			t.Errorf("docs/policy.md does not mention %s", word)
		}
	}
}

func allowed(fd protoreflect.FieldDescriptor) []string {
	rules, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	return rules.GetString().GetIn()
}

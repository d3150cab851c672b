package intake

import (
	"slices"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The contract grows by kinds of event. These tests say what this package must then learn.

func TestEveryPatternOfTheContractHasWordsForPeople(t *testing.T) {
	patterns := 0
	eachField((&eventv1.Event{}).ProtoReflect().Descriptor(), map[protoreflect.FullName]bool{}, func(fd protoreflect.FieldDescriptor) {
		rules, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
		if rules.GetString().HasPattern() {
			patterns++
			if hints[fd.FullName()] == "" {
				t.Errorf("%s has a pattern and no hint that says what to write", fd.FullName())
			}
		}
	})
	if patterns == 0 {
		t.Error("the contract has no pattern: this test looks in the wrong place")
	}
}

func TestEveryPayloadOfTheContractHasItsKind(t *testing.T) {
	ev := (&eventv1.Event{}).ProtoReflect()
	fields := ev.Descriptor().Oneofs().ByName("payload").Fields()
	var kinds []notice.EventKind
	for i := range fields.Len() {
		m := ev.New()
		m.Set(fields.Get(i), m.NewField(fields.Get(i)))
		kind := kindOf(m.Interface().(*eventv1.Event))
		if kind == "" || slices.Contains(kinds, kind) {
			t.Errorf("%s: kind %q", fields.Get(i).Name(), kind)
		}
		kinds = append(kinds, kind)
	}
	for _, kind := range notice.PublishedKinds() {
		if !slices.Contains(kinds, kind) {
			t.Errorf("%s has no payload", kind)
		}
	}
}

func TestTheFormWalkKnowsEveryTypeOfTheContract(t *testing.T) {
	known := []protoreflect.Kind{
		protoreflect.MessageKind, protoreflect.StringKind, protoreflect.BoolKind, protoreflect.EnumKind, protoreflect.Uint32Kind,
	}
	eachField((&eventv1.Event{}).ProtoReflect().Descriptor(), map[protoreflect.FullName]bool{timestampName: true}, func(fd protoreflect.FieldDescriptor) {
		if fd.IsMap() || !slices.Contains(known, fd.Kind()) {
			t.Errorf("%s is of a type that single does not check", fd.FullName())
		}
	})
}

func TestEachAttributeIsAFieldOfTheEvent(t *testing.T) {
	fields := (&eventv1.Event{}).ProtoReflect().Descriptor().Fields()
	for _, a := range attributes() {
		if fields.ByTextName(a.name) == nil {
			t.Errorf("%s is no field of an event", a.name)
		}
	}
	if free := freeTexts((&eventv1.Event{}).ProtoReflect().Descriptor()); !free["signalbox.event.v1.Narrative.disclosable"] ||
		free["signalbox.event.v1.Event.subject"] {
		t.Errorf("free texts: %v", free)
	}
}

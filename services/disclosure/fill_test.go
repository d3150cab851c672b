package disclosure_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// marker is a string put into one field of an event, with what its place says about it.
type marker struct {
	text     string
	path     string          // with indices
	labels   []eventv1.Label // of the field and of the labelled messages around it
	child    string          // ref of the child it belongs to
	referrer bool            // belongs to a person who referred
	person   bool
	action   bool
}

// filled is an event in which every field is set, and its markers.
type filled struct {
	event   *eventv1.Event
	markers []marker
}

// fill sets every field of an event of a kind: two of each list, each string a marker of its own. The first person is a
// party, the second a professional who referred.
func fill(t interface{ Fatalf(string, ...any) }, kind notice.EventKind) *filled {
	f := &filled{event: &eventv1.Event{
		Children: []*eventv1.Child{{Ref: "c1"}, {Ref: "c2"}},
		People: []*eventv1.Person{
			{Role: eventv1.PersonRole_PERSON_ROLE_VICTIM},
			{Role: eventv1.PersonRole_PERSON_ROLE_REFERRER},
		},
	}}
	payload := f.event.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(strings.ReplaceAll(string(kind), ".", "_")))
	if payload == nil {
		t.Fatalf("an event has no payload for %s", kind)
	}
	f.message(f.event.ProtoReflect(), payload, marker{})
	return f
}

func (f *filled) message(m protoreflect.Message, payload protoreflect.FieldDescriptor, in marker) {
	switch x := m.Interface().(type) {
	case *eventv1.Child:
		in.child = x.GetRef()
	case *eventv1.Person:
		in.person, in.referrer = true, x.GetRole() == eventv1.PersonRole_PERSON_ROLE_REFERRER
	case *eventv1.Action:
		in.action = true
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.ContainingOneof() != nil && fd != payload {
			continue
		}
		at := in
		at.path = strings.TrimPrefix(in.path+"."+string(fd.Name()), ".")
		if label := labelOf(fd); label != eventv1.Label_LABEL_GROUP && label != eventv1.Label_LABEL_INHERITED {
			at.labels = append(append([]eventv1.Label(nil), in.labels...), label)
		}
		switch {
		case fd.IsList() && fd.Message() != nil:
			list := m.Mutable(fd).List()
			for list.Len() < 2 {
				list.AppendMutable()
			}
			for j := range 2 {
				inner := at
				inner.path = fmt.Sprintf("%s[%d]", at.path, j)
				f.message(list.Get(j).Message(), nil, inner)
			}
		case fd.IsList():
			m.Mutable(fd).List().Append(f.scalar(fd, at))
		case fd.Message() != nil:
			f.message(m.Mutable(fd).Message(), nil, at)
		case m.Has(fd): // a ref or role set above
		default:
			m.Set(fd, f.scalar(fd, at))
		}
	}
}

func (f *filled) scalar(fd protoreflect.FieldDescriptor, at marker) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.StringKind:
		at.text = fmt.Sprintf("<%d>", len(f.markers))
		f.markers = append(f.markers, at)
		return protoreflect.ValueOfString(at.text)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(fd.Enum().Values().Get(1).Number())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(7)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(7)
	default:
		panic(fmt.Sprintf("%s is of kind %s: say how to fill it", fd.FullName(), fd.Kind()))
	}
}

func labelOf(fd protoreflect.FieldDescriptor) eventv1.Label {
	return proto.GetExtension(fd.Options(), eventv1.E_Label).(eventv1.Label)
}

func TestEveryFieldOfAnEventHasALabel(t *testing.T) {
	seen := make(map[protoreflect.FullName]bool)
	var visit func(m protoreflect.MessageDescriptor)
	visit = func(m protoreflect.MessageDescriptor) {
		if seen[m.FullName()] || m.ParentFile().Package() == "google.protobuf" {
			return
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			fd := m.Fields().Get(i)
			label := labelOf(fd)
			switch {
			case label == eventv1.Label_LABEL_UNSPECIFIED:
				t.Errorf("%s has no label: say how sensitive it is, or nobody will ever see it", fd.FullName())
			case label == eventv1.Label_LABEL_GROUP && fd.Message() == nil:
				t.Errorf("%s is labelled a group and holds no message: give it the label of its value", fd.FullName())
			}
			if fd.Message() != nil {
				visit(fd.Message())
			}
		}
	}
	visit((&eventv1.Event{}).ProtoReflect().Descriptor())
	if len(seen) < 10 {
		t.Errorf("only %d messages were visited: this test looks in the wrong place", len(seen))
	}
}

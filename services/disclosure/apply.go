package disclosure

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Apply returns a copy of the event that holds what the recipient may see about one child, and the paths of the fields
// disclosed, sorted and without indices ("children.name.family"); never a value. The kind of the event and all ids are
// technical and not in the copy.
//
// A childRef that no child or more than one has discloses no child.
func Apply(ev *eventv1.Event, childRef string, recipient notice.OrgID, v View) (*eventv1.Event, []string) {
	f := filter{view: v, recipient: recipient, paths: make(map[string]struct{})}
	f.child = onlyChild(ev, childRef)
	out := new(eventv1.Event)
	f.copy(ev.ProtoReflect(), out.ProtoReflect(), scope{})
	return out, slices.Sorted(maps.Keys(f.paths))
}

// onlyChild is the one child of the event with the ref, nil where that is not one child.
func onlyChild(ev *eventv1.Event, ref string) *eventv1.Child {
	var found *eventv1.Child
	for _, c := range ev.GetChildren() {
		if ref == "" || c.GetRef() != ref {
			continue
		}
		if found != nil {
			return nil
		}
		found = c
	}
	return found
}

type filter struct {
	view      View
	child     *eventv1.Child
	recipient notice.OrgID
	paths     map[string]struct{}
}

// scope is what a message knows of the field that holds it.
type scope struct {
	path     string        // of the field, with a trailing dot
	label    eventv1.Label // what its fields inherit; no view allows what they inherit from a group
	referrer bool          // within a person who referred
}

// copy puts into dst what the view allows of src and says whether that was anything.
func (f filter) copy(src, dst protoreflect.Message, s scope) bool {
	some := false
	src.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		label := effectiveLabel(fd, s)
		inner := scope{path: s.path + string(fd.Name()), label: label, referrer: s.referrer}
		var copied bool
		switch {
		case fd.IsMap():
			// No event has one; a later one that does discloses nothing until this says how.
		case isLeaf(fd):
			if copied = f.view.Allows(label); copied {
				setLeaf(dst, fd, value)
				f.paths[inner.path] = struct{}{}
			}
		case label == eventv1.Label_LABEL_GROUP || f.view.Allows(label):
			copied = f.enter(fd, value, dst, inner)
		}
		some = some || copied
		return true
	})
	return some
}

// enter copies a message field, single or repeated. What would be empty is left out.
func (f filter) enter(fd protoreflect.FieldDescriptor, value protoreflect.Value, dst protoreflect.Message, s scope) bool {
	s.path += "."
	if !fd.IsList() {
		inner, ok := f.entered(value.Message(), dst.NewField(fd).Message(), s)
		if ok {
			dst.Set(fd, protoreflect.ValueOfMessage(inner))
		}
		return ok
	}
	from, to := value.List(), dst.NewField(fd).List()
	for i := range from.Len() {
		if inner, ok := f.entered(from.Get(i).Message(), to.NewElement().Message(), s); ok {
			to.Append(protoreflect.ValueOfMessage(inner))
		}
	}
	if to.Len() > 0 {
		dst.Set(fd, protoreflect.ValueOfList(to))
	}
	return to.Len() > 0
}

func (f filter) entered(src, dst protoreflect.Message, s scope) (protoreflect.Message, bool) {
	switch m := src.Interface().(type) {
	case *eventv1.Child:
		if f.child == nil || m != f.child {
			return nil, false
		}
	case *eventv1.Person:
		if s.referrer = m.GetRole() == eventv1.PersonRole_PERSON_ROLE_REFERRER; !f.maySee(m) {
			return nil, false
		}
	case *eventv1.Action:
		own := f.recipient != "" && m.GetOwner().GetId() == string(f.recipient)
		if f.view.ownActionsOnly && !own {
			return nil, false
		}
	}
	return dst, f.copy(src, dst, s)
}

// maySee holds a person's every field back, the address among them, unless the view includes people of that role.
func (f filter) maySee(p *eventv1.Person) bool {
	if p.GetRole() != eventv1.PersonRole_PERSON_ROLE_REFERRER {
		return f.view.Allows(eventv1.Label_LABEL_PARTY)
	}
	return p.GetProfessional() && f.view.Allows(eventv1.Label_LABEL_REFERRER)
}

// effectiveLabel is the label that counts for a field: its own, or that of the field around it where it inherits.
func effectiveLabel(fd protoreflect.FieldDescriptor, s scope) eventv1.Label {
	label, _ := proto.GetExtension(fd.Options(), eventv1.E_Label).(eventv1.Label)
	switch {
	case label == eventv1.Label_LABEL_INHERITED:
		return s.label
	case label == eventv1.Label_LABEL_PARTY && s.referrer:
		return eventv1.Label_LABEL_REFERRER
	default:
		return label
	}
}

// isLeaf says whether a field is disclosed whole: a scalar, or a message of protobuf's own such as a time, whose fields
// carry no labels.
func isLeaf(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() == nil || fd.Message().ParentFile().Package() == "google.protobuf"
}

// setLeaf copies a leaf, so that a change to the copy never reaches the event.
func setLeaf(dst protoreflect.Message, fd protoreflect.FieldDescriptor, value protoreflect.Value) {
	if !fd.IsList() {
		dst.Set(fd, clonedValue(fd, value))
		return
	}
	to := dst.Mutable(fd).List()
	for i := range value.List().Len() {
		to.Append(clonedValue(fd, value.List().Get(i)))
	}
}

func clonedValue(fd protoreflect.FieldDescriptor, value protoreflect.Value) protoreflect.Value {
	if fd.Message() == nil {
		return value // strings, numbers and enums do not change; an event holds no bytes
	}
	return protoreflect.ValueOfMessage(proto.Clone(value.Message().Interface()).ProtoReflect())
}

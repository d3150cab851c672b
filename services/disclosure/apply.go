package disclosure

import (
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
	out := new(eventv1.Event)
	if v.plan == nil {
		return out, nil
	}
	f := filter{view: v, recipient: recipient, child: onlyChild(ev, childRef), disclosed: make([]bool, len(v.plan.paths))}
	f.copy(ev.ProtoReflect(), out.ProtoReflect(), v.plan.root)
	var paths []string
	for i, yes := range f.disclosed {
		if yes {
			paths = append(paths, v.plan.paths[i])
		}
	}
	return out, paths
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
	disclosed []bool // by the place of a path in the plan
}

// copy puts into dst what the shape has of src and says whether that was anything.
func (f filter) copy(src, dst protoreflect.Message, s *shape) bool {
	some := false
	src.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		field := s.fields[fd.Index()]
		switch {
		case field == nil || field.descriptor != fd:
		case field.message == nil:
			setLeaf(dst, fd, value)
			f.disclosed[field.path], some = true, true
		case f.enter(field, value, dst):
			some = true
		}
		return true
	})
	return some
}

// enter copies a message field, single or repeated. What would be empty is left out.
func (f filter) enter(field *field, value protoreflect.Value, dst protoreflect.Message) bool {
	fd := field.descriptor
	if !fd.IsList() {
		inner, ok := f.entered(field, value.Message())
		if ok {
			dst.Set(fd, protoreflect.ValueOfMessage(inner))
		}
		return ok
	}
	from := value.List()
	var to protoreflect.List
	for i := range from.Len() {
		if inner, ok := f.entered(field, from.Get(i).Message()); ok {
			if to == nil {
				to = dst.Mutable(fd).List()
			}
			to.Append(protoreflect.ValueOfMessage(inner))
		}
	}
	return to != nil
}

// entered copies one message, false where nothing of it is shown.
func (f filter) entered(field *field, src protoreflect.Message) (protoreflect.Message, bool) {
	s := field.message
	switch s.rule {
	case oneChild:
		if f.child == nil || src.Interface() != f.child {
			return nil, false
		}
	case people:
		person, ok := src.Interface().(*eventv1.Person)
		if !ok || !f.maySee(person) {
			return nil, false
		}
		if person.GetRole() == eventv1.PersonRole_PERSON_ROLE_REFERRER {
			s = field.referrer
		}
	case actions:
		action, ok := src.Interface().(*eventv1.Action)
		own := f.recipient != "" && action.GetOwner().GetId() == string(f.recipient)
		if !ok || f.view.ownActionsOnly && !own {
			return nil, false
		}
	case labelsAlone:
	}
	dst := src.Type().New()
	return dst, f.copy(src, dst, s)
}

// InPosition says whether somebody works with children and is alleged to have caused harm: what is told of them goes apart.
func InPosition(p *eventv1.Person) bool {
	return p.GetWorksWithChildren() && p.GetRole() == eventv1.PersonRole_PERSON_ROLE_SUSPECT
}

// maySee holds a person's every field back, the address among them, unless the view includes people of that role.
func (f filter) maySee(p *eventv1.Person) bool {
	if p.GetRole() != eventv1.PersonRole_PERSON_ROLE_REFERRER {
		return f.view.Allows(eventv1.Label_LABEL_PARTY) && (InPosition(p) || !f.view.Allows(eventv1.Label_LABEL_POSITION))
	}
	return p.GetProfessional() && f.view.Allows(eventv1.Label_LABEL_REFERRER)
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

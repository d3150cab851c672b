package disclosure

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// plan is what a view shows of an event, worked out from the labels once, when the view is made. It does not change.
type plan struct {
	root  *shape
	paths []string // of every field that may be disclosed, sorted
}

// shape is what a view shows of a message at one place of an event.
type shape struct {
	rule   rule     // what besides the labels decides whether the message is shown
	fields []*field // by the field's index in its message; nil is disclosed to nobody
}

// rule is what decides about a message besides the labels of its fields.
type rule int

const (
	labelsAlone rule = iota
	oneChild
	people
	actions
)

// field is a field that may be disclosed: a leaf whole, a message by its shape.
type field struct {
	descriptor protoreflect.FieldDescriptor
	path       int    // of a leaf: its place among the plan's paths
	message    *shape // nil for a leaf
	referrer   *shape // of a person who referred
}

// place is what a message knows of the field that holds it.
type place struct {
	path     string        // of the field, with a trailing dot
	label    eventv1.Label // what its fields inherit; no view allows what they inherit from a group
	referrer bool          // within a person who referred
	within   []protoreflect.FullName
}

func newPlan(v View) *plan {
	p := planner{view: v, paths: make(map[string][]*field)}
	root := p.shape((*eventv1.Event)(nil).ProtoReflect().Descriptor(), place{})
	sorted := slices.Sorted(maps.Keys(p.paths))
	for i, path := range sorted {
		for _, f := range p.paths[path] {
			f.path = i
		}
	}
	return &plan{root: root, paths: sorted}
}

type planner struct {
	view  View
	paths map[string][]*field // a person's fields have two places, as a party and as a referrer, and one path
}

func (p planner) shape(md protoreflect.MessageDescriptor, at place) *shape {
	s := &shape{rule: ruleOf(md), fields: make([]*field, md.Fields().Len())}
	if slices.Contains(at.within, md.FullName()) {
		return s // no event holds a message within itself; a later one that does discloses nothing until this says how
	}
	at.within = append(slices.Clone(at.within), md.FullName())
	for i := range s.fields {
		s.fields[i] = p.field(md.Fields().Get(i), at)
	}
	return s
}

// field is nil where the view shows nothing of it.
func (p planner) field(fd protoreflect.FieldDescriptor, at place) *field {
	label := effectiveLabel(fd, at)
	f := &field{descriptor: fd}
	inner := place{path: at.path + string(fd.Name()), label: label, referrer: at.referrer, within: at.within}
	switch {
	case fd.IsMap():
		return nil // no event has one; a later one that does discloses nothing until this says how
	case isLeaf(fd):
		if !p.view.Allows(label) {
			return nil
		}
		p.paths[inner.path] = append(p.paths[inner.path], f)
		return f
	case label != eventv1.Label_LABEL_GROUP && !p.view.Allows(label):
		return nil
	}
	inner.path += "."
	if ruleOf(fd.Message()) == people {
		inner.referrer = true
		f.referrer = p.shape(fd.Message(), inner)
		inner.referrer = false
	}
	f.message = p.shape(fd.Message(), inner)
	return f
}

func ruleOf(md protoreflect.MessageDescriptor) rule {
	switch md.FullName() {
	case (*eventv1.Child)(nil).ProtoReflect().Descriptor().FullName():
		return oneChild
	case (*eventv1.Person)(nil).ProtoReflect().Descriptor().FullName():
		return people
	case (*eventv1.Action)(nil).ProtoReflect().Descriptor().FullName():
		return actions
	default:
		return labelsAlone
	}
}

// effectiveLabel is the label that counts for a field: its own, or that of the field around it where it inherits.
func effectiveLabel(fd protoreflect.FieldDescriptor, at place) eventv1.Label {
	label, _ := proto.GetExtension(fd.Options(), eventv1.E_Label).(eventv1.Label)
	switch {
	case label == eventv1.Label_LABEL_INHERITED:
		return at.label
	case label == eventv1.Label_LABEL_PARTY && at.referrer:
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

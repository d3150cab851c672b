package intake

import (
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// place is where in an event a walk stands. It is turned into text for a fault only.
type place struct {
	holder *place
	name   string
	index  int // -1 where the field is no list
}

// entry is a field of one entry of a list.
func entry(list string, index int, field string) *place {
	return (&place{name: list, index: index}).named(field)
}

func (p *place) field(fd protoreflect.FieldDescriptor) *place { return p.named(string(fd.Name())) }

func (p *place) named(name string) *place { return &place{holder: p, name: name, index: -1} }

// String gives the path, such as children[1].date_of_birth.
func (p *place) String() string {
	if p == nil {
		return fieldEvent
	}
	text := p.name
	if p.index >= 0 {
		text += "[" + strconv.Itoa(p.index) + "]"
	}
	if p.holder == nil {
		return text
	}
	return p.holder.String() + "." + text
}

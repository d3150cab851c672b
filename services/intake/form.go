package intake

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

const timestampName protoreflect.FullName = "google.protobuf.Timestamp"

// jsonForm reads an event from its JSON form. The form is walked first, because the library stops at the first fault and
// names neither its path nor a remedy; what is at fault is taken out, so that the rest can be read.
func (r *reading) jsonForm(v value) *eventv1.Event {
	o, ok := v.(object)
	if !ok {
		r.fail(fieldData, "is not a JSON object: send the Event message as an object")
		return nil
	}
	ev := &eventv1.Event{}
	clean := r.message(ev.ProtoReflect().Descriptor(), o, nil)
	if err := protojson.Unmarshal(appendJSON(nil, clean), ev); err != nil {
		r.fail(fieldData, "cannot be read as the JSON form of an Event: hold it against the published .proto files")
		return nil
	}
	return ev
}

// message gives what of o fits desc.
func (r *reading) message(desc protoreflect.MessageDescriptor, o object, at *place) object {
	clean := object{}
	seen := map[protoreflect.FieldNumber]bool{}
	chosen := map[protoreflect.FullName]bool{} // of each oneof
	for _, m := range o {
		field := desc.Fields().ByJSONName(m.name)
		if field == nil {
			field = desc.Fields().ByTextName(m.name)
		}
		if field == nil {
			r.unknown(m.name, at)
			continue
		}
		here := at.field(field)
		if seen[field.Number()] {
			r.faults.add(here.String(), "is there more than once: give it once")
			continue
		}
		seen[field.Number()] = true
		if m.value == nil {
			continue // null is absent
		}
		if one := field.ContainingOneof(); one != nil {
			if chosen[one.FullName()] {
				// Which of the two was meant is unknown, and with it which rules hold.
				r.fail(here.String(), "is a second %s: send one in each event", one.Name())
				continue
			}
			chosen[one.FullName()] = true
		}
		if v, ok := r.field(field, m.value, here); ok {
			clean = append(clean, member{string(field.Name()), v})
		}
	}
	return clean
}

// unknown names the field only where its name looks like one: a key may hold anything.
func (r *reading) unknown(name string, at *place) {
	if fieldName.MatchString(name) {
		r.faults.add(at.named(name).String(), "is not a field of the contract: correct its spelling or leave it out")
		return
	}
	r.faults.add(at.String(), "has a key that cannot be the name of a field: leave it out")
}

var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

func (r *reading) field(fd protoreflect.FieldDescriptor, v value, at *place) (value, bool) {
	if !fd.IsList() {
		return r.single(fd, v, at)
	}
	items, ok := v.(list)
	if !ok {
		r.faults.add(at.String(), "is not a list: put it in square brackets")
		return nil, false
	}
	clean := list{}
	for i, item := range items {
		item, ok := r.single(fd, item, &place{holder: at.holder, name: at.name, index: i})
		if !ok && fd.Message() != nil {
			item, ok = object{}, true // keeps the places of those behind it
		}
		if ok {
			clean = append(clean, item)
		}
	}
	return clean, true
}

// single checks one value, and gives it as it is to be read.
func (r *reading) single(fd protoreflect.FieldDescriptor, v value, at *place) (value, bool) {
	fail := func(format string, args ...any) (value, bool) {
		r.faults.add(at.String(), format, args...)
		return nil, false
	}
	switch fd.Kind() {
	case protoreflect.MessageKind:
		if fd.Message().FullName() == timestampName {
			s, ok := v.(string)
			if !ok {
				return fail("is not text: %s", timeRemedy)
			}
			if _, problem := parseTime(s); problem != "" {
				return fail("%s", problem)
			}
			return s, true
		}
		o, ok := v.(object)
		if !ok {
			fail("is not an object: put its fields in curly brackets")
			o = nil // an empty one: that the event has it at all is known
		}
		return r.message(fd.Message(), o, at), true
	case protoreflect.StringKind:
		s, ok := v.(string)
		if !ok {
			return fail("is not text: put it in quotation marks")
		}
		return s, true
	case protoreflect.BoolKind:
		b, ok := v.(bool)
		if !ok {
			return fail("is neither true nor false: write one of them, without quotation marks")
		}
		return b, true
	case protoreflect.EnumKind:
		switch v := v.(type) {
		case string:
			if known := fd.Enum().Values().ByName(protoreflect.Name(v)); known != nil {
				return v, true
			}
		case json.Number:
			if n, err := strconv.ParseInt(v.String(), 10, 32); err == nil && fd.Enum().Values().ByNumber(protoreflect.EnumNumber(n)) != nil {
				return v, true
			}
		}
		return fail("%s", enumProblem(fd))
	case protoreflect.Uint32Kind:
		if n, ok := v.(json.Number); ok {
			if _, err := strconv.ParseUint(n.String(), 10, 32); err == nil {
				return v, true
			}
		}
		return fail("is not a whole number: write digits, without quotation marks")
	default:
		return v, true // no event has one; the library judges it
	}
}

func enumProblem(fd protoreflect.FieldDescriptor) string {
	return "is not a value that is known: use " + enumNames(fd.Enum())
}

// enumNames lists the values that say something.
func enumNames(enum protoreflect.EnumDescriptor) string {
	var names []string
	for i := range enum.Values().Len() {
		if v := enum.Values().Get(i); v.Number() != 0 {
			names = append(names, string(v.Name()))
		}
	}
	return orList(names)
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

const timeRemedy = "write RFC 3339 with an offset, such as 2026-11-03T21:15:00+00:00"

// withoutOffset are times that lack nothing else.
var withoutOffset = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?$`)

// parseTime reads RFC 3339, or says what is wrong.
func parseTime(s string) (time.Time, string) {
	t, err := time.Parse(time.RFC3339Nano, s)
	switch {
	case err == nil && subNano(s):
		return time.Time{}, "is finer than a nanosecond: give nine digits at most after the point"
	case err == nil && (t.UTC().Year() < 1 || t.UTC().Year() > 9999):
		return time.Time{}, "is not a time that can be held: " + timeRemedy
	case err == nil:
		return t, ""
	case withoutOffset.MatchString(s):
		return time.Time{}, fmt.Sprintf("has no offset, so it could be GMT or BST: %s", timeRemedy)
	default:
		return time.Time{}, "is not a time: " + timeRemedy
	}
}

func subNano(s string) bool {
	_, fraction, ok := strings.Cut(s, ".")
	return ok && strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }) > 9
}

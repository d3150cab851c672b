package policy

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Where the policy does not say how long a manifest has.
const (
	manifestGrace = 2 * time.Hour
	manifestDue   = 12 * time.Hour
)

// need is one thing that a useful event says, made ready.
type need struct {
	*policyv1.Need
	ofChild bool // asked of each child
	paths   []fieldPath
	when    condition
	enough  condition
}

// fieldPath is the way to a field, from the event or, where it is asked of each child, from the child.
type fieldPath []protoreflect.FieldDescriptor

// Need finds what the policy asks publishers for, by its id.
func (p *Policy) Need(id string) (*policyv1.Need, bool) {
	for _, n := range p.document.GetCompleteness().GetNeeds() {
		if n.GetId() == id {
			return n, true
		}
	}
	return nil, false
}

// ManifestGrace is how long what is on its way has before a day's manifest is compared.
func (p *Policy) ManifestGrace() time.Duration {
	return orMinutes(p.document.GetCompleteness().GetManifestGraceMinutes(), manifestGrace)
}

// ManifestDue is how long after the end of a day its manifest is missed.
func (p *Policy) ManifestDue() time.Duration {
	return orMinutes(p.document.GetCompleteness().GetManifestDueMinutes(), manifestDue)
}

func orMinutes(minutes int32, otherwise time.Duration) time.Duration {
	if minutes == 0 {
		return otherwise
	}
	return time.Duration(minutes) * time.Minute
}

// Lacks lists what an event leaves out that a useful notice needs, in the order of the policy. It goes by what was
// published alone, so that it is the same whether or not anybody knows the child. A condition that fails has not said
// that all is there.
func (p *Policy) Lacks(ev *eventv1.Event) []*ledgerv1.Lack {
	var lacks []*ledgerv1.Lack
	for _, n := range p.needs[notice.EventKind(ev.GetType())] {
		if !n.ofChild {
			if n.missing(ev, ev.ProtoReflect(), Input{Event: ev}) {
				lacks = append(lacks, &ledgerv1.Lack{Need: n.GetId(), Fields: n.GetFields()})
			}
			continue
		}
		for _, c := range ev.GetChildren() {
			if n.missing(ev, c.ProtoReflect(), Input{Event: ev, Child: c, Age: ageOf(c, ev)}) {
				lacks = append(lacks, &ledgerv1.Lack{Need: n.GetId(), Ref: c.GetRef(), Fields: n.GetFields()})
			}
		}
	}
	return lacks
}

func (n need) missing(ev *eventv1.Event, of protoreflect.Message, in Input) bool {
	if applies, err := n.when.holds(in); err == nil && !applies {
		return false
	}
	if n.enough.program != nil {
		enough, err := n.enough.holds(in)
		return err != nil || !enough
	}
	return !slices.ContainsFunc(n.paths, func(path fieldPath) bool {
		from := of
		if n.ofChild && path[0].ContainingMessage() != of.Descriptor() {
			from = ev.ProtoReflect() // one of the event's own, that stands in for the child's
		}
		return path.given(from)
	})
}

// given says whether the field says something.
func (path fieldPath) given(m protoreflect.Message) bool {
	for _, fd := range path[:len(path)-1] {
		m = m.Get(fd).Message()
	}
	fd := path[len(path)-1]
	switch {
	case !m.Has(fd):
		return false
	case fd.IsList():
		return m.Get(fd).List().Len() > 0
	case fd.Message() != nil:
		return proto.Size(m.Get(fd).Message().Interface()) > 0
	case fd.Kind() == protoreflect.StringKind:
		return strings.TrimSpace(m.Get(fd).String()) != ""
	default:
		return true
	}
}

// ageOf is the age in whole years at the event's time, by the date of birth that was published.
func ageOf(c *eventv1.Child, ev *eventv1.Event) int {
	born, err := time.Parse(time.DateOnly, c.GetDateOfBirth())
	if err != nil {
		return 0
	}
	at := ev.GetTime().AsTime()
	age := at.Year() - born.Year()
	if at.Month() < born.Month() || at.Month() == born.Month() && at.Day() < born.Day() {
		age--
	}
	return age
}

// needs checks what publishers are asked for and makes it ready.
func (c checker) needs() map[notice.EventKind][]need {
	ready := make(map[notice.EventKind][]need)
	seen := map[string]bool{}
	for i, n := range c.document.GetCompleteness().GetNeeds() {
		at := func(rest ...any) []any { return append([]any{"completeness", "needs", i}, rest...) }
		if seen[n.GetId()] {
			c.add(c.at(at("id")...), "there is another need %s: give each an id of its own", n.GetId())
		}
		seen[n.GetId()] = true
		c.neededOn(n, at)
		r := need{Need: n}
		for j, text := range n.GetFields() {
			path, ofChild, problem := pathOf(text, n)
			if problem != "" {
				c.add(c.at(at("fields", j)...), "%s", problem)
				continue
			}
			r.paths = append(r.paths, path)
			r.ofChild = r.ofChild || ofChild
		}
		r.when = c.needCondition(n.GetWhen(), r.ofChild, at("when"))
		r.enough = c.needCondition(n.GetEnough(), r.ofChild, at("enough"))
		for _, kind := range n.GetOn() {
			ready[notice.EventKind(kind)] = append(ready[notice.EventKind(kind)], r)
		}
	}
	return ready
}

func (c checker) neededOn(n *policyv1.Need, at func(...any) []any) {
	for j, kind := range n.GetOn() {
		switch {
		case !slices.Contains(notice.EventKinds(), notice.EventKind(kind)):
			c.add(c.at(at("on", j)...), "there is no kind of event %q that somebody is told of: use those of the rules", kind)
		case slices.Contains(n.GetOn()[:j], kind):
			c.add(c.at(at("on", j)...), "the kind %s stands twice: keep one", kind)
		}
	}
}

func (c checker) needCondition(text string, ofChild bool, path []any) condition {
	ready, issues := c.conditions.compileNeed(text, ofChild)
	for _, is := range issues {
		c.add(c.within(is.line, is.column, path...), "%s", is.message)
	}
	return ready
}

// pathOf finds a field, or says what is wrong with its path.
func pathOf(text string, n *policyv1.Need) (path fieldPath, ofChild bool, problem string) {
	message := (&eventv1.Event{}).ProtoReflect().Descriptor()
	names := strings.Split(text, ".")
	if names[0] == "children" && len(names) > 1 {
		message, names, ofChild = (&eventv1.Child{}).ProtoReflect().Descriptor(), names[1:], true
	}
	for i, name := range names {
		if message == nil {
			return nil, false, names[i-1] + " has no fields of its own: end the path there"
		}
		fd := message.Fields().ByTextName(name)
		switch {
		case fd == nil:
			return nil, false, "there is no field " + name + ": the fields there are " + strings.Join(fieldNames(message), ", ")
		case fd.ContainingOneof() != nil && slices.ContainsFunc(n.GetOn(), func(kind string) bool { return payloadOf(kind) != name }):
			return nil, false, name + " is not in every kind of event that this is asked of: give the kinds needs of their own"
		case n.GetEnough() != "": // the path says no more than what the need is about
		case fd.IsList() && i < len(names)-1:
			return nil, false, name + " is a list, and only children are gone through: say what is enough as a condition in `enough`"
		case fd.Kind() == protoreflect.BoolKind:
			return nil, false, name + " is true or false, and false says nothing of whether it was stated: say what is enough in `enough`"
		}
		path = append(path, fd)
		message = fd.Message()
	}
	return path, ofChild, ""
}

// payloadOf is the field of an event that holds what a kind says.
func payloadOf(kind string) string { return strings.ReplaceAll(kind, ".", "_") }

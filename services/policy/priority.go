package policy

import (
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Priority is one reason to raise a lane, with its condition made ready.
type Priority struct {
	*policyv1.Priority
	lane      ledgerv1.Lane
	condition condition
}

// Pressing is what a priority knows of a notice besides the event.
type Pressing struct {
	DueIn time.Duration // from when it may be sent until it is due
	// Earlier counts the child's other matters of these kinds reported in so many days up to this one, at most enough; nil
	// knows of none.
	Earlier func(kinds []notice.EventKind, days, enough int) int
}

// Raised is the lane of a notice that would have another without the priorities, and why it is above that; the reason is
// empty where it is not. A priority whose condition fails on the event has not said that there is no hurry: it raises.
func (p *Policy) Raised(lane ledgerv1.Lane, in Input, pressing Pressing) (ledgerv1.Lane, string) {
	because := ""
	for _, priority := range p.priorities {
		if ahead(priority.lane, lane) && priority.holds(in, pressing) {
			lane, because = priority.lane, priority.GetBecause()
		}
	}
	return lane, because
}

// ahead says whether a lane goes before another. What nobody put into a lane is sent as high.
func ahead(a, b ledgerv1.Lane) bool {
	if b == ledgerv1.Lane_LANE_UNSPECIFIED {
		b = ledgerv1.Lane_LANE_HIGH
	}
	return a < b
}

func (p *Priority) holds(in Input, pressing Pressing) bool {
	kind := in.Event.GetType()
	if len(p.GetOn()) > 0 && !slices.Contains(p.GetOn(), kind) {
		return false
	}
	if within := p.GetDueWithinMinutes(); within > 0 && pressing.DueIn > time.Duration(within)*time.Minute {
		return false
	}
	if met, err := p.condition.holds(in); err == nil && !met {
		return false
	}
	repeats := p.GetRepeats()
	if repeats == nil {
		return true
	}
	kinds := []notice.EventKind{notice.EventKind(kind)}
	if len(repeats.GetOf()) > 0 {
		kinds = kinds[:0]
		for _, k := range repeats.GetOf() {
			kinds = append(kinds, notice.EventKind(k))
		}
	}
	others := int(repeats.GetCount()) - 1
	return pressing.Earlier != nil && pressing.Earlier(kinds, int(repeats.GetDays()), others) >= others
}

// priorities checks what raises lanes, and makes it ready.
func (c checker) priorities() []*Priority {
	var all []*Priority
	seen := map[string]bool{}
	for i, p := range c.document.GetPriority() {
		if seen[p.GetId()] {
			c.add(c.at("priority", i, "id"), "there is another priority %s: give each an id of its own", p.GetId())
		}
		seen[p.GetId()] = true
		c.kinds(p.GetOn(), "priority", i, "on")
		c.kinds(p.GetRepeats().GetOf(), "priority", i, "repeats", "of")
		if strings.TrimSpace(p.GetWhen()) == "" && p.GetRepeats() == nil && p.GetDueWithinMinutes() == 0 {
			c.add(c.at("priority", i), "this raises everything: give `when`, `repeats` or `due_within_minutes`")
		}
		ready, issues := c.conditions.compile(p.GetWhen(), "")
		for _, is := range issues {
			c.add(c.within(is.line, is.column, "priority", i, "when"), "%s", is.message)
		}
		all = append(all, &Priority{Priority: p, lane: laneNames()[p.GetLane()], condition: ready})
	}
	return all
}

// kinds checks a list of kinds of event.
func (c checker) kinds(list []string, path ...any) {
	for i, kind := range list {
		at := c.at(append(slices.Clone(path), i)...)
		switch {
		case !slices.Contains(notice.EventKinds(), notice.EventKind(kind)):
			c.add(at, "there is no kind of event %q: the kinds are %s", kind, kindList(notice.EventKinds()))
		case slices.Contains(list[:i], kind):
			c.add(at, "the kind %s stands twice: keep one", kind)
		}
	}
}

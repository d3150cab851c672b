package routing

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Why a duty ends although nobody has answered.
const (
	reasonAdult    = "the young person is 18 or over: the duty has ended"
	reasonAccepted = "the home area has accepted responsibility: the duty has ended"
)

// acceptsNothing is the one answer to an acceptance that changes nothing. Which of its reasons holds (there is no such matter, it
// is about another child, another area is the child's home) is not said: it would tell what others have published.
const acceptsNothing = "it names no matter about this child that your area could accept: check the agency, kind and reference, " +
	"or have the child's home area accept it"

// accepted says whether the home area of a child has accepted responsibility for what is decided about.
func (d *decider) accepted(s *subject) bool {
	if d.round.Erased.Acceptances && slices.Contains(d.round.Accepted, s.finding.Child) {
		return true
	}
	return slices.ContainsFunc(d.round.Acceptances, func(a Event) bool {
		return slices.ContainsFunc(a.Body.Children, func(c *eventv1.Child) bool {
			return d.sameChild(c, s.child) && d.mayAccept(a.Body, c, s.event)
		})
	})
}

// refused asks the publisher of an acceptance that nothing can come of, and tells nobody else.
func (d *decider) refused(s *subject) bool {
	if notice.EventKind(s.event.Type) != notice.ResponsibilityAccepted || d.round.Supposed {
		return false
	}
	accepts := d.events[s.index].Source.Event
	for _, m := range d.round.Matters[accepts] {
		if d.mayAccept(s.event, s.child, m.Body) {
			return false
		}
	}
	if d.round.Erased.Matters[accepts] && slices.ContainsFunc(d.round.Prior, func(p Prior) bool { return p.Child == s.finding.Child }) {
		return false // it was held to be in order while that could be seen
	}
	d.consider("", "", s.finding.Child, acceptsNothing)
	d.askPublisher(ledgerv1.TaskKind_TASK_KIND_GAP, s, acceptsNothing)
	return true
}

// mayAccept says whether an agency may accept responsibility for a child of an event: the event reports the child, the child's
// home is in another area than the one where it happened, and the agency acts for the authority of that home.
func (d *decider) mayAccept(acceptance *eventv1.Event, child *eventv1.Child, ev *eventv1.Event) bool {
	agency, ok := d.Directory.Agency(notice.AgencyID(acceptance.Source))
	if !ok {
		return false
	}
	host := d.authorityID(notice.Area(ev.Area))
	return slices.ContainsFunc(ev.Children, func(c *eventv1.Child) bool {
		home := d.authorityID(d.home(ev, c))
		return d.sameChild(child, c) && home != "" && home != host && string(home) == agency.Organisation
	})
}

// home is the area that is responsible for a child of an event: that of the authority that looks after it, else the one where it
// lives, an unborn child with its mother. Nothing is assumed where nobody says.
func (d *decider) home(ev *eventv1.Event, c *eventv1.Child) notice.Area {
	known, _ := d.Directory.Child(d.identified(c))
	s := &subject{child: d.completed(c, known), event: ev}
	if c.Unborn != nil {
		var mothers []*subject
		if mother := motherOf(ev, c); mother != nil {
			known, _ := d.Directory.Child(d.identified(mother))
			mothers = []*subject{{child: d.completed(mother, known), known: known, refs: []string{mother.Ref}}}
		}
		d.liveWithMother(s, mothers)
	}
	return notice.Area(cmp.Or(s.child.LookedAfterBy, s.child.ResidenceArea))
}

// sameChild says whether two events report the same child.
func (d *decider) sameChild(a, b *eventv1.Child) bool {
	switch {
	case a.Unborn != nil || b.Unborn != nil:
		return a.Unborn != nil && b.Unborn != nil && a.Unborn.ExpectedOn == b.Unborn.ExpectedOn &&
			!nameless(a.Unborn.Mother) && proto.Equal(a.Unborn.Mother, b.Unborn.Mother)
	case samePerson(a, b):
		return true
	}
	known := d.identified(a)
	return known != "" && known == d.identified(b)
}

func nameless(n *eventv1.Name) bool { return cmp.Or(n.GetGiven(), n.GetFamily()) == "" }

// identified is the child that the directory knows and nothing seals, or nobody.
func (d *decider) identified(c *eventv1.Child) notice.ChildID {
	if c.Unborn != nil {
		return ""
	}
	if found := d.Directory.Match(query(c)); found.Child != "" && d.open(found.Child) {
		return found.Child
	}
	return ""
}

package routing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// adulthood is the age at which the duty ends.
const adulthood = 18

// Decide works out who must be told of the events of a lineage: those that no correction replaces, oldest first. They
// are all of one kind. What was told before and no event calls for any more is superseded, but for what tells of an event that
// was erased.
func Decide(events []Event, r Round, f Facts) *ledgerv1.Decision {
	d := newDecider(f, r, events)
	subjects := d.findChildren()
	if len(events) > 0 {
		rules := f.Policy.Rules(notice.EventKind(events[0].Body.Type))
		if len(rules) == 0 {
			d.noRules()
		}
		d.bindEvents(subjects)
		for _, rule := range rules {
			d.applyToEvents(rule)
		}
		for _, s := range subjects {
			d.decideChild(s, rules)
		}
		d.lacks()
	}
	return d.finish()
}

// lacks notes what the events leave out. It holds nothing back: a thin notice is better than none.
func (d *decider) lacks() {
	for _, ev := range d.events {
		for _, lack := range d.Policy.Lacks(ev.Body) {
			lack.Event = ev.Source.GetEvent()
			d.out.Lacks = append(d.out.Lacks, lack)
		}
	}
}

// noRules asks for a person where the policy is silent about a kind of event: nothing ends in silence.
func (d *decider) noRules() {
	for i, ev := range d.events {
		s := &subject{finding: noFinding(), child: &eventv1.Child{}, event: ev.Body, index: i}
		d.askPublisher(ledgerv1.TaskKind_TASK_KIND_GAP, s, "the policy has no rule for this kind of event: tell those concerned, and add a rule")
	}
}

// decideChild applies the rules to one child. Rules that tell nobody of the child itself were applied to the event.
func (d *decider) decideChild(s *subject, rules []*policy.Rule) {
	if max(s.age, ageAt(s.child, s.known, d.Now)) >= adulthood {
		d.dutyEnds("", s, reasonAdult)
		return
	}
	if d.refused(s) {
		return
	}
	accepted := d.accepted(s)
	if accepted {
		d.out.Accepted = append(d.out.Accepted, s.finding.Child)
	}
	s.endings = d.endings(s)
	places := slices.ContainsFunc(rules, isPlace)
	if places && s.found {
		s.places, s.home = d.places(s, directory.DateOf(d.Now))
	}
	for _, rule := range rules {
		switch {
		case !namesChild(rule):
		case accepted && rule.UntilAccepted:
			d.dutyEnds(rule.Id, s, reasonAccepted)
		case isPlace(rule):
			d.applyToPlaces(rule, s)
		default:
			d.applyToChild(rule, s)
		}
	}
	switch {
	case s.child.GetUnborn() != nil:
		d.untoldUnborn(s)
	case places:
		d.untold(s)
		if !d.placed[s.finding.Child] || len(d.round.NotAt[s.id()]) > 0 {
			d.unmatched(s)
		}
	}
	d.holdAgainstRoll(s)
	d.holdPlacementAgainstRoll(s)
	d.withholdText(s, rules)
}

// dutyEnds records that a rule, or every rule, no longer tells anybody of a child, and why what was told before ends.
func (d *decider) dutyEnds(rule string, s *subject, reason string) {
	d.consider("", rule, s.finding.Child, reason)
	d.over[duty{s.finding.Child, rule}] = reason
}

// findChildren looks up every child of every event; reports of the same child come together.
func (d *decider) findChildren() []*subject {
	var subjects []*subject
	byKey := map[string]*subject{}
	for i, ev := range d.events {
		for j, l := range d.lookUp(ev) {
			c := ev.Body.Children[j]
			s := byKey[l.finding.Child]
			if s == nil {
				s = &subject{refs: make([]string, len(d.out.Sources))}
				byKey[l.finding.Child] = s
				subjects = append(subjects, s)
			}
			s.finding, s.event, s.index, s.named = l.finding, ev.Body, i, l.named
			s.refs[i] = c.Ref
			s.known, s.found = d.Directory.Child(s.id())
			s.child, s.livesAs = d.completed(c, s.known), s.known
			s.restrictions = append(s.restrictions, d.restrictions(l.candidates)...)
			s.age = ageAt(c, s.known, ev.Body.Time.AsTime())
			d.out.Children = append(d.out.Children, l.finding)
		}
	}
	for _, s := range subjects {
		d.liveWithMother(s, subjects)
	}
	return subjects
}

// lookup is what looking up one child of an event came to.
type lookup struct {
	finding    *ledgerv1.ChildFinding
	unmatched  string           // the child's key while it is nobody that is known
	candidates []notice.ChildID // every child that it may be
	named      notice.ChildID   // the child that a person named, where nobody on a roll is that
}

// lookUp looks up the children of an event. Two that it reports as different people and that are found as one are a
// contradiction: which of them it is takes a person, and a sibling must not be left out.
func (d *decider) lookUp(ev Event) []lookup {
	found := make([]lookup, len(ev.Body.Children))
	for i, c := range ev.Body.Children {
		found[i] = d.find(ev, c)
	}
	var doubtful []int
	for i, a := range found {
		if a.finding.Match != ledgerv1.Match_MATCH_PERSON && slices.ContainsFunc(ev.Body.Children, func(c *eventv1.Child) bool {
			j := slices.Index(ev.Body.Children, c)
			return a.finding.Child == found[j].finding.Child && !samePerson(c, ev.Body.Children[i])
		}) {
			doubtful = append(doubtful, i)
		}
	}
	for _, i := range doubtful {
		f := found[i].finding
		f.Child, f.Match, f.Reason = found[i].unmatched, ledgerv1.Match_MATCH_CONTRADICTED, reasonTwoFoundAsOne
	}
	return found
}

// reasonTwoFoundAsOne is the reason code of children whom an event tells apart and the directory does not.
const reasonTwoFoundAsOne = "two_children_found_as_one"

func samePerson(a, b *eventv1.Child) bool {
	return fold(a.Name.GetGiven()) == fold(b.Name.GetGiven()) && fold(a.Name.GetFamily()) == fold(b.Name.GetFamily()) &&
		a.DateOfBirth == b.DateOfBirth
}

// find looks one child up. A child whose whereabouts are sealed is not found, nor is one whom a person named and who is
// on no roll: the finding is the one about a child nobody knows.
func (d *decider) find(ev Event, c *eventv1.Child) lookup {
	if c.Unborn != nil {
		return d.findUnborn(ev, c)
	}
	unmatched := d.Key.ID("unmatched-child", d.round.Lineage, c.Ref,
		fold(c.Name.GetGiven()), fold(c.Name.GetFamily()), c.DateOfBirth)
	l := lookup{unmatched: unmatched, finding: &ledgerv1.ChildFinding{Ref: c.Ref, Event: ev.Source.Event}}

	found := d.Directory.Match(query(c))
	l.candidates = found.Candidates
	if found.Child != "" {
		l.candidates = append(slices.Clone(found.Candidates), found.Child)
	}
	if slices.ContainsFunc(d.restrictions(l.candidates), directory.Seals) {
		found = directory.Found{Kind: ledgerv1.Match_MATCH_NONE}
	}
	id, ok := d.named(unmatched)
	if !ok && found.Child != "" {
		id, ok = d.named(string(found.Child))
	}
	if ok {
		if d.open(id) {
			found, l.candidates = directory.Found{Kind: ledgerv1.Match_MATCH_PERSON, Child: id}, []notice.ChildID{id}
		} else {
			found, l.named = directory.Found{Kind: ledgerv1.Match_MATCH_NONE}, id
		}
	}
	if found.Kind == ledgerv1.Match_MATCH_NONE {
		found.Reason = reasonNone(c)
	}
	l.finding.Match, l.finding.Reason = found.Kind, found.Reason
	l.finding.Child = cmp.Or(string(found.Child), unmatched)
	return l
}

// named is the child that people say a key stands for: the last, where they named another for the one named before.
func (d *decider) named(key string) (id notice.ChildID, ok bool) {
	for range d.round.Matched {
		next, more := d.round.Matched[key]
		if !more {
			break
		}
		id, ok, key = next, true, string(next)
	}
	return id, ok
}

// open says whether a child is on a roll and nothing seals where.
func (d *decider) open(id notice.ChildID) bool {
	_, known := d.Directory.Child(id)
	return known && !slices.ContainsFunc(d.Directory.Restrictions(id), directory.Seals)
}

// reasonNone is why nobody was found, by what was published alone: it must not tell a sealed child from an unknown one.
func reasonNone(c *eventv1.Child) string {
	given := directory.FoldName(c.Name.GetGiven()) + directory.FoldName(c.Name.GetKnownAs())
	if given == "" || directory.FoldName(c.Name.GetFamily()) == "" || c.DateOfBirth == "" {
		return directory.ReasonTooLittle
	}
	return directory.ReasonNotFound
}

func query(c *eventv1.Child) directory.Query {
	q := directory.Query{
		Given: c.Name.GetGiven(), Family: c.Name.GetFamily(), KnownAs: c.Name.GetKnownAs(), DateOfBirth: c.DateOfBirth,
		Postcode: c.Address.GetPostcode(), ResidenceArea: notice.Area(c.ResidenceArea),
	}
	for _, id := range c.Identifiers {
		q.Identifiers = append(q.Identifiers, directory.Identifier{Scheme: id.Scheme, Value: id.Value})
	}
	return q
}

// OfAge says whether a young person is 18 or over at an instant: the duty to tell of them has ended. known may be nil.
func OfAge(c *eventv1.Child, known *directoryv1.Child, at time.Time) bool {
	return ageAt(c, known, at) >= adulthood
}

// ageAt is the age in whole years; the directory's date of birth counts where it knows the child.
func ageAt(c *eventv1.Child, known *directoryv1.Child, at time.Time) int {
	d, err := directory.ParseDate(cmp.Or(known.GetDateOfBirth(), c.GetDateOfBirth()))
	if err != nil {
		return 0 // of an unborn child; else intake refuses it. A child of unknown age is a child
	}
	on := directory.DateOf(at)
	age := on.Year - d.Year
	if on.Month < d.Month || on.Month == d.Month && on.Day < d.Day {
		age--
	}
	return age
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// namesChild says whether a rule's view shows the child, so that it sends a notice for each.
func namesChild(r *policy.Rule) bool { return r.View.Allows(eventv1.Label_LABEL_CHILD_IDENTITY) }

// isPlace says whether a rule tells the place where the child is taught or cared for.
func isPlace(r *policy.Rule) bool { return r.Tell == "child_settings" || r.Tell == "home_education" }

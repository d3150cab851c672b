package routing

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Adulthood is the age at which the duty ends.
const adulthood = 18

// Decide works out who must be told of the events of a lineage: those that no correction replaces, oldest first. They
// are all of one kind. Without events everything told before is superseded.
func Decide(events []Event, r Round, f Facts) *ledgerv1.Decision {
	d := newDecider(f, r, events)
	subjects := d.findChildren()
	if len(events) > 0 {
		rules := f.Policy.Rules(notice.EventKind(events[0].Body.Type))
		if len(rules) == 0 {
			d.noRules()
		}
		for _, rule := range rules {
			d.applyToEvents(rule)
		}
		for _, s := range subjects {
			d.decideChild(s, rules)
		}
	}
	return d.finish()
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
	if s.age >= adulthood {
		d.consider("", "", s.finding.Child, "the young person is 18 or over: the duty has ended")
		return
	}
	places := false
	for _, rule := range rules {
		switch {
		case !namesChild(rule):
		case isPlace(rule):
			places = true
			d.applyToPlaces(rule, s)
		default:
			d.applyToChild(rule, s)
		}
	}
	if places && !d.placed[s.finding.Child] {
		d.unmatched(s)
	}
	d.withholdText(s, rules)
}

// findChildren looks up every child of every event; reports of the same child come together.
func (d *decider) findChildren() []*subject {
	var subjects []*subject
	byKey := map[string]*subject{}
	for i, ev := range d.events {
		for _, c := range ev.Body.Children {
			finding, candidates := d.find(ev, c)
			s := byKey[finding.Child]
			if s == nil {
				s = &subject{refs: make([]string, len(d.events))}
				byKey[finding.Child] = s
				subjects = append(subjects, s)
			}
			s.finding, s.child, s.event, s.index = finding, c, ev.Body, i
			s.refs[i] = c.Ref
			s.known, s.found = d.Directory.Child(notice.ChildID(finding.Child))
			s.child = withResidence(c, s.known)
			s.restrictions = d.restrictions(candidates)
			s.age = ageAt(c, s.known, ev.Body.Time.AsTime())
			d.out.Children = append(d.out.Children, finding)
		}
	}
	return subjects
}

// find looks one child up, and returns every child that it may be. A child whose whereabouts are sealed is not found:
// the finding is the one about a child nobody knows.
func (d *decider) find(ev Event, c *eventv1.Child) (*ledgerv1.ChildFinding, []notice.ChildID) {
	unmatchedKey := d.Key.ID("unmatched-child", d.round.Lineage, c.Ref,
		fold(c.Name.GetGiven()), fold(c.Name.GetFamily()), c.DateOfBirth)
	finding := &ledgerv1.ChildFinding{Ref: c.Ref, Event: ev.Source.Event, Child: unmatchedKey}

	found := d.Directory.Match(query(c))
	if id, ok := d.round.Matched[unmatchedKey]; ok {
		found = directory.Found{Kind: ledgerv1.Match_MATCH_PERSON, Child: id}
	}
	candidates := found.Candidates
	if found.Child != "" {
		candidates = append(slices.Clone(candidates), found.Child)
	}
	if slices.ContainsFunc(d.restrictions(candidates), seals) {
		found = d.Directory.Match(directory.Query{})
	}
	finding.Match, finding.Reason = found.Kind, found.Reason
	if found.Child != "" {
		finding.Child = string(found.Child)
	}
	return finding, candidates
}

// withResidence fills in where the child lives, where only the directory knows, for the rules' conditions.
func withResidence(c *eventv1.Child, known *directoryv1.Child) *eventv1.Child {
	if c.ResidenceArea != "" || known.GetResidenceArea() == "" {
		return c
	}
	filled := proto.CloneOf(c)
	filled.ResidenceArea = known.ResidenceArea
	return filled
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

// ageAt is the age in whole years; the directory's date of birth counts where it knows the child.
func ageAt(c *eventv1.Child, known *directoryv1.Child, at time.Time) int {
	born := c.DateOfBirth
	if known != nil {
		born = known.DateOfBirth
	}
	d, err := directory.ParseDate(born)
	if err != nil {
		return 0 // intake refuses it; a child of unknown age is a child
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

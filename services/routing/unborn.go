package routing

import (
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// reasonUnborn is the reason code of a child who is on no roll because it is not born.
const reasonUnborn = "unborn"

// findUnborn is the finding about a child who is not born: no roll is searched. What restricts the mother, where she is a child
// herself, binds what is told of her child.
func (d *decider) findUnborn(ev Event, c *eventv1.Child) lookup {
	id := d.Key.ID("unborn-child", d.round.Lineage, c.Ref, c.Unborn.MotherRef)
	l := lookup{unmatched: id, finding: &ledgerv1.ChildFinding{
		Ref: c.Ref, Event: ev.Source.Event, Child: id, Match: ledgerv1.Match_MATCH_NONE, Reason: reasonUnborn,
	}}
	if mother := motherOf(ev.Body, c); mother != nil {
		found := d.Directory.Match(query(mother))
		l.candidates = append(slices.Clone(found.Candidates), found.Child)
	}
	return l
}

// motherOf is the mother of an unborn child, where she is a child of the event herself.
func motherOf(ev *eventv1.Event, c *eventv1.Child) *eventv1.Child {
	for _, mother := range ev.Children {
		if mother.Ref == c.GetUnborn().GetMotherRef() && mother.Unborn == nil {
			return mother
		}
	}
	return nil
}

// liveWithMother has an unborn child live where its mother does, where nobody says otherwise: by what is known of her where she is
// a child of the event too, else by the address that was published of her.
func (d *decider) liveWithMother(s *subject, all []*subject) {
	if s.child.GetUnborn() == nil || s.child.ResidenceArea != "" {
		return
	}
	ref, with := s.child.Unborn.MotherRef, proto.CloneOf(s.child)
	for _, mother := range all {
		if mother.child.GetUnborn() == nil && mother.refs[s.index] == ref {
			with.ResidenceArea, with.Address = mother.child.ResidenceArea, mother.child.Address
			s.child, s.livesAs = with, mother.known
			return
		}
	}
	for _, p := range s.event.People {
		if p.Ref == ref {
			with.Address = p.Address
			s.child = d.completed(with, nil)
		}
	}
}

// unbornAtSetting says whether a notice would tell a setting of an unborn child, which none is told of. Where one takes part in
// a meeting, a person decides whether it has to know.
func (d *decider) unbornAtSetting(rule *policy.Rule, s *subject, org notice.OrgID) bool {
	if s.child.GetUnborn() == nil {
		return false
	}
	if _, setting := d.Directory.Setting(org); !setting {
		return false
	}
	d.consider(org, rule.Id, s.finding.Child, "a setting is not told of an unborn child")
	d.gap(rule, s, string(org)+" is a setting, and is not told of an unborn child: decide whether it has to know, and who tells it")
	d.placed[s.finding.Child] = true
	return true
}

// untoldUnborn asks a person about an unborn child of whom no rule tells anybody.
func (d *decider) untoldUnborn(s *subject) {
	told := func(o *obligation) bool { return o.Child == s.finding.Child }
	asked := func(g *ledgerv1.Gap) bool { return g.Child == s.finding.Child }
	if !slices.ContainsFunc(d.obligations, told) && !slices.ContainsFunc(d.out.Gaps, asked) {
		d.askPublisher(ledgerv1.TaskKind_TASK_KIND_GAP, s,
			"nobody is told of the unborn child: tell midwifery safeguarding and the authority's hub by telephone")
	}
}

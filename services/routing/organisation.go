package routing

import (
	"fmt"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// tellForce tells the police force of an area, unless the force is who published: it is told nothing by its own report,
// and the record says why.
func (d *decider) tellForce(rule *policy.Rule, s *subject, area notice.Area,
	of func(notice.Area) (*directoryv1.Organisation, bool)) {
	force, ok := of(area)
	if ok && force.Id == d.publisher(s) {
		if d.applies(rule, s, policy.Input{}) {
			d.consider(notice.OrgID(force.Id), rule.Id, s.finding.Child, "published the event itself")
		}
		return
	}
	d.tellArea(rule, s, area, of, "police force")
}

// tellOfKind tells every organisation of the rule's kind in an area.
func (d *decider) tellOfKind(rule *policy.Rule, s *subject, area notice.Area) {
	if !d.applies(rule, s, policy.Input{}) {
		return
	}
	found := d.Directory.OfKind(rule.OrganisationKind, area)
	if len(found) == 0 {
		d.gap(rule, s, fmt.Sprintf("no organisation of kind %s in the directory for area %s", rule.OrganisationKind, area))
	}
	d.tellEach(rule, s, area, found)
}

// tellEach tells organisations of an area, to which the rule was found to apply.
func (d *decider) tellEach(rule *policy.Rule, s *subject, area notice.Area, organisations []*directoryv1.Organisation) {
	for _, org := range organisations {
		d.tellKnown(rule, s, recipient{organisation: notice.OrgID(org.Id), area: area, function: rule.Function, because: rule.Because})
	}
}

// tellHealth tells the NHS organisation of where the child lives. Where the rule names a kind, the organisations of that kind there
// come first, or those of the NHS area around it: a midwifery service of its own, else the trust whose midwives they are.
func (d *decider) tellHealth(rule *policy.Rule, s *subject, area notice.Area) {
	if rule.OrganisationKind != "" {
		within, _ := d.Directory.Area(area)
		for _, in := range []notice.Area{area, notice.Area(within.GetHealthArea())} {
			if found := d.Directory.OfKind(rule.OrganisationKind, in); len(found) > 0 {
				if d.applies(rule, s, policy.Input{}) {
					d.tellEach(rule, s, area, found)
				}
				return
			}
		}
	}
	d.tellArea(rule, s, area, d.where(s, d.Directory.Health, func(l directory.Lies) notice.Area { return l.Health }), "NHS organisation")
}

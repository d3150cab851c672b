package routing

import (
	"fmt"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
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
	for _, org := range found {
		d.tellKnown(rule, s, recipient{organisation: notice.OrgID(org.Id), area: area, function: rule.Function, because: rule.Because})
	}
}

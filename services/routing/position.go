package routing

import (
	"fmt"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

const (
	designatedOfficer = "designated_officer" // whom a rule tells
	roleLADO          = "lado"               // of the contacts who are one
)

// tellDesignatedOfficers tells the designated officer of each authority, once for the whole matter, of those who work with
// children there and are alleged to have caused harm: an allegation concerns an adult, and goes apart. A correction is a new
// version of the same notice.
func (d *decider) tellDesignatedOfficers(rule *policy.Rule) {
	var areas []notice.Area
	matters := map[notice.Area]*subject{} // each the events with an allegation, as one
	for i, ev := range d.events {
		for _, p := range ev.Body.People {
			one := &subject{finding: noFinding(), child: &eventv1.Child{}, event: ev.Body, index: i}
			if !disclosure.InPosition(p) || !d.applies(rule, one, policy.Input{Person: p}) {
				continue
			}
			area := d.workArea(ev.Body, p)
			s := matters[area]
			if s == nil {
				s = one
				s.refs = make([]string, len(d.events))
				matters[area], areas = s, append(areas, area)
			}
			if s.refs[i] == "" {
				s.restrictions = append(s.restrictions, d.bound[i]...)
			}
			s.event, s.index, s.refs[i] = ev.Body, i, wholeEvent
		}
	}
	for _, area := range areas {
		d.tellDesignatedOfficer(rule, matters[area], area)
	}
}

func (d *decider) tellDesignatedOfficer(rule *policy.Rule, s *subject, area notice.Area) {
	org, ok := d.Directory.Authority(area)
	if !ok {
		d.gap(rule, s, fmt.Sprintf("no local authority in the directory for area %s: tell its designated officer by telephone", area))
		return
	}
	id := notice.OrgID(org.Id)
	if !d.hasRole(id, roleLADO) {
		d.noOfficer(rule, s, area, id)
		return
	}
	d.tellKnown(rule, s, recipient{organisation: id, area: area, function: rule.Function, because: rule.Because})
}

// noOfficer asks the authority itself where nobody is known to be its designated officer.
func (d *decider) noOfficer(rule *policy.Rule, s *subject, area notice.Area, org notice.OrgID) {
	d.consider(org, rule.Id, s.finding.Child, "the directory has no designated officer (role lado) for it")
	d.out.Gaps = append(d.out.Gaps, &ledgerv1.Gap{
		Rule: rule.Id, Function: rule.Function, Child: s.finding.Child, Reason: fmt.Sprintf("%s has no contact with the role lado", org),
	})
	d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, area, "duty",
		"somebody who works with children is suspected, and the directory has no designated officer (role lado): tell the designated officer within one working day, and add them", nil)
}

// workArea is the authority's area where somebody works; where that is not known, where it happened.
func (d *decider) workArea(ev *eventv1.Event, p *eventv1.Person) notice.Area {
	if area := notice.Area(d.areaOf(notice.OrgID(p.GetWorksAt().GetId()))); area != "" {
		if _, ok := d.Directory.Authority(area); ok {
			return area
		}
	}
	return notice.Area(ev.Area)
}

func (d *decider) hasRole(org notice.OrgID, role string) bool {
	return slices.ContainsFunc(d.Directory.Contacts(org), func(c *directoryv1.Contact) bool { return c.GetRole() == role })
}

// keptFromWorkplace keeps a notice from where somebody works who is suspected in the matter: colleagues, or the person
// themselves by another mailbox, would read it before the designated officer has said who may know. The officer's authority
// is asked instead. Whom the publisher itself names, as who referred or takes part, knows of the matter already; and an
// authority or a force is too large to be kept out of it, and has the duty to act.
func (d *decider) keptFromWorkplace(s *subject, org notice.OrgID, rule *policy.Rule) bool {
	if !d.worksAt(org) || d.answersForAll(org) {
		return false
	}
	switch rule.Tell {
	case "referrer", "invited", "attended", "absent", "participants":
		return false
	}
	d.consider(org, rule.Id, s.finding.Child, "withheld: somebody who is suspected works there")
	d.out.Gaps = append(d.out.Gaps, &ledgerv1.Gap{
		Rule: rule.Id, Function: rule.Function, Child: s.finding.Child, Reason: "somebody who is suspected works at the recipient",
	})
	area, role := notice.Area(d.areaOf(org)), "duty"
	if authority := d.authorityFor(s, area); d.hasRole(notice.OrgID(authority), roleLADO) {
		role = roleLADO
	}
	d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, area, role,
		fmt.Sprintf("somebody who is suspected works at %s, which was not told: agree with the designated officer who there may know, and tell them by telephone", org), nil)
	d.placed[s.finding.Child] = true
	return true
}

// worksAt says whether somebody who is suspected in the matter works with children at an organisation.
func (d *decider) worksAt(org notice.OrgID) bool {
	return slices.ContainsFunc(d.events, func(ev Event) bool {
		return slices.ContainsFunc(ev.Body.People, func(p *eventv1.Person) bool {
			return disclosure.InPosition(p) && p.GetWorksAt().GetId() == string(org)
		})
	})
}

// answersForAll says whether an organisation is a local authority or a police force.
func (d *decider) answersForAll(org notice.OrgID) bool {
	o, ok := d.Directory.Organisation(org)
	return ok && (o.GetKind() == "local_authority" || o.GetKind() == "police")
}

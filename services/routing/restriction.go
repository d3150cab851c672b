package routing

import (
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// restrictions are those of every child that the event may be about: a doubt about who it is never lifts a bar.
func (d *decider) restrictions(candidates []notice.ChildID) []*directoryv1.Restriction {
	var all []*directoryv1.Restriction
	for _, id := range candidates {
		all = append(all, d.Directory.Restrictions(id)...)
	}
	return all
}

// bindEvents gathers, for each event, the restrictions on all of its children: they bind what is told of the event as a
// whole.
func (d *decider) bindEvents(subjects []*subject) {
	d.bound = make([][]*directoryv1.Restriction, len(d.events))
	for _, s := range subjects {
		for i, ref := range s.refs {
			if ref != "" {
				d.bound[i] = append(d.bound[i], s.restrictions...)
			}
		}
	}
}

// bar is the restriction that keeps an organisation from hearing of the child, nil where there is none. One without a
// target, or of a kind that this build does not know, keeps everybody, as it does for delivery. Those that seal keep
// nobody from what is told of a child whom nobody knows.
func (d *decider) bar(s *subject, org notice.OrgID) *directoryv1.Restriction {
	for _, r := range s.restrictions {
		if directory.Seals(r) || r.Kind == "barred_contact" && r.Target != "" {
			continue
		}
		if r.Target == "" || d.names(r, org) {
			return r
		}
	}
	return nil
}

// names says whether a restriction's target is the organisation, its area, or the police area around that.
func (d *decider) names(r *directoryv1.Restriction, org notice.OrgID) bool {
	if r.Target == string(org) {
		return true
	}
	area := d.areaOf(org)
	if r.Target == area {
		return true
	}
	within, _ := d.Directory.Area(notice.Area(area))
	return r.Target == within.GetPoliceArea()
}

// keepsOff says whether a restriction names the organisation, so that it must not own a task about the child either.
func (d *decider) keepsOff(s *subject, org notice.OrgID) bool {
	bar := d.bar(s, org)
	return bar != nil && bar.Target != ""
}

// barred says whether a restriction bars an organisation from hearing of the child. A restriction beats every rule; the
// authority's duty officer is asked to see to it instead.
func (d *decider) barred(s *subject, org notice.OrgID, rule *policy.Rule) bool {
	bar := d.bar(s, org)
	if bar == nil {
		return d.keptFromWorkplace(s, org, rule)
	}
	d.consider(org, rule.Id, s.finding.Child, "restricted: "+bar.Reason)
	d.out.Gaps = append(d.out.Gaps, &ledgerv1.Gap{
		Rule: rule.Id, Function: rule.Function, Child: s.finding.Child, Reason: "a restriction bars the recipient",
	})
	d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, d.residence(s), "duty",
		"a restriction bars a recipient: decide who is told instead", nil)
	d.placed[s.finding.Child] = true
	return true
}

func (d *decider) areaOf(org notice.OrgID) string {
	if s, ok := d.Directory.Setting(org); ok {
		return s.Area
	}
	if o, ok := d.Directory.Organisation(org); ok {
		return o.Area
	}
	return ""
}

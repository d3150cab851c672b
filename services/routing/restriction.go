package routing

import (
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// seals says whether a restriction seals the child's whereabouts: the child is then answered as one nobody knows.
func seals(r *directoryv1.Restriction) bool {
	return r.Kind == "protected_location" || r.Kind == "sealed_identity"
}

// restrictions are those of every child that the event may be about: a doubt about who it is never lifts a bar.
func (d *decider) restrictions(candidates []notice.ChildID) []*directoryv1.Restriction {
	var all []*directoryv1.Restriction
	for _, id := range candidates {
		all = append(all, d.Directory.Restrictions(id)...)
	}
	return all
}

// barred says whether a restriction bars an organisation from hearing of the child. A restriction beats every rule; the
// authority's duty officer is asked to see to it instead.
func (d *decider) barred(s *subject, org notice.OrgID, rule *policy.Rule) bool {
	i := slices.IndexFunc(s.restrictions, func(r *directoryv1.Restriction) bool {
		switch r.Kind {
		case "barred_organisation", "court_order":
			return r.Target == string(org)
		case "barred_area":
			return r.Target == d.areaOf(org)
		default:
			return false
		}
	})
	if i < 0 {
		return false
	}
	d.consider(org, rule.Id, s.finding.Child, "restricted: "+s.restrictions[i].Reason)
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

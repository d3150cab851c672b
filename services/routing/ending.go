package routing

import (
	"cmp"
	"fmt"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/whereabouts"
)

// Ending is an event that ended a matter of a child, and stands: a missing child was found.
type Ending struct {
	EndedMS    int64              // when it did, Unix milliseconds
	ReportedMS int64              // when its publisher was told
	Told       []*ledgerv1.Notice // of the child, that tell of it
}

// reasonResumed is why somebody is told of a matter that they were told is over.
const reasonResumed = "what you were told had ended it was taken back or corrected"

func reasonEnded(by *ledgerv1.Notice) string {
	return fmt.Sprintf("told that it has ended (%s)", by.Kind)
}

// endings are those of what ended a child's matters that end all that the lineage reports of the child. What happened later
// is not over, and what was reported later may be news: a child who was found is missing again, and the form still says
// when the child was last seen before.
func (d *decider) endings(s *subject) []Ending {
	if d.Endings == nil || !s.found {
		return nil
	}
	var happened, reported int64
	for i, ref := range s.refs {
		if ref == "" {
			continue
		}
		ev := d.events[i]
		happened = max(happened, whereabouts.Happened(ev.Body).UnixMilli())
		reported = max(reported, cmp.Or(ev.ReportedMS, ev.Body.Time.AsTime().UnixMilli()))
	}
	return slices.DeleteFunc(d.Endings(s.id(), notice.EventKind(s.event.Type)), func(e Ending) bool {
		return e.EndedMS < happened || e.ReportedMS < reported
	})
}

// toldOfEnd says whether a recipient is told that what it would be told of a child is over: the same organisation in the same
// function. Then it is not told that it began, or no longer. Whoever is not told of the end goes on being told.
func (d *decider) toldOfEnd(rule *policy.Rule, s *subject, n *ledgerv1.Notice) bool {
	for _, ending := range s.endings {
		for _, by := range slices.Backward(ending.Told) {
			if n.Child == by.Child && n.Organisation == by.Organisation && n.Function == by.Function &&
				n.Subscription == by.Subscription && n.Organisation != EventOrganisation {
				d.endsFor(rule, n, by)
				return true
			}
		}
	}
	if by, ended := d.round.Ended[n.Obligation]; ended && !d.stillSaid(s, by) {
		n.Because = join(n.Because, reasonResumed)
	}
	return false
}

// endsFor notes that a notice tells the recipient of another of the end of its matter.
func (d *decider) endsFor(rule *policy.Rule, n, by *ledgerv1.Notice) {
	d.consider(notice.OrgID(n.Organisation), rule.Id, n.Child, reasonEnded(by))
	if d.ended[n.Obligation] == nil {
		d.ended[n.Obligation] = by
		d.out.Ended = append(d.out.Ended, &ledgerv1.Ended{Obligation: n.Obligation, Child: n.Child, Notice: by.Id})
	}
}

// stillSaid says whether what a notice told had ended something still stands, whatever it ends by now.
func (d *decider) stillSaid(s *subject, by string) bool {
	return d.Endings != nil && slices.ContainsFunc(d.Endings(s.id(), notice.EventKind(s.event.Type)), func(e Ending) bool {
		return slices.ContainsFunc(e.Told, func(n *ledgerv1.Notice) bool { return n.Id == by })
	})
}

// knowsOfEnd says whether an organisation is told that what is decided about has ended for a child.
func (d *decider) knowsOfEnd(s *subject, org notice.OrgID) bool {
	for _, by := range d.ended {
		if by.Child == s.finding.Child && by.Organisation == string(org) {
			return true
		}
	}
	return false
}

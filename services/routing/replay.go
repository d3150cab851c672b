package routing

import (
	"bytes"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
)

// ReportKey names an event and a child's handle in it.
func ReportKey(event, ref string) string { return event + " " + ref }

// ReportsOf names what a notice of a decision tells of.
func ReportsOf(sources []*ledgerv1.Source, refs []string) []string {
	var reports []string
	for i, ref := range refs {
		if ref != "" && i < len(sources) {
			reports = append(reports, ReportKey(sources[i].Event, ref))
		}
	}
	return reports
}

// pair holds the obligations of this round against the notices before it: each with the one that it takes up, and those
// of the round before that none takes up. The content of each obligation is worked out on the way.
//
// An obligation is known by its key. In a replay, where the policy or the directory may be other than they were, it is
// also known by its recipient: whoever was told of the same child or the same report is not told once more because a
// rule has another name now, or the child is known now. And what has ended is told by its content, though it stood no more.
func (d *decider) pair() (before map[*obligation]Prior, gone []Prior) {
	for _, o := range d.obligations {
		c := d.contentOf(o)
		o.ContentDigest, o.Fields = c.digest, c.fields
	}
	if len(d.round.Prior) == 0 {
		return nil, nil
	}
	before = map[*obligation]Prior{}
	byKey := map[string]Prior{}
	for _, p := range d.round.Prior {
		if !p.Past {
			byKey[p.Obligation] = p
		}
	}
	taken := map[string]bool{}
	take := func(o *obligation, p Prior) { before[o], taken[p.ID] = p, true }
	for _, o := range d.obligations {
		if p, ok := byKey[o.Obligation]; ok {
			take(o, p)
		}
	}
	if d.round.Cause == ledgerv1.Cause_CAUSE_REPLAY {
		d.pairByRecipient(before, taken, take)
	}
	for _, p := range d.round.Prior {
		if !p.Past && !taken[p.ID] {
			gone = append(gone, p)
		}
	}
	return before, gone
}

func (d *decider) pairByRecipient(before map[*obligation]Prior, taken map[string]bool, take func(*obligation, Prior)) {
	for _, past := range []bool{false, true} {
		for _, o := range d.obligations {
			if _, done := before[o]; done {
				continue
			}
			i := slices.IndexFunc(d.round.Prior, func(p Prior) bool {
				return p.Past == past && !taken[p.ID] && d.sameRecipient(p, o) && (!past || bytes.Equal(p.ContentDigest, o.ContentDigest))
			})
			if i >= 0 {
				take(o, d.round.Prior[i])
			}
		}
	}
}

// sameRecipient says whether a notice tells whom an obligation tells, of the same child or the same report.
func (d *decider) sameRecipient(p Prior, o *obligation) bool {
	if p.Organisation == "" || p.Organisation != o.Organisation || p.Function != o.Function {
		return false
	}
	if o.Child != "" && p.Child == o.Child {
		return true
	}
	return slices.ContainsFunc(ReportsOf(d.out.Sources, o.Refs), func(r string) bool { return slices.Contains(p.Reports, r) })
}

// replaced says why a notice ends that another takes the place of.
func (p Prior) replaced(toParty bool) string {
	switch {
	case toParty:
		return "it lies with somebody who is a party, or may be: somebody else is told"
	case p.Again:
		return "sent again: an operator asked for it"
	case p.Withdrawn:
		return "part of what this recipient was told was withdrawn"
	}
	return "what this recipient is told has changed"
}

// tooLateToHurry says whether a replay tells what was due already when the event was reported: by the clock of that
// time. What can no longer be in time must not hold up what still can, so it goes with the routine.
func (d *decider) tooLateToHurry(clock *policyv1.Clock, s *subject, school schoolClock) bool {
	if d.round.Cause != ledgerv1.Cause_CAUSE_REPLAY {
		return false
	}
	then := *d
	then.Now = s.event.Time.AsTime()
	due, _ := then.due(clock, s, school)
	return !due.After(d.Now)
}

// keepContributions leaves to notices before term what is theirs. A replay may come in term, when nothing is contributed
// any more: what the incident gave in its holiday stays. And it may come in a holiday that the incident was not in: it
// joins the notice before term only where a setting is told of it anew, which had it from nobody.
func (d *decider) keepContributions() {
	if d.round.Cause != ledgerv1.Cause_CAUSE_REPLAY {
		return
	}
	earlier := map[string]bool{}
	for _, c := range d.round.Contributed {
		earlier[c.Lineage] = true
	}
	d.out.Contributions = slices.DeleteFunc(d.out.Contributions, func(c *ledgerv1.Contribution) bool {
		return !earlier[c.Lineage] && !slices.ContainsFunc(d.out.Notices, func(n *ledgerv1.Notice) bool {
			return n.Child == c.Child && n.Organisation == c.Organisation && n.Repeats == "" && n.Replaces == ""
		})
	})
	for _, c := range d.round.Contributed {
		again := slices.ContainsFunc(d.out.Contributions, func(x *ledgerv1.Contribution) bool { return x.Lineage == c.Lineage })
		if !again && len(c.Refs) == len(d.out.Sources) {
			d.out.Contributions = append(d.out.Contributions, c)
		}
	}
}

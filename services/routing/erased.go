package routing

import (
	"cmp"
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Erased is what a round knows of the events of its lineage that still stand and cannot be read any more. Whatever a round
// is for, one rule holds for them: of an erased event nobody is told anew, and nothing is taken back because it was erased.
//
//   - A notice that tells of one stands until something else ends it: a withdrawal, a correction, a later event that the same
//     recipient is told of, a duty that is over. Where it told of other events as well and has reached nobody, it is made anew
//     of those. A setting that says it does not have the child ends its notice too, and a person is asked.
//   - Its children stay children of the matter, with their tasks and with what they gave to notices before term.
//   - An acceptance of responsibility that was given stays given, and what was accepted counts as it did. What had ended has.
//   - Where somebody would have to be told and nobody can be, the publisher's desk is asked.
//
// A replay, which nobody needs, leaves such a lineage alone; that is the engine's to see to.
type Erased struct {
	Sources     []*ledgerv1.Source
	Undecided   []*ledgerv1.Source       // those of them that no round has decided on
	Children    []*ledgerv1.ChildFinding // that the last round found in them
	Lacks       []*ledgerv1.Lack         // that they leave out
	Parties     [][]byte                 // of the round before: digests, as Decision.parties
	Tasks       map[string]bool          // open ones that are about them, or may be
	Ended       []*ledgerv1.Ended        // who of them is told of the end instead, by the last round
	Contributed []*ledgerv1.Contribution // what they gave to notices before term; refs as in this round's sources
	Acceptances bool                     // an event that accepts responsibility for the lineage's matter is among what was erased
	Matters     map[string]bool          // event that accepts → an event of what it accepts is
}

// stays says whether a notice stands although the round would tell its recipient something else: it may have told somebody
// of an erased event, and what the round would tell instead is no news.
func (d *decider) stays(p Prior, o *obligation) bool {
	if !p.Erased || !p.Sent || p.Withdrawn {
		return false
	}
	for i, ref := range o.Refs {
		if ref != "" && !slices.Contains(p.Rests, d.events[i].Source.Event) {
			return false
		}
	}
	return true
}

// keepErased leaves as it is what the round before came to about events that cannot be read any more.
func (d *decider) keepErased() {
	erased := d.round.Erased
	for _, c := range erased.Children {
		d.out.Children = append(d.out.Children, c)
		switch {
		case !slices.Contains(d.round.Accepted, c.Child) || slices.Contains(d.out.Accepted, c.Child):
		case len(d.round.Acceptances) > 0 || erased.Acceptances:
			d.out.Accepted = append(d.out.Accepted, c.Child)
		default:
			d.askErased(c, "the home area's acceptance does not stand any more, and the event was erased: telephone those who had been told until then")
		}
	}
	d.out.Lacks = append(d.out.Lacks, erased.Lacks...)
	for _, x := range erased.Ended {
		s := &subject{finding: &ledgerv1.ChildFinding{Child: x.Child}, event: &eventv1.Event{Type: string(d.round.Kind)}}
		switch {
		case slices.ContainsFunc(d.out.Ended, func(o *ledgerv1.Ended) bool { return o.Obligation == x.Obligation }):
		case d.stillSaid(s, x.Notice):
			d.out.Ended = append(d.out.Ended, x)
		default:
			d.askErased(s.finding, "what had ended this was taken back or corrected, and the event was erased: telephone those who were told that it had ended")
		}
	}
	for _, c := range erased.Contributed {
		if !slices.ContainsFunc(d.out.Contributions, func(x *ledgerv1.Contribution) bool { return x.Lineage == c.Lineage }) {
			d.out.Contributions = append(d.out.Contributions, c)
		}
	}
	for _, src := range erased.Undecided {
		d.askErased(&ledgerv1.ChildFinding{Event: src.Event},
			"an event was erased before anybody was told of it: publish it again under an id of its own, or tell those concerned by telephone")
	}
}

// endErased ends or keeps a notice that no obligation of the round takes up and that tells of an erased event.
func (d *decider) endErased(p Prior) {
	over := cmp.Or(d.over[duty{p.Child, ""}], d.over[duty{p.Child, p.Rule}])
	switch {
	case over != "":
		d.out.Superseded = append(d.out.Superseded, &ledgerv1.Superseded{Notice: p.ID, Reason: over})
	case d.round.NotAt[notice.ChildID(p.Child)][notice.OrgID(p.Organisation)]:
		d.out.Superseded = append(d.out.Superseded, &ledgerv1.Superseded{Notice: p.ID, Reason: "said that the child is not there"})
		d.askErased(&ledgerv1.ChildFinding{Child: p.Child},
			p.Organisation+" says the child is not there, and the event was erased: find out where the child is taught, and telephone")
	default:
		d.out.Kept = append(d.out.Kept, p.ID)
	}
}

// askErased asks the desk of the agency that published what was erased: nobody else knows any more what it was about.
func (d *decider) askErased(finding *ledgerv1.ChildFinding, detail string) {
	s := &subject{finding: finding, child: &eventv1.Child{}, event: &eventv1.Event{Source: string(d.round.Agency)}}
	owner := d.publisher(s)
	d.ask(ledgerv1.TaskKind_TASK_KIND_GAP, s, owner, "desk", owner, detail, nil)
}

package engine

import (
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// keepErased tells a round what it must leave as it is: what the ledger still knows about events that cannot be read any more.
// routing.Erased says by what rule.
func (e *Engine) keepErased(l *ledger.Lineage, round *routing.Round, events []routing.Event, erased []*ledgerv1.Source) {
	e.markErased(round, erased)
	e.childrenOfErased(l, round, erased)
	known := &round.Erased
	known.Sources = erased
	for _, src := range erased {
		ev := e.state.Events[src.Event]
		known.Lacks = append(known.Lacks, ev.Lacks...)
		if !ev.Assessed {
			known.Undecided = append(known.Undecided, src)
		}
	}
	for _, x := range l.Ended {
		if slices.ContainsFunc(known.Children, func(c *ledgerv1.ChildFinding) bool { return c.Child == x.Child }) {
			known.Ended = append(known.Ended, x)
		}
	}
	for id, open := range round.Tasks {
		if open && e.state.Tasks[id].Child == "" { // about an event as a whole, and nobody can say any more which
			known.Tasks[id] = true
		}
	}
	sources := make([]*ledgerv1.Source, 0, len(events)+len(erased))
	for _, ev := range events {
		sources = append(sources, ev.Source)
	}
	known.Contributed = e.contributedByErased(l, append(sources, erased...), erased)
}

// keepErasedIncidents is keepErased for a notice before term, whose events are those of other lineages.
func (e *Engine) keepErasedIncidents(l *ledger.Lineage, round *routing.Round, erased []*ledgerv1.Source) {
	e.markErased(round, erased)
	e.childrenOfErased(l, round, erased)
}

// markErased marks the notices that tell of erased events, or that stand for what one of them says.
func (e *Engine) markErased(round *routing.Round, erased []*ledgerv1.Source) {
	tells := map[string]bool{}
	for _, src := range erased {
		for _, n := range e.state.ToldOf(e.state.Events[src.Event]) {
			tells[n.Id] = true
		}
	}
	for i := range round.Prior {
		p := &round.Prior[i]
		if !tells[p.ID] {
			continue
		}
		p.Erased = true
		for _, src := range e.state.Notices[p.ID].Sources {
			p.Rests = append(p.Rests, src.Event)
		}
	}
}

// childrenOfErased gives a round the children that the last one found in what has been erased since, and their tasks.
func (e *Engine) childrenOfErased(l *ledger.Lineage, round *routing.Round, erased []*ledgerv1.Source) {
	known := &round.Erased
	known.Tasks, known.Parties = map[string]bool{}, l.Parties
	for _, c := range l.Children {
		if isAmong(erased, e.state.StandsNow(c.Event)) {
			known.Children = append(known.Children, c)
		}
	}
	for id, open := range round.Tasks {
		child := e.state.Tasks[id].Child
		if open && slices.ContainsFunc(known.Children, func(c *ledgerv1.ChildFinding) bool { return c.Child == child }) {
			known.Tasks[id] = true
		}
	}
}

// contributedByErased is what a lineage gives to notices before term of events that were erased, by the sources of the round
// to come.
func (e *Engine) contributedByErased(l *ledger.Lineage, sources, erased []*ledgerv1.Source) []*ledgerv1.Contribution {
	var given []*ledgerv1.Contribution
	for _, id := range l.Contributes {
		before := e.state.Lineages[id].Contributions[l.ID]
		c := proto.CloneOf(before.Contribution)
		c.Refs = make([]string, len(sources))
		tells := false
		for i, src := range before.Sources {
			at := slices.IndexFunc(sources, func(s *ledgerv1.Source) bool { return s.Event == src.Event })
			if at < 0 || before.Refs[i] == "" {
				continue
			}
			c.Refs[at] = before.Refs[i]
			tells = tells || isAmong(erased, src.Event)
		}
		if tells {
			given = append(given, c)
		}
	}
	return given
}

func isAmong(sources []*ledgerv1.Source, event string) bool {
	return slices.ContainsFunc(sources, func(s *ledgerv1.Source) bool { return s.Event == event })
}

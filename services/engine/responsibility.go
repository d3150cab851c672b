package engine

import (
	"context"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// withAcceptances gives a round what routing needs to say whether a home area has accepted responsibility: the events that
// accept what the lineage is about and, where it accepts something itself, the events of that.
func (e *Engine) withAcceptances(ctx context.Context, l *ledger.Lineage, round *routing.Round) error {
	acceptances, erased, err := e.events(ctx, sourcesOf(e.state.Acceptances(l.ID)))
	if err != nil {
		return err
	}
	round.Acceptances, round.Erased.Acceptances = acceptances, len(erased) > 0
	if l.Kind != notice.ResponsibilityAccepted {
		return nil
	}
	round.Matters, round.Erased.Matters = map[string][]routing.Event{}, map[string]bool{}
	for _, head := range e.state.Heads(l) {
		matter := e.state.Lineages[head.Accepts]
		if matter == nil {
			continue
		}
		events, erased, err := e.events(ctx, sourcesOf(e.state.Heads(matter)))
		if err != nil {
			return err
		}
		round.Matters[head.Source.Event], round.Erased.Matters[head.Source.Event] = events, len(erased) > 0
	}
	return nil
}

func sourcesOf(events []*ledger.Event) []*ledgerv1.Source {
	sources := make([]*ledgerv1.Source, len(events))
	for i, ev := range events {
		sources[i] = ev.Source
	}
	return sources
}

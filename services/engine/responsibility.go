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
	var err error
	if round.Acceptances, err = e.events(ctx, sourcesOf(e.state.Acceptances(l.ID))); err != nil {
		return err
	}
	if l.Kind != notice.ResponsibilityAccepted {
		return nil
	}
	round.Matters = map[string][]routing.Event{}
	for _, head := range e.state.Heads(l) {
		matter := e.state.Lineages[head.Accepts]
		if matter == nil {
			continue
		}
		if round.Matters[head.Source.Event], err = e.events(ctx, sourcesOf(e.state.Heads(matter))); err != nil {
			return err
		}
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

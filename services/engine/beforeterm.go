package engine

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// incidents are the parts of a notice before term, in the order in which the incidents were reported, and those of their
// events that were erased.
func (e *Engine) incidents(ctx context.Context, l *ledger.Lineage) (incidents []routing.Incident, erased []*ledgerv1.Source, err error) {
	for _, id := range slices.Sorted(maps.Keys(l.Contributions)) {
		c := l.Contributions[id]
		events, gone, err := e.events(ctx, c.Sources)
		if err != nil {
			return nil, nil, err
		}
		if len(events) < len(c.Sources) {
			c.Contribution = onlyOf(c, events)
		}
		if len(events) > 0 {
			incidents = append(incidents, routing.Incident{Contribution: c.Contribution, Events: events})
		}
		erased = append(erased, gone...)
	}
	slices.SortStableFunc(incidents, func(a, b routing.Incident) int {
		return a.Events[0].Body.Time.AsTime().Compare(b.Events[0].Body.Time.AsTime())
	})
	return incidents, erased, nil
}

// onlyOf keeps the refs of the events that are left.
func onlyOf(c ledger.Contribution, left []routing.Event) *ledgerv1.Contribution {
	cut := proto.CloneOf(c.Contribution)
	cut.Refs = nil
	for i, src := range c.Sources {
		if slices.ContainsFunc(left, func(ev routing.Event) bool { return ev.Source == src }) {
			cut.Refs = append(cut.Refs, c.Refs[i])
		}
	}
	return cut
}

package rpc

import (
	"context"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/whereabouts"
)

// fortnight is how far back the list looks where nobody says.
const fortnight = 14

// Whereabouts lists children missing, in custody or in police protection. It is made of the events that stand; what was
// erased is counted, and a child whose whereabouts are sealed is not named.
func (s *ledgerService) Whereabouts(ctx context.Context, req *ledgerv1.WhereaboutsRequest) (*ledgerv1.WhereaboutsResponse, error) {
	asOf := s.Clock.Now()
	if req.GetAsOfMs() != 0 {
		asOf = time.UnixMilli(req.GetAsOfMs())
	}
	days := int(req.GetDays())
	if days == 0 {
		days = fortnight
	}
	since := asOf.In(directory.London()).AddDate(0, 0, -days) // days of the calendar: one may have 23 hours, or 25
	response := &ledgerv1.WhereaboutsResponse{SinceMs: since.UnixMilli(), AsOfMs: asOf.UnixMilli()}

	standing, err := s.standing(ctx)
	if err != nil {
		return nil, err
	}
	var reports []whereabouts.Report
	for _, one := range standing {
		body, err := s.Engine.Body(ctx, one.source)
		switch {
		case notice.KindOf(err) == notice.NotFound && err != nil:
			response.Erased++
			continue
		case err != nil:
			return nil, err // a list that leaves children out is worse than none
		}
		reports = append(reports, whereabouts.Report{Body: body, Kids: one.kids})
	}
	response.Episodes = whereabouts.List(reports, since, asOf)
	snapshot, _ := s.Current()
	for _, e := range response.Episodes {
		if sealedChild(snapshot, e.GetChild()) {
			e.Child, e.ResidenceArea, e.LookedAfterBy = "", "", ""
		}
	}
	return response, nil
}

// standingEvent is an event that a decision rests on, with the children that it found.
type standingEvent struct {
	source *ledgerv1.Source
	kids   map[string]whereabouts.Kid
}

// standing are the events that the list is made of: those that the last decision about each matter rests on.
func (s *ledgerService) standing(ctx context.Context) ([]standingEvent, error) {
	var all []standingEvent
	err := s.Engine.View(ctx, func(state *ledger.State) {
		for _, l := range state.Lineages {
			if !slices.Contains(whereabouts.Kinds(), l.Kind) {
				continue
			}
			for _, src := range l.Sources {
				if e := state.Events[src.GetEvent()]; e != nil && e.Withdrawn {
					continue
				}
				one := standingEvent{source: src, kids: map[string]whereabouts.Kid{}}
				for _, c := range l.Children {
					if c.GetEvent() == src.GetEvent() {
						one.kids[c.GetRef()] = whereabouts.Kid{Key: c.GetChild(), Known: known(c.GetMatch())}
					}
				}
				all = append(all, one)
			}
		}
	})
	return all, err
}

// known says whether somebody on a roll is certainly the child.
func known(m ledgerv1.Match) bool {
	switch m {
	case ledgerv1.Match_MATCH_IDENTIFIER, ledgerv1.Match_MATCH_NAME, ledgerv1.Match_MATCH_PERSON:
		return true
	case ledgerv1.Match_MATCH_NONE, ledgerv1.Match_MATCH_SEVERAL, ledgerv1.Match_MATCH_CONTRADICTED, ledgerv1.Match_MATCH_UNSPECIFIED:
	}
	return false
}

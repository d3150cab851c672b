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
// erased is counted, and a child whose whereabouts are sealed is there as one whom nobody knows.
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

	reports, erased, err := reportsOf(ctx, s.Engine)
	if err != nil {
		return nil, err
	}
	response.Erased = erased
	snapshot, _ := s.Current()
	for i := range reports {
		reports[i].Kids = identified(snapshot, reports[i].Kids)
	}
	for _, e := range whereabouts.List(reports, since, asOf) {
		if e.Child == "" {
			e.ResidenceArea, e.LookedAfterBy = "", ""
		}
		response.Episodes = append(response.Episodes, e.Episode)
	}
	return response, nil
}

// reportsOf reads the reports that the list is made of, and counts those that were erased.
func reportsOf(ctx context.Context, engine Viewer) (reports []whereabouts.Report, erased int32, err error) {
	standing, err := standingEvents(ctx, engine)
	if err != nil {
		return nil, 0, err
	}
	for _, one := range standing {
		body, err := engine.Body(ctx, one.source)
		switch {
		case notice.KindOf(err) == notice.NotFound && err != nil:
			erased++
			continue
		case err != nil:
			return nil, 0, err // a list that leaves children out is worse than none
		}
		reports = append(reports, whereabouts.Report{Key: one.source.GetEvent(), Body: body, Kids: one.kids})
	}
	return reports, erased, nil
}

// identified leaves of the children of an event those who are known for certain and whose whereabouts nothing seals. The
// others are alike on the list, whichever they are and whenever they were sealed: by the reference alone, joined with nothing
// that is under another, and without where they live.
func identified(snapshot *directory.Snapshot, kids map[string]whereabouts.Kid) map[string]whereabouts.Kid {
	left := map[string]whereabouts.Kid{}
	for ref, kid := range kids {
		if kid.Known && !sealedChild(snapshot, kid.Key) {
			left[ref] = kid
		}
	}
	return left
}

// standingEvent is an event that a decision rests on, with the children that it found.
type standingEvent struct {
	source *ledgerv1.Source
	kids   map[string]whereabouts.Kid
}

// standingEvents are the events that the list is made of: those that the last decision about each matter rests on.
func standingEvents(ctx context.Context, engine Viewer) ([]standingEvent, error) {
	var all []standingEvent
	err := engine.View(ctx, func(state *ledger.State) {
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
						one.kids[c.GetRef()] = whereabouts.Kid{
							Key: c.GetChild(), Known: known(c.GetMatch()), Named: c.GetMatch() == ledgerv1.Match_MATCH_PERSON,
						}
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

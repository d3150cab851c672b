package rpc

import (
	"context"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type ledgerService struct {
	ledgerv1.UnimplementedLedgerServiceServer
	Deps
	key notice.Key
}

// Overdue lists notices and tasks past their due time, longest overdue first: from the read model, and from the engine's
// memory while that is not to be had.
func (s *ledgerService) Overdue(ctx context.Context, _ *ledgerv1.OverdueRequest) (*ledgerv1.OverdueResponse, error) {
	response := &ledgerv1.OverdueResponse{}
	now := s.Clock.Now().UnixMilli()
	overdue, missing := s.Query.Overdue(ctx, now)
	if missing != nil && notice.KindOf(missing) != notice.Unavailable {
		return nil, missing
	}
	err := s.Engine.View(ctx, func(state *ledger.State) {
		if response.Overdue, response.Stops = overdue, state.Stops(); missing != nil {
			response.Overdue = state.Overdue(now)
		}
	})
	return response, err
}

// Summary counts every notice once, by its present state.
func (s *ledgerService) Summary(ctx context.Context, _ *ledgerv1.SummaryRequest) (*ledgerv1.SummaryResponse, error) {
	// The ends of the streams are read first: what is published meanwhile leaves the ledger behind, not ahead.
	lasts, err := s.lasts(ctx)
	if err != nil {
		return nil, err
	}
	var sum ledger.Summary
	var stops []*ledgerv1.StopInForce
	var idle bool
	now := s.Clock.Now().UnixMilli()
	if err := s.Engine.View(ctx, func(state *ledger.State) {
		sum, stops, idle = state.Summarise(), state.Stops(), state.Idle(now)
		for agency, last := range lasts {
			idle = idle && state.Cursor(agency) >= last
		}
	}); err != nil {
		return nil, err
	}
	return &ledgerv1.SummaryResponse{
		Notices: sum.Notices, Acknowledged: sum.Acknowledged, Delivered: sum.Delivered, Held: sum.Held,
		WithPerson: sum.WithPerson, Superseded: sum.Superseded, WithoutEndOrOwner: sum.Neither,
		OpenTasks: sum.OpenTasks, Events: sum.Events, Refused: sum.Refused, Idle: idle,
		Stopped: sum.Stopped, Stops: stops, Withdrawn: sum.Withdrawn,
	}, nil
}

// lasts is the end of every agency's stream.
func (s *ledgerService) lasts(ctx context.Context) (map[notice.AgencyID]uint64, error) {
	snapshot, _ := s.Current()
	lasts := map[notice.AgencyID]uint64{}
	for _, a := range snapshot.Agencies() {
		agency := notice.AgencyID(a.GetId())
		last, err := s.Events.Last(ctx, agency)
		if err != nil && notice.KindOf(err) != notice.NotFound { // without a stream it has published nothing
			return nil, err
		}
		lasts[agency] = last
	}
	return lasts, nil
}

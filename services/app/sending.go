package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// watchSending has gRPC health and the log say what is stopped: at the start and at each change. That a stop lasts is an
// alarm's to say.
func (s *Service) watchSending(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.office.ready:
	}
	for known := int64(-1); ; {
		var stops []*ledgerv1.StopInForce
		var heldBack, switches int64
		err := s.office.View(ctx, func(state *ledger.State) {
			stops, heldBack, switches = state.Stops(), state.Summarise().Stopped, state.Switches
		})
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			s.rpc.SetSending(len(stops) > 0)
			reportSending(s.log, stops, heldBack, known >= 0 && known != switches)
			known = switches
		}
		err = s.office.Await(ctx, func(state *ledger.State) bool { return state.Switches != known })
		if err != nil { // the engine is between two turns, or the service ends
			select {
			case <-ctx.Done():
			case <-time.After(beginAgain):
			}
		}
	}
}

// reportSending says what is stopped; that nothing is, only where that is new.
func reportSending(log *zap.Logger, stops []*ledgerv1.StopInForce, heldBack int64, changed bool) {
	if len(stops) == 0 {
		if changed {
			log.Info("sending is resumed: nothing is stopped")
		}
		return
	}
	for _, p := range stops {
		log.Warn("sending is stopped", zap.Stringer("scope", p.GetScope()), zap.String("target", p.GetTarget()),
			zap.String("by", p.GetBy()), zap.Time("since", time.UnixMilli(p.GetSinceMs()).UTC()), zap.Int64("held_back", heldBack))
	}
}

package app

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Stored is how many messages were made durable, each with an fsync of its own: events, and packs of facts.
func (s *Service) Stored(ctx context.Context) (uint64, error) {
	stored, err := s.ledger.Last(ctx)
	if err != nil {
		return 0, err
	}
	snapshot, _ := s.holder.Current()
	for _, a := range snapshot.Agencies() {
		last, err := s.store.Events().Last(ctx, notice.AgencyID(a.Id))
		if err != nil {
			return 0, err
		}
		stored += last
	}
	return stored, nil
}

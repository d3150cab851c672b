package app

import (
	"context"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/query"
)

// QueryFile is the read model's file in the data folder. It is not backed up: it is made anew from the ledger.
const QueryFile = "query.db"

func (s *Service) openQuery(context.Context) (err error) {
	s.query, err = query.New(query.Deps{Log: s.ledger, Logger: s.log.Named("query")}, filepath.Join(s.config.Data, QueryFile))
	return err
}

// runQuery keeps the read model, and has gRPC health say whether it is up to date.
func (s *Service) runQuery(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return s.query.Run(ctx) })
	current := false
	s.query.Watch(ctx, func(status query.Status) {
		if status.Current != current {
			current = status.Current
			s.rpc.SetReading(current)
		}
	})
	return group.Wait()
}

package app

import (
	"context"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/store"
)

// NewWriting is New, with something on the way to the ledger.
func NewWriting(ctx context.Context, c Config, clk clock.Clock, log *zap.Logger, writing func(engine.Log) engine.Log) (*Service, error) {
	return New(ctx, c, clk, log, func(s *Service) { s.writing = writing })
}

// RenewNATSCertificate does now what Run does once two thirds of the certificate's time are over.
func (s *Service) RenewNATSCertificate(ctx context.Context) error { return s.renewNATSCertificate(ctx) }

// Store is what the service keeps everything in.
func (s *Service) Store() *store.Store { return s.store }

package app

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/store"
)

// RenewNATSCertificate does now what Run does once two thirds of the certificate's time are over.
func (s *Service) RenewNATSCertificate(ctx context.Context) error { return s.renewNATSCertificate(ctx) }

// Store is what the service keeps everything in.
func (s *Service) Store() *store.Store { return s.store }

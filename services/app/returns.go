package app

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/delivery/returns"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// returnsKey is the key of return addresses, apart from the ledger's own.
func returnsKey(key notice.Key) notice.Key {
	var derived notice.Key
	copy(derived[:], key.Digest("returns"))
	return derived
}

// returnTo makes the envelope sender of an attempt; nil where nobody listens for what comes back.
func (s *Service) returnTo() func(noticeID string, attempt uint32) string {
	if s.config.Returns.Listen == "" {
		return nil
	}
	derived := returnsKey(s.key)
	return func(id string, attempt uint32) string {
		return returns.Address(derived, s.config.Returns.Domain, id, attempt)
	}
}

// openReturns listens for bounces and automatic replies, where the configuration says so.
func (s *Service) openReturns(context.Context) error {
	if s.config.Returns.Listen == "" {
		return nil
	}
	certificate, err := s.renewing()
	if err != nil {
		return err
	}
	s.returns, err = returns.New(returns.Config{
		Listen: s.config.Returns.Listen, Domain: s.config.Returns.Domain, TLS: certificate.PublicServerTLS(), Key: returnsKey(s.key),
	}, s.office, s.log.Named("returns"))
	if err != nil {
		return err
	}
	s.onClose("returned mail listener", s.returns.Close)
	return nil
}

// runReturns takes what comes back until the context ends.
func (s *Service) runReturns(ctx context.Context) error {
	if s.returns == nil {
		<-ctx.Done()
		return nil
	}
	return s.returns.Run(ctx)
}

// ReturnsAddr is where bounces and automatic replies are taken; empty where nobody listens for them.
func (s *Service) ReturnsAddr() string {
	if s.returns == nil {
		return ""
	}
	return s.returns.Addr()
}

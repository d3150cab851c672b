package app

import (
	"time"

	"github.com/signalbox-hq/signalbox/services/delivery/push"
	"github.com/signalbox-hq/signalbox/services/delivery/smtp"
	"github.com/signalbox-hq/signalbox/services/identity"
)

func (s *Service) mailSender() (*smtp.Sender, error) {
	c := smtp.Config{
		Host: s.config.Mail.Host, Port: s.config.Mail.Port, From: s.config.Mail.From,
		Username: s.config.Mail.Username, PasswordFile: s.config.Mail.PasswordFile,
		Connections: s.config.Send.connections(s.config.Mail.Connections), Timeout: s.sendTimeout(),
	}
	if s.config.Mail.Roots != "" {
		roots, err := identity.LoadRoots(s.config.Mail.Roots)
		if err != nil {
			return nil, err
		}
		c.RootCAs = roots
	}
	sender, err := smtp.New(c, s.log.Named("smtp"))
	if err != nil {
		return nil, err
	}
	s.onClose("mail connections", sender.Close)
	return sender, nil
}

// sendTimeout ends a send well before its lease does, so that its end is known.
func (s *Service) sendTimeout() time.Duration { return s.config.Send.Lease * 3 / 4 }

// pushSender calls receivers with a certificate of our own authority, and trusts receivers that it vouches for.
func (s *Service) pushSender() (*push.Sender, error) {
	peer, err := identity.NewPeer(identity.Operator, "signalbox")
	if err != nil {
		return nil, err
	}
	certificate, err := identity.NewRenewing(func(now time.Time) (identity.Pair, error) {
		return s.ca.IssueClient(peer, now, serverValidity)
	}, wall)
	if err != nil {
		return nil, err
	}
	tls, err := certificate.ClientTLS(s.ca.Pool())
	if err != nil {
		return nil, err
	}
	sender, err := push.New(push.Config{TLS: tls, Timeout: min(15*time.Second, s.sendTimeout())}, s.log.Named("push"))
	if err != nil {
		return nil, err
	}
	s.onClose("receiver connections", sender.Close)
	return sender, nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

func (s *Service) openNATS(ctx context.Context) error {
	if s.config.NATS.URL != "" {
		return s.connectNATS(ctx)
	}
	host, port, err := splitPort(s.config.NATS.Listen)
	if err != nil {
		return err
	}
	certFile, keyFile, err := s.natsCertificate()
	if err != nil {
		return err
	}
	s.nats, err = store.StartServer(ctx, store.ServerConfig{
		StoreDir: filepath.Join(s.config.Data, "nats"), MaxFileStore: s.config.NATS.StoreBytes,
		ListenHost: host, ListenPort: port, ListenLater: true,
		TLS: store.TLSFiles{CertFile: certFile, KeyFile: keyFile},
		Report: func(level store.Level, text string) {
			switch level {
			case store.Broken:
				s.log.Error("NATS server", zap.String("report", text))
				select {
				case s.broken <- struct{}{}:
				default:
				}
			case store.Error:
				s.log.Error("NATS server", zap.String("report", text))
			case store.Warning:
				s.log.Warn("NATS server", zap.String("report", text))
			}
		},
	})
	if err != nil {
		return err
	}
	s.onClose("NATS server", s.nats.Shutdown)
	if s.conn, err = s.nats.Connect(s.reportNATS()); err != nil {
		return err
	}
	s.onClose("NATS connection", s.conn.Close)
	return nil
}

// watchDisk ends the service once the disk has refused a write: the embedded server takes nothing more until it is started
// again, which whoever runs the service sees to.
func (s *Service) watchDisk(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.broken:
		return notice.Faultf(notice.Unavailable, "app.Run",
			"the disk refused a write; nothing acknowledged is lost: free space in %s, and start again", s.config.Data)
	}
}

// reportNATS has the log hear what goes wrong on our own connection, which the library would print. An event whose headers
// cannot be read is refused, or taken without them: of that its publisher hears.
func (s *Service) reportNATS() nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if !errors.Is(err, nats.ErrBadHeaderMsg) {
			s.log.Warn("NATS connection", zap.Error(err))
		}
	})
}

// natsCertificate writes the server's certificate where NATS reads it, anew at every start.
func (s *Service) natsCertificate() (certFile, keyFile string, err error) {
	pair, err := serverPair(s.ca, s.config.Names, serverValidity)
	if err != nil {
		return "", "", err
	}
	dir := filepath.Join(s.config.Data, "nats-tls")
	if err := os.RemoveAll(dir); err != nil {
		return "", "", fmt.Errorf("app.natsCertificate: %w", err)
	}
	return pair.WriteFiles(dir, "server")
}

// renewNATSCertificate has the embedded server take a new certificate, without cutting anybody off.
func (s *Service) renewNATSCertificate(ctx context.Context) error {
	s.accessing.Lock()
	defer s.accessing.Unlock()
	if _, _, err := s.natsCertificate(); err != nil {
		return err
	}
	return s.nats.SetAgencies(ctx, s.access)
}

// renewCertificates renews what NATS reads from a file; the other listeners renew their own.
func (s *Service) renewCertificates(ctx context.Context) error {
	if s.nats == nil {
		<-ctx.Done()
		return nil
	}
	for wait := serverValidity * 2 / 3; ; {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		wait = serverValidity * 2 / 3
		if err := s.renewNATSCertificate(ctx); err != nil {
			s.log.Error("the NATS server's certificate cannot be renewed; trying again in an hour", zap.Error(err))
			wait = time.Hour
		}
	}
}

func (s *Service) connectNATS(ctx context.Context) error {
	seed, err := os.ReadFile(s.config.NATS.Seed)
	if err != nil {
		return notice.Fault(notice.Invalid, "app.New", fmt.Errorf("nats.seed: %w", err))
	}
	pair, err := nkeys.ParseDecoratedNKey(seed)
	if err != nil {
		return notice.Faultf(notice.Invalid, "app.New", "nats.seed: the file holds no nkey seed")
	}
	if s.routerKey, err = pair.PublicKey(); err != nil {
		return notice.Fault(notice.Invalid, "app.New", err)
	}
	s.conn, err = store.Connect(ctx, store.External{
		URL: s.config.NATS.URL, SeedFile: s.config.NATS.Seed, RootsFile: s.config.NATS.Roots,
	}, s.reportNATS())
	if err != nil {
		return err
	}
	s.onClose("NATS connection", s.conn.Close)
	return nil
}

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-hq/signalbox/services/delivery/page"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/report"
)

// pageServer serves the notice page over HTTPS.
type pageServer struct {
	listener net.Listener
	url      string
	key      notice.Key
	desk     *desk
	report   *report.Handler
	server   *http.Server
}

// pageKey is the key of the page's links and sessions, apart from the ledger's own.
func pageKey(key notice.Key) notice.Key {
	var derived notice.Key
	copy(derived[:], key.Digest("page"))
	return derived
}

// pageURL is the configured address, or one made from the listener.
func pageURL(c Config, l net.Listener) string {
	if c.Page.URL != "" {
		return strings.TrimSuffix(c.Page.URL, "/")
	}
	host, _, _ := net.SplitHostPort(c.Page.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = c.Names[0]
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "https://" + net.JoinHostPort(host, port)
}

func (s *Service) openPage(context.Context) error {
	handler, err := page.New(page.Config{BaseURL: s.page.url, Key: s.page.key, Names: s.page.desk.post.name},
		s.page.desk, s.clock.Now, s.log.Named("page"))
	if err != nil {
		return err
	}
	if s.page.report, err = report.New(report.Config{
		BaseURL: s.page.url, Key: s.page.key, Live: s.config.Traffic == "live", London: directory.London(),
	}, s.reporting(), s.reporting(), s.clock.Now, s.log.Named("report")); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/report", s.page.report)
	mux.Handle("/report/", s.page.report)
	config, err := s.pageTLS()
	if err != nil {
		return err
	}
	s.page.server = &http.Server{
		Handler: mux, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	return nil
}

func (s *Service) reporting() *reporting {
	return &reporting{
		engine: s.office, events: s.store.Events(), vault: s.store.Vault(), inlet: s.inlet(), holder: s.holder, post: s.page.desk.post,
		seal: newReportSeal(s.key), admit: s.guard.Admit, clock: s.clock, mailDomain: s.page.desk.mailDomain,
	}
}

func (s *Service) pageTLS() (*tls.Config, error) {
	if s.config.Page.Certificate != "" {
		pair, err := identity.LoadPair(s.config.Page.Certificate, s.config.Page.Key)
		if err != nil {
			return nil, err
		}
		return identity.PublicServerTLS(pair)
	}
	certificate, err := s.renewing()
	if err != nil {
		return nil, err
	}
	return certificate.PublicServerTLS(), nil
}

// run serves until the context ends.
func (p *pageServer) run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- p.server.ServeTLS(p.listener, "", "") }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := p.server.Shutdown(bounded); err != nil {
		_ = p.server.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func splitPort(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, notice.Fault(notice.Invalid, "app.New", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, notice.Fault(notice.Invalid, "app.New", fmt.Errorf("%s: the port must be a number", address))
	}
	return host, port, nil
}

func domainOf(from string) string {
	address, err := mail.ParseAddress(from)
	if err != nil {
		return "signalbox.invalid"
	}
	_, domain, _ := strings.Cut(address.Address, "@")
	return domain
}

package smtp

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// relay is a real SMTP server on loopback that behaves as a test tells it.
type relay struct {
	server   *gosmtp.Server
	listener *countingListener
	roots    *x509.CertPool

	onMail func() error
	onRcpt func() error
	onData func(text []byte, c *gosmtp.Conn) error

	mu       sync.Mutex
	received []letter
	sessions int
	users    []string
}

type letter struct {
	from, to string
	text     []byte
	tls      bool
}

type relayOptions struct {
	withoutTLS bool
	oldTLS     bool
	otherName  bool
	auth       bool
}

func startRelay(t *testing.T, opt relayOptions) *relay {
	t.Helper()
	ca, err := identity.CreateCA(t.TempDir(), time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"localhost"}
	if opt.otherName {
		names = []string{"elsewhere.test"}
	}
	pair, err := ca.IssueServer(identity.ServerRequest{DNSNames: names, Now: time.Now(), Validity: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := identity.PublicServerTLS(pair)
	if err != nil {
		t.Fatal(err)
	}
	if opt.oldTLS {
		settings.MinVersion, settings.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{roots: ca.Pool(), listener: &countingListener{Listener: inner}}
	r.server = gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sessions++
		s := &session{relay: r, conn: c}
		if opt.auth {
			return &authSession{session: s}, nil
		}
		return s, nil
	}))
	r.server.ErrorLog = quiet{}
	r.server.Domain = "relay.test"
	if !opt.withoutTLS {
		r.server.TLSConfig = settings
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.server.Serve(r.listener)
	}()
	t.Cleanup(func() {
		_ = r.server.Close()
		_ = inner.Close() // Serve may not have got as far as to know it
		<-done
	})
	return r
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

func (r *relay) letters() []letter {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]letter(nil), r.received...)
}

// sender is for the relay; change, where given, changes its configuration.
func (r *relay) sender(t *testing.T, change ...func(*Config)) *Sender {
	t.Helper()
	cfg := Config{
		Host: "localhost", Port: r.port(), From: "Signalbox <notices@signalbox.example>",
		EnvelopeFrom: "bounces@signalbox.example", RootCAs: r.roots, Timeout: 5 * time.Second,
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func passwordFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

type session struct {
	relay    *relay
	conn     *gosmtp.Conn
	from, to string
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	s.from = from
	if s.relay.onMail != nil {
		return s.relay.onMail()
	}
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.to = to
	if s.relay.onRcpt != nil {
		return s.relay.onRcpt()
	}
	return nil
}

func (s *session) Data(body io.Reader) error {
	var text bytes.Buffer
	if _, err := text.ReadFrom(body); err != nil {
		return err
	}
	if s.relay.onData != nil {
		if err := s.relay.onData(text.Bytes(), s.conn); err != nil {
			return err
		}
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.received = append(s.relay.received, letter{from: s.from, to: s.to, text: text.Bytes(), tls: encrypted})
	return nil
}

type authSession struct{ *session }

func (a *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (a *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if password != "correct" {
			return gosmtp.ErrAuthFailed
		}
		a.relay.mu.Lock()
		defer a.relay.mu.Unlock()
		a.relay.users = append(a.relay.users, username)
		return nil
	}), nil
}

// countingListener counts connections and can cut them all.
type countingListener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns = append(l.conns, c)
		l.mu.Unlock()
	}
	return c, err
}

func (l *countingListener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

func (l *countingListener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

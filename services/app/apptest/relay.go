package apptest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/signalbox-hq/signalbox/services/mailbox"
)

// Relay is a mail relay that behaves as a test tells it, and keeps what it has taken. It keeps its address over all its
// ups and downs.
type Relay struct {
	rig  *Rig
	tls  *tls.Config
	addr string
	down func()

	mu    sync.Mutex
	taken []mailbox.Mail
}

// Manners are how a relay behaves. The zero is a relay as it should be.
type Manners struct {
	Silent     bool // connections are taken, and hear nothing
	WithoutTLS bool // STARTTLS is not offered
	CutTLS     bool // a connection is cut within its TLS handshake

	// Rcpt is the answer to a recipient, and Data that to a mail which came whole; nil takes it.
	Rcpt func(from, to string) error
	Data func(m mailbox.Mail) error
	// Taken is called with a mail that is taken, before the sender hears so. The context ends when the relay goes down.
	Taken func(ctx context.Context, m mailbox.Mail)
}

// Relay puts a relay, that is down, in the place of the mailbox; before Boot.
func (r *Rig) Relay() *Relay {
	r.T.Helper()
	port := FreePort(r.T)
	x := &Relay{rig: r, tls: r.mailTLS, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), down: func() {}}
	r.Config.Mail.Port = port
	r.T.Cleanup(func() { x.Down() })
	return x
}

// Down ends every connection and refuses new ones.
func (x *Relay) Down() { x.down(); x.down = func() {} }

// Up has the relay behave so from now on. Connections from before are cut.
func (x *Relay) Up(m Manners) {
	x.rig.T.Helper()
	x.Down()
	inner, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", x.addr)
	x.rig.must(err)
	listener := &cuttable{Listener: inner, conns: map[net.Conn]struct{}{}}
	x.down = x.rig.background("relay", func(ctx context.Context) error {
		if m.Silent {
			return silent(ctx, listener)
		}
		return x.serve(ctx, listener, m)
	})
}

func (x *Relay) serve(ctx context.Context, listener *cuttable, m Manners) error {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &relaySession{ctx: ctx, relay: x, manners: m, conn: c}, nil
	}))
	server.Domain, server.ErrorLog = "relay.example", silence{}
	if !m.WithoutTLS {
		server.TLSConfig = x.tls
	}
	if m.CutTLS {
		server.TLSConfig = x.tls.Clone()
		server.TLSConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, errors.Join(errors.New("cut"), hello.Conn.Close())
		}
	}
	stop := context.AfterFunc(ctx, func() {
		_ = server.Close()
		_ = listener.Close() // the server knows it only once it serves
		listener.Cut()
	})
	defer stop()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func silent(ctx context.Context, listener *cuttable) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close(); listener.Cut() })
	defer stop()
	for {
		if _, err := listener.Accept(); err != nil {
			return nil
		}
	}
}

// All is what the relay has taken, oldest first.
func (x *Relay) All() []mailbox.Mail {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]mailbox.Mail(nil), x.taken...)
}

type relaySession struct {
	ctx      context.Context
	relay    *Relay
	manners  Manners
	conn     *smtp.Conn
	from, to string
}

// Mail takes the sender, under TLS only.
func (s *relaySession) Mail(from string, _ *smtp.MailOptions) error {
	if _, secured := s.conn.TLSConnectionState(); !secured {
		s.relay.rig.T.Error("a mail came without TLS")
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	}
	s.from = from
	return nil
}

// Rcpt takes the recipient, unless the manners do not.
func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.manners.Rcpt != nil {
		return s.manners.Rcpt(s.from, to)
	}
	return nil
}

// Data takes the mail, unless the manners do not.
func (s *relaySession) Data(r io.Reader) error {
	m, err := mailbox.Read(r)
	if err != nil {
		return err
	}
	m.From, m.To = s.from, s.to
	if s.manners.Data != nil {
		if err := s.manners.Data(m); err != nil {
			return err
		}
	}
	s.relay.mu.Lock()
	s.relay.taken = append(s.relay.taken, m)
	s.relay.mu.Unlock()
	if s.manners.Taken != nil {
		s.manners.Taken(s.ctx, m)
	}
	return nil
}

// Reset forgets the mail begun.
func (s *relaySession) Reset() { s.from, s.to = "", "" }

// Logout ends the session.
func (*relaySession) Logout() error { return nil }

// silence drops what the SMTP library says of connections that end.
type silence struct{}

// Printf drops a message.
func (silence) Printf(string, ...any) {}

// Println drops a message.
func (silence) Println(...any) {}

// cuttable is a listener whose connections can be cut all at once.
type cuttable struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Accept takes a connection.
func (l *cuttable) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	return conn, nil
}

// Cut closes every connection.
func (l *cuttable) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
	clear(l.conns)
}

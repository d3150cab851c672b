package returns

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Book is where what came back is recorded.
type Book interface {
	// Returned returns once what came back is durable. An attempt that there never was is NotFound.
	Returned(ctx context.Context, r *ledgerv1.Returned) error
}

// Config says where the server listens and for which addresses. The limits are for all of it; 0 is the default.
type Config struct {
	Listen      string        // host:port; port 0 takes a free one, see Server.Addr
	Domain      string        // of the addresses; the server's own name as well
	TLS         *tls.Config   // for STARTTLS
	Key         notice.Key    // of the addresses
	Connections int           // at once; 64
	PerPeer     int           // of them from one address; 16
	PerSecond   float64       // mails; 50, and four times as many at once
	MaxBytes    int64         // of one mail; 2 MiB
	Patience    time.Duration // for one command or piece of a mail; a connection lasts no longer than ten of them; one minute
}

func (c Config) withDefaults() Config {
	or := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	or(&c.Connections, 64)
	or(&c.PerPeer, 16)
	if c.PerSecond == 0 {
		c.PerSecond = 50
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 2 << 20
	}
	if c.Patience == 0 {
		c.Patience = time.Minute
	}
	return c
}

// recording bounds the wait for one fact.
const recording = 20 * time.Second

// maxRefused is how many recipients a connection may name in vain.
const maxRefused = 3

// Server takes what comes back.
type Server struct {
	config   Config
	book     Book
	log      *zap.Logger
	listener *limited
	smtp     *smtp.Server
	rate     *rate.Limiter
	ctx      context.Context // ends with Run
	stop     context.CancelFunc
}

// New listens. What it opened is closed by Run's end, or by Close where Run is never called.
func New(c Config, book Book, log *zap.Logger) (*Server, error) {
	const op = "returns.New"
	c = c.withDefaults()
	switch {
	case c.Domain == "" || c.TLS == nil || book == nil || log == nil:
		return nil, notice.Faultf(notice.Internal, op, "a part is missing")
	case c.Connections < 0 || c.PerPeer < 0 || c.PerSecond < 0 || c.MaxBytes < 0 || c.Patience < 0:
		return nil, notice.Faultf(notice.Invalid, op, "limits: give numbers above zero")
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, notice.Fault(notice.Unavailable, op, fmt.Errorf("returns.listen: %w", err))
	}
	s := &Server{
		config: c, book: book, log: log, listener: newLimited(listener, c.Connections, c.PerPeer, 10*c.Patience),
		rate: rate.NewLimiter(rate.Limit(c.PerSecond), max(1, int(4*c.PerSecond))),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: conn}, nil }))
	s.smtp.Domain = c.Domain
	s.smtp.TLSConfig = c.TLS
	s.smtp.ErrorLog = silence{} // it would name addresses
	s.smtp.MaxRecipients = 1    // each address is of one attempt; the other side sends the next by itself
	s.smtp.MaxMessageBytes = c.MaxBytes
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = c.Patience, c.Patience
	s.smtp.EnableSMTPUTF8 = true
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close stops listening.
func (s *Server) Close() {
	s.stop()
	_ = s.listener.Close() // closed already after Run
}

// Run serves until the context ends. A mail under way is cut off then: the other side has it and sends it again.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	done := make(chan error, 1)
	go func() { done <- s.smtp.Serve(s.listener) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		s.stop()
		_ = s.smtp.Close()
		_ = s.listener.Close() // Serve may not have got as far as to know it
		err = <-done
	}
	s.listener.wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed)) {
		return nil
	}
	return err
}

// silence drops what the SMTP library reports: it names the other side, and how a stranger's connection ended is not
// for a log.
type silence struct{}

// Printf drops a message.
func (silence) Printf(string, ...any) {}

// Println drops a message.
func (silence) Println(...any) {}

// session is one connection.
type session struct {
	server   *Server
	conn     *smtp.Conn
	noticeID string
	attempt  uint32
	refused  int
}

func reply(code int, enhanced smtp.EnhancedCode, message string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

// Mail takes any sender: what comes back comes from nobody, or from whoever answers by itself.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.server.rate.Allow() {
		return reply(450, smtp.EnhancedCode{4, 7, 1}, "Too much mail just now: try again later")
	}
	return nil
}

// Rcpt takes one of our own return addresses and nothing else. Whatever is wrong with another is answered alike.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	id, attempt, ok := ParseAddress(s.server.config.Key, s.server.config.Domain, to)
	if !ok {
		if s.refused++; s.refused >= maxRefused {
			_ = s.conn.Conn().Close()
		}
		return reply(550, smtp.EnhancedCode{5, 7, 1}, "Not an address of this server: nothing is relayed")
	}
	s.noticeID, s.attempt = id, attempt
	return nil
}

// Data reads what came back and takes it once it is recorded.
func (s *session) Data(r io.Reader) error {
	report := Read(r, s.noticeID)
	if _, err := io.Copy(io.Discard, r); err != nil { // so that a mail that is too large is refused
		return err
	}
	ctx, cancel := context.WithTimeout(s.server.ctx, recording)
	defer cancel()
	err := s.server.book.Returned(ctx, &ledgerv1.Returned{Notice: s.noticeID, Attempt: s.attempt, Kind: report.Kind, Code: report.Code})
	if notice.KindOf(err) == notice.NotFound {
		return reply(550, smtp.EnhancedCode{5, 1, 1}, "No such mail was ever sent")
	}
	if err != nil {
		s.server.log.Warn("what came back cannot be recorded", zap.String("notice", s.noticeID), zap.Error(err))
		return reply(451, smtp.EnhancedCode{4, 3, 0}, "It cannot be recorded now: try again later")
	}
	s.server.log.Info("something came back", zap.String("notice", s.noticeID), zap.Uint32("attempt", s.attempt),
		zap.Stringer("kind", report.Kind), zap.String("code", report.Code))
	return nil
}

// Reset forgets the mail begun.
func (s *session) Reset() { s.noticeID, s.attempt = "", 0 }

// Logout ends the session.
func (s *session) Logout() error { return nil }

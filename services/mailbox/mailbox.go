// Package mailbox is a mail server that keeps what it is sent in memory: the relay of the demo and of the tests, where
// invented people read their mail.
//
// It speaks real SMTP with STARTTLS on loopback. It is no part of a running service.
package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// Mail is an email as it arrived.
type Mail struct {
	From      string // envelope sender: where a bounce goes
	To        string
	Subject   string
	MessageID string
	Text      string
	HTML      string
	Header    map[string]string // the fields that begin with X-Signalbox-, and Auto-Submitted
}

// Server keeps mail.
type Server struct {
	listener net.Listener
	smtp     *smtp.Server

	mu      sync.Mutex
	mails   []Mail
	arrived chan struct{} // closed, and made anew, with every mail
	refuse  func(to string) error
	taken   func(Mail)
}

// New listens on loopback. Mail is taken only under TLS.
func New(config *tls.Config) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, arrived: make(chan struct{})}
	s.smtp = smtp.NewServer(backend{s})
	s.smtp.Domain = "mailbox.example"
	s.smtp.ErrorLog = silence{}
	s.smtp.TLSConfig = config
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = time.Minute, time.Minute
	s.smtp.MaxMessageBytes = 4 << 20
	return s, nil
}

// Host is the host to send to.
func (s *Server) Host() string { return "localhost" }

// Port is the port to send to.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Run serves until the context ends.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.smtp.Serve(s.listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		_ = s.smtp.Close()
		_ = s.listener.Close() // the server knows it only once it serves
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// Refuse has the server answer recipients with an error, for example a *smtp.SMTPError; nil takes them all again.
func (s *Server) Refuse(fn func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = fn
}

// Taken has fn called with each mail once it is kept and before its sender is answered; nil ends that.
func (s *Server) Taken(fn func(Mail)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = fn
}

// All returns what has arrived, oldest first.
func (s *Server) All() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// To returns what has arrived for an address, oldest first.
func (s *Server) To(address string) []Mail {
	var mails []Mail
	for _, m := range s.All() {
		if strings.EqualFold(m.To, address) {
			mails = append(mails, m)
		}
	}
	return mails
}

// Await waits until an address has a mail, from the n-th (0 is the first) on, that fits.
func (s *Server) Await(ctx context.Context, address string, from int, fits func(Mail) bool) (Mail, error) {
	for {
		s.mu.Lock()
		arrived := s.arrived
		s.mu.Unlock()
		for i, m := range s.To(address) {
			if i >= from && fits(m) {
				return m, nil
			}
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return Mail{}, ctx.Err()
		}
	}
}

func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// answering is called before the sender of a mail that was kept is answered.
func (s *Server) answering(m Mail) {
	s.mu.Lock()
	taken := s.taken
	s.mu.Unlock()
	if taken != nil {
		taken(m)
	}
}

// silence drops what the server says of clients that went away: one that is killed is no fault of anybody's.
type silence struct{}

// Printf drops a message.
func (silence) Printf(string, ...any) {}

// Println drops a message.
func (silence) Println(...any) {}

type backend struct{ server *Server }

// NewSession begins a session.
func (b backend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: b.server, conn: c}, nil
}

type session struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

// Mail takes the sender, under TLS only.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if _, secured := s.conn.TLSConnectionState(); !secured {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	}
	s.from = from
	return nil
}

// Rcpt takes a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	refuse := s.server.refuse
	s.server.mu.Unlock()
	if refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	m, err := Read(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		m.From, m.To = s.from, to
		s.server.keep(m)
		s.server.answering(m)
	}
	return nil
}

// Reset forgets the message begun.
func (s *session) Reset() { s.to = nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Read reads a mail as it comes from its sender: without the envelope, which is the caller's to add. One that cannot be
// read is a *smtp.SMTPError.
func Read(r io.Reader) (Mail, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return Mail{}, err
	}
	m, err := parse(raw)
	if err != nil {
		return Mail{}, &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "The message cannot be read"}
	}
	return m, nil
}

func parse(raw []byte) (Mail, error) {
	reader, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Header: map[string]string{}}
	m.Subject, _ = reader.Header.Subject()
	m.MessageID, _ = reader.Header.MessageID()
	for fields := reader.Header.Fields(); fields.Next(); {
		if key := fields.Key(); strings.HasPrefix(key, "X-Signalbox-") || key == "Auto-Submitted" {
			m.Header[key] = fields.Value()
		}
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return Mail{}, err
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			return Mail{}, err
		}
		inline, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			continue
		}
		switch kind, _, _ := inline.ContentType(); kind {
		case "text/plain":
			m.Text = string(body)
		case "text/html":
			m.HTML = string(body)
		}
	}
}

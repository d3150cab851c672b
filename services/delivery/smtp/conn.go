package smtp

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// refusal says why no connection came about: a short code, and the relay's reply code where it gave one.
type refusal struct {
	detail string
	code   int
	err    error
}

func (r *refusal) Error() string { return r.detail }
func (r *refusal) Unwrap() error { return r.err }

// conn is a kept connection, encrypted and, where asked for, authenticated.
type conn struct {
	client *gosmtp.Client
	raw    *guarded
	used   time.Time
	fresh  bool // nothing has been sent on it
	reaper *time.Timer
}

func (c *conn) close() { _ = c.raw.Close() }

// dial opens a connection. It speaks go-mail's protocol client step by step, rather than through its Dial, so that each
// failure is known for what it is: a relay without TLS is not a relay that is down.
func (s *Sender) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.set.dialDeadline)
	defer cancel()
	plain, err := s.dialer.DialContext(ctx, "tcp", s.set.address)
	if err != nil {
		return nil, &refusal{detail: "smtp connect failed", err: err}
	}
	raw := &guarded{Conn: plain}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	client, err := s.greet(raw)
	if !stop() && err == nil { // closed under our hands just now
		err = &refusal{detail: "smtp connect timed out", err: ctx.Err()}
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &conn{client: client, raw: raw, fresh: true}, nil
}

func (s *Sender) greet(raw net.Conn) (*gosmtp.Client, error) {
	client, err := gosmtp.NewClient(raw, s.set.host)
	if err != nil {
		return nil, refused("smtp greeting", err)
	}
	if err := client.Hello(s.set.ehlo); err != nil {
		return nil, refused("smtp hello", err)
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return nil, &refusal{detail: "no tls"}
	}
	if err := client.StartTLS(s.set.tls); err != nil {
		return nil, refused("tls", err)
	}
	state, err := client.GetTLSConnectionState()
	if err != nil || !state.HandshakeComplete {
		return nil, &refusal{detail: "tls failed", err: err}
	}
	if s.set.username == "" {
		return client, nil
	}
	auth, err := s.authentication(client)
	if err != nil {
		return nil, err
	}
	if err := client.Auth(auth); err != nil {
		return nil, refused("smtp authentication", err)
	}
	return client, nil
}

func (s *Sender) authentication(client *gosmtp.Client) (gosmtp.Auth, error) {
	_, offered := client.Extension("AUTH")
	for mechanism := range strings.FieldsSeq(strings.ToUpper(offered)) {
		switch mechanism {
		case "SCRAM-SHA-256":
			return gosmtp.ScramSHA256Auth(s.set.username, s.set.password), nil
		case "PLAIN":
			return gosmtp.PlainAuth("", s.set.username, s.set.password, s.set.host, false), nil
		case "LOGIN":
			return gosmtp.LoginAuth(s.set.username, s.set.password, s.set.host, false), nil
		}
	}
	return nil, &refusal{detail: "smtp no authentication offered"}
}

func refused(step string, err error) *refusal {
	r := &refusal{detail: step + " failed", err: err}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		r.code = reply.Code
		r.detail = step + " " + codeText(reply.Code, "")
	}
	return r
}

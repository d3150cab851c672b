package smtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/delivery"
)

// Sender sends mails through one relay. It is safe for use by several goroutines.
type Sender struct {
	set    settings
	mailer *mail.Client // composes the dialogue of one mail; the connections are ours
	dialer net.Dialer
	pool   *pool
	log    *zap.Logger
}

// New checks the configuration. It does not connect: a relay that is down at start is a transient failure of each send.
func New(cfg Config, log *zap.Logger) (*Sender, error) {
	set, err := cfg.check()
	if err != nil {
		return nil, err
	}
	mailer, err := mail.NewClient(set.host, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithoutNoop(),
		mail.WithTimeout(set.timeout), mail.WithHELO(set.ehlo))
	if err != nil {
		return nil, fmt.Errorf("smtp.New: %w", err)
	}
	return &Sender{set: set, mailer: mailer, pool: newPool(set.connections), log: log}, nil
}

// Close closes the kept connections. Sends under way finish.
func (s *Sender) Close() { s.pool.close() }

// Send gives one mail for one recipient to the relay.
func (s *Sender) Send(ctx context.Context, m delivery.Mail, to string) delivery.Result {
	message, err := s.message(m, to)
	if err != nil {
		return delivery.Result{Outcome: delivery.Permanent, Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.set.timeout)
	defer cancel()

	c, err := s.pool.acquire(ctx)
	if err != nil {
		return delivery.Result{Outcome: delivery.Transient, Detail: "smtp busy"}
	}
	if c != nil {
		result, again := s.sendOn(ctx, c, message)
		if !again {
			return result
		}
		// A kept connection that the relay has closed meanwhile says nothing about the mail: try a new one.
	}
	c, err = s.dial(ctx)
	if err != nil {
		s.pool.release(nil, 0)
		return s.refusedResult(err)
	}
	result, _ := s.sendOn(ctx, c, message)
	return result
}

// sendOn sends on c and gives it back. It answers again where c was found dead before the mail was begun; the turn in
// the pool is then still held.
func (s *Sender) sendOn(ctx context.Context, c *conn, message *mail.Msg) (result delivery.Result, again bool) {
	stop := context.AfterFunc(ctx, c.close)
	if !c.fresh && time.Since(c.used) > s.set.probeAfter {
		_ = c.client.UpdateDeadline(s.set.dialDeadline)
		if c.client.Noop() != nil {
			stop()
			c.close()
			return delivery.Result{}, true
		}
	}
	c.raw.begin(&ctx)
	err := s.mailer.SendWithSMTPClient(c.client, message)
	c.raw.send.Store(nil)
	alive := stop()
	result, reusable, begun := classify(err, message.IsDelivered())
	if c.raw.refused.Load() && result.Outcome == delivery.Unknown { // the final dot was not written
		result = delivery.Result{Outcome: delivery.Transient, Detail: "smtp not sent"}
	}
	if !begun && !c.fresh && alive {
		c.close()
		return delivery.Result{}, true
	}
	if !alive || !reusable {
		c.close()
		s.pool.release(nil, 0)
		return result, false
	}
	c.fresh, c.used = false, time.Now()
	s.pool.release(c, s.set.idle)
	return result, false
}

// classify says what the end of a dialogue means. begun is false where the relay took not even the sender, as with a
// connection that was dead; reusable is false where the connection is in doubt.
func classify(err error, delivered bool) (result delivery.Result, reusable, begun bool) {
	switch {
	case err == nil:
		return delivery.Result{Outcome: delivery.Delivered, Detail: "smtp 250"}, true, true
	case delivered: // the relay took the mail; only the RSET after it failed
		return delivery.Result{Outcome: delivery.Delivered, Detail: "smtp 250"}, false, true
	}
	var sending *mail.SendError
	if !errors.As(err, &sending) {
		return delivery.Result{Outcome: delivery.Transient, Detail: "smtp failed"}, false, true
	}
	if code := sending.ErrorCode(); code != 0 {
		enhanced := sending.EnhancedStatusCode()
		result = delivery.Result{Outcome: outcomeOf(code, enhanced), Detail: "smtp " + codeText(code, enhanced)}
		switch sending.Reason {
		case mail.ErrSMTPMailFrom: // a refusal of us says nothing about the recipient: it is for an operator to set right
			result.Outcome = delivery.Transient
		case mail.ErrSMTPRcptTo: // a full mailbox, greylisting: the relay works for others
			result.ThisOnly = result.Outcome == delivery.Transient && code != 421
			if result.Outcome == delivery.Permanent {
				result.Refused, result.Status = true, enhanced
			}
		}
		// After these steps go-mail has reset the transaction, or the relay has ended it. 421: it closes.
		clean := sending.Reason == mail.ErrSMTPMailFrom || sending.Reason == mail.ErrSMTPRcptTo ||
			sending.Reason == mail.ErrSMTPDataClose
		// 421 to the sender on a kept connection is the relay closing it for age: the mail was not looked at.
		return result, clean && code != 421, code != 421 || sending.Reason != mail.ErrSMTPMailFrom
	}
	switch sending.Reason {
	case mail.ErrSMTPDataClose:
		return delivery.Result{Outcome: delivery.Unknown, Detail: "smtp no reply after data"}, false, true
	case mail.ErrConnCheck, mail.ErrSMTPMailFrom:
		return delivery.Result{Outcome: delivery.Transient, Detail: "smtp connection lost"}, false, false
	default: // before the final dot, so the relay has taken nothing
		return delivery.Result{Outcome: delivery.Transient, Detail: "smtp connection lost"}, false, true
	}
}

func (s *Sender) refusedResult(err error) delivery.Result {
	var r *refusal
	if !errors.As(err, &r) {
		return delivery.Result{Outcome: delivery.Transient, Detail: "smtp connect failed"}
	}
	// The cause may quote the relay's words, which may quote anything: the code alone is logged. A refusal of us, even a
	// 5xx, says nothing about the recipient: it is for an operator to set right, and the mail is tried again.
	s.log.Warn("the mail relay cannot be used", zap.String("detail", r.detail), zap.Int("code", r.code))
	return delivery.Result{Outcome: delivery.Transient, Detail: r.detail}
}

// outcomeOf goes by the reply code, save where a code of failure for good comes with an enhanced one (RFC 3463) that says
// that the failure will pass.
func outcomeOf(code int, enhanced string) delivery.Outcome {
	if code >= 500 && !strings.HasPrefix(enhanced, "4.") {
		return delivery.Permanent
	}
	return delivery.Transient
}

func codeText(code int, enhanced string) string {
	if enhanced == "" {
		return strconv.Itoa(code)
	}
	return strconv.Itoa(code) + " " + enhanced
}

// message builds the MIME message. Its errors are details, without the value at fault.
func (s *Sender) message(m delivery.Mail, to string) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	address, err := netmail.ParseAddress(to)
	if err != nil || address.Name != "" || strings.ContainsAny(to, "\r\n") {
		return nil, errors.New("address malformed")
	}
	msg.ToMailAddress(&netmail.Address{Address: address.Address})
	msg.FromMailAddress(&s.set.from)
	envelope := s.set.envelope
	if m.ReturnTo != "" {
		from, err := netmail.ParseAddress(m.ReturnTo)
		if err != nil || from.Name != "" || strings.ContainsAny(m.ReturnTo, "\r\n") {
			return nil, errors.New("return address malformed")
		}
		envelope = from.Address
	}
	msg.EnvelopeFromMailAddress(&netmail.Address{Address: envelope})
	for _, h := range append([]delivery.Header{{Name: "Message-ID", Value: m.MessageID}, {Name: "Subject", Value: m.Subject}}, m.Headers...) {
		// go-mail writes what it is given: a line break would begin a header of the value's own choosing.
		if h.Name == "" || h.Value == "" || strings.ContainsFunc(h.Name+h.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errors.New("header malformed")
		}
	}
	if strings.ContainsAny(m.MessageID, "<> ") {
		return nil, errors.New("header malformed")
	}
	msg.SetMessageIDWithValue(m.MessageID)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Date)
	for _, h := range m.Headers {
		msg.SetGenHeader(mail.Header(h.Name), h.Value)
	}
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

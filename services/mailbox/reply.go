package mailbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Back is where a mail system sends what it has to say about a mail: the server that the domain of the mail's envelope
// sender names.
type Back struct {
	Addr string      // host:port
	TLS  *tls.Config // STARTTLS is used
}

// Bounce tells the envelope sender that a mail, though taken, was not delivered: a delivery status notification of RFC
// 3464, such as Postfix writes, with an action (`failed`, `delayed`, `delivered`) and an enhanced status code.
func (b Back) Bounce(ctx context.Context, m Mail, action, code string) error {
	return b.send(ctx, m.From, fmt.Sprintf(`From: MAILER-DAEMON@%[1]s (Mail Delivery System)
To: %[2]s
Subject: Mail Delivery Report
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=us-ascii

This is the mail system at host %[1]s.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; %[1]s
Arrival-Date: Thu, 18 Jun 2026 20:02:10 +0100

Final-Recipient: rfc822; %[3]s
Action: %[4]s
Status: %[5]s

--report
Content-Type: text/rfc822-headers

Message-ID: <%[6]s>

--report--
`, host(m.To), m.From, m.To, action, code, m.MessageID))
}

// AutoReply answers a mail as a mailbox does whose owner is away (RFC 3834).
func (b Back) AutoReply(ctx context.Context, m Mail) error {
	return b.send(ctx, m.From, fmt.Sprintf(`From: %s
To: %s
Subject: Automatic reply: %s
Auto-Submitted: auto-replied (vacation)
In-Reply-To: <%s>
Content-Type: text/plain; charset=utf-8

I am out of the office.
`, m.To, m.From, m.Subject, m.MessageID))
}

// ReadReceipt says that somebody displayed a mail (RFC 8098).
func (b Back) ReadReceipt(ctx context.Context, m Mail) error {
	return b.send(ctx, m.From, fmt.Sprintf(`From: %[1]s
To: %[2]s
Subject: Read: %[3]s
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="receipt"

--receipt
Content-Type: message/disposition-notification

Final-Recipient: rfc822; %[1]s
Original-Message-ID: <%[4]s>
Disposition: manual-action/MDN-sent-manually; displayed

--receipt--
`, m.To, m.From, m.Subject, m.MessageID))
}

func host(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

// send sends from nobody, as what answers by itself must.
func (b Back) send(ctx context.Context, to, text string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.Addr)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	client, err := smtp.NewClientStartTLS(conn, b.TLS)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer func() { _ = client.Close() }()
	client.CommandTimeout, client.SubmissionTimeout = time.Minute, time.Minute
	if err := client.SendMail("", []string{to}, strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return err
	}
	return client.Quit()
}

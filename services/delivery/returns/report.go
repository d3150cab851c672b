package returns

import (
	"bytes"
	"io"
	"net/mail"
	"regexp"
	"strings"

	"github.com/emersion/go-message"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	// mostRead is how much of a mail is looked at. A report comes before the mail that it returns.
	mostRead = 256 << 10
	// mostPart is how much of one part is looked at.
	mostPart = 64 << 10
	// maxDepth and maxParts bound a mail of parts within parts.
	maxDepth, maxParts = 5, 40
)

// Report is what a returned mail means.
type Report struct {
	Kind ledgerv1.ReturnKind
	Code string // enhanced status code of the report, such as "5.1.1", or empty
}

const (
	permanent = ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT
	transient = ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT
	confirmed = ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED
	autoReply = ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY
	unknown   = ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN
)

// found is what the parts of a mail hold.
type found struct {
	parts       int
	status      []recipient // of delivery status notifications
	disposition bool        // a read receipt
	returned    bool        // the headers of our own mail
	text        []byte      // what the mail says in words
	noticeID    string
}

// Read says what a mail that came back for a notice means. It reads no further than it needs to, and never fails: what
// it cannot make out is unknown.
//
// In this order: a report of a mail system (RFC 3464) says what became of the mail; a read receipt (RFC 8098) says
// nothing that counts; mail systems that write no report are known by their name and by our Message-ID in what they
// return; an automatic reply says so in its header (RFC 3834, or the fields used before it).
func Read(r io.Reader, noticeID string) Report {
	entity, err := message.Read(io.LimitReader(r, mostRead))
	if err != nil && entity == nil {
		return Report{Kind: unknown}
	}
	f := found{noticeID: noticeID}
	f.walk(entity, 0)
	if len(f.status) > 0 {
		return verdict(f.status)
	}
	kind, params, _ := entity.Header.ContentType()
	if f.disposition || kind == "multipart/report" && !strings.EqualFold(params["report-type"], "delivery-status") {
		return Report{Kind: unknown}
	}
	if report, ok := f.withoutReport(&entity.Header); ok {
		return report
	}
	if automatic(&entity.Header) {
		return Report{Kind: autoReply}
	}
	return Report{Kind: unknown}
}

// walk looks at every part, up to the limits. The parts of a returned mail are not parts of this one.
func (f *found) walk(e *message.Entity, depth int) {
	f.parts++
	if f.parts > maxParts || depth > maxDepth {
		return
	}
	if parts := e.MultipartReader(); parts != nil {
		for f.parts <= maxParts {
			part, err := parts.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			f.walk(part, depth+1)
		}
		return
	}
	kind, _, _ := e.Header.ContentType()
	body, _ := io.ReadAll(io.LimitReader(e.Body, mostPart)) // what can be read of it
	switch strings.ToLower(kind) {
	case "message/delivery-status", "message/global-delivery-status":
		f.status = append(f.status, recipients(body)...)
	case "message/disposition-notification", "message/global-disposition-notification":
		f.disposition = true
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
		f.returned = f.returned || f.ours(body)
	default:
		if strings.HasPrefix(kind, "text/") || kind == "" {
			f.returned = f.returned || f.ours(body)
			if len(f.text) == 0 {
				f.text = body
			}
		}
	}
}

// ours says whether a text has the Message-ID of a mail about the notice.
func (f *found) ours(body []byte) bool {
	return f.noticeID != "" && bytes.Contains(bytes.ToLower(body), []byte("<"+strings.ToLower(f.noticeID)+"."))
}

// statusCode is an enhanced status code (RFC 3463) in words: no part of an address, a date or a longer number.
var statusCode = regexp.MustCompile(`(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:$|[^0-9.]|\.(?:$|[^0-9]))`)

// replyCode is a reply of a mail server as it is quoted: a code of three digits before a word or a code.
var replyCode = regexp.MustCompile(`(?:^|[^0-9.])([45])[0-5][0-9](?:[ -])[0-9A-Za-z#<]`)

// messageID begins the header that says whose mail is quoted.
var messageID = regexp.MustCompile(`(?i)message-id:`)

// withoutReport reads the bounce of a mail system that writes no report: qmail, older Exim and others.
func (f *found) withoutReport(h *message.Header) (Report, bool) {
	named := h.Get("X-Failed-Recipients") != ""
	if bounce := named || f.returned && fromMailSystem(h); !bounce {
		return Report{}, false
	}
	words := f.text
	if at := messageID.FindIndex(words); at != nil {
		words = words[:at[0]] // what follows is our own mail
	}
	if m := statusCode.FindSubmatch(words); m != nil && m[1][0] != '2' {
		return Report{Kind: byClass(m[1][0]), Code: string(m[1])}, true
	}
	if m := replyCode.FindSubmatch(words); m != nil {
		return Report{Kind: byClass(m[1][0])}, true
	}
	if named {
		return Report{Kind: permanent}, true
	}
	return Report{}, false
}

func byClass(class byte) ledgerv1.ReturnKind {
	switch class {
	case '5':
		return permanent
	case '4':
		return transient
	case '2':
		return confirmed
	default:
		return unknown
	}
}

// fromMailSystem says whether a mail calls itself one of a mail system, not of a person.
func fromMailSystem(h *message.Header) bool {
	from, err := mail.ParseAddress(h.Get("From"))
	if err != nil {
		return strings.Contains(strings.ToLower(h.Get("From")), "mailer-daemon")
	}
	local, _, _ := strings.Cut(strings.ToLower(from.Address), "@")
	return local == "mailer-daemon" || local == "postmaster" || strings.HasPrefix(local, "microsoftexchange")
}

// automatic says whether a machine answered in a person's place.
func automatic(h *message.Header) bool {
	submitted, _, _ := strings.Cut(strings.ToLower(h.Get("Auto-Submitted")), ";")
	submitted, _, _ = strings.Cut(submitted, "(")
	switch strings.TrimSpace(submitted) {
	case "":
	case "no":
		return false
	default: // auto-replied, auto-generated, auto-notified and what may come after them
		return true
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "auto-reply", "bulk", "junk":
		return true
	}
	for _, field := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "X-Mail-Autoreply"} {
		if v := strings.ToLower(strings.TrimSpace(h.Get(field))); v != "" && v != "no" {
			return true
		}
	}
	subject := strings.ToLower(strings.TrimSpace(h.Get("Subject")))
	for _, begins := range []string{"automatic reply:", "out of office:", "out of office autoreply:", "auto reply:", "autoreply:"} {
		if strings.HasPrefix(subject, begins) {
			return true
		}
	}
	return false
}

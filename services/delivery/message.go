package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
)

// Form says how much of a notice goes into an email. The zero Form is invalid.
type Form int

// The forms of an email.
const (
	_    Form = iota
	Full      // the whole notice
	Stub      // a reference, a time and a link; nothing about the child
)

// String is the form's name in the ledger.
func (f Form) String() string {
	switch f {
	case Full:
		return "full"
	case Stub:
		return "stub"
	default:
		return "invalid"
	}
}

// Message is one attempt to tell one contact of one notice.
type Message struct {
	Notice            *noticev1.Notice
	Endpoint          Endpoint
	Form              Form
	Link              string // https URL of the page where the notice is shown and acknowledged
	MessageID         string // as MessageID makes it
	Attempt           uint32
	PossibleDuplicate bool
	Urgent            bool // it goes before others
	Secure            bool // the recipient's domain encrypts what is marked [secure]
	At                time.Time
	ReturnTo          string // address that bounces and automatic replies go to, of this attempt alone; may be empty
}

// MessageID is the Message-ID of every email about one notice to one contact, without angle brackets. A retry carries
// the same one, so that a mailbox can tell a second copy. The contact's id does not show in it.
func MessageID(noticeID, contact, domain string) string {
	sum := sha256.Sum256([]byte(noticeID + "\x00" + contact))
	return noticeID + "." + hex.EncodeToString(sum[:8]) + "@" + domain
}

// Mail is an email ready to be sent, apart from sender and recipient.
type Mail struct {
	Subject   string
	Text      string
	HTML      string
	MessageID string // without angle brackets
	Headers   []Header
	Date      time.Time
	ReturnTo  string // envelope sender; empty is the sender's own
}

// Header is one field of a mail's header.
type Header struct{ Name, Value string }

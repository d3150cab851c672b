package delivery

import (
	"bytes"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// History is what earlier sends say about contacts. A nil function knows of nobody.
type History struct {
	Failed  func(contact string) bool         // failed for this notice for good
	Away    func(contact string) bool         // its mailbox answered this notice by itself, and the notice went on
	Failing func(c *directoryv1.Contact) bool // its mail comes back, whatever the notice

	Declined func(contact string) bool // it has declined this invitation, or another to the same meeting
}

func (h History) declined(contact string) bool { return h.Declined != nil && h.Declined(contact) }

func (h History) failed(contact string) bool { return h.Failed != nil && h.Failed(contact) }

func (h History) away(contact string) bool { return h.Away != nil && h.Away(contact) }

func (h History) failing(c *directoryv1.Contact) bool { return h.Failing != nil && h.Failing(c) }

// addressBytes is enough to tell that an address has changed, and too little to look for one.
const addressBytes = 8

// AddressDigest stands for a contact's address in the ledger.
func AddressDigest(key notice.Key, address string) []byte {
	return key.Digest("contact address", []byte(address))[:addressBytes]
}

// Failing says whether a contact's mail comes back: it did, and since then nobody has changed the address or confirmed
// it. A confirmation of the day of the send counts where it was not known when the mail came back.
func Failing(f *ledger.Failing, c *directoryv1.Contact, key notice.Key) bool {
	if f == nil || !bytes.Equal(f.Address, AddressDigest(key, c.GetAddress())) {
		return false
	}
	verified, err := directory.ParseDate(c.GetVerifiedOn())
	if err != nil {
		return true
	}
	sent := directory.DateOf(time.UnixMilli(f.SentMS))
	return !verified.After(sent) && (verified.Before(sent) || c.GetVerifiedOn() == f.VerifiedOn)
}

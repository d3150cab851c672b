package directory

import (
	"bytes"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Party is what is known of somebody whom a matter is about: enough to keep the notice of it from them. What is empty is
// not known.
type Party struct {
	Given, Family, KnownAs string
	Email, Telephone       string
}

// PartyDigests stand in the ledger for the parties of a matter: keyed digests of their mailboxes, telephone numbers and
// names, cut short, in an order that does not say which belong together. They last where the event itself is erased.
func PartyDigests(key notice.Key, parties []Party) [][]byte {
	c := Circle{key: key}
	var all [][]byte
	for _, p := range parties {
		if mailbox := foldMailbox(p.Email); mailbox != "" {
			all = append(all, c.digest(ByMailbox, mailbox))
		}
		if number := FoldTelephone(p.Telephone); number != "" {
			all = append(all, c.digest(ByTelephone, number))
		}
		for _, n := range partyNames(p) {
			all = append(all, c.digest(ByName, n.family, n.initial))
		}
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.CompactFunc(all, bytes.Equal)
}

// Evidence is what says that a contact is a party, or may be. The zero Evidence is none.
type Evidence string

// The evidence that there may be. A name is the weakest; the wrong alternate is better than the suspect all the same.
const (
	ByMailbox   Evidence = "same mailbox"
	ByTelephone Evidence = "same telephone number"
	ByName      Evidence = "same family name and initial"
	// ByContact is that of a contact that shares a mailbox or a name with another at the same organisation for whom there
	// is evidence: the same person has other rows, for the holidays or as the deputy.
	ByContact Evidence = "shares a mailbox or a name with a contact who may be"
)

// Circle is the parties of a matter, against whom contacts are held. The zero Circle is of nobody.
type Circle struct {
	key     notice.Key
	digests [][]byte
}

// NewCircle reads what PartyDigests made with the same key.
func NewCircle(key notice.Key, digests [][]byte) Circle { return Circle{key: key, digests: digests} }

// Among finds, of the contacts of one organisation, those who are a party or may be, by id.
func (c Circle) Among(contacts []*directoryv1.Contact) map[string]Evidence {
	if len(c.digests) == 0 {
		return nil
	}
	var found map[string]Evidence
	shared := map[string]bool{}
	for _, contact := range contacts {
		evidence := c.of(contact)
		if evidence == "" {
			continue
		}
		if found == nil {
			found = make(map[string]Evidence)
		}
		found[contact.GetId()] = evidence
		for _, trait := range traits(contact) {
			shared[trait] = true
		}
	}
	if found == nil {
		return nil
	}
	for _, contact := range contacts {
		if found[contact.GetId()] == "" && slices.ContainsFunc(traits(contact), func(t string) bool { return shared[t] }) {
			found[contact.GetId()] = ByContact
		}
	}
	return found
}

// of is the strongest evidence about one contact alone.
func (c Circle) of(contact *directoryv1.Contact) Evidence {
	for _, mailbox := range mailboxes(contact) {
		if c.has(ByMailbox, mailbox) {
			return ByMailbox
		}
	}
	if contact.GetChannel() == "telephone" {
		if number := FoldTelephone(contact.GetAddress()); number != "" && c.has(ByTelephone, number) {
			return ByTelephone
		}
	}
	for _, n := range contactNames(contact.GetName()) {
		if c.has(ByName, n.family, n.initial) {
			return ByName
		}
	}
	return ""
}

func (c Circle) has(by Evidence, parts ...string) bool {
	digest := c.digest(by, parts...)
	return slices.ContainsFunc(c.digests, func(d []byte) bool { return bytes.Equal(d, digest) })
}

// partyBytes are enough to find a party by, and too few to tell people apart by.
const partyBytes = 8

func (c Circle) digest(by Evidence, parts ...string) []byte {
	all := [][]byte{[]byte(by)}
	for _, p := range parts {
		all = append(all, []byte(p))
	}
	return c.key.Digest("party", all...)[:partyBytes]
}

// mailboxes are those that a contact is reached at, its codes' among them.
func mailboxes(c *directoryv1.Contact) []string {
	var all []string
	for _, address := range []string{c.GetAddress(), c.GetCodeAddress()} {
		if mailbox := foldMailbox(address); mailbox != "" {
			all = append(all, mailbox)
		}
	}
	return all
}

// traits are what two contacts share that are the same person.
func traits(c *directoryv1.Contact) []string {
	all := mailboxes(c)
	if name := FoldName(c.GetName()); name != "" {
		all = append(all, name)
	}
	return all
}

// foldMailbox is an email address as mailboxes are compared: in lower case, without what follows a plus. What is no
// address folds to nothing.
func foldMailbox(address string) string {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	if !ok {
		return ""
	}
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// SameMailbox says whether two email addresses, if they are any, are of the same mailbox.
func SameMailbox(a, b string) bool {
	mailbox := foldMailbox(a)
	return mailbox != "" && mailbox == foldMailbox(b)
}

// shortestNumber is how many digits a telephone number has at least that says whose it is.
const shortestNumber = 7

// FoldTelephone is a telephone number as numbers are compared: digits only, a UK number with its leading nought. What is
// too short to be one folds to nothing.
func FoldTelephone(s string) string {
	s = strings.ReplaceAll(s, "(0)", "") // +44 (0)20 …
	plus := strings.HasPrefix(strings.TrimSpace(s), "+")
	number := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		number, plus = rest, true
	}
	if rest, ok := strings.CutPrefix(number, "44"); ok && plus {
		number = "0" + strings.TrimPrefix(rest, "0")
	}
	if len(number) < shortestNumber {
		return ""
	}
	return number
}

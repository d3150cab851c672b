package delivery

import (
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// About is whom a notice is about: the child, whose restrictions bind it, and the parties of the matter, who must not be the
// ones to have it.
type About struct {
	Child   notice.ChildID // empty where it is about none
	Parties directory.Circle
}

// reasonParty begins the reason for passing over a contact who is a party; the evidence follows. It does not say which part
// they have in the matter.
const reasonParty = "is a party, or may be: "

func partyReason(by directory.Evidence) string { return reasonParty + string(by) }

// AsParty says whether a contact was passed over because they are a party, or may be.
func (s Skip) AsParty() bool { return strings.Contains(s.Reason, reasonParty) }

// PassedOver are those of the contacts passed over who are a party, or may be, as the ledger keeps them.
func PassedOver(skips []Skip) []*ledgerv1.PassedOver {
	var parties []*ledgerv1.PassedOver
	for _, s := range skips {
		if s.AsParty() {
			parties = append(parties, &ledgerv1.PassedOver{Contact: s.Contact, Reason: s.Reason})
		}
	}
	return parties
}

// keeping keeps off the contacts of the organisation that is told who are a party, or may be.
func (b barrier) keeping(parties directory.Circle, contacts []*directoryv1.Contact) barrier {
	b.parties = parties.Among(contacts)
	return b
}

// readBySuspect says whether somebody who is alleged to have caused harm reads the referrer's mailbox: a family may share
// one, and even that a referral was made tells too much.
func readBySuspect(ev *eventv1.Event, referrer *eventv1.Person) bool {
	for _, p := range ev.GetPeople() {
		if p.GetRole() == eventv1.PersonRole_PERSON_ROLE_SUSPECT && directory.SameMailbox(p.GetEmail(), referrer.GetEmail()) {
			return true
		}
	}
	return false
}

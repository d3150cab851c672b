package routing

import (
	"bytes"
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// isParty says whether somebody named in an event must not be the one who is told of it. A referrer, and a professional who
// was there, are told by design; a professional who is the victim or the suspect is a party.
func isParty(p *eventv1.Person) bool {
	switch p.GetRole() {
	case eventv1.PersonRole_PERSON_ROLE_VICTIM, eventv1.PersonRole_PERSON_ROLE_SUSPECT,
		eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER:
		return true
	case eventv1.PersonRole_PERSON_ROLE_OTHER:
		return !p.GetProfessional()
	case eventv1.PersonRole_PERSON_ROLE_REFERRER, eventv1.PersonRole_PERSON_ROLE_UNSPECIFIED:
	}
	return false
}

// partiesOf lists the parties of an event, the mother of a child who is not born among them.
func partiesOf(ev *eventv1.Event) []directory.Party {
	var parties []directory.Party
	for _, p := range ev.GetPeople() {
		if isParty(p) {
			n := p.GetName()
			parties = append(parties, directory.Party{
				Given: n.GetGiven(), Family: n.GetFamily(), KnownAs: n.GetKnownAs(), Email: p.GetEmail(), Telephone: p.GetTelephone(),
			})
		}
	}
	for _, c := range ev.GetChildren() {
		if n := c.GetUnborn().GetMother(); n != nil {
			parties = append(parties, directory.Party{Given: n.GetGiven(), Family: n.GetFamily(), KnownAs: n.GetKnownAs()})
		}
	}
	return parties
}

// findParties freezes who the parties are: those of the events and, where one of those was erased, of the round before.
func (d *decider) findParties() {
	var parties []directory.Party
	for _, ev := range d.events {
		parties = append(parties, partiesOf(ev.Body)...)
	}
	digests := directory.PartyDigests(d.Key, parties)
	for _, before := range d.round.Erased.Parties {
		if !slices.ContainsFunc(digests, func(x []byte) bool { return bytes.Equal(x, before) }) {
			digests = append(digests, before)
		}
	}
	d.out.Parties = digests
}

// withParty says whether a notice of a round before lies with a contact who is a party, or may be: somebody else has to have
// it.
func (d *decider) withParty(p Prior) bool {
	if p.Contact == "" || len(d.out.Parties) == 0 {
		return false
	}
	row, ok := d.Directory.Row(directory.KindContact, p.Contact)
	if !ok {
		return false
	}
	contacts := d.Directory.Contacts(notice.OrgID(row.GetContact().GetOrganisation()))
	return directory.NewCircle(d.Key, d.out.Parties).Among(contacts)[p.Contact] != ""
}

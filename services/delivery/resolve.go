package delivery

import (
	"maps"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Resolve finds whom to send to for one link of a chain at an instant: the first of its roles that has a contact fit to
// be sent to. It answers everyone passed over on the way, with the reason, and false where nobody is left.
//
// Rota and hours choose between the contacts of a role, in the order of Snapshot.Duty; they never hold a notice back. An
// Operation Encompass email goes to the mailbox of the safeguarding lead at once, at any hour: where nobody of the role is
// on duty, its first regular contact is used all the same, and where whoever has the shift cannot be sent to, the next in
// that order. So a lead who is off duty still comes before a deputy who is on: waking the next person is for the chain, by
// its times. Within a role a contact whose mail comes back is used only where there is no other: it may be right again, and
// a mail that fails moves the chain on at once.
//
// Who is a party of the matter, or may be, is passed over as who is barred: the next outside that circle is told.
func Resolve(link *ledgerv1.Link, about About, snap *directory.Snapshot, at time.Time, history History) (Endpoint, []Skip, bool) {
	org := notice.OrgID(link.GetOrganisation())
	bars := barriers(snap, about.Child).following(snap, at).keeping(about.Parties, snap.Contacts(org))
	if bars.everybody {
		return Endpoint{}, []Skip{{Reason: reasonBarred}}, false
	}
	if bars.organisation(snap, org) {
		return Endpoint{}, []Skip{{Reason: reasonBarred}}, false
	}
	if agency, ok := directory.InboxOf(link.GetContact()); ok {
		return resolveInbox(agency, org, bars, snap, history)
	}
	var skips []Skip
	for _, role := range link.GetRoles() {
		duty := snap.Duty(org, role, link.GetUse(), at)
		if link.GetContact() == "" {
			skips = append(skips, missing(duty)...)
		}
		var fit []*directoryv1.Contact
		for _, c := range snap.Contacts(org) {
			if c.GetRole() != role || link.GetContact() != "" && c.GetId() != link.GetContact() {
				continue
			}
			if reason := unfit(c, bars, snap, at, history); reason != "" {
				skips = append(skips, Skip{Contact: c.GetId(), Reason: onRota(duty, c) + reason})
				continue
			}
			fit = append(fit, c)
		}
		chosen, passed := chooseSound(link.GetUse(), fit, duty, history)
		skips = append(skips, passed...)
		if chosen != nil {
			return endpoint(chosen), skips, true
		}
	}
	if len(skips) == 0 && link.GetContact() != "" {
		skips = append(skips, Skip{Contact: link.GetContact(), Reason: "no longer a contact of the organisation"})
	}
	if len(skips) == 0 {
		skips = append(skips, Skip{Reason: "no contact with the role " + strings.Join(link.GetRoles(), ", ")})
	}
	return Endpoint{}, skips, false
}

// Still finds a contact that was told of a child, as it may be told now: false where it has left, is no longer confirmed,
// or is barred meanwhile. Whoever holds an old link is asked about here before anything is shown or taken.
func Still(contact string, org notice.OrgID, about About, snap *directory.Snapshot, at time.Time) (Endpoint, bool) {
	bars := barriers(snap, about.Child).following(snap, at).keeping(about.Parties, snap.Contacts(org))
	if bars.everybody || bars.organisation(snap, org) {
		return Endpoint{}, false
	}
	if agency, ok := directory.InboxOf(contact); ok {
		e, _, ok := resolveInbox(agency, org, bars, snap, History{})
		return e, ok
	}
	for _, c := range snap.Contacts(org) {
		if c.GetId() == contact && unfit(c, bars, snap, at, History{}) == "" {
			return endpoint(c), true
		}
	}
	return Endpoint{}, false
}

func endpoint(c *directoryv1.Contact) Endpoint {
	return Endpoint{
		Contact:      c.GetId(),
		Organisation: notice.OrgID(c.GetOrganisation()),
		Role:         c.GetRole(),
		Channel:      c.GetChannel(),
		Address:      c.GetAddress(),
		Name:         c.GetName(),
		Shared:       c.GetShared(),
		CodeAddress:  c.GetCodeAddress(),
	}
}

// reasonBarred does not say which restriction, nor that it is the child's: whoever reads it may not know.
const reasonBarred = "not to be told"

const (
	reasonDeclined  = "has declined"
	reasonAway      = "an automatic reply came back"
	reasonTelephone = "telephone only"
	reasonFailing   = "its mail comes back, and another contact of the role is there"
)

// unfit says why a contact cannot be sent to, or nothing.
func unfit(c *directoryv1.Contact, bars barrier, snap *directory.Snapshot, at time.Time, history History) string {
	today := directory.DateOf(at)
	verified, err := directory.ParseDate(c.GetVerifiedOn())
	switch {
	case !directory.InUse(c, today):
		return "not in use on the day"
	case err != nil || verified.After(today):
		return "address not confirmed by a person"
	case bars.target(c.GetId()) || bars.person(c):
		return reasonBarred
	case bars.parties[c.GetId()] != "":
		return partyReason(bars.parties[c.GetId()])
	case history.failed(c.GetId()):
		return "failed before"
	case history.declined(c.GetId()):
		return reasonDeclined
	case history.away(c.GetId()):
		return reasonAway
	}
	switch c.GetChannel() {
	case Email:
		if c.GetShared() && (c.GetCodeAddress() == "" || strings.EqualFold(c.GetCodeAddress(), c.GetAddress())) {
			return "shared mailbox without a person's address for the code"
		}
		return ""
	case GRPC:
		return ""
	case Inbox:
		if !snap.ActsFor(c.GetAddress(), c.GetOrganisation()) {
			return reasonNoAccess
		}
		return ""
	case Telephone:
		return reasonTelephone
	default:
		return "channel unknown"
	}
}

// chooseSound is choose among the contacts whose mail does not come back; among all where that leaves nobody.
func chooseSound(use string, fit []*directoryv1.Contact, duty directory.Duty, history History) (*directoryv1.Contact, []Skip) {
	var sound []*directoryv1.Contact
	var failing []Skip
	for _, c := range fit {
		if history.failing(c) {
			failing = append(failing, Skip{Contact: c.GetId(), Reason: onRota(duty, c) + reasonFailing})
		} else {
			sound = append(sound, c)
		}
	}
	chosen, passed := choose(use, sound, duty)
	if chosen == nil && len(failing) > 0 {
		return choose(use, fit, duty)
	}
	return chosen, append(failing, passed...)
}

// choose picks from contacts of one role whose turn it is and gives those passed over for it.
func choose(use string, fit []*directoryv1.Contact, duty directory.Duty) (*directoryv1.Contact, []Skip) {
	var chosen *directoryv1.Contact
	for _, turn := range duty.Turns {
		if slices.Contains(fit, turn.Contact) {
			chosen = turn.Contact
			break
		}
	}
	var passed []Skip
	for _, c := range fit {
		if c == chosen {
			continue
		}
		reason := "another contact of the role comes first"
		turn, ok := duty.Of(c.GetId())
		switch {
		case !ok:
			reason = "kept for another time: " + c.GetUse()
		case use == directory.UseRegular: // whatever the hour
		case turn.Why == directoryv1.DutyWhy_DUTY_WHY_NO_SHIFT:
			reason = "has no shift now"
		case !turn.OnDuty():
			reason = "not on duty"
		}
		passed = append(passed, Skip{Contact: c.GetId(), Reason: reason})
	}
	return chosen, passed
}

// barrier is what the restrictions on a child forbid, and who is a party of the matter.
type barrier struct {
	everybody bool
	targets   map[string]bool
	mailboxes map[string]bool // of barred contacts, in lower case: whoever shares one reads what comes there
	people    map[[2]string]bool
	parties   map[string]directory.Evidence // contacts of the organisation that are a party, or may be
}

// barriers reads the restrictions on a child. What seals the child, what names no target and what this build does not
// know bars everybody: a notice to the wrong person is worse than none, and the one not sent becomes a person's task.
func barriers(snap *directory.Snapshot, child notice.ChildID) barrier {
	b := barrier{targets: make(map[string]bool), mailboxes: make(map[string]bool), people: make(map[[2]string]bool)}
	if child == "" {
		return b
	}
	for _, r := range snap.Restrictions(child) {
		switch r.GetKind() {
		case "barred_contact", "barred_organisation", "barred_area", "court_order":
			if r.GetTarget() == "" {
				b.everybody = true
			}
			b.targets[r.GetTarget()] = true
			b.bar(snap, r.GetTarget())
		default: // protected_location, sealed_identity
			b.everybody = true
		}
	}
	return b
}

// following bars what took the place of a barred setting too: a school that becomes an academy keeps its people and gets
// another id.
func (b barrier) following(snap *directory.Snapshot, at time.Time) barrier {
	for _, id := range slices.Collect(maps.Keys(b.targets)) {
		for _, successor := range snap.Succession(notice.OrgID(id), directory.DateOf(at)).Settings {
			b.targets[string(successor)] = true
		}
	}
	return b
}

// bar takes in who stands behind a barred contact. The same person may have other rows: for the holidays, under an id
// that another list gave, or as the deputy.
func (b barrier) bar(snap *directory.Snapshot, id string) {
	row, ok := snap.Row(directory.KindContact, id)
	if !ok {
		return
	}
	c := row.GetContact()
	for _, address := range []string{c.GetAddress(), c.GetCodeAddress()} {
		if address != "" {
			b.mailboxes[strings.ToLower(address)] = true
		}
	}
	if name := directory.FoldName(c.GetName()); name != "" {
		b.people[[2]string{c.GetOrganisation(), name}] = true
	}
}

// person says whether a contact is, or shares a mailbox with, somebody who is barred under another id.
func (b barrier) person(c *directoryv1.Contact) bool {
	return b.mailboxes[strings.ToLower(c.GetAddress())] || b.mailboxes[strings.ToLower(c.GetCodeAddress())] ||
		b.people[[2]string{c.GetOrganisation(), directory.FoldName(c.GetName())}]
}

func (b barrier) target(id string) bool { return id != "" && (b.everybody || b.targets[id]) }

func (b barrier) organisation(snap *directory.Snapshot, id notice.OrgID) bool {
	if b.target(string(id)) {
		return true
	}
	area := ""
	if s, ok := snap.Setting(id); ok {
		area = s.GetArea()
	} else if o, ok := snap.Organisation(id); ok {
		area = o.GetArea()
	}
	if b.target(area) {
		return true
	}
	// An authority's area lies within a police area that may be barred as a whole.
	within, _ := snap.Area(notice.Area(area))
	return b.target(within.GetPoliceArea())
}

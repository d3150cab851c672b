package delivery

import (
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// EventOrganisation stands in a link for people whose endpoint is in the event itself.
const EventOrganisation notice.OrgID = "event"

// ResolveReferrer finds the referrer's own address in the event, for a link whose organisation is EventOrganisation.
// The directory does not vouch for that address, so FormOf gives it a stub unless the policy trusts its domain.
func ResolveReferrer(ev *eventv1.Event, child notice.ChildID, snap *directory.Snapshot, history History) (Endpoint, []Skip, bool) {
	bars := barriers(snap, child)
	if bars.everybody {
		return Endpoint{}, []Skip{{Reason: reasonBarred}}, false
	}
	var skips []Skip
	for _, p := range ev.GetPeople() {
		if p.GetRole() != eventv1.PersonRole_PERSON_ROLE_REFERRER {
			continue
		}
		id := string(EventOrganisation) + ":" + p.GetRef()
		org := notice.OrgID(p.GetOrganisation().GetId())
		reason := ""
		switch {
		case p.GetEmail() == "":
			reason = "the referrer gave no email address"
		case org != "" && bars.organisation(snap, org):
			reason = reasonBarred
		case readBySuspect(ev, p):
			reason = partyReason(directory.ByMailbox)
		case history.failed(id):
			reason = "failed before"
		case history.away(id):
			reason = reasonAway
		}
		if reason != "" {
			skips = append(skips, Skip{Contact: id, Reason: reason})
			continue
		}
		return Endpoint{
			Contact: id, Organisation: EventOrganisation, Role: "referrer", Channel: Email, Address: p.GetEmail(),
			Name: fullName(p.GetName()),
		}, skips, true
	}
	if len(skips) == 0 {
		skips = append(skips, Skip{Reason: "the event names no referrer"})
	}
	return Endpoint{}, skips, false
}

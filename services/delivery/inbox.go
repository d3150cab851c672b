package delivery

import (
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const reasonNoAccess = "no agency of the organisation has this inbox"

// resolveInbox is the inbox of an agency that subscribes. It needs no contact in the directory: who reads it is known by
// the certificate that an operator gave.
func resolveInbox(agency string, org notice.OrgID, bars barrier, snap *directory.Snapshot, history History) (Endpoint, []Skip, bool) {
	id := directory.InboxContact(agency)
	switch {
	case !snap.ActsFor(agency, string(org)):
		return Endpoint{}, []Skip{{Contact: id, Reason: reasonNoAccess}}, false
	case bars.target(id):
		return Endpoint{}, []Skip{{Contact: id, Reason: reasonBarred}}, false
	case history.failed(id):
		return Endpoint{}, []Skip{{Contact: id, Reason: "failed before"}}, false
	}
	return Endpoint{Contact: id, Organisation: org, Role: Inbox, Channel: Inbox, Address: agency}, nil, true
}

// Covers says whether a subscription is, as it is now, to what a notice that follows from it tells: it may have been granted
// anew for less. Which child and which matter it names never changes.
func Covers(s *directoryv1.Subscription, n *ledgerv1.Notice, snap *directory.Snapshot) bool {
	home := n.GetHomeArea()
	if home == "" { // it was not to an area then
		child, _ := snap.Child(notice.ChildID(n.GetChild()))
		home = child.GetResidenceArea()
	}
	return snap.Covers(s, directory.Outcome{Kind: n.GetKind(), Basis: n.GetBasis(), Home: notice.Area(home)})
}

// Rests says whether what a notice follows from holds at an instant: a rule alone, or with it a subscription that stands and
// covers the notice, of an agency that has access and acts for the recipient.
func Rests(n *ledgerv1.Notice, snap *directory.Snapshot, at time.Time) bool {
	if n.GetSubscription() == "" {
		return true
	}
	s, ok := snap.Subscription(n.GetSubscription())
	return ok && directory.Stands(s, at) && Covers(s, n, snap) && snap.ActsFor(s.GetAgency(), n.GetOrganisation())
}

// MayRead says whether an agency may be shown, at an instant, a notice that an attempt put into its inbox: the contact is
// there still and has that inbox, nothing bars it, and what the notice follows from holds.
func MayRead(n *ledgerv1.Notice, a *ledgerv1.AttemptStarted, snap *directory.Snapshot, at time.Time) bool {
	if !Rests(n, snap, at) {
		return false
	}
	e, ok := Still(a.GetContact(), notice.OrgID(a.GetOrganisation()), About{Child: notice.ChildID(n.GetChild())}, snap, at)
	return ok && e.Channel == Inbox && e.Address == a.GetInbox()
}

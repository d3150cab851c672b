package delivery

import (
	"time"

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

// MayRead says whether an agency may be shown, at an instant, a notice that an attempt put into its inbox: the contact is
// there still and has that inbox, nothing bars it, and the subscription that the notice follows from stands.
func MayRead(n *ledgerv1.Notice, a *ledgerv1.AttemptStarted, snap *directory.Snapshot, at time.Time) bool {
	if id := n.GetSubscription(); id != "" {
		if s, ok := snap.Subscription(id); !ok || !directory.Stands(s, at) {
			return false
		}
	}
	e, ok := Still(a.GetContact(), notice.OrgID(a.GetOrganisation()), notice.ChildID(n.GetChild()), snap, at)
	return ok && e.Channel == Inbox && e.Address == a.GetInbox()
}

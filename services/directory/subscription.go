package directory

import (
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Stands says whether a subscription counts at an instant: it was granted, its time has begun and is not over, and nobody
// has ended it.
func Stands(s *directoryv1.Subscription, at time.Time) bool {
	ms := at.UnixMilli()
	return s.GetGrantedBy() != "" && s.GetFromMs() <= ms && ms < SubscriptionEndsMS(s)
}

// Outcome is what somebody may subscribe to, apart from whom it is of and which matter.
type Outcome struct {
	Kind  string      // of event
	Basis string      // of the rule that tells subscribers
	Home  notice.Area // where the child lives
}

// Covers says whether the kinds, the basis and the area of a subscription fit an outcome. One that names nobody and
// nothing fits nothing, and one to the list of children missing brings that alone.
func (s *Snapshot) Covers(sub *directoryv1.Subscription, o Outcome) bool {
	switch {
	case sub.GetList(), sub.GetArea() == "" && sub.GetChild() == "" && sub.GetMatter() == nil:
		return false
	case sub.GetBasis() != o.Basis:
		return false
	case len(sub.GetKinds()) > 0 && !slices.Contains(sub.GetKinds(), o.Kind):
		return false
	}
	return sub.GetArea() == "" || s.Within(o.Home, notice.Area(sub.GetArea()))
}

// SubscriptionEndsMS is when a subscription ends, or ended: at the time that its basis was given for, or before that where
// somebody ended it.
func SubscriptionEndsMS(s *directoryv1.Subscription) int64 {
	if ended := s.GetEndedMs(); ended != 0 {
		return min(ended, s.GetUntilMs())
	}
	return s.GetUntilMs()
}

// indexSubscriptions keeps those that were granted: what was only asked for counts nowhere.
func (s *Snapshot) indexSubscriptions() {
	for _, sub := range byKey(s.subscriptions) {
		if sub.GetGrantedBy() != "" {
			s.granted = append(s.granted, sub)
		}
	}
}

// Subscription is a subscription by id, granted or not.
func (s *Snapshot) Subscription(id string) (*directoryv1.Subscription, bool) {
	v, ok := s.subscriptions[id]
	return v, ok
}

// Granted are the subscriptions that were granted, by id; also those whose time has yet to begin or is over.
func (s *Snapshot) Granted() []*directoryv1.Subscription { return s.granted }

// ActsFor says whether an agency has access and acts for an organisation.
func (s *Snapshot) ActsFor(agency, organisation string) bool {
	row, ok := s.agencies[notice.AgencyID(agency)]
	return ok && organisation != "" && row.GetOrganisation() == organisation
}

// The states of a subscription, in words.
const (
	SubscriptionRequested = "requested"
	SubscriptionToBegin   = "to begin"
	SubscriptionCounts    = "counts"
	SubscriptionExpired   = "expired"
	SubscriptionEnded     = "ended"
)

// StateOf is how a subscription stands at an instant.
func StateOf(s *directoryv1.Subscription, at time.Time) string {
	switch {
	case s.GetEndedMs() != 0:
		return SubscriptionEnded
	case s.GetGrantedBy() == "":
		return SubscriptionRequested
	case Stands(s, at):
		return SubscriptionCounts
	case at.UnixMilli() < s.GetFromMs():
		return SubscriptionToBegin
	default:
		return SubscriptionExpired
	}
}

const inboxPrefix = "inbox:"

// InboxContact stands for the inbox of an agency where a contact is named.
func InboxContact(agency string) string { return inboxPrefix + agency }

// InboxOf is the agency whose inbox a contact's id stands for.
func InboxOf(contact string) (agency string, ok bool) { return strings.CutPrefix(contact, inboxPrefix) }

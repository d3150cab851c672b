package ledger

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ByInbox is the channel of an attempt that lies in an inbox until its agency says that it has it.
const ByInbox = "inbox"

// inbox is what lies in one agency's inbox, oldest first. The place of an item, counted from 1, follows from the ledger
// alone: it is the same in every instance, and after a restart.
type inbox struct {
	items []InboxItem
	open  int // every item before this one needs no receipt any more
}

// InboxItem is one thing in an inbox: a notice that an attempt put there, what became of a subscription, or a list that one
// brings.
type InboxItem struct {
	AtMS    int64
	Notice  *Notice
	Attempt uint32
	Change  *ledgerv1.SubscriptionChanged
	Listed  *ledgerv1.WhereaboutsListed
	Trail   uint64 // stands for everything up to this item, in its order
}

// ID is the same whenever the item is handed over.
func (i InboxItem) ID() string {
	if i.Notice != nil {
		return i.Notice.Id
	}
	if i.Listed != nil {
		return i.Listed.Subscription + "/LIST/" + strconv.FormatInt(i.Listed.AsOfMs, 10)
	}
	return i.Change.Subscription + "/" + i.Change.State.String()[len("SUBSCRIPTION_STATE_"):]
}

// attempt is the attempt that put a notice there.
func (i InboxItem) attempt() *Attempt { return &i.Notice.Attempts[i.Attempt-1] }

// Started is how the notice came to lie there.
func (i InboxItem) Started() *ledgerv1.AttemptStarted { return i.attempt().AttemptStarted }

// GaveUp says whether the notice may no longer be shown there.
func (i InboxItem) GaveUp() bool { return i.Notice != nil && i.attempt().GaveUp }

// Unconfirmed says whether the agency has yet to say that it has the notice.
func (i InboxItem) Unconfirmed() bool { return i.Notice != nil && !i.attempt().Ended() }

// Inbox returns what lies in an agency's inbox behind a place, at most limit.
func (s *State) Inbox(agency notice.AgencyID, after, limit int) []InboxItem {
	in := s.inboxes[agency]
	if in == nil || after >= len(in.items) {
		return nil
	}
	rest := in.items[after:]
	return slices.Clone(rest[:min(limit, len(rest))])
}

// InboxLen is how much lies in an agency's inbox, old and new.
func (s *State) InboxLen(agency notice.AgencyID) int {
	if in := s.inboxes[agency]; in != nil {
		return len(in.items)
	}
	return 0
}

// Unconfirmed are the notices up to a place in an agency's inbox that it has yet to say it has, oldest first, at most limit.
func (s *State) Unconfirmed(agency notice.AgencyID, through, limit int) []InboxItem {
	in := s.inboxes[agency]
	if in == nil {
		return nil
	}
	var open []InboxItem
	for i := in.open; i < min(through, len(in.items)) && len(open) < limit; i++ {
		if in.items[i].Unconfirmed() {
			open = append(open, in.items[i])
		}
	}
	return open
}

func (s *State) put(agency notice.AgencyID, item InboxItem) {
	in := s.inboxes[agency]
	if in == nil {
		in = &inbox{}
		s.inboxes[agency] = in
	}
	trail := fnv.New64a()
	if last := len(in.items) - 1; last >= 0 {
		_, _ = trail.Write(binary.BigEndian.AppendUint64(nil, in.items[last].Trail)) // never fails (hash.Hash)
	}
	_, _ = trail.Write([]byte(item.ID()))
	item.Trail = trail.Sum64()
	in.items = append(in.items, item)
}

// intoInbox puts a notice into an inbox. It waits there for the agency, like a mail that waits for an acknowledgement: the
// chain moves on at its time.
func (s *State) intoInbox(n *Notice, f *ledgerv1.AttemptStarted, atMS int64) {
	s.put(notice.AgencyID(f.Inbox), InboxItem{AtMS: atMS, Notice: n, Attempt: f.Attempt})
	s.setPhase(n, Awaiting, n.LinkEndsMS())
}

// outOfInbox takes the agency's word that it has a notice, or that it may no longer be shown it. An agency that comes late
// still ends a notice that nobody has to acknowledge, and with it whatever was asked of people meanwhile.
func (s *State) outOfInbox(n *Notice, a *Attempt, atMS int64) {
	in := s.inboxes[notice.AgencyID(a.Inbox)]
	for in.open < len(in.items) && !in.items[in.open].Unconfirmed() {
		in.open++
	}
	switch {
	case n.Phase.Ended():
		s.notAstray(n)
		return
	case a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED && !n.Acknowledge:
		s.end(n, Delivered, atMS, "")
	case a.GaveUp && n.Phase == Awaiting && n.StandsWith(a.Contact):
		s.setPhase(n, Ready, atMS)
	}
	s.notAstray(n)
	s.childOf(n, atMS)
}

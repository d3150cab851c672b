package ledger

import (
	"bytes"
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// inEvent is the organisation of people whose address is in an event: their ids mean nothing outside it.
const inEvent = "event"

// Failing is a contact whose mail came back for good. Whether it still fails is for the directory to say as well: its
// address may have changed or been confirmed since.
type Failing struct {
	Contact      string
	Organisation string
	Role         string
	Address      []byte // keyed digest of the address that was sent to
	VerifiedOn   string // when that address was confirmed, as known at the last bounce; may be empty
	Code         string // enhanced status of the last bounce; may be empty
	SentMS       int64  // when the last mail that came back was sent
	SinceMS      int64  // of the first bounce
	LastMS       int64  // of the last
	Bounces      int64
	Notice       string // of the last
}

// CameBack says whether something of a kind came back after the attempt.
func (a *Attempt) CameBack(kind ledgerv1.ReturnKind) bool { return slices.Contains(a.Returns, kind) }

func (a *Attempt) bounced() bool {
	return a.CameBack(ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT)
}

// Away says whether a contact's mailbox answered for it, so that the notice went on to somebody else.
func (n *Notice) Away(contact string) bool {
	for i := range n.Attempts {
		if n.Attempts[i].MovesOn && n.Attempts[i].Contact == contact {
			return true
		}
	}
	return false
}

// StandsWith says whether a contact is the one whom the notice was last sent to, and who has yet to answer.
func (n *Notice) StandsWith(contact string) bool {
	last := len(n.Attempts)
	if last == 0 || n.Attempts[last-1].Contact != contact || n.Attempts[last-1].Link != n.Link {
		return false
	}
	return n.Phase == Sending || n.Phase == Waiting || n.Phase == Awaiting
}

// CameBackAfterEnd says whether a notice ended as delivered and was not: every mail that was accepted came back. The end
// stands, and a person has to see to it.
func (n *Notice) CameBackAfterEnd() bool { return n.Phase == Delivered && !n.Withdrawn && !n.Sent() }

// returned takes what came back. A bounce ends the attempt as failed and moves the notice on where it stands with that
// contact; an automatic reply moves it on where somebody else is left. Neither is an acknowledgement, and the contact's
// own acknowledgement still counts.
func (s *State) returned(f *ledgerv1.Returned, atMS int64) error {
	n := s.Notices[f.Notice]
	if n == nil {
		return s.impossible("something came back for an unknown notice", f.Notice)
	}
	a, ok := n.Attempt(f.Attempt)
	switch {
	case !ok:
		return s.impossible("something came back for an attempt that never started at notice", f.Notice)
	case f.Kind == ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED:
		return s.impossible("something of no kind came back for notice", f.Notice)
	case a.CameBack(f.Kind):
		return s.impossible("the same came back twice for an attempt at notice", f.Notice)
	case f.MovesOn && f.Kind != ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY:
		return s.impossible("moves on without an automatic reply at notice", f.Notice)
	}
	a.Returns = append(a.Returns, f.Kind)
	switch f.Kind {
	case ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT:
		a.GaveUp = true
		if a.Ended() {
			a.Outcome = ledgerv1.Outcome_OUTCOME_PERMANENT
		}
		s.fails(a, f, atMS)
	case ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY:
		a.MovesOn = a.MovesOn || f.MovesOn // whoever has declined an invitation goes on being passed over
	case ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED, ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT,
		ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED, ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN:
	}
	// While a send is under way its end moves the notice on.
	if (a.bounced() || a.MovesOn) && n.Phase != Sending && n.StandsWith(a.Contact) {
		s.setPhase(n, Ready, atMS)
	}
	s.notAstray(n)
	s.childOf(n, atMS)
	return nil
}

// fails notes that a contact's mail came back.
func (s *State) fails(a *Attempt, f *ledgerv1.Returned, atMS int64) {
	if a.Organisation == inEvent || a.Contact == "" {
		return
	}
	was := s.Failing[a.Contact]
	fails := &Failing{
		Contact: a.Contact, Organisation: a.Organisation, Role: a.Role, Address: a.Address, VerifiedOn: f.VerifiedOn,
		Code: f.Code, SentMS: a.StartedMS, SinceMS: atMS, LastMS: atMS, Bounces: 1, Notice: f.Notice,
	}
	if was != nil && bytes.Equal(was.Address, a.Address) && was.VerifiedOn == f.VerifiedOn {
		fails.SinceMS, fails.Bounces = was.SinceMS, was.Bounces+1
		fails.SentMS = max(was.SentMS, a.StartedMS)
	}
	s.Failing[a.Contact] = fails
}

// FailingContacts lists the contacts whose mail came back, failing longest first.
func (s *State) FailingContacts() []*Failing {
	all := make([]*Failing, 0, len(s.Failing))
	for _, f := range s.Failing {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *Failing) int {
		return cmp.Or(cmp.Compare(a.SinceMS, b.SinceMS), cmp.Compare(a.Contact, b.Contact))
	})
	return all
}

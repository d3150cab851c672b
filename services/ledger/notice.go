package ledger

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Phase is where a notice stands. The zero Phase is invalid.
type Phase int

// The phases of a notice.
const (
	_            Phase = iota
	Held               // waits for its release
	Ready              // to be sent now
	Sending            // an attempt is under way
	Waiting            // an attempt failed; waits for the next
	Stopped            // was to be sent, and sending is stopped
	Awaiting           // sent; a person has yet to acknowledge
	WithTask           // nobody could be reached, or nobody acknowledged: on a person's task
	Acknowledged       // end: a named person has it
	Delivered          // end: delivered, and no acknowledgement is due
	Superseded         // end: a later decision replaced it or found the recipient no longer right
	Closed             // end: a person resolved its task and gave the reason
	Withdrawn          // end: its publisher, or an operator, took back what it tells of
)

// Ended says whether the phase is an end.
func (p Phase) Ended() bool {
	switch p {
	case Acknowledged, Delivered, Superseded, Closed, Withdrawn:
		return true
	case Held, Ready, Sending, Waiting, Stopped, Awaiting, WithTask:
		return false
	default:
		return false
	}
}

// String names the phase for people.
func (p Phase) String() string {
	switch p {
	case Held:
		return "held"
	case Ready:
		return "ready to send"
	case Sending:
		return "sending"
	case Waiting:
		return "waiting to try again"
	case Stopped:
		return "stopped"
	case Awaiting:
		return "awaiting acknowledgement"
	case WithTask:
		return "with a person"
	case Acknowledged:
		return "acknowledged"
	case Delivered:
		return "delivered"
	case Superseded:
		return "superseded"
	case Closed:
		return "closed by a person"
	case Withdrawn:
		return "withdrawn"
	default:
		return "invalid"
	}
}

// Attempt is one send.
type Attempt struct {
	*ledgerv1.AttemptStarted
	StartedMS int64
	EndedMS   int64                 // 0 while under way
	Outcome   ledgerv1.Outcome      // unspecified while under way
	GaveUp    bool                  // the contact is not to be tried again for this notice
	Returns   []ledgerv1.ReturnKind // what came back, each kind once
	MovesOn   bool                  // the mailbox answered by itself, and the notice went on to somebody else
}

// Ended says whether the attempt has ended.
func (a *Attempt) Ended() bool { return a.Outcome != ledgerv1.Outcome_OUTCOME_UNSPECIFIED }

// Notice is an obligation and what became of it.
type Notice struct {
	*ledgerv1.Notice                    // frozen
	Lineage          string             // of the decision that made it
	Sources          []*ledgerv1.Source // of that decision; Refs has one entry for each
	Phase            Phase
	Link             uint32 // position in the chain
	Attempts         []Attempt
	DecidedMS        int64
	WakeMS           int64  // when the machine next acts on it; 0 where it waits for somebody or has ended
	Task             string // open task, while WithTask
	LateMS           int64  // when it was found late; 0 where it was not
	EndedMS          int64
	EndedBy          string // contact, operator or agency; empty where nobody acted
	ReplacedBy       string // notice that superseded it
	HeldBackBy       Stop   // the stop that keeps it from being sent, also once its due time has brought it to a person
	HeldBackTimes    int
	Withdrawn        bool     // what it tells of was taken back, also where it had ended before: nothing of it is shown any more
	Telephoned       bool     // a person was told by telephone
	Resumed          bool     // its recipient had been told that the matter has ended: what was said before that ends it no more
	Declined         bool     // an invitation that was declined after it had ended: somebody else is asked
	ReadBy           []string // contacts with whose code it was opened
	Misdirection     string   // the task that asks what to do about those who have it and should not
	heldLink         uint32   // position in the chain when it was held back
	turn             int      // how often it came to be sent
}

// Late says whether the due time passed before a person had the notice.
func (n *Notice) Late() bool { return n.LateMS != 0 }

// Sent says whether the notice reached an endpoint.
func (n *Notice) Sent() bool {
	for i := range n.Attempts {
		if n.Attempts[i].Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED {
			return true
		}
	}
	return false
}

// With is the contact that a notice lies with: who acknowledged it, or was sent to last and may have it. Empty where that is
// nobody, or somebody told by telephone.
func (n *Notice) With() string {
	last := len(n.Attempts) - 1
	switch {
	case n.Telephoned:
		return ""
	case n.Phase == Acknowledged:
		return n.EndedBy
	case last >= 0 && n.Attempts[last].MayHaveArrived():
		return n.Attempts[last].Contact
	}
	return ""
}

// GaveUp says whether a contact failed for good for this notice.
func (n *Notice) GaveUp(contact string) bool {
	for i := range n.Attempts {
		if n.Attempts[i].GaveUp && n.Attempts[i].Contact == contact {
			return true
		}
	}
	return false
}

// MayHave says whether an earlier attempt may have reached the contact, so that another comes there a second time: its end is
// unknown, or it arrived and a later step of the chain comes to the same contact.
func (n *Notice) MayHave(contact string) bool {
	for i := range n.Attempts {
		if n.Attempts[i].Contact == contact && n.Attempts[i].MayHaveArrived() {
			return true
		}
	}
	return false
}

// Tries counts the attempts at a contact.
func (n *Notice) Tries(contact string) int {
	tries := 0
	for i := range n.Attempts {
		if n.Attempts[i].Contact == contact {
			tries++
		}
	}
	return tries
}

// Attempt returns an attempt by its number.
func (n *Notice) Attempt(number uint32) (*Attempt, bool) {
	if number == 0 || int(number) > len(n.Attempts) {
		return nil, false
	}
	return &n.Attempts[number-1], true
}

// fairWhileMS is how long a link has that was first tried only after its time: 15 minutes.
const fairWhileMS = 15 * 60_000

// LinkEndsMS is when the chain moves on from the present link: at its own time, or a fair while after its first try
// where that came later. Otherwise whoever comes late in the chain would be passed over in the moment of being told.
func (n *Notice) LinkEndsMS() int64 {
	if int(n.Link) >= len(n.Chain) {
		return 0
	}
	ends := n.DueMs + int64(n.Chain[n.Link].OffsetMinutes)*60_000
	for i := range n.Attempts {
		if a := &n.Attempts[i]; a.Link == n.Link {
			if a.StartedMS >= ends {
				return a.StartedMS + fairWhileMS
			}
			break
		}
	}
	return ends
}

// WaitEndsMS is when the chain moves on from a notice that waits for its turn to be sent from now on: at its link's end,
// or a fair while from now where that has passed and the link has yet to be tried.
func (n *Notice) WaitEndsMS(nowMS int64) int64 {
	if ends := n.LinkEndsMS(); ends > nowMS {
		return ends
	}
	return nowMS + fairWhileMS
}

// TaskState is where a task stands. The zero TaskState is invalid.
type TaskState int

// The states of a task.
const (
	_            TaskState = iota
	TaskOpen               // nobody works on it yet
	TaskClaimed            // somebody works on it
	TaskResolved           // end: somebody gave a resolution and a reason
	TaskSettled            // end: a later decision or an acknowledgement made it unnecessary
)

// String names the state.
func (t TaskState) String() string {
	switch t {
	case TaskOpen:
		return "open"
	case TaskClaimed:
		return "claimed"
	case TaskResolved:
		return "resolved"
	case TaskSettled:
		return "settled"
	default:
		return "invalid"
	}
}

// Task is something a person has to do.
type Task struct {
	*ledgerv1.Task        // as opened
	Organisation   string // owner now
	Role           string
	DueMS          int64 // now
	State          TaskState
	By             string // who claimed or resolved it
	Resolution     string
	OpenedMS       int64
	Escalated      bool
}

// Ended says whether the task has ended.
func (t *Task) Ended() bool { return t.State == TaskResolved || t.State == TaskSettled }

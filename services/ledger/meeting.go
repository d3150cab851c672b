package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Represented is how the task about a function that nobody represents ends when somebody says that they come.
const Represented = "represented"

// Reply is an answer to an invitation. It counts for its organisation, at the meeting that it was invited to: one that is
// moved asks anew.
type Reply struct {
	*ledgerv1.Replied
	AtMS         int64
	Organisation string
	MeetsMS      int64
}

// Comes says whether somebody of the organisation comes.
func (r *Reply) Comes() bool {
	return r.Answer == ledgerv1.Answer_ANSWER_ACCEPTED || r.Answer == ledgerv1.Answer_ANSWER_DEPUTY
}

// CheckMeeting asks for a person where a function that has to be at a meeting has been promised by nobody when its
// answer is due.
type CheckMeeting struct{ Notice *Notice }

func (CheckMeeting) step() {}

// AnswerOf is what the recipient of an invitation has answered last, whichever of its invitations to the same meeting it
// answered; nil where it has not.
func (s *State) AnswerOf(n *Notice) *Reply { return s.lastReply(n, func(*Reply) bool { return true }) }

// HasDeclined says whether a contact has said that it does not come, as its last word.
func (s *State) HasDeclined(n *Notice, contact string) bool {
	r := s.lastReply(n, func(r *Reply) bool { return r.Contact == contact })
	return contact != "" && r != nil && r.Answer == ledgerv1.Answer_ANSWER_DECLINED
}

func (s *State) lastReply(n *Notice, of func(*Reply) bool) *Reply {
	l := s.Lineages[n.Lineage]
	for i := len(l.Replies) - 1; i >= 0; i-- {
		if r := &l.Replies[i]; r.Organisation == n.Organisation && r.MeetsMS == n.Invitation.GetMeetsMs() && of(r) {
			return r
		}
	}
	return nil
}

// MostAnswers is how often somebody may answer an invitation. Each answer is kept for good, with the names it gives.
const MostAnswers = 20

// Answers counts the answers that somebody has given to an invitation.
func (s *State) Answers(n *Notice, by string) (count int) {
	for _, r := range s.Lineages[n.Lineage].Replies {
		if r.Notice == n.Id && r.By == by {
			count++
		}
	}
	return count
}

// SaidAlready says whether an answer repeats the last. A deputy may be another than before. A refusal that a program sends
// twice must not count for the deputy who has been asked meanwhile.
func (s *State) SaidAlready(n *Notice, by string, answer ledgerv1.Answer) bool {
	last := s.AnswerOf(n)
	return last != nil && last.Notice == n.Id && last.By == by && last.Answer == answer && answer != ledgerv1.Answer_ANSWER_DEPUTY
}

// DeclinedHere is the reason why the contact that the present link of an invitation was sent to does not come. The chain
// moves on from such a link at once, and not to another contact of it: whoever is next is the deputy.
func (s *State) DeclinedHere(n *Notice) (reason string, is bool) {
	if n.Invitation == nil {
		return "", false
	}
	for i := range n.Attempts {
		a := &n.Attempts[i]
		if a.Link == n.Link && s.HasDeclined(n, a.Contact) {
			return s.lastReply(n, func(r *Reply) bool { return r.Contact == a.Contact }).Reason, true
		}
	}
	return "", false
}

// forgetReplies lets the answers go to a meeting that no invitation stands to any more. Moved back to its first time it
// asks anew: nobody who was told of another time is still promised, and nobody who could not come is passed over.
func (s *State) forgetReplies(l *Lineage) {
	if len(l.Replies) == 0 {
		return
	}
	meets := map[int64]bool{}
	for _, id := range l.Standing {
		if n := s.Notices[id]; n.Invitation != nil {
			meets[n.Invitation.MeetsMs] = true
		}
	}
	l.Replies = slices.DeleteFunc(l.Replies, func(r Reply) bool { return !meets[r.MeetsMS] })
}

// Stands says whether a notice is one of its lineage's last decision. One that was acknowledged keeps that end also when
// another takes its place: an invitation to a meeting that has been moved is then answered no more.
func (s *State) Stands(n *Notice) bool {
	return !n.Withdrawn && n.Phase != Superseded && slices.Contains(s.Lineages[n.Lineage].Standing, n.Id)
}

// Invitations are those of a lineage that stand, in the order of its decision.
func (s *State) Invitations(l *Lineage) []*Notice {
	var all []*Notice
	for _, id := range l.Standing {
		if n := s.Notices[id]; n.Invitation != nil && !n.Withdrawn {
			all = append(all, n)
		}
	}
	return all
}

// Together are the invitations that an answer to one of them answers: those of the same organisation to the same meeting.
// Each is about another child, or asks somebody else of the organisation.
func (s *State) Together(n *Notice) []*Notice {
	return slices.DeleteFunc(s.Invitations(s.Lineages[n.Lineage]), func(x *Notice) bool {
		return x.Organisation != n.Organisation || x.Invitation.MeetsMs != n.Invitation.MeetsMs
	})
}

// Missing are the functions that an invitation would represent, that have to be at the meeting, and that nobody has
// promised; but for those that a person sees to already.
func (s *State) Missing(n *Notice) []string {
	l := s.Lineages[n.Lineage]
	var missing []string
	for _, function := range n.Invitation.GetRepresents() {
		if s.represented(l, function, n.Invitation.MeetsMs) || s.askedAbout(l, function, n.Invitation.MeetsMs) {
			continue
		}
		missing = append(missing, function)
	}
	return missing
}

// Unpromised are the required functions of a lineage's meeting that no organisation has promised, whoever sees to it.
func (s *State) Unpromised(l *Lineage) []string {
	var missing []string
	for _, n := range s.Invitations(l) {
		for _, function := range n.Invitation.Represents {
			if !slices.Contains(missing, function) && !s.represented(l, function, n.Invitation.MeetsMs) {
				missing = append(missing, function)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

func (s *State) represented(l *Lineage, function string, meetsMS int64) bool {
	return slices.ContainsFunc(s.inviting(l, function, meetsMS), func(n *Notice) bool {
		r := s.AnswerOf(n)
		return r != nil && r.Comes()
	})
}

// askedAbout says whether a person sees to a function that nobody has promised: by the task of an invitation that nobody
// answered, by having closed or telephoned one, or by a task about the function.
func (s *State) askedAbout(l *Lineage, function string, meetsMS int64) bool {
	for _, n := range s.inviting(l, function, meetsMS) {
		if n.Phase == WithTask || n.Phase == Closed || n.Telephoned {
			return true
		}
	}
	return slices.ContainsFunc(l.Tasks, func(id string) bool {
		t := s.Tasks[id]
		return t.Represents == function && t.MeetsMs == meetsMS && t.Resolution != Represented && t.State != TaskSettled
	})
}

func (s *State) inviting(l *Lineage, function string, meetsMS int64) []*Notice {
	return slices.DeleteFunc(s.Invitations(l), func(n *Notice) bool {
		return n.Invitation.MeetsMs != meetsMS || !slices.Contains(n.Invitation.Represents, function)
	})
}

// AboutMeeting are the open tasks of a lineage about functions that nobody represents at a meeting.
func (s *State) AboutMeeting(l *Lineage) []*Task {
	var tasks []*Task
	for _, id := range l.Tasks {
		if t := s.Tasks[id]; t.MeetsMs != 0 && !t.Ended() {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// replied takes an answer. By itself it ends no notice: an acceptance is followed by the acknowledgement. A refusal moves
// the invitation on where it stands with the contact that refuses; where it had ended, somebody else is asked by a decision.
func (s *State) replied(f *ledgerv1.Replied, atMS int64) error {
	n := s.Notices[f.Notice]
	switch {
	case n == nil:
		return s.impossible("answers an unknown notice", f.Notice)
	case n.Invitation == nil:
		return s.impossible("answers what invites to nothing: notice", f.Notice)
	case !s.Stands(n) || n.Phase == Held:
		return s.impossible("answers while "+n.Phase.String()+" notice", f.Notice)
	case f.Answer == ledgerv1.Answer_ANSWER_UNSPECIFIED || f.By == "":
		return s.impossible("says nothing, or for nobody, about notice", f.Notice)
	}
	l := s.Lineages[n.Lineage]
	l.Replies = append(l.Replies, Reply{Replied: f, AtMS: atMS, Organisation: n.Organisation, MeetsMS: n.Invitation.MeetsMs})
	if f.Answer != ledgerv1.Answer_ANSWER_DECLINED {
		return nil
	}
	s.checkMeeting(l, atMS)
	if n.Phase == Acknowledged || n.Phase == Delivered {
		n.Declined = true
		s.undecided(l, ledgerv1.Cause_CAUSE_REPLY, atMS)
		return nil
	}
	for i := range n.Attempts {
		if a := &n.Attempts[i]; f.Contact != "" && a.Contact == f.Contact {
			a.MovesOn = true
		}
	}
	// While a send is under way its end moves the notice on.
	if n.Phase != Sending && n.StandsWith(f.Contact) {
		s.setPhase(n, Ready, atMS)
	}
	return nil
}

// checkMeeting has somebody look whether what a meeting needs is promised: when each answer is due, and anew whenever
// something has happened that may have changed it.
func (s *State) checkMeeting(l *Lineage, atMS int64) {
	if !l.Invites {
		return
	}
	for _, n := range s.Invitations(l) {
		if len(n.Invitation.Represents) > 0 {
			s.arm(&s.timers, timer{atMS: max(atMS, n.DueMs), kind: meetingTimer, id: n.Id})
		}
	}
}

// unpromised says whether a meeting still lacks what an invitation would represent.
func (s *State) unpromised(n *Notice) bool {
	return s.Stands(n) && len(s.Missing(n)) > 0
}

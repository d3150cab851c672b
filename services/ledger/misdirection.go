package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ByTelephone is how a person acknowledged, and the channel of a holder, who was told by telephone.
const ByTelephone = "telephone"

// Holder is somebody who has a notice, or may have it.
type Holder struct {
	Notice       string
	Organisation string
	Role         string
	Contact      string // empty where they were told by telephone
	Channel      string
	Form         string
	SentMS       int64
	Outcome      ledgerv1.Outcome // delivered, unknown, or unspecified while under way
	Read         bool
	Acknowledged bool
	Request      *Notice // the request to delete that followed; nil where there is none
}

// MayHaveArrived says whether the contact of an attempt has the notice, or may have it.
func (a *Attempt) MayHaveArrived() bool {
	return a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED || a.Outcome == ledgerv1.Outcome_OUTCOME_UNKNOWN || !a.Ended()
}

// MayBeHad says whether somebody has the notice, or may have it. Who opened it or acknowledged it has it, whatever was said
// of the send.
func (n *Notice) MayBeHad() bool {
	return n.Telephoned || n.Phase == Acknowledged || len(n.ReadBy) > 0 ||
		slices.ContainsFunc(n.Attempts, func(a Attempt) bool { return a.MayHaveArrived() })
}

// Holders lists who may have a notice, each contact once, in the order in which they were first sent to. Whoever opened or
// acknowledged it is among them: a mail that comes back may have been kept as well.
func (s *State) Holders(n *Notice) []Holder {
	holders := s.holders(n, (*Attempt).MayHaveArrived)
	unexplained := n.Phase == Acknowledged && !n.Telephoned && len(holders) == 0
	if unexplained { // somebody has it, and nobody can say by which send
		holders = s.holders(n, func(*Attempt) bool { return true })
	}
	if n.Telephoned || unexplained && len(holders) == 0 {
		holders = append(holders, Holder{
			Notice: n.Id, Organisation: n.Organisation, Role: n.Function, Channel: ByTelephone, SentMS: n.EndedMS,
			Outcome: ledgerv1.Outcome_OUTCOME_DELIVERED, Acknowledged: true,
		})
	}
	return holders
}

// holders are the contacts that opened or acknowledged a notice, and those of the attempts that count.
func (s *State) holders(n *Notice, counts func(*Attempt) bool) []Holder {
	var holders []Holder
	for i := range n.Attempts {
		a := &n.Attempts[i]
		h := Holder{
			Notice: n.Id, Organisation: a.Organisation, Role: a.Role, Contact: a.Contact, Channel: a.Channel, Form: a.Form,
			SentMS: a.StartedMS, Outcome: a.Outcome, Read: slices.Contains(n.ReadBy, a.Contact),
			Acknowledged: n.Phase == Acknowledged && n.EndedBy == a.Contact, Request: s.requestFor(n, a),
		}
		switch {
		case h.Read || h.Acknowledged:
			h.Outcome = ledgerv1.Outcome_OUTCOME_DELIVERED
		case !counts(a):
			continue
		case !a.MayHaveArrived():
			h.Outcome = ledgerv1.Outcome_OUTCOME_UNKNOWN
		}
		same := slices.IndexFunc(holders, func(x Holder) bool { return x.Contact == h.Contact && x.Organisation == h.Organisation })
		switch {
		case same < 0:
			holders = append(holders, h)
		case holders[same].Outcome != ledgerv1.Outcome_OUTCOME_DELIVERED: // what is known better
			holders[same] = h
		}
	}
	return holders
}

// requestFor is the request to delete that was made of the contact of an attempt.
func (s *State) requestFor(n *Notice, a *Attempt) *Notice {
	l := s.Lineages[deletionLineage(n.Misdirection)]
	if l == nil {
		return nil
	}
	for _, id := range l.Standing {
		if r := s.Notices[id]; r.Deletes == n.Id && r.Organisation == a.Organisation && r.Chain[0].Contact == a.Contact {
			return r
		}
	}
	return nil
}

// Misdirected lists the notices that somebody may have who should not, of those that nobody has been asked about yet.
func (s *State) Misdirected(of []*Notice) []string {
	var ids []string
	for _, n := range of {
		if n.Misdirection == "" && n.Kind != string(notice.DeletionRequest) && n.MayBeHad() {
			ids = append(ids, n.Id)
		}
	}
	return ids
}

// TakenAway lists the notices that a decision ends without another in their place although somebody may have them, where
// that somebody should not have been told at all: a correction no longer names them, or the setting has said that the child is not
// there. Who was right when they were told, and no longer is, is not among them.
func (s *State) TakenAway(d *ledgerv1.Decision) []string {
	l := s.Lineages[d.Lineage]
	var taken []*Notice
	for _, sup := range d.Superseded {
		n := s.Notices[sup.Notice]
		if sup.By == "" && n != nil && (s.corrected(n) || l.NotAt[notice.ChildID(n.Child)][notice.OrgID(n.Organisation)]) {
			taken = append(taken, n)
		}
	}
	return s.Misdirected(taken)
}

// mayMisdirect holds the notices of a new task against what went before.
func (s *State) mayMisdirect(t *ledgerv1.Task) error {
	if len(t.Misdirected) == 0 != (t.Kind != ledgerv1.TaskKind_TASK_KIND_MISDIRECTION) {
		return s.impossible("asks about notices that went astray where there are none", t.Id)
	}
	for _, id := range t.Misdirected {
		if n := s.Notices[id]; n == nil || n.Misdirection != "" {
			return s.impossible("asks twice, or about an unknown notice", id)
		}
	}
	return nil
}

// notAstray settles a misdirection that turns out to be none: everything that was under way ended without arriving.
func (s *State) notAstray(n *Notice) {
	t := s.Tasks[n.Misdirection]
	if t == nil || t.Ended() {
		return
	}
	for _, id := range t.Misdirected {
		if s.Notices[id].MayBeHad() {
			return
		}
	}
	t.State = TaskSettled
}

// Deletion is what a person confirmed: that those who have what went astray may be asked to delete it.
type Deletion struct {
	Task   string
	Except []string // organisations that are not asked
}

func deletionLineage(task string) string { return "deletion-" + task }

// ask has it decided who is asked to delete what.
func (s *State) ask(t *Task, except []string, atMS int64) {
	l := s.lineage(deletionLineage(t.Id))
	l.Kind, l.Deletion = notice.DeletionRequest, &Deletion{Task: t.Id, Except: except}
	if of := s.Lineages[t.Lineage]; of != nil {
		l.Agency = of.Agency
	}
	s.undecided(l, ledgerv1.Cause_CAUSE_TASK, atMS)
}

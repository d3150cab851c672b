package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Withdrawal is an event taken back.
type Withdrawal struct {
	*ledgerv1.EventWithdrawn
	AtMS int64
}

// Withdrew is the digest of an event that withdrew another, for whether it comes again.
func (s *State) Withdrew(event string) (digest []byte, ok bool) {
	digest, ok = s.withdrawers[event]
	return digest, ok
}

// eventWithdrawn takes an event back. Whatever tells of it ends with this very fact, so that nothing slips out between it and
// the decision that follows: a notice that tells of other events as well comes back from that decision, without this one.
func (s *State) eventWithdrawn(f *ledgerv1.EventWithdrawn, atMS int64) error {
	e := s.Events[f.Event]
	switch {
	case f.Event == "" || f.Agency == "" || f.By == "" || f.Reason == "":
		return s.impossible("withdraws without saying what, whose, who or why", f.Event)
	case f.Source == nil && e == nil:
		return s.impossible("withdraws an unknown event", f.Event)
	case f.Source == nil && s.Withdrawals[f.Event] != nil:
		return s.impossible("withdraws an event twice", f.Event)
	case e != nil && e.Source.Agency != f.Agency:
		return s.impossible("withdraws another's event", f.Event)
	case f.Source != nil && f.Source.Agency != f.Agency:
		return s.impossible("withdraws for another", f.Event)
	case f.Source != nil && (s.Events[f.Source.Event] != nil || s.manifests.events[f.Source.Event] != nil || f.Source.Event == f.Event):
		return s.impossible("withdraws by an event that is something else", f.Source.Event)
	case !slices.Equal(f.Notices, s.TakesBack(f.Event)):
		return s.impossible("withdraws and takes back other notices than those that tell of event", f.Event)
	}
	if src := f.Source; src != nil {
		if _, again := s.withdrawers[src.Event]; again {
			return s.impossible("withdraws twice by one event", src.Event)
		}
		s.settle(src)
		s.withdrawers[src.Event] = f.Digest
		s.changed(notice.AgencyID(src.Agency), Change{AtMS: atMS, Event: src.Event, Sequence: src.Sequence, State: ChildAccepted})
	}
	if s.Withdrawals[f.Event] != nil {
		return nil // withdrawn before, by another event
	}
	s.Withdrawals[f.Event] = &Withdrawal{EventWithdrawn: f, AtMS: atMS}
	s.withdrawnFrom(f.Event, atMS)
	if e == nil {
		return nil // it has yet to come
	}
	s.withdraw(e, f, atMS)
	return nil
}

// TakesBack lists the notices that a withdrawal of an event takes back. None where the event has yet to come, or was
// withdrawn before.
func (s *State) TakesBack(event string) []string {
	e := s.Events[event]
	if e == nil || e.Withdrawn {
		return nil
	}
	var ids []string
	for _, n := range s.ToldOf(e) {
		ids = append(ids, n.Id)
	}
	return ids
}

// withdraw ends what tells of an event, and has its lineage decided anew.
func (s *State) withdraw(e *Event, f *ledgerv1.EventWithdrawn, atMS int64) {
	l := s.Lineages[e.Lineage]
	e.Withdrawn = true
	for _, id := range f.Notices {
		n := s.Notices[id]
		s.end(n, Withdrawn, atMS, f.By)
		n.Withdrawn = true
		if t := s.Tasks[n.Task]; t != nil && !t.Ended() { // of one that had ended as delivered and came back
			t.State = TaskSettled
		}
		n.Task = ""
	}
	if l.Round == 0 && len(s.Heads(l)) == 0 {
		s.settled(l) // never decided, and nothing is left to decide
	} else {
		s.undecided(l, ledgerv1.Cause_CAUSE_WITHDRAWAL, atMS)
	}
	s.responsibilityMoved(e, atMS)
	s.endingMoved(l, s.toldOfEnd(e), atMS)
	s.changed(l.Agency, Change{AtMS: atMS, Event: e.Source.Event, Sequence: e.Source.Sequence, State: ChildWithdrawn})
}

// ToldOf lists the notices that tell of an event, and those that stand for it: a notice that a correction left as it was
// tells what the correction says.
func (s *State) ToldOf(e *Event) []*Notice {
	var told []*Notice
	for _, key := range s.Lineages[e.Lineage].Events {
		represents := s.StandsNow(key) == e.Source.Event
		for _, id := range s.Events[key].Notices {
			n := s.Notices[id]
			standing := slices.Contains(s.Lineages[n.Lineage].Standing, id)
			if (key == e.Source.Event || standing && represents) && !slices.Contains(told, n) {
				told = append(told, n)
			}
		}
	}
	return told
}

// StandsNow is the last correction of an event, or the event itself.
func (s *State) StandsNow(event string) string {
	for range len(s.overtakers) {
		next, ok := s.overtakers[event]
		if !ok || s.Events[next] == nil {
			break
		}
		event = next
	}
	return event
}

// tellsWithdrawn says whether a notice would tell of an event that was withdrawn.
func (s *State) tellsWithdrawn(n *ledgerv1.Notice, sources []*ledgerv1.Source) bool {
	if len(s.Withdrawals) == 0 {
		return false
	}
	for i, src := range sources {
		if i < len(n.Refs) && n.Refs[i] != "" && s.Withdrawals[src.Event] != nil {
			return true
		}
	}
	return false
}

// index notes of which events a new notice tells.
func (s *State) index(n *Notice) {
	for i, src := range n.Sources {
		if e := s.Events[src.Event]; e != nil && i < len(n.Refs) && n.Refs[i] != "" {
			e.Notices = append(e.Notices, n.Id)
		}
	}
}

// corrected says whether an event that a notice tells of was corrected or withdrawn since.
func (s *State) corrected(n *Notice) bool {
	for i, src := range n.Sources {
		if e := s.Events[src.Event]; e != nil && i < len(n.Refs) && n.Refs[i] != "" && (e.Overtaken || e.Withdrawn) {
			return true
		}
	}
	return false
}

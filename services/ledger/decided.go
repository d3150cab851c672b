package ledger

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// followsRound holds a decision against what went before.
func (s *State) followsRound(d *ledgerv1.Decision) error {
	l := s.Lineages[d.Lineage]
	if l == nil {
		return s.impossible("decides about an unknown lineage", d.Lineage)
	}
	if d.Round != l.Round+1 {
		return s.impossible("round does not follow in lineage", d.Lineage)
	}
	if d.Cause == ledgerv1.Cause_CAUSE_UNSPECIFIED {
		return s.impossible("gives no cause for a decision about lineage", d.Lineage)
	}
	for _, sup := range d.Superseded {
		if n := s.Notices[sup.Notice]; n == nil || n.Lineage != d.Lineage {
			return s.impossible("supersedes a notice that is not of the lineage", sup.Notice)
		}
	}
	for _, id := range d.Kept {
		if n := s.Notices[id]; n == nil || n.Lineage != d.Lineage {
			return s.impossible("keeps a notice that is not of the lineage", id)
		}
	}
	made := map[string]bool{}
	for _, n := range d.Notices {
		if s.Notices[n.Id] != nil || made[n.Id] {
			return s.impossible("makes a notice twice", n.Id)
		}
		if s.tellsWithdrawn(n, d.Sources) {
			return s.impossible("tells of what was withdrawn in notice", n.Id)
		}
		made[n.Id] = true
		if err := s.mayRepeat(d, n); err != nil {
			return err
		}
	}
	for _, id := range d.SettledTasks {
		t := s.Tasks[id]
		if t == nil {
			return s.impossible("settles an unknown task", id)
		}
		if t.Notice != "" && !t.Ended() {
			return s.impossible("settles the task of a notice apart from the notice", id)
		}
	}
	for _, t := range d.Tasks {
		if err := s.mayOpen(t); err != nil || made[t.Id] {
			return s.impossible("opens a task that cannot be", t.Id)
		}
		made[t.Id] = true
	}
	for _, c := range d.Contributions {
		if c.Lineage == d.Lineage {
			return s.impossible("contributes to itself", d.Lineage)
		}
	}
	if err := s.mayHaveEnded(d); err != nil {
		return err
	}
	return s.mayLack(d)
}

func (s *State) decided(d *ledgerv1.Decision, atMS int64) error {
	if err := s.followsRound(d); err != nil {
		return err
	}
	l := s.Lineages[d.Lineage]
	s.settled(l)
	s.remember(l, d.Children)
	before := l.Ended
	l.Round, l.Children, l.Sources, l.Accepted, l.Ended = d.Round, d.Children, d.Sources, d.Accepted, d.Ended
	l.Parties = d.Parties

	for _, sup := range d.Superseded {
		n := s.Notices[sup.Notice]
		n.ReplacedBy = sup.By
		s.end(n, Superseded, atMS, "")
	}
	stood := l.Standing
	l.Standing = append([]string(nil), d.Kept...)
	for _, id := range d.Kept {
		n := s.Notices[id]
		if n.Phase == Held && d.Cause == ledgerv1.Cause_CAUSE_RELEASE && n.ReleaseMs <= atMS {
			s.setPhase(n, Ready, atMS)
		}
	}
	for _, frozen := range d.Notices {
		n := &Notice{Notice: frozen, Lineage: d.Lineage, Sources: d.Sources, DecidedMS: atMS, Resumed: resumes(before, frozen)}
		s.Notices[frozen.Id] = n
		s.index(n)
		l.Invites = l.Invites || frozen.Invitation != nil
		s.follows(n)
		l.Standing = append(l.Standing, frozen.Id)
		s.arm(&s.timers, timer{atMS: frozen.DueMs, kind: dueTimer, id: frozen.Id})
		if frozen.ReleaseMs > atMS {
			s.setPhase(n, Held, frozen.ReleaseMs)
		} else {
			s.setPhase(n, Ready, atMS)
		}
	}
	s.past(l, stood)
	s.ends(l, d, atMS)
	s.forgetReplies(l)
	for _, id := range d.SettledTasks {
		if t := s.Tasks[id]; !t.Ended() {
			t.State = TaskSettled
		}
	}
	for _, t := range d.Tasks {
		s.opened(t, atMS)
	}
	s.checkMeeting(l, atMS)
	s.contribute(l, d, atMS)
	s.assess(l, d, atMS)
	s.childrenOf(l, atMS)
	return nil
}

// contribute brings a lineage's part in notices before term up to date.
func (s *State) contribute(l *Lineage, d *ledgerv1.Decision, atMS int64) {
	gone := map[string]bool{}
	for _, id := range l.Contributes {
		gone[id] = true
	}
	l.Contributes = nil
	for _, c := range d.Contributions {
		delete(gone, c.Lineage)
		target := s.lineage(c.Lineage)
		if target.Contributions == nil {
			target.Contributions = map[string]Contribution{}
			target.Kind, target.Agency = l.Kind, l.Agency
		}
		target.Contributions[l.ID] = Contribution{Contribution: c, Sources: d.Sources}
		l.Contributes = append(l.Contributes, c.Lineage)
		s.undecided(target, d.Cause, atMS)
	}
	for _, id := range sortedKeys(gone) {
		target := s.Lineages[id]
		delete(target.Contributions, l.ID)
		s.undecided(target, d.Cause, atMS)
	}
}

// routedBy are the lineages whose routing named the recipient of n: its own, and for a notice before term also those
// that contribute to it, which are decided first.
func (s *State) routedBy(n *Notice) []*Lineage {
	own := s.Lineages[n.Lineage]
	var lineages []*Lineage
	for _, id := range sortedKeys(own.Contributions) {
		lineages = append(lineages, s.Lineages[id])
	}
	return append(lineages, own)
}

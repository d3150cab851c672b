package ledger

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// TellLate says that a notice has come to its due time and nobody has it. The chain goes on by its own times; the
// publisher hears of it now.
type TellLate struct{ Notice *Notice }

func (TellLate) step() {}

// Overdue says whether a notice is late and not yet marked so.
func (n *Notice) Overdue(nowMS int64) bool {
	return !n.Phase.Ended() && !n.Late() && n.DueMs <= nowMS
}

// late marks a notice. The instant is not held against the due time: the clocks of two leaders may differ.
func (s *State) late(f *ledgerv1.Late, atMS int64) error {
	n := s.Notices[f.Notice]
	switch {
	case n == nil:
		return s.impossible("finds an unknown notice late", f.Notice)
	case n.Phase.Ended():
		return s.impossible("finds late after its end notice", f.Notice)
	case n.Late():
		return s.impossible("finds late a second time notice", f.Notice)
	}
	n.LateMS = atMS
	s.childOf(n, atMS)
	return nil
}

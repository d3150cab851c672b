package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// mayAccept holds an event that accepts responsibility for what a lineage is about against the rules. What it accepts may
// have yet to come.
func (s *State) mayAccept(f *ledgerv1.EventAccepted) error {
	switch {
	case f.Accepts == "":
		return nil
	case notice.EventKind(f.Kind) != notice.ResponsibilityAccepted:
		return s.impossible("accepts responsibility by an event of another kind", f.Source.Event)
	case f.Accepts == f.Lineage:
		return s.impossible("accepts responsibility for itself", f.Source.Event)
	}
	return nil
}

// Acceptances are the events that accept responsibility for what a lineage is about, and that no correction replaces and
// nobody withdrew, in order of arrival. Whether each may is routing's to say.
func (s *State) Acceptances(lineage string) []*Event {
	var standing []*Event
	for _, key := range s.acceptances[lineage] {
		if e := s.Events[key]; !e.Overtaken && !e.Withdrawn {
			standing = append(standing, e)
		}
	}
	return standing
}

// responsibilityMoved has whatever hangs on an event that came, was corrected or was withdrawn decided anew: what it accepts,
// and what accepts it.
func (s *State) responsibilityMoved(e *Event, atMS int64) {
	if e.Accepts != "" {
		s.acceptanceDue(s.Lineages[e.Accepts], atMS)
	}
	for _, key := range s.acceptances[e.Lineage] {
		s.acceptanceDue(s.Lineages[s.Events[key].Lineage], atMS)
	}
}

// acceptanceDue has a lineage decided anew. One that was never decided will be without it.
func (s *State) acceptanceDue(l *Lineage, atMS int64) {
	if l != nil && l.Round > 0 {
		s.undecided(l, ledgerv1.Cause_CAUSE_ACCEPTANCE, atMS)
	}
}

func (s *State) noteAcceptance(e *Event) {
	if e.Accepts != "" && !slices.Contains(s.acceptances[e.Accepts], e.Source.Event) {
		s.acceptances[e.Accepts] = append(s.acceptances[e.Accepts], e.Source.Event)
	}
}

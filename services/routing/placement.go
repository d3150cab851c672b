package routing

import (
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// holdPlacementAgainstRoll asks for the roll to be put right where it does not say who looks after a child who is placed, or that
// the child lives where it is placed: nothing else remembers a placement, and police who report the child missing may know of
// neither authority. The event changes no roll, as with enrolments.
func (d *decider) holdPlacementAgainstRoll(s *subject) {
	p := s.event.GetPlacementNotified()
	if p == nil || !s.found {
		return // of a child whom no roll knows people are asked anyway
	}
	missing := ""
	if s.known.GetLookedAfterBy() != s.child.LookedAfterBy {
		missing = "which authority looks after the child"
	}
	if d.completed(&eventv1.Child{}, s.known).ResidenceArea != p.PlacedIn {
		if missing != "" {
			missing += ", nor "
		}
		missing += "that the child lives where it is placed"
	}
	if missing == "" {
		return
	}
	d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, placing(s), "education_safeguarding",
		"the roll does not say "+missing+": have it put right and imported for the day on which the placement begins; until then notices follow the roll", nil)
}

package engine

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// EndingsOf finds what ended a child's matters in a state as routing asks for it.
func EndingsOf(state *ledger.State, child notice.ChildID, of notice.EventKind) []routing.Ending {
	var endings []routing.Ending
	for _, e := range state.Endings(child, of) {
		ending := routing.Ending{EndedMS: e.EndedMS, ReportedMS: e.ReportedMS}
		for _, n := range e.Notices {
			ending.Told = append(ending.Told, n.Notice)
		}
		endings = append(endings, ending)
	}
	return endings
}

func (e *Engine) endings(child notice.ChildID, of notice.EventKind) []routing.Ending {
	return EndingsOf(e.state, child, of)
}

// onlyOver says whether a decision is due about nothing but whether a matter is over, or accepted by the home area.
func onlyOver(l *ledger.Lineage, cause ledgerv1.Cause) bool {
	return cause == ledgerv1.Cause_CAUSE_ENDING || cause == ledgerv1.Cause_CAUSE_ACCEPTANCE && l.Kind != notice.ResponsibilityAccepted
}

func sameEnded(a, b *ledgerv1.Ended) bool {
	return a.Obligation == b.Obligation && a.Child == b.Child && a.Notice == b.Notice
}

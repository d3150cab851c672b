package engine

import (
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// PastOf counts a child's matters in a state as routing asks for them.
func PastOf(state *ledger.State, p routing.Past) int {
	return state.Earlier(ledger.Past{
		Child: p.Child, Lineage: p.Lineage, Kinds: p.Kinds, FromMS: p.From.UnixMilli(), UntilMS: p.Until.UnixMilli(), Enough: p.Enough,
	})
}

func (e *Engine) past(p routing.Past) int { return PastOf(e.state, p) }

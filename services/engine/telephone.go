package engine

import (
	"context"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ToldByTelephone takes in that an organisation was told by telephone. What the call told of ends at once, and what is
// decided of it later ends before anything is sent. The same entry again changes nothing.
func (e *Engine) ToldByTelephone(ctx context.Context, f *ledgerv1.ToldByTelephone) error {
	const op = "engine.ToldByTelephone"
	return e.command(ctx, op, func() error {
		switch {
		case e.state.Calls[f.Id] != nil:
			return nil
		case f.Id == "" || f.Lineage == "" || f.Organisation == "" || f.ToldMs <= 0:
			return notice.Faultf(notice.Invalid, op, "say which incident, who was told and when")
		case f.ToldMs > e.nowMS():
			return notice.Faultf(notice.Invalid, op, "the call lies in the future: correct its time")
		}
		facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: f}}}
		ended := e.state.EndedByCall(f)
		for _, n := range ended {
			facts = append(facts, heard(n, f)...)
		}
		e.record(facts...) // together: a call that is there ends what it told of
		for _, n := range ended {
			e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		}
		return nil
	})
}

// heard is what follows for a notice from a call that told its recipient. A call after the due time was late.
func heard(n *ledger.Notice, f *ledgerv1.ToldByTelephone) []*ledgerv1.Fact {
	var facts []*ledgerv1.Fact
	if f.ToldMs >= n.DueMs && !n.Late() {
		facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Late{Late: &ledgerv1.Late{Notice: n.Id}}})
	}
	return append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{
		Notice: n.Id, By: f.By, Means: "telephone", Statement: f.Statement, Call: f.Id,
	}}})
}

// heardAlready ends the notices of a decision whose recipients heard of it by telephone before it came. They are ended
// before the next step, so that none is found late that was told in time.
func (e *Engine) heardAlready(d *ledgerv1.Decision) {
	for _, n := range d.Notices {
		e.toldByTelephone(e.state.Notices[n.Id])
	}
}

// toldByTelephone ends a notice that its recipient has heard of by telephone, and says whether it did.
func (e *Engine) toldByTelephone(n *ledger.Notice) bool {
	if n.Phase.Ended() || n.Phase == ledger.Held {
		return false
	}
	c := e.state.CallOf(n)
	if c == nil {
		return false
	}
	e.record(heard(n, c.ToldByTelephone)...)
	return true
}

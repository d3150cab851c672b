package engine

import (
	"context"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// place puts a notice into an agency's inbox. Nothing is sent, so nothing waits for its turn: the fact is all there is. The
// content is made when the agency reads it.
func (e *Engine) place(n *ledger.Notice, endpoint delivery.Endpoint, passed []delivery.Skip) {
	e.intoInbox(notice.AgencyID(endpoint.Address), &ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: &ledgerv1.AttemptStarted{
		Notice: n.Id, Attempt: uint32(len(n.Attempts) + 1), Link: n.Link, Contact: endpoint.Contact,
		Channel: endpoint.Channel, Organisation: string(endpoint.Organisation), Role: endpoint.Role,
		LeaseMs: n.WaitEndsMS(e.nowMS()), PossibleDuplicate: n.MayHave(endpoint.Contact), Form: delivery.Full.String(),
		Address: e.addressOf(endpoint), Inbox: endpoint.Address,
		PassedOver: delivery.PassedOver(passed),
	}}})
}

// intoInbox records a fact that puts something into an agency's inbox. It may be handed over once the fact is durable.
func (e *Engine) intoInbox(agency notice.AgencyID, f *ledgerv1.Fact) {
	if _, some := e.undurable[agency]; !some {
		e.undurable[agency] = e.state.InboxLen(agency)
	}
	e.record(f)
	until := e.state.InboxLen(agency)
	e.afterwards(func() {
		e.undurable[agency] = until
		if until == e.state.InboxLen(agency) {
			delete(e.undurable, agency)
		}
	})
}

// AwaitInbox returns once holds is true of a state, and of how much of an agency's inbox is durable. holds runs on the owning
// goroutine, at once and again after whatever happens; what lies behind that it must not hand on.
func (e *Engine) AwaitInbox(ctx context.Context, agency notice.AgencyID, holds func(s *ledger.State, durable int) bool) error {
	return e.wait(ctx, "engine.AwaitInbox", waiter{early: true, holds: func(s *ledger.State) bool {
		durable, some := e.undurable[agency]
		if !some {
			durable = s.InboxLen(agency)
		}
		return holds(s, durable)
	}})
}

// Fetched records what became of notices that lie in an inbox: the agency has them, or they may no longer be shown to it.
// One whose end is on record already changes nothing.
func (e *Engine) Fetched(ctx context.Context, ends []*ledgerv1.AttemptFinished) error {
	const op = "engine.Fetched"
	return e.command(ctx, op, func() error {
		for _, end := range ends {
			n := e.state.Notices[end.GetNotice()]
			if n == nil {
				return notice.Faultf(notice.NotFound, op, "there is no such notice")
			}
			a, ok := n.Attempt(end.GetAttempt())
			suits := end.GetOutcome() == ledgerv1.Outcome_OUTCOME_DELIVERED ||
				end.GetOutcome() == ledgerv1.Outcome_OUTCOME_UNKNOWN && end.GetRetryMs() == 0
			if !ok || a.Inbox == "" || !suits {
				return notice.Faultf(notice.Precondition, op, "the notice does not lie in an inbox")
			}
		}
		for _, end := range ends {
			n := e.state.Notices[end.GetNotice()]
			if a, _ := n.Attempt(end.GetAttempt()); a.Ended() {
				continue
			}
			e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: end}})
			if n.Phase.Ended() {
				e.callOff(n)
			}
			e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		}
		return nil
	})
}

// unanswered is why a chain moves on from whoever was sent to.
func unanswered(n *ledger.Notice) string {
	if last := len(n.Attempts); last > 0 && n.Attempts[last-1].Inbox != "" && !n.Attempts[last-1].Ended() {
		return "not fetched from the inbox in time"
	}
	return "not acknowledged in time"
}

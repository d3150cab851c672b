package engine

import (
	"context"
	"fmt"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Stop stops sending. When it returns nothing begins to be sent that it covers; what had begun ends. Again changes nothing.
func (e *Engine) Stop(ctx context.Context, f *ledgerv1.Stopped) error {
	return e.command(ctx, "engine.Stop", func() error {
		if e.state.Stopped(ledger.Stop{Scope: f.Scope, Target: f.Target}) {
			return nil
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: f}})
		return nil
	})
}

// Resume ends a stop: what is due goes out, by lane and then by due time.
func (e *Engine) Resume(ctx context.Context, f *ledgerv1.Resumed) error {
	const op = "engine.Resume"
	return e.command(ctx, op, func() error {
		if !e.state.Stopped(ledger.Stop{Scope: f.Scope, Target: f.Target}) {
			return notice.Faultf(notice.Precondition, op, "this is not stopped: see what is with `signalbox sending show`")
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Resumed{Resumed: f}})
		return nil
	})
}

// holdBack takes a notice out of the queue where sending it is stopped. The endpoint is empty where it is not known yet.
func (e *Engine) holdBack(n *ledger.Notice, endpoint delivery.Endpoint) bool {
	stop, stopped := e.state.StopOf(n, endpoint.Channel, string(endpoint.Organisation))
	if stopped {
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_HeldBack{HeldBack: &ledgerv1.HeldBack{
			Notice: n.Id, Scope: stop.Scope, Target: stop.Target,
		}}})
	}
	return stopped
}

// stoppedBeforeItBegan ends an attempt whose start was being written when sending was stopped. It counts as no failure
// of the endpoint: the notice is held back next.
func (e *Engine) stoppedBeforeItBegan(n *ledger.Notice, started *ledgerv1.AttemptStarted) bool {
	if _, stopped := e.state.StopOf(n, started.Channel, started.Organisation); !stopped {
		return false
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{
		Notice: n.Id, Attempt: started.Attempt, Outcome: ledgerv1.Outcome_OUTCOME_TRANSIENT,
		Detail: "not sent: sending was stopped", RetryMs: e.nowMS(),
	}}})
	return true
}

// overrun brings a notice that is held back to a person: its due time has come, and nobody else will tell anybody. Should
// sending be resumed before somebody takes the task up, the notice goes out after all.
func (e *Engine) overrun(n *ledger.Notice) {
	task := e.exhausted(n)
	task.Id = e.config.Key.ID("task", task.Kind.String(), n.Id, "stopped", fmt.Sprint(n.HeldBackTimes))
	task.Detail = fmt.Sprintf("sending is stopped, and nobody at %s has the notice: telephone, and record who was told", n.Organisation)
	e.record(
		&ledgerv1.Fact{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{
			Notice: n.Id, Link: uint32(len(n.Chain)), Reason: "its due time came while sending was stopped",
		}}},
		&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: task}},
	)
	e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
}

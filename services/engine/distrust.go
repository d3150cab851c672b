package engine

import (
	"context"
	"time"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ClockGuard says whether this machine's clock can be right. It is safe for use by several goroutines.
type ClockGuard interface {
	// Plausible says so with the newest instant in the ledger, and how often a person has confirmed this instance's clock.
	Plausible(newestMS, confirmed int64) bool
	// Steady says whether it still can be, since it was last asked. It is asked just before what cannot be undone.
	Steady() bool
}

func (e *Engine) steady() bool { return e.Guard == nil || e.Guard.Steady() }

// trustsClock says whether anything may be done by this machine's clock. Events and what people do are taken all the same.
func (e *Engine) trustsClock() bool {
	if e.Guard == nil {
		return true
	}
	holds := e.Guard.Plausible(e.state.NewestMS, e.state.Confirmed[e.config.Instance])
	if holds == e.distrusts {
		if e.distrusts = !holds; e.distrusts {
			e.Logger.Error("the clock of this machine cannot be right: nothing is decided or sent until it is, or a person confirms it")
		} else {
			e.Logger.Info("the clock of this machine can be right again: decisions and sends go on", zap.Time("now", e.now().UTC()))
		}
	}
	return holds
}

// lookAgain wakes in a moment, by a clock that nobody sets.
func lookAgain() (<-chan struct{}, func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(tryAgain, func() { close(done) })
	return done, func() { timer.Stop() }
}

// distrustedBeforeItBegan ends an attempt whose start was being written when the clock became implausible.
func (e *Engine) distrustedBeforeItBegan(n *ledger.Notice, started *ledgerv1.AttemptStarted) bool {
	if e.trustsClock() {
		return false
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{
		Notice: n.Id, Attempt: started.Attempt, Outcome: ledgerv1.Outcome_OUTCOME_TRANSIENT,
		Detail: "not sent: the clock cannot be right", RetryMs: e.nowMS(),
	}}})
	return true
}

// ConfirmClock records that the clock of this instance, which leads, is right as it stands.
func (e *Engine) ConfirmClock(ctx context.Context, f *ledgerv1.ClockConfirmed) error {
	const op = "engine.ConfirmClock"
	return e.command(ctx, op, func() error {
		if e.trustsClock() {
			return notice.Faultf(notice.Precondition, op, "the clock of the instance that leads is not in doubt: see `signalbox alarm list`")
		}
		f.Instance = e.config.Instance
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ClockConfirmed{ClockConfirmed: f}})
		return nil
	})
}

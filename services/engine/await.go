package engine

import (
	"context"
	"slices"

	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// waiter waits for something to hold.
type waiter struct {
	holds func(*ledger.State) bool
	done  chan struct{}
	gone  <-chan struct{} // closed when nobody waits any more
}

// Await returns once holds is true of a state that is durable as it is shown. holds runs on the owning goroutine, again
// after whatever happens, and must keep nothing of the state.
func (e *Engine) Await(ctx context.Context, holds func(*ledger.State) bool) error {
	const op = "engine.Await"
	w := waiter{holds: holds, done: make(chan struct{}), gone: ctx.Done()}
	if err := e.hand(ctx, func() { e.waiters = append(e.waiters, w) }); err != nil {
		return notice.Fault(notice.Unavailable, op, err)
	}
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return notice.Fault(notice.Unavailable, op, ctx.Err())
	case <-e.stopped:
		return notice.Fault(notice.Unavailable, op, ErrNotLeading)
	}
}

// answerWaiters lets go those whose wait is over, where all that was recorded is durable.
func (e *Engine) answerWaiters() {
	if len(e.waiters) == 0 || e.flying || len(e.pending) > 0 {
		return
	}
	e.waiters = slices.DeleteFunc(e.waiters, func(w waiter) bool {
		select {
		case <-w.gone:
			return true
		default:
		}
		if !w.holds(e.state) {
			return false
		}
		close(w.done)
		return true
	})
}

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
	early bool            // holds looks at what is durable alone, and need not wait until everything is
}

// Await returns once holds is true of a state that is durable as it is shown. holds runs on the owning goroutine, again
// after whatever happens, and must keep nothing of the state.
func (e *Engine) Await(ctx context.Context, holds func(*ledger.State) bool) error {
	return e.wait(ctx, "engine.Await", waiter{holds: holds})
}

func (e *Engine) wait(ctx context.Context, op string, w waiter) error {
	w.done, w.gone = make(chan struct{}), ctx.Done()
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

// answerWaiters lets go those whose wait is over: where all that was recorded is durable and nothing is being read that is
// to be gone on with, and of the others those who look at nothing else.
func (e *Engine) answerWaiters() {
	if len(e.waiters) == 0 {
		return
	}
	quiet := !e.flying && len(e.pending) == 0 && len(e.reading) == 0
	e.waiters = slices.DeleteFunc(e.waiters, func(w waiter) bool {
		select {
		case <-w.gone:
			return true
		default:
		}
		if !quiet && !w.early || !w.holds(e.state) {
			return false
		}
		close(w.done)
		return true
	})
}

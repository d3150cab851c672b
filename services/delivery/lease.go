package delivery

import (
	"context"
	"time"
)

type leaseKey struct{}

// WithLease ties sends to a lease that is renewed, which a deadline cannot be: held says whether it lasts. A context's
// own timers are late in a process that was stopped and wakes, so a sender asks Held rather than waits for Done.
func WithLease(ctx context.Context, held func() bool) context.Context {
	return context.WithValue(ctx, leaseKey{}, held)
}

// Held says whether a send may still begin, or end: its context has not ended, its deadline has not passed by the
// clock, and its lease lasts. A sender asks just before it writes what cannot be taken back.
func Held(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) || ctx.Err() != nil {
		return false
	}
	held, ok := ctx.Value(leaseKey{}).(func() bool)
	return !ok || held()
}

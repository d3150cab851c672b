package push

import (
	"sync/atomic"
	"testing"

	"github.com/signalbox-hq/signalbox/services/delivery"
)

// The lease ends while gRPC gets a connection, and the context knows nothing of it.
func TestACallWhoseLeaseEndsBeforeItsFirstFrameIsNotMade(t *testing.T) {
	r := startReceiver(t, nil)
	s := r.sender(t, nil)
	var asked atomic.Int32
	ctx := delivery.WithLease(t.Context(), func() bool { return asked.Add(1) < 1 })
	got := s.Send(ctx, r.message())
	if got.Outcome != delivery.Transient || len(r.requests) != 0 {
		t.Errorf("%+v, %d calls", got, len(r.requests))
	}
	if asked.Load() == 0 {
		t.Error("nobody asked")
	}
	if got := s.Send(t.Context(), r.message()); got.Outcome != delivery.Delivered {
		t.Errorf("without a lease: %+v", got)
	}
}

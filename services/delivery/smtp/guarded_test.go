package smtp

import (
	"sync/atomic"
	"testing"

	"github.com/signalbox-hq/signalbox/services/delivery"
)

// The context has no end here: as in a process that was stopped and wakes, only the lease knows.
func TestAMailWhoseLeaseEndsMidwayGetsNoFurther(t *testing.T) {
	for _, last := range []string{"the sender", "the recipient"} {
		t.Run("after "+last+" was taken", func(t *testing.T) {
			var over atomic.Bool
			ctx := delivery.WithLease(t.Context(), func() bool { return !over.Load() })
			r := startRelay(t, relayOptions{})
			s := r.sender(t)
			if got := s.Send(ctx, sample, recipient); got.Outcome != delivery.Delivered {
				t.Fatalf("while the lease lasts: %+v", got)
			}
			end := func() error {
				over.Store(true)
				return nil
			}
			if last == "the sender" {
				r.onMail = end
			} else {
				r.onRcpt = end
			}
			got := s.Send(ctx, sample, recipient)
			if got.Outcome == delivery.Delivered || got.Outcome == delivery.Permanent {
				t.Errorf("%+v", got)
			}
			if n := len(r.letters()); n != 1 {
				t.Errorf("the relay has %d letters, want 1", n)
			}
			over.Store(false)
			r.onMail, r.onRcpt = nil, nil
			if got := s.Send(ctx, sample, recipient); got.Outcome != delivery.Delivered {
				t.Errorf("under the next lease: %+v", got)
			}
		})
	}
}

// A notice is withdrawn, or its lease ends, between any two writes: what never went out whole is known not to have arrived.
func TestAMailThatIsStoppedBetweenTwoWritesIsNotUnknown(t *testing.T) {
	r := startRelay(t, relayOptions{})
	s := r.sender(t)
	arrived, stopped := 0, 0
	for allowed := range int64(20) {
		var writes atomic.Int64
		ctx := delivery.WithLease(t.Context(), func() bool { return writes.Add(1) <= allowed })
		got := s.Send(ctx, sample, recipient)
		had := len(r.letters()) - arrived
		arrived += had
		switch {
		case got.Outcome == delivery.Delivered && had == 1:
		case got.Outcome == delivery.Transient && had == 0:
			stopped++
		default:
			t.Errorf("stopped after %d writes: %+v, and %d letters arrived", allowed, got, had)
		}
	}
	if arrived == 0 || stopped < 4 {
		t.Errorf("%d mails arrived and %d were stopped: the test stops nothing in the middle", arrived, stopped)
	}
}

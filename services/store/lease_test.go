package store

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestOfTwoWhoTryForTheLeaseOneHasIt(t *testing.T) {
	lease := newRig(t).store.Lease()
	ctx := testContext(t)
	if _, revision, err := lease.Get(ctx); revision != 0 || err != nil {
		t.Fatalf("before anybody: revision %d, %v", revision, err)
	}
	a := LeaseRecord{Instance: "a", Run: "1", Key: "k", Renewed: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
	b := LeaseRecord{Instance: "b", Run: "2", Key: "k", Renewed: a.Renewed}
	first := got(lease.Put(ctx, 0, a)).or(t)
	if _, err := lease.Put(ctx, 0, b); notice.KindOf(err) != notice.Conflict {
		t.Fatalf("the second: %v", err)
	}
	second := got(lease.Put(ctx, first, a)).or(t)
	if _, err := lease.Put(ctx, first, b); notice.KindOf(err) != notice.Conflict {
		t.Fatalf("after a renewal: %v", err)
	}
	record, revision, err := lease.Get(ctx)
	check(t, err)
	if diff := cmp.Diff(a, record); diff != "" || revision != second {
		t.Errorf("revision %d, want %d (-want +got):\n%s", revision, second, diff)
	}
}

func TestACommandIsAnsweredByTheLeaderOfItsEpochOrByNobody(t *testing.T) {
	s := newRig(t).store
	ctx := testContext(t)
	if _, err := s.Command(ctx, 7, []byte("before")); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Fatalf("where nobody leads: %v", err)
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- s.ServeCommands(serving, 7, func(_ context.Context, request []byte) []byte { return append([]byte("did "), request...) })
	}()
	for {
		answer, err := s.Command(ctx, 7, []byte("this"))
		if notice.KindOf(err) == notice.NotFound && err != nil {
			continue // not heard yet
		}
		if string(got(answer, err).or(t)) != "did this" {
			t.Fatalf("answered %q", answer)
		}
		break
	}
	if _, err := s.Command(ctx, 8, []byte("of another epoch")); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Fatalf("in another epoch: %v", err)
	}
	stop()
	check(t, <-done)
}

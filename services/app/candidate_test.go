package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// onlyRecord is a lease as one process finds it.
type onlyRecord struct {
	record   store.LeaseRecord
	revision uint64
}

func (l *onlyRecord) Get(context.Context) (store.LeaseRecord, uint64, error) {
	return l.record, l.revision, nil
}

func (l *onlyRecord) Put(_ context.Context, after uint64, r store.LeaseRecord) (uint64, error) {
	if after != l.revision {
		return 0, notice.Faultf(notice.Conflict, "test", "another was quicker")
	}
	l.record, l.revision = r, after+1
	return l.revision, nil
}

func TestWhoMayTryForTheLead(t *testing.T) {
	long, short := time.Now().Add(-goneAfter), time.Now().Add(-heldFor)
	for name, tc := range map[string]struct {
		record   store.LeaseRecord
		revision uint64
		since    time.Time
		looked   bool
		want     bool
	}{
		"nobody has ever led":                            {want: true},
		"the lead was given back":                        {store.LeaseRecord{Key: "k"}, 4, short, true, true},
		"another renewed a moment ago":                   {store.LeaseRecord{Instance: "b", Run: "2"}, 4, short, true, false},
		"another has not renewed for long":               {store.LeaseRecord{Instance: "b", Run: "2"}, 4, long, true, true},
		"our own predecessor was killed":                 {store.LeaseRecord{Instance: "a", Run: "0"}, 4, short, false, true},
		"a second one of our name leads, and we began":   {store.LeaseRecord{Instance: "a", Run: "0"}, 4, short, true, false},
		"the record is ours: the answer to it was lost":  {store.LeaseRecord{Instance: "a", Run: "1"}, 4, short, true, true},
		"another, which nobody has looked at before now": {store.LeaseRecord{Instance: "b", Run: "2"}, 4, short, false, false},
	} {
		c := &candidate{instance: "a", run: "1", looked: tc.looked}
		if got := c.free(tc.record, tc.revision, tc.since); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestALeaseIsHeldByBothClocksOrNotAtAll(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		until time.Time
		want  bool
	}{
		"to come by both": {now.Add(time.Minute), true},
		"over by both":    {now.Add(-time.Second), false},
		"over by the wall clock alone: the machine slept": {now.Add(-time.Second).Round(0), false},
	} {
		term := &term{until: tc.until}
		if got := term.Held(); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestAnInstanceWithAnotherLedgerKeyIsTurnedAway(t *testing.T) {
	lease := &onlyRecord{}
	first := newCandidate(lease, "a", notice.Key{1}, zap.NewNop())
	turn, err := first.Campaign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	turn.Resign()
	if lease.record.Run != "" {
		t.Errorf("the lead was not given back: %+v", lease.record)
	}
	if _, err := newCandidate(lease, "b", notice.Key{2}, zap.NewNop()).Campaign(t.Context()); notice.KindOf(err) != notice.Precondition {
		t.Errorf("with another key: %v", err)
	}
	again, err := newCandidate(lease, "b", notice.Key{1}, zap.NewNop()).Campaign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again.Resign()
}

func TestAFaultIsTheSameOnTheOtherSideOfACommand(t *testing.T) {
	inner := notice.Faultf(notice.Precondition, "engine.ClaimTask", "the task is settled already")
	equalText(t, "the task is settled already", message(notice.Fault(notice.Unavailable, "app.x", inner)))
	equalText(t, "invalid", message(notice.InvalidFields("op", []notice.FieldFault{{Field: "child", Message: "no such child"}})))
	equalText(t, "plain", message(errors.New("plain")))
	if !errors.Is(notice.Fault(notice.Unavailable, "op", engine.ErrNotLeading), engine.ErrNotLeading) {
		t.Error("a fault hides that nothing was recorded")
	}
}

func equalText(t *testing.T, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

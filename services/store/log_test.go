package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// ledgerLog is the contract that Log and MemLog share.
type ledgerLog interface {
	Append(ctx context.Context, expectLast uint64, pack []byte) (uint64, error)
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
	Follow(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) error
	Last(ctx context.Context) (uint64, error)
}

func TestBothLogsKeepTheContract(t *testing.T) {
	logs := map[string]func(t *testing.T) ledgerLog{
		"in memory":    func(*testing.T) ledgerLog { return NewMemLog(time.Now) },
		"on JetStream": func(t *testing.T) ledgerLog { return newRig(t).store.Ledger(year) },
	}
	for name, open := range logs {
		t.Run(name, func(t *testing.T) {
			t.Run("an empty log reads as empty", func(t *testing.T) { logIsEmpty(t, open(t)) })
			t.Run("packs are read back in order, from anywhere", func(t *testing.T) { logReadsBack(t, open(t)) })
			t.Run("of two writers one appends", func(t *testing.T) { logFences(t, open(t)) })
			t.Run("the same append again finds itself", func(t *testing.T) { logFindsItself(t, open(t)) })
			t.Run("an error of the reader ends the read", func(t *testing.T) { logStopsReading(t, open(t)) })
			t.Run("a follower hears what is there and what comes", func(t *testing.T) { logIsFollowed(t, open(t)) })
			t.Run("a context that is over appends nothing", func(t *testing.T) { logHeedsContext(t, open(t)) })
		})
	}
}

func logIsEmpty(t *testing.T, l ledgerLog) {
	ctx := testContext(t)
	for _, from := range []uint64{0, 1} {
		last, err := l.Read(ctx, from, func(uint64, time.Time, []byte) error { return errors.New("a pack in an empty log") })
		if last != 0 || err != nil {
			t.Errorf("read from %d: %d, %v", from, last, err)
		}
	}
	if last := got(l.Last(ctx)).or(t); last != 0 {
		t.Errorf("last is %d", last)
	}
}

func logReadsBack(t *testing.T, l ledgerLog) {
	ctx := testContext(t)
	const packs = 150
	started := time.Now().Add(-time.Second)
	for i := range uint64(packs) {
		seq, err := l.Append(ctx, i, fmt.Appendf(nil, "pack %d", i+1))
		if seq != i+1 || err != nil {
			t.Fatalf("append %d: %d, %v", i+1, seq, err)
		}
	}
	for _, from := range []uint64{0, 1, 2, 149, 150, 151} {
		next := max(from, 1)
		last, err := l.Read(ctx, from, func(seq uint64, at time.Time, pack []byte) error {
			if want := fmt.Sprintf("pack %d", next); seq != next || string(pack) != want {
				t.Fatalf("read %d %q, want %d %q", seq, pack, next, want)
			}
			if at.Before(started) || at.After(time.Now().Add(time.Second)) || at.Location() != time.UTC {
				t.Fatalf("pack %d was stored at %v", seq, at)
			}
			next++
			return nil
		})
		if err != nil || last != packs || next != packs+1 {
			t.Errorf("read from %d ended at %d (%v), having handed over up to %d", from, last, err, next-1)
		}
	}
	if last, err := l.Read(ctx, 200, func(uint64, time.Time, []byte) error { return errors.New("beyond the end") }); last != 199 || err != nil {
		t.Errorf("read beyond the end: %d, %v", last, err)
	}
	if last := got(l.Last(ctx)).or(t); last != packs {
		t.Errorf("last is %d", last)
	}
}

func logFences(t *testing.T, l ledgerLog) {
	ctx := testContext(t)
	got(l.Append(ctx, 0, []byte("first, of the new leader"))).or(t)
	for _, expect := range []uint64{0, 2, 7} {
		if _, err := l.Append(ctx, expect, []byte("of the old leader")); notice.KindOf(err) != notice.Conflict {
			t.Errorf("append at %d: %v, want a conflict", expect, err)
		}
	}
	seq, err := l.Append(ctx, 1, []byte("second, of the new leader"))
	if seq != 2 || err != nil {
		t.Errorf("the new leader's next: %d, %v", seq, err)
	}
}

func logFindsItself(t *testing.T, l ledgerLog) {
	ctx := testContext(t)
	got(l.Append(ctx, 0, []byte("one"))).or(t)
	got(l.Append(ctx, 1, []byte("two"))).or(t)
	for expect, pack := range []string{"one", "two"} {
		if seq, err := l.Append(ctx, uint64(expect), []byte(pack)); seq != uint64(expect)+1 || err != nil {
			t.Errorf("%q again: %d, %v", pack, seq, err)
		}
	}
	if last := got(l.Last(ctx)).or(t); last != 2 {
		t.Errorf("last is %d: a pack was stored twice", last)
	}
}

func logStopsReading(t *testing.T, l ledgerLog) {
	ctx := testContext(t)
	for i := range uint64(3) {
		got(l.Append(ctx, i, fmt.Appendf(nil, "%d", i))).or(t)
	}
	enough := errors.New("enough")
	last, err := l.Read(ctx, 1, func(seq uint64, _ time.Time, _ []byte) error {
		if seq == 2 {
			return enough
		}
		return nil
	})
	if last != 1 || !errors.Is(err, enough) {
		t.Errorf("read ended at %d with %v, want after 1 with the reader's error", last, err)
	}
	if err := l.Follow(ctx, 1, func(uint64, time.Time, []byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("follow ended with %v, want the reader's error", err)
	}
}

func logIsFollowed(t *testing.T, l ledgerLog) {
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	got(l.Append(ctx, 0, []byte("one"))).or(t)
	heard, ended := make(chan string), make(chan error, 1)
	go func() {
		ended <- l.Follow(ctx, 1, func(seq uint64, _ time.Time, pack []byte) error {
			heard <- fmt.Sprintf("%d %s", seq, pack)
			return nil
		})
	}()
	var all []string
	all = append(all, <-heard)
	got(l.Append(ctx, 1, []byte("two"))).or(t)
	all = append(all, <-heard)
	if diff := cmp.Diff([]string{"1 one", "2 two"}, all); diff != "" {
		t.Error(diff)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || notice.KindOf(err) != notice.Unavailable {
		t.Errorf("follow ended with %v", err)
	}
}

func logHeedsContext(t *testing.T, l ledgerLog) {
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := l.Append(ctx, 0, []byte("late")); notice.KindOf(err) != notice.Unavailable {
		t.Errorf("append: %v, want unavailable", err)
	}
	if last := got(l.Last(testContext(t))).or(t); last != 0 {
		t.Errorf("last is %d", last)
	}
}

func TestAPackThatIsTooLargeIsInvalid(t *testing.T) {
	r := newRig(t)
	if _, err := r.store.Ledger(year).Append(testContext(t), 0, make([]byte, 2<<20)); notice.KindOf(err) != notice.Invalid {
		t.Errorf("%v, want invalid", err)
	}
}

func TestALedgerThatWasNeverOpenedIsNotFound(t *testing.T) {
	r := newRig(t)
	l := r.store.Ledger(1999)
	if _, err := l.Last(testContext(t)); notice.KindOf(err) != notice.NotFound {
		t.Errorf("last: %v, want not found", err)
	}
	if _, err := l.Append(testContext(t), 0, nil); notice.KindOf(err) != notice.NotFound {
		t.Errorf("append: %v, want not found", err)
	}
	if _, err := l.Read(testContext(t), 1, nil); notice.KindOf(err) != notice.NotFound {
		t.Errorf("read: %v, want not found", err)
	}
}

func TestTheLedgerCannotBeDeletedFromOrReadFromAReplica(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	got(r.store.Ledger(year).Append(ctx, 0, []byte("one"))).or(t)
	str := got(r.store.js.Stream(ctx, ledgerStream(year))).or(t)
	if err := str.SecureDeleteMsg(ctx, 1); err == nil {
		t.Error("a pack was deleted")
	}
	if err := str.Purge(ctx); err == nil {
		t.Error("the ledger was purged")
	}
	if str.CachedInfo().Config.AllowDirect {
		t.Error("direct get is on")
	}
}

func TestALedgerSurvivesARestart(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	for i := range uint64(20) {
		got(r.store.Ledger(year).Append(ctx, i, fmt.Appendf(nil, "pack %d", i))).or(t)
	}
	r.store.nc.Close()
	r.srv.Shutdown()
	again := got(StartServer(ctx, r.srv.cfg)).or(t)
	defer again.Shutdown()
	nc := got(again.Connect()).or(t)
	defer nc.Close()
	s := got(Open(nc, Settings{EventsMaxBytes: 64 << 20, QuarantineBytes: 16 << 20})).or(t)
	check(t, s.Provision(ctx, year))
	if last := got(s.Ledger(year).Last(ctx)).or(t); last != 20 {
		t.Errorf("last is %d after the restart, want 20", last)
	}
}

package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const shelved = notice.AgencyID("ashmere-police")

// snapshot keeps a whole stream in memory.
func snapshot(t testing.TB, s *Store, stream string) (StreamHead, []byte) {
	t.Helper()
	var kept bytes.Buffer
	head := got(s.Snapshot(testContext(t), stream, &kept)).or(t)
	return head, kept.Bytes()
}

// bare is a server with nothing on it.
func bare(t testing.TB) *Store {
	t.Helper()
	srv := got(StartServer(testContext(t), ServerConfig{StoreDir: filepath.Join(t.TempDir(), "store")})).or(t)
	t.Cleanup(srv.Shutdown)
	nc := got(srv.Connect()).or(t)
	t.Cleanup(nc.Close)
	return got(Open(nc, Settings{})).or(t)
}

// messages are all that a stream holds, and the number that its next message gets.
func messages(t testing.TB, s *Store, stream string) ([]Msg, uint64) {
	t.Helper()
	first, last, err := s.last(testContext(t), stream)
	check(t, err)
	var all []Msg
	for seq := first; seq <= last; seq++ {
		m, err := s.get(testContext(t), stream, seq)
		if err == nil {
			all = append(all, m)
		} else if kindOf(err) != notice.NotFound {
			t.Fatal(err)
		}
	}
	return all, last + 1
}

func TestARestoredStreamHasEveryMessageUnderItsNumber(t *testing.T) {
	for name, erased := range map[string][]uint64{
		"nothing erased":           nil,
		"some erased":              {2, 3, 7},
		"the first and the newest": {1, 2, 9, 10},
		"all erased":               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, shelved)
			events := r.store.Events()
			for i := range 10 {
				got(events.Publish(testContext(t), shelved, "encompass.incident", Header{"Ce-Id": {fmt.Sprint(i)}}, fmt.Appendf(nil, "event %d", i), "")).or(t)
			}
			for _, seq := range erased {
				check(t, events.Erase(testContext(t), shelved, seq))
			}
			head, kept := snapshot(t, r.store, eventsStream(shelved))
			other := bare(t)
			check(t, other.Restore(testContext(t), eventsStream(shelved), head, bytes.NewReader(kept)))

			want, next := messages(t, r.store, eventsStream(shelved))
			have, hasNext := messages(t, other, eventsStream(shelved))
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if next != hasNext || next != 11 {
				t.Errorf("the next message is %d, was %d", hasNext, next)
			}
			if seq := got(other.Events().Publish(testContext(t), shelved, "encompass.incident", nil, []byte("new"), "")).or(t); seq != 11 {
				t.Errorf("the next event is %d: the ledger takes it for one that it knows", seq)
			}
			if err := other.Restore(testContext(t), eventsStream(shelved), head, bytes.NewReader(kept)); err == nil {
				t.Error("a stream is restored over one that is there")
			}
		})
	}
}

func TestALedgerThatIsBackedUpWhileItGrowsHasNoHole(t *testing.T) {
	r := newRig(t)
	log := r.store.Ledger(year)
	ctx, stop := context.WithCancel(testContext(t))
	grown := make(chan uint64)
	go func() {
		last := uint64(0)
		defer func() { grown <- last }()
		for pack := bytes.Repeat([]byte("pack"), 1_000); ctx.Err() == nil; {
			seq, err := log.Append(ctx, last, pack)
			if err != nil {
				return
			}
			last = seq
		}
	}()
	for {
		if last := got(log.Last(testContext(t))).or(t); last > 20 {
			break
		}
	}
	for range 5 {
		head, kept := snapshot(t, r.store, ledgerStream(year))
		other := bare(t)
		check(t, other.Restore(testContext(t), ledgerStream(year), head, bytes.NewReader(kept)))
		end := got(other.Ledger(year).Read(testContext(t), 1, func(uint64, time.Time, []byte) error { return nil })).or(t)
		if end < head.Last {
			t.Errorf("restored to pack %d of %d", end, head.Last)
		}
		got(other.Ledger(year).Append(testContext(t), end, []byte("the next"))).or(t)
	}
	stop()
	if last := <-grown; last < 100 {
		t.Logf("the ledger grew to %d packs only", last)
	}
}

func TestASnapshotOfWhatIsNotThereIsRefused(t *testing.T) {
	s := bare(t)
	if _, err := s.Snapshot(testContext(t), "VAULT", io.Discard); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Errorf("no such stream: %v", err)
	}
	if err := s.Restore(testContext(t), "SOMETHING", StreamHead{}, bytes.NewReader(nil)); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("a stream of somebody else's: %v", err)
	}
	if err := s.Restore(testContext(t), vaultStream, StreamHead{Config: []byte("{")}, bytes.NewReader(nil)); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("a configuration that is none: %v", err)
	}
}

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// A new leader may find a decision and the steps it makes needless due at once: the decision comes first, and the steps
// are not carried out against what it ended.
func TestAStepThatADecisionOfTheSameMomentMakesNeedlessIsNotCarriedOut(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	id := first.only(whichever)
	first.stop()
	_ = first.end()

	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "not now"))
	second := r.run()
	if err := second.NotAtSetting(r.context(), id, "dsl"); err != nil {
		t.Fatal(err)
	}
	second.stop()
	_ = second.end()

	r.events.fail(1, nil)
	r.clock.Set(at(t, "2026-11-20T08:30:00Z"))
	third := r.run()
	third.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: superseded", third.notices())
}

func TestAnAgencysStreamThatBreaksIsReadOn(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	r.events.snap(notice.Faultf(notice.Unavailable, "test", "not now"))
	r.events.publish(r.incident("i2", "KV/2"))
	e.settle()
	equal(t, "dsl, dsl", r.post.to())
}

func TestOneAgencysBrokenStreamEndsNothingForTheOthers(t *testing.T) {
	r := newRig(t, directory.AgencyRow(&directoryv1.Agency{Id: "another", Organisation: police}))
	r.post.holdBack()
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	r.events.snap(notice.Faultf(notice.Internal, "test", "broken"))
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	if err := e.Await(r.context(), func(s *ledger.State) bool { return s.Counts()[ledger.Awaiting] == 1 }); err != nil {
		t.Fatal(err)
	}
	e.stop()
	if err := e.end(); err != nil {
		t.Fatalf("Run returned %v", err)
	}
	if n := r.count(func(f *ledgerv1.Fact) bool { return f.GetAttemptFinished() != nil }); n != 1 {
		t.Fatalf("%d ends written", n)
	}
}

// Between the end of a chain and the task that follows there is no moment at which nobody owns the notice.
func TestAChainsEndAndItsTaskAreWrittenTogether(t *testing.T) {
	r := newRig(t)
	r.maxPack = 3000
	e := r.run()
	for i := range 40 {
		r.events.publish(r.incident(strconv.Itoa(i), "KV/"+strconv.Itoa(i)))
	}
	e.settle()
	r.clock.Set(at(t, "2026-11-20T08:30:00Z"))
	e.settle()
	r.clock.Set(at(t, "2026-11-20T09:30:00Z"))
	e.settle()
	tasks := 0
	if _, err := r.log.Read(r.context(), 1, func(seq uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		ends := map[string]bool{}
		for _, f := range pack.Facts {
			if f.GetEscalated().GetLink() == 2 {
				ends[f.GetEscalated().Notice] = true
			}
			if about := f.GetTaskOpened().GetNotice(); about != "" {
				tasks++
				delete(ends, about)
			}
		}
		if len(ends) > 0 {
			t.Errorf("pack %d ends %d chains without a task", seq, len(ends))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if tasks != 40 {
		t.Fatalf("%d tasks", tasks)
	}
}

// Crashes at random moments, with events, answers, failures and time in between: in the end each notice has an end or a
// person, nobody is sent to twice unless it is marked so, and the ledger folds.
func TestCrashesLoseNothingAndDoubleOnlyWhatIsMarked(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			draw := rand.New(rand.NewPCG(seed, 1))
			r := newRig(t)
			r.limits.Slots, r.maxPack = 2, 6000
			log := newGate(r.log)
			r.log = log
			var outcomes sync.Mutex
			r.post.answers(func(delivery.Message) delivery.Result {
				outcomes.Lock()
				defer outcomes.Unlock()
				return delivery.Result{Outcome: []delivery.Outcome{
					delivery.Delivered, delivery.Delivered, delivery.Delivered, delivery.Transient, delivery.Permanent, delivery.Unknown,
				}[draw.IntN(6)]}
			})
			published := 0
			for range 6 {
				appends := 0
				outcomes.Lock()
				last := 2 + draw.IntN(12)
				outcomes.Unlock()
				log.check(func([]byte) error {
					if appends++; appends > last {
						return notice.Faultf(notice.Internal, "test", "the process is dead")
					}
					return nil
				})
				e := r.run()
				for range 8 {
					published++
					r.events.publish(r.incident(fmt.Sprintf("i%d", published), fmt.Sprintf("KV/%d", published%5)))
					r.clock.Advance(7 * time.Minute)
				}
				outcomes.Lock()
				crash := draw.IntN(3) > 0
				outcomes.Unlock()
				if crash {
					e.crash(log)
				} else {
					e.stop()
					_ = e.end()
				}
			}
			log.mend()
			r.post.answers(nil)
			e := r.run()
			for range 40 {
				r.clock.Advance(20 * time.Minute) // first past the leases of what was under way in the last crash
				e.settle()
			}
			e.notices() // checks for faults
			e.see(func(s *ledger.State) {
				if len(s.Events) != published {
					t.Errorf("%d of %d events were taken in", len(s.Events), published)
				}
				for _, n := range s.Notices {
					if !n.Phase.Ended() && n.Phase != ledger.WithTask {
						t.Errorf("notice %s is %s", n.Id, n.Phase)
					}
				}
			})
			type key struct{ notice, contact string }
			first := map[key]bool{} // a send of a dead process may arrive after the marked one that follows it
			for _, m := range r.post.arrived(t, 1) {
				k := key{m.Notice.Id, m.Endpoint.Contact}
				if m.PossibleDuplicate || m.Attempt > 1 {
					continue
				}
				if first[k] {
					t.Errorf("notice %s went to %s twice, unmarked", k.notice, k.contact)
				}
				first[k] = true
			}
		})
	}
}

func TestOnARealLogTheNextLeaderTakesOverAndTheOldOneStops(t *testing.T) {
	r := newRig(t)
	srv, err := store.StartServer(r.context(), store.ServerConfig{StoreDir: filepath.Join(t.TempDir(), "store")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s, err := store.Open(nc, store.Settings{EventsMaxBytes: 16 << 20, QuarantineBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Provision(r.context(), 2026); err != nil {
		t.Fatal(err)
	}
	var log engine.Log = s.Ledger(2026)
	r.log = log
	old := r.run()
	for i := range 50 {
		r.events.publish(r.incident(strconv.Itoa(i), "KV/"+strconv.Itoa(i)))
	}
	old.settle()
	r.post.arrived(t, 50)

	next := r.run()
	r.events.publish(r.incident("late", "KV/late"))
	if err := old.end(); !isKind(err, notice.Conflict) {
		t.Fatalf("the old leader's Run returned %v", err)
	}
	next.settle()
	if n := len(r.post.arrived(t, 51)); n != 51 {
		t.Fatalf("%d sends of 51", n)
	}
	state := ledger.NewState()
	if _, _, err := engine.Fold(r.context(), log, state); err != nil {
		t.Fatal(err)
	}
	if len(state.Notices) != 51 || state.Epoch != 2 {
		t.Fatalf("%d notices in epoch %d", len(state.Notices), state.Epoch)
	}
}

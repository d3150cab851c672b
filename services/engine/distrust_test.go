package engine_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// doubt is a clock guard that believes until it is told not to, and again once a person has confirmed.
type doubt struct {
	mu        sync.Mutex
	wrong     bool
	newestMS  int64
	confirmed int64
}

func (d *doubt) set(wrong bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrong = wrong
}

func (d *doubt) Plausible(newestMS, confirmed int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if confirmed > d.confirmed {
		d.wrong = false
	}
	d.newestMS, d.confirmed = newestMS, confirmed
	return !d.wrong
}

func (d *doubt) Steady() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.wrong
}

func TestByAClockInDoubtEventsAndAnswersAreTakenAndNothingElseHappens(t *testing.T) {
	r := newRig(t)
	clock := &doubt{}
	r.guard = clock
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	id := e.only(whichever)
	clock.set(true)
	r.events.publish(r.incident("i2", "KV/2"))
	e.await("the event", func(s *ledger.State) bool { return len(s.Events) == 2 })
	r.clock.Advance(48 * time.Hour) // whatever it says
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl"}); err != nil {
		t.Errorf("an acknowledgement: %v", err)
	}
	equal(t, "dsl", r.post.to())
	e.see(func(s *ledger.State) {
		if s.Undecided().Count != 1 || s.Notices[id].Phase != ledger.Acknowledged || s.NewestMS != r.clock.Now().UnixMilli() {
			t.Errorf("%d undecided, the notice is %s", s.Undecided().Count, s.Notices[id].Phase)
		}
	})
	if err := e.ConfirmClock(r.context(), &ledgerv1.ClockConfirmed{By: "operator:a"}); err != nil {
		t.Fatal(err)
	}
	e.settle()
	e.see(func(s *ledger.State) {
		if s.Undecided().Count != 0 || s.Confirmed["a"] != 1 {
			t.Errorf("confirmed %v, %d undecided", s.Confirmed, s.Undecided().Count)
		}
	})
	if err := e.ConfirmClock(r.context(), &ledgerv1.ClockConfirmed{By: "operator:a"}); !isKind(err, notice.Precondition) {
		t.Errorf("a clock that nobody doubts: %v", err)
	}
}

func TestNothingBeginsToBeSentByAClockThatCameIntoDoubtWhileItsStartWasWritten(t *testing.T) {
	r := newRig(t)
	clock, log := &doubt{}, newGate(r.log)
	r.guard, r.log = clock, log
	e := r.run()
	log.check(func(stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		if slices.ContainsFunc(pack.Facts, func(f *ledgerv1.Fact) bool { return f.GetAttemptStarted() != nil }) {
			log.mend()
			clock.set(true)
		}
		return nil
	})
	r.events.publish(r.incident("i1", "KV/1"))
	e.await("the end of the attempt", func(s *ledger.State) bool { return s.Counts()[ledger.Waiting] == 1 })
	equal(t, "", r.post.to())
	clock.set(false)
	e.settle()
	equal(t, "dsl", r.post.to())
}

package engine_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func equal(t testing.TB, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestAnEventIsSentOnceToTheChildsSchool(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: awaiting acknowledgement", e.notices())

	r.events.publish(r.incident("i1", "KV/1")) // again
	e.settle()
	equal(t, "dsl", r.post.to())
	if n := r.count(isDecision); n != 1 {
		t.Fatalf("%d decisions", n)
	}
	id := e.only(whichever)
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: "page"}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(48 * time.Hour)
	e.settle()
	equal(t, "dsl", r.post.to())
	equal(t, school+" v1: acknowledged", e.notices())
}

func TestNothingIsSentOrAnsweredBeforeTheLogHasIt(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	log.attempt(t) // its lead
	open := log.close()
	defer open()
	r.events.publish(r.incident("i1", "KV/1"))
	log.attempt(t)
	if got := r.post.to(); got != "" {
		t.Fatalf("sent to %s while the log has nothing", got)
	}
	open()
	e.settle()
	equal(t, "dsl", r.post.to())

	id := e.only(whichever)
	open = log.close()
	defer open()
	for len(log.tried) > 0 {
		<-log.tried
	}
	answered := make(chan error, 1)
	go func() { answered <- e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl"}) }()
	log.attempt(t)
	select {
	case err := <-answered:
		t.Fatalf("answered %v while the log has nothing", err)
	default:
	}
	open()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestLosingTheLeadEndsRunWithConflictAndSendsNothing(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	if _, err := log.Log.Append(r.context(), 1, []byte("another leader's pack")); err != nil {
		t.Fatal(err)
	}
	r.events.publish(r.incident("i1", "KV/1"))
	if err := e.end(); !isKind(err, notice.Conflict) {
		t.Fatalf("Run returned %v", err)
	}
	equal(t, "", r.post.to())
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: "x"}); !isKind(err, notice.Unavailable) {
		t.Fatalf("a command after the end: %v", err)
	}
	if err := e.Await(r.context(), func(*ledger.State) bool { return true }); !isKind(err, notice.Unavailable) {
		t.Fatalf("waiting after the end: %v", err)
	}
}

func TestAnUnclearAppendIsTriedAgainWithTheSameBytes(t *testing.T) {
	r := newRig(t)
	log := newGate(r.log)
	r.log = log
	e := r.run()
	lead := log.attempt(t)
	fails := 2
	log.check(func([]byte) error {
		if fails--; fails >= 0 {
			return notice.Faultf(notice.Unavailable, "test", "not known")
		}
		return nil
	})
	r.events.publish(r.incident("i1", "KV/1"))
	first, second, third := log.attempt(t), log.attempt(t), log.attempt(t)
	if !bytes.Equal(first, second) || !bytes.Equal(second, third) || bytes.Equal(first, lead) {
		t.Fatal("other bytes were tried")
	}
	e.settle()
	equal(t, "dsl", r.post.to())
}

func TestARestartBeforeTheDecisionDecidesOnce(t *testing.T) {
	r := newRig(t)
	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "not now"))
	log := newGate(r.log)
	r.log = log
	// A ledger that ends between the two: the event is taken in, and no decision follows.
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	log.check(func(pack []byte) error { return notice.Faultf(notice.Internal, "test", "dead") })
	_ = first.end()
	log.mend()

	second := r.run()
	second.await("the event", func(s *ledger.State) bool { return s.Cursor(police) == 1 })
	second.stop()
	if err := second.end(); err != nil {
		t.Fatal(err)
	}
	r.events.fail(1, nil)
	third := r.run()
	third.settle()
	equal(t, "dsl", r.post.to())
	if n := r.count(isDecision); n != 1 {
		t.Fatalf("%d decisions", n)
	}
}

func TestAnErasedEventHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	first.stop()
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	r.events.fail(1, notice.Fault(notice.NotFound, "test", errGone))
	e := r.run() // with nothing left in memory
	r.events.publish(r.incident("i2", "KV/1", func(ev *eventv1.Event) { ev.Children[0] = child("c1", "Ben") }))
	e.settle()
	equal(t, "dsl, dsl", r.post.to())
}

func TestAnEventThatCannotBeReadWaitsAndHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	first.settle()
	first.stop()
	_ = first.end()
	for name, err := range map[string]error{
		"for now":        notice.Faultf(notice.Unavailable, "test", "not now"),
		"for a bad byte": notice.Faultf(notice.Internal, "test", "cannot be decoded"),
	} {
		t.Run(name, func(t *testing.T) {
			r.events.fail(1, err)
			e := r.run()
			defer e.stop()
			before := len(r.post.arrived(t, 1))
			r.events.publish(r.incident("of "+name, "KV/1"), r.incident("other "+name, "KV/"+name))
			e.await("the other event's notice", func(s *ledger.State) bool {
				return s.Cursor(police) == r.events.last() && s.Counts()[ledger.Sending] == 0 && s.Counts()[ledger.Ready] == 0
			})
			r.post.arrived(t, before+1)
			r.events.fail(1, nil)
			r.clock.Advance(time.Second)
			e.settle()
		})
	}
}

func TestPacksStayBelowTheLargestMessage(t *testing.T) {
	r := newRig(t)
	r.maxPack = 8000
	log := newGate(r.log)
	r.log = log
	largest := 0
	log.check(func(pack []byte) error { largest = max(largest, len(pack)); return nil })
	e := r.run()
	open := log.close()
	for i := range 60 {
		r.events.publish(r.incident("i"+strconv.Itoa(i), "KV/"+strconv.Itoa(i)))
	}
	log.attempt(t)
	open()
	e.settle()
	r.post.arrived(t, 60)
	if largest > r.maxPack || largest < r.maxPack/2 {
		t.Fatalf("the largest pack has %d bytes", largest)
	}
}

func TestNewChecksItsParts(t *testing.T) {
	if _, err := engine.New(engine.Deps{}, engine.Config{}); !isKind(err, notice.Internal) {
		t.Fatal(err)
	}
}

func TestAnAgencyAddedLaterIsFollowed(t *testing.T) {
	r := newRig(t, directory.AgencyRow(&directoryv1.Agency{Id: "another", Organisation: police}))
	s, err := directory.Build(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	full := r.current.Swap(s)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.current.Store(full)
	e.Refresh()
	e.settle()
	equal(t, "dsl", r.post.to())
	if got := <-e.News(); got != police {
		t.Fatalf("news of %s", got)
	}
}

package engine_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// call is an entry that the school was told of an incident, now.
func (r *rig) call(subject string) *ledgerv1.ToldByTelephone {
	return &ledgerv1.ToldByTelephone{
		Id: "call of " + subject, Lineage: r.key.ID("lineage", police, string(notice.EncompassIncident), subject), Agency: police,
		Kind: string(notice.EncompassIncident), Organisation: school, ToldMs: r.clock.Now().UnixMilli(), By: "operator:a", Statement: 7,
	}
}

func (e *running) told(f *ledgerv1.ToldByTelephone) {
	e.rig.t.Helper()
	if err := e.ToldByTelephone(e.rig.context(), f); err != nil {
		e.rig.t.Fatal(err)
	}
}

func TestACallEndsANoticeWhereverItStands(t *testing.T) {
	for name, c := range map[string]struct {
		stands string
		before func(*running)
		after  func(*running)
		sent   string
	}{
		"under way": {
			stands: "sending", sent: "dsl",
			before: func(e *running) { e.rig.post.holdBack() },
			after:  func(e *running) { e.rig.post.letGo(delivery.Result{Outcome: delivery.Transient}) },
		},
		"waiting to try again": {
			stands: "waiting to try again", sent: "dsl",
			before: func(e *running) {
				e.rig.post.answers(func(delivery.Message) delivery.Result { return delivery.Result{Outcome: delivery.Transient} })
			},
		},
		"stopped": {
			stands: "stopped",
			before: func(e *running) { e.halt(everything) },
			after:  func(e *running) { e.goOn(everything) },
		},
		"awaiting acknowledgement": {stands: "awaiting acknowledgement", sent: "dsl"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			e := r.run()
			if c.before != nil {
				c.before(e)
			}
			r.events.publish(r.incident("i1", "KV/1"))
			e.await(c.stands, func(s *ledger.State) bool {
				for _, n := range s.Notices {
					return n.Phase.String() == c.stands
				}
				return false
			})
			if c.stands == "sending" {
				r.post.arrived(t, 1)
			}
			e.told(r.call("KV/1"))
			e.told(r.call("KV/1")) // again changes nothing
			if c.after != nil {
				c.after(e)
			}
			r.clock.Advance(72 * time.Hour)
			e.settle()
			equal(t, c.sent, r.post.to())
			equal(t, school+" v1: acknowledged", e.notices())
		})
	}
}

func TestWhatAnAgencyPublishesLateWasToldInTime(t *testing.T) {
	r := newRig(t)
	e := r.run()
	call := r.call("KV/1")
	r.clock.Set(at(t, "2026-11-20T12:00:00Z"))
	e.told(call)
	ev := r.incident("i1", "KV/1")
	ev.Time.Seconds = at(t, "2026-11-19T23:00:00Z").Unix() // reported in the evening, published at noon
	r.events.publish(ev)
	e.settle()
	equal(t, "", r.post.to())
	equal(t, school+" v1: acknowledged", e.notices())
	if late := r.count(func(f *ledgerv1.Fact) bool { return f.GetLate() != nil }); late != 0 {
		t.Error("it is on record as late")
	}
	tomorrow := r.call("KV/2")
	tomorrow.ToldMs = r.clock.Now().Add(time.Minute).UnixMilli()
	if err := e.ToldByTelephone(r.context(), tomorrow); !isKind(err, notice.Invalid) {
		t.Errorf("a call of the future: %v", err)
	}
}

// decidedOnly is how large a pack has to be for the largest decision of what is done, and no more.
func decidedOnly(t *testing.T, do func(*running)) int {
	t.Helper()
	r := newRig(t)
	e := r.run()
	do(e)
	e.settle()
	size := 0
	for _, f := range r.facts() {
		if isDecision(f) {
			size = max(size, proto.Size(f))
		}
	}
	return size + 80 // what a pack and a fact need besides: see packHead and factHead
}

// A decision and the end of what it makes may be in two packs, with a crash between them.
func TestWhatWasToldByTelephoneIsNotSentAfterACrashEither(t *testing.T) {
	r := newRig(t)
	r.maxPack = decidedOnly(t, func(e *running) { e.rig.events.publish(e.rig.incident("i1", "KV/1")) })
	log := newGate(r.log)
	r.log = log
	first := r.run()
	first.told(r.call("KV/1"))
	log.check(func(stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		for _, f := range pack.Facts {
			if f.GetAcknowledged() != nil {
				return notice.Faultf(notice.Internal, "test", "the process is dead")
			}
		}
		return nil
	})
	r.events.publish(r.incident("i1", "KV/1"))
	if err := first.end(); err == nil {
		t.Fatal("the engine survived")
	}
	log.mend()
	if r.count(isDecision) != 1 || r.count(func(f *ledgerv1.Fact) bool { return f.GetAcknowledged() != nil }) != 0 {
		t.Fatal("the crash was not between the two")
	}
	second := r.run()
	second.settle()
	equal(t, "", r.post.to())
	equal(t, school+" v1: acknowledged", second.notices())
}

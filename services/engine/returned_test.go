package engine_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	bounced   = ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT
	autoReply = ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY
)

// sent is a rig with one notice, in the safeguarding lead's mailbox.
func sent(t *testing.T, change ...*directoryv1.Row) (*rig, *running, string) {
	t.Helper()
	r := newRig(t, change...)
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	e.settle()
	equal(t, "dsl", r.post.to())
	return r, e, e.only(whichever)
}

func (e *running) returned(id string, attempt uint32, kind ledgerv1.ReturnKind) {
	e.rig.t.Helper()
	if err := e.Returned(e.rig.context(), &ledgerv1.Returned{Notice: id, Attempt: attempt, Kind: kind, Code: "5.1.1"}); err != nil {
		e.rig.t.Fatal(err)
	}
	e.settle()
}

func isReturned(f *ledgerv1.Fact) bool { return f.GetReturned() != nil }

func TestABounceGoesToTheNextContactAtOnceAndOnlyOnce(t *testing.T) {
	r, e, id := sent(t)
	e.returned(id, 1, bounced)
	equal(t, "dsl, deputy", r.post.to())
	e.returned(id, 1, bounced)
	if n := r.count(isReturned); n != 1 {
		t.Errorf("%d facts", n)
	}
	e.returned(id, 2, bounced)
	// The school has no head: the chain goes on to the authority.
	equal(t, "dsl, deputy, team", r.post.to())
	e.returned(id, 3, bounced)
	equal(t, school+" v1: with a person", e.notices())
}

func TestALeadWhoseMailComesBackIsPassedOverForAnotherOfTheRole(t *testing.T) {
	second := contact("dsl-second", school, "dsl", "regular")
	r, e, id := sent(t, second)
	e.returned(id, 1, bounced)
	equal(t, "dsl, dsl-second", r.post.to())
	r.events.publish(r.incident("i2", "KV/2"))
	e.settle()
	equal(t, "dsl, dsl-second, dsl-second", r.post.to())

	confirmed := proto.CloneOf(contact("dsl", school, "dsl", "regular"))
	confirmed.GetContact().VerifiedOn = "2026-11-19"
	r.direct(second, confirmed)
	r.events.publish(r.incident("i3", "KV/3"))
	e.settle()
	equal(t, "dsl, dsl-second, dsl-second, dsl", r.post.to())
}

func TestALeadWhoseMailComesBackIsStillTriedWhereTheRoleHasNobodyElse(t *testing.T) {
	r, e, id := sent(t)
	e.returned(id, 1, bounced)
	r.events.publish(r.incident("i2", "KV/2"))
	e.settle()
	equal(t, "dsl, deputy, dsl", r.post.to())
}

func TestAnAutomaticReplyGoesOnWhileThereIsSomebodyElse(t *testing.T) {
	r, e, id := sent(t)
	e.returned(id, 1, autoReply)
	e.returned(id, 2, autoReply)
	equal(t, "dsl, deputy, team", r.post.to())
	e.returned(id, 3, autoReply)
	equal(t, school+" v1: awaiting acknowledgement", e.notices())
	if err := e.Acknowledge(r.context(), &ledgerv1.Acknowledged{Notice: id, By: "dsl"}); err != nil {
		t.Fatal(err)
	}
	e.settle()
	equal(t, school+" v1: acknowledged", e.notices())
	e.see(func(s *ledger.State) {
		if len(s.Failing) != 0 {
			t.Errorf("failing: %v", s.Failing)
		}
	})
}

func TestWhatComesBackWhileTheSendIsUnderWayCounts(t *testing.T) {
	r := newRig(t)
	r.post.holdBack()
	e := r.run()
	r.events.publish(r.incident("i1", "KV/1"))
	r.post.arrived(t, 1)
	id := e.only(whichever)
	if err := e.Returned(r.context(), &ledgerv1.Returned{Notice: id, Attempt: 1, Kind: bounced}); err != nil {
		t.Fatal(err)
	}
	r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e.settle()
	equal(t, "dsl, deputy", r.post.to())
}

func TestWhatComesBackForNothingIsRefused(t *testing.T) {
	r, e, id := sent(t)
	for name, tc := range map[string]struct {
		returned *ledgerv1.Returned
		kind     notice.Kind
	}{
		"an unknown notice":         {&ledgerv1.Returned{Notice: "x", Attempt: 1, Kind: bounced}, notice.NotFound},
		"an attempt that never was": {&ledgerv1.Returned{Notice: id, Attempt: 2, Kind: bounced}, notice.NotFound},
		"no attempt":                {&ledgerv1.Returned{Notice: id, Kind: bounced}, notice.NotFound},
		"no kind":                   {&ledgerv1.Returned{Notice: id, Attempt: 1}, notice.Invalid},
	} {
		if err := e.Returned(r.context(), tc.returned); !isKind(err, tc.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := r.count(isReturned); n != 0 {
		t.Errorf("%d facts", n)
	}
}

func TestAnAutomaticReplyLongAfterwardsChangesNothing(t *testing.T) {
	r, e, id := sent(t)
	r.clock.Advance(24 * time.Hour)
	e.settle()
	was, before := e.notices(), r.post.to()
	e.returned(id, 1, autoReply)
	equal(t, was, e.notices())
	equal(t, before, r.post.to())
}

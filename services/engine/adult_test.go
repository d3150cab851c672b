package engine_test

import (
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// A step is given once. That of a notice whose young person has turned 18 is left to a decision that is due already; where
// that decision leaves everything as it stands, the notice must not lie there for ever, neither sent nor ended.
func TestWhoTurns18WhileADecisionIsDueThatLeavesEverythingAsItStandsIsStillToldOfNoMore(t *testing.T) {
	const born = "2008-11-21"
	r := newRig(t, directory.ChildRow(&directoryv1.Child{
		Id: "ada", Given: "Ada", Family: "Larch", DateOfBirth: born, ResidenceArea: area,
		Enrolments: []*directoryv1.Enrolment{{Setting: school, Kind: "registered", AsOf: "2026-09-01"}},
	}))
	ada := func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = born }
	r.clock.Set(at(t, "2026-11-20T23:30:00Z")) // half an hour before the birthday
	r.post.answers(func(delivery.Message) delivery.Result {
		return delivery.Result{Outcome: delivery.Transient, RetryAfter: time.Hour}
	})
	first := r.run()
	r.events.publish(r.incident("i1", "KV/1", ada))
	first.settle()
	equal(t, school+" v1: waiting to try again", first.notices())

	// An acceptance comes that counts for nothing: the police cannot accept. What it is about cannot be read just now.
	e := first.erase()
	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "not now"))
	r.events.publish(r.incident("a1", "AC/1", ada, func(ev *eventv1.Event) {
		ev.Type, ev.Narrative = string(notice.ResponsibilityAccepted), nil
		ev.Payload = &eventv1.Event_ResponsibilityAccepted{ResponsibilityAccepted: &eventv1.ResponsibilityAccepted{
			Accepts: &eventv1.Matter{Agency: police, Kind: string(notice.EncompassIncident), Reference: "KV/1"},
		}}
	}))
	e.await("the acceptance", func(s *ledger.State) bool { return s.Cursor(police) == 2 })
	r.clock.Set(at(t, "2026-11-21T01:00:00Z")) // the hour is over
	e.see(func(s *ledger.State) {
		if l := s.Lineages[s.Events[e.EventKey(police, "i1")].Lineage]; l.Undecided != ledgerv1.Cause_CAUSE_ACCEPTANCE {
			t.Fatalf("due is a decision for %s", l.Undecided)
		}
	})
	r.events.fail(1, nil)
	for range 3 { // what waits is tried again each second
		r.clock.Advance(time.Second)
		e.await("the decisions", func(s *ledger.State) bool { return s.Undecided().Count == 0 })
	}
	e.settle()
	equal(t, school+" v1: superseded", e.notices())
	equal(t, "dsl", r.post.to())
}

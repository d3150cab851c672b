package engine_test

import (
	"testing"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// missing is a report that a pupil is missing: the authority must have it within half an hour.
func (r *rig) missing(id, words string) *eventv1.Event {
	return r.incident(id, "KV/1", func(ev *eventv1.Event) {
		ev.Type, ev.Narrative = "missing.reported", &eventv1.Narrative{Disclosable: words}
		ev.Payload = &eventv1.Event_MissingReported{MissingReported: &eventv1.MissingReported{LastSeenAt: ev.Time}}
	})
}

// council says of the authority's notice that stands which version it is, when it is due, and whether it is late.
func (e *running) council() string {
	e.rig.t.Helper()
	said := "none"
	e.see(func(s *ledger.State) {
		for _, n := range s.Notices {
			if n.Organisation == council && !n.Phase.Ended() {
				said = time.UnixMilli(n.DueMs).UTC().Format("15:04")
				if n.Version > 1 {
					said += ", corrected"
				}
				if n.Late() {
					said += ", late"
				}
			}
		}
	})
	return said
}

func TestWhatWaitedToBeTakenInIsDueAllTheSame(t *testing.T) {
	r := newRig(t, contact("duty", council, "duty", "regular"))
	e := r.run()
	r.clock.Set(at(t, "2026-11-19T23:10:00Z"))
	r.events.put(engine.Message{Event: r.missing("m1", "Ada did not come home."), Waited: 20 * time.Minute})
	e.settle()
	equal(t, "23:20", e.council())
}

func TestACorrectionDoesNotPutOffWhatNobodyHasAcknowledged(t *testing.T) {
	r := newRig(t, contact("duty", council, "duty", "regular"))
	e := r.run()
	r.clock.Set(at(t, "2026-11-19T23:10:00Z"))
	r.events.publish(r.missing("m1", "Ada did not come home."))
	e.settle()
	equal(t, "23:40", e.council())

	r.clock.Set(at(t, "2026-11-19T23:35:00Z"))
	corrected := r.missing("m2", "Ada did not come home from school.")
	corrected.Supersedes = "m1"
	r.events.publish(corrected)
	e.settle()
	equal(t, "23:40, corrected", e.council())

	r.clock.Set(at(t, "2026-11-19T23:40:00Z"))
	e.settle()
	equal(t, "23:40, corrected, late", e.council())
}

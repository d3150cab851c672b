package routing_test

import (
	"slices"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// accepts is a round about an enquiry of which Kestrel Vale, where Kay lives, has accepted responsibility.
func accepts(t *testing.T) (w world, matter, acceptance []routing.Event, decided *ledgerv1.Decision) {
	t.Helper()
	w = newWorld(t, "2026-11-09T10:05:00Z", agencyOf("kestrel", kestrelCouncil))
	kay := reported("kay")
	kay.ResidenceArea = kestrelVale
	enquired := enquiry(nil, takesPart(ashmerePolice, "police", attended))
	enquired.Children = []*eventv1.Child{kay}
	matter, acceptance = sources([]*eventv1.Event{enquired}), sources([]*eventv1.Event{accepted("kestrel", kay)})
	r := firstRound()
	r.Acceptances = acceptance
	decided = routing.Decide(matter, r, w.Facts)
	equals(t, "accepted", decided.Accepted, []string{"kay"})
	return w, matter, acceptance, decided
}

func TestAnAcceptanceThatWasErasedHasBeenGiven(t *testing.T) {
	w, matter, _, decided := accepts(t)
	r := next(ledgerv1.Cause_CAUSE_TASK, decided)
	r.Accepted, r.Erased.Acceptances = decided.Accepted, true
	d := routing.Decide(matter, r, w.Facts)
	equals(t, "accepted", d.Accepted, []string{"kay"})
	equals(t, "told anew", len(d.Notices), 0)
}

func TestWhatWasErasedStaysAcceptedUntilTheAcceptanceIsTakenBackAndThenAPersonIsAsked(t *testing.T) {
	w, matter, acceptance, decided := accepts(t)
	r := next(ledgerv1.Cause_CAUSE_ACCEPTANCE, decided)
	r.Agency, r.Accepted, r.Acceptances = "ashmere-council", decided.Accepted, acceptance
	r.Erased = routing.Erased{Sources: []*ledgerv1.Source{matter[0].Source}, Children: decided.Children}
	for i := range r.Prior {
		r.Prior[i].Erased = true
	}
	stands := routing.Decide(nil, r, w.Facts)
	equals(t, "accepted", stands.Accepted, []string{"kay"})
	equals(t, "tasks", len(stands.Tasks), 0)
	equals(t, "kept", len(stands.Kept), len(decided.Notices))

	r.Acceptances = nil
	lapsed := routing.Decide(nil, r, w.Facts)
	equals(t, "accepted", len(lapsed.Accepted), 0)
	equals(t, "kept", len(lapsed.Kept), len(decided.Notices))
	if len(lapsed.Tasks) != 1 || lapsed.Tasks[0].Organisation != ashmereCouncil || lapsed.Tasks[0].Role != "desk" {
		t.Errorf("nobody is asked to tell those who are not told any more: %v", lapsed.Tasks)
	}
}

func TestAnAcceptanceStandsThoughWhatItAcceptsWasErased(t *testing.T) {
	w, matter, acceptance, _ := accepts(t)
	key := acceptance[0].Source.Event
	r := firstRound()
	r.Matters = map[string][]routing.Event{key: matter}
	before := routing.Decide(acceptance, r, w.Facts)
	equals(t, "told", byRule(before), []string{"responsibility.host " + ashmereCouncil})

	r = next(ledgerv1.Cause_CAUSE_ACCEPTANCE, before)
	for i := range r.Prior {
		r.Prior[i].Child = before.Notices[i].Child
	}
	r.Matters, r.Erased.Matters = map[string][]routing.Event{key: nil}, map[string]bool{key: true}
	after := routing.Decide(acceptance, r, w.Facts)
	equals(t, "kept", len(after.Kept), 1)
	equals(t, "superseded", len(after.Superseded), 0)
	equals(t, "tasks", len(after.Tasks), 0)

	// One that was refused while it could be seen is refused still.
	r = firstRound()
	r.Matters, r.Erased.Matters = map[string][]routing.Event{key: nil}, map[string]bool{key: true}
	equals(t, "the publisher is asked", len(routing.Decide(acceptance, r, w.Facts).Tasks), 1)
}

func TestWhatAnErasedEventGaveToTheNoticeBeforeTermStaysThere(t *testing.T) {
	w := newWorld(t, "2026-08-05T21:40:00Z")
	events := sources([]*eventv1.Event{incident("i", "2026-08-05T21:10:00Z", "ada"), incident("j", "2026-08-05T21:20:00Z", "kit")})
	first := routing.Decide(events, firstRound(), w.Facts)
	equals(t, "contributions", len(first.Contributions), 2)
	gave := first.Contributions[slices.IndexFunc(first.Contributions, func(c *ledgerv1.Contribution) bool { return c.Child == "ada" })]

	r := next(ledgerv1.Cause_CAUSE_TASK, first)
	r.Erased = routing.Erased{
		Sources: []*ledgerv1.Source{events[0].Source}, Contributed: []*ledgerv1.Contribution{gave},
		Children: slices.DeleteFunc(slices.Clone(first.Children), func(c *ledgerv1.ChildFinding) bool { return c.Child != "ada" }),
	}
	for i, n := range first.Notices {
		r.Prior[i].Erased = n.Child == "ada"
	}
	d := routing.Decide(events[1:], r, w.Facts)
	equals(t, "contributions", len(d.Contributions), 2)
	equals(t, "superseded", len(d.Superseded), 0)
	equals(t, "kept", len(d.Kept), len(first.Notices))
	for _, c := range d.Contributions {
		equals(t, "places of the reports", len(c.Refs), len(d.Sources))
	}
}

func TestWhateverARoundIsForItTakesNothingBackBecauseAnEventWasErased(t *testing.T) {
	w := newWorld(t, "2026-11-09T10:05:00Z")
	for kind, ev := range everyKind("ada", "ben", "zed") {
		for cause := range ledgerv1.Cause_name {
			before := w.first(ev)
			r := next(ledgerv1.Cause(cause), before)
			r.Erased = routing.Erased{Sources: before.Sources, Children: before.Children, Lacks: before.Lacks, Tasks: r.Tasks}
			for i := range r.Prior {
				r.Prior[i].Erased = true
			}
			d := routing.Decide(nil, r, w.Facts)
			name := kind + ", " + r.Cause.String()
			equals(t, name+": kept", len(d.Kept), len(before.Notices))
			equals(t, name+": superseded", len(d.Superseded), 0)
			equals(t, name+": tasks settled", len(d.SettledTasks), 0)
			equals(t, name+": tasks", len(d.Tasks), 0)
			equals(t, name+": children", len(d.Children), len(before.Children))
		}
	}
}

func TestAMatterThatWasErasedStaysEndedUntilTheEndIsTakenBackAndThenAPersonIsAsked(t *testing.T) {
	w := whereFound(t, everybody, "ada")
	before := w.first(missing("ada"))
	equals(t, "ended", len(before.Ended) > 0, true)
	r := next(ledgerv1.Cause_CAUSE_ENDING, before)
	r.Agency, r.Kind = "ashmere-police", notice.MissingReported
	r.Erased = routing.Erased{Sources: before.Sources, Children: before.Children, Ended: before.Ended}
	after := routing.Decide(nil, r, w.Facts)
	equals(t, "ended", len(after.Ended), len(before.Ended))
	equals(t, "tasks", len(after.Tasks), 0)

	w.Endings = nil
	after = routing.Decide(nil, r, w.Facts)
	equals(t, "ended", len(after.Ended), 0)
	equals(t, "tasks", len(after.Tasks), 1)
}

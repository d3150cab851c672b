package routing_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

const replay = ledgerv1.Cause_CAUSE_REPLAY

var ruleID = regexp.MustCompile(`- id: ([a-z_]+)\.`)

// renamed is the default policy with another name for every rule.
func renamed(t testing.TB) *policy.Policy {
	t.Helper()
	text, _, _ := bytes.Cut(policy.Default(), []byte("\nexamples:")) // which name the rules
	return policyOf(t, ruleID.ReplaceAll(text, []byte("- id: renamed_$1.")))
}

// replayed is the round of a replay after decisions; how says of each notice whether it has ended and is sent again.
func replayed(how func(*ledgerv1.Notice) (ended, again bool), before ...*ledgerv1.Decision) routing.Round {
	r := next(replay, before...)
	for _, d := range before {
		for _, n := range d.Notices {
			i := slices.IndexFunc(r.Prior, func(p routing.Prior) bool { return p.ID == n.Id })
			ended, again := how(n)
			if i < 0 && ended {
				r.Prior = append(r.Prior, routing.Prior{ID: n.Id, Obligation: n.Obligation, Version: n.Version, ContentDigest: n.ContentDigest, Sent: true, Past: true, MeetsMS: n.Invitation.GetMeetsMs()})
				i = len(r.Prior) - 1
			}
			if i < 0 {
				continue
			}
			p := &r.Prior[i]
			p.Ended, p.Again, p.Organisation, p.Function, p.Child = ended, ended && again, n.Organisation, n.Function, n.Child
			p.Reports = routing.ReportsOf(d.Sources, n.Refs)
		}
		r.Contributed = d.Contributions
	}
	return r
}

func always(ended, again bool) func(*ledgerv1.Notice) (bool, bool) {
	return func(*ledgerv1.Notice) (bool, bool) { return ended, again }
}

func TestAReplayOfWhatHasNotChangedTellsNobody(t *testing.T) {
	for kind, ev := range everyKind("ada", "ben", "zed") {
		for name, p := range map[string]*policy.Policy{"the same policy": defaultPolicy(t), "rules of other names": renamed(t)} {
			for _, ended := range []bool{true, false} {
				w := newWorld(t, "2026-11-05T21:40:00Z")
				d := w.first(ev)
				w.Policy = p
				again := w.decide(replayed(always(ended, false), d), ev)
				if len(again.Notices) > 0 || len(again.Superseded) > 0 || len(again.Kept) != len(d.Notices) {
					t.Errorf("%s, %s, ended %v: %d of %d kept, and %v", kind, name, ended, len(again.Kept), len(d.Notices), again.Notices)
				}
			}
		}
	}
}

func TestAForcedReplaySaysAgainWhatHasEndedAndMarksIt(t *testing.T) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ada", "eve")
	d := w.first(ev)
	again := w.decide(replayed(func(n *ledgerv1.Notice) (bool, bool) { return n.Organisation == alder, true }, d), ev)
	if len(again.Notices) != 1 || len(again.Kept) != len(d.Notices)-1 {
		t.Fatalf("%v", again)
	}
	n := again.Notices[0]
	was := d.Notices[slices.IndexFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Organisation == alder })]
	if n.Repeats != was.Id || n.Id == was.Id || n.Version != was.Version || n.Replaces != "" {
		t.Errorf("%v repeats %v", n, was)
	}
}

func TestWhatHasEndedIsLeftAlthoughItWouldSayMoreNowOrStoodNoMore(t *testing.T) {
	w := newWorld(t, "2026-11-05T21:40:00Z")
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	d := w.first(ev)
	r := replayed(always(true, false), d)
	r.Prior[0].ContentDigest = []byte("what was shown before the view changed")
	if again := w.decide(r, ev); len(again.Notices) > 0 || len(again.Kept) != 1 {
		t.Errorf("its content has changed: %v", again)
	}

	// Ada left Alder for Birch, which was told, and is back.
	moved := newWorld(t, "2026-11-05T21:50:00Z", having(pupilAt("ada", enrolled(birch))))
	second := moved.decide(next(correction, d), ev)
	if len(second.Notices) != 1 || second.Notices[0].Organisation != birch {
		t.Fatalf("%v", second)
	}
	back := w.decide(replayed(always(true, false), d, second), ev)
	if diff := cmp.Diff([]string{d.Notices[0].Id}, back.Kept); diff != "" || len(back.Notices) > 0 {
		t.Errorf("notices %v, kept (-want +got):\n%s", back.Notices, diff)
	}
}

func TestWhoeverWasToldOfAChildNobodyKnewIsNotToldAgainOnceTheChildIsKnown(t *testing.T) {
	var ev *eventv1.Event
	for _, e := range everyKind("ada") {
		if e.GetReferralReceived() != nil {
			ev = e
		}
	}
	unknown := newWorld(t, "2026-11-05T21:40:00Z", without("child", "ada"))
	d := unknown.first(ev)
	if len(d.Notices) == 0 || d.Children[0].Match != ledgerv1.Match_MATCH_NONE {
		t.Fatalf("%v", d)
	}
	known := newWorld(t, "2026-11-05T21:50:00Z").decide(replayed(always(true, false), d), ev)
	for _, n := range known.Notices {
		if slices.ContainsFunc(d.Notices, func(was *ledgerv1.Notice) bool {
			return was.Organisation == n.Organisation && was.Function == n.Function
		}) {
			t.Errorf("%s is told again: %v", n.Organisation, n)
		}
	}
}

func TestAReplayHurriesOnlyWhatMayStillBeInTime(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "ada") // a Thursday evening
	for at, want := range map[string]ledgerv1.Lane{
		"2026-11-05T23:00:00Z": ledgerv1.Lane_LANE_HIGH, "2026-11-06T08:00:00Z": ledgerv1.Lane_LANE_HIGH,
		"2026-11-06T08:30:00Z": ledgerv1.Lane_LANE_ROUTINE, "2026-11-09T07:00:00Z": ledgerv1.Lane_LANE_ROUTINE,
	} {
		w := newWorld(t, at)
		d := w.decide(replayed(always(false, false)), ev)
		if len(d.Notices) != 1 || d.Notices[0].Lane != want {
			t.Errorf("at %s: %v, want %v", at, d.Notices, want)
		}
		if usual := w.first(ev); usual.Notices[0].Lane != ledgerv1.Lane_LANE_HIGH {
			t.Errorf("at %s the lane of what is no replay is %v", at, usual.Notices[0].Lane)
		}
	}
}

func TestAReplayLeavesTheNoticeBeforeTermItsIncidents(t *testing.T) {
	ev := incident("i", "2026-08-14T22:00:00Z", "ada")
	holiday := newWorld(t, "2026-08-14T22:30:00Z")
	d := holiday.first(ev)
	if len(d.Contributions) != 1 {
		t.Fatalf("%v", d)
	}
	// In term nothing is contributed any more: what was stays.
	if again := holiday.at("2026-09-08T10:00:00Z").decide(replayed(always(true, false), d), ev); len(again.Contributions) != 1 {
		t.Errorf("in term: %v", again.Contributions)
	}
	// An incident of the term that the school has does not come before the next one.
	term := incident("i", "2026-11-05T21:10:00Z", "ada")
	d = newWorld(t, "2026-11-05T21:40:00Z").first(term)
	if again := newWorld(t, "2026-12-24T10:00:00Z").decide(replayed(always(true, false), d), term); len(again.Contributions) > 0 || len(again.Notices) > 0 {
		t.Errorf("in the holiday after: %v %v", again.Contributions, again.Notices)
	}
	// One that nobody has does, with its notice.
	if late := newWorld(t, "2026-12-24T10:00:00Z").decide(replayed(always(false, false)), term); len(late.Contributions) != 1 || len(late.Notices) != 1 {
		t.Errorf("told in the holiday for the first time: %v %v", late.Contributions, late.Notices)
	}
}

// Whatever has happened to directory and policy: what has ended is not sent again unless it is forced to, what is under
// way is not doubled, and whatever stood has its place.
func TestNothingThatHasEndedIsSentAgainByAReplayWithoutForce(t *testing.T) {
	policies := []*policy.Policy{defaultPolicy(t), renamed(t)}
	kinds := slices.Sorted(maps.Keys(everyKind("ada")))
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		first := world{anyFacts(t, policies[0], anyRows(t), "2026-11-05T21:40:00Z")}
		ev := anyEvent(t, kind, "2026-11-05T21:10:00Z")
		d := first.first(ev)
		fates := map[string]bool{}
		for _, n := range d.Notices {
			fates[n.Id] = rapid.Bool().Draw(t, "ended")
		}
		force := rapid.Bool().Draw(t, "force")
		var rows []*directoryv1.Row
		if rapid.Bool().Draw(t, "another directory") {
			rows = anyRows(t)
		} else {
			rows = borough()
		}
		second := world{anyFacts(t, rapid.SampledFrom(policies).Draw(t, "policy"), rows, rapid.SampledFrom(instants()).Draw(t, "at"))}
		r := replayed(func(n *ledgerv1.Notice) (bool, bool) { return fates[n.Id], force }, d)
		again := second.decide(r, []*eventv1.Event{ev}...)
		hold(t, r, d, again, fates, force)
	})
}

func hold(t *rapid.T, r routing.Round, d, again *ledgerv1.Decision, fates map[string]bool, force bool) {
	place := map[string]int{}
	for _, id := range again.Kept {
		place[id]++
	}
	by := map[string]string{}
	for _, s := range again.Superseded {
		place[s.Notice]++
		by[s.Notice] = s.By
	}
	for _, p := range r.Prior {
		if place[p.ID] != 1 {
			t.Fatalf("notice %s is kept or ended %d times", p.ID, place[p.ID])
		}
		if fates[p.ID] && by[p.ID] != "" && !force {
			t.Fatalf("%s has ended, and %s takes its place", p.ID, by[p.ID])
		}
	}
	repeats := map[string]bool{}
	for _, n := range again.Notices {
		if n.Repeats != "" && (!force || !fates[n.Repeats] || repeats[n.Repeats]) {
			t.Fatalf("%s is said again: forced %v, ended %v, a second time %v", n.Repeats, force, fates[n.Repeats], repeats[n.Repeats])
		}
		repeats[n.Repeats] = true
	}
	// To each recipient about each report as many notices come into being as are owed and were not made before.
	owed, had := map[string]int{}, map[string]int{}
	count := func(in map[string]int, sources []*ledgerv1.Source, n *ledgerv1.Notice) {
		for _, report := range routing.ReportsOf(sources, n.Refs) {
			in[fmt.Sprint(n.Organisation, n.Function, report)]++
		}
	}
	for _, n := range again.Notices {
		if n.Repeats == "" && !slices.ContainsFunc(again.Superseded, func(s *ledgerv1.Superseded) bool { return s.By == n.Id }) {
			count(owed, again.Sources, n)
		}
	}
	for _, n := range d.Notices {
		if by[n.Id] == "" && !slices.Contains(again.Kept, n.Id) {
			count(had, d.Sources, n) // it stood, and nothing took it up
		}
	}
	for recipient, n := range owed {
		if n > 0 && had[recipient] > 0 {
			t.Fatalf("%s is told anew, and what it was told is not taken up", recipient)
		}
	}
}

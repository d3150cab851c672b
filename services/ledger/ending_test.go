package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// story is a ledger of children who go missing and are found: missing in the lineages m1, m2…, found in f1, f2…
type story struct {
	book
	said map[string]saying // by event
	made int
}

// saying is what an event says.
type saying struct {
	child string
	at    int64    // the minute of which it tells
	told  []string // organisations told of it
}

func newStory(t testing.TB) *story {
	return &story{book: book{t: t, state: NewState()}, said: map[string]saying{}}
}

// says takes an event in that says of a child that it was missing, or found, at a minute.
func (s *story) says(event, lineage, corrects string, what saying) {
	s.t.Helper()
	s.seq++
	s.said[event] = what
	f := accepted(s.seq, event, lineage, corrects, s.state.Overtaken(event))
	a := f.GetEventAccepted()
	a.Kind, a.TimeMs = string(notice.MissingReported), ms(what.at)
	if lineage[0] == 'f' {
		a.Kind, a.EndedMs = string(notice.MissingFound), ms(what.at)
	}
	s.must(0, f)
}

func (s *story) withdraws(event string) { s.must(0, withdrawn(event, nil)) }

// settle decides whatever is due, as routing does: of each child of a lineage somebody is told what was said of it last,
// but for whoever is told of its end.
func (s *story) settle() {
	for range 100 {
		due := false
		for _, step := range s.state.Plan(ms(0)) {
			if d, is := step.(Decide); is && d.Lineage.Undecided != 0 {
				s.must(0, decided(s.decide(d.Lineage)))
				due = true
			}
		}
		if !due {
			return
		}
	}
	s.t.Fatal("decisions follow one another without end")
}

func (s *story) decide(l *Lineage) *ledgerv1.Decision {
	d := &ledgerv1.Decision{Lineage: l.ID, Round: l.Round + 1, Cause: l.Undecided}
	last, latest := map[string]*Event{}, map[string]int64{}
	for _, e := range s.state.Heads(l) {
		what := s.said[e.Source.Event]
		d.Sources = append(d.Sources, e.Source)
		c := finding("c", what.child, e.Source.Event)
		c.Match = ledgerv1.Match_MATCH_NAME
		d.Children = append(d.Children, c)
		last[what.child], latest[what.child] = e, max(latest[what.child], what.at)
	}
	owed := map[string]bool{}
	for _, child := range sortedKeys(last) {
		for _, org := range s.said[last[child].Source.Event].told {
			n := obligation("", child)
			n.Obligation, n.Organisation, n.Because = child+" "+org, org, last[child].Source.Event
			owed[n.Obligation] = true
			if by := s.endOf(l, child, org, latest[child]); by != "" {
				d.Ended = append(d.Ended, &ledgerv1.Ended{Obligation: n.Obligation, Child: child, Notice: by})
				owed[n.Obligation] = false
				continue
			}
			s.tell(l, d, n)
		}
	}
	for _, id := range l.Standing {
		n := s.state.Notices[id]
		if !owed[n.Obligation] && !n.Withdrawn && !slices.Contains(d.Kept, id) {
			d.Superseded = append(d.Superseded, &ledgerv1.Superseded{Notice: id})
		}
	}
	return d
}

// tell keeps the notice that says the same, or makes a new one.
func (s *story) tell(l *Lineage, d *ledgerv1.Decision, n *ledgerv1.Notice) {
	for _, id := range l.Standing {
		switch before := s.state.Notices[id]; {
		case before.Obligation != n.Obligation || before.Withdrawn:
		case before.Because == n.Because:
			d.Kept = append(d.Kept, id)
			return
		default:
			d.Superseded = append(d.Superseded, &ledgerv1.Superseded{Notice: id})
		}
	}
	s.made++
	n.Id = fmt.Sprint("n", s.made)
	for _, src := range d.Sources {
		n.Refs = append(n.Refs, map[bool]string{true: "c"}[src.Event == n.Because])
	}
	n.Refs = n.Refs[1:] // that of a notice by itself
	d.Notices = append(d.Notices, n)
}

// endOf is the notice that tells an organisation that a child who was missing at a minute is found.
func (s *story) endOf(l *Lineage, child, org string, at int64) string {
	for _, e := range s.state.Endings(notice.ChildID(child), l.Kind) {
		for _, n := range e.Notices {
			if n.Organisation == org && e.EndedMS >= ms(at) {
				return n.Id
			}
		}
	}
	return ""
}

// chased lists who is chased of a child in a lineage.
func (s *story) chased(lineage string) []string {
	out := []string{}
	for _, id := range s.state.Lineages[lineage].Standing {
		if n := s.state.Notices[id]; !n.Phase.Ended() {
			out = append(out, n.Obligation)
		}
	}
	slices.Sort(out)
	return out
}

func (s *story) wants(what, lineage string, chased ...string) {
	s.t.Helper()
	if diff := cmp.Diff(append([]string{}, chased...), s.chased(lineage)); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestAnEndHasTheMattersThatItEndsDecidedAnew(t *testing.T) {
	school := []string{"school"}
	both := []string{"council", "school"}
	s := newStory(t)
	s.says("e1", "m1", "", saying{"ada", 10, both})
	s.settle()
	s.wants("missing", "m1", "ada council", "ada school")

	s.says("e2", "f1", "", saying{"ada", 20, school})
	s.settle()
	s.wants("found, and the school is told", "m1", "ada council")
	if n := s.state.Notices["n2"]; n.Phase != Superseded || s.state.Over(n) {
		t.Errorf("the school's notice is %s", n.Phase) // no other took its place here
	}
	s.says("e3", "f2", "", saying{"ada", 15, both})
	s.settle()
	s.wants("the council is told too", "m1")
	s.says("e4", "m2", "", saying{"ada", 18, both})
	s.settle()
	s.wants("missing again before she was last found", "m2", "ada council")

	s.withdraws("e2")
	const event, ends = ledgerv1.Cause_CAUSE_WITHDRAWAL, ledgerv1.Cause_CAUSE_ENDING
	s.due(map[string]ledgerv1.Cause{"f1": event, "m2": ends}) // m1 was over before that, by the other
	s.settle()
	s.wants("the first end is withdrawn: she was found once more before", "m1")
	s.wants("and not since", "m2", "ada council", "ada school")
	resumed := slices.ContainsFunc(s.state.Lineages["m2"].Standing, func(id string) bool {
		n := s.state.Notices[id]
		return n.Resumed && n.Organisation == "school"
	})
	if !resumed {
		t.Error("the school is not known to have been told that it was over")
	}
	s.says("e5", "f2", "e3", saying{"ben", 15, both})
	s.settle()
	s.wants("it was another child who was found", "m1", "ada council", "ada school")
	s.faultless(0)
}

// What nobody certainly is, and what is held, ends nothing yet.
func TestAnEndThatNobodyIsToldOfEndsNothing(t *testing.T) {
	b := newBook(t)
	f := accepted(1, "f", "found", "", false)
	f.GetEventAccepted().Kind, f.GetEventAccepted().EndedMs = string(notice.MissingFound), ms(1)
	b.must(0, f)
	ends := func() int { return len(b.state.Endings("child", notice.MissingReported)) }
	of := func(round uint32, match ledgerv1.Match, releaseMS int64) *ledgerv1.Decision {
		n := obligation(fmt.Sprint("n", round), "child")
		n.ReleaseMs = releaseMS
		d := decision("found", round, n)
		d.Sources = []*ledgerv1.Source{source(1, "f")}
		d.Children = []*ledgerv1.ChildFinding{{Ref: "c", Child: "child", Match: match, Event: "f"}}
		return d
	}
	b.must(0, decided(of(1, ledgerv1.Match_MATCH_IDENTIFIER, ms(50))))
	if ends() != 0 {
		t.Error("what is held ends something")
	}
	release := of(2, ledgerv1.Match_MATCH_IDENTIFIER, 0)
	release.Notices, release.Kept, release.Cause = nil, []string{"n1"}, ledgerv1.Cause_CAUSE_RELEASE
	b.must(50, decided(release))
	if ends() != 1 {
		t.Error("released, it ends nothing")
	}
	b.must(51, decided(of(3, ledgerv1.Match_MATCH_CONTRADICTED, 0)))
	if ends() != 0 {
		t.Error("it is not certain any more which child it is, and it ends something")
	}
}

func TestWhatWasToldOfAnEndStaysToldWhenItIsErasedOrTellsOthers(t *testing.T) {
	s := newStory(t)
	s.says("e1", "m1", "", saying{"ada", 10, []string{"school"}})
	s.says("e2", "f1", "", saying{"ada", 20, []string{"school"}})
	s.settle()
	s.wants("found", "m1")

	// Erased: the round after rests on the report of the sister alone.
	s.says("e3", "f1", "", saying{"cat", 20, []string{"school"}})
	erased := s.decide(s.state.Lineages["f1"])
	erased.Sources, erased.Children = erased.Sources[1:], erased.Children[1:]
	for _, n := range erased.Notices {
		n.Refs = []string{"c"}
	}
	s.must(1, decided(erased))
	s.settle()
	s.wants("erased", "m1")

	// Told, and not at the setting: the round after tells nobody, though it is about the same child.
	s = newStory(t)
	s.says("e1", "m1", "", saying{"ada", 10, []string{"school"}})
	s.says("e2", "f1", "", saying{"ada", 20, []string{"school"}})
	s.settle()
	id := s.state.Lineages["f1"].Standing[0]
	s.must(0, started(id, 1, 0, "dsl", 5))
	s.must(1, finished(id, 1, delivered, 0))
	s.must(2, notAt(id))
	s.said["e2"] = saying{child: "ada"}
	s.settle()
	s.wants("told of the return, and nobody's any more", "m1")
	s.withdraws("e2")
	s.settle()
	s.wants("not found after all", "m1", "ada school")
}

// Between the report of a return and its correction the child may have gone missing again.
func TestACorrectedEndWasReportedWhenItFirstWas(t *testing.T) {
	s := newStory(t)
	s.says("e1", "f1", "", saying{"ada", 20, []string{"school"}})
	s.says("e2", "f1", "e1", saying{"ada", 30, []string{"school"}})
	s.says("e3", "f1", "e2", saying{"ada", 40, []string{"school"}})
	s.settle()
	endings := s.state.Endings("ada", notice.MissingReported)
	if len(endings) != 1 || endings[0].EndedMS != ms(40) || endings[0].ReportedMS != ms(20) {
		t.Errorf("%v", endings)
	}
}

// A child who is often missing has many matters: those that are over are left alone.
func TestOnlyWhatAnEndMayEndIsDecidedAnew(t *testing.T) {
	s := newStory(t)
	for i := range int64(20) {
		s.says(fmt.Sprint("e", i), fmt.Sprint("m", i), "", saying{"ada", 10 * i, []string{"school"}})
		s.says(fmt.Sprint("x", i), fmt.Sprint("f", i), "", saying{"ada", 10*i + 5, []string{"school"}})
		s.settle()
	}
	for id, l := range s.state.Lineages {
		if l.Round > 2 {
			t.Errorf("%s was decided %d times", id, l.Round)
		}
	}
	s.withdraws("x3")
	due := []string{}
	for id, l := range s.state.Lineages {
		if l.Undecided == ledgerv1.Cause_CAUSE_ENDING {
			due = append(due, id)
		}
	}
	if diff := cmp.Diff([]string{"m3"}, due); diff != "" {
		t.Errorf("decided anew (-want +got):\n%s", diff)
	}
}

func TestACallAboutTheBeginningEndsNothingThatIsToldAfterItsEndWasTakenBack(t *testing.T) {
	s := newStory(t)
	s.says("e1", "m1", "", saying{"ada", 1, []string{"school"}})
	s.must(0, called("c1", "m1", "school", "", 3))
	s.says("e2", "f1", "", saying{"ada", 2, []string{"school"}})
	s.settle()
	s.withdraws("e2")
	s.must(9, decided(s.decide(s.state.Lineages["m1"])))
	again := s.state.Notices[s.state.Lineages["m1"].Standing[0]]
	if !again.Resumed || s.state.CallOf(again) != nil {
		t.Error("what was told at minute 3 tells what was decided at minute 9")
	}
	if s.state.CallOf(s.state.Notices["n1"]) == nil {
		t.Error("the call does not tell what was decided first")
	}
}

func TestAMatterIsNotEndedByWhatEndsNone(t *testing.T) {
	s := newStory(t)
	s.says("e1", "m1", "", saying{"ada", 10, []string{"school"}})
	s.says("e2", "f1", "", saying{"ben", 20, []string{"school"}})
	s.says("e3", "m2", "", saying{"ada", 20, []string{"school"}})
	s.settle()
	for what, by := range map[string]string{
		"an unknown notice": "nowhere", "another child's end": s.state.Lineages["f1"].Standing[0], "a beginning": s.state.Lineages["m2"].Standing[0],
	} {
		d := &ledgerv1.Decision{
			Lineage: "m1", Round: 2, Cause: ledgerv1.Cause_CAUSE_ENDING, Ended: []*ledgerv1.Ended{{Obligation: "ada school", Child: "ada", Notice: by}},
		}
		t.Log(what)
		s.refuses(1, decided(d))
	}
}

// Whatever is reported, corrected and withdrawn, in whatever order: who is chased of a missing child is who is not told of a
// return that came later, worked out from the events alone.
func TestWhoeverIsNotToldOfTheEndIsChasedAndNobodyElse(t *testing.T) {
	orgs := []string{"council", "police", "school"}
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(t)
		var events []string
		for i := range rapid.IntRange(1, 14).Draw(r, "events") {
			event := fmt.Sprint("e", i)
			lineage := rapid.SampledFrom([]string{"m1", "m2", "f1", "f2"}).Draw(r, "lineage")
			corrects := ""
			if old := rapid.SampledFrom(append(events, "", "")).Draw(r, "corrects"); old != "" {
				if corrects, lineage = old, s.state.Events[old].Lineage; s.state.Events[old].Withdrawn {
					corrects = ""
				}
			}
			told := orgs
			if lineage[0] == 'f' {
				told = rapid.SliceOfDistinct(rapid.SampledFrom(orgs), rapid.ID).Draw(r, "told")
				slices.Sort(told)
			}
			s.says(event, lineage, corrects, saying{
				child: rapid.SampledFrom([]string{"ada", "ben"}).Draw(r, "child"), at: rapid.Int64Range(1, 6).Draw(r, "at"), told: told,
			})
			events = append(events, event)
			if e := s.state.Events[rapid.SampledFrom(events).Draw(r, "withdrawn")]; rapid.IntRange(0, 3).Draw(r, "withdraws") == 0 && !e.Withdrawn {
				s.withdraws(e.Source.Event)
			}
			if rapid.Bool().Draw(r, "settles") {
				s.settle()
			}
		}
		s.settle()
		for _, id := range []string{"m1", "m2"} {
			if l := s.state.Lineages[id]; l != nil {
				if diff := cmp.Diff(s.unfound(l, orgs), s.chased(id)); diff != "" {
					r.Fatalf("chased in %s (-want +got):\n%s", id, diff)
				}
			}
		}
		again := NewState()
		for _, f := range s.facts {
			if err := again.Fold(proto.CloneOf(f)); err != nil {
				r.Fatal(err)
			}
		}
		if again.Digest() != s.state.Digest() {
			r.Fatal("folded again it says something else")
		}
	})
}

// unfound lists who has to be chased of the children of a lineage, by looking through every event there is.
func (s *story) unfound(l *Lineage, orgs []string) []string {
	missing := map[string]int64{}
	for _, e := range s.state.Heads(l) {
		what := s.said[e.Source.Event]
		missing[what.child] = max(missing[what.child], what.at)
	}
	out := []string{}
	for _, child := range sortedKeys(missing) {
		for _, org := range orgs {
			if !s.found(child, org, missing[child]) {
				out = append(out, child+" "+org)
			}
		}
	}
	return out
}

// found says whether an organisation is told that a child was found at a minute or later: by the last report of each matter.
func (s *story) found(child, org string, at int64) bool {
	for _, id := range []string{"f1", "f2"} {
		if s.state.Lineages[id] == nil {
			continue
		}
		latest, told := int64(0), false
		for _, e := range s.state.Heads(s.state.Lineages[id]) {
			if what := s.said[e.Source.Event]; what.child == child {
				latest, told = max(latest, what.at), slices.Contains(what.told, org)
			}
		}
		if told && latest >= at {
			return true
		}
	}
	return false
}

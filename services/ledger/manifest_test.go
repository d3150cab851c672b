package ledger

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	listedOtherwise = ledgerv1.TaskKind_TASK_KIND_MANIFEST
	day1, day2      = "2026-11-19", "2026-11-20"
)

// dayFrom is when day1 begins, in minutes of the tests: on the hour.
func dayFrom() int64 { return -(ms(0) % hourMS) / 60_000 }

// manifested is a part of the manifest of day1, to be compared an hour after it came.
func manifested(seq uint64, event string, part, parts uint32, at int64) *ledgerv1.Fact {
	from := dayFrom()
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestTaken{ManifestTaken: &ledgerv1.ManifestTaken{
		Source: source(seq, event), Digest: []byte("d"), Day: day1, Part: part, Parts: parts, FromMs: ms(from), UntilMs: ms(from + 24*60),
		DueMs: ms(at + 60), NextDay: day2, NextUntilMs: ms(from + 48*60), NextDueMs: ms(from + 60*60),
	}}}
}

// compared finds that a reference is not listed, with a task of its own.
func compared(task string, settles ...string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: &ledgerv1.ManifestCompared{
		Agency: "police", Day: day1,
		Differences:  []*ledgerv1.ManifestDifference{{What: ledgerv1.Divergence_DIVERGENCE_NOT_LISTED, Lineage: "l", Taken: 1, Task: task}},
		Tasks:        []*ledgerv1.Task{{Id: task, Kind: listedOtherwise, Organisation: "police-org", DueMs: ms(500)}},
		SettledTasks: settles,
	}}}
}

func agreeing(day string, settles ...string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: &ledgerv1.ManifestCompared{
		Agency: "police", Day: day, SettledTasks: settles,
	}}}
}

// manifest draws a part of a day's manifest, which may take the place of any, of that day or another.
func (m *model) manifest(r *rapid.T) {
	m.seq++
	parts := rapid.Uint32Range(1, 2).Draw(r, "parts")
	f := manifested(m.seq, m.name("m"), rapid.Uint32Range(1, parts).Draw(r, "part"), parts, m.now)
	if before := slices.Sorted(maps.Keys(m.state.manifests.events)); len(before) > 0 && rapid.Bool().Draw(r, "corrects") {
		f.GetManifestTaken().Supersedes = rapid.SampledFrom(before).Draw(r, "before")
		ofDay(f, rapid.SampledFrom([]string{day0, day1, day2}).Draw(r, "day"))
	}
	m.fact(f)
}

// compare finds anything, and asks about it, or settles what it asked before.
func (m *model) compare(r *rapid.T, of *Manifest) {
	f := &ledgerv1.ManifestCompared{Agency: string(of.Agency), Day: of.Day}
	before := m.state.ManifestTasks(of)
	for range rapid.IntRange(0, 2).Draw(r, "differences") {
		d := &ledgerv1.ManifestDifference{What: ledgerv1.Divergence_DIVERGENCE_NOT_TAKEN_IN, Lineage: rapid.SampledFrom([]string{"l1", "l2", "l9"}).Draw(r, "about")}
		if len(before) > 0 && rapid.Bool().Draw(r, "again") {
			d.Task = rapid.SampledFrom(before).Draw(r, "task")
		} else {
			d.Task = m.name("t")
			f.Tasks = append(f.Tasks, &ledgerv1.Task{Id: d.Task, Kind: listedOtherwise, Organisation: "police-org", DueMs: ms(m.now + 30), EscalateTo: "police-org"})
		}
		f.Differences = append(f.Differences, d)
	}
	for _, id := range before {
		if !slices.ContainsFunc(f.Differences, func(d *ledgerv1.ManifestDifference) bool { return d.Task == id }) {
			f.SettledTasks = append(f.SettledTasks, id)
		}
	}
	m.fact(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: f}})
}

func TestAManifestIsComparedOnceItsGraceIsOverAndTheNextIsMissed(t *testing.T) {
	b := newBook(t)
	b.must(0, manifested(1, "m1", 1, 2, 0))
	b.must(10, manifested(2, "m2", 2, 2, 10))
	b.expect(60, "")
	b.expect(70, "compare police "+day1)
	b.must(70, agreeing(day1))
	b.expect(dayFrom()+60*60-1, "")
	b.expect(dayFrom()+60*60, "compare police "+day2)
	b.must(dayFrom()+60*60, agreeing(day2))
	b.expect(100_000, "")
	if got := b.state.Manifest("police", "2026-11-21"); got != nil {
		t.Errorf("a day is expected after one that never came: %v", got)
	}
	const told = "m1/ accepted, m2/ accepted, manifest 2026-11-19 differs in 0, manifest 2026-11-20 differs in 0"
	if diff := cmp.Diff(told, b.told(0)); diff != "" {
		t.Error(diff)
	}
}

func TestTheLatestOfEachPartCountsAndAnotherNumberOfPartsBeginsAnew(t *testing.T) {
	b := newBook(t)
	b.must(0, manifested(1, "m1", 1, 2, 0))
	b.must(0, manifested(2, "m2", 2, 2, 0))
	b.must(1, manifested(3, "m3", 1, 2, 1))
	if taken := b.state.Manifest("police", day1).Taken; taken[1].Event != "m3" || taken[2].Event != "m2" {
		t.Errorf("%v", taken)
	}
	b.must(2, manifested(4, "m4", 1, 1, 2))
	if taken := b.state.Manifest("police", day1).Taken; len(taken) != 1 || taken[1].Event != "m4" {
		t.Errorf("%v", taken)
	}
	overtaken := manifested(5, "m5", 1, 1, 3)
	overtaken.GetManifestTaken().Overtaken = true
	b.must(3, overtaken)
	if taken := b.state.Manifest("police", day1).Taken; taken[1].Event != "m4" {
		t.Errorf("a manifest whose correction came first is used: %v", taken)
	}
}

func TestWhatComesAfterTheComparisonHasItMadeAnew(t *testing.T) {
	report := func(b *book, at int64, event, lineage string) {
		b.seq++
		f := accepted(b.seq+10, event, lineage, "", false)
		f.GetEventAccepted().TimeMs = ms(1)
		b.must(at, f)
	}
	differs := func(t *testing.T) *book {
		b := newBook(t)
		b.must(0, manifested(1, "m1", 1, 1, 0))
		b.expect(60, "compare police "+day1)
		b.must(60, compared("t"))
		b.expect(60, "")
		return b
	}
	t.Run("an event of that day", func(t *testing.T) {
		b := differs(t)
		report(b, 100, "e1", "other")
		report(b, 101, "e2", "l")
		b.expect(104, "decide other, decide l")
		b.expect(105, "compare police "+day1)
		b.must(105, agreeing(day1, "t"))
		if got := b.state.Tasks["t"].State; got != TaskSettled {
			t.Errorf("the task is %v", got)
		}
		if got := b.state.Differing()["police"]; got != 0 {
			t.Errorf("%d differ", got)
		}
	})
	t.Run("an event of another time, of a reference that differed", func(t *testing.T) {
		b := differs(t)
		b.must(100, accepted(11, "e1", "l", "", false))
		b.expect(104, "decide l")
		b.expect(105, "compare police "+day1)
	})
	t.Run("an event that has nothing to do with it", func(t *testing.T) {
		b := differs(t)
		b.must(100, accepted(11, "e1", "other", "", false))
		b.expect(200, "decide other")
	})
	t.Run("its withdrawal", func(t *testing.T) {
		b := differs(t)
		b.must(100, withdrawn("m1", source(12, "w1")))
		b.expect(100, "compare police "+day1)
	})
	t.Run("the same again is not told again", func(t *testing.T) {
		b := differs(t)
		report(b, 100, "e1", "l")
		again := compared("t")
		again.GetManifestCompared().Tasks = nil
		b.must(105, again)
		if diff := cmp.Diff("m1/ accepted, manifest 2026-11-19 differs in 1, e1/ accepted", b.told(0)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestChildrenAreCountedAsTheyStandAndAsTheyStoodThatDay(t *testing.T) {
	b := newBook(t)
	take := func(at int64, event, corrects string, timeAt int64, children uint32) {
		b.seq++
		f := accepted(b.seq, event, "l", corrects, false)
		f.GetEventAccepted().TimeMs, f.GetEventAccepted().Children = ms(timeAt), children
		b.must(at, f)
	}
	count := func() []uint32 {
		l := b.state.Referred("l")
		return b.state.ChildrenTaken(l, b.state.OfDay(l, ms(dayFrom()), ms(dayFrom()+24*60)))
	}
	decide := func(round uint32, seq uint64, event string, children ...string) {
		d := decision("l", round)
		d.Sources = []*ledgerv1.Source{source(seq, event)}
		for _, c := range children {
			d.Children = append(d.Children, finding(c, c, event))
		}
		b.must(0, decided(d))
	}
	take(0, "e1", "", 1, 2)
	decide(1, 1, "e1", "a", "b")
	if diff := cmp.Diff([]uint32{2}, count()); diff != "" {
		t.Error(diff)
	}
	take(2000, "e2", "e1", 2000, 3) // the day after: a sibling came to light
	decide(2, 2, "e2", "a", "b", "c")
	if diff := cmp.Diff([]uint32{3, 2}, count()); diff != "" {
		t.Errorf("after a correction of the next day: %s", diff)
	}
	b.must(2001, withdrawn("e2", nil))
	if got := count(); got != nil {
		t.Errorf("of what was withdrawn: %v", got)
	}
	if got := b.state.OfDay(nil, 0, 1); got != nil {
		t.Errorf("of no lineage: %v", got)
	}
}

func TestTwoReportsOfAReferenceAddUpAndAChildInBothCountsOnce(t *testing.T) {
	b := newBook(t)
	d := decision("l", 1)
	d.Sources = nil
	for i, event := range []string{"e1", "e2"} {
		f := accepted(uint64(i+1), event, "l", "", false)
		f.GetEventAccepted().Children = uint32(i + 1)
		b.must(0, f)
		d.Sources = append(d.Sources, source(uint64(i+1), event))
	}
	// One child in both, whom nobody knows and who bears another handle in each; and a sibling.
	d.Children = []*ledgerv1.ChildFinding{finding("c1", "unmatched-1", "e1"), finding("c1", "sibling", "e2"), finding("c2", "unmatched-2", "e2")}
	b.must(0, decided(d))
	if diff := cmp.Diff([]uint32{3, 2}, b.state.ChildrenTaken(b.state.Referred("l"), nil)); diff != "" {
		t.Error(diff)
	}
}

func TestFactsAboutManifestsThatCannotFollowLeaveNothingBehind(t *testing.T) {
	begun := func(t *testing.T) *book {
		b := newBook(t)
		b.event(0, "e1", "l")
		b.must(0, manifested(2, "m1", 1, 1, 0))
		b.must(60, compared("t"))
		return b
	}
	change := func(of *ledgerv1.Fact, how func(*ledgerv1.Fact)) *ledgerv1.Fact {
		how(of)
		return of
	}
	for name, fact := range map[string]*ledgerv1.Fact{
		"from nowhere":                  change(manifested(3, "m2", 1, 1, 0), func(f *ledgerv1.Fact) { f.GetManifestTaken().Source = nil }),
		"taken in twice":                manifested(3, "m1", 1, 1, 0),
		"another event":                 manifested(3, "e1", 1, 1, 0),
		"of no day":                     change(manifested(3, "m2", 1, 1, 0), func(f *ledgerv1.Fact) { f.GetManifestTaken().Day = "today" }),
		"part nought":                   manifested(3, "m2", 0, 1, 0),
		"part two of one":               manifested(3, "m2", 2, 1, 0),
		"never due":                     change(manifested(3, "m2", 1, 1, 0), func(f *ledgerv1.Fact) { f.GetManifestTaken().DueMs = 0 }),
		"of a day that ends before":     change(manifested(3, "m2", 1, 1, 0), func(f *ledgerv1.Fact) { f.GetManifestTaken().UntilMs = 1 }),
		"an event that is a manifest":   accepted(3, "m1", "l", "", false),
		"a withdrawal that is one":      withdrawn("e1", source(3, "m1")),
		"comparing an unknown manifest": agreeing("2026-11-25"),
		"a task twice":                  compared("t"),
		"settling what is not there":    compared("t2", "nowhere"),
		"asking nobody":                 change(compared("t2"), func(f *ledgerv1.Fact) { f.GetManifestCompared().Tasks = nil }),
		"a task of another kind": change(compared("t2"), func(f *ledgerv1.Fact) {
			f.GetManifestCompared().Tasks[0].Kind = ledgerv1.TaskKind_TASK_KIND_GAP
		}),
		"a difference that is none": change(compared("t2"), func(f *ledgerv1.Fact) { f.GetManifestCompared().Differences[0].What = 0 }),
	} {
		t.Run(name, func(t *testing.T) { begun(t).refuses(61, fact) })
	}
}

func TestAReferenceThatACorrectionBroughtIsFound(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	f := accepted(2, "e2", "l", "e1", false)
	f.GetEventAccepted().Reference = "l9"
	b.must(1, f)
	b.must(2, &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{Source: source(3, ""), Lineage: "l7"}}})
	if l := b.state.Referred("l9"); l == nil || l.ID != "l" {
		t.Errorf("%v", l)
	}
	if b.state.Referred("l8") != nil || !b.state.RefusedOf("l7") || b.state.RefusedOf("l") {
		t.Error("what was not taken in, or refused, is not told from the rest")
	}
	if got := b.state.ReportedWithin(notice.AgencyID("police"), 0, hourMS); len(got) != 2 || got[0].Source.Event != "e1" {
		t.Errorf("%v", got)
	}
}

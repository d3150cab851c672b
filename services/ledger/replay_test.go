package ledger

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const byReplay = ledgerv1.Cause_CAUSE_REPLAY

func replayed(forced bool, lineages ...string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Replayed{Replayed: &ledgerv1.Replayed{
		Agency: "police", Event: "e1", By: "op", Forced: forced, Lineages: lineages,
	}}}
}

// again is a decision of a replay about lineage l.
func again(round uint32, kept []string, notices ...*ledgerv1.Notice) *ledgerv1.Fact {
	d := decision("l", round, notices...)
	d.Cause, d.Kept = byReplay, kept
	return decided(d)
}

// repeat says an ended notice again.
func repeat(id, of string) *ledgerv1.Notice {
	n := obligation(id, "ada")
	n.Repeats = of
	return n
}

// acknowledgedLineage is l, of whose two notices a person has the first.
func acknowledgedLineage(t *testing.T) *book {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, obligation("n1", "ada"), obligation("n2", "ben"))))
	b.must(1, acknowledged("n1", "dsl"))
	return b
}

func TestAReplayHasADecisionFollowAlsoAfterARestart(t *testing.T) {
	b := acknowledgedLineage(t)
	b.expect(2, "send n2 link 0")
	b.must(2, replayed(false, "l"))
	b.expect(2, "decide l")
	if l := b.state.Lineages["l"]; l.Undecided != byReplay || l.Forced {
		t.Fatalf("%v, forced %v", l.Undecided, l.Forced)
	}
	fresh := NewState() // another leader, which reads that it is due
	for _, f := range b.facts {
		if err := fresh.Fold(f); err != nil {
			t.Fatal(err)
		}
	}
	if due := (&book{t: t, state: fresh}).plan(2); !strings.HasPrefix(due, "decide l") {
		t.Errorf("another leader plans %s", due)
	}
	b.must(2, again(2, []string{"n1", "n2"}))
	b.expect(3, "")
	b.faultless(10)
}

func TestWhatHasEndedIsSaidAgainByForceAlone(t *testing.T) {
	b := acknowledgedLineage(t)
	b.refuses(2, again(2, []string{"n2"}, repeat("n3", "n1"))) // nobody asked
	b.must(2, replayed(false, "l"))
	b.refuses(2, again(2, []string{"n2"}, repeat("n3", "n1"))) // not by force
	b.must(2, again(2, []string{"n1", "n2"}))
	b.must(3, replayed(true, "l"))
	b.refuses(3, again(3, []string{"n1"}, repeat("n3", "n2"))) // it is under way
	b.refuses(3, again(3, []string{"n1"}, repeat("n3", "nothing")))
	b.must(3, again(3, []string{"n2"}, repeat("n3", "n1")))
	b.phase("n1", Acknowledged)
	b.phase("n3", Ready)
	if diff := cmp.Diff([]string{"n1"}, b.state.Lineages["l"].Past); diff != "" {
		t.Errorf("past (-want +got):\n%s", diff)
	}
	// It may stand again, and is then no more past.
	b.must(4, replayed(false, "l"))
	b.must(4, again(4, []string{"n1", "n2", "n3"}))
	if past := b.state.Lineages["l"].Past; len(past) != 0 {
		t.Errorf("past: %v", past)
	}
	// What was said on the telephone before does not end it; what is said after does.
	b.must(5, called("before", "l", "school", "", 1))
	b.must(5, called("after", "l", "school", "", 4))
	if c := b.state.CallOf(b.state.Notices["n3"]); c == nil || c.Id != "after" {
		t.Errorf("ended by %v", c)
	}
}

func TestReplaysThatCannotBeAreRefused(t *testing.T) {
	b := acknowledgedLineage(t)
	b.refuses(2, replayed(false))
	b.refuses(2, replayed(false, "nowhere"))
	b.refuses(2, replayed(false, "l", "l"))
	d := decision("l", 2)
	d.Kept, d.Contributions = []string{"n1", "n2"}, []*ledgerv1.Contribution{{Lineage: "term", Child: "ada"}}
	b.must(2, decided(d))
	b.refuses(2, replayed(false, "term"))
	b.must(3, replayed(true, "l"))
	b.refuses(3, replayed(true, "l")) // one is due already
}

// replay draws a replay of a lineage, with what the engine lets it do.
func (m *model) replay(r *rapid.T) {
	id := rapid.SampledFrom([]string{"l1", "l2"}).Draw(r, "replay of")
	l := m.state.Lineages[id]
	if l == nil || l.Undecided != 0 || l.Round == 0 {
		return
	}
	forced := rapid.Bool().Draw(r, "forced")
	m.fact(replayed(forced, id))
	if rapid.Bool().Draw(r, "crash") {
		return // the decision that is due comes by itself
	}
	m.decide(r, l, byReplay)
}

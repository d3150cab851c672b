package ledger

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// acceptance takes in an event of another agency that accepts responsibility for what a lineage is about.
func acceptance(seq uint64, event, lineage, accepts string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{
		Source:  &ledgerv1.Source{Agency: "council", Sequence: seq, Event: event},
		Lineage: lineage, Kind: string(notice.ResponsibilityAccepted), Accepts: accepts,
	}}}
}

func (b *book) causes() map[string]ledgerv1.Cause {
	due := map[string]ledgerv1.Cause{}
	for id, l := range b.state.Lineages {
		if l.Undecided != 0 {
			due[id] = l.Undecided
		}
	}
	return due
}

func (b *book) due(want map[string]ledgerv1.Cause) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.causes()); diff != "" {
		b.t.Errorf("decisions that are due (-want +got):\n%s", diff)
	}
}

func TestAnAcceptanceHasWhatItAcceptsDecidedAnew(t *testing.T) {
	const event, accepts = ledgerv1.Cause_CAUSE_EVENT, ledgerv1.Cause_CAUSE_ACCEPTANCE
	b := newBook(t)
	b.must(0, acceptance(1, "a1", "a", "l")) // before there is anything to accept
	b.due(map[string]ledgerv1.Cause{"a": event})
	b.must(1, decided(decision("a", 1)))

	b.event(2, "e1", "l") // what accepted it is decided anew too: it may tell the host now
	b.due(map[string]ledgerv1.Cause{"a": accepts, "l": event})
	b.must(3, decided(decision("l", 1, obligation("n", "child"))))
	b.must(4, decided(decision("a", 2)))
	b.due(map[string]ledgerv1.Cause{})

	b.must(5, acceptance(2, "a2", "b", "l"))
	b.due(map[string]ledgerv1.Cause{"b": event, "l": accepts})
	if got := len(b.state.Acceptances("l")); got != 2 {
		t.Errorf("%d acceptances, want two", got)
	}
	b.must(6, decided(decision("b", 1)))
	ends := decision("l", 2)
	ends.Cause, ends.Superseded = accepts, []*ledgerv1.Superseded{{Notice: "n", Reason: "the home area has accepted responsibility"}}
	b.must(6, decided(ends))
	b.phase("n", Superseded)

	// Withdrawn, it counts no more: what it ended is owed again.
	withdraws := withdrawn("a2", nil)
	withdraws.GetEventWithdrawn().Agency = "council"
	b.must(7, withdraws)
	b.due(map[string]ledgerv1.Cause{"b": ledgerv1.Cause_CAUSE_WITHDRAWAL, "l": accepts})
	if got := b.state.Acceptances("l"); len(got) != 1 || got[0].Source.Event != "a1" {
		t.Errorf("acceptances after a withdrawal: %v", got)
	}

	// A correction that accepts something else frees what was accepted before.
	corrects := acceptance(3, "a3", "a", "elsewhere")
	corrects.GetEventAccepted().Supersedes = "a1"
	b.must(8, decided(round(3, nil)))
	b.must(9, corrects)
	if got := b.state.Acceptances("l"); len(got) != 0 {
		t.Errorf("acceptances after a correction: %v", got)
	}
	if b.causes()["l"] != accepts {
		t.Errorf("what is accepted no more is not decided anew: %v", b.causes())
	}
}

func TestAnEventThatComesWithAnAcceptanceIsWhatIsDecided(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(1, decided(decision("l", 1, obligation("n", "child"))))
	b.must(2, acceptance(1, "a1", "a", "l"))
	b.must(2, acceptance(2, "a2", "b", "l"))
	b.event(2, "e2", "l")
	// An acceptance that counts for nothing leaves everything as it stands: the event would never be decided.
	b.due(map[string]ledgerv1.Cause{"a": ledgerv1.Cause_CAUSE_EVENT, "b": ledgerv1.Cause_CAUSE_EVENT, "l": ledgerv1.Cause_CAUSE_EVENT})
	b.must(3, acceptance(3, "a3", "a", "l"))
	if got := b.causes()["l"]; got != ledgerv1.Cause_CAUSE_EVENT {
		t.Errorf("after another acceptance: %v", got)
	}
}

func TestAnImpossibleAcceptanceIsRefused(t *testing.T) {
	itself := acceptance(1, "a1", "l", "l")
	otherKind := acceptance(1, "a1", "a", "l")
	otherKind.GetEventAccepted().Kind = string(notice.EnquiryConcluded)
	for name, fact := range map[string]*ledgerv1.Fact{"of itself": itself, "by an event of another kind": otherKind} {
		if err := newBook(t).try(0, fact); !errors.Is(err, ErrImpossible) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

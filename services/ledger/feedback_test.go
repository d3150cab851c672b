package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func finding(ref, child, event string) *ledgerv1.ChildFinding {
	return &ledgerv1.ChildFinding{Ref: ref, Child: child, Event: event}
}

// deliver sends a notice's first attempt.
func (b *book) deliver(at int64, id string) {
	b.t.Helper()
	b.must(at, started(id, 1, 0, "dsl", at+2))
	b.must(at, finished(id, 1, delivered, 0))
}

func TestFeedback(t *testing.T) {
	for name, c := range map[string]struct {
		story func(*book)
		want  string
	}{
		"a child at two settings is told once both have it, and acknowledged once both said so": {func(b *book) {
			d := decision("l", 1, obligation("n", "child"), obligation("m", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "n")
			b.deliver(1, "m")
			b.must(2, acknowledged("n", "dsl"))
			b.must(3, acknowledged("m", "dsl"))
		}, "e1/ accepted, e1/c told, e1/c acknowledged"},
		"a child who is told of where nobody must acknowledge is told, not acknowledged": {func(b *book) {
			n := obligation("n", "child")
			n.Acknowledge = false
			d := decision("l", 1, n)
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "n")
		}, "e1/ accepted, e1/c told"},
		"a child nobody knows is unmatched, then told": {func(b *book) {
			d := decision("l", 1)
			d.Children = []*ledgerv1.ChildFinding{finding("c", "nobody", "e1")}
			d.Tasks = []*ledgerv1.Task{{Id: "t", Kind: ledgerv1.TaskKind_TASK_KIND_UNMATCHED, Lineage: "l", Child: "nobody"}}
			b.must(0, decided(d))
			b.must(1, resolved(&ledgerv1.TaskResolved{Task: "t", Resolution: Matched, Child: "child"}))
			d = decision("l", 2, obligation("n", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(1, decided(d))
			b.deliver(2, "n")
		}, "e1/ accepted, e1/c unmatched, e1/c told"},
		"a child is late at the due time, whether or not anything was sent": {func(b *book) {
			d := decision("l", 1, obligation("n", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.must(60, late("n"))
			b.deliver(61, "n")
		}, "e1/ accepted, e1/c late"},
		"a child whose recipient did not have it in time is late, then acknowledged": {func(b *book) {
			d := decision("l", 1, obligation("n", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "n")
			b.must(60, escalated("n", 1))
			b.must(70, acknowledged("n", "dsl"))
		}, "e1/ accepted, e1/c told, e1/c late, e1/c acknowledged"},
		"each child of an event is told of apart": {func(b *book) {
			d := decision("l", 1, obligation("n", "one"), obligation("m", "two"))
			d.Children = []*ledgerv1.ChildFinding{finding("c1", "one", "e1"), finding("c2", "two", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "m")
		}, "e1/ accepted, e1/c2 told"},
		"a notice about the event as a whole counts for each child": {func(b *book) {
			d := decision("l", 1, obligation("n", "one"), obligation("m", ""))
			d.Children = []*ledgerv1.ChildFinding{finding("c1", "one", "e1"), finding("c2", "two", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "m")
			b.deliver(1, "n")
		}, "e1/ accepted, e1/c2 told, e1/c1 told"},
		"a correction that changes nothing hears what became of the child": {func(b *book) {
			d := decision("l", 1, obligation("n", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "n")
			b.must(2, accepted(2, "e2", "l", "e1", false))
			d = decision("l", 2)
			d.Sources = []*ledgerv1.Source{source(2, "e2")}
			d.Kept, d.Children = []string{"n"}, []*ledgerv1.ChildFinding{finding("c", "child", "e2")}
			b.must(2, decided(d))
		}, "e1/ accepted, e1/c told, e2/ accepted, e2/c told"},
		"a notice that a person closed counts no more": {func(b *book) {
			d := decision("l", 1, obligation("n", "child"), obligation("m", "child"))
			d.Children = []*ledgerv1.ChildFinding{finding("c", "child", "e1")}
			b.must(0, decided(d))
			b.deliver(1, "n")
			b.must(2, escalated("m", 2))
			b.must(2, opened(telephone("t", "m")))
			b.must(3, resolved(&ledgerv1.TaskResolved{Task: "t", Resolution: NotOurChild}))
		}, "e1/ accepted, e1/c told"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.event(0, "e1", "l")
			c.story(b)
			if diff := cmp.Diff(c.want, b.told(0)); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestFeedbackFromACursorOn(t *testing.T) {
	b := newBook(t)
	for _, e := range []string{"e1", "e2", "e3"} {
		b.event(0, e, "l")
	}
	if got := b.told(1); got != "e2/ accepted, e3/ accepted" {
		t.Fatal(got)
	}
	if got := b.state.Feedback("police", 0, 2); len(got) != 2 || got[1].Event != "e2" {
		t.Fatal(got)
	}
	if got := b.state.Feedback("police", 3, 2); got != nil {
		t.Fatal(got)
	}
	if got := b.state.Feedback("nobody", 0, 2); got != nil {
		t.Fatal(got)
	}
}

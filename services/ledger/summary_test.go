package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// everyPhase is a book with a notice in each phase.
func everyPhase(t testing.TB) *book {
	t.Helper()
	b := newBook(t)
	b.event(0, "e1", "l")
	ids := []string{"acknowledged", "awaiting", "closed", "delivered", "ready", "sending", "superseded", "waiting", "with-task"}
	d := decision("l", 1)
	for _, id := range ids {
		n := obligation(id, "")
		n.Acknowledge = id != "delivered"
		d.Notices = append(d.Notices, n)
	}
	held := obligation("held", "")
	held.ReleaseMs, held.DueMs = ms(500), ms(600)
	d.Notices = append(d.Notices, held)
	b.must(0, decided(d))
	b.must(1, acknowledged("acknowledged", "dsl"))
	b.deliver(1, "awaiting")
	b.deliver(1, "delivered")
	b.must(1, started("sending", 1, 0, "dsl", 3))
	b.must(1, started("waiting", 1, 0, "dsl", 3))
	b.must(1, finished("waiting", 1, transient, 5))
	for _, id := range []string{"closed", "with-task"} {
		b.must(1, escalated(id, 2))
		b.must(1, opened(telephone("t-"+id, id)))
	}
	b.must(1, resolved(&ledgerv1.TaskResolved{Task: "t-closed", By: "op", Resolution: Duplicate}))
	again := decision("l", 2)
	again.Kept = append(append([]string{"held"}, ids[:6]...), ids[7:]...)
	again.Superseded = []*ledgerv1.Superseded{{Notice: "superseded"}}
	b.must(1, decided(again))
	b.plan(1)
	return b
}

func TestSummaryCountsEachNoticeOnceByItsPresentState(t *testing.T) {
	sum := everyPhase(t).state.Summarise()
	const want = "notices: 10 in all, 1 acknowledged, 1 delivered, 1 held, 2 with a person, 2 superseded, 3 without an end or an owner"
	if diff := cmp.Diff(want, sum.String()); diff != "" {
		t.Fatal(diff)
	}
	if sum.OpenTasks != 1 || sum.Events != 1 {
		t.Fatalf("%d open tasks, %d events", sum.OpenTasks, sum.Events)
	}
}

func TestOverdueListsWhatHasNoEndPastItsTimeLongestFirst(t *testing.T) {
	b := everyPhase(t)
	b.must(2, opened(&ledgerv1.Task{Id: "refused", Organisation: "police", Role: "desk", DueMs: ms(30)}))
	if got := b.state.Overdue(ms(29)); len(got) != 0 {
		t.Fatal(got)
	}
	row := func(id, role, state string) *ledgerv1.Overdue {
		return &ledgerv1.Overdue{Notice: id, Organisation: "school", Role: role, DueMs: ms(60), State: state}
	}
	want := []*ledgerv1.Overdue{
		{Task: "refused", Organisation: "police", Role: "desk", DueMs: ms(30), State: "open"},
		row("awaiting", "dsl", "awaiting acknowledgement"), // whoever was sent to last has it now
		row("ready", "setting", "ready to send"), row("sending", "dsl", "sending"), row("waiting", "dsl", "waiting to try again"),
		{Notice: "with-task", Task: "t-with-task", Organisation: "council", Role: "duty", DueMs: ms(60), State: "with a person"},
	}
	if diff := cmp.Diff(want, b.state.Overdue(ms(60)), protocmp.Transform()); diff != "" {
		t.Fatal(diff)
	}
}

func TestTasksByDueListsTheSoonestFirst(t *testing.T) {
	b := everyPhase(t)
	b.must(2, opened(&ledgerv1.Task{Id: "sooner", DueMs: ms(30)}))
	ids := func(all bool) (ids []string) {
		for _, task := range b.state.TasksByDue(all) {
			ids = append(ids, task.Id)
		}
		return ids
	}
	if diff := cmp.Diff([]string{"sooner", "t-with-task"}, ids(false)); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"sooner", "t-closed", "t-with-task"}, ids(true)); diff != "" {
		t.Fatal(diff)
	}
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		story func(*book)
		at    int64
		want  []string
	}{
		"none where everything has an end, a next step or a person": {func(*book) {}, 2, nil},
		"a notice with a person who has no task": {func(b *book) {
			b.must(2, escalated("ready", 2))
		}, 2, []string{"notice ready is with a person: no open task of a person is about it"}},
		"a task without an owner": {func(b *book) {
			b.must(2, opened(&ledgerv1.Task{Id: "t", DueMs: ms(30)}))
		}, 2, []string{"task t has no owner: add the agency's organisation or the area's authority to the directory"}},
		"a send that nobody ends for an hour; a notice may wait for its turn while its link lasts": {func(*book) {}, 119, []string{
			"notice sending is sending: its next step has been due since 2026-11-18T11:09:40Z",
		}},
		"steps that nobody carries out for an hour": {func(*book) {}, 120, []string{
			"notice awaiting is awaiting acknowledgement: its next step has been due since 2026-11-18T12:06:40Z",
			"notice ready is ready to send: its next step has been due since 2026-11-18T12:06:40Z",
			"notice sending is sending: its next step has been due since 2026-11-18T11:09:40Z",
			"notice waiting is waiting to try again: its next step has been due since 2026-11-18T12:06:40Z",
		}},
		"a decision that nobody makes for an hour": {func(b *book) {
			b.event(2, "e2", "l2")
		}, 62, []string{
			"lineage l2 has waited for a decision since 2026-11-18T11:08:40Z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := everyPhase(t)
			c.story(b)
			if diff := cmp.Diff(c.want, b.state.Faults(ms(c.at))); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestIdleSaysWhetherAnythingHappensWithoutTimeOrAPerson(t *testing.T) {
	b := newBook(t)
	idle := func(at int64, want bool, when string) {
		t.Helper()
		if got := b.state.Idle(ms(at)); got != want {
			t.Fatalf("idle is %v %s", got, when)
		}
	}
	idle(0, true, "before the first fact")
	b.event(0, "e1", "l")
	idle(0, false, "while a decision is due")
	b.plan(0)
	idle(0, false, "while a decision that Plan gave out is not made")
	b.must(0, decided(decision("l", 1, obligation("n", "child"))))
	idle(0, false, "while a notice is ready")
	b.plan(0)
	b.must(0, started("n", 1, 0, "dsl", 2))
	idle(0, false, "while a notice is being sent")
	b.must(0, finished("n", 1, delivered, 0))
	idle(0, true, "while a person has yet to acknowledge")
	idle(60, false, "once the chain is to move on")
}

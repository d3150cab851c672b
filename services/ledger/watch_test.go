package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func clockConfirmed(instance string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_ClockConfirmed{ClockConfirmed: &ledgerv1.ClockConfirmed{Instance: instance, By: "op"}}}
}

func TestTheNoticeThatWaitsLongestIsFoundByLane(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	urgent, routine := obligation("u", ""), obligation("r", "")
	urgent.Lane, routine.Lane = ledgerv1.Lane_LANE_URGENT, ledgerv1.Lane_LANE_ROUTINE
	b.must(1, decided(decision("l", 1, urgent, routine)))
	b.must(2, started("r", 1, 0, "dsl", 9))
	want := map[ledgerv1.Lane]Oldest{ledgerv1.Lane_LANE_URGENT: {ID: "u", SinceMS: ms(1), Count: 1}}
	if diff := cmp.Diff(want, b.state.Undispatched(ms(3))); diff != "" {
		t.Errorf("one has begun (-want +got):\n%s", diff)
	}
	b.must(3, finished("r", 1, transient, 5))
	if diff := cmp.Diff(want, b.state.Undispatched(ms(4))); diff != "" {
		t.Errorf("before its retry is due (-want +got):\n%s", diff)
	}
	want[ledgerv1.Lane_LANE_ROUTINE] = Oldest{ID: "r", SinceMS: ms(5), Count: 1}
	if diff := cmp.Diff(want, b.state.Undispatched(ms(6))); diff != "" {
		t.Errorf("its retry is due (-want +got):\n%s", diff)
	}
}

func TestWhatHasMovedOnDoesNotPileUp(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, obligation("n", ""))))
	for i := range uint32(5 * unbegunSlack) {
		b.must(1, started("n", i+1, 0, "dsl", 9))
		b.must(1, finished("n", i+1, transient, 1))
	}
	if n := len(b.state.unbegun); n > 2*unbegunSlack {
		t.Errorf("%d entries are kept for one notice", n)
	}
	if got := b.state.Undispatched(ms(2))[ledgerv1.Lane_LANE_UNSPECIFIED].Count; got != 1 {
		t.Errorf("%d notices wait, want one", got)
	}
}

func TestATaskThatNobodyElseCanBeGivenIsStranded(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	for i, escalateTo := range []string{"", "council", "council"} {
		b.must(0, opened(&ledgerv1.Task{Id: fmt.Sprint("t", i), Lineage: "l", Organisation: "school", DueMs: ms(int64(5 - i)), EscalateTo: escalateTo}))
	}
	b.must(4, passedOn("t2", "council", 6))
	ids := func(minute int64) (ids []string) {
		for _, task := range b.state.Stranded(ms(minute)) {
			ids = append(ids, task.Id)
		}
		return ids
	}
	for minute, want := range map[int64][]string{4: nil, 5: {"t0"}, 7: {"t0", "t2"}} {
		if diff := cmp.Diff(want, ids(minute)); diff != "" {
			t.Errorf("in minute %d (-want +got):\n%s", minute, diff)
		}
	}
}

func TestAConfirmedClockSetsTheNewestFactBack(t *testing.T) {
	b := newBook(t)
	b.event(60*24, "e1", "l")
	if b.state.NewestMS != ms(60*24) {
		t.Errorf("newest at %d", b.state.NewestMS)
	}
	b.must(10, clockConfirmed("one"))
	b.event(5, "e2", "l") // by another clock, a little behind
	if b.state.NewestMS != ms(10) || b.state.Confirmed["one"] != 1 {
		t.Errorf("newest at %d, confirmed %v", b.state.NewestMS, b.state.Confirmed)
	}
}

package ledger

import (
	"fmt"
	"testing"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// reportedChild takes an event in that was reported at a minute, and decides that it is about children.
func (b *book) reportedChild(minute int64, event, lineage string, round uint32, children ...string) {
	b.t.Helper()
	b.seq++
	f := accepted(b.seq, event, lineage, "", false)
	f.GetEventAccepted().TimeMs = ms(minute)
	b.must(minute, f)
	b.foundIn(minute, event, lineage, round, ledgerv1.Match_MATCH_NAME, children...)
}

func (b *book) foundIn(minute int64, event, lineage string, round uint32, match ledgerv1.Match, children ...string) {
	b.t.Helper()
	d := decision(lineage, round)
	d.Sources = []*ledgerv1.Source{source(b.seq, event)}
	for i, c := range children {
		d.Children = append(d.Children, &ledgerv1.ChildFinding{Ref: fmt.Sprint("c", i), Child: c, Match: match, Event: event})
	}
	b.must(minute, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: d}})
}

func TestEarlierMattersOfAChildAreCountedOnceEach(t *testing.T) {
	b := newBook(t)
	b.reportedChild(10, "e1", "l1", 1, "ada", "ada") // by two events of one incident
	b.reportedChild(20, "e2", "l2", 1, "ada", "ben")
	b.reportedChild(30, "e3", "l2", 2, "ada") // another report of the same incident, without ben
	b.reportedChild(40, "e4", "l3", 1, "ada")
	b.must(45, &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: &ledgerv1.EventWithdrawn{
		Event: "e4", Agency: "police", By: "agency:police", Reason: "wrong_child",
	}}})
	b.reportedChild(50, "e5", "l4", 1, "ada")
	b.foundIn(51, "e5", "l4", 2, ledgerv1.Match_MATCH_NONE, "unknown")
	b.foundIn(52, "e5", "l4", 3, ledgerv1.Match_MATCH_PERSON, "ada")
	b.reportedChild(60, "e6", "l5", 1, "ada")

	for _, tc := range []struct {
		name    string
		child   notice.ChildID
		lineage string
		kinds   []notice.EventKind
		from    int64
		until   int64
		enough  int
		want    int
	}{
		{name: "incidents, not reports, and not what was withdrawn", child: "ada", lineage: "l5", until: 60, enough: 9, want: 3},
		{name: "without the one that is decided", child: "ada", lineage: "l1", until: 60, enough: 9, want: 3},
		{name: "no more than enough", child: "ada", lineage: "l5", until: 60, enough: 2, want: 2},
		{name: "after the window begins", child: "ada", lineage: "l5", from: 10, until: 60, enough: 9, want: 2},
		{name: "not after it ends", child: "ada", lineage: "l9", until: 20, enough: 9, want: 2},
		{name: "of other kinds", child: "ada", lineage: "l5", kinds: []notice.EventKind{notice.ReferralReceived}, until: 60, enough: 9},
		{name: "a child that a later decision no longer names", child: "ben", until: 60, enough: 9},
		{name: "a child that nobody knows", child: "unknown", until: 60, enough: 9},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kinds := tc.kinds
			if kinds == nil {
				kinds = []notice.EventKind{notice.EncompassIncident}
			}
			got := b.state.Earlier(Past{Child: tc.child, Lineage: tc.lineage, Kinds: kinds, FromMS: ms(tc.from), UntilMS: ms(tc.until), Enough: tc.enough})
			if got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func lack(need, event string) *ledgerv1.Lack {
	return &ledgerv1.Lack{Need: need, Event: event, Fields: []string{need}}
}

// thin is a decision about the last event of a lineage that leaves something out.
func thin(round uint32, seq uint64, event string, needs ...string) *ledgerv1.Fact {
	d := decision("l", round)
	d.Sources = []*ledgerv1.Source{source(seq, event)}
	for _, need := range needs {
		d.Lacks = append(d.Lacks, lack(need, event), lack(need, event)) // of two children
	}
	return decided(d)
}

func (b *book) corrects(at int64, event, what string) {
	b.t.Helper()
	b.seq++
	b.must(at, accepted(b.seq, event, "l", what, false))
}

func TestWhatAThinEventLeavesOutIsCountedToldAndClearedByItsCorrection(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, thin(1, 1, "e1", "pnc", "pnd"))
	b.corrects(1, "e2", "e1")
	b.must(1, thin(2, 2, "e2", "pnd"))
	b.corrects(2, "e3", "e2")
	b.must(2, thin(3, 3, "e3"))
	b.event(3, "e4", "l2")
	d := decision("l2", 1)
	d.Sources = []*ledgerv1.Source{source(4, "e4")}
	b.must(3, decided(d))

	want := []Counted{{Agency: "police", Kind: "encompass.incident", Tally: Tally{Events: 4, Thin: 2, Lacks: map[string]LackTally{
		"pnc": {Missing: 1, Given: 1}, "pnd": {Missing: 2, Given: 2},
	}}}}
	if diff := cmp.Diff(want, b.state.Completeness("police", 0, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[0].Tally, *b.state.Totals["police"]); diff != "" {
		t.Errorf("from the beginning (-want +got):\n%s", diff)
	}
	const told = "e1/ accepted, e1/ lacks 4, e2/ accepted, e2/ lacks 2, e3/ accepted, e3/ lacks 0, e4/ accepted"
	if diff := cmp.Diff(told, b.told(0)); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameIsToldAndCountedOnce(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, thin(1, 1, "e1", "pnc"))
	b.must(1, thin(2, 1, "e1", "pnc"))
	b.must(2, thin(3, 1, "e1")) // by another policy
	const told = "e1/ accepted, e1/ lacks 2, e1/ lacks 0"
	if diff := cmp.Diff(told, b.told(0)); diff != "" {
		t.Error(diff)
	}
	if got := b.state.Totals["police"]; got.Events != 1 || got.Thin != 1 || got.Lacks["pnc"] != (LackTally{Missing: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestCountsAreOfTheHoursAskedFor(t *testing.T) {
	b := newBook(t)
	hour := ms(0) - ms(0)%hourMS
	for i, at := range []int64{0, 60, 120} {
		event, lineage := []string{"e1", "e2", "e3"}[i], []string{"l1", "l2", "l3"}[i]
		b.event(at, event, lineage)
		d := decision(lineage, 1)
		d.Sources = []*ledgerv1.Source{source(b.seq, event)}
		b.must(at, decided(d))
	}
	for name, c := range map[string]struct {
		from, until int64
		want        int64
	}{
		"all":                 {0, 0, 3},
		"the first two hours": {hour, hour + 2*hourMS, 2},
		"the hour begun":      {hour + hourMS + 5*60_000, hour + 2*hourMS + 5*60_000, 1},
		"from the second on":  {hour + hourMS, 0, 2},
		"later":               {hour + 9*hourMS, 0, 0},
	} {
		var got int64
		for _, counted := range b.state.Completeness("", c.from, c.until) {
			got += counted.Events
		}
		if got != c.want {
			t.Errorf("%s: %d events, want %d", name, got, c.want)
		}
	}
	if got := b.state.Completeness("hub", 0, 0); got != nil {
		t.Errorf("of an agency that published nothing: %v", got)
	}
}

func TestADecisionLeavesOutOnlyWhatItsEventsLeaveOut(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	d := decision("l", 1)
	d.Lacks = []*ledgerv1.Lack{lack("pnc", "e2")}
	b.refuses(1, decided(d))
	d.Lacks = []*ledgerv1.Lack{lack("", "e1")}
	b.refuses(1, decided(d))
}

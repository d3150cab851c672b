package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// called is an entry of a call at a minute, about one child or, where that is empty, about every child.
func called(id, lineage, organisation, child string, minute int64) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: &ledgerv1.ToldByTelephone{
		Id: id, Lineage: lineage, Organisation: organisation, Child: child, ToldMs: ms(minute), By: "op",
	}}}
}

// heardOf ends a notice by a call.
func heardOf(id, call string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{
		Notice: id, By: "op", Means: "telephone", Call: call,
	}}}
}

// reported is an event that its publisher had at a minute.
func (b *book) reported(at int64, event, lineage, supersedes string, minute int64) {
	b.t.Helper()
	b.seq++
	f := accepted(b.seq, event, lineage, supersedes, false)
	f.GetEventAccepted().TimeMs = ms(minute)
	b.must(at, f)
}

// about is a decision whose notices tell of one event.
func about(round uint32, seq uint64, event string, notices ...*ledgerv1.Notice) *ledgerv1.Fact {
	d := decision("l", round, notices...)
	d.Sources = []*ledgerv1.Source{source(seq, event)}
	return decided(d)
}

// waits is what an entry waits for.
func (b *book) waits(call string) string {
	return b.state.CallWaits(b.state.Calls[call].ToldByTelephone)
}

func (b *book) ends(call string) []string {
	var ids []string
	for _, n := range b.state.EndedByCall(b.state.Calls[call].ToldByTelephone) {
		ids = append(ids, n.Id)
	}
	return ids
}

func TestACallThatComesBeforeItsEventEndsWhatIsDecidedLater(t *testing.T) {
	b := newBook(t)
	b.must(30, called("c", "l", "school", "", 5))
	if got := b.waits("c"); got != "its event: nothing with this reference has come from the agency" {
		t.Error(got)
	}
	b.reported(40, "e1", "l", "", 2)
	if got := b.waits("c"); got != "a decision about its event" {
		t.Error(got)
	}
	b.must(40, about(1, 1, "e1", obligation("n1", "ada"), obligation("n2", "ben")))
	for _, id := range []string{"n1", "n2"} {
		if c := b.state.CallOf(b.state.Notices[id]); c == nil || c.Id != "c" {
			t.Errorf("%s: call %v", id, c)
		}
		b.must(40, heardOf(id, "c"))
		b.phase(id, Acknowledged)
	}
	if diff := cmp.Diff([]string{"n1", "n2"}, b.state.Calls["c"].Ended); diff != "" || b.waits("c") != "" {
		t.Errorf("waits for %q; ended (-want +got):\n%s", b.waits("c"), diff)
	}
	b.faultless(500)
}

func TestACallEndsWhatItToldOfAndSettlesTheTask(t *testing.T) {
	b := newBook(t)
	b.reported(0, "e1", "l", "", 0)
	b.must(0, about(1, 1, "e1", obligation("n1", "ada"), obligation("n2", "ben")))
	b.must(1, escalated("n1", 2))
	b.must(1, opened(telephone("t1", "n1")))
	b.must(90, called("c", "l", "school", "ada", 20))
	if diff := cmp.Diff([]string{"n1"}, b.ends("c")); diff != "" {
		t.Fatalf("ends (-want +got):\n%s", diff)
	}
	b.must(90, heardOf("n1", "c"))
	b.phase("n1", Acknowledged)
	b.phase("n2", Ready)
	if b.state.Tasks["t1"].State != TaskSettled {
		t.Error("the task to telephone is still open")
	}
}

func TestACallTellsOfNothingThatCameAfterIt(t *testing.T) {
	for name, tc := range map[string]struct {
		reported, arrived int64
		corrects          string
		covered           bool
	}{
		"an event of the minute of the call":                     {reported: 20, arrived: 90, covered: true},
		"an event that was reported later":                       {reported: 21, arrived: 90},
		"a correction that had come":                             {reported: 2, arrived: 15, corrects: "e0", covered: true},
		"a correction that came later, with the original's time": {reported: 2, arrived: 90, corrects: "e0"},
	} {
		b := newBook(t)
		b.reported(tc.arrived, "e1", "l", tc.corrects, tc.reported)
		b.must(tc.arrived, about(1, 1, "e1", obligation("n1", "ada")))
		b.must(100, called("c", "l", "school", "", 20))
		if got := b.state.CallOf(b.state.Notices["n1"]) != nil; got != tc.covered {
			t.Errorf("%s: told of it: %v", name, got)
		}
		if !tc.covered {
			b.refuses(100, heardOf("n1", "c"))
			if got := b.waits("c"); got != "a notice that it told of: what stands came after the call, and is sent" {
				t.Errorf("%s: waits for %s", name, got)
			}
		}
	}
}

func TestACallThatMatchesNothingSaysWhatItWaitsFor(t *testing.T) {
	b := newBook(t)
	b.reported(0, "e1", "l", "", 0)
	d := decision("l", 1, obligation("n1", "ada"))
	d.Children = []*ledgerv1.ChildFinding{finding("c", "ada", "e1")}
	b.must(0, decided(d))
	b.must(1, called("c1", "l", "school", "zed", 0))
	b.must(1, called("c2", "l", "another", "", 0))
	for call, want := range map[string]string{
		"c1": "the child: nobody in the incident was found to be this one",
		"c2": "a notice to this organisation: the decision tells others",
	} {
		if got := b.waits(call); got != want {
			t.Errorf("%s waits for %q, want %q", call, got, want)
		}
	}
}

func TestCallsThatCannotBeAreRefused(t *testing.T) {
	b := newBook(t)
	b.reported(0, "e1", "l", "", 0)
	b.must(0, about(1, 1, "e1", obligation("n1", "ada")))
	b.must(1, called("c", "l", "school", "", 0))
	b.refuses(2, called("c", "l", "school", "", 0))
	b.refuses(2, called("", "l", "school", "", 0))
	b.refuses(2, called("d", "", "school", "", 0))
	b.refuses(2, called("d", "l", "", "", 0))
	b.refuses(2, heardOf("n1", "nobody's"))
	b.must(2, heardOf("n1", "c"))
	b.refuses(3, heardOf("n1", "c"))
	b.must(3, called("d", "l", "elsewhere", "", 0))
	b.refuses(3, heardOf("n1", "d"))
}

// call draws an entry of a call, and ends what it told of as the engine does.
func (m *model) call(r *rapid.T) {
	lineage := rapid.SampledFrom([]string{"l1", "l2", "term"}).Draw(r, "call about")
	child := rapid.SampledFrom([]string{"", "child-" + lineage, "nobody"}).Draw(r, "told of")
	id := m.name("call")
	m.fact(called(id, lineage, rapid.SampledFrom([]string{"school", "council"}).Draw(r, "told"), child, rapid.Int64Range(0, m.now).Draw(r, "called")))
	for _, n := range m.state.EndedByCall(m.state.Calls[id].ToldByTelephone) {
		m.fact(heardOf(n.Id, id))
	}
}

// heard ends a notice that its recipient has heard of, as the engine does.
func (m *model) heard(n *Notice) bool {
	if n.Phase.Ended() || n.Phase == Held {
		return false
	}
	c := m.state.CallOf(n)
	if c == nil {
		return false
	}
	m.fact(heardOf(n.Id, c.Id))
	return true
}

func TestNothingIsSentThatItsRecipientHeardByTelephone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(r, t)
		for _, n := range m.state.Notices {
			if c := m.state.CallOf(n); c != nil && !n.Phase.Ended() && n.Phase != Held {
				r.Fatalf("notice %s is %s, and call %s told of it", n.Id, n.Phase, c.Id)
			}
		}
		for i, f := range m.facts {
			a := f.GetAttemptStarted()
			if a == nil {
				continue
			}
			for _, before := range m.facts[:i] {
				if by := before.GetAcknowledged(); by.GetNotice() == a.Notice && by.GetCall() != "" {
					r.Fatalf("notice %s was sent after a call had ended it", a.Notice)
				}
			}
		}
	})
}

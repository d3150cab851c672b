package ledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// withdrawn takes an event back: by an operator, or by an event of the publisher's where one is given.
func withdrawn(event string, by *ledgerv1.Source) *ledgerv1.Fact {
	f := &ledgerv1.EventWithdrawn{Event: event, Agency: "police", By: "operator:op", Reason: "wrong_child", Source: by}
	if by != nil {
		f.By, f.Digest = "agency:police", []byte("d")
	}
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: f}}
}

func astray(id string, notices ...string) *ledgerv1.Task {
	return &ledgerv1.Task{
		Id: id, Kind: ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, Organisation: "police-org", Role: "desk", DueMs: ms(72 * 60),
		Lineage: "l", Misdirected: notices, EscalateTo: "police-org",
	}
}

// round is the decision that follows a withdrawal.
func round(number uint32, sources []*ledgerv1.Source, notices ...*ledgerv1.Notice) *ledgerv1.Decision {
	return &ledgerv1.Decision{
		Lineage: "l", Round: number, Cause: ledgerv1.Cause_CAUSE_WITHDRAWAL, Sources: sources, Notices: notices,
	}
}

func TestAWithdrawnEventIsToldToNobody(t *testing.T) {
	for name, story := range map[string]func(*testing.T){
		"before it is decided it is never routed": func(t *testing.T) {
			b := newBook(t)
			b.event(0, "e1", "l")
			b.must(1, withdrawn("e1", nil))
			b.expect(1, "")
			if diff := cmp.Diff("e1/ accepted, e1/ withdrawn", b.told(0)); diff != "" {
				t.Error(diff)
			}
		},
		"where its withdrawal comes first it is never routed": func(t *testing.T) {
			b := newBook(t)
			b.must(0, withdrawn("e1", source(1, "w1")))
			b.seq = 1
			b.event(1, "e1", "l")
			b.expect(1, "")
			if diff := cmp.Diff("w1/ accepted, e1/ accepted, e1/ withdrawn", b.told(0)); diff != "" {
				t.Error(diff)
			}
		},
		"a notice that is held ends before its release": func(t *testing.T) {
			b := newBook(t)
			n := obligation("n", "child")
			n.ReleaseMs = ms(10)
			b.event(0, "e1", "l")
			b.expect(0, "decide l")
			b.must(0, decided(decision("l", 1, n)))
			b.must(1, withdrawn("e1", nil))
			b.phase("n", Withdrawn)
			b.expect(1, "decide l")
			b.must(1, decided(round(2, nil)))
			b.expect(200, "")
		},
		"one that was sent is chased no more, and its task ends": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, delivered, 0))
			b.must(60, escalated("n", 2))
			b.must(60, opened(telephone("t", "n")))
			b.must(61, withdrawn("e1", nil))
			b.phase("n", Withdrawn)
			if got := b.state.Tasks["t"].State; got != TaskSettled {
				t.Errorf("the telephone task is %s", got)
			}
			b.must(61, decided(round(2, nil)))
			b.refuses(62, acknowledged("n", "dsl"))
			b.refuses(62, started("n", 2, 0, "dsl", 70))
			b.expect(500, "")
		},
		"one that somebody acknowledged keeps its end": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, delivered, 0))
			b.must(2, acknowledged("n", "dsl"))
			b.must(3, withdrawn("e1", nil))
			b.phase("n", Acknowledged)
			if !b.state.Notices["n"].Withdrawn {
				t.Error("it is still shown")
			}
		},
		"one that came back after it had counted as delivered is telephoned about no more": func(t *testing.T) {
			b := sending(t, func(n *ledgerv1.Notice) { n.Acknowledge = false })
			b.must(1, finished("n", 1, delivered, 0))
			b.must(2, returned("n", 1, bounced, false))
			b.must(2, opened(telephone("t", "n")))
			b.must(3, withdrawn("e1", nil))
			if got := b.state.Tasks["t"].State; got != TaskSettled {
				t.Errorf("the telephone task is %s", got)
			}
		},
		"the same again changes nothing": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, withdrawn("e1", source(2, "w1")))
			b.refuses(2, withdrawn("e1", nil))
			b.refuses(2, withdrawn("e1", source(3, "w1")))
			before := b.told(0)
			b.must(2, withdrawn("e1", source(3, "w2")))
			if diff := cmp.Diff(before+", w2/ accepted", b.told(0)); diff != "" {
				t.Error(diff)
			}
		},
		"a sibling lineage is untouched": func(t *testing.T) {
			b := sending(t, nil)
			b.event(1, "e2", "other")
			d := decision("other", 1, obligation("m", "child"))
			d.Sources = []*ledgerv1.Source{source(2, "e2")}
			b.must(1, decided(d))
			b.must(2, withdrawn("e1", nil))
			b.phase("m", Ready)
			b.expect(2, "decide l, send m link 0")
		},
	} {
		t.Run(name, story)
	}
}

func TestANoticeOfSeveralEventsComesBackWithoutTheOneWithdrawn(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.event(0, "e2", "l")
	both := []*ledgerv1.Source{source(1, "e1"), source(2, "e2")}
	n := obligation("n", "child")
	n.Refs = []string{"c", "c"}
	d := decision("l", 1, n)
	d.Sources = both
	b.expect(0, "decide l")
	b.must(0, decided(d))
	b.must(1, withdrawn("e1", nil))
	b.phase("n", Withdrawn) // at once: nothing of e1 goes out before the next decision
	b.expect(1, "decide l")

	tells := obligation("n2", "child")
	tells.Refs = []string{"c", "c"}
	b.refuses(1, decided(round(2, both, tells)))
	tells.Refs = []string{"", "c"}
	again := round(2, both, tells)
	again.Superseded = []*ledgerv1.Superseded{{Notice: "n", By: "n2"}}
	b.must(1, decided(again))
	b.expect(1, "send n2 link 0")
	b.phase("n", Withdrawn)
	if got := b.state.Notices["n"].ReplacedBy; got != "n2" {
		t.Errorf("replaced by %q", got)
	}
}

func TestWhatACorrectionLeftAsItWasEndsWithTheCorrection(t *testing.T) {
	kept := func(t *testing.T) *book {
		b := sending(t, nil)
		b.seq++
		b.must(1, accepted(b.seq, "e2", "l", "e1", false))
		b.expect(1, "decide l")
		d := round(2, []*ledgerv1.Source{source(2, "e2")})
		d.Kept = []string{"n"}
		b.must(1, decided(d))
		return b
	}
	t.Run("when the correction is withdrawn, and what it corrected stands no more", func(t *testing.T) {
		b := kept(t)
		b.must(2, withdrawn("e2", nil))
		b.phase("n", Withdrawn)
		if heads := b.state.Heads(b.state.Lineages["l"]); len(heads) > 0 {
			t.Errorf("%d events stand", len(heads))
		}
	})
	t.Run("and when what it corrected is, whose words it holds", func(t *testing.T) {
		b := kept(t)
		b.must(2, withdrawn("e1", nil))
		b.phase("n", Withdrawn)
		b.expect(2, "decide l") // the correction stands: whoever must be told is told of it
	})
}

func TestAMisdirectionIsSettledWhereNothingArrived(t *testing.T) {
	holders := func(b *book) string {
		var all []string
		for _, h := range b.state.Holders(b.state.Notices["n"]) {
			all = append(all, fmt.Sprintf("%s %s read=%t acknowledged=%t", h.Contact, h.Outcome, h.Read, h.Acknowledged))
		}
		return strings.Join(all, ", ")
	}
	under := func(t *testing.T) *book {
		b := sending(t, nil)
		b.must(1, withdrawn("e1", nil))
		if b.faultsOf(1) == "" {
			t.Error("nobody is asked about what is under way, and no fault says so")
		}
		b.must(1, opened(astray("t", "n")))
		b.faultless(1)
		return b
	}
	t.Run("the send under way never got out", func(t *testing.T) {
		b := under(t)
		b.must(2, finished("n", 1, permanent, 0))
		if got := b.state.Tasks["t"].State; got != TaskSettled {
			t.Errorf("the task is %s", got)
		}
	})
	t.Run("it got out all the same", func(t *testing.T) {
		b := under(t)
		b.must(2, finished("n", 1, delivered, 0))
		if got := b.state.Tasks["t"].State; got != TaskOpen {
			t.Errorf("the task is %s", got)
		}
		if diff := cmp.Diff("dsl OUTCOME_DELIVERED read=false acknowledged=false", holders(b)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("it came back", func(t *testing.T) {
		b := under(t)
		b.must(2, finished("n", 1, delivered, 0))
		b.must(3, returned("n", 1, bounced, false))
		if got := b.state.Tasks["t"].State; got != TaskSettled {
			t.Errorf("the task is %s", got)
		}
	})
	t.Run("who was told by telephone is named beside who has a mail", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, finished("n", 1, delivered, 0))
		b.must(60, escalated("n", 2))
		b.must(60, opened(telephone("t", "n")))
		b.must(61, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: ToldByTelephone}))
		b.must(62, withdrawn("e1", nil))
		if diff := cmp.Diff("dsl OUTCOME_DELIVERED read=false acknowledged=false,  OUTCOME_DELIVERED read=false acknowledged=true", holders(b)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("who read and who acknowledged is said", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, finished("n", 1, delivered, 0))
		b.must(2, &ledgerv1.Fact{Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: "n", Contact: "dsl"}}})
		b.must(3, acknowledged("n", "dsl"))
		b.must(4, withdrawn("e1", nil))
		if diff := cmp.Diff("dsl OUTCOME_DELIVERED read=true acknowledged=true", holders(b)); diff != "" {
			t.Error(diff)
		}
	})
}

// A receiver that keeps a mail may send word all the same that it did not: who opened a notice or acknowledged it has it.
func TestWhoReadOrAcknowledgedHasItWhateverBecameOfTheSend(t *testing.T) {
	read := &ledgerv1.Fact{Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: "n", Contact: "dsl"}}}
	for name, had := range map[string]func(*book){
		"it was read, and came back": func(b *book) {
			b.must(1, finished("n", 1, delivered, 0))
			b.must(2, read)
			b.must(3, returned("n", 1, bounced, false))
		},
		"it came back, and was acknowledged": func(b *book) {
			b.must(1, finished("n", 1, delivered, 0))
			b.must(2, returned("n", 1, bounced, false))
			b.must(3, acknowledged("n", "dsl"))
		},
		"an agency acknowledged what its receiver had refused": func(b *book) {
			b.must(1, finished("n", 1, permanent, 0))
			b.must(3, acknowledged("n", "agency:school"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := sending(t, nil)
			had(b)
			if diff := cmp.Diff([]string{"n"}, b.state.Misdirected(b.state.ToldOf(b.state.Events["e1"]))); diff != "" {
				t.Errorf("nobody is asked about it where it is withdrawn: %s", diff)
			}
			b.must(4, withdrawn("e1", nil))
			if b.faultsOf(4) == "" {
				t.Error("nobody is asked, and no fault says so")
			}
			b.must(4, opened(astray("t", "n")))
			b.must(4, decided(round(2, nil)))
			if got := b.state.Holders(b.state.Notices["n"]); len(got) != 1 || got[0].Contact != "dsl" {
				t.Errorf("who has it: %v", got)
			}
		})
	}
	t.Run("the task stays where what was read comes back", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, finished("n", 1, delivered, 0))
		b.must(2, read)
		b.must(3, withdrawn("e1", nil))
		b.must(3, opened(astray("t", "n")))
		b.must(4, returned("n", 1, bounced, false))
		if got := b.state.Tasks["t"].State; got != TaskOpen {
			t.Errorf("the task is %s", got)
		}
	})
}

func (b *book) faultsOf(at int64) string { return strings.Join(b.state.Faults(ms(at)), "; ") }

func TestOnlyAPersonHasARequestToDeleteSent(t *testing.T) {
	had := func(t *testing.T) *book {
		b := sending(t, nil)
		b.must(1, finished("n", 1, delivered, 0))
		b.must(2, withdrawn("e1", nil))
		b.must(2, opened(astray("t", "n")))
		b.must(2, decided(round(2, nil)))
		b.expect(2, "")
		return b
	}
	t.Run("safe to ask has it decided whom to ask", func(t *testing.T) {
		b := had(t)
		b.must(3, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: SafeToAsk, Except: []string{"council"}}))
		b.expect(3, "decide deletion-t")
		l := b.state.Lineages["deletion-t"]
		if diff := cmp.Diff(&Deletion{Task: "t", Except: []string{"council"}}, l.Deletion); diff != "" || l.Agency != "police" {
			t.Errorf("of %q: %s", l.Agency, diff)
		}
	})
	t.Run("do not ask does not", func(t *testing.T) {
		b := had(t)
		b.must(3, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: DoNotAsk}))
		b.expect(100_000, "")
	})
}

func TestWhoWasRightWhenToldIsNoMisdirection(t *testing.T) {
	b := sending(t, nil)
	b.must(1, finished("n", 1, delivered, 0))
	gone := round(2, []*ledgerv1.Source{source(1, "e1")})
	gone.Superseded = []*ledgerv1.Superseded{{Notice: "n"}}
	if got := b.state.TakenAway(gone); got != nil {
		t.Errorf("a child who has moved on makes a misdirection of %v", got)
	}
	b.must(2, notAt("n"))
	if diff := cmp.Diff([]string{"n"}, b.state.TakenAway(gone)); diff != "" {
		t.Errorf("the setting says that the child is not there: %s", diff)
	}
	gone.Superseded[0].By = "m"
	if got := b.state.TakenAway(gone); got != nil {
		t.Errorf("a newer version makes a misdirection of %v", got)
	}
}

func TestImpossibleWithdrawalsLeaveNothingBehind(t *testing.T) {
	change := func(f func(*ledgerv1.EventWithdrawn)) *ledgerv1.Fact {
		fact := withdrawn("e1", source(2, "w1"))
		fact.GetEventWithdrawn().Notices = []string{"n"}
		f(fact.GetEventWithdrawn())
		return fact
	}
	for name, fact := range map[string]*ledgerv1.Fact{
		"of an unknown event, by a person": withdrawn("x", nil),
		"of another's event":               change(func(f *ledgerv1.EventWithdrawn) { f.Agency, f.Source.Agency = "council", "council" }),
		"for another":                      change(func(f *ledgerv1.EventWithdrawn) { f.Source.Agency = "council" }),
		"by the event itself":              change(func(f *ledgerv1.EventWithdrawn) { f.Source.Event = "e1" }),
		"by nobody":                        change(func(f *ledgerv1.EventWithdrawn) { f.By = "" }),
		"for no reason":                    change(func(f *ledgerv1.EventWithdrawn) { f.Reason = "" }),
		"and takes nothing back":           change(func(f *ledgerv1.EventWithdrawn) { f.Notices = nil }),
		"and takes another back":           change(func(f *ledgerv1.EventWithdrawn) { f.Notices = append(f.Notices, "m") }),
		"a task about no notice":           opened(astray("t")),
		"a task about an unknown notice":   opened(astray("t", "x")),
	} {
		t.Run(name, func(t *testing.T) { sending(t, nil).refuses(1, fact) })
	}
	t.Run("a second task about the same notice", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, opened(astray("t", "n")))
		b.refuses(1, opened(astray("t2", "n")))
	})
	t.Run("an event under the id of one that withdrew another", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, withdrawn("e1", source(2, "w1")))
		b.refuses(1, accepted(3, "w1", "l", "", false))
	})
}

package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// sending is a book with one notice n about a child, of which a first attempt is under way.
func sending(t *testing.T, change func(*ledgerv1.Notice)) *book {
	t.Helper()
	b := newBook(t)
	n := obligation("n", "child")
	if change != nil {
		change(n)
	}
	b.event(0, "e1", "l")
	b.expect(0, "decide l")
	d := decision("l", 1, n)
	d.Children = []*ledgerv1.ChildFinding{{Ref: "c", Child: "child", Event: "e1"}}
	b.must(0, decided(d))
	b.expect(0, "send n link 0")
	b.must(0, started("n", 1, 0, "dsl", 2))
	b.phase("n", Sending)
	return b
}

func TestNotice(t *testing.T) {
	for name, story := range map[string]func(*testing.T){
		"held, released, sent, awaited, moved on, and resolved by telephone": func(t *testing.T) {
			b := newBook(t)
			n := obligation("n", "child")
			n.ReleaseMs = ms(10)
			b.event(0, "e1", "l")
			b.must(0, decided(decision("l", 1, n)))
			b.phase("n", Held)
			b.expect(9, "")
			b.expect(10, "release l")
			again := decision("l", 2)
			again.Cause, again.Kept = ledgerv1.Cause_CAUSE_RELEASE, []string{"n"}
			b.must(10, decided(again))
			b.expect(10, "send n link 0")
			b.must(10, started("n", 1, 0, "dsl", 12))
			b.must(11, finished("n", 1, delivered, 0))
			b.phase("n", Awaiting)
			b.expect(59, "")
			b.expect(60, "tell late n, move on n")
			b.must(60, late("n"))
			b.must(60, escalated("n", 1))
			b.expect(60, "send n link 1")
			b.must(60, started("n", 2, 1, "team", 62))
			b.must(61, finished("n", 2, delivered, 0))
			b.expect(119, "")
			b.expect(120, "move on n")
			b.must(120, escalated("n", 2))
			b.must(120, opened(telephone("t", "n")))
			b.phase("n", WithTask)
			b.expect(199, "")
			b.faultless(199)
			b.must(150, claimed("t"))
			b.must(150, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: ToldByTelephone}))
			b.phase("n", Acknowledged)
			b.expect(1000, "")
			b.faultless(1000)
		},
		"kept by another decision before its release, stays held": func(t *testing.T) {
			b := newBook(t)
			n := obligation("n", "child")
			n.ReleaseMs = ms(10)
			b.event(0, "e1", "l")
			b.must(0, decided(decision("l", 1, n)))
			again := decision("l", 2)
			again.Kept = []string{"n"}
			b.must(5, decided(again))
			b.phase("n", Held)
			b.expect(10, "release l")
		},
		"delivered where nobody must acknowledge, has ended": func(t *testing.T) {
			b := sending(t, func(n *ledgerv1.Notice) { n.Acknowledge = false })
			b.must(1, finished("n", 1, delivered, 0))
			b.phase("n", Delivered)
			b.expect(1000, "")
		},
		"failed for now, is tried again at its time, then given up": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, transient, 5))
			b.phase("n", Waiting)
			b.expect(4, "")
			b.expect(5, "send n link 0")
			b.must(5, started("n", 2, 0, "dsl", 7))
			b.must(6, finished("n", 2, transient, 0))
			b.phase("n", Ready)
			if !b.state.Notices["n"].GaveUp("dsl") || b.state.Notices["n"].GaveUp("head") {
				t.Fatal("the contact whose attempts are used up, and no other, is given up")
			}
			b.expect(6, "send n link 0")
		},
		"told to wait past the end of its link, moves on in time": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, transient, 500))
			b.expect(59, "")
			b.expect(60, "tell late n, send n link 0")
		},
		"failed for good at a contact, is ready for the next": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, permanent, 0))
			b.phase("n", Ready)
			if !b.state.Notices["n"].GaveUp("dsl") {
				t.Fatal("the contact is not given up")
			}
		},
		"whose attempt never ended, is unknown once the lease is over": func(t *testing.T) {
			b := sending(t, nil)
			b.expect(1, "")
			b.expect(2, "expire n attempt 1")
			b.must(2, finished("n", 1, unknown, 3))
			if !b.state.Notices["n"].MayHave("dsl") || b.state.Notices["n"].MayHave("head") {
				t.Fatal("another send to this contact, and to no other, may arrive twice")
			}
			b.expect(3, "send n link 0")
		},
		"superseded while it is being sent, takes the end of the send as history": func(t *testing.T) {
			b := sending(t, nil)
			d := decision("l", 2, obligation("m", "child"))
			d.Superseded = []*ledgerv1.Superseded{{Notice: "n", By: "m"}}
			b.must(1, decided(d))
			b.must(1, finished("n", 1, delivered, 0))
			b.phase("n", Superseded)
			if !b.state.Notices["n"].Sent() || b.state.Notices["n"].ReplacedBy != "m" {
				t.Fatal("it is not known that the old version arrived, or what replaced it")
			}
			b.expect(1, "send m link 0")
			b.expect(1000, "tell late m")
		},
		"acknowledged by an earlier link's contact after the chain moved on, has ended": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, delivered, 0))
			b.must(60, escalated("n", 1))
			b.must(60, started("n", 2, 1, "team", 62))
			b.must(61, acknowledged("n", "dsl"))
			b.phase("n", Acknowledged)
			b.must(61, finished("n", 2, delivered, 0))
			b.phase("n", Acknowledged)
			b.expect(1000, "")
			if got := b.state.Notices["n"].EndedBy; got != "dsl" {
				t.Fatalf("ended by %q", got)
			}
		},
		"due before its chain moves on, is late in that instant": func(t *testing.T) {
			n := obligation("n", "child")
			n.Chain[0].OffsetMinutes = 30
			b := newBook(t)
			b.event(0, "e1", "l")
			b.must(0, decided(decision("l", 1, n)))
			b.expect(0, "send n link 0")
			b.must(0, started("n", 1, 0, "dsl", 2))
			b.must(1, finished("n", 1, delivered, 0))
			b.expect(59, "")
			b.expect(60, "tell late n")
			b.must(60, late("n"))
			b.phase("n", Awaiting)
			if got := b.state.Notices["n"].LateMS; got != ms(60) {
				t.Fatalf("late at %d", got)
			}
			b.expect(89, "")
			b.expect(90, "move on n")
			b.must(90, escalated("n", 1))
			if got := b.state.Notices["n"].LateMS; got != ms(60) {
				t.Fatalf("moving on changed it to late at %d", got)
			}
		},
		"acknowledged in time, is never late": func(t *testing.T) {
			b := sending(t, nil)
			b.must(59, acknowledged("n", "dsl"))
			b.expect(1000, "")
		},
		"acknowledged twice, keeps the first": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, acknowledged("n", "dsl"))
			b.must(2, acknowledged("n", "head"))
			if n := b.state.Notices["n"]; n.EndedBy != "dsl" || n.EndedMS != ms(1) {
				t.Fatalf("ended by %s at %d", n.EndedBy, n.EndedMS)
			}
		},
		"acknowledged while its task is open, settles the task": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, permanent, 0))
			b.must(1, escalated("n", 2))
			b.must(1, opened(telephone("t", "n")))
			b.must(2, acknowledged("n", "dsl"))
			if got := b.state.Tasks["t"].State; got != TaskSettled {
				t.Fatalf("the task is %s", got)
			}
			b.expect(1000, "")
		},
		"told late to the next link, leaves it a fair while": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, delivered, 0))
			b.expect(300, "tell late n, move on n") // the machine was down over both links' times
			b.must(300, escalated("n", 1))
			b.expect(300, "send n link 1")
			b.must(300, started("n", 2, 1, "team", 302))
			b.must(301, finished("n", 2, delivered, 0))
			b.expect(314, "")
			b.expect(315, "move on n")
		},
		"answered with not at our school, is decided about again": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, notAt("n"))
			b.expect(1, "decide l")
			want := map[notice.ChildID]map[notice.OrgID]bool{"child": {"school": true}}
			if diff := cmp.Diff(want, b.state.Lineages["l"].NotAt); diff != "" {
				t.Fatal(diff)
			}
		},
	} {
		t.Run(name, story)
	}
}

func TestEvent(t *testing.T) {
	for name, story := range map[string]func(*testing.T){
		"repeated, changes nothing but the cursor": func(t *testing.T) {
			b := newBook(t)
			b.event(0, "e1", "l")
			b.expect(0, "decide l")
			b.must(1, &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRepeated{EventRepeated: &ledgerv1.EventRepeated{Source: source(7, "e1")}}})
			b.expect(1000, "")
			if b.state.Cursor("police") != 7 || b.state.Events["e1"].Repeated != 1 {
				t.Fatal("the repeat is not settled and counted")
			}
		},
		"refused, is counted, settled and told": func(t *testing.T) {
			b := newBook(t)
			b.must(0, &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{Source: source(3, ""), Quarantine: 9}}})
			if b.state.Cursor("police") != 3 || b.state.Refused != 1 || b.state.Feedback("police", 0, 1)[0].Quarantine != 9 {
				t.Fatal("the refusal is not settled, counted and told")
			}
		},
		"corrected, no longer counts": func(t *testing.T) {
			b := newBook(t)
			b.event(0, "e1", "l")
			b.must(1, accepted(2, "e2", "l", "e1", false))
			b.heads("l", "e2")
		},
		"whose correction came first, never counts": func(t *testing.T) {
			b := newBook(t)
			b.must(0, accepted(1, "e2", "l", "e1", false))
			b.expect(0, "decide l")
			b.must(0, decided(decision("l", 1)))
			if !b.state.Overtaken("e1") {
				t.Fatal("it is not known that e1 is overtaken")
			}
			b.must(1, accepted(2, "e1", "l", "", true))
			b.expect(1, "")
			b.heads("l", "e2")
		},
		"in the middle of three versions that comes last, still ends the first": func(t *testing.T) {
			b := newBook(t)
			b.must(0, accepted(1, "e3", "l", "e2", false))
			b.must(0, accepted(2, "e1", "l", "", false))
			b.must(0, decided(decision("l", 1)))
			b.expect(0, "")
			b.must(1, accepted(3, "e2", "l", "e1", true))
			b.heads("l", "e3")
			b.expect(1, "decide l")
		},
		"and another that each correct the other, leave the first standing": func(t *testing.T) {
			b := newBook(t)
			b.must(0, accepted(1, "e1", "l", "e2", false))
			b.must(0, accepted(2, "e2", "l", "e1", true))
			b.heads("l", "e1")
		},
		"that corrects itself, stands": func(t *testing.T) {
			b := newBook(t)
			b.must(0, accepted(1, "e1", "l", "e1", false))
			b.heads("l", "e1")
			b.expect(0, "decide l")
		},
	} {
		t.Run(name, story)
	}
}

func (b *book) heads(lineage string, want ...string) {
	b.t.Helper()
	var got []string
	for _, e := range b.state.Heads(b.state.Lineages[lineage]) {
		got = append(got, e.Source.Event)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Fatal(diff)
	}
}

func TestBeforeTerm(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l1")
	b.event(0, "e2", "l2")
	for _, l := range []string{"l1", "l2"} {
		d := decision(l, 1)
		d.Contributions = []*ledgerv1.Contribution{{Lineage: "term", Child: "child"}}
		b.must(0, decided(d))
	}
	b.expect(0, "decide term")
	n := obligation("n", "child")
	n.ReleaseMs = ms(100)
	d := decision("term", 1, n)
	d.Children, d.Sources = []*ledgerv1.ChildFinding{{Ref: "c", Child: "child", Event: "e2"}}, []*ledgerv1.Source{source(2, "e2")}
	d.Tasks = []*ledgerv1.Task{{Id: "t", Kind: ledgerv1.TaskKind_TASK_KIND_UNMATCHED, Lineage: "term", Child: "child", DueMs: ms(50)}}
	b.must(0, decided(d))
	if got := b.told(0); got != "e1/ accepted, e2/ accepted" {
		t.Fatalf("a notice before term told a publisher: %s", got)
	}

	b.must(1, notAt("n")) // the school says no: every lineage that named it decides again
	b.expect(1, "decide l1, decide l2, decide term")

	b.must(2, decided(decision("l1", 2))) // an incident that no longer belongs there
	if got := b.state.Lineages["term"].Contributions; len(got) != 1 {
		t.Fatalf("%d contributions", len(got))
	}
}

func TestWhatHasJustComeInIsPlannedBeforeWhatAnHourHasBrought(t *testing.T) {
	b := newBook(t)
	const holds = 100
	for i := range holds {
		lineage := fmt.Sprintf("held-%d", i)
		b.event(0, "e-"+lineage, lineage)
		n := obligation("n-"+lineage, "child")
		n.ReleaseMs, n.DueMs = ms(50), ms(500)
		b.must(0, decided(decision(lineage, 1, n)))
	}
	b.expect(0, "")
	b.event(51, "urgent", "l")
	some := func(wantOfAnHour int, first Step) {
		t.Helper()
		steps, ofAnHour := b.state.PlanSome(ms(52), 10)
		if ofAnHour != wantOfAnHour || len(steps) < ofAnHour || first != nil && steps[0] != first {
			t.Fatalf("%d steps, %d of an hour, the first %#v", len(steps), ofAnHour, steps[0])
		}
		if b.state.Idle(ms(52)) {
			t.Fatal("idle, and releases are due")
		}
	}
	some(10, Decide{Lineage: b.state.Lineages["l"]})
	b.must(52, decided(decision("l", 1, obligation("n", "child"))))
	some(10, Send{Notice: b.state.Notices["n"]})
	some(10, nil)
	if steps := b.state.Plan(ms(52)); len(steps) != holds-30 {
		t.Fatalf("%d steps are left, want %d", len(steps), holds-30)
	}
}

func TestTask(t *testing.T) {
	unmatched := func(b *book) {
		d := decision("l", 1)
		d.Tasks = []*ledgerv1.Task{{
			Id: "t", Kind: ledgerv1.TaskKind_TASK_KIND_UNMATCHED, Organisation: "police-org", DueMs: ms(10), Lineage: "l",
			Child: "child", EscalateTo: "council",
		}}
		b.event(0, "e1", "l")
		b.must(0, decided(d))
		b.plan(0)
	}
	for name, story := range map[string]func(*testing.T, *book){
		"overdue, goes to the one who takes over, once": func(t *testing.T, b *book) {
			b.expect(9, "")
			b.expect(10, "escalate t")
			b.must(10, passedOn("t", "council", 20))
			b.expect(1000, "")
			if task := b.state.Tasks["t"]; task.Organisation != "council" || task.DueMS != ms(20) || task.Ended() {
				t.Fatalf("the task is with %s, due %d, %s", task.Organisation, task.DueMS, task.State)
			}
		},
		"matched, has the lineage decided again with the child": func(t *testing.T, b *book) {
			b.must(1, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: Matched, Child: "known"}))
			b.expect(1, "decide l")
			if diff := cmp.Diff(map[string]notice.ChildID{"child": "known"}, b.state.Lineages["l"].Matched); diff != "" {
				t.Fatal(diff)
			}
		},
		"given its settings, has the lineage decided again with them": func(t *testing.T, b *book) {
			b.must(1, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: SettingChosen, Settings: []string{"a", "b"}}))
			b.expect(1, "decide l")
			want := map[notice.ChildID][]notice.OrgID{"child": settings("a", "b")}
			if diff := cmp.Diff(want, b.state.Lineages["l"].Chosen); diff != "" {
				t.Fatal(diff)
			}
		},
		"resolved with no action, ends and moves nothing": func(t *testing.T, b *book) {
			b.must(1, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: NoAction}))
			b.expect(1000, "")
			if task := b.state.Tasks["t"]; task.State != TaskResolved || task.By != "op" || task.Resolution != NoAction {
				t.Fatalf("the task is %s by %s: %s", task.State, task.By, task.Resolution)
			}
		},
		"settled by a later decision, is over": func(t *testing.T, b *book) {
			d := decision("l", 2)
			d.SettledTasks = []string{"t"}
			b.must(1, decided(d))
			b.expect(1000, "")
			if len(b.state.TasksByDue(false)) != 0 || len(b.state.TasksByDue(true)) != 1 {
				t.Fatal("the settled task is listed as open, or not at all")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			unmatched(b)
			story(t, b)
		})
	}
	t.Run("of a notice, resolved without telling anybody, closes the notice", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, finished("n", 1, permanent, 0))
		b.must(1, escalated("n", 2))
		b.must(1, opened(telephone("t", "n")))
		b.must(2, resolved(&ledgerv1.TaskResolved{Task: "t", By: "op", Resolution: NotOurChild}))
		b.phase("n", Closed)
	})
}

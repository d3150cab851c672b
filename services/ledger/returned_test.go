package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// sent is a notice whose first attempt, at the safeguarding lead, was accepted by the mail relay.
func sent(t *testing.T, change func(*ledgerv1.Notice)) *book {
	b := sending(t, change)
	b.must(1, finished("n", 1, delivered, 0))
	return b
}

func TestWhatComesBack(t *testing.T) {
	ownWay := func(n *ledgerv1.Notice) { n.Acknowledge = false }
	for name, run := range map[string]func(*testing.T){
		"a bounce moves the notice on at once and the contact fails": func(t *testing.T) {
			b := sent(t, nil)
			b.must(3, returned("n", 1, bounced, false))
			b.phase("n", Ready)
			b.expect(3, "send n link 0")
			n := b.state.Notices["n"]
			if !n.GaveUp("dsl") || n.Sent() || b.state.Failing["dsl"] == nil {
				t.Fatalf("gave up %v, sent %v, failing %v", n.GaveUp("dsl"), n.Sent(), b.state.Failing["dsl"])
			}
			b.faultless(3)
		},
		"a bounce that is quicker than the end of its send counts all the same": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, returned("n", 1, bounced, false))
			b.phase("n", Sending)
			b.must(1, finished("n", 1, delivered, 0))
			b.phase("n", Ready)
			if n := b.state.Notices["n"]; n.Sent() || !n.GaveUp("dsl") {
				t.Fatal("what came back was taken for delivered")
			}
		},
		"a bounce ends the wait for another try": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, unknown, 30))
			b.must(3, returned("n", 1, bounced, false))
			b.expect(3, "send n link 0")
		},
		"an automatic reply moves on and gives nobody up": func(t *testing.T) {
			b := sent(t, nil)
			b.must(3, returned("n", 1, autoReply, true))
			b.expect(3, "send n link 0")
			n := b.state.Notices["n"]
			if n.GaveUp("dsl") || !n.Away("dsl") || !n.Sent() || len(b.state.Failing) != 0 {
				t.Fatal("an automatic reply was taken for a failure")
			}
			b.must(2, started("n", 2, 0, "deputy", 5))
			b.must(3, finished("n", 2, delivered, 0))
			b.phase("n", Awaiting)
			b.must(4, acknowledged("n", "dsl"))
			b.phase("n", Acknowledged)
		},
		"an automatic reply before the end of its send moves on then": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, returned("n", 1, autoReply, true))
			b.phase("n", Sending)
			b.must(1, finished("n", 1, delivered, 0))
			b.phase("n", Ready)
		},
		"an automatic reply where nobody is left leaves the chain its time": func(t *testing.T) {
			b := sent(t, nil)
			b.must(3, returned("n", 1, autoReply, false))
			b.phase("n", Awaiting)
		},
		"whatever comes back from one before concerns the one who has it now no more": func(t *testing.T) {
			b := sent(t, nil)
			b.must(3, returned("n", 1, autoReply, true))
			b.must(2, started("n", 2, 0, "deputy", 5))
			b.must(3, finished("n", 2, delivered, 0))
			b.must(4, returned("n", 1, bounced, false))
			b.phase("n", Awaiting)
			b.must(5, returned("n", 2, bounced, false))
			b.phase("n", Ready)
		},
		"a bounce while the same mailbox is tried again spoils that try too": func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, unknown, 2))
			b.must(2, started("n", 2, 0, "dsl", 5))
			b.must(3, returned("n", 1, bounced, false))
			b.must(3, finished("n", 2, delivered, 0))
			b.phase("n", Ready)
		},
		"a delay, a delivery and whatever else change nothing and acknowledge nothing": func(t *testing.T) {
			for _, kind := range []ledgerv1.ReturnKind{postponed, confirmed, unclear} {
				b := sent(t, nil)
				b.must(3, returned("n", 1, kind, false))
				b.phase("n", Awaiting)
				b.expect(59, "")
				if len(b.state.Failing) != 0 {
					t.Fatalf("%s: %v", kind, b.state.Failing)
				}
			}
		},
		"a bounce after the acknowledgement leaves the end and marks the contact": func(t *testing.T) {
			b := sent(t, nil)
			b.must(2, acknowledged("n", "dsl"))
			b.must(3, returned("n", 1, bounced, false))
			b.phase("n", Acknowledged)
			if b.state.Failing["dsl"] == nil {
				t.Fatal("the contact is not failing")
			}
		},
		"a bounce after a delivery that nobody has to acknowledge goes to a person": func(t *testing.T) {
			b := sent(t, ownWay)
			b.phase("n", Delivered)
			b.refuses(2, opened(telephone("t", "n")))
			b.must(3, returned("n", 1, bounced, false))
			b.phase("n", Delivered)
			if !b.state.Notices["n"].CameBackAfterEnd() {
				t.Fatal("it is not known that the notice came back")
			}
			b.must(2, opened(telephone("t", "n")))
			b.refuses(3, opened(telephone("t2", "n")))
			due := b.state.Overdue(ms(300))
			if len(due) != 1 || due[0].Task != "t" || due[0].Notice != "n" {
				t.Fatalf("overdue: %v", due)
			}
			b.must(4, resolved(&ledgerv1.TaskResolved{Task: "t", Resolution: ToldByTelephone, By: "op"}))
			b.phase("n", Delivered)
		},
	} {
		t.Run(name, run)
	}
}

func TestAContactFailsFromItsFirstBounceUntilItsAddressIsAnother(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, obligation("n1", "c"), obligation("n2", "c"), obligation("n3", "c"))))
	back := func(at int64, id, address, code string) {
		s := started(id, 1, 0, "dsl", at+5)
		s.GetAttemptStarted().Address = []byte(address)
		s.GetAttemptStarted().Organisation = "school"
		b.must(at, s)
		b.must(at, finished(id, 1, delivered, 0))
		f := returned(id, 1, bounced, false)
		f.GetReturned().Code = code
		b.must(at, f)
	}
	want := func(since int64, bounces int64, code string) {
		t.Helper()
		got := b.state.FailingContacts()
		if len(got) != 1 || got[0].SinceMS != ms(since) || got[0].Bounces != bounces || got[0].Code != code {
			t.Fatalf("failing: %+v", got[0])
		}
	}
	back(1, "n1", "a", "5.1.1")
	want(1, 1, "5.1.1")
	back(2, "n2", "a", "5.2.2")
	want(1, 2, "5.2.2")
	back(3, "n3", "b", "")
	want(3, 1, "")
}

func TestAPersonNamedInAnEventIsNoContactThatFails(t *testing.T) {
	b := newBook(t)
	b.event(0, "e1", "l")
	b.must(0, decided(decision("l", 1, obligation("n", "c"))))
	s := started("n", 1, 0, "event:p1", 5)
	s.GetAttemptStarted().Organisation = "event"
	b.must(0, s)
	b.must(1, finished("n", 1, delivered, 0))
	b.must(2, returned("n", 1, bounced, false))
	b.phase("n", Ready)
	if diff := cmp.Diff(map[string]*Failing{}, b.state.Failing); diff != "" {
		t.Error(diff)
	}
}

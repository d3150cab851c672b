package ledger

import (
	"testing"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func TestImpossibleFactsAreRefusedAndLeaveNothingBehind(t *testing.T) {
	led := func(epoch uint64) *ledgerv1.Fact {
		return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: epoch, Instance: "a"}}}
	}
	change := func(f func(*ledgerv1.Decision)) *ledgerv1.Fact {
		d := decision("l", 2)
		d.Kept = []string{"n"}
		f(d)
		return decided(d)
	}
	for name, fact := range map[string]*ledgerv1.Fact{
		"of no kind":                          {},
		"an epoch that does not grow":         led(0),
		"an event accepted twice":             accepted(2, "e1", "l", "", false),
		"a decision about nothing":            decided(decision("nowhere", 1)),
		"a round that does not follow":        decided(decision("l", 3)),
		"the same round again":                decided(decision("l", 1)),
		"a decision without a cause":          change(func(d *ledgerv1.Decision) { d.Cause = 0 }),
		"keeping an unknown notice":           change(func(d *ledgerv1.Decision) { d.Kept = append(d.Kept, "x") }),
		"superseding an unknown notice":       change(func(d *ledgerv1.Decision) { d.Superseded = []*ledgerv1.Superseded{{Notice: "n"}, {Notice: "x"}} }),
		"making a notice twice":               change(func(d *ledgerv1.Decision) { d.Notices = []*ledgerv1.Notice{obligation("m", ""), obligation("n", "")} }),
		"making one notice twice at once":     change(func(d *ledgerv1.Decision) { d.Notices = []*ledgerv1.Notice{obligation("m", ""), obligation("m", "")} }),
		"settling an unknown task":            change(func(d *ledgerv1.Decision) { d.SettledTasks = []string{"x"} }),
		"opening one task twice at once":      change(func(d *ledgerv1.Decision) { d.Tasks = []*ledgerv1.Task{{Id: "t"}, {Id: "t"}} }),
		"contributing to itself":              change(func(d *ledgerv1.Decision) { d.Contributions = []*ledgerv1.Contribution{{Lineage: "l"}} }),
		"an attempt at an unknown notice":     started("x", 1, 0, "dsl", 9),
		"an attempt while one is under way":   started("n", 2, 0, "dsl", 9),
		"the end of an unknown notice's send": finished("x", 1, delivered, 0),
		"the end of a send never started":     finished("n", 2, delivered, 0),
		"an end without an outcome":           finished("n", 1, 0, 0),
		"escalating an unknown notice":        escalated("x", 1),
		"escalating while sending":            escalated("n", 1),
		"a bounce of an unknown notice":       returned("x", 1, bounced, false),
		"a bounce of a send never started":    returned("n", 2, bounced, false),
		"something of no kind coming back":    returned("n", 1, 0, false),
		"a bounce like an automatic reply":    returned("n", 1, bounced, true),
		"an unknown notice late":              late("x"),
		"acknowledging an unknown notice":     acknowledged("x", "dsl"),
		"not at a setting, of no notice":      notAt("x"),
		"a code for an unknown notice":        {Fact: &ledgerv1.Fact_CodeSent{CodeSent: &ledgerv1.CodeSent{Notice: "x"}}},
		"an unknown notice read":              {Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: "x"}}},
		"a task for an unknown notice":        opened(telephone("t", "x")),
		"a task for a notice under way":       opened(telephone("t", "n")),
		"claiming an unknown task":            claimed("x"),
		"resolving an unknown task":           resolved(&ledgerv1.TaskResolved{Task: "x", Resolution: NoAction}),
		"the clock of no instance":            clockConfirmed(""),
		"escalating an unknown task":          passedOn("x", "council", 9),
	} {
		t.Run(name, func(t *testing.T) { sending(t, nil).refuses(1, fact) })
	}
	for name, fact := range map[string]*ledgerv1.Fact{
		"an attempt after the end":     started("n", 2, 0, "dsl", 9),
		"a second end of an attempt":   finished("n", 1, transient, 9),
		"escalating after the end":     escalated("n", 1),
		"late after the end":           late("n"),
		"opening a task after the end": opened(telephone("t2", "n")),
		"opening a task twice":         opened(telephone("t", "n")),
		"resolving a settled task":     resolved(&ledgerv1.TaskResolved{Task: "t", Resolution: NoAction}),
		"claiming a settled task":      claimed("t"),
		"escalating a settled task":    passedOn("t", "council", 9),
	} {
		t.Run(name, func(t *testing.T) {
			b := sending(t, nil)
			b.must(1, finished("n", 1, permanent, 0))
			b.must(1, escalated("n", 2))
			b.must(1, opened(telephone("t", "n")))
			b.must(2, acknowledged("n", "dsl"))
			b.refuses(3, fact)
		})
	}
	t.Run("settling the open task of a notice that has not ended", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, finished("n", 1, permanent, 0))
		b.refuses(1, escalated("n", 0))
		b.must(1, escalated("n", 2))
		b.must(1, opened(telephone("t", "n")))
		d := decision("l", 2)
		d.Kept, d.SettledTasks = []string{"n"}, []string{"t"}
		b.refuses(2, decided(d))
	})
	t.Run("the same coming back twice", func(t *testing.T) {
		b := sending(t, nil)
		b.must(1, returned("n", 1, bounced, false))
		b.refuses(2, returned("n", 1, bounced, false))
	})
	t.Run("late twice", func(t *testing.T) {
		b := sending(t, nil)
		b.must(60, late("n"))
		b.refuses(61, late("n"))
	})
	t.Run("acknowledging what is held", func(t *testing.T) {
		b := newBook(t)
		n := obligation("n", "child")
		n.ReleaseMs = ms(10)
		b.event(0, "e1", "l")
		b.must(0, decided(decision("l", 1, n)))
		b.refuses(1, acknowledged("n", "dsl"))
		b.refuses(1, started("n", 1, 0, "dsl", 3))
	})
}

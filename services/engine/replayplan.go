package engine

import (
	"cmp"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

// planned says what a decision would do about a lineage, for people.
func (e *Engine) planned(l *ledger.Lineage, d *ledgerv1.Decision) *replayv1.Lineage {
	p := &replayv1.Lineage{Lineage: l.ID, Kind: string(l.Kind)}
	add := func(item *replayv1.Item) { p.Items = append(p.Items, item) }
	repeated := map[string]bool{}
	for _, n := range d.Notices {
		add(e.madeItem(l, d, n))
		repeated[n.Repeats] = true
		p.Changes = true
	}
	for _, id := range d.Kept {
		n := e.state.Notices[id]
		p.Changes = p.Changes || !slices.Contains(l.Standing, id)
		if n.Told() {
			add(noticeItem(replayv1.What_WHAT_LEFT, n, "it has ended: only --force sends it again"))
		} else {
			add(noticeItem(replayv1.What_WHAT_KEPT, n, "it stands as it is"))
		}
	}
	for _, s := range d.Superseded {
		n := e.state.Notices[s.Notice]
		switch {
		case repeated[n.Id]:
		case n.Phase.Ended():
			add(noticeItem(replayv1.What_WHAT_LEFT, n, "it has ended; "+s.Reason))
		default:
			add(noticeItem(replayv1.What_WHAT_SUPERSEDED, n, s.Reason))
			p.Changes = true
		}
	}
	for _, t := range d.Tasks {
		add(&replayv1.Item{
			What: replayv1.What_WHAT_TASK, Id: t.Id, Organisation: t.Organisation, Function: t.Role, Child: t.Child, Reason: t.Detail, DueMs: t.DueMs,
		})
		p.Changes = true
	}
	for _, t := range e.settledBy(d) {
		add(&replayv1.Item{
			What: replayv1.What_WHAT_TASK_SETTLED, Id: t.Id, Organisation: t.Organisation, Function: t.Role, Child: t.Child,
			Reason: "nothing is left to do", State: t.State.String(),
		})
		p.Changes = true
	}
	for _, c := range d.Contributions {
		if slices.Contains(l.Contributes, c.Lineage) {
			continue // it is there, and stays
		}
		add(&replayv1.Item{
			What: replayv1.What_WHAT_BEFORE_TERM, Id: c.Lineage, Organisation: c.Organisation, Child: c.Child, Rule: c.Rule,
			Reason: "joins the notice before term opens on " + c.Opens,
		})
		p.Changes = true
	}
	return p
}

// settledBy lists the tasks that a decision settles, by owner.
func (e *Engine) settledBy(d *ledgerv1.Decision) []*ledger.Task {
	settled := make([]*ledger.Task, len(d.SettledTasks))
	for i, id := range d.SettledTasks {
		settled[i] = e.state.Tasks[id]
	}
	slices.SortFunc(settled, func(a, b *ledger.Task) int {
		return cmp.Or(cmp.Compare(a.Organisation, b.Organisation), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Id, b.Id))
	})
	return settled
}

// madeItem says of a notice that comes into being where it goes, and whether its recipient heard of it by telephone.
func (e *Engine) madeItem(l *ledger.Lineage, d *ledgerv1.Decision, n *ledgerv1.Notice) *replayv1.Item {
	item := &replayv1.Item{
		What: replayv1.What_WHAT_NEW, Id: n.Id, Organisation: n.Organisation, Function: n.Function, Child: n.Child, Rule: n.Rule,
		Reason: n.Because, DueMs: n.DueMs, Lane: n.Lane,
	}
	if n.Repeats != "" {
		item.What, item.Reason = replayv1.What_WHAT_REPEATED, "says again what "+n.Repeats+" said"
	}
	made := &ledger.Notice{Notice: n, Lineage: l.ID, Sources: d.Sources, DecidedMS: e.nowMS()}
	if c := e.state.CallOf(made); c != nil {
		item.State = "told by telephone on " + time.UnixMilli(c.ToldMs).In(directory.London()).Format("2 Jan 2006 15:04 MST") + ": it ends at once, and nothing is sent"
	}
	return item
}

func noticeItem(what replayv1.What, n *ledger.Notice, reason string) *replayv1.Item {
	return &replayv1.Item{
		What: what, Id: n.Id, Organisation: n.Organisation, Function: n.Function, Child: n.Child, Rule: n.Rule, Reason: reason,
		State: n.Phase.String(),
	}
}

package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// Withdraw takes an event back, on the word of its publisher or an operator. When it returns nothing begins to be sent that
// tells of it. Again changes nothing.
func (e *Engine) Withdraw(ctx context.Context, f *ledgerv1.EventWithdrawn) error {
	const op = "engine.Withdraw"
	return e.command(ctx, op, func() error {
		known := e.state.Events[f.Event]
		switch {
		case f.Source != nil || f.By == "" || f.Reason == "":
			return notice.Faultf(notice.Invalid, op, "say who withdraws it and why")
		case known == nil || known.Source.Agency != f.Agency:
			return notice.Faultf(notice.NotFound, op, "there is no such event: check the agency and the event's id")
		case known.Withdrawn:
			return nil
		}
		e.withdraw(f)
		return nil
	})
}

// known is the digest of an event that came before, of whatever kind.
func (e *Engine) known(event string) (digest []byte, ok bool) {
	if accepted := e.state.Events[event]; accepted != nil {
		return accepted.Digest, true
	}
	if digest, ok := e.state.ManifestDigest(event); ok {
		return digest, true
	}
	return e.state.Withdrew(event)
}

// takeWithdrawal takes in an event that withdraws another. It may come first.
func (e *Engine) takeWithdrawal(agency notice.AgencyID, source *ledgerv1.Source, digest []byte, m Message) {
	withdraws := m.Event.GetEventWithdrawn()
	target := e.eventKey(agency, withdraws.GetEvent())
	if _, itself := e.state.Withdrew(target); itself || target == source.Event {
		e.refuse(agency, source, m) // what was taken back is published anew
		return
	}
	e.withdraw(&ledgerv1.EventWithdrawn{
		Event: target, Agency: string(agency), By: "agency:" + string(agency), Reason: withdraws.GetReason(),
		Source: source, Digest: digest, Statement: m.Reported.Statement,
	})
}

// withdraw records a withdrawal, and with it, so that neither is ever without the other, the task that asks about those who
// may have been told. Sends under way that have yet to write what cannot be taken back are called off.
func (e *Engine) withdraw(f *ledgerv1.EventWithdrawn) {
	facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: f}}}
	f.Notices = e.state.TakesBack(f.Event)
	var told []*ledger.Notice
	for _, id := range f.Notices {
		told = append(told, e.state.Notices[id])
	}
	if astray := e.state.Misdirected(told); len(astray) > 0 {
		l := e.state.Lineages[e.state.Events[f.Event].Lineage]
		facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: e.misdirection(l, astray,
			"an event was withdrawn ("+strings.ReplaceAll(f.Reason, "_", " ")+") that somebody may have been told of", f.Event)}})
	}
	e.record(facts...)
	for _, n := range told {
		e.callOff(n)
	}
	e.tellPublisher(notice.AgencyID(f.Agency))
}

// misdirection asks the publisher's desk about notices that somebody has who should not. The clock of a data breach is the
// publisher's own, so where the desk is late the task stays with the organisation and goes to its duty officer.
func (e *Engine) misdirection(l *ledger.Lineage, astray []string, why, by string) *ledgerv1.Task {
	snapshot, current := e.Current()
	kind := ledgerv1.TaskKind_TASK_KIND_MISDIRECTION
	task := &ledgerv1.Task{
		Id:   e.config.Key.ID("task", kind.String(), l.ID, by),
		Kind: kind, Role: "desk", Lineage: l.ID, Misdirected: astray, DueMs: e.now().Add(current.TaskTime(kind)).UnixMilli(),
		Detail: why + ": see who has it, have the data protection officer judge the breach, and say whether they may be asked to delete it",
	}
	agency, ok := snapshot.Agency(l.Agency)
	if !ok {
		e.Logger.Error("a task has no owner: the agency's organisation is not in the directory", zap.String("task", task.Id))
		return task
	}
	task.Organisation, task.EscalateTo = agency.Organisation, agency.Organisation
	return task
}

// toDelete are those who have what a person said may be asked to be deleted.
func (e *Engine) toDelete(l *ledger.Lineage) []routing.ToDelete {
	task := e.state.Tasks[l.Deletion.Task]
	var all []routing.ToDelete
	for _, id := range task.Misdirected {
		n := e.state.Notices[id]
		for _, h := range e.state.Holders(n) {
			all = append(all, routing.ToDelete{
				Notice: n.Notice, Sources: n.Sources, Organisation: notice.OrgID(h.Organisation), Role: h.Role, Contact: h.Contact,
				Except: slices.Contains(l.Deletion.Except, h.Organisation),
			})
		}
	}
	return all
}

// excepts holds the organisations that are left out of a request to delete against those who have something.
// Where the child's whereabouts are sealed the publisher is not shown who has it, and learns nothing here either; but what
// is no organisation at all is a slip of the pen, by which one that a person meant to leave out would be asked.
func (e *Engine) excepts(op string, t *ledger.Task, except []string) error {
	snapshot, _ := e.Current()
	for _, id := range t.Misdirected {
		if sealed(snapshot, notice.ChildID(e.state.Notices[id].Child)) {
			return areThere(op, snapshot, except)
		}
	}
	for i, org := range except {
		if !slices.ContainsFunc(t.Misdirected, func(id string) bool {
			return slices.ContainsFunc(e.state.Holders(e.state.Notices[id]), func(h ledger.Holder) bool { return h.Organisation == org })
		}) {
			return invalid(op, fmt.Sprintf("except[%d]", i), "this organisation has none of the notices: see `signalbox task show`")
		}
	}
	return nil
}

// areThere holds the organisations that are left out of a request to delete against the directory.
func areThere(op string, snapshot *directory.Snapshot, except []string) error {
	for i, org := range except {
		_, organisation := snapshot.Organisation(notice.OrgID(org))
		_, setting := snapshot.Setting(notice.OrgID(org))
		if !organisation && !setting && org != string(routing.EventOrganisation) {
			return invalid(op, fmt.Sprintf("except[%d]", i), "this is no organisation or setting of the directory: give its id, or a school's as gias:URN")
		}
	}
	return nil
}

// calledOff holds the notices with a send under way that must not go on, for senders to ask.
type calledOff struct{ notices sync.Map }

const notSent = "not sent: the notice had ended"

// callOff has the send of a notice that has ended go no further than it can be taken back.
func (e *Engine) callOff(n *ledger.Notice) {
	last := len(n.Attempts)
	if last > 0 && !n.Attempts[last-1].Ended() && n.Attempts[last-1].Inbox == "" && n.Phase.Ended() {
		e.off.notices.Store(n.Id, true)
	}
}

// stillOn ties a send to its notice: senders ask delivery.Held just before they write what cannot be taken back.
func (e *Engine) stillOn(ctx context.Context, id string) context.Context {
	return delivery.WithLease(ctx, func() bool {
		_, off := e.off.notices.Load(id)
		return !off && delivery.Held(ctx)
	})
}

// calledOffResult is the end of a send, said for what it is where it was called off in time. Its endpoint is not to blame.
func (e *Engine) calledOffResult(started *ledgerv1.AttemptStarted, result delivery.Result, asked bool) (delivery.Result, bool) {
	if _, off := e.off.notices.LoadAndDelete(started.Notice); off && result.Outcome == delivery.Transient {
		return delivery.Result{Outcome: delivery.Permanent, Detail: notSent}, false
	}
	return result, asked
}

package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// errUnclear is the end of a command that was under way when the lead was lost.
var errUnclear = errors.New("the lead was lost meanwhile, and it may have been recorded: look before you repeat it")

// command runs fn on the owning goroutine and returns once the facts it recorded are durable. A fault of fn changes
// nothing; nor does an instance that does not lead, which is ErrNotLeading.
func (e *Engine) command(ctx context.Context, op string, fn func() error) error {
	done := make(chan error, 1)
	var begun atomic.Bool
	err := e.hand(ctx, func() {
		if !e.leading {
			done <- notice.Fault(notice.Unavailable, op, ErrNotLeading)
			return
		}
		begun.Store(true)
		if err := fn(); err != nil {
			done <- err
			return
		}
		e.afterwards(func() { done <- nil })
	})
	if err != nil {
		return notice.Fault(notice.Unavailable, op, err)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return notice.Fault(notice.Unavailable, op, ctx.Err())
	case <-e.stopped:
	}
	select {
	case err := <-done:
		return err
	default:
	}
	if !begun.Load() {
		return notice.Fault(notice.Unavailable, op, ErrNotLeading)
	}
	return notice.Fault(notice.Unavailable, op, errUnclear)
}

// View shows the state to fn on the owning goroutine. fn must keep nothing of it.
func (e *Engine) View(ctx context.Context, fn func(*ledger.State)) error {
	done := make(chan struct{})
	err := e.hand(ctx, func() {
		fn(e.state)
		close(done)
	})
	if err == nil {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-e.stopped:
			err = ErrNotLeading
		}
	}
	return notice.Fault(notice.Unavailable, "engine.View", err)
}

// Acknowledge records that a named person has a notice. Again changes nothing.
func (e *Engine) Acknowledge(ctx context.Context, by *ledgerv1.Acknowledged) error {
	const op = "engine.Acknowledge"
	return e.command(ctx, op, func() error {
		n, err := e.standing(op, by.Notice)
		if err != nil || n.Phase == ledger.Acknowledged {
			return err
		}
		if n.Phase == ledger.Held {
			return notice.Faultf(notice.Precondition, op, "the notice is held until its release: nobody has been told yet")
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: by}})
		e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		return nil
	})
}

// standing finds a notice that nothing has replaced.
func (e *Engine) standing(op, id string) (*ledger.Notice, error) {
	n := e.state.Notices[id]
	switch {
	case n == nil:
		return nil, notice.Faultf(notice.NotFound, op, "there is no such notice")
	case n.Withdrawn && n.ReplacedBy == "":
		return nil, notice.Faultf(notice.Precondition, op, "the notice was withdrawn: do not act on it")
	case (n.Phase == ledger.Superseded || n.Withdrawn) && n.ReplacedBy != "":
		return nil, notice.Faultf(notice.Precondition, op, "the notice was replaced by a newer version: act on that one")
	case n.Phase == ledger.Superseded:
		return nil, notice.Faultf(notice.Precondition, op, "the notice no longer stands")
	}
	return n, nil
}

// NotAtSetting records that a setting does not have the child, and has routing decide again.
func (e *Engine) NotAtSetting(ctx context.Context, id, by string) error {
	const op = "engine.NotAtSetting"
	return e.command(ctx, op, func() error {
		n, err := e.standing(op, id)
		if err != nil {
			return err
		}
		if n.Child == "" || n.Function != "setting" {
			return notice.Faultf(notice.Precondition, op, "only a notice to a setting can be answered so")
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_NotAtSetting{NotAtSetting: &ledgerv1.NotAtSetting{Notice: id, By: by}}})
		e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		return nil
	})
}

// CodeSent records that a one-time code is sent to a contact. While sending is stopped none is.
func (e *Engine) CodeSent(ctx context.Context, id, contact string) error {
	const op = "engine.CodeSent"
	return e.command(ctx, op, func() error {
		n, err := e.standing(op, id)
		if err != nil {
			return err
		}
		if _, stopped := e.state.StopOf(n, delivery.Email, ""); stopped {
			return notice.Faultf(notice.Unavailable, op, "sending is stopped, and so are codes")
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_CodeSent{CodeSent: &ledgerv1.CodeSent{Notice: id, Contact: contact}}})
		return nil
	})
}

// NoticeRead records that a notice was shown to whoever gave a contact's code. It acknowledges nothing.
func (e *Engine) NoticeRead(ctx context.Context, id, contact string) error {
	return e.onNotice(ctx, "engine.NoticeRead", id, &ledgerv1.Fact{Fact: &ledgerv1.Fact_NoticeRead{
		NoticeRead: &ledgerv1.NoticeRead{Notice: id, Contact: contact},
	}})
}

func (e *Engine) onNotice(ctx context.Context, op, id string, fact *ledgerv1.Fact) error {
	return e.command(ctx, op, func() error {
		if _, err := e.standing(op, id); err != nil {
			return err
		}
		e.record(fact)
		return nil
	})
}

// ClaimTask records who works on a task.
func (e *Engine) ClaimTask(ctx context.Context, task, by string) error {
	const op = "engine.ClaimTask"
	return e.command(ctx, op, func() error {
		if _, err := e.openTask(op, task); err != nil {
			return err
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskClaimed{TaskClaimed: &ledgerv1.TaskClaimed{Task: task, By: by}}})
		return nil
	})
}

// TaskRead records that what a task is about was shown to whoever works on it.
func (e *Engine) TaskRead(ctx context.Context, read *ledgerv1.TaskRead) error {
	const op = "engine.TaskRead"
	return e.command(ctx, op, func() error {
		if e.state.Tasks[read.Task] == nil {
			return notice.Faultf(notice.NotFound, op, "there is no such task")
		}
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskRead{TaskRead: read}})
		return nil
	})
}

// ResolveTask ends a task; where it names the child or the settings, everyone asked the same has the answer, and routing
// decides again.
func (e *Engine) ResolveTask(ctx context.Context, r *ledgerv1.TaskResolved) error {
	const op = "engine.ResolveTask"
	return e.command(ctx, op, func() error {
		t, err := e.openTask(op, r.Task)
		if err != nil {
			return err
		}
		if err := e.suits(op, t, r); err != nil {
			return err
		}
		facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: r}}}
		if r.Resolution == ledger.Matched || r.Resolution == ledger.SettingChosen {
			for _, twin := range e.state.Twins(t) {
				same := proto.CloneOf(r)
				same.Task = twin.Id
				facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: same}})
			}
		}
		e.record(facts...)
		if l := e.state.Lineages[t.Lineage]; l != nil {
			e.tellPublisher(l.Agency)
		}
		return nil
	})
}

func (e *Engine) openTask(op, id string) (*ledger.Task, error) {
	t := e.state.Tasks[id]
	switch {
	case t == nil:
		return nil, notice.Faultf(notice.NotFound, op, "there is no such task")
	case t.Ended():
		return nil, notice.Faultf(notice.Precondition, op, "the task is %s already", t.State)
	}
	return t, nil
}

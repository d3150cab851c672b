package engine

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// command runs fn on the owning goroutine and returns once the facts it recorded are durable. A fault of fn changes
// nothing.
func (e *Engine) command(ctx context.Context, op string, fn func() error) error {
	done := make(chan error, 1)
	err := e.hand(ctx, func() {
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
		return notice.Fault(notice.Unavailable, op, errStopped)
	}
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
			err = errStopped
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
	case n.Phase == ledger.Superseded && n.ReplacedBy != "":
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

// CodeSent records that a one-time code was sent to a contact.
func (e *Engine) CodeSent(ctx context.Context, id, contact string) error {
	return e.onNotice(ctx, "engine.CodeSent", id, &ledgerv1.Fact{Fact: &ledgerv1.Fact_CodeSent{
		CodeSent: &ledgerv1.CodeSent{Notice: id, Contact: contact},
	}})
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

// suits holds a resolution against the task and the directory.
func (e *Engine) suits(op string, t *ledger.Task, r *ledgerv1.TaskResolved) error {
	snapshot, _ := e.Current()
	invalid := func(field, format string, args ...any) error {
		return notice.InvalidFields(op, []notice.FieldFault{{Field: field, Message: fmt.Sprintf(format, args...)}})
	}
	switch r.Resolution {
	case ledger.Matched:
		if t.Kind != ledgerv1.TaskKind_TASK_KIND_UNMATCHED {
			return invalid("resolution", "matched resolves only a task of kind unmatched")
		}
		if _, ok := snapshot.Child(notice.ChildID(r.Child)); !ok {
			return invalid("child", "no such child in the directory: import the roll that has the child, or check the id")
		}
	case ledger.SettingChosen:
		if len(r.Settings) == 0 {
			return invalid("settings", "name the settings that the child attends")
		}
		for i, id := range r.Settings {
			field := fmt.Sprintf("settings[%d]", i)
			if _, ok := snapshot.Setting(notice.OrgID(id)); !ok {
				return invalid(field, "no such setting in the directory: import the register, or check the id")
			}
			if t.Kind == ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR && !slices.Contains(t.Options, id) {
				return invalid(field, "not one of the task's options")
			}
			if l := e.state.Lineages[t.Lineage]; l != nil && l.NotAt[notice.ChildID(t.Child)][notice.OrgID(id)] {
				return invalid(field, "this setting has said that the child is not there: choose another")
			}
		}
		switch t.Kind {
		case ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR, ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING:
		case ledgerv1.TaskKind_TASK_KIND_UNMATCHED:
			if _, ok := snapshot.Child(notice.ChildID(t.Child)); !ok {
				return invalid("resolution", "the child is not known yet: resolve with matched and the child's id")
			}
		case ledgerv1.TaskKind_TASK_KIND_UNSPECIFIED, ledgerv1.TaskKind_TASK_KIND_GAP, ledgerv1.TaskKind_TASK_KIND_QUARANTINED,
			ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, ledgerv1.TaskKind_TASK_KIND_TEXT_WITHHELD:
			return invalid("resolution", "setting_chosen does not resolve a task of this kind")
		}
	case ledger.ToldByTelephone, ledger.NotOurChild, ledger.Duplicate, ledger.NoAction:
	default:
		return invalid("resolution", "no such resolution: give matched, setting_chosen, told_by_telephone, not_our_child, duplicate or no_action")
	}
	return nil
}

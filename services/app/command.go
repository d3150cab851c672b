package app

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	commandv1 "github.com/signalbox-hq/signalbox/api/signalbox/command/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// A command travels as the fact that it asks for, so that a new one needs its line in perform, its method below, and no
// message of its own. There is no register of commands by id: each is held against the state by the leader, where the
// same again is no change or a Precondition that says so, and that outlives any leader's memory.

// perform has the engine of this process carry a command out, if it leads.
func perform(ctx context.Context, e *engine.Engine, fact *ledgerv1.Fact, more ...*ledgerv1.Fact) error {
	switch f := fact.GetFact().(type) {
	case *ledgerv1.Fact_Acknowledged:
		return e.Acknowledge(ctx, f.Acknowledged)
	case *ledgerv1.Fact_NotAtSetting:
		return e.NotAtSetting(ctx, f.NotAtSetting.GetNotice(), f.NotAtSetting.GetBy())
	case *ledgerv1.Fact_CodeSent:
		return e.CodeSent(ctx, f.CodeSent.GetNotice(), f.CodeSent.GetContact())
	case *ledgerv1.Fact_NoticeRead:
		return e.NoticeRead(ctx, f.NoticeRead.GetNotice(), f.NoticeRead.GetContact())
	case *ledgerv1.Fact_TaskClaimed:
		return e.ClaimTask(ctx, f.TaskClaimed.GetTask(), f.TaskClaimed.GetBy())
	case *ledgerv1.Fact_TaskRead:
		return e.TaskRead(ctx, f.TaskRead)
	case *ledgerv1.Fact_TaskResolved:
		return e.ResolveTask(ctx, f.TaskResolved)
	case *ledgerv1.Fact_Returned:
		return e.Returned(ctx, f.Returned)
	case *ledgerv1.Fact_ToldByTelephone:
		return e.ToldByTelephone(ctx, f.ToldByTelephone)
	case *ledgerv1.Fact_Replayed:
		return e.Replay(ctx, f.Replayed)
	case *ledgerv1.Fact_EventWithdrawn:
		return e.Withdraw(ctx, f.EventWithdrawn)
	case *ledgerv1.Fact_Stopped:
		return e.Stop(ctx, f.Stopped)
	case *ledgerv1.Fact_Resumed:
		return e.Resume(ctx, f.Resumed)
	case *ledgerv1.Fact_Replied:
		return e.Reply(ctx, f.Replied)
	case *ledgerv1.Fact_AttemptFinished:
		ends := []*ledgerv1.AttemptFinished{f.AttemptFinished}
		for _, m := range more {
			ends = append(ends, m.GetAttemptFinished())
		}
		return e.Fetched(ctx, ends)
	case *ledgerv1.Fact_WhereaboutsListed:
		return e.ListShown(ctx, f.WhereaboutsListed)
	case *ledgerv1.Fact_ClockConfirmed:
		return e.ConfirmClock(ctx, f.ClockConfirmed)
	default:
		return notice.Faultf(notice.Internal, "app.perform", "the instance that leads does not know this command: run the same version everywhere")
	}
}

// Acknowledge records that a named person has a notice.
func (o *office) Acknowledge(ctx context.Context, by *ledgerv1.Acknowledged) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: by}})
}

// Reply records what an organisation answers to an invitation.
func (o *office) Reply(ctx context.Context, r *ledgerv1.Replied) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Replied{Replied: r}})
}

// NotAtSetting records that a setting does not have the child.
func (o *office) NotAtSetting(ctx context.Context, id, by string) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_NotAtSetting{NotAtSetting: &ledgerv1.NotAtSetting{Notice: id, By: by}}})
}

// CodeSent records that a one-time code was sent to a contact.
func (o *office) CodeSent(ctx context.Context, id, contact string) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_CodeSent{CodeSent: &ledgerv1.CodeSent{Notice: id, Contact: contact}}})
}

// NoticeRead records that a notice was shown to whoever gave a contact's code.
func (o *office) NoticeRead(ctx context.Context, id, contact string) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: id, Contact: contact}}})
}

// ClaimTask records who works on a task.
func (o *office) ClaimTask(ctx context.Context, task, by string) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskClaimed{TaskClaimed: &ledgerv1.TaskClaimed{Task: task, By: by}}})
}

// TaskRead records that the events of a task were shown.
func (o *office) TaskRead(ctx context.Context, read *ledgerv1.TaskRead) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskRead{TaskRead: read}})
}

// ResolveTask ends a task.
func (o *office) ResolveTask(ctx context.Context, r *ledgerv1.TaskResolved) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: r}})
}

// Returned records what came back after a send.
func (o *office) Returned(ctx context.Context, r *ledgerv1.Returned) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Returned{Returned: r}})
}

// ToldByTelephone takes in that somebody was told by telephone.
func (o *office) ToldByTelephone(ctx context.Context, f *ledgerv1.ToldByTelephone) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: f}})
}

// Replay carries out a plan that was seen.
func (o *office) Replay(ctx context.Context, f *ledgerv1.Replayed) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Replayed{Replayed: f}})
}

// Withdraw takes an event back.
func (o *office) Withdraw(ctx context.Context, f *ledgerv1.EventWithdrawn) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: f}})
}

// Stop stops sending.
func (o *office) Stop(ctx context.Context, f *ledgerv1.Stopped) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: f}})
}

// Resume ends a stop of sending.
func (o *office) Resume(ctx context.Context, f *ledgerv1.Resumed) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Resumed{Resumed: f}})
}

// ConfirmClock records that the clock of whoever leads is right.
func (o *office) ConfirmClock(ctx context.Context, f *ledgerv1.ClockConfirmed) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_ClockConfirmed{ClockConfirmed: f}})
}

// Fetched records what became of notices that lie in an inbox.
func (o *office) Fetched(ctx context.Context, ends []*ledgerv1.AttemptFinished) error {
	facts := make([]*ledgerv1.Fact, len(ends))
	for i, end := range ends {
		facts[i] = &ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: end}}
	}
	if len(facts) == 0 {
		return nil
	}
	return o.command(ctx, facts[0], facts[1:]...)
}

// ListShown records that a list is about to be shown to an agency.
func (o *office) ListShown(ctx context.Context, f *ledgerv1.WhereaboutsListed) error {
	return o.command(ctx, &ledgerv1.Fact{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: f}})
}

// answerCommand carries out what another instance asks for, as the leader.
func answerCommand(ctx context.Context, e *engine.Engine, request []byte) []byte {
	answer := &commandv1.Answer{}
	var c commandv1.Command
	err := proto.Unmarshal(request, &c)
	if err != nil {
		err = notice.Faultf(notice.Internal, "app.answerCommand", "the command cannot be read")
	} else if err = perform(ctx, e, c.Fact, c.More...); err == nil {
		// The fact is durable: where the ledger stands is only so that it shows at once on the other side.
		if _, pack, viewing := e.Position(ctx); viewing == nil {
			answer.Pack = pack
		}
	}
	if err != nil {
		answer.Kind, answer.Message, answer.Elsewhere = int32(notice.KindOf(err)), message(err), errors.Is(err, engine.ErrNotLeading)
		for _, f := range notice.FieldsOf(err) {
			answer.Fields = append(answer.Fields, &commandv1.Field{Field: f.Field, Message: f.Message})
		}
	}
	data, err := proto.Marshal(answer)
	if err != nil { // only where a text is not UTF-8: none of ours
		return nil
	}
	return data
}

// message is what a fault says, without the places in the code that it came through.
func message(err error) string {
	var fault *notice.Error
	for errors.As(err, &fault) && fault.Err != nil {
		err = fault.Err
	}
	if fault != nil && fault.Err == nil {
		return fault.Kind.String()
	}
	return err.Error()
}

// answerFault is the fault that an answer tells of.
func answerFault(op string, a *commandv1.Answer) error {
	fault := &notice.Error{Kind: notice.Kind(a.Kind), Op: op}
	if a.Message != "" {
		fault.Err = errors.New(a.Message)
	}
	for _, f := range a.Fields {
		fault.Fields = append(fault.Fields, notice.FieldFault{Field: f.Field, Message: f.Message})
	}
	return fault
}

package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Reply records what an organisation answers to an invitation, for every invitation to the same meeting that it has. Who
// comes has acknowledged; who declines has the next in the chain asked. The same again from the same contact changes nothing.
func (e *Engine) Reply(ctx context.Context, r *ledgerv1.Replied) error {
	const op = "engine.Reply"
	return e.command(ctx, op, func() error {
		n, err := e.standing(op, r.Notice)
		switch {
		case err != nil:
			return err
		case n.Invitation == nil:
			return notice.Faultf(notice.Precondition, op, "the notice invites to no meeting: acknowledge it")
		case !e.state.Stands(n):
			return notice.Faultf(notice.Precondition, op, "the meeting was moved or called off: answer the newest invitation")
		case n.Phase == ledger.Held:
			return notice.Faultf(notice.Precondition, op, "the notice is held until its release: nobody has been told yet")
		case n.Invitation.MeetsMs <= e.nowMS():
			return notice.Faultf(notice.Precondition, op, "the meeting has started: telephone whoever called it, and acknowledge the notice")
		case r.Answer == ledgerv1.Answer_ANSWER_UNSPECIFIED || r.By == "":
			return notice.Faultf(notice.Invalid, op, "say who answers, and what")
		}
		if e.state.SaidAlready(n, r.By, r.Answer) {
			return nil
		}
		if e.state.Answers(n, r.By) >= ledger.MostAnswers {
			return AnsweredOften(op)
		}
		reply := proto.CloneOf(r)
		if reply.Contact == "" {
			reply.Contact = askedLast(n)
		}
		e.record(e.answered(n, reply)...) // together: whoever comes is not chased
		e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
		return nil
	})
}

// AnsweredOften refuses another answer to an invitation from somebody who has given many.
func AnsweredOften(op string) error {
	return notice.Faultf(notice.Precondition, op, "you have answered this invitation %d times: telephone whoever called the meeting", ledger.MostAnswers)
}

// askedLast is the contact of the recipient's own organisation that an invitation was last sent to, or empty.
func askedLast(n *ledger.Notice) string {
	for i := len(n.Attempts) - 1; i >= 0; i-- {
		if a := &n.Attempts[i]; a.Organisation == n.Organisation {
			return a.Contact
		}
	}
	return ""
}

// answered is what follows from an answer.
func (e *Engine) answered(n *ledger.Notice, r *ledgerv1.Replied) []*ledgerv1.Fact {
	replied := func(to *ledger.Notice) *ledgerv1.Fact {
		same := proto.CloneOf(r)
		same.Notice = to.Id
		return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Replied{Replied: same}}
	}
	facts := []*ledgerv1.Fact{replied(n)}
	comes := r.Answer != ledgerv1.Answer_ANSWER_DECLINED
	for _, x := range e.state.Together(n) {
		asked := x == n || slices.ContainsFunc(x.Attempts, mayHaveArrived)
		switch {
		case comes && asked && !x.Phase.Ended() && x.Phase != ledger.Held:
			facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{
				Notice: x.Id, By: r.By, Means: r.Means, Statement: r.Statement,
			}}})
		case !comes && x != n && r.Contact != "" && slices.ContainsFunc(x.Attempts, func(a ledger.Attempt) bool { return a.Contact == r.Contact }):
			facts = append(facts, replied(x)) // of another child: it goes on as well
		}
	}
	if !comes {
		return facts
	}
	for _, t := range e.state.AboutMeeting(e.state.Lineages[n.Lineage]) {
		if t.MeetsMs == n.Invitation.MeetsMs && slices.Contains(n.Invitation.Represents, t.Represents) {
			facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: &ledgerv1.TaskResolved{
				Task: t.Id, By: r.By, Resolution: ledger.Represented,
			}}})
		}
	}
	return facts
}

// checkMeeting asks the desk of the agency that called a meeting to see to it that what has to be there comes.
func (e *Engine) checkMeeting(n *ledger.Notice) {
	if !e.state.Stands(n) {
		return // a step before in the same plan has moved the meeting
	}
	for _, function := range e.state.Missing(n) {
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: e.unpromised(n, function)}})
	}
}

// unpromised is the task about a function that nobody represents. Unless somebody deals with it in half the time that is
// left, it goes to the duty officer of the same organisation: it is their meeting.
func (e *Engine) unpromised(n *ledger.Notice, function string) *ledgerv1.Task {
	snapshot, current := e.Current()
	kind, meets := ledgerv1.TaskKind_TASK_KIND_GAP, n.Invitation.MeetsMs
	task := &ledgerv1.Task{
		Id:   e.config.Key.ID("task", kind.String(), "meeting", n.Lineage, function, fmt.Sprint(meets)),
		Kind: kind, Role: "desk", Lineage: n.Lineage, MeetsMs: meets, Represents: function,
		DueMs: e.now().Add(min(current.TaskTime(kind), e.halfUntil(meets))).UnixMilli(),
	}
	for e.state.Tasks[task.Id] != nil {
		task.Id = e.config.Key.ID("task", task.Id) // needed again
	}
	if a, ok := snapshot.Agency(e.state.Lineages[n.Lineage].Agency); ok {
		task.Organisation, task.EscalateTo = a.Organisation, a.Organisation
	}
	task.Detail = fmt.Sprintf("%s has to be at the meeting at %s, and nobody has said that they come: telephone, or move the meeting",
		strings.ReplaceAll(function, "_", " "), meetingTime(meets))
	return task
}

// halfUntil is half of the time until an instant; a minute where that has come.
func (e *Engine) halfUntil(ms int64) time.Duration {
	return max(time.UnixMilli(ms).Sub(e.now())/2, time.Minute)
}

func meetingTime(ms int64) string { return delivery.ShortTime(time.UnixMilli(ms), directory.London()) }

// beforeMeeting makes the task that follows the chain of an invitation one about its answer.
func (e *Engine) beforeMeeting(n *ledger.Notice, task *ledgerv1.Task) {
	said := fmt.Sprintf("nobody at %s has said that they come", n.Organisation)
	if r := e.state.AnswerOf(n); r != nil && r.Answer == ledgerv1.Answer_ANSWER_DECLINED {
		said = fmt.Sprintf("%s has declined%s, and nobody else there has said that they come", n.Organisation, because(r.Reason))
	}
	task.Detail = fmt.Sprintf("%s to the meeting at %s: telephone, and record who was told", said, meetingTime(n.Invitation.MeetsMs))
	if soonest := e.now().Add(e.halfUntil(n.Invitation.MeetsMs)).UnixMilli(); soonest < task.DueMs {
		task.DueMs = soonest
	}
	if task.EscalateTo == "" {
		task.EscalateTo = task.Organisation
	}
}

// because is a reason code as words in brackets, or nothing.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.ReplaceAll(reason, "_", " ") + ")"
}

// meetingMoved lists the tasks about a meeting that a decision leaves without an invitation: it is moved or called off.
func (e *Engine) meetingMoved(l *ledger.Lineage, d *ledgerv1.Decision) []string {
	var settled []string
	for _, t := range e.state.AboutMeeting(l) {
		if !slices.ContainsFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Invitation.GetMeetsMs() == t.MeetsMs }) &&
			!slices.ContainsFunc(d.Kept, func(id string) bool { return e.state.Notices[id].Invitation.GetMeetsMs() == t.MeetsMs }) {
			settled = append(settled, t.Id)
		}
	}
	return settled
}

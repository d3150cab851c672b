package app

import (
	"context"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery/page"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// invite describes an invitation. It is answered by the organisation that is invited, until the meeting starts: whoever
// else the chain came to can only say that they have it.
func (d *desk) invite(cover *page.Cover, l letter) {
	invitation := l.notice.GetInvitation()
	if invitation == nil {
		return
	}
	cover.Meets = time.UnixMilli(invitation.MeetsMs)
	cover.Invitation = l.attempt.Organisation == l.notice.Organisation && d.clock.Now().Before(cover.Meets)
	cover.AnsweredAt = time.UnixMilli(l.answerMS)
	switch l.answer {
	case ledgerv1.Answer_ANSWER_ACCEPTED:
		cover.Answer = page.Comes
	case ledgerv1.Answer_ANSWER_DEPUTY:
		cover.Answer = page.SendsDeputy
	case ledgerv1.Answer_ANSWER_DECLINED:
		cover.Answer = page.Declines
	case ledgerv1.Answer_ANSWER_UNSPECIFIED:
	}
}

// Reply records what a person answers to an invitation. The names go to the vault, not to the ledger.
func (d *desk) Reply(ctx context.Context, id string, attempt uint32, r page.Reply) error {
	const op = "app.Reply"
	l, _, err := d.reader(ctx, id, attempt)
	if err != nil {
		return err
	}
	if l.notice.GetInvitation() == nil || l.attempt.Organisation != l.notice.Organisation {
		return notice.Faultf(notice.Precondition, op, "the notice invites nobody here to a meeting")
	}
	answer := answerOf(r.Answer)
	var again, often bool
	if err := d.engine.View(ctx, func(s *ledger.State) {
		n := s.Notices[id]
		again, often = s.SaidAlready(n, l.attempt.Contact, answer), s.Answers(n, l.attempt.Contact) >= ledger.MostAnswers
	}); err != nil {
		return err
	}
	switch { // before a name is kept that nothing refers to
	case again:
		return nil
	case often:
		return notice.Fault(notice.Precondition, op, page.ErrAnsweredOften)
	}
	statement, err := d.vault.Keep(ctx, rpc.ReplyStatement(r.Person, r.Deputy))
	if err != nil {
		return err
	}
	return d.engine.Reply(ctx, &ledgerv1.Replied{
		Notice: id, By: l.attempt.Contact, Contact: l.attempt.Contact, Means: "page", Answer: answer, Reason: r.Reason, Statement: statement,
	})
}

func answerOf(a page.Answer) ledgerv1.Answer {
	switch a {
	case page.Comes:
		return ledgerv1.Answer_ANSWER_ACCEPTED
	case page.SendsDeputy:
		return ledgerv1.Answer_ANSWER_DEPUTY
	case page.Declines:
		return ledgerv1.Answer_ANSWER_DECLINED
	default:
		return ledgerv1.Answer_ANSWER_UNSPECIFIED
	}
}

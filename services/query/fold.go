package query

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// fold moves the rows on by one fact, as ledger.State does; the tests hold the two against each other. That a fact may
// follow those before it was for its writer to see to, and is not checked again.
func (b *batch) fold(f *ledgerv1.Fact) error {
	atMS := f.GetAtMs()
	switch fact := f.GetFact().(type) {
	case *ledgerv1.Fact_EventAccepted:
		return b.accepted(fact.EventAccepted)
	case *ledgerv1.Fact_Decided:
		return b.decided(fact.Decided, atMS)
	case *ledgerv1.Fact_AttemptStarted:
		return b.attemptStarted(fact.AttemptStarted, atMS)
	case *ledgerv1.Fact_AttemptFinished:
		return b.attemptFinished(fact.AttemptFinished, atMS)
	case *ledgerv1.Fact_Returned:
		return b.returned(fact.Returned)
	case *ledgerv1.Fact_Escalated:
		return b.escalated(fact.Escalated, atMS)
	case *ledgerv1.Fact_Late:
		return b.change(fact.Late.GetNotice(), func(n *noticeRow) { n.LateMS = atMS })
	case *ledgerv1.Fact_NoticeRead:
		return b.change(fact.NoticeRead.GetNotice(), func(n *noticeRow) { n.opened = true })
	case *ledgerv1.Fact_Acknowledged:
		n, err := b.notice(fact.Acknowledged.GetNotice())
		if err != nil {
			return err
		}
		if fact.Acknowledged.GetMeans() == ledger.ByTelephone {
			n.Telephoned = true
			b.touch(n)
		}
		return b.end(n, ledger.Acknowledged, atMS)
	case *ledgerv1.Fact_Replied:
		return b.replied(fact.Replied)
	case *ledgerv1.Fact_TaskOpened:
		return b.taskOpened(fact.TaskOpened)
	case *ledgerv1.Fact_TaskClaimed:
		return b.changeTask(fact.TaskClaimed.GetTask(), func(t *taskRow) { t.state = ledger.TaskClaimed })
	case *ledgerv1.Fact_TaskResolved:
		return b.taskResolved(fact.TaskResolved, atMS)
	case *ledgerv1.Fact_TaskEscalated:
		e := fact.TaskEscalated
		return b.changeTask(e.GetTask(), func(t *taskRow) {
			t.organisation, t.role, t.dueMS = e.GetOrganisation(), e.GetRole(), e.GetDueMs()
		})
	case *ledgerv1.Fact_EventWithdrawn:
		return b.withdrawn(fact.EventWithdrawn, atMS)
	case *ledgerv1.Fact_SubscriptionChanged:
		for _, id := range fact.SubscriptionChanged.GetNotices() {
			n, err := b.notice(id)
			if err != nil {
				return err
			}
			if err := b.end(n, ledger.Superseded, atMS); err != nil {
				return err
			}
		}
		return nil
	case *ledgerv1.Fact_HeldBack:
		h := fact.HeldBack
		return b.change(h.GetNotice(), func(n *noticeRow) {
			n.HeldBackBy, n.heldLink = ledger.Stop{Scope: h.GetScope(), Target: h.GetTarget()}, n.Link
			n.Phase = ledger.Stopped
		})
	case *ledgerv1.Fact_ManifestCompared:
		return b.compared(fact.ManifestCompared)
	case *ledgerv1.Fact_Resumed:
		return b.resumed(ledger.Stop{Scope: fact.Resumed.GetScope(), Target: fact.Resumed.GetTarget()})
	case *ledgerv1.Fact_Led, *ledgerv1.Fact_ClockConfirmed, *ledgerv1.Fact_EventRefused, *ledgerv1.Fact_EventRepeated, *ledgerv1.Fact_CodeSent,
		*ledgerv1.Fact_NotAtSetting, *ledgerv1.Fact_TaskRead, *ledgerv1.Fact_Stopped,
		*ledgerv1.Fact_Replayed, *ledgerv1.Fact_ToldByTelephone, *ledgerv1.Fact_ManifestTaken,
		*ledgerv1.Fact_WhereaboutsListed:
		return nil // for the timeline; no row changes
	default:
		return notice.Faultf(notice.Precondition, "query.fold",
			"a fact is of a kind that this version does not know: run the version that wrote it, or a newer one")
	}
}

// compared opens and settles what a comparison of a manifest asks of people.
func (b *batch) compared(f *ledgerv1.ManifestCompared) error {
	for _, id := range f.GetSettledTasks() {
		if err := b.settle(id); err != nil {
			return err
		}
	}
	for _, t := range f.GetTasks() {
		if err := b.taskOpened(t); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) accepted(f *ledgerv1.EventAccepted) error {
	event, err := b.number(Subject{Event, f.GetSource().GetEvent()})
	if err != nil {
		return err
	}
	lineage, err := b.number(Subject{Lineage, f.GetLineage()})
	if err != nil {
		return err
	}
	return b.insertEvent.add(event, lineage)
}

func (b *batch) decided(d *ledgerv1.Decision, atMS int64) error {
	lineage, err := b.number(Subject{Lineage, d.GetLineage()})
	if err != nil {
		return err
	}
	for _, s := range d.GetSuperseded() {
		n, err := b.notice(s.GetNotice())
		if err != nil {
			return err
		}
		if err := b.end(n, ledger.Superseded, atMS); err != nil {
			return err
		}
	}
	for _, id := range d.GetKept() {
		if d.GetCause() != ledgerv1.Cause_CAUSE_RELEASE {
			break
		}
		n, err := b.notice(id)
		if err != nil {
			return err
		}
		if n.Phase == ledger.Held && n.ReleaseMs <= atMS {
			n.Phase = ledger.Ready
			b.touch(n)
		}
	}
	for _, frozen := range d.GetNotices() {
		if err := b.decidedNotice(frozen, d, lineage, atMS); err != nil {
			return err
		}
	}
	for _, id := range d.GetSettledTasks() {
		if err := b.settle(id); err != nil {
			return err
		}
	}
	for _, t := range d.GetTasks() {
		if err := b.taskOpened(t); err != nil {
			return err
		}
	}
	return b.contributes(lineage, d)
}

func (b *batch) decidedNotice(frozen *ledgerv1.Notice, d *ledgerv1.Decision, lineage, atMS int64) error {
	number, err := b.number(Subject{Notice, frozen.GetId()})
	if err != nil {
		return err
	}
	n := &noticeRow{
		Notice: ledger.Notice{Notice: frozen, Phase: ledger.Ready, DecidedMS: atMS}, number: number, lineage: lineage,
		links: len(frozen.GetChain()), fresh: true,
	}
	if len(d.GetSources()) > 0 {
		n.agency = d.GetSources()[0].GetAgency()
	}
	if frozen.GetReleaseMs() > atMS {
		n.Phase = ledger.Held
	}
	b.keepNotice(n)
	b.touch(n)
	return nil
}

// contributes replaces what a lineage contributes to notices before term.
func (b *batch) contributes(lineage int64, d *ledgerv1.Decision) error {
	if d.GetRound() > 1 {
		if err := b.exec(b.deleteContributions, lineage); err != nil {
			return err
		}
	}
	for _, c := range d.GetContributions() {
		target, err := b.number(Subject{Lineage, c.GetLineage()})
		if err != nil {
			return err
		}
		for _, src := range d.GetSources() {
			event, err := b.number(Subject{Event, src.GetEvent()})
			if err != nil {
				return err
			}
			if err := b.exec(b.insertContribution, target, lineage, event); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) attemptStarted(f *ledgerv1.AttemptStarted, atMS int64) error {
	return b.change(f.GetNotice(), func(n *noticeRow) {
		n.Attempts = append(n.Attempts, ledger.Attempt{AttemptStarted: f, StartedMS: atMS})
		n.Phase = ledger.Sending
		if f.GetChannel() == ledger.ByInbox {
			n.Phase = ledger.Awaiting // its agency's word
		}
	})
}

// outOfInbox takes an agency's word about a notice that lies in its inbox.
func (b *batch) outOfInbox(n *noticeRow, a *ledger.Attempt, atMS int64) error {
	b.touch(n)
	switch {
	case n.Phase.Ended():
	case a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED && !n.Acknowledge:
		if err := b.end(n, ledger.Delivered, atMS); err != nil {
			return err
		}
	case a.GaveUp && n.Phase == ledger.Awaiting && n.StandsWith(a.Contact):
		n.Phase = ledger.Ready
	}
	return b.notAstray(n)
}

func (b *batch) attemptFinished(f *ledgerv1.AttemptFinished, atMS int64) error {
	n, err := b.notice(f.GetNotice())
	if err != nil {
		return err
	}
	a, ok := n.Attempt(f.GetAttempt())
	if !ok {
		return unknown("attempt")
	}
	a.Outcome = f.GetOutcome()
	a.GaveUp = f.GetOutcome() == ledgerv1.Outcome_OUTCOME_PERMANENT ||
		f.GetOutcome() != ledgerv1.Outcome_OUTCOME_DELIVERED && f.GetRetryMs() == 0
	if a.Channel == ledger.ByInbox {
		return b.outOfInbox(n, a, atMS)
	}
	if bounced(a) { // it came back before its end was written
		a.Outcome, a.GaveUp = ledgerv1.Outcome_OUTCOME_PERMANENT, true
	}
	b.touch(n)
	if n.Phase != ledger.Sending || int(f.GetAttempt()) != len(n.Attempts) {
		return b.notAstray(n) // the notice moved on while the send was under way
	}
	switch delivered := a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED; {
	case delivered && n.Acknowledge && (n.GaveUp(a.Contact) || n.Away(a.Contact)):
		n.Phase = ledger.Ready
	case delivered && n.Acknowledge:
		n.Phase = ledger.Awaiting
	case delivered:
		return b.end(n, ledger.Delivered, atMS)
	case a.GaveUp:
		n.Phase = ledger.Ready
	default:
		n.Phase = ledger.Waiting
	}
	return nil
}

func bounced(a *ledger.Attempt) bool {
	return a.CameBack(ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT)
}

func (b *batch) returned(f *ledgerv1.Returned) error {
	n, err := b.notice(f.GetNotice())
	if err != nil {
		return err
	}
	a, ok := n.Attempt(f.GetAttempt())
	if !ok {
		return unknown("attempt")
	}
	a.Returns = append(a.Returns, f.GetKind())
	switch f.GetKind() {
	case ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT:
		a.GaveUp = true
		if a.Ended() {
			a.Outcome = ledgerv1.Outcome_OUTCOME_PERMANENT
		}
	case ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY:
		a.MovesOn = a.MovesOn || f.GetMovesOn()
	case ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED, ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT,
		ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED, ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN:
	}
	b.touch(n)
	if (bounced(a) || a.MovesOn) && n.Phase != ledger.Sending && n.StandsWith(a.Contact) {
		n.Phase = ledger.Ready
	}
	return b.notAstray(n)
}

// replied moves an invitation on that whoever it stands with has declined.
func (b *batch) replied(f *ledgerv1.Replied) error {
	if f.GetAnswer() != ledgerv1.Answer_ANSWER_DECLINED {
		return nil
	}
	return b.change(f.GetNotice(), func(n *noticeRow) {
		if n.Phase == ledger.Acknowledged || n.Phase == ledger.Delivered {
			return
		}
		for i := range n.Attempts {
			if a := &n.Attempts[i]; f.GetContact() != "" && a.Contact == f.GetContact() {
				a.MovesOn = true
			}
		}
		if n.Phase != ledger.Sending && n.StandsWith(f.GetContact()) {
			n.Phase = ledger.Ready
		}
	})
}

// withdrawn ends what an event taken back was told by.
func (b *batch) withdrawn(f *ledgerv1.EventWithdrawn, atMS int64) error {
	for _, id := range f.GetNotices() {
		n, err := b.notice(id)
		if err != nil {
			return err
		}
		if err := b.end(n, ledger.Withdrawn, atMS); err != nil {
			return err
		}
		if n.Task != "" { // of one that had ended as delivered and came back
			if err := b.settle(n.Task); err != nil {
				return err
			}
			n.Task = ""
			b.touch(n)
		}
	}
	return nil
}

// notAstray settles the misdirection of a notice where it turns out that nothing arrived.
func (b *batch) notAstray(n *noticeRow) error {
	if n.Misdirection == "" {
		return nil
	}
	ids, err := b.misdirected(n.Misdirection)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if other, err := b.notice(id); err != nil || other.opened || other.MayBeHad() {
			return err
		}
	}
	return b.settle(n.Misdirection)
}

func (b *batch) escalated(f *ledgerv1.Escalated, atMS int64) error {
	return b.change(f.GetNotice(), func(n *noticeRow) {
		n.Link = f.GetLink()
		if atMS >= n.DueMs && n.LateMS == 0 {
			n.LateMS = atMS
		}
		n.Phase = ledger.Ready
		if int(f.GetLink()) >= n.links {
			n.Phase = ledger.WithTask
		}
	})
}

// end ends a notice and settles its open task.
func (b *batch) end(n *noticeRow, phase ledger.Phase, atMS int64) error {
	if n.Phase.Ended() {
		return nil
	}
	n.Phase, n.EndedMS, n.HeldBackBy = phase, atMS, ledger.Stop{}
	task := n.Task
	n.Task = ""
	b.touch(n)
	if task == "" {
		return nil
	}
	return b.settle(task)
}

// settle ends a task that has become unnecessary.
func (b *batch) settle(id string) error {
	return b.changeTask(id, func(t *taskRow) {
		if !t.ended() {
			t.state = ledger.TaskSettled
		}
	})
}

func (b *batch) taskOpened(t *ledgerv1.Task) error {
	number, err := b.number(Subject{Task, t.GetId()})
	if err != nil {
		return err
	}
	row := &taskRow{
		number: number, id: t.GetId(), notice: t.GetNotice(), organisation: t.GetOrganisation(), role: t.GetRole(), dueMS: t.GetDueMs(),
		state: ledger.TaskOpen,
	}
	b.tasks.put(row.id, row)
	b.touchTask(row)
	for _, id := range t.GetMisdirected() {
		if err := b.change(id, func(n *noticeRow) { n.Misdirection = row.id }); err != nil {
			return err
		}
	}
	if row.notice == "" {
		return nil
	}
	return b.change(row.notice, func(n *noticeRow) { n.Task = row.id })
}

func (b *batch) taskResolved(f *ledgerv1.TaskResolved, atMS int64) error {
	t, err := b.task(f.GetTask())
	if err != nil {
		return err
	}
	t.state = ledger.TaskResolved
	b.touchTask(t)
	if t.notice == "" {
		return nil
	}
	n, err := b.notice(t.notice)
	if err != nil {
		return err
	}
	n.Task = ""
	b.touch(n)
	if f.GetResolution() == ledger.ToldByTelephone {
		n.Telephoned = true
		return b.end(n, ledger.Acknowledged, atMS)
	}
	return b.end(n, ledger.Closed, atMS)
}

// resumed makes ready what a stop held back, unless somebody works on its task already.
func (b *batch) resumed(stop ledger.Stop) error {
	ids, err := b.heldBackBy(stop)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n, err := b.notice(id)
		if err != nil {
			return err
		}
		n.HeldBackBy = ledger.Stop{}
		b.touch(n)
		if n.Task != "" {
			t, err := b.task(n.Task)
			if err != nil {
				return err
			}
			if t.state != ledger.TaskOpen {
				continue
			}
			t.state = ledger.TaskSettled
			b.touchTask(t)
		}
		n.Task, n.Link, n.Phase = "", n.heldLink, ledger.Ready
	}
	return nil
}

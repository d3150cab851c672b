package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
	"go.uber.org/zap"
)

// tryAgain is how long a step waits that the store would not let happen.
const tryAgain = time.Second

// postponed is a step that could not be carried out, and when to try it again.
type postponed struct {
	atMS int64
	step ledger.Step
}

// mostOfAnHour is how many of the steps that an hour has brought are carried out before what has come in meanwhile is
// looked at. Each may read an event from the store: twenty thousand releases in one go kept an urgent event waiting for
// nine seconds.
const mostOfAnHour = 64

// act carries out the steps that are due, and those that follow from them, then sends what there is room for. Of those
// that an hour has brought it leaves what is too much for the next time, which is at once. By a clock that cannot be right
// nothing is due: a deadline worked out by it would be wrong for good.
func (e *Engine) act() {
	if !e.trustsClock() {
		return
	}
	e.followSubscriptions()
	for left := mostOfAnHour; ; {
		steps, ofAnHour := e.state.PlanSome(e.nowMS(), left)
		left -= ofAnHour
		steps = append(steps, e.dueLater()...)
		if len(steps) == 0 {
			break
		}
		for _, step := range steps {
			if err := e.carryOut(step); err != nil {
				e.postpone(step, err)
			}
		}
	}
	e.dispatch()
}

// postpone has a step tried again: Plan gives it once only. Whatever is wrong with one event holds up nothing else.
func (e *Engine) postpone(step ledger.Step, err error) {
	if notice.KindOf(err) == notice.Unavailable {
		e.Logger.Warn("a step waits for the store", zap.Error(err))
	} else {
		e.Logger.Error("a step cannot be carried out; it is tried again", zap.Error(err))
	}
	e.again(step)
}

// again has a step carried out once more in a while.
func (e *Engine) again(step ledger.Step) {
	e.later = append(e.later, postponed{atMS: e.nowMS() + tryAgain.Milliseconds(), step: step})
}

func (e *Engine) dueLater() []ledger.Step {
	var due []ledger.Step
	now := e.nowMS()
	e.later = slices.DeleteFunc(e.later, func(p postponed) bool {
		if p.atMS > now {
			return false
		}
		due = append(due, p.step)
		return true
	})
	return due
}

// carryOut carries a step out, unless one before it in the same plan has made it needless.
func (e *Engine) carryOut(step ledger.Step) error {
	switch s := step.(type) {
	case ledger.Decide:
		if s.Lineage.Undecided == ledgerv1.Cause_CAUSE_UNSPECIFIED {
			return nil
		}
		return e.decide(s.Lineage, s.Lineage.Undecided)
	case ledger.Release:
		if !e.holdsBack(s.Lineage) {
			return nil
		}
		return e.decide(s.Lineage, ledgerv1.Cause_CAUSE_RELEASE)
	case ledger.Send:
		return e.enqueue(s.Notice)
	case ledger.Expire:
		if a, ok := s.Notice.Attempt(s.Attempt); ok && !a.Ended() {
			e.finish(s.Notice, s.Attempt, ledgerv1.Outcome_OUTCOME_UNKNOWN, "no end was recorded", 0)
		}
	case ledger.TellLate:
		if s.Notice.Overdue(e.nowMS()) {
			e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Late{Late: &ledgerv1.Late{Notice: s.Notice.Id}}})
			e.tellPublisher(e.state.Lineages[s.Notice.Lineage].Agency)
		}
	case ledger.MoveOn:
		if s.Notice.Phase == ledger.Awaiting && s.Notice.WakeMS <= e.nowMS() {
			e.moveOn(s.Notice, unanswered(s.Notice))
		}
		if s.Notice.Phase == ledger.Stopped && s.Notice.WakeMS <= e.nowMS() {
			e.overrun(s.Notice)
		}
	case ledger.CheckMeeting:
		e.checkMeeting(s.Notice)
	case ledger.EscalateTask:
		if !s.Task.Ended() && !s.Task.Escalated {
			e.escalateTask(s.Task)
		}
	case ledger.Compare:
		e.readManifest(s.Manifest)
	}
	return nil
}

// holdsBack says whether a lineage has a notice that is held past its release.
func (e *Engine) holdsBack(l *ledger.Lineage) bool {
	return slices.ContainsFunc(l.Standing, func(id string) bool {
		n := e.state.Notices[id]
		return n.Phase == ledger.Held && n.WakeMS <= e.nowMS()
	})
}

// decide makes the next decision about a lineage.
func (e *Engine) decide(l *ledger.Lineage, cause ledgerv1.Cause) error {
	decision, err := e.decision(e.work, l, cause, l.Forced)
	if err != nil {
		return err
	}
	for i, task := range decision.Tasks {
		if task.Organisation == "" {
			e.Logger.Error("a task has no owner: neither the agency's organisation nor the area's authority is in the directory",
				zap.String("task", task.Id), zap.Int("number", i))
		}
	}
	fact := &ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: decision}}
	if !e.fits(fact) {
		e.Logger.Error("a decision is too large for the ledger: a person is asked to see to it",
			zap.String("lineage", l.ID), zap.Int("notices", len(decision.Notices)))
		fact.Fact = &ledgerv1.Fact_Decided{Decided: e.tooLarge(l, decision)}
		if !e.fits(fact) { // thin events without end under one reference: what each leaves out is the least of it
			fact.GetDecided().Lacks = nil
		}
	}
	e.record(fact)
	e.heardAlready(fact.GetDecided())
	for _, sup := range decision.Superseded {
		e.callOff(e.state.Notices[sup.Notice])
	}
	e.tellPublisher(l.Agency)
	return nil
}

// decision works the next decision about a lineage out, with the question about whoever has what they should not. It
// records nothing.
func (e *Engine) decision(ctx context.Context, l *ledger.Lineage, cause ledgerv1.Cause, forced bool) (*ledgerv1.Decision, error) {
	decision, err := e.routed(ctx, l, cause, forced)
	if err != nil {
		return nil, err
	}
	decision.SettledTasks = append(decision.SettledTasks, e.meetingMoved(l, decision)...)
	astray, why := e.state.TakenAway(decision), "somebody may have a notice who should not have been told"
	if had := e.hadByParties(l, decision, astray); len(had) > 0 {
		astray, why = append(astray, had...), "somebody may have a notice who is a party of the matter, or may be"
	}
	if len(astray) > 0 {
		decision.Tasks = append(decision.Tasks, e.misdirection(l, astray, why, fmt.Sprint(decision.Round)))
	}
	return decision, nil
}

// routed has routing decide: about a request to delete, a notice before term, or the events of a lineage that still stand.
func (e *Engine) routed(ctx context.Context, l *ledger.Lineage, cause ledgerv1.Cause, forced bool) (*ledgerv1.Decision, error) {
	snapshot, current := e.Current()
	facts := routing.Facts{Directory: snapshot, Policy: current, Key: e.config.Key, Now: e.now(), Report: e.showings.report, Earlier: e.past, Endings: e.endings}
	if l.Deletion != nil {
		return routing.DecideDeletion(e.toDelete(l), e.round(l, cause), facts), nil
	}
	if l.BeforeTerm() {
		incidents, erased, err := e.incidents(ctx, l)
		if err != nil {
			return nil, err
		}
		round := e.round(l, cause)
		if len(erased) > 0 {
			e.keepErasedIncidents(l, &round, erased)
		}
		return routing.DecideBeforeTerm(incidents, round, facts), nil
	}
	events, erased, err := e.events(ctx, sourcesOf(e.state.Heads(l)))
	switch {
	case err != nil:
		return nil, err
	case cause == ledgerv1.Cause_CAUSE_REPLAY && len(erased) > 0:
		return e.asItStands(l, cause), nil
	}
	round := e.round(l, cause)
	if cause == ledgerv1.Cause_CAUSE_REPLAY {
		round = e.replayRound(l, forced)
	}
	if len(erased) > 0 {
		e.keepErased(l, &round, events, erased)
	}
	if err := e.withAcceptances(ctx, l, &round); err != nil {
		return nil, err
	}
	decision := routing.Decide(events, round, facts)
	if onlyOver(l, cause) && slices.Equal(decision.Accepted, l.Accepted) && slices.EqualFunc(decision.Ended, l.Ended, sameEnded) {
		return e.asItStands(l, cause), nil // what counts for nothing has nothing else about it decided anew
	}
	return decision, nil
}

// tooLarge is what stands in for a decision that the ledger cannot hold: everything stays as it was, and the publisher's
// desk is asked to publish it in parts.
func (e *Engine) tooLarge(l *ledger.Lineage, d *ledgerv1.Decision) *ledgerv1.Decision {
	snapshot, current := e.Current()
	kind := ledgerv1.TaskKind_TASK_KIND_GAP
	task := &ledgerv1.Task{
		Id:   e.config.Key.ID("task", kind.String(), "too large", l.ID, fmt.Sprint(d.Round)),
		Kind: kind, Role: "desk", Lineage: l.ID, DueMs: e.now().Add(current.TaskTime(kind)).UnixMilli(),
		Detail: "too many children and recipients for one decision, and nobody was told: publish the event in parts, each with fewer children",
	}
	if a, ok := snapshot.Agency(l.Agency); ok {
		task.Organisation = a.Organisation
	}
	return &ledgerv1.Decision{
		Lineage: d.Lineage, Round: d.Round, Cause: d.Cause, Sources: d.Sources, Policy: d.Policy, Directory: d.Directory,
		Kept: l.Standing, Tasks: []*ledgerv1.Task{task}, Contributions: d.Contributions,
		Accepted: l.Accepted, Lacks: d.Lacks, Ended: l.Ended, Parties: d.Parties,
	}
}

// round is what is known of a lineage besides its events.
func (e *Engine) round(l *ledger.Lineage, cause ledgerv1.Cause) routing.Round {
	r := routing.Round{
		Lineage: l.ID, Agency: l.Agency, Kind: l.Kind, Number: l.Round + 1, Cause: cause, Accepted: l.Accepted, Tasks: map[string]bool{}, Settled: map[string]bool{},
		Matched: l.Matched, Chosen: l.Chosen, NotAt: l.NotAt, Ended: map[string]string{},
	}
	for _, x := range l.Ended {
		r.Ended[x.Obligation] = x.Notice
	}
	for _, id := range l.Standing {
		n := e.state.Notices[id]
		r.Prior = append(r.Prior, routing.Prior{
			ID: n.Id, Obligation: n.Obligation, Version: n.Version, ContentDigest: n.ContentDigest,
			Rule: n.Rule, Child: n.Child, Organisation: n.Organisation, Contact: n.With(),
			Sent:  slices.ContainsFunc(n.Attempts, mayHaveArrived) || n.Phase == ledger.Acknowledged,
			DueMS: stillDue(n), DueBecause: n.DueBecause,
			Withdrawn: n.Withdrawn, MeetsMS: n.Invitation.GetMeetsMs(), Declined: n.Declined, Link: n.Link,
		})
	}
	for _, id := range l.Tasks {
		// The task of a notice ends with the notice; what has gone astray, who comes to a meeting, and a manifest are no question
		// of routing.
		if t := e.state.Tasks[id]; t.Notice == "" && t.Kind != ledgerv1.TaskKind_TASK_KIND_MISDIRECTION &&
			t.Kind != ledgerv1.TaskKind_TASK_KIND_MANIFEST && t.MeetsMs == 0 {
			r.Tasks[id], r.Settled[id] = !t.Ended(), t.State == ledger.TaskSettled
		}
	}
	return r
}

// stillDue is when somebody must have a notice that nobody has acknowledged yet; 0 where it has ended.
func stillDue(n *ledger.Notice) int64 {
	if n.Phase.Ended() {
		return 0
	}
	return n.DueMs
}

func mayHaveArrived(a ledger.Attempt) bool { return a.MayHaveArrived() }

// events reads the bodies of sources, from memory where they are still there, and says which were erased. One that was
// withdrawn is left out: nobody is told of it again.
func (e *Engine) events(ctx context.Context, sources []*ledgerv1.Source) (events []routing.Event, erased []*ledgerv1.Source, err error) {
	for _, src := range sources {
		if e.state.Withdrawals[src.Event] != nil {
			continue
		}
		body, err := e.body(ctx, src)
		switch {
		case notice.KindOf(err) == notice.NotFound && err != nil:
			erased = append(erased, src)
		case err != nil:
			return nil, nil, err
		default:
			events = append(events, routing.Event{Source: src, Body: body, Received: e.received(src), ReportedMS: e.state.FirstReported(src.Event)})
		}
	}
	return events, erased, nil
}

// moveOn goes to the next link of a notice's chain; past the last, to a person's task.
func (e *Engine) moveOn(n *ledger.Notice, reason string) {
	next := n.Link + 1
	facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{
		Notice: n.Id, Link: next, Reason: reason,
	}}}}
	if int(next) >= len(n.Chain) {
		facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: e.exhausted(n)}})
	}
	e.record(facts...) // together: without the task nobody would own the notice
	e.tellPublisher(e.state.Lineages[n.Lineage].Agency)
}

// exhausted is the task that follows a chain: somebody telephones. It goes to the duty officer of the organisation at
// the chain's end; where that is the one who could not be reached, to the publisher's desk.
func (e *Engine) exhausted(n *ledger.Notice) *ledgerv1.Task {
	snapshot, current := e.Current()
	kind := ledgerv1.TaskKind_TASK_KIND_EXHAUSTED
	publisher := ""
	if a, ok := snapshot.Agency(e.state.Lineages[n.Lineage].Agency); ok {
		publisher = a.Organisation
	}
	task := &ledgerv1.Task{
		Id:   e.config.Key.ID("task", kind.String(), n.Id),
		Kind: kind, Organisation: publisher, Role: "desk", Notice: n.Id, Lineage: n.Lineage, Child: n.Child,
		DueMs:  e.now().Add(current.TaskTime(kind)).UnixMilli(),
		Detail: fmt.Sprintf("nobody at %s has the notice: telephone, and record who was told", n.Organisation),
	}
	if n.Invitation != nil {
		e.beforeMeeting(n, task)
	}
	if n.Kind == string(notice.DeletionRequest) {
		task.Detail = fmt.Sprintf("nobody at %s has confirmed that a notice was deleted: telephone, and record who was told", n.Organisation)
	}
	if n.Subscription != "" { // the publisher does not know who subscribes, nor has to
		task.Organisation = n.Organisation
		task.Detail = "a notice that a subscription brought lies unread: have the inbox read, or end the subscription"
		return task
	}
	if len(n.Chain) > 0 {
		if last := n.Chain[len(n.Chain)-1]; last.Organisation != n.Organisation {
			task.Organisation, task.Role, task.EscalateTo = last.Organisation, "duty", publisher
		}
	}
	return task
}

func (e *Engine) escalateTask(t *ledger.Task) {
	_, current := e.Current()
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskEscalated{TaskEscalated: &ledgerv1.TaskEscalated{
		Task: t.Id, Organisation: t.EscalateTo, Role: "duty",
		DueMs: e.now().Add(current.TaskTime(t.Kind)).UnixMilli(),
	}}})
}

package engine

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// tryAgain is how long a step waits that the store would not let happen.
const tryAgain = time.Second

// postponed is a step that could not be carried out, and when to try it again.
type postponed struct {
	at   time.Time
	step ledger.Step
}

// act carries out every step that is due, and those that follow from it, then sends what there is room for.
func (e *Engine) act() error {
	for {
		steps := e.state.Plan(e.nowMS())
		steps = append(steps, e.dueLater()...)
		if len(steps) == 0 {
			break
		}
		for _, step := range steps {
			if err := e.carryOut(step); err != nil {
				if notice.KindOf(err) != notice.Unavailable {
					return err
				}
				e.Logger.Warn("a step waits for the store", zap.Error(err))
				e.later = append(e.later, postponed{at: e.now().Add(tryAgain), step: step})
			}
		}
	}
	e.dispatch()
	return nil
}

func (e *Engine) dueLater() []ledger.Step {
	var due []ledger.Step
	now := e.now()
	e.later = slices.DeleteFunc(e.later, func(p postponed) bool {
		if p.at.After(now) {
			return false
		}
		due = append(due, p.step)
		return true
	})
	return due
}

func (e *Engine) carryOut(step ledger.Step) error {
	switch s := step.(type) {
	case ledger.Decide:
		if s.Lineage.Undecided == ledgerv1.Cause_CAUSE_UNSPECIFIED {
			return nil
		}
		return e.decide(s.Lineage, s.Lineage.Undecided)
	case ledger.Release:
		return e.decide(s.Lineage, ledgerv1.Cause_CAUSE_RELEASE)
	case ledger.Send:
		e.enqueue(s.Notice)
	case ledger.Expire:
		if a, ok := s.Notice.Attempt(s.Attempt); ok && a.EndedMS == 0 {
			e.finish(s.Notice, s.Attempt, ledgerv1.Outcome_OUTCOME_UNKNOWN, "no end was recorded", 0)
		}
	case ledger.MoveOn:
		e.moveOn(s.Notice, "not acknowledged in time")
	case ledger.EscalateTask:
		e.escalateTask(s.Task)
	}
	return nil
}

// decide makes the next decision about a lineage.
func (e *Engine) decide(l *ledger.Lineage, cause ledgerv1.Cause) error {
	snapshot, current := e.Current()
	facts := routing.Facts{Directory: snapshot, Policy: current, Key: e.config.Key, Now: e.now()}
	round := e.round(l, cause)

	var decision *ledgerv1.Decision
	if l.BeforeTerm() {
		incidents, err := e.incidents(l)
		if err != nil {
			return err
		}
		decision = routing.DecideBeforeTerm(incidents, round, facts)
	} else {
		var sources []*ledgerv1.Source
		for _, head := range e.state.Heads(l) {
			sources = append(sources, head.Source)
		}
		events, err := e.events(sources)
		if err != nil {
			return err
		}
		decision = routing.Decide(events, round, facts)
	}
	for i, task := range decision.Tasks {
		if task.Organisation == "" {
			e.Logger.Error("a task has no owner: neither the agency's organisation nor the area's authority is in the directory",
				zap.String("task", task.Id), zap.Int("number", i))
		}
	}
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: decision}})
	e.tellPublisher(l.Agency)
	return nil
}

// round is what is known of a lineage besides its events.
func (e *Engine) round(l *ledger.Lineage, cause ledgerv1.Cause) routing.Round {
	r := routing.Round{
		Lineage: l.ID, Number: l.Round + 1, Cause: cause, Tasks: map[string]bool{},
		Matched: l.Matched, Chosen: l.Chosen, NotAt: l.NotAt,
	}
	for _, id := range l.Standing {
		n := e.state.Notices[id]
		r.Prior = append(r.Prior, routing.Prior{
			ID: n.Id, Obligation: n.Obligation, Version: n.Version, ContentDigest: n.ContentDigest,
			Sent: slices.ContainsFunc(n.Attempts, mayHaveArrived),
		})
	}
	for _, id := range l.Tasks {
		r.Tasks[id] = !e.state.Tasks[id].Ended()
	}
	return r
}

func mayHaveArrived(a ledger.Attempt) bool {
	return a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED || a.Outcome == ledgerv1.Outcome_OUTCOME_UNKNOWN || a.EndedMS == 0
}

// incidents are the parts of a notice before term, in the order in which the incidents were reported.
func (e *Engine) incidents(l *ledger.Lineage) ([]routing.Incident, error) {
	var incidents []routing.Incident
	for _, c := range l.Contributions {
		events, err := e.events(c.Sources)
		if err != nil {
			return nil, err
		}
		incidents = append(incidents, routing.Incident{Contribution: c.Contribution, Events: events})
	}
	slices.SortFunc(incidents, func(a, b routing.Incident) int {
		return a.Events[0].Body.Time.AsTime().Compare(b.Events[0].Body.Time.AsTime())
	})
	return incidents, nil
}

// events reads the bodies of sources, from memory where they are still there.
func (e *Engine) events(sources []*ledgerv1.Source) ([]routing.Event, error) {
	events := make([]routing.Event, len(sources))
	for i, src := range sources {
		body, err := e.body(e.ctx, src)
		if err != nil {
			return nil, err
		}
		events[i] = routing.Event{Source: src, Body: body}
	}
	return events, nil
}

// moveOn goes to the next link of a notice's chain; past the last, to a person's task.
func (e *Engine) moveOn(n *ledger.Notice, reason string) {
	next := n.Link + 1
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{
		Notice: n.Id, Link: next, Reason: reason,
	}}})
	if int(next) >= len(n.Chain) {
		e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: e.exhausted(n)}})
	}
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
		Task: t.Task.Id, Organisation: t.EscalateTo, Role: "duty",
		DueMs: e.now().Add(current.TaskTime(t.Kind)).UnixMilli(),
	}}})
}

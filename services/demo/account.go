package demo

import (
	"context"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// account is what the ledger says of one event: everything about its lineage, folded for reading.
type account struct {
	facts      []*ledgerv1.Fact
	lineage    string                   // of the event; a notice before term has one of its own
	children   []*ledgerv1.ChildFinding // of the last decision that found any
	notices    []*told
	considered []*ledgerv1.Considered
	gaps       []*ledgerv1.Gap
	tasks      []*asked
	instants   []int64 // when something of it is due, Unix milliseconds
	repeated   int
	refused    bool
}

// told is a notice and what became of it.
type told struct {
	*ledgerv1.Notice
	attempt      *ledgerv1.AttemptStarted // the last
	finished     ledgerv1.Outcome
	steps        []*ledgerv1.Escalated
	acknowledged *ledgerv1.Acknowledged
	atMS         int64 // of its end, or of the last attempt
	superseded   bool
	over         bool // its recipient was told of the end of the matter
	withdrawn    bool
	notHere      bool
	read         bool
}

// asked is a task and what became of it.
type asked struct {
	*ledgerv1.Task
	resolution string
	settled    bool
	escalated  bool
}

// account reads the timeline of an event.
func (w *world) account(ctx context.Context, agency, event string) (*account, error) {
	timeline, err := w.ledger.Timeline(ctx, &ledgerv1.TimelineRequest{
		Of: &ledgerv1.TimelineRequest_Event{Event: &ledgerv1.EventRef{Agency: agency, Id: event}},
	})
	if err := rpc.Fault(err); notice.KindOf(err) == notice.NotFound {
		// The ledger has no name for an event that could not be read.
		return &account{refused: true}, nil
	} else if err != nil {
		return nil, err
	}
	a := &account{facts: timeline.Facts}
	for _, f := range timeline.Facts {
		a.fold(f)
	}
	return a, nil
}

func (a *account) fold(f *ledgerv1.Fact) {
	switch fact := f.Fact.(type) {
	case *ledgerv1.Fact_Decided:
		a.decided(fact.Decided, f.AtMs)
	case *ledgerv1.Fact_EventRepeated:
		a.repeated++
	case *ledgerv1.Fact_AttemptStarted:
		n := a.notice(fact.AttemptStarted.Notice)
		n.attempt, n.atMS, n.finished = fact.AttemptStarted, f.AtMs, 0
	case *ledgerv1.Fact_AttemptFinished:
		a.notice(fact.AttemptFinished.Notice).finished = fact.AttemptFinished.Outcome
	case *ledgerv1.Fact_Escalated:
		n := a.notice(fact.Escalated.Notice)
		n.steps = append(n.steps, fact.Escalated)
	case *ledgerv1.Fact_NoticeRead:
		a.notice(fact.NoticeRead.Notice).read = true
	case *ledgerv1.Fact_Acknowledged:
		n := a.notice(fact.Acknowledged.Notice)
		n.acknowledged, n.atMS = fact.Acknowledged, f.AtMs
	case *ledgerv1.Fact_EventWithdrawn:
		for _, n := range a.notices {
			n.withdrawn = true
		}
	case *ledgerv1.Fact_NotAtSetting:
		n := a.notice(fact.NotAtSetting.Notice)
		n.notHere, n.atMS = true, f.AtMs
	case *ledgerv1.Fact_TaskOpened:
		a.ask(fact.TaskOpened)
	case *ledgerv1.Fact_TaskResolved:
		a.task(fact.TaskResolved.Task).resolution = fact.TaskResolved.Resolution
	case *ledgerv1.Fact_TaskEscalated:
		t := a.task(fact.TaskEscalated.Task)
		t.escalated = true
		t.Organisation, t.Role, t.DueMs = fact.TaskEscalated.Organisation, fact.TaskEscalated.Role, fact.TaskEscalated.DueMs
		a.instants = append(a.instants, t.DueMs)
	}
}

func (a *account) decided(d *ledgerv1.Decision, atMS int64) {
	if a.lineage == "" {
		a.lineage = d.Lineage
	}
	if a.lineage == d.Lineage {
		a.considered, a.gaps = d.Considered, d.Gaps
		if len(d.Children) > 0 {
			a.children = d.Children
		}
	}
	for _, n := range d.Notices {
		a.notices = append(a.notices, &told{Notice: n})
		if n.ReleaseMs > 0 {
			a.instants = append(a.instants, n.ReleaseMs)
		}
		for _, l := range n.Chain {
			a.instants = append(a.instants, n.DueMs+int64(l.OffsetMinutes)*time.Minute.Milliseconds())
		}
	}
	for _, s := range d.Superseded {
		n := a.notice(s.Notice)
		n.superseded = true
		n.over = slices.ContainsFunc(d.Ended, func(x *ledgerv1.Ended) bool { return x.Obligation == n.Obligation })
		n.atMS = atMS
	}
	for _, t := range d.Tasks {
		a.ask(t)
	}
	for _, id := range d.SettledTasks {
		a.task(id).settled = true
	}
}

func (a *account) ask(t *ledgerv1.Task) {
	a.tasks = append(a.tasks, &asked{Task: t})
	a.instants = append(a.instants, t.DueMs)
}

// notice finds a notice; one that the timeline does not have is a stranger that nobody reads of.
func (a *account) notice(id string) *told {
	if i := slices.IndexFunc(a.notices, func(n *told) bool { return n.Id == id }); i >= 0 {
		return a.notices[i]
	}
	return &told{Notice: &ledgerv1.Notice{}}
}

func (a *account) task(id string) *asked {
	if i := slices.IndexFunc(a.tasks, func(t *asked) bool { return t.Id == id }); i >= 0 {
		return a.tasks[i]
	}
	return &asked{Task: &ledgerv1.Task{}}
}

// open finds the tasks of a kind that nobody has ended.
func (a *account) open(kind ledgerv1.TaskKind, organisation string) *asked {
	for _, t := range a.tasks {
		if t.Kind == kind && t.Organisation == organisation && t.resolution == "" && !t.settled {
			return t
		}
	}
	return nil
}

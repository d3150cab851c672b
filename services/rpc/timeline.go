package rpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Timeline returns every fact about an event, a lineage, a notice or a task, oldest first. It reads the whole ledger.
func (s *ledgerService) Timeline(ctx context.Context, req *ledgerv1.TimelineRequest) (*ledgerv1.TimelineResponse, error) {
	const op = "rpc.Timeline"
	about := newSubject()
	switch of := req.GetOf().(type) {
	case *ledgerv1.TimelineRequest_Event:
		key := s.Engine.EventKey(notice.AgencyID(of.Event.GetAgency()), of.Event.GetId())
		about.events[key] = true
		if err := s.Engine.View(ctx, func(state *ledger.State) {
			if e := state.Events[key]; e != nil {
				about.lineage(state, e.Lineage)
			}
		}); err != nil {
			return nil, err
		}
	case *ledgerv1.TimelineRequest_Lineage:
		if err := s.Engine.View(ctx, func(state *ledger.State) { about.lineage(state, of.Lineage) }); err != nil {
			return nil, err
		}
	case *ledgerv1.TimelineRequest_Notice:
		about.notices[of.Notice] = true
	case *ledgerv1.TimelineRequest_Task:
		about.tasks[of.Task] = true
	}

	response := &ledgerv1.TimelineResponse{}
	if _, err := s.Log.Read(ctx, 1, func(seq uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return notice.Faultf(notice.Internal, op, "pack %d cannot be read", seq)
		}
		for _, f := range pack.GetFacts() {
			if about.concerns(f) {
				response.Facts = append(response.Facts, f)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if len(response.Facts) == 0 {
		return nil, notice.Faultf(notice.NotFound, op, "the ledger has nothing about it: check the id, and the agency of an event")
	}
	return response, nil
}

// subject is what a timeline is about. It grows as the facts are read: a decision about a lineage brings its notices and
// tasks in.
type subject struct {
	lineages, events, notices, tasks map[string]bool
	refused                          bool // the fact before refused one of the events: its task follows
}

func newSubject() *subject {
	return &subject{lineages: map[string]bool{}, events: map[string]bool{}, notices: map[string]bool{}, tasks: map[string]bool{}}
}

// lineage brings in a lineage with its events; of a notice before term, those of the incidents that it lists.
func (a *subject) lineage(state *ledger.State, id string) {
	a.lineages[id] = true
	l := state.Lineages[id]
	if l == nil {
		return
	}
	for _, key := range l.Events {
		a.events[key] = true
	}
	for _, c := range l.Contributions {
		for _, src := range c.Sources {
			a.events[src.GetEvent()] = true
		}
	}
}

// concerns says whether a fact is about the subject.
func (a *subject) concerns(f *ledgerv1.Fact) bool {
	refused := a.refused
	a.refused = false
	switch fact := f.GetFact().(type) {
	case *ledgerv1.Fact_EventAccepted:
		return a.events[fact.EventAccepted.GetSource().GetEvent()] || a.lineages[fact.EventAccepted.GetLineage()]
	case *ledgerv1.Fact_EventRepeated:
		return a.events[fact.EventRepeated.GetSource().GetEvent()]
	case *ledgerv1.Fact_EventRefused:
		a.refused = a.events[fact.EventRefused.GetSource().GetEvent()]
		return a.refused
	case *ledgerv1.Fact_Decided:
		return a.decided(fact.Decided)
	case *ledgerv1.Fact_TaskOpened:
		t := fact.TaskOpened
		of := a.lineages[t.GetLineage()] || a.notices[t.GetNotice()] || a.tasks[t.GetId()] ||
			refused && t.GetKind() == ledgerv1.TaskKind_TASK_KIND_QUARANTINED
		if of {
			a.tasks[t.GetId()] = true
		}
		return of
	case *ledgerv1.Fact_AttemptStarted:
		return a.notices[fact.AttemptStarted.GetNotice()]
	case *ledgerv1.Fact_AttemptFinished:
		return a.notices[fact.AttemptFinished.GetNotice()]
	case *ledgerv1.Fact_Returned:
		return a.notices[fact.Returned.GetNotice()]
	case *ledgerv1.Fact_Replayed:
		return slices.ContainsFunc(fact.Replayed.GetLineages(), func(id string) bool { return a.lineages[id] })
	case *ledgerv1.Fact_ToldByTelephone:
		return a.lineages[fact.ToldByTelephone.GetLineage()]
	case *ledgerv1.Fact_Escalated:
		return a.notices[fact.Escalated.GetNotice()]
	case *ledgerv1.Fact_Late:
		return a.notices[fact.Late.GetNotice()]
	case *ledgerv1.Fact_CodeSent:
		return a.notices[fact.CodeSent.GetNotice()]
	case *ledgerv1.Fact_NoticeRead:
		return a.notices[fact.NoticeRead.GetNotice()]
	case *ledgerv1.Fact_Acknowledged:
		return a.notices[fact.Acknowledged.GetNotice()]
	case *ledgerv1.Fact_NotAtSetting:
		return a.notices[fact.NotAtSetting.GetNotice()]
	case *ledgerv1.Fact_TaskRead:
		return a.tasks[fact.TaskRead.GetTask()]
	case *ledgerv1.Fact_TaskClaimed:
		return a.tasks[fact.TaskClaimed.GetTask()]
	case *ledgerv1.Fact_TaskResolved:
		return a.tasks[fact.TaskResolved.GetTask()]
	case *ledgerv1.Fact_TaskEscalated:
		return a.tasks[fact.TaskEscalated.GetTask()]
	case *ledgerv1.Fact_EventWithdrawn:
		return a.events[fact.EventWithdrawn.GetEvent()]
	case *ledgerv1.Fact_HeldBack:
		return a.notices[fact.HeldBack.GetNotice()]
	default: // Led, ClockConfirmed, Stopped and Resumed are about nobody
		return false
	}
}

// decided brings in everything of a decision about the lineage or resting on its events. A decision that only touches
// what the subject is about is shown, and the rest of it is not followed.
func (a *subject) decided(d *ledgerv1.Decision) bool {
	own := a.lineages[d.GetLineage()]
	for _, src := range d.GetSources() {
		own = own || a.events[src.GetEvent()]
	}
	if own {
		for _, n := range d.GetNotices() {
			a.notices[n.GetId()] = true
		}
		for _, t := range d.GetTasks() {
			a.tasks[t.GetId()] = true
		}
		return true
	}
	touches := false
	for _, n := range d.GetNotices() {
		touches = touches || a.notices[n.GetId()]
	}
	for _, id := range d.GetKept() {
		touches = touches || a.notices[id]
	}
	for _, s := range d.GetSuperseded() {
		touches = touches || a.notices[s.GetNotice()]
	}
	for _, t := range d.GetTasks() {
		if a.notices[t.GetNotice()] {
			a.tasks[t.GetId()] = true
		}
		touches = touches || a.tasks[t.GetId()]
	}
	for _, id := range d.GetSettledTasks() {
		touches = touches || a.tasks[id]
	}
	return touches
}

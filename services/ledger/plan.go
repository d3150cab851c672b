package ledger

import (
	"container/heap"
	"math"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Step is something due. It is one of Decide, Release, Send, Expire, TellLate, MoveOn, CheckMeeting, EscalateTask and Compare.
type Step interface{ step() }

// Decide asks for a decision about a lineage.
type Decide struct{ Lineage *Lineage }

// Release asks for a decision about a lineage whose held notice has come to its time.
type Release struct{ Lineage *Lineage }

// Send asks for a send to the present link of a notice's chain.
type Send struct{ Notice *Notice }

// Expire says that an attempt's lease is over and nobody knows how it ended.
type Expire struct {
	Notice  *Notice
	Attempt uint32
}

// MoveOn asks for the next link of a notice's chain: nobody acknowledged in time. Where sending is stopped it asks for a
// person: the due time has come.
type MoveOn struct{ Notice *Notice }

// EscalateTask says that a task is overdue and has somebody to go to.
type EscalateTask struct{ Task *Task }

func (Decide) step()       {}
func (Release) step()      {}
func (Send) step()         {}
func (Expire) step()       {}
func (MoveOn) step()       {}
func (EscalateTask) step() {}

// Plan returns the steps due at nowMS, each once: the facts that carrying them out gives rise to arm what follows. A
// step that is returned and not carried out is due again after the next start, when the State is folded anew.
func (s *State) Plan(nowMS int64) []Step {
	steps, _ := s.PlanSome(nowMS, math.MaxInt)
	return steps
}

// PlanSome is Plan with so many at most of the steps that an hour has brought: releases, ends of waits. Thousands of them
// may be due at one instant. Decisions about what has come in and sends that are ready are first, and always among the
// steps. It returns also how many are of an hour.
func (s *State) PlanSome(nowMS int64, most int) (steps []Step, ofAnHour int) {
	take := func(from *timers) {
		if step := s.stepOf(heap.Pop(from).(timer)); step != nil {
			steps = append(steps, step)
		}
	}
	for s.timers.due(nowMS) && s.timers[0].kind == lineageTimer { // at no hour, and so before all others
		take(&s.timers)
	}
	for s.ready.due(nowMS) { // after what may take them back
		take(&s.ready)
	}
	prompt := len(steps)
	for s.timers.due(nowMS) && len(steps)-prompt < most {
		take(&s.timers)
	}
	return steps, len(steps) - prompt
}

// NextMS is when Plan next has a step, 0 where nothing is armed. A timer may turn out to be stale.
func (s *State) NextMS() (int64, bool) {
	switch {
	case len(s.timers) == 0 && len(s.ready) == 0:
		return 0, false
	case len(s.ready) == 0 || len(s.timers) > 0 && s.timers[0].atMS < s.ready[0].atMS:
		return s.timers[0].atMS, true
	default:
		return s.ready[0].atMS, true
	}
}

// stepOf turns a timer into its step, nil where the notice, task or lineage has moved on since it was armed.
func (s *State) stepOf(t timer) Step {
	switch t.kind {
	case lineageTimer:
		if l := s.Lineages[t.id]; l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED {
			return Decide{Lineage: l}
		}
	case taskTimer:
		if k := s.Tasks[t.id]; !k.Ended() && !k.Escalated && k.EscalateTo != "" {
			return EscalateTask{Task: k}
		}
	case manifestTimer:
		return s.manifestStep(t)
	case dueTimer:
		if n := s.Notices[t.id]; n.Overdue(t.atMS) {
			return TellLate{Notice: n}
		}
	case meetingTimer:
		if n := s.Notices[t.id]; s.unpromised(n) {
			return CheckMeeting{Notice: n}
		}
	case noticeTimer:
		n := s.Notices[t.id]
		if n.WakeMS != t.atMS {
			return nil
		}
		switch n.Phase {
		case Held:
			return Release{Lineage: s.Lineages[n.Lineage]}
		case Ready, Waiting:
			return Send{Notice: n}
		case Sending:
			return Expire{Notice: n, Attempt: uint32(len(n.Attempts))}
		case Awaiting, Stopped:
			return MoveOn{Notice: n}
		case WithTask, Acknowledged, Delivered, Superseded, Closed, Withdrawn:
			return nil
		}
	}
	return nil
}

// Idle says whether nothing more happens without time passing or a person acting, and nothing waits for its turn to be
// sent.
func (s *State) Idle(nowMS int64) bool { return s.counts[Ready] == 0 && s.Still(nowMS) }

// Still is Idle but for what waits for its turn to be sent. Right after sends were given out that waits for time to pass
// as well: the endpoint is left alone, or has had its share.
func (s *State) Still(nowMS int64) bool {
	if s.counts[Sending] > 0 || len(s.deciding) > 0 {
		return false
	}
	return !slices.ContainsFunc(s.timers, func(t timer) bool { return t.atMS <= nowMS && s.stepOf(t) != nil }) &&
		!slices.ContainsFunc(s.ready, func(t timer) bool { return t.atMS <= nowMS && s.stepOf(t) != nil })
}

type timerKind uint8

const (
	lineageTimer timerKind = iota
	dueTimer               // before what the chain does at the same instant
	noticeTimer
	meetingTimer // after what the chain does, which may give the same to a person
	taskTimer
	manifestTimer
)

// timer is armed by the fold. A notice's timer counts only while it is the notice's own WakeMS.
type timer struct {
	atMS int64
	kind timerKind
	turn uint32 // of those of one instant and kind, whatever came first is first
	id   string
}

// arm sets a timer.
func (s *State) arm(at *timers, t timer) {
	s.armed++
	t.turn = s.armed
	heap.Push(at, t)
}

type timers []timer

func (t timers) due(nowMS int64) bool { return len(t) > 0 && t[0].atMS <= nowMS }

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if t[i].atMS != t[j].atMS {
		return t[i].atMS < t[j].atMS
	}
	if t[i].kind != t[j].kind {
		return t[i].kind < t[j].kind
	}
	return t[i].turn < t[j].turn
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push is for container/heap.
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }

// Pop is for container/heap.
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	*t = old[:len(old)-1]
	return last
}

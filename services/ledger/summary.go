package ledger

import (
	"cmp"
	"fmt"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Summary counts each notice once, by its present state.
type Summary struct {
	Notices      int64
	Acknowledged int64 // a named person has it
	Delivered    int64 // delivered, where no acknowledgement is due
	Held         int64 // waits for its release
	WithPerson   int64 // sent and awaiting that person's acknowledgement, or on a person's task
	Superseded   int64 // replaced by a later decision, or closed by a person with a reason
	Stopped      int64 // was to be sent, and sending is stopped
	Withdrawn    int64 // what it tells of was taken back
	Neither      int64 // none of these: the machine still has to act
	OpenTasks    int64
	Events       int64
	Refused      int64
}

// Summarise counts the notices.
func (s *State) Summarise() Summary {
	c := s.counts
	sum := Summary{
		Notices:      int64(len(s.Notices)),
		Acknowledged: c[Acknowledged],
		Delivered:    c[Delivered],
		Held:         c[Held],
		WithPerson:   c[Awaiting] + c[WithTask],
		Superseded:   c[Superseded] + c[Closed],
		Stopped:      c[Stopped],
		Withdrawn:    c[Withdrawn],
		Neither:      c[Ready] + c[Sending] + c[Waiting],
		Events:       int64(len(s.Events)),
		Refused:      s.Refused,
	}
	for _, t := range s.Tasks {
		if !t.Ended() {
			sum.OpenTasks++
		}
	}
	return sum
}

// String is the summary in one line.
func (s Summary) String() string {
	rare := ""
	if s.Withdrawn > 0 {
		rare = fmt.Sprintf("%d withdrawn, ", s.Withdrawn)
	}
	if s.Stopped > 0 {
		rare += fmt.Sprintf("%d stopped, ", s.Stopped)
	}
	return fmt.Sprintf("notices: %d in all, %d acknowledged, %d delivered, %d held, %d with a person, %d superseded, %s%d without an end or an owner",
		s.Notices, s.Acknowledged, s.Delivered, s.Held, s.WithPerson, s.Superseded, rare, s.Neither)
}

// Overdue lists notices and tasks without an end past their due time, longest overdue first.
func (s *State) Overdue(nowMS int64) []*ledgerv1.Overdue {
	var overdue []*ledgerv1.Overdue
	for _, n := range s.Notices {
		if n.Phase.Ended() || n.DueMs > nowMS {
			continue
		}
		o := &ledgerv1.Overdue{Notice: n.Id, Organisation: n.Organisation, Role: n.Function, DueMs: n.DueMs, State: n.Phase.String()}
		if last := len(n.Attempts); last > 0 { // whoever was sent to last has it now
			o.Organisation, o.Role = n.Attempts[last-1].Organisation, n.Attempts[last-1].Role
		}
		if t := s.Tasks[n.Task]; t != nil {
			o.Task, o.Organisation, o.Role = t.Id, t.Organisation, t.Role
			if s.heldBack[n.Id] != nil {
				o.State = Stopped.String() + ", " + o.State
			}
		}
		overdue = append(overdue, o)
	}
	for _, t := range s.Tasks {
		n := s.Notices[t.Notice] // one without an end is listed already, with its task
		if !t.Ended() && t.DueMS <= nowMS && (n == nil || n.Phase.Ended()) {
			overdue = append(overdue, &ledgerv1.Overdue{
				Notice: t.Notice, Task: t.Id, Organisation: t.Organisation, Role: t.Role, DueMs: t.DueMS, State: t.State.String(),
			})
		}
	}
	slices.SortFunc(overdue, func(a, b *ledgerv1.Overdue) int {
		return cmp.Or(cmp.Compare(a.DueMs, b.DueMs), cmp.Compare(a.Notice, b.Notice), cmp.Compare(a.Task, b.Task))
	})
	return overdue
}

// TasksByDue lists tasks, soonest due first; resolved and settled ones only where all is set.
func (s *State) TasksByDue(all bool) []*Task {
	var tasks []*Task
	for _, t := range s.Tasks {
		if all || !t.Ended() {
			tasks = append(tasks, t)
		}
	}
	slices.SortFunc(tasks, func(a, b *Task) int {
		return cmp.Or(cmp.Compare(a.DueMS, b.DueMS), cmp.Compare(a.Id, b.Id))
	})
	return tasks
}

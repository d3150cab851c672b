package ledger

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The resolutions a person may give a task.
const (
	Matched         = "matched"           // the child is this one
	SettingChosen   = "setting_chosen"    // the child attends these settings
	ToldByTelephone = "told_by_telephone" // a person was told by telephone
	NotOurChild     = "not_our_child"     // another area or agency has the child
	Duplicate       = "duplicate"         // the same as something already dealt with
	NoAction        = "no_action"         // nothing is to be done
	SafeToAsk       = "safe_to_ask"       // those who have what went astray may be asked to delete it
	DoNotAsk        = "do_not_ask"        // they must not be
)

// mayOpen holds a new task against what went before.
func (s *State) mayOpen(t *ledgerv1.Task) error {
	if s.Tasks[t.Id] != nil {
		return s.impossible("opens a task twice", t.Id)
	}
	if err := s.mayMisdirect(t); err != nil {
		return err
	}
	if t.Notice == "" {
		return nil
	}
	n := s.Notices[t.Notice]
	switch {
	case n == nil:
		return s.impossible("opens a task for an unknown notice", t.Notice)
	case n.Phase != WithTask && !n.CameBackAfterEnd() || n.Task != "":
		return s.impossible("opens a task out of turn for notice", t.Notice)
	}
	return nil
}

// Resolutions are those that a task of a kind may be given. A child or a setting answers only the question about it, and
// what nobody was to be told of cannot have been told by telephone.
func Resolutions(kind ledgerv1.TaskKind) []string {
	switch kind {
	case ledgerv1.TaskKind_TASK_KIND_UNMATCHED:
		return []string{Matched, SettingChosen, ToldByTelephone, NotOurChild, Duplicate, NoAction}
	case ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR, ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING:
		return []string{SettingChosen, ToldByTelephone, NotOurChild, Duplicate, NoAction}
	case ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, ledgerv1.TaskKind_TASK_KIND_GAP:
		return []string{ToldByTelephone, NotOurChild, Duplicate, NoAction}
	case ledgerv1.TaskKind_TASK_KIND_QUARANTINED, ledgerv1.TaskKind_TASK_KIND_TEXT_WITHHELD, ledgerv1.TaskKind_TASK_KIND_MANIFEST:
		return []string{Duplicate, NoAction}
	case ledgerv1.TaskKind_TASK_KIND_MISDIRECTION:
		return []string{SafeToAsk, DoNotAsk}
	case ledgerv1.TaskKind_TASK_KIND_UNSPECIFIED:
		return nil
	default:
		return nil
	}
}

func (s *State) taskOpened(t *ledgerv1.Task, atMS int64) error {
	if err := s.mayOpen(t); err != nil {
		return err
	}
	s.opened(t, atMS)
	return nil
}

func (s *State) opened(t *ledgerv1.Task, atMS int64) {
	s.Tasks[t.Id] = &Task{
		Task: t, Organisation: t.Organisation, Role: t.Role, DueMS: t.DueMs, State: TaskOpen, OpenedMS: atMS,
	}
	s.arm(&s.timers, timer{atMS: t.DueMs, kind: taskTimer, id: t.Id})
	if l := s.Lineages[t.Lineage]; l != nil {
		l.Tasks = append(l.Tasks, t.Id)
	}
	if n := s.Notices[t.Notice]; n != nil {
		n.Task = t.Id
	}
	for _, id := range t.Misdirected {
		s.Notices[id].Misdirection = t.Id
	}
}

func (s *State) openTask(id string) (*Task, error) {
	t := s.Tasks[id]
	switch {
	case t == nil:
		return nil, s.impossible("acts on an unknown task", id)
	case t.Ended():
		return nil, s.impossible("acts after the end of task", id)
	}
	return t, nil
}

func (s *State) taskClaimed(f *ledgerv1.TaskClaimed) error {
	t, err := s.openTask(f.Task)
	if err != nil {
		return err
	}
	t.State, t.By = TaskClaimed, f.By
	return nil
}

func (s *State) taskEscalated(f *ledgerv1.TaskEscalated) error {
	t, err := s.openTask(f.Task)
	if err != nil {
		return err
	}
	t.Organisation, t.Role, t.DueMS, t.Escalated = f.Organisation, f.Role, f.DueMs, true
	return nil
}

// Twins are the open tasks that ask somebody else the same question: the publisher's desk and the authority's duty officer
// are both asked who a child is, and one of them finding out is enough.
func (s *State) Twins(t *Task) []*Task {
	l := s.Lineages[t.Lineage]
	if l == nil {
		return nil
	}
	var twins []*Task
	for _, id := range l.Tasks {
		other := s.Tasks[id]
		if other != t && !other.Ended() && other.Kind == t.Kind && other.Child == t.Child && other.Detail == t.Detail {
			twins = append(twins, other)
		}
	}
	return twins
}

func (s *State) taskResolved(f *ledgerv1.TaskResolved, atMS int64) error {
	t, err := s.openTask(f.Task)
	if err != nil {
		return err
	}
	t.State, t.By, t.Resolution = TaskResolved, f.By, f.Resolution
	if n := s.Notices[t.Notice]; n != nil {
		n.Task = ""
		if f.Resolution == ToldByTelephone {
			n.Telephoned = true
			s.end(n, Acknowledged, atMS, f.By)
		} else {
			s.end(n, Closed, atMS, f.By)
		}
	}
	if t.Kind == ledgerv1.TaskKind_TASK_KIND_MISDIRECTION && f.Resolution == SafeToAsk {
		s.ask(t, f.Except, atMS)
	}
	l := s.Lineages[t.Lineage]
	if l == nil {
		return nil
	}
	s.childrenOf(l, atMS)
	switch f.Resolution {
	case Matched:
		if l.Matched == nil {
			l.Matched = map[string]notice.ChildID{}
		}
		l.Matched[t.Child] = notice.ChildID(f.Child)
		s.undecided(l, ledgerv1.Cause_CAUSE_TASK, atMS)
	case SettingChosen:
		if l.Chosen == nil {
			l.Chosen = map[notice.ChildID][]notice.OrgID{}
		}
		chosen := make([]notice.OrgID, len(f.Settings))
		for i, id := range f.Settings {
			chosen[i] = notice.OrgID(id)
		}
		l.Chosen[notice.ChildID(t.Child)] = chosen
		s.undecided(l, ledgerv1.Cause_CAUSE_TASK, atMS)
	}
	return nil
}

package engine

import (
	"fmt"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// suits holds a resolution against the task, the directory and what was published.
func (e *Engine) suits(op string, t *ledger.Task, r *ledgerv1.TaskResolved) error {
	if allowed := ledger.Resolutions(t.Kind); !slices.Contains(allowed, r.Resolution) {
		return invalid(op, "resolution", "a task of this kind may be resolved with %s", strings.Join(allowed, ", "))
	}
	if r.Resolution == ledger.Matched || r.Resolution == ledger.SettingChosen {
		if err := e.mayBeTold(op, t); err != nil {
			return err
		}
	}
	switch r.Resolution {
	case ledger.Matched:
		return e.plausible(op, t, notice.ChildID(r.Child))
	case ledger.SettingChosen:
		return e.attends(op, t, r.Settings)
	case ledger.SafeToAsk:
		return e.excepts(op, t, r.Except)
	default:
		return nil
	}
}

func invalid(op, field, format string, args ...any) error {
	return notice.InvalidFields(op, []notice.FieldFault{{Field: field, Message: fmt.Sprintf(format, args...)}})
}

// mayBeTold refuses an answer that would end the question and tell nobody: every event that reports the child was erased.
func (e *Engine) mayBeTold(op string, t *ledger.Task) error {
	published, erased, err := e.published(t)
	if err != nil || len(published) > 0 || erased == 0 {
		return err
	}
	return invalid(op, "resolution", "the event was erased, and nobody can be told by it any more: telephone whoever must know, and resolve with %s", ledger.ToldByTelephone)
}

// plausible says whether a person may take a published child for one in the directory. As with an identifier, the family
// name or the date of birth has to agree: where both differ a slip of the hand sends a notice about one child to the
// school of another, and it takes a correction of the event.
func (e *Engine) plausible(op string, t *ledger.Task, id notice.ChildID) error {
	snapshot, _ := e.Current()
	known, ok := snapshot.Child(id)
	if !ok || sealed(snapshot, id) { // one answer for both: a sealed child is one nobody knows
		return invalid(op, "child", "no such child in the directory: import the roll that has the child, or check the id")
	}
	published, _, err := e.published(t)
	if err != nil {
		return err
	}
	for _, c := range published {
		if !agrees(c, known) {
			return invalid(op, "child",
				"neither family name nor date of birth is that of the child published: check the id; if the event is wrong, its publisher corrects it")
		}
	}
	return nil
}

func sealed(snapshot *directory.Snapshot, id notice.ChildID) bool {
	return slices.ContainsFunc(snapshot.Restrictions(id), directory.Seals)
}

func agrees(c *eventv1.Child, known *directoryv1.Child) bool {
	family := directory.FoldName(c.Name.GetFamily())
	return c.DateOfBirth == known.DateOfBirth || family != "" && family == directory.FoldName(known.Family)
}

// published are the reports of a task's child that can still be read, and how many were erased.
func (e *Engine) published(t *ledger.Task) (children []*eventv1.Child, erased int, err error) {
	l := e.state.Lineages[t.Lineage]
	if l == nil {
		return nil, 0, nil
	}
	for _, finding := range l.Children {
		i := slices.IndexFunc(l.Sources, func(src *ledgerv1.Source) bool { return src.Event == finding.Event })
		if finding.Child != t.Child || i < 0 {
			continue
		}
		body, err := e.body(e.ctx, l.Sources[i])
		if notice.KindOf(err) == notice.NotFound && err != nil {
			erased++
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		for _, c := range body.Children {
			if c.Ref == finding.Ref {
				children = append(children, c)
			}
		}
	}
	return children, erased, nil
}

// attends holds the settings that a person chose against the task and the directory.
func (e *Engine) attends(op string, t *ledger.Task, settings []string) error {
	snapshot, _ := e.Current()
	if len(settings) == 0 {
		return invalid(op, "settings", "name the settings that the child attends")
	}
	if _, known := snapshot.Child(notice.ChildID(t.Child)); !known && t.Kind == ledgerv1.TaskKind_TASK_KIND_UNMATCHED {
		return invalid(op, "resolution", "the child is not known yet: resolve with matched and the child's id")
	}
	for i, id := range settings {
		field := fmt.Sprintf("settings[%d]", i)
		if _, ok := snapshot.Setting(notice.OrgID(id)); !ok {
			return invalid(op, field, "no such setting in the directory: import the register, or check the id")
		}
		if t.Kind == ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR && !slices.Contains(t.Options, id) {
			return invalid(op, field, "not one of the task's options")
		}
		if l := e.state.Lineages[t.Lineage]; l != nil && l.NotAt[notice.ChildID(t.Child)][notice.OrgID(id)] {
			return invalid(op, field, "this setting has said that the child is not there: choose another")
		}
	}
	return nil
}

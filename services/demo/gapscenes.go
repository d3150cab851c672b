package demo

import (
	"context"
	"fmt"
	"time"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// gapScenes are about what an event leaves out and what did not arrive.
func gapScenes() []scene {
	protobuf := way{intake.Protobuf}
	return []scene{
		{at: uk(time.June, 30, 20, 45), title: "An event that leaves much out", pieces: []piece{{
			file: "51-thin.json", by: protobuf, say: "Police publish an incident with hardly more than must be there. It goes out all the same, at once; they hear what is missing.",
		}}, then: showMissing},
		{at: uk(time.July, 1, 0, 30), title: "What police say they sent", pieces: []piece{{
			file: "52-manifest.json", by: protobuf, say: "Past midnight their system lists the day: one reference, with two children. Two hours later it is held against what came.",
		}}},
		{at: uk(time.July, 1, 2, 35), title: "One child short", pieces: []piece{{
			file: "52-manifest.json", quiet: true, say: "Only one child came: nobody was told of the other. The police desk has a task.",
		}}, then: showManifest},
		{at: uk(time.July, 1, 2, 42), title: "The sibling", pieces: []piece{{
			file: "53-sibling-added.json", by: protobuf, say: "Police correct it: a brother was there too, and what was missing is stated now.",
			kids: map[string]string{"c1": "The child who was reported", "c2": "The brother, 13, at two schools"},
		}}},
		{at: uk(time.July, 1, 2, 55), title: "Nothing is missing any more", pieces: []piece{{
			file: "52-manifest.json", quiet: true, say: "The manifest, compared again: it agrees, and the task has settled itself.",
		}}, then: showManifest},
		{at: uk(time.July, 1, 19, 55), title: "The third time in a fortnight", pieces: []piece{{
			file: "54-third-time.json", by: protobuf, say: "Graded standard, so routine by its grade. It is the child's third incident within 90 days: it goes ahead.",
		}}},
		{at: uk(time.July, 2, 12, 5), title: "No list of the day after", pieces: []piece{{
			file: "52-manifest.json", quiet: true, say: "Police began to send manifests, and none of Wednesday came by noon: a day of which nothing is said must not pass " +
				"unseen. Their desk is asked once.", also: noManifest,
		}}, then: showManifest},
	}
}

// showMissing shows what an event leaves out, as its publisher hears it.
func showMissing(ctx context.Context, s *stage) error {
	feedback, err := s.agencies[police].intake.Feedback(ctx, &intakev1.FeedbackRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	var last *intakev1.Completeness
	for _, change := range feedback.Changes {
		if c := change.GetCompleteness(); c != nil && c.EventId == "np-1301" {
			last = c
		}
	}
	if len(last.GetMissing()) == 0 {
		return fmt.Errorf("demo: the thin event is not fed back")
	}
	fmt.Fprintln(s.out)
	t := table{out: s.out, indent: 3, widths: []int{33, 62}}
	t.row("Left out (one is enough)", "What police are asked to do")
	t.rule()
	for _, m := range last.Missing {
		field := ""
		for i, f := range m.Fields {
			if i > 0 {
				field += "\n"
			}
			field += f
		}
		t.row(field, m.Message)
	}
	return nil
}

// showManifest shows how the latest manifest compares, as its publisher hears it, and whom that asks to do something.
func showManifest(ctx context.Context, s *stage) error {
	feedback, err := s.agencies[police].intake.Feedback(ctx, &intakev1.FeedbackRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	var last *intakev1.ManifestStatus
	for _, change := range feedback.Changes {
		if m := change.GetManifest(); m != nil {
			last = m
		}
	}
	if last == nil {
		return fmt.Errorf("demo: no manifest was compared")
	}
	text := fmt.Sprintf("Compared, the day %s: %d listed", last.Day, last.References)
	if len(last.Differences) == 0 {
		text += ", and nothing differs"
	}
	for _, d := range last.Differences {
		if d.What == ledgerv1.Divergence_DIVERGENCE_NO_MANIFEST {
			text = "The day " + last.Day + ": no manifest came"
			continue
		}
		text += fmt.Sprintf("; %s was sent with %d children, and %d was taken in", d.Subject, d.Listed, d.Taken)
	}
	fmt.Fprintln(s.out)
	paragraph(s.out, 3, text+".")
	tasks, err := s.manifestTasks(ctx)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		item(s.out, 3, "☑", "no task about it is open")
	}
	s.tasksOf(&account{tasks: tasks})
	return nil
}

// manifestTasks are the open tasks about manifests.
func (s *stage) manifestTasks(ctx context.Context) ([]*asked, error) {
	list, err := s.tasks.List(ctx, &taskv1.ListRequest{})
	if err != nil {
		return nil, rpc.Fault(err)
	}
	var tasks []*asked
	for _, t := range list.Items {
		if t.Task.Kind == ledgerv1.TaskKind_TASK_KIND_MANIFEST {
			tasks = append(tasks, &asked{Task: t.Task})
		}
	}
	return tasks, nil
}

func noManifest(ctx context.Context, s *stage, _ *published) (string, error) {
	tasks, err := s.manifestTasks(ctx)
	if err != nil {
		return "", err
	}
	if len(tasks) != 1 {
		return "", fmt.Errorf("demo: %d tasks about a manifest, want the one about the day without any", len(tasks))
	}
	return "The police desk checks its own system: one incident on Wednesday, which the service has. It says so, and the task is done.",
		s.end(ctx, police, tasks[0], &taskv1.ResolveRequest{
			Resolution: ledger.NoAction, Reason: "Our list failed to go out; its one incident is there.",
		})
}

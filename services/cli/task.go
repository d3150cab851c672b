package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

type taskCmd struct {
	List    taskListCmd    `cmd:"" help:"List tasks, soonest due first."`
	Show    taskShowCmd    `cmd:"" help:"Show a task and what it is about. That you were shown it is recorded."`
	Claim   taskClaimCmd   `cmd:"" help:"Say that you work on a task."`
	Resolve taskResolveCmd `cmd:"" help:"End a task, saying what came of it."`
}

func (taskCmd) Help() string {
	return `A task asks a person for what no program may guess: which child is meant, whom to telephone. Each has an owner and a due time, and only its resolution ends it. Overdue, it moves to the next in line. An agency sees its own organisation's tasks, an operator all.`
}

type taskListCmd struct {
	All          bool   `help:"Resolved and settled tasks too."`
	Organisation string `placeholder:"ID" help:"Only the tasks of this organisation."`
	output
	connection
}

func (c *taskListCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, taskv1.NewTaskServiceClient, taskv1.TaskServiceClient.List, &taskv1.ListRequest{All: c.All, Organisation: c.Organisation},
		func(w io.Writer, r *taskv1.ListResponse) error { return printTasks(w, r.GetItems()) })
}

func printTasks(w io.Writer, items []*taskv1.Item) error {
	if len(items) == 0 {
		_, err := fmt.Fprintln(w, "There are no tasks.")
		return err
	}
	t := newTable(w, "TASK", "DUE", "STATE", "OWNER", "ASKS", "ABOUT", "DETAIL")
	for _, item := range items {
		task := item.GetTask()
		t.row(task.GetId(), minute(task.GetDueMs()), taskState(item), task.GetRole()+" of "+task.GetOrganisation(),
			taskAsk(task.GetKind()), orDash(taskAbout(item)), taskDetail(item))
	}
	return t.flush()
}

func taskState(item *taskv1.Item) string {
	state := item.GetState()
	switch {
	case item.GetResolution() != "":
		state = words(item.GetResolution())
	case item.GetOverdue():
		state += ", OVERDUE"
	}
	if item.GetBy() != "" {
		state += " (" + item.GetBy() + ")"
	}
	return state
}

func taskAbout(item *taskv1.Item) string {
	task := item.GetTask()
	switch {
	case task.GetNotice() != "":
		return "notice " + task.GetNotice()
	case task.GetRef() != "" && len(item.GetReferences()) > 0:
		return "child " + task.GetRef() + " of " + strings.Join(item.GetReferences(), ", ")
	case len(item.GetReferences()) > 0:
		return strings.Join(item.GetReferences(), ", ")
	case task.GetRef() != "":
		return "child " + task.GetRef() + " of " + task.GetLineage()
	default:
		return task.GetLineage()
	}
}

func taskDetail(item *taskv1.Item) string {
	detail := item.GetTask().GetDetail()
	if options := item.GetTask().GetOptions(); len(options) > 0 {
		detail = strings.TrimPrefix(detail+"; choose from "+strings.Join(options, ", "), "; ")
	}
	return detail
}

type taskClaimCmd struct {
	ID string `arg:"" help:"The task, as in task list."`
	connection
}

func (c *taskClaimCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := call(ctx, l, taskv1.NewTaskServiceClient(l.conn).Claim, &taskv1.ClaimRequest{Task: c.ID}); err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Task %s is yours (%s).\n", c.ID, l.who.peer.Name)
	return nil
}

type taskResolveCmd struct {
	ID       string   `arg:"" help:"The task, as in task list."`
	As       string   `required:"" placeholder:"RESOLUTION" enum:"matched,setting_chosen,told_by_telephone,not_our_child,duplicate,no_action,safe_to_ask,do_not_ask" help:"What came of it: matched, setting_chosen, told_by_telephone, not_our_child, duplicate or no_action; of a misdirection safe_to_ask or do_not_ask."`
	Reason   string   `required:"" placeholder:"TEXT" help:"Why, in words, up to 2000 characters. Kept apart from the ledger, where it can be erased."`
	Child    string   `placeholder:"ID" help:"With matched: the child's id in the directory."`
	Setting  []string `placeholder:"ID" help:"With setting_chosen: a setting, such as gias:900101. Again for each."`
	Except   []string `placeholder:"ID" help:"With safe_to_ask: an organisation that is not to be asked. Again for each."`
	Answered string   `placeholder:"NAME" help:"With told_by_telephone: who answered and was told. Kept with the reason."`
	Verified string   `placeholder:"TEXT" help:"With told_by_telephone: how you made sure who it was. Kept with the reason."`
	connection
}

func (taskResolveCmd) Help() string {
	return `For example:

    signalbox task resolve 0k3v9q2m7x4b8n1c5d6f --as matched --child 7h2p... --reason "Same address; checked with the school."
    signalbox task resolve 0k3v9q2m7x4b8n1c5d6f --as setting_chosen --setting gias:900101 --reason "The parent said so."
    signalbox task resolve 0k3v9q2m7x4b8n1c5d6f --as told_by_telephone --answered "Jo Marsh" --verified "Called the school's own number" --reason "Told at 08:10; will see the child before registration."
    signalbox task resolve 0k3v9q2m7x4b8n1c5d6f --as safe_to_ask --except gias:900101 --reason "Checked with the officer in the case."

After matched and setting_chosen routing decides again, and whoever must be told is told. A telephone call counts as the acknowledgement of its notice. After safe_to_ask everybody who has the notice is asked to delete it; such a request can tip somebody off, so be certain of each.`
}

// Validate says what goes together before anything is asked of the service.
func (c *taskResolveCmd) Validate() error {
	switch {
	case c.As == ledger.Matched && c.Child == "":
		return fmt.Errorf("--as matched needs --child: the child's id in the directory")
	case c.As != ledger.Matched && c.Child != "":
		return fmt.Errorf("--child goes with --as matched only")
	case c.As == ledger.SettingChosen && len(c.Setting) == 0:
		return fmt.Errorf("--as setting_chosen needs --setting: at least one")
	case c.As == ledger.ToldByTelephone && (c.Answered == "" || c.Verified == ""):
		return fmt.Errorf("--as told_by_telephone needs --answered and --verified: who was told, and how you made sure who it was")
	case c.As != ledger.ToldByTelephone && (c.Answered != "" || c.Verified != ""):
		return fmt.Errorf("--answered and --verified go with --as told_by_telephone only")
	case c.As != ledger.SettingChosen && len(c.Setting) > 0:
		return fmt.Errorf("--setting goes with --as setting_chosen only")
	case c.As != ledger.SafeToAsk && len(c.Except) > 0:
		return fmt.Errorf("--except goes with --as safe_to_ask only")
	}
	return c.connection.Validate()
}

func (c *taskResolveCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	_, err = call(ctx, l, taskv1.NewTaskServiceClient(l.conn).Resolve, &taskv1.ResolveRequest{
		Task: c.ID, Resolution: c.As, Reason: c.Reason, Child: c.Child, Settings: c.Setting, Except: c.Except,
		Answered: c.Answered, Verified: c.Verified,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Task %s is resolved: %s.\n", c.ID, words(c.As))
	return nil
}

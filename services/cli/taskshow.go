package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

type taskShowCmd struct {
	ID string `arg:"" help:"The task, as in task list."`
	output
	connection
}

func (taskShowCmd) Help() string {
	return `The agency that published, and operators, see the event as it was published. A local authority sees what it takes to find the child: identifiers, address, what the officer's form says. Names are shown: mind who reads your screen.

    signalbox task show 7q2km4zd90xa8f1c3n5p`
}

func (c *taskShowCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, taskv1.NewTaskServiceClient, taskv1.TaskServiceClient.Show, &taskv1.ShowRequest{Task: c.ID}, printTask)
}

func printTask(w io.Writer, shown *taskv1.ShowResponse) error {
	item, task := shown.GetItem(), shown.GetItem().GetTask()
	t := newTable(w)
	t.row("task", task.GetId())
	t.row("asks", taskAsk(task.GetKind())+": "+task.GetDetail())
	t.row("owner", task.GetRole()+" of "+task.GetOrganisation())
	t.row("due", minute(task.GetDueMs()))
	t.row("state", taskState(item))
	if about := taskAbout(item); about != "" {
		t.row("about", about)
	}
	if options := task.GetOptions(); len(options) > 0 {
		t.row("choose from", strings.Join(options, ", "))
	}
	if !strings.HasPrefix(item.GetState(), "resolved") {
		t.row("resolve with", strings.Join(ledger.Resolutions(task.GetKind()), ", "))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := printHolders(w, shown.GetHolders()); err != nil {
		return err
	}
	for _, ev := range shown.GetEvents() {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		fields := newTable(w)
		eachField("", ev.ProtoReflect(), func(path, value string) { fields.row(path, value) })
		if err := fields.flush(); err != nil {
			return err
		}
	}
	if err := printCall(w, shown); err != nil {
		return err
	}
	if len(shown.GetEvents()) == 0 {
		_, err := fmt.Fprintln(w, "\nThere is no event to show: it was erased, or the task is about none that could be read.")
		return err
	}
	return nil
}

// printCall prints whom to telephone, and what to say.
func printCall(w io.Writer, shown *taskv1.ShowResponse) error {
	if len(shown.GetScript()) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nTelephone:")
	if len(shown.GetNumbers()) == 0 {
		fmt.Fprintln(w, "The directory has no number that may be called. Find one where the organisation itself publishes it.")
	} else {
		t := newTable(w, "NUMBER", "NAME", "ROLE", "ORGANISATION", "WHEN", "CONFIRMED")
		for _, n := range shown.GetNumbers() {
			t.row(n.GetNumber(), orDash(n.GetName()), n.GetRole(), n.GetOrganisationName(), words(n.GetUse()), orDash(n.GetVerifiedOn()))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	for i, line := range shown.GetScript() {
		fmt.Fprintf(w, "%d. %s\n", i+1, line)
	}
	return nil
}

// eachField calls fn with the path and value of every field that is set, in the order of the contract.
func eachField(path string, m protoreflect.Message, fn func(path, value string)) {
	if at, ok := m.Interface().(*timestamppb.Timestamp); ok {
		fn(path, minute(at.AsTime().Round(time.Millisecond).UnixMilli()))
		return
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) {
			continue
		}
		name := strings.TrimPrefix(path+"."+f.TextName(), ".")
		if !f.IsList() {
			eachValue(name, f, m.Get(f), fn)
			continue
		}
		list := m.Get(f).List()
		for j := range list.Len() {
			eachValue(fmt.Sprintf("%s[%d]", name, j), f, list.Get(j), fn)
		}
	}
}

func eachValue(path string, f protoreflect.FieldDescriptor, v protoreflect.Value, fn func(path, value string)) {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		eachField(path, v.Message(), fn)
	case protoreflect.EnumKind:
		value := fmt.Sprint(v.Enum())
		if known := f.Enum().Values().ByNumber(v.Enum()); known != nil {
			value = words(strings.ToLower(strings.TrimPrefix(string(known.Name()), enumPrefix(f.Enum()))))
		}
		fn(path, value)
	default:
		fn(path, plain(v.String()))
	}
}

// enumPrefix is what the names of an enum's values begin with: that of its zero, without UNSPECIFIED.
func enumPrefix(e protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(e.Values().ByNumber(0).Name()), "UNSPECIFIED")
}

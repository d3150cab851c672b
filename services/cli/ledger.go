package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

type ledgerCmd struct {
	Timeline timelineCmd `cmd:"" help:"Every fact about an event, a notice, a task or a lineage, oldest first."`
	Search   searchCmd   `cmd:"" help:"Notices by reference, organisation, child, state, time and more, newest first."`
	Verify   verifyCmd   `cmd:"" help:"Read the whole ledger from its first fact and check that everything in it holds."`
	Overdue  overdueCmd  `cmd:"" help:"Notices and tasks past their due time, longest overdue first."`
	Failing  failingCmd  `cmd:"" help:"Contacts whose mail comes back, with the last code and since when."`
	Summary  summaryCmd  `cmd:"" help:"Count every notice once, by its present state."`
	Missing  missingCmd  `cmd:"" help:"Children missing, in police protection or in custody, by reference."`

	Completeness completenessCmd `cmd:"" help:"Count what publishers left out of their events, by agency, kind and field."`
}

func (ledgerCmd) Help() string {
	return `The ledger holds what happened: what came in, who was to be told and why, every attempt, every acknowledgement. It holds ids and codes, no names.`
}

type timelineCmd struct {
	Event   string `xor:"of" placeholder:"AGENCY/ID" help:"An event, by its publisher and its id there."`
	Notice  string `xor:"of" placeholder:"ID" help:"A notice."`
	Task    string `xor:"of" placeholder:"ID" help:"A task."`
	Lineage string `xor:"of" placeholder:"ID" help:"All events about one thing, and what followed."`
	output
	connection
}

func (timelineCmd) Help() string {
	return `Name one of the four. For example:

    signalbox ledger timeline --event kestrel-vale-police/kvpd-2026-114502-1
    signalbox ledger timeline --notice 0k3v9q2m7x4b8n1c5d6f

Times are UK time, GMT or BST.`
}

func (c *timelineCmd) request() (*ledgerv1.TimelineRequest, error) {
	switch {
	case c.Event != "":
		agency, id, ok := strings.Cut(c.Event, "/")
		if !ok || agency == "" || id == "" {
			return nil, usagef("--event must be AGENCY/ID, such as kestrel-vale-police/kvpd-2026-114502-1")
		}
		return &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Event{Event: &ledgerv1.EventRef{Agency: agency, Id: id}}}, nil
	case c.Notice != "":
		return &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Notice{Notice: c.Notice}}, nil
	case c.Task != "":
		return &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Task{Task: c.Task}}, nil
	case c.Lineage != "":
		return &ledgerv1.TimelineRequest{Of: &ledgerv1.TimelineRequest_Lineage{Lineage: c.Lineage}}, nil
	default:
		return nil, usagef("name what to show: --event, --notice, --task or --lineage with a value")
	}
}

func (c *timelineCmd) Run(ctx context.Context, e *env) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Timeline, request,
		func(w io.Writer, r *ledgerv1.TimelineResponse) error { return printTimeline(w, r.GetFacts()) })
}

type verifyCmd struct {
	output
	connection
}

func (verifyCmd) Help() string {
	return `A long ledger takes a while: wait longer with --timeout 10m. The status is 1 where anything does not hold.`
}

func (c *verifyCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, ledgerv1.NewLedgerServiceClient(l.conn).Verify, &ledgerv1.VerifyRequest{})
	if err != nil {
		return err
	}
	if c.json() {
		err = printJSON(e.Out, response)
	} else {
		printVerdict(e, response)
	}
	if err == nil && len(response.GetFaults()) > 0 {
		return errReported
	}
	return err
}

func printVerdict(e *env, r *ledgerv1.VerifyResponse) {
	read := fmt.Sprintf("%s in %s", plural(r.GetFacts(), "fact", "facts"), plural(r.GetPacks(), "pack", "packs"))
	if len(r.GetFaults()) == 0 {
		fmt.Fprintf(e.Out, "The ledger holds: %s read, no fault.\n", read)
		return
	}
	fmt.Fprintf(e.Out, "The ledger does not hold: %s read, %s:\n", read, countFaults(len(r.GetFaults())))
	for _, fault := range r.GetFaults() {
		fmt.Fprintf(e.Out, "  %s\n", plain(fault))
	}
}

type overdueCmd struct {
	output
	connection
}

func (c *overdueCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, ledgerv1.NewLedgerServiceClient(l.conn).Overdue, &ledgerv1.OverdueRequest{})
	switch {
	case err != nil:
		return err
	case c.json():
		return printJSON(e.Out, response)
	}
	printStopped(e, response.GetStops())
	if len(response.GetOverdue()) == 0 {
		fmt.Fprintln(e.Out, "Nothing is overdue.")
		return nil
	}
	t := newTable(e.Out, "DUE", "OWNER", "ROLE", "STATE", "NOTICE", "TASK")
	for _, o := range response.GetOverdue() {
		t.row(minute(o.GetDueMs()), o.GetOrganisation(), o.GetRole(), o.GetState(), orDash(o.GetNotice()), orDash(o.GetTask()))
	}
	return t.flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type summaryCmd struct {
	output
	connection
}

func (c *summaryCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Summary, &ledgerv1.SummaryRequest{},
		func(w io.Writer, r *ledgerv1.SummaryResponse) error {
			printSummary(e, r)
			return nil
		})
}

func printSummary(e *env, r *ledgerv1.SummaryResponse) {
	printStopped(e, r.GetStops())
	fmt.Fprintln(e.Out, ledger.Summary{
		Notices: r.GetNotices(), Acknowledged: r.GetAcknowledged(), Delivered: r.GetDelivered(), Held: r.GetHeld(),
		WithPerson: r.GetWithPerson(), Superseded: r.GetSuperseded(), Stopped: r.GetStopped(), Withdrawn: r.GetWithdrawn(),
		Neither: r.GetWithoutEndOrOwner(),
	})
	fmt.Fprintf(e.Out, "events: %d accepted, %d refused\n", r.GetEvents(), r.GetRefused())
	fmt.Fprintf(e.Out, "tasks: %s open\n", strconv.FormatInt(r.GetOpenTasks(), 10))
	if r.GetIdle() {
		fmt.Fprintln(e.Out, "idle: nothing more happens without time passing or a person acting")
	}
}

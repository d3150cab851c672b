package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
)

type replayCmd struct {
	Agency  string `required:"" placeholder:"ID" help:"The agency that published."`
	Event   string `placeholder:"ID" help:"One event, by its publisher's id."`
	From    string `placeholder:"TIME" help:"Events taken in from this instant on, RFC 3339 with an offset, such as 2026-11-03T21:15:00Z."`
	To      string `placeholder:"TIME" help:"And before this one. At most 31 days."`
	Kind    string `placeholder:"KIND" help:"Only events of this kind, such as encompass.incident."`
	Force   bool   `help:"Send again also what has ended: acknowledged, delivered, closed. Each is marked as sent again."`
	Confirm string `placeholder:"DIGEST" help:"Carry out the plan that a dry run showed, with this digest."`
	Reason  string `placeholder:"TEXT" help:"Why, in words, up to 2000 characters; required with --confirm. Kept apart from the ledger, where it can be erased."`
	output
	connection
}

func (replayCmd) Help() string {
	return `Without --confirm this is a dry run: it says what a decision with the directory, the policy and the time of now would change, and ends with a digest. Nothing is recorded or sent.

    signalbox replay --agency kestrel-vale-police --event kvpd-2026-114502-1
    signalbox replay --agency kestrel-vale-police --from 2026-11-03T08:00:00Z --to 2026-11-03T18:00:00Z
    signalbox replay --agency kestrel-vale-police --event kvpd-2026-114502-1 --confirm 3f9c0a51d2e47b68 --reason "The school was not in the directory."

Where the world has changed since the dry run, nothing is done and the new plan is shown; the status is 1. What has ended is never sent again without --force, and what is under way is never doubled.`
}

// selection is which events the command line names.
func (c *replayCmd) selection() (*replayv1.Selection, error) {
	sel := &replayv1.Selection{Agency: c.Agency, Event: c.Event, Kind: c.Kind, Force: c.Force}
	switch {
	case c.Event != "" && (c.From != "" || c.To != ""), c.Event == "" && (c.From == "" || c.To == ""):
		return nil, usagef("name one event with --event, or a span of time with --from and --to")
	case c.Confirm != "" && strings.TrimSpace(c.Reason) == "":
		return nil, usagef("say why with --reason: it is kept with the replay")
	case c.Event != "":
		return sel, nil
	}
	for _, t := range []struct {
		flag, value string
		into        **timestamppb.Timestamp
	}{{"--from", c.From, &sel.From}, {"--to", c.To, &sel.Until}} {
		at, err := time.Parse(time.RFC3339, t.value)
		if err != nil {
			return nil, usagef("%s must be an RFC 3339 time with an offset, such as 2026-11-03T21:15:00Z", t.flag)
		}
		*t.into = timestamppb.New(at)
	}
	return sel, nil
}

func (c *replayCmd) Run(ctx context.Context, e *env) error {
	sel, err := c.selection()
	if err != nil {
		return err
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	client := replayv1.NewReplayServiceClient(l.conn)
	if c.Confirm == "" {
		response, err := call(ctx, l, client.Plan, &replayv1.PlanRequest{Selection: sel})
		switch {
		case err != nil:
			return err
		case c.json():
			return printJSON(e.Out, response)
		}
		return printPlan(e.Out, response.GetPlan(), false)
	}
	response, err := call(ctx, l, client.Confirm, &replayv1.ConfirmRequest{Selection: sel, Digest: c.Confirm, Reason: c.Reason})
	switch {
	case err != nil:
		return err
	case c.json():
		err = printJSON(e.Out, response)
	default:
		if !response.GetDone() {
			fmt.Fprintln(e.Out, "NOTHING WAS DONE: a replay would do something else now than the plan with this digest. It would be:")
		}
		err = printPlan(e.Out, response.GetPlan(), response.GetDone())
	}
	if err == nil && !response.GetDone() {
		return errReported
	}
	return err
}

// printPlan says what a replay does, or did.
func printPlan(w io.Writer, plan *replayv1.Plan, done bool) error {
	for _, l := range plan.GetLineages() {
		changes := ""
		if !l.GetChanges() {
			changes = ": nothing would change"
		}
		fmt.Fprintf(w, "%s %s, taken in %s (lineage %s)%s\n", plain(l.GetKind()), plain(l.GetReference()), minute(l.GetAtMs()), l.GetLineage(), changes)
		t := newTable(w)
		for _, item := range l.GetItems() {
			t.row("  "+whatText(item.GetWhat()), listed(item.GetOrganisation(), words(item.GetFunction())), item.GetId(), orDash(item.GetRule()), itemDetail(item))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	for _, s := range plan.GetSkipped() {
		fmt.Fprintf(w, "left out: lineage %s: %s\n", s.GetLineage(), plain(s.GetReason()))
	}
	switch {
	case done:
		fmt.Fprintf(w, "carried out: plan %s\n", plan.GetDigest())
	case plan.GetDigest() == "":
		fmt.Fprintln(w, "dry run: a replay would change nothing")
	default:
		fmt.Fprintf(w, "dry run: nothing was recorded or sent. To carry it out: --confirm %s --reason TEXT\n", plan.GetDigest())
	}
	return nil
}

func whatText(what replayv1.What) string {
	switch what {
	case replayv1.What_WHAT_NEW:
		return "new"
	case replayv1.What_WHAT_KEPT:
		return "kept"
	case replayv1.What_WHAT_SUPERSEDED:
		return "superseded"
	case replayv1.What_WHAT_LEFT:
		return "ended, left"
	case replayv1.What_WHAT_REPEATED:
		return "SENT AGAIN"
	case replayv1.What_WHAT_TASK:
		return "for a person"
	case replayv1.What_WHAT_TASK_SETTLED:
		return "task settled"
	case replayv1.What_WHAT_BEFORE_TERM:
		return "before term"
	case replayv1.What_WHAT_UNSPECIFIED:
		return "something else"
	default:
		return "something else"
	}
}

func itemDetail(item *replayv1.Item) string {
	due := ""
	if item.GetDueMs() > 0 {
		due = "by " + minute(item.GetDueMs())
	}
	lane := ""
	if item.GetLane() > 0 {
		lane = enumName(item.GetLane(), "LANE_") + " lane"
	}
	return strings.Join(strings.FieldsFunc(strings.Join([]string{due, lane, item.GetState(), item.GetReason()}, "\x00"), func(r rune) bool { return r == 0 }), "; ")
}

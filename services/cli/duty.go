package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
)

type dutyCmd struct {
	Organisation string `arg:"" help:"The organisation or setting, such as ashmere-council or gias:900101."`
	Role         string `placeholder:"ROLE" help:"One role, such as duty. Without it every role."`
	From         string `placeholder:"DATE" help:"The first day, YYYY-MM-DD. Without it today."`
	Days         int32  `default:"7" help:"How many days, at most 62."`
	output
	connection
}

func (dutyCmd) Help() string {
	return `Shows whom a notice for a role goes to, from when until when, and why: by the rota, swaps counted, by office hours or out of hours. A GAP is a time in which nobody is on duty; whoever is named gets the notice all the same. While a school or setting is on holiday, by its own calendar, its holiday contacts are shown: an Operation Encompass notice goes to them. For example:

    signalbox directory duty ashmere-council --role duty
    signalbox directory duty ashmere-council --from 2026-12-21 --days 14 --output json`
}

func (c *dutyCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := directoryv1.NewDirectoryServiceClient(l.conn).Duty(ctx, &directoryv1.DutyRequest{
		Organisation: c.Organisation, Role: c.Role, From: c.From, Days: c.Days,
	})
	switch {
	case err != nil:
		return l.fault(err)
	case c.json():
		return printJSON(e.Out, response)
	case len(response.GetSpans()) == 0:
		fmt.Fprintln(e.Out, "The organisation has no contact and no rota.")
		return errReported
	default:
		return printDuty(e.Out, response.GetSpans())
	}
}

// printDuty writes a line for each span, and one below for whoever is on the rota and cannot be sent to.
func printDuty(w io.Writer, spans []*directoryv1.DutySpan) error {
	t := newTable(w, "ROLE", "FROM", "UNTIL", "WHO", "WHY")
	for _, s := range spans {
		who := s.GetName() + " (" + s.GetContact() + ")"
		if s.GetContact() == "" {
			who = "NOBODY"
		}
		t.row(s.GetRole(), minute(s.GetFromMs()), minute(s.GetUntilMs()), who, dutyText(s))
		for _, p := range s.GetPassed() {
			t.row("", "", "", "  not "+p.GetContact(), p.GetReason())
		}
	}
	return t.flush()
}

func dutyText(s *directoryv1.DutySpan) string {
	why := map[directoryv1.DutyWhy]string{
		directoryv1.DutyWhy_DUTY_WHY_SHIFT:        "on the rota",
		directoryv1.DutyWhy_DUTY_WHY_SWAP:         "on the rota, in place of " + s.GetInsteadOf(),
		directoryv1.DutyWhy_DUTY_WHY_OFFICE_HOURS: "office hours",
		directoryv1.DutyWhy_DUTY_WHY_OUT_OF_HOURS: "out of hours",
		directoryv1.DutyWhy_DUTY_WHY_HOLIDAY:      "holiday contact",
		directoryv1.DutyWhy_DUTY_WHY_NO_SHIFT:     "nobody has a shift",
		directoryv1.DutyWhy_DUTY_WHY_OFF_DUTY:     "nobody is on duty",
		directoryv1.DutyWhy_DUTY_WHY_NOBODY:       "no contact can be sent to",
	}[s.GetWhy()]
	switch {
	case !s.GetHoliday(), s.GetWhy() == directoryv1.DutyWhy_DUTY_WHY_HOLIDAY: // says it
	case s.GetContact() == "":
		why = "no holiday contact can be sent to"
	default:
		why = "holiday contacts: " + why
	}
	if s.GetGap() {
		return "GAP: " + why
	}
	return why
}

type swapCmd struct {
	Organisation string `arg:"" help:"The organisation or setting."`
	Role         string `arg:"" help:"The role, such as duty."`
	Contact      string `arg:"" help:"Who comes in: the id of a confirmed contact of the role."`
	From         string `required:"" placeholder:"TIME" help:"From when, UK time: \"YYYY-MM-DD HH:MM\". In the hour that comes twice add BST or GMT."`
	Until        string `required:"" placeholder:"TIME" help:"Until when."`
	InsteadOf    string `placeholder:"CONTACT" help:"Whose shifts are taken over. Without it: whoever has one then, or nobody."`
	DryRun       bool   `help:"Say what would change, and change nothing."`
	output
	connection
}

func (swapCmd) Help() string {
	return `The rota keeps the shifts as they were, and the swap beside them. It counts from the next send on, also for what was decided before, and stays when the rota is imported again. To undo it, swap back: name the two contacts the other way round. For example:

    signalbox directory swap ashmere-council duty contacts/edt-holm --from "2026-06-18 20:00" --until "2026-06-19 08:00" --instead-of contacts/edt-pike
    signalbox directory duty ashmere-council --role duty --from 2026-06-18 --days 2`
}

// Run imports a rota of the one swap: a swap is a generation of the directory like any other change.
func (c *swapCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	_ = w.WriteAll([][]string{ // into memory: it cannot fail
		{"organisation", "role", "kind", "contact", "from", "until", "instead_of"},
		{c.Organisation, c.Role, "swap", c.Contact, c.From, c.Until, c.InsteadOf},
	})
	send := importCmd{Format: importer.Rota, File: "-", DryRun: c.DryRun}
	result, err := send.send(ctx, l, &file, &progress{})
	switch {
	case err != nil:
		return err
	case c.json():
		err = printJSON(e.Out, result)
	default:
		printSwap(e.Out, result, c.DryRun)
	}
	if err == nil && len(result.GetFaults()) > 0 {
		return errReported
	}
	return err
}

func printSwap(w io.Writer, r *directoryv1.ImportResult, dry bool) {
	for _, fault := range r.GetFaults() {
		fmt.Fprintf(w, "%s\n", plain(fault.GetColumn()+": "+fault.GetMessage()))
	}
	switch {
	case len(r.GetFaults()) > 0:
		fmt.Fprintln(w, "Nothing was changed.")
	case len(r.GetChanges()) == 0:
		fmt.Fprintln(w, "The rota has this swap already; nothing was changed.")
	case dry:
		fmt.Fprintln(w, "dry run: the swap is possible; nothing was changed")
	default:
		fmt.Fprintf(w, "swapped; in force as generation %d of the directory\n", r.GetGeneration())
	}
}

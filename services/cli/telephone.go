package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type telephoneCmd struct {
	Import telephoneImportCmd `cmd:"" help:"Import a file of calls: all rows or none, and the same file twice changes nothing."`
	List   telephoneListCmd   `cmd:"" help:"List the calls that still wait for something, and for what."`
}

func (telephoneCmd) Help() string {
	return `Each call that was made while the system was down is a row of a CSV file; the form for it is in the offline list (signalbox offline open), its columns are in docs/formats.md.

    signalbox telephone import calls.csv --dry-run
    signalbox telephone import calls.csv
    signalbox telephone list

A call ends the notices that it told of, and what was to be sent of them is not sent. It may be imported before its event has come: the notice then ends when it is decided. A correction that came after the call is sent all the same.`
}

type telephoneImportCmd struct {
	File   string `arg:"" help:"The file. - is the input."`
	DryRun bool   `help:"Say what each call would end, or wait for, and take nothing in."`
	output
	connection
}

// largestCalls is what one request holds.
const largestCalls = 512 << 10

func (c *telephoneImportCmd) Run(ctx context.Context, e *env) error {
	data, _, err := openFile(e.In, c.File)
	if err != nil {
		return err
	}
	defer data.Close()
	file, err := io.ReadAll(io.LimitReader(data, largestCalls+1))
	if err != nil || len(file) > largestCalls {
		return notice.Faultf(notice.Invalid, "cli.telephone", "the file cannot be read, or is larger than 512 KiB: split it")
	}
	return ask(ctx, e, c, telephonev1.NewTelephoneServiceClient, telephonev1.TelephoneServiceClient.Import, &telephonev1.ImportRequest{File: file, DryRun: c.DryRun},
		func(w io.Writer, r *telephonev1.ImportResponse) error {
			return printCalls(w, r.GetCalls(), c.DryRun)
		})
}

// printCalls says what became of each row, or would.
func printCalls(w io.Writer, calls []*telephonev1.Call, dry bool) error {
	t := newTable(w, "LINE", "ORGANISATION", "TOLD OF", "WHEN", "COMES TO")
	fresh, ended, waiting := 0, 0, 0
	for _, c := range calls {
		if !c.GetKnown() {
			fresh++
			ended += len(c.GetEnded())
		}
		if c.GetWaitsFor() != "" {
			waiting++
		}
		t.row(fmt.Sprint(c.GetLine()), c.GetEntry().GetOrganisation(), toldOf(c.GetEntry()), minute(c.GetEntry().GetToldMs()), comesTo(c))
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, %d of them new, ending %s; %d waiting\n", plural(int64(len(calls)), "call", "calls"), fresh,
		plural(int64(ended), "notice", "notices"), waiting)
	if dry {
		fmt.Fprintln(w, "dry run: nothing was taken in")
	}
	return nil
}

func comesTo(c *telephonev1.Call) string {
	var parts []string
	if c.GetKnown() {
		parts = append(parts, "taken in before")
	}
	if len(c.GetEnded()) > 0 {
		parts = append(parts, "ends "+strings.Join(c.GetEnded(), ", "))
	}
	if c.GetWaitsFor() != "" {
		parts = append(parts, "waits for "+c.GetWaitsFor())
	}
	if len(parts) == 0 {
		return "nothing: what it told of has ended"
	}
	return strings.Join(parts, "; ")
}

type telephoneListCmd struct {
	All bool `help:"Also the calls that have ended what they were about."`
	output
	connection
}

func (c *telephoneListCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, telephonev1.NewTelephoneServiceClient(l.conn).List, &telephonev1.ListRequest{All: c.All})
	switch {
	case err != nil:
		return err
	case c.json():
		return printJSON(e.Out, response)
	case len(response.GetCalls()) == 0 && c.All:
		fmt.Fprintln(e.Out, "No call was imported.")
		return nil
	case len(response.GetCalls()) == 0:
		fmt.Fprintln(e.Out, "No call waits for anything.")
		return nil
	}
	t := newTable(e.Out, "CALLED", "IMPORTED", "BY", "AGENCY", "ORGANISATION", "TOLD OF", "COMES TO", "WRITTEN DOWN")
	for _, c := range response.GetCalls() {
		c.Known = false // every one of them was
		t.row(minute(c.GetEntry().GetToldMs()), minute(c.GetImportedMs()), c.GetEntry().GetBy(), c.GetEntry().GetAgency(),
			c.GetEntry().GetOrganisation(), toldOf(c.GetEntry()), comesTo(c), orDash(c.GetStatement()))
	}
	return t.flush()
}

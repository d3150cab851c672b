package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// policyFormat is the one format that is not a file of rows.
const policyFormat = "policy"

type directoryCmd struct {
	Import   importCmd   `cmd:"" help:"Import a file, as a diff: all or nothing, and the same file twice changes nothing."`
	Show     showCmd     `cmd:"" help:"Show rows of the directory."`
	Coverage coverageCmd `cmd:"" help:"Count, by area and kind, the settings and organisations that a notice can be sent to, and name the others."`
	Duty     dutyCmd     `cmd:"" help:"Show who is on duty in an organisation: a week of it, with its gaps."`
	Swap     swapCmd     `cmd:"" help:"Have one contact take another's place on the rota for a time."`
}

type importCmd struct {
	Format string `arg:"" enum:"${formats}" help:"What the file is: ${formatlist}. docs/formats.md has the columns."`
	File   string `arg:"" help:"The file. - is the input."`
	Source string `placeholder:"NAME" help:"Where the rows come from, for pupil-roll, network and contacts: 2 to 39 lower-case letters, digits and hyphens, the same each time; for ods the report, such as epraccur."`
	Owner  string `placeholder:"ID" help:"Whose an iCalendar file is: the organisation of a rota; the setting, or the GSS code of the authority, of term dates."`
	Role   string `placeholder:"ROLE" help:"The role of a rota in iCalendar, such as duty."`
	DryRun bool   `help:"Say what would change, and change nothing."`
	Force  bool   `help:"Import even where more than a tenth of the rows would be removed or re-addressed."`
	output
	connection
}

func (importCmd) Help() string {
	return `A bad row is named by line and column and left out; the good ones are taken, and what the directory held for a bad row stays. A file that is bad as a whole is refused. Import in the order of the formats above: each refers to those before it.

    signalbox directory import areas areas.csv
    signalbox directory import gias edubasealldata20261102.csv --dry-run
    signalbox directory import pupil-roll roll.csv --source ashmere-roll
    signalbox directory import term-dates terms.ics --owner E09000901
    signalbox directory import rota edt.ics --owner ashmere-council --role duty
    signalbox directory import policy policy.yaml

The status is 1 where the file was refused or a row was left out.`
}

func (c *importCmd) Run(ctx context.Context, e *env) error {
	data, size, err := openFile(e.In, c.File)
	if err != nil {
		return err
	}
	defer data.Close()
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	progress := newProgress(e.Err, size)
	result, err := c.send(ctx, l, data, progress)
	progress.done()
	switch {
	case err != nil:
		return err
	case c.json():
		err = printJSON(e.Out, result)
	default:
		printImport(e.Out, result, c.DryRun)
	}
	if err == nil && len(result.GetFaults()) > 0 {
		return errReported
	}
	return err
}

func openFile(in io.Reader, path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(in), -1, nil
	}
	const op = "cli.openFile"
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, notice.Faultf(notice.NotFound, op, "the file cannot be read: %w", err)
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		_ = f.Close()
		return nil, 0, notice.Faultf(notice.Invalid, op, "%s is not a file", path)
	}
	return f, info.Size(), nil
}

// chunk is how many bytes go in one message.
const chunk = 64 << 10

// send hands the file over in chunks while it reads what the service says of it.
func (c *importCmd) send(ctx context.Context, l link, data io.Reader, progress *progress) (*directoryv1.ImportResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := directoryv1.NewDirectoryServiceClient(l.conn).Import(ctx)
	if err != nil {
		return nil, l.fault(err)
	}
	name := filepath.Base(c.File)
	if c.File == "-" {
		name = "input"
	}
	header := &directoryv1.ImportHeader{
		Format: c.Format, Name: name, Source: c.Source, DryRun: c.DryRun, Force: c.Force, Owner: c.Owner, Role: c.Role,
	}
	var sending errgroup.Group
	sending.Go(func() error {
		err := sendFile(stream, header, data, progress)
		if err != nil {
			cancel() // the service waits for the rest, and we for the service
		}
		return err
	})
	result, err := receiveResult(l, stream, progress)
	if err != nil {
		cancel()
	}
	if sendErr := sending.Wait(); sendErr != nil {
		return nil, sendErr
	}
	return result, err
}

type importStream = directoryv1.DirectoryService_ImportClient

func sendFile(stream importStream, header *directoryv1.ImportHeader, data io.Reader, progress *progress) error {
	if err := stream.Send(&directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Header{Header: header}}); err != nil {
		return nil //nolint:nilerr // the stream's own error comes out of Recv
	}
	buffer := make([]byte, chunk)
	for {
		n, err := data.Read(buffer)
		if n > 0 {
			part := &directoryv1.ImportRequest_Chunk{Chunk: buffer[:n]}
			if err := stream.Send(&directoryv1.ImportRequest{Part: part}); err != nil {
				return nil //nolint:nilerr // the stream's own error comes out of Recv
			}
			progress.sent(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return stream.CloseSend()
		case err != nil:
			return notice.Faultf(notice.Unavailable, "cli.import", "the file cannot be read to its end, so nothing was changed: %w", err)
		}
	}
}

func receiveResult(l link, stream importStream, progress *progress) (*directoryv1.ImportResult, error) {
	for {
		response, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil, notice.Faultf(notice.Unavailable, "cli.import",
				"the service ended without a result: import the file again, the same file twice changes nothing")
		case err != nil:
			return nil, l.fault(err)
		case response.GetResult() != nil:
			return response.GetResult(), nil
		}
		progress.read(response.GetRead())
	}
}

// progress shows how far an import is, where somebody watches.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, size int64) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30),
		progressbar.OptionSetDescription("sending"), progressbar.OptionClearOnFinish())}
}

func (p *progress) sent(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

func (p *progress) read(rows int64) {
	if p.bar != nil {
		p.bar.Describe(plural(rows, "row read", "rows read"))
	}
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// printImport says what an import changed, or would.
func printImport(w io.Writer, r *directoryv1.ImportResult, dry bool) {
	for _, change := range r.GetChanges() {
		fmt.Fprintf(w, "  %s\n", plain(change))
	}
	if more := r.GetAdded() + r.GetChanged() + r.GetRemoved() - int64(len(r.GetChanges())); more > 0 && len(r.GetChanges()) > 0 {
		fmt.Fprintf(w, "  … and %d more\n", more)
	}
	for _, fault := range r.GetFaults() {
		fmt.Fprintf(w, "  %s\n", rowFault(fault))
	}
	fmt.Fprintf(w, "%d added, %d changed (%d re-addressed), %d removed, %d as they were; %s\n",
		r.GetAdded(), r.GetChanged(), r.GetReaddressed(), r.GetRemoved(), r.GetUnchanged(),
		plural(int64(len(r.GetFaults())), "bad row", "bad rows"))
	if dry {
		fmt.Fprintln(w, "dry run: nothing was changed")
		return
	}
	fmt.Fprintf(w, "in force as generation %d of the directory\n", r.GetGeneration())
}

func rowFault(f *directoryv1.RowFault) string {
	at := fmt.Sprintf("line %d", f.GetLine())
	if f.GetColumn() != "" {
		at += ", column " + f.GetColumn()
	}
	return plain(at + ": " + f.GetMessage())
}

type showCmd struct {
	Kind         string `arg:"" optional:"" help:"Kind of row: ${kinds}. Without it every kind but child, network_member and postcode."`
	ID           string `arg:"" optional:"" name:"id" help:"One row, whole."`
	Organisation string `placeholder:"ID" help:"Only what belongs to this organisation or setting."`
	output
	connection
}

func (showCmd) Help() string {
	return `For example:

    signalbox directory show setting
    signalbox directory show setting gias:900101
    signalbox directory show contact --organisation gias:900101`
}

// Validate checks the kind.
func (c *showCmd) Validate() error {
	if c.Kind != "" && !slices.Contains(directory.Kinds(), c.Kind) {
		return fmt.Errorf("there is no kind %q: use one of %s", c.Kind, strings.Join(directory.Kinds(), ", "))
	}
	return c.connection.Validate()
}

func (c *showCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	request := &directoryv1.ShowRequest{Kind: c.Kind, Id: c.ID, Organisation: c.Organisation}
	if c.json() {
		return printRowsJSON(ctx, l, request, e.Out)
	}
	rows, err := showRows(ctx, l, request)
	switch {
	case err != nil:
		return err
	case len(rows) == 0:
		fmt.Fprintln(e.Out, "The directory has no such row. A school's id begins with its register, as in gias:900101.")
		return errReported
	case c.ID != "":
		for _, row := range rows {
			printRow(e.Out, row)
		}
		return nil
	default:
		return printRows(e.Out, rows)
	}
}

// printRowsJSON writes the rows as one object while they come: there may be many.
func printRowsJSON(ctx context.Context, l link, request *directoryv1.ShowRequest, w io.Writer) error {
	before := "{\"rows\":[\n"
	err := eachRow(ctx, l, request, func(row *directoryv1.Row) error {
		text, err := marshalJSON(row)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", before, text)
		before = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	if before != ",\n" {
		_, err = fmt.Fprintln(w, `{"rows":[]}`)
		return err
	}
	_, err = fmt.Fprintln(w, "\n]}")
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
)

type coverageCmd struct {
	Area string `placeholder:"GSS" help:"Only this area, by GSS code."`
	output
	connection
}

func (coverageCmd) Help() string {
	return `A setting or organisation is covered by a contact by email, gRPC or inbox that a person confirmed, that is in use today and whose mail does not come back. An inbox counts where its agency has access and acts for the organisation; a telephone number, and a contact for the holidays alone, do not. Whoever is not gets their notices late, by a telephone call of the authority: find their safeguarding lead, and add a contact with its verified_on by directory import contacts.

    signalbox directory coverage --area E09000901

Settings that are closed do not count. The JSON is a list, an object for each area and kind.`
}

func (c *coverageCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	lines, err := c.read(ctx, l)
	switch {
	case err != nil:
		return err
	case c.json():
		return printCoverageJSON(e.Out, lines)
	default:
		return printCoverage(e.Out, lines)
	}
}

func (c *coverageCmd) read(ctx context.Context, l link) ([]*directoryv1.CoverageResponse, error) {
	stream, err := directoryv1.NewDirectoryServiceClient(l.conn).Coverage(ctx, &directoryv1.CoverageRequest{Area: c.Area})
	if err != nil {
		return nil, l.fault(err)
	}
	var lines []*directoryv1.CoverageResponse
	for {
		line, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, l.fault(err)
		}
		lines = append(lines, line)
	}
}

// shownWithout is how many ids a line of the table names.
const shownWithout = 6

func printCoverage(w io.Writer, lines []*directoryv1.CoverageResponse) error {
	if len(lines) == 0 {
		fmt.Fprintln(w, "The directory has no open setting and no organisation there.")
		return nil
	}
	t := newTable(w, "AREA", "KIND", "COVERED", "WITHOUT A CONTACT THAT CAN BE TOLD")
	var total, covered int64
	for _, l := range lines {
		total, covered = total+l.GetTotal(), covered+l.GetCovered()
		ids := l.GetWithout()
		more := ""
		if len(ids) > shownWithout {
			ids, more = ids[:shownWithout], fmt.Sprintf(" and %d more", len(l.GetWithout())-shownWithout)
		}
		area := strings.TrimSpace(l.GetAreaName() + " " + l.GetArea())
		t.row(orDash(area), words(l.GetKind()), fmt.Sprintf("%d of %d", l.GetCovered(), l.GetTotal()), strings.Join(ids, ", ")+more)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d covered; --output json names all of the others\n", covered, total)
	return err
}

func printCoverageJSON(w io.Writer, lines []*directoryv1.CoverageResponse) error {
	before := "["
	for _, l := range lines {
		text, err := marshalJSON(l)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n%s", before, text); err != nil {
			return err
		}
		before = ","
	}
	if before == "[" {
		_, err := fmt.Fprintln(w, "[]")
		return err
	}
	_, err := fmt.Fprintln(w, "\n]")
	return err
}

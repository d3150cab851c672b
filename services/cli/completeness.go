package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

type completenessCmd struct {
	Agency string `placeholder:"ID" help:"Events of this agency; else of every one."`
	From   string `placeholder:"TIME" help:"Taken in at or after: 2026-11-03, or '2026-11-03 21:00', UK time, to the hour."`
	Until  string `placeholder:"TIME" help:"Taken in before."`
	output
	connection
}

func (completenessCmd) Help() string {
	return `What a useful event says is in the policy, under completeness. An event that leaves something out went out all the same; its publisher was told. Each event counts once, whatever number of children it is about; GIVEN SINCE are those of which a correction has said it.

    signalbox ledger completeness --agency kestrel-vale-police --from 2026-10-01 --until 2026-11-01`
}

func (c *completenessCmd) request() (*ledgerv1.CompletenessRequest, error) {
	r := &ledgerv1.CompletenessRequest{Agency: c.Agency}
	for _, at := range []struct {
		flag, text string
		ms         *int64
	}{{"--from", c.From, &r.FromMs}, {"--until", c.Until, &r.UntilMs}} {
		if at.text == "" {
			continue
		}
		when, ok := ukTime(at.text)
		if !ok {
			return nil, usagef("%s must be a time such as 2026-11-03 or '2026-11-03 21:00' (UK time)", at.flag)
		}
		*at.ms = when.UnixMilli()
	}
	return r, nil
}

func (c *completenessCmd) Run(ctx context.Context, e *env) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Completeness, request, printCompleteness)
}

func printCompleteness(w io.Writer, r *ledgerv1.CompletenessResponse) error {
	if len(r.GetCounts()) == 0 {
		_, err := fmt.Fprintln(w, "No event was decided on in that time.")
		return err
	}
	t := newTable(w, "AGENCY", "KIND", "LEFT OUT", "FIELDS", "EVENTS", "OF", "GIVEN SINCE")
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, c := range r.GetCounts() {
		t.row(c.GetAgency(), c.GetKind(), "anything", "-", number(c.GetThin()), number(c.GetEvents()), "-")
		for _, lack := range c.GetLacks() {
			t.row(c.GetAgency(), c.GetKind(), lack.GetNeed(), orDash(strings.Join(lack.GetFields(), " or ")),
				number(lack.GetMissing()), number(c.GetEvents()), number(lack.GetGiven()))
		}
	}
	return t.flush()
}

// missingText says what an event leaves out.
func missingText(missing []*intakev1.Missing) string {
	if len(missing) == 0 {
		return "complete: nothing is missing any more"
	}
	all := make([]string, len(missing))
	for i, m := range missing {
		all[i] = strings.Join(m.GetFields(), " or ") + ": " + m.GetMessage()
	}
	return "taken in, and thin: " + strings.Join(all, "; ")
}

// manifestText says how a manifest compares.
func manifestText(m *intakev1.ManifestStatus) string {
	references := plural(int64(m.GetReferences()), "reference", "references")
	if len(m.GetDifferences()) == 0 {
		return "agrees: " + references
	}
	var all []string
	for _, d := range m.GetDifferences() {
		all = append(all, differenceText(d))
	}
	if m.GetFurther() > 0 {
		all = append(all, fmt.Sprintf("%d more", m.GetFurther()))
	}
	return fmt.Sprintf("differs, %s: %s", references, strings.Join(all, "; "))
}

func differenceText(d *intakev1.ManifestDifference) string {
	reference := orDash(d.GetSubject())
	switch d.GetWhat() {
	case ledgerv1.Divergence_DIVERGENCE_NOT_TAKEN_IN:
		return reference + " did not arrive: publish it"
	case ledgerv1.Divergence_DIVERGENCE_REFUSED:
		return reference + " was refused: correct it and publish it again"
	case ledgerv1.Divergence_DIVERGENCE_FEWER_CHILDREN, ledgerv1.Divergence_DIVERGENCE_MORE_CHILDREN:
		return fmt.Sprintf("%s has %d in the manifest, %d arrived", reference, d.GetListed(), d.GetTaken())
	case ledgerv1.Divergence_DIVERGENCE_NOT_LISTED:
		return reference + " arrived and is not in the manifest"
	case ledgerv1.Divergence_DIVERGENCE_PART_MISSING:
		return fmt.Sprintf("part %d has not come: publish it", d.GetPart())
	case ledgerv1.Divergence_DIVERGENCE_NO_MANIFEST:
		return "it has not come: publish it"
	case ledgerv1.Divergence_DIVERGENCE_UNSPECIFIED:
	}
	return reference + " differs"
}

// needsText lists what the events of a decision leave out, each once.
func needsText(lacks []*ledgerv1.Lack) string {
	var needs []string
	for _, lack := range lacks {
		text := lack.GetNeed()
		if lack.GetRef() != "" {
			text += " of " + lack.GetRef()
		}
		needs = append(needs, text)
	}
	return strings.Join(needs, ", ")
}

func manifestTakenLine(m *ledgerv1.ManifestTaken) line {
	detail := fmt.Sprintf("of %s, part %d of %d, %s; compared from %s", m.GetDay(), m.GetPart(), m.GetParts(),
		plural(int64(m.GetEntries()), "reference", "references"), minute(m.GetDueMs()))
	if m.GetOvertaken() {
		detail += ", its correction came first: not used"
	}
	return line{"manifest taken in", sourceText(m.GetSource()), detail}
}

func manifestComparedLine(m *ledgerv1.ManifestCompared) line {
	detail := fmt.Sprintf("of %s, %s: ", m.GetDay(), plural(int64(m.GetReferences()), "reference", "references"))
	differ := len(m.GetDifferences()) + int(m.GetFurther())
	if differ == 0 {
		return line{"manifest compared", "agency " + m.GetAgency(), detail + "all agree"}
	}
	counts := map[ledgerv1.Divergence]int64{}
	for _, d := range m.GetDifferences() {
		counts[d.GetWhat()]++
	}
	var parts []string
	for number := range int32(len(ledgerv1.Divergence_name)) {
		if n := counts[ledgerv1.Divergence(number)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, enumName(ledgerv1.Divergence(number), "DIVERGENCE_")))
		}
	}
	if m.GetFurther() > 0 {
		parts = append(parts, fmt.Sprintf("%d further", m.GetFurther()))
	}
	parts = append(parts, fmt.Sprintf("%d for people to do", len(m.GetTasks())), fmt.Sprintf("%d settled", len(m.GetSettledTasks())))
	return line{"manifest compared", "agency " + m.GetAgency(), detail + strings.Join(parts, "; ")}
}

// lacks lists what the event leaves out. It is sent all the same.
func (x explanation) lacks(w page, d *ledgerv1.Decision) {
	if len(d.GetLacks()) == 0 {
		return
	}
	w.heading("Left out: sent all the same, and its publisher is told", len(d.GetLacks()))
	for _, lack := range d.GetLacks() {
		about := ""
		if lack.GetRef() != "" {
			about = " of " + lack.GetRef()
		}
		w.line(2, "%s%s: %s", lack.GetNeed(), about, strings.Join(lack.GetFields(), " or "))
	}
}

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

type policyTestCmd struct {
	File string `arg:"" help:"The policy, YAML, with examples."`
}

func (policyTestCmd) Help() string {
	return `Each example names an event, an instant and who must be told, as rule and organisation; nobody else may be. The events are JSON files beside the policy. The directory they are decided on is made of the files in the folder "directory" beside the policy, named after their formats: areas.csv, organisations.csv, onspd.csv, gias.csv, gias-links.csv, ofsted.csv, ods.csv, bank-holidays.json, term-dates.csv, pupil-roll.csv, network.csv, contacts.csv, rota.csv, restrictions.csv, subscriptions.csv. A source goes between: pupil-roll.ashmere-roll.csv.

    examples:
      - name: the school is told before it opens
        event: events/incident.json
        at: 2026-11-03T21:20:00Z
        tells: [encompass.setting gias:900101]

    signalbox policy test policy.yaml

No service is needed. The status is 1 where an example differs.`
}

func (c *policyTestCmd) Run(e *env) error {
	const op = "cli.policyTest"
	p, err := loadPolicy(e.Out, c.File)
	if err != nil {
		return err
	}
	examples := p.Examples()
	if len(examples) == 0 {
		return notice.Faultf(notice.Invalid, op, "%s has no examples, so there is nothing to test: see `signalbox policy test --help`", c.File)
	}
	beside := filepath.Dir(c.File)
	snapshot, err := offlineDirectory(e.Out, filepath.Join(beside, "directory"), latest(examples))
	if err != nil {
		return err
	}
	rules, err := intake.New()
	if err != nil {
		return err
	}
	var outcomes []outcome
	for _, x := range examples {
		outcomes = append(outcomes, decideExample(x, beside, rules, snapshot, p))
	}
	return printOutcomes(e.Out, outcomes)
}

// latest is the last instant of the examples: the day on which the directory's files are read, so that the same files
// give the same directory for ever.
func latest(examples []*policyv1.Example) time.Time {
	var last time.Time
	for _, x := range examples {
		if at, err := time.Parse(time.RFC3339, x.GetAt()); err == nil && at.After(last) {
			last = at
		}
	}
	return last
}

// outcome is what came of one example.
type outcome struct {
	name           string
	missing, extra []string
	fault          error
}

func decideExample(x *policyv1.Example, beside string, rules *intake.Intake, snapshot *directory.Snapshot, p *policy.Policy) outcome {
	o := outcome{name: x.GetName()}
	at, err := time.Parse(time.RFC3339, x.GetAt())
	if err != nil {
		o.fault = err
		return o
	}
	event, err := readEvent(nil, filepath.Join(beside, filepath.FromSlash(x.GetEvent())))
	if err != nil {
		o.fault = err
		return o
	}
	agency := notice.AgencyID(event.GetSource()) // examples are of every agency
	if found := rules.Validate(event, intake.Check{Agency: agency, Now: at}); len(found) > 0 {
		o.fault = notice.InvalidFields("cli.policyTest", found)
		return o
	}
	source := &ledgerv1.Source{Agency: event.GetSource(), Sequence: 1, Event: "example"}
	decision := routing.Decide([]routing.Event{{Source: source, Body: event}},
		routing.Round{Lineage: "example", Number: 1, Cause: ledgerv1.Cause_CAUSE_EVENT, Supposed: true},
		routing.Facts{Directory: snapshot, Policy: p, Now: at})
	told := map[string]bool{}
	for _, n := range decision.GetNotices() {
		told[n.GetRule()+" "+n.GetOrganisation()] = true
	}
	for _, want := range x.GetTells() {
		if !told[want] {
			o.missing = append(o.missing, want)
		}
	}
	for got := range told {
		if !slices.Contains(x.GetTells(), got) {
			o.extra = append(o.extra, got)
		}
	}
	slices.Sort(o.extra)
	return o
}

func (o outcome) text() string {
	switch {
	case o.fault != nil:
		return "cannot be run"
	case len(o.missing)+len(o.extra) > 0:
		return "DIFFERS"
	default:
		return "as it must"
	}
}

// printOutcomes writes a table of the examples, and what differs below it.
func printOutcomes(w io.Writer, outcomes []outcome) error {
	t := newTable(w, "EXAMPLE", "OUTCOME")
	bad := 0
	for _, o := range outcomes {
		t.row(o.name, o.text())
		if o.text() != "as it must" {
			bad++
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.fault == nil && len(o.missing)+len(o.extra) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", plain(o.name))
		for _, m := range o.missing {
			fmt.Fprintf(w, "  not told, and must be:  %s\n", m)
		}
		for _, x := range o.extra {
			fmt.Fprintf(w, "  told, and must not be:  %s\n", x)
		}
		if o.fault != nil {
			if text := faultText(o.fault); text != "" {
				fmt.Fprintf(w, "  %s\n", plain(text))
			}
			printFields(w, notice.FieldsOf(o.fault))
		}
	}
	fmt.Fprintf(w, "\n%d of %s as it must be\n", len(outcomes)-bad, plural(int64(len(outcomes)), "example", "examples"))
	if bad > 0 {
		return errReported
	}
	return nil
}

// isNoFolder tells an absent folder from one that cannot be read.
func isNoFolder(err error) bool { return os.IsNotExist(err) }

// splitName reads the format, and the source where there is one, from a file's name: pupil-roll.ashmere-roll.csv.
func splitName(name string) (format, source string) {
	base := strings.TrimSuffix(name, filepath.Ext(name))
	format, source, _ = strings.Cut(base, ".")
	if source == "" {
		source = "example"
	}
	return format, source
}

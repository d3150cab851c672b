package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

type policyCmd struct {
	Check policyCheckCmd `cmd:"" help:"Check a policy file; every fault is named by line and column."`
	Test  policyTestCmd  `cmd:"" help:"Run a policy's examples: does it tell whom it must, and nobody else?"`
	Show  policyShowCmd  `cmd:"" help:"Print the policy in force, as it was imported."`
}

func (policyCmd) Help() string {
	return `The policy says who must be told of what, by when, on what basis, and what they may see. Put one in force with: signalbox directory import policy FILE`
}

type policyCheckCmd struct {
	File string `arg:"" help:"The policy, YAML."`
}

func (policyCheckCmd) Help() string {
	return `For example:

    signalbox policy check policy.yaml

No service is needed. The status is 1 where there is a fault.`
}

func (c *policyCheckCmd) Run(e *env) error {
	p, err := loadPolicy(e.Out, c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "%s is good: version %s, %s, %s\n", c.File, plain(p.Version()),
		plural(int64(ruleCount(p)), "rule", "rules"), plural(int64(len(p.Examples())), "example", "examples"))
	return nil
}

// loadPolicy reads a policy, and prints what is wrong with it as FILE:LINE:COLUMN, as compilers do, so that editors
// find the place.
func loadPolicy(out io.Writer, path string) (*policy.Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, notice.Faultf(notice.NotFound, "cli.loadPolicy", "the policy cannot be read: %w", err)
	}
	p, err := policy.Load(text)
	if err == nil {
		return p, nil
	}
	fields := notice.FieldsOf(err)
	if len(fields) == 0 {
		return nil, err
	}
	for _, f := range fields {
		at, where, _ := strings.Cut(f.Field, " ")
		fmt.Fprintf(out, "%s:%s: %s%s\n", path, at, suffixed(plain(where), ": "), plain(f.Message))
	}
	fmt.Fprintln(out, countFaults(len(fields)))
	return nil, errReported
}

func suffixed(text, after string) string {
	if text == "" {
		return ""
	}
	return text + after
}

func ruleCount(p *policy.Policy) int {
	seen := map[string]bool{}
	for _, kind := range notice.EventKinds() {
		for _, r := range p.Rules(kind) {
			seen[r.GetId()] = true
		}
	}
	return len(seen)
}

type policyShowCmd struct {
	output
	connection
}

func (policyShowCmd) Help() string {
	return `For example:

    signalbox policy show > policy.yaml`
}

func (c *policyShowCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	rows, err := showRows(ctx, l, &directoryv1.ShowRequest{Kind: directory.KindPolicy})
	if err != nil {
		return err
	}
	for _, row := range rows {
		document := row.GetPolicy()
		switch {
		case !document.GetInForce():
			continue
		case c.json():
			return printJSON(e.Out, document)
		}
		_, err := io.WriteString(e.Out, document.GetText())
		return err
	}
	return notice.Faultf(notice.NotFound, "cli.policyShow",
		"no policy has been imported, so the one that comes with the service is in force: put your own in force with `signalbox directory import policy FILE`")
}

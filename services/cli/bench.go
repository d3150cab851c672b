package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/signalbox-hq/signalbox/services/bench"
)

type benchCmd struct {
	Quick  bool   `help:"End within a minute. The figures vary more from run to run."`
	Data   string `placeholder:"DIR" help:"A folder on the disk to measure. Else the folder for temporary files, which may be in memory."`
	Output string `enum:"text,json" default:"text" help:"text is a table for people; json is one flat object."`
}

func (benchCmd) Help() string {
	return `Runs the whole service with the embedded NATS, TLS, validation and the default policy, and in the same process an agency that publishes, a receiver of pushes and a mail relay. Each event is told to five organisations. A notice counts once the fact that it was delivered is durable. Every figure is given beside what NATS and the disk allow without Signalbox, measured in the same run: compare machines by those ratios. Stop other work on the machine first. It takes up to five minutes, and what it writes is removed.

    signalbox bench --quick
    signalbox bench --data /var/lib/signalbox --output json

docs/performance.md says what bounds each figure.`
}

func (c *benchCmd) Run(ctx context.Context, e *env) error {
	sizes := bench.Full()
	if c.Quick {
		sizes = bench.Quick()
	}
	bar := newBenchBar(e.Err)
	report, err := bench.Run(ctx, bench.Options{Sizes: sizes, Dir: c.Data, Progress: bar.at})
	bar.end()
	if err != nil {
		return err
	}
	if c.Output == "json" {
		text, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		_, err = fmt.Fprintln(e.Out, string(text))
		return err
	}
	return printBench(e.Out, report)
}

// printBench lays the figures out with their goals.
func printBench(w io.Writer, report bench.Report) error {
	t := newTable(w, "", "FIGURE", "TO FLOOR", "GOAL ON TWO CORES", "")
	for _, r := range report.Rows() {
		goal, met, ratio := "", "", ""
		if r.Goal > 0 {
			goal, met = "at most "+figure(r.Goal)+r.Unit, "not met"
			if r.AtLeast {
				goal = "at least " + figure(r.Goal) + r.Unit
			}
			if r.Met() {
				met = "met"
			}
		}
		if r.Ratio > 0 {
			ratio = figure(r.Ratio)
		}
		t.row(r.What, figure(r.Figure)+r.Unit, ratio, goal, met)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "on %s; docs/performance.md says what bounds each figure\n", plural(int64(report.Cores), "core", "cores"))
	return err
}

// figure is a number for reading: whole from a hundred on, else with two decimals.
func figure(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// benchBar shows on a terminal which stage runs, and nothing anywhere else.
type benchBar struct{ bar *progressbar.ProgressBar }

func newBenchBar(w io.Writer) *benchBar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &benchBar{}
	}
	return &benchBar{bar: progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(f), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false), progressbar.OptionShowCount(),
	)}
}

func (b *benchBar) at(stage string, done, of int) {
	if b.bar == nil {
		return
	}
	b.bar.ChangeMax(of)
	b.bar.Describe(stage)
	_ = b.bar.Set(done) // a terminal that cannot be written to shows no progress
}

func (b *benchBar) end() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}

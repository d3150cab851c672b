package demo

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal, and nothing anywhere else.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions(steps(),
		progressbar.OptionSetWriter(f), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false), progressbar.OptionShowCount(),
	)}
}

// steps is how many things are loaded and played.
func steps() int { return 1 + len(BoroughFiles()) + len(rehearsal()) + len(agencies()) + len(scenes()) }

// at says what is being done.
func (p *progress) at(what string) {
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// done counts one more.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that cannot be written to shows no progress
	}
}

// clear makes room for output on the same terminal.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

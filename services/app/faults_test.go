package app_test

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// Of the environment: how much of each fault TestFaults tries, and the seed of what it draws.
const (
	faultsVariable = "SIGNALBOX_FAULTS"
	seedVariable   = "SIGNALBOX_FAULTS_SEED"
)

// extent is how much of each fault is tried.
type extent int

const (
	short extent = iota // each fault once: what go test ./... runs
	ci                  // what .ci/run runs
	long                // for an evening
)

func (f extent) String() string { return [...]string{"short", "ci", "long"}[f] }

func chosenForm(t *testing.T) extent {
	t.Helper()
	text := cmp.Or(os.Getenv(faultsVariable), short.String())
	for _, f := range []extent{short, ci, long} {
		if f.String() == text {
			return f
		}
	}
	t.Fatalf("%s is %q: use short, ci or long, or leave it out", faultsVariable, text)
	return 0
}

func chosenSeed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv(seedVariable), "2026"), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", seedVariable, err)
	}
	return seed
}

// fault is one way in which the world may fail, with the real program in it.
type fault struct {
	name string // a sentence: what fails, a comma, and what holds all the same
	// left is what the short form leaves to the full one; empty where it leaves nothing.
	left string
	// fullOnly has the short form leave all of it; left may then say why.
	fullOnly bool
	// alone keeps other faults from running beside it: one that measures, or fills the machine.
	alone bool
	run   func(t *testing.T, a *account)
}

// TestFaults breaks what Signalbox stands on, one thing after another, counts what went in and what came out, and fails
// where they differ. CONTRIBUTING.md says how to run its longer forms, and how to see the counts.
func TestFaults(t *testing.T) {
	s := &suite{form: chosenForm(t), seed: chosenSeed(t)}
	t.Cleanup(func() { s.print(os.Stdout) })
	faults := slices.Concat(processFaults(), natsFaults(), diskFaults(), clockFaults(), queryFaults(), peerFaults())
	slices.SortStableFunc(faults, func(a, b fault) int { return cmp.Compare(toNumber(b.alone), toNumber(a.alone)) })
	for number, f := range faults {
		if s.form == short && f.fullOnly {
			s.leave(f.name + ": all of it" + f.left)
			continue
		}
		if s.form == short && f.left != "" {
			s.leave(f.name + ": " + f.left)
		}
		what, _, _ := strings.Cut(f.name, ",")
		t.Run(what, func(t *testing.T) {
			if !f.alone {
				t.Parallel()
			}
			began := time.Now()
			a := newAccount(s.form, s.seed)
			t.Cleanup(func() {
				t.Logf("%s: %v", f.name, a)
				s.note(result{number: number, name: f.name, account: a, took: time.Since(began), failed: t.Failed()})
			})
			f.run(t, a)
			if !a.balanced && !t.Failed() {
				t.Error("what went in and what came out was not compared")
			}
		})
	}
}

func toNumber(b bool) int {
	if b {
		return 1
	}
	return 0
}

// suite is a run of TestFaults.
type suite struct {
	form extent
	seed uint64

	mu      sync.Mutex
	results []result
	left    []string
}

type result struct {
	number  int
	name    string
	account *account
	took    time.Duration
	failed  bool
}

func (s *suite) note(r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, r)
}

func (s *suite) leave(what string) { s.left = append(s.left, what) }

// print writes the table of counts.
func (s *suite) print(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.results, func(a, b result) int { return cmp.Compare(a.number, b.number) })
	fmt.Fprintf(w, "\nFaults, %s form, seed %d: what went in and what came out\n\n", s.form, s.seed)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\t"+strings.Join(columns, "\t")+"\tseconds\t")
	for i, r := range s.results {
		fmt.Fprintf(table, "%d\t%s\t%.1f\t\n", i+1, strings.Join(r.account.row(), "\t"), r.took.Seconds())
	}
	_ = table.Flush() // to a console
	fmt.Fprintln(w)
	for i, r := range s.results {
		verdict := "ok"
		if r.failed {
			verdict = "FAILED"
		}
		fmt.Fprintf(w, "%3d  %-6s  %s%s\n", i+1, verdict, r.name, r.account.noted())
	}
	for _, what := range s.left {
		fmt.Fprintf(w, "  -  left to the full form (%s=ci)  %s\n", faultsVariable, what)
	}
	fmt.Fprintln(w)
}

// draw is a source of random numbers that is the same for the same seed.
func (a *account) draw(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(a.seed, stream)) }

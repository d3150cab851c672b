package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/signalbox-hq/signalbox/services/policy"
)

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){
		"signalbox": func() {
			os.Exit(Run(context.Background(), Program{
				Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Version: "v0.0.0-test",
			}))
		},
	})
}

// leakless fails a run that leaves goroutines behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"default-policy-with": defaultPolicyWith,
		},
	})
}

// defaultPolicyWith writes the default policy with the examples of a file for its own: default-policy-with EXAMPLES OUT.
func defaultPolicyWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: default-policy-with EXAMPLES OUT")
	}
	rules, _, found := bytes.Cut(policy.Default(), []byte("\nexamples:\n")) // the last of its keys
	if !found {
		ts.Fatalf("the default policy has no examples to replace")
	}
	text := append(rules, '\n')
	text = append(text, ts.ReadFile(args[0])...)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

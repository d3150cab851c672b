// Command signalbox routes safeguarding events to the people who must know. Run it with --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/signalbox-hq/signalbox/services/cli"
)

func main() { os.Exit(run()) }

const (
	// collectAt is how much garbage there may be for each byte in use, in per cent: a fifth of a leader's time goes into
	// collecting at the usual 100.
	collectAt = 400
	// memoryShare is how much of the machine's memory, or of the container's, may come to be used so: beyond it garbage is
	// collected sooner.
	memoryShare = 0.6
)

// useMemory sets how memory is spent, unless GOGC or GOMEMLIMIT say otherwise.
func useMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	_, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(memoryShare),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err == nil { // otherwise nobody knows how much there is
		debug.SetGCPercent(collectAt)
	}
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	useMemory()
	return cli.Run(ctx, cli.Program{Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Version: version()})
}

// version is the module's, and the commit that it was built from where Go knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " (" + s.Value + ")"
		}
	}
	return v
}

package app

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// collectAt is how much garbage there may be for each byte in use, in per cent: a fifth of a leader's time goes into
	// collecting at the usual 100.
	collectAt = 400
	// memoryShare is how much of the machine's memory, or of the container's, may come to be used so: beyond it garbage is
	// collected sooner.
	memoryShare = 0.6
)

// UseMemory sets how the process spends memory, unless GOGC or GOMEMLIMIT say otherwise.
func UseMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	_, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(memoryShare),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err == nil { // otherwise nobody knows how much there is
		debug.SetGCPercent(collectAt)
	}
}

package bench

import "time"

// Sizes say how much each stage does.
type Sizes struct {
	FloorPublishes int // durable publishes
	FloorPacks     int // appends of packFacts facts
	Events         int // of each stage that measures throughput; each is told to recipients organisations
	Rate           int // notices a second of the stage that measures latency
	Steady         time.Duration
	Routine        int           // notices queued before an urgent one
	UrgentIdle     int           // urgent events measured with nothing else to do
	UrgentEvery    time.Duration // between urgent events while the queue drains
	UrgentRuns     int           // of which the median counts
}

// The rate at which latency is measured: the keys of the report name it.
const rate = 10_000

// Quick ends within a minute.
func Quick() Sizes {
	return Sizes{
		FloorPublishes: 4_000, FloorPacks: 1_000, Events: 5_000, Rate: rate, Steady: 3 * time.Second,
		Routine: 20_000, UrgentIdle: 200, UrgentEvery: 10 * time.Millisecond, UrgentRuns: 1,
	}
}

// Full ends within five minutes.
func Full() Sizes {
	return Sizes{
		FloorPublishes: 20_000, FloorPacks: 5_000, Events: 20_000, Rate: rate, Steady: 15 * time.Second,
		Routine: 100_000, UrgentIdle: 400, UrgentEvery: 10 * time.Millisecond, UrgentRuns: 5,
	}
}

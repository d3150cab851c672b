package alarm

import "time"

// Observations are what an instance sees at a moment. Ages are given, not instants: they were measured by the clocks of
// the machine, of the service and of the store, which need not agree.
type Observations struct {
	Unanswered time.Duration // since the engine of this instance last answered; 0 where it does
	Lanes      []Lane
	Undecided  Oldest // lineages that wait for a decision
	Publishers []Publisher
	Leaderless time.Duration // since a sign of life of whoever leads
	Failing    []Aged        // contacts whose mail comes back, since when
	Stranded   []Aged        // tasks past due that have nobody left to go to, since their due time
	Stops      []Aged        // stops in force, by what they cover, since when
	HeldBack   int64         // notices that stops hold back
	Refused    []Refused
	Store      Store
	Clock      Clock
	Heartbeat  Heartbeat
}

// Aged is something that has been so for a while.
type Aged struct {
	ID  string
	For time.Duration
}

// Oldest is the one of several that has waited longest.
type Oldest struct {
	Aged
	Count int64
}

// Lane is the notices of a lane that could be sent and are not.
type Lane struct {
	Name string // urgent, high or routine
	Oldest
}

// Publisher is an agency that may publish.
type Publisher struct {
	Agency  string
	Behind  int64         // events beyond what the ledger has taken
	NotRead time.Duration // age of the oldest of them
	// Silent is the time since its last event that counts for it, 0 where it never published.
	Silent time.Duration
	// Full says that its own stream has no room for another event, though the store has.
	Full bool
}

// Refused counts the refused events of an agency that nobody has seen to.
type Refused struct {
	Agency string
	Recent int64 // in the last hour
}

// Store is the room that is left for what is stored. Where a limit is not known, Room is the least of those that are.
type Store struct {
	Known     bool
	Room      int64 // bytes
	Reserve   int64 // bytes, below which new events are refused
	Refusing  bool
	RefusedBy time.Duration // since when
	Unclear   time.Duration // since the store could last be asked; 0 where it answers
}

// Clock is what is wrong with the machine's clock.
type Clock struct {
	Wrong string // what is implausible about it; empty where it is right
	For   time.Duration
}

// Heartbeat is how the last heartbeats fared.
type Heartbeat struct {
	Configured bool
	NotTaken   time.Duration // since the watcher first failed to take one; 0 where it took the last
	Reason     string        // of the last failure
}

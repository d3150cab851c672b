package ledger

import (
	"cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Event is an event taken in.
type Event struct {
	*ledgerv1.EventAccepted
	AtMS      int64
	Overtaken bool     // a correction stands in its place
	Withdrawn bool     // its publisher took it back
	Repeated  int      // how often it came again
	Notices   []string // that tell of it, in whatever round
	Ends      []string // of one that ends a matter: the notices that tell of the end, by the last decision that rests on it

	Assessed bool             // what it leaves out was worked out
	Lacks    []*ledgerv1.Lack // what it leaves out, by the last decision that rests on it
}

// ReceivedMS is when it came in, Unix milliseconds.
func (e *Event) ReceivedMS() int64 { return cmp.Or(e.GetReceivedMs(), e.AtMS) }

// Lineage is the events about one thing and what was decided about them.
type Lineage struct {
	ID     string
	Kind   notice.EventKind
	Agency notice.AgencyID
	Events []string // keys, in order of arrival
	Round  uint32   // of the last decision

	// Undecided is why a decision is due; unspecified where none is.
	Undecided   ledgerv1.Cause
	UndecidedMS int64 // since when; 0 where none is due

	Children []*ledgerv1.ChildFinding // of the last decision
	Sources  []*ledgerv1.Source       // of the last decision
	Standing []string                 // notices of the last decision, made or kept
	Past     []string                 // notices that ended told or closed, and stand no more
	Tasks    []string                 // every task of the lineage
	Parties  [][]byte                 // digests of the parties, by the last decision
	Accepted []string                 // children for whom the home area has accepted responsibility, by the last decision
	Ended    []*ledgerv1.Ended        // who is told of the end of this matter instead, by the last decision
	Forced   bool                     // the decision that is due sends again also what has ended
	Invites  bool                     // some of its notices invite to a meeting
	Replies  []Reply                  // to its invitations, in order

	// What people decided: the child that an unmatched one is, the settings of a child, and settings that said no.
	Matched map[string]notice.ChildID
	Chosen  map[notice.ChildID][]notice.OrgID
	NotAt   map[notice.ChildID]map[notice.OrgID]bool

	// Contributions to this lineage where it is a notice before term, by the lineage that contributes.
	Contributions map[string]Contribution
	// Contributes lists the lineages that this one contributes to.
	Contributes []string

	// Deletion is what its notices are about where they ask somebody to delete others; nil where they tell of events.
	Deletion *Deletion
}

// BeforeTerm says whether the lineage is a notice before term, made of the contributions of others.
func (l *Lineage) BeforeTerm() bool { return l.Contributions != nil }

// Contribution is one lineage's part in a notice before term.
type Contribution struct {
	*ledgerv1.Contribution
	Sources []*ledgerv1.Source
}

// State is all that the ledger says, folded. It is not safe for use by several goroutines at once.
type State struct {
	Epoch    uint64
	Facts    int64
	Events   map[string]*Event
	Lineages map[string]*Lineage
	Notices  map[string]*Notice
	Tasks    map[string]*Task
	Failing  map[string]*Failing // by contact: whose mail came back
	Calls    map[string]*Call    // who was told by telephone while the system was down
	Refused  int64

	Withdrawals map[string]*Withdrawal // by the event withdrawn, which may have yet to come

	Switches int64 // stops and resumptions of sending so far
	NewestMS int64 // the latest instant of a fact, since a person last confirmed the clock

	// Confirmed counts by instance how often a person confirmed its clock.
	Confirmed map[string]int64

	cursors    map[notice.AgencyID]uint64
	overtakers map[string]string // event to come → the correction that came first
	feedback   map[notice.AgencyID][]Change
	children   map[childKey]ChildState
	counts     [Withdrawn + 1]int64
	deciding   map[string]*Lineage // with a decision due
	unbegun    []unbegun           // see watch.go
	timers     timers
	ready      timers // of notices that may be sent
	armed      uint32 // timers so far
	stops      map[Stop]Standing
	heldBack   map[string]*Notice // those with HeldBackBy
	callsAbout map[string][]*Call // by lineage, in order of import

	withdrawers map[string][]byte             // events that withdrew others → digest
	matters     map[notice.ChildID][]*Lineage // that a child was found in, in order of the decisions
	acceptances map[string][]string           // lineage → events that accept responsibility for what it is about

	Subscriptions map[string]*Subscription
	inboxes       map[notice.AgencyID]*inbox

	Totals    map[notice.AgencyID]*Tally // what agencies left out, from the beginning
	tallies   map[period]*Tally
	open      map[string][]string // events → what they left out and no correction has given
	manifests manifests
}

// NewState is the State before the first fact.
func NewState() *State {
	return &State{
		Events:     map[string]*Event{},
		Lineages:   map[string]*Lineage{},
		Notices:    map[string]*Notice{},
		Tasks:      map[string]*Task{},
		Failing:    map[string]*Failing{},
		Confirmed:  map[string]int64{},
		cursors:    map[notice.AgencyID]uint64{},
		overtakers: map[string]string{},
		feedback:   map[notice.AgencyID][]Change{},
		children:   map[childKey]ChildState{},
		deciding:   map[string]*Lineage{},
		stops:      map[Stop]Standing{},
		heldBack:   map[string]*Notice{},
		Calls:      map[string]*Call{},
		callsAbout: map[string][]*Call{},

		Withdrawals: map[string]*Withdrawal{},
		withdrawers: map[string][]byte{},
		matters:     map[notice.ChildID][]*Lineage{},
		acceptances: map[string][]string{},

		Subscriptions: map[string]*Subscription{},
		inboxes:       map[notice.AgencyID]*inbox{},

		Totals:    map[notice.AgencyID]*Tally{},
		tallies:   map[period]*Tally{},
		open:      map[string][]string{},
		manifests: newManifests(),
	}
}

// Cursor is the last sequence of the agency's stream that the ledger has settled: every event up to it was accepted,
// refused or found to be a repeat.
func (s *State) Cursor(agency notice.AgencyID) uint64 { return s.cursors[agency] }

// Overtaken says whether a correction of the event came before it.
func (s *State) Overtaken(event string) bool { return s.overtakers[event] != "" }

// Heads are the events of a lineage that no correction replaces and nobody withdrew, in order of arrival.
func (s *State) Heads(l *Lineage) []*Event {
	heads := make([]*Event, 0, len(l.Events))
	for _, key := range l.Events {
		if e := s.Events[key]; !e.Overtaken && !e.Withdrawn {
			heads = append(heads, e)
		}
	}
	return heads
}

// Counts counts notices by phase.
func (s *State) Counts() map[Phase]int64 {
	counts := make(map[Phase]int64, len(s.counts))
	for p := Held; p <= Withdrawn; p++ {
		counts[p] = s.counts[p]
	}
	return counts
}

// setPhase moves a notice on, keeping the counts and arming its timer.
func (s *State) setPhase(n *Notice, to Phase, wakeMS int64) {
	if n.Phase != 0 {
		s.counts[n.Phase]--
	}
	n.Phase = to
	s.counts[to]++
	n.WakeMS = wakeMS
	if wakeMS == 0 {
		return
	}
	t := timer{atMS: wakeMS, kind: noticeTimer, id: n.Id}
	if to == Ready {
		s.arm(&s.ready, t)
	} else {
		s.arm(&s.timers, t)
	}
	s.watch(n)
}

// end ends a notice and settles its open task.
func (s *State) end(n *Notice, phase Phase, atMS int64, by string) {
	if n.Phase.Ended() {
		return
	}
	s.setPhase(n, phase, 0)
	s.notHeldBack(n)
	n.EndedMS, n.EndedBy = atMS, by
	if t := s.Tasks[n.Task]; t != nil && !t.Ended() {
		t.State = TaskSettled
	}
	n.Task = ""
}

func (s *State) lineage(id string) *Lineage {
	l := s.Lineages[id]
	if l == nil {
		l = &Lineage{ID: id}
		s.Lineages[id] = l
	}
	return l
}

// undecided notes that a decision is due about a lineage. The first cause stands until it is made, but for an acceptance or
// an ending: one that counts for nothing has nothing decided anew, and whatever else has happened must be.
func (s *State) undecided(l *Lineage, cause ledgerv1.Cause, atMS int64) {
	if l.Undecided == ledgerv1.Cause_CAUSE_ACCEPTANCE || l.Undecided == ledgerv1.Cause_CAUSE_ENDING {
		l.Undecided = cause
	}
	if l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED {
		return
	}
	l.Undecided, l.UndecidedMS = cause, atMS
	s.deciding[l.ID] = l
	s.arm(&s.timers, timer{atMS: 0, kind: lineageTimer, id: l.ID})
}

// settled notes that a decision was made.
func (s *State) settled(l *Lineage) {
	delete(s.deciding, l.ID)
	l.Undecided, l.UndecidedMS, l.Forced = ledgerv1.Cause_CAUSE_UNSPECIFIED, 0, false
}

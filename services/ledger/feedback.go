package ledger

import (
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ChildState is what became of a child of an event, as its publisher may know it: never who was told, nor where.
type ChildState int

// The states, in the order in which a child meets them.
const (
	_                 ChildState = iota
	ChildAccepted                // taken in
	ChildUnmatched               // a person is finding out who must be told
	ChildTold                    // every recipient has been sent a notice
	ChildAcknowledged            // every recipient that must acknowledge has
	ChildLate                    // somebody did not have it in time
	ChildWithdrawn               // the event was withdrawn
)

// Change is one thing a publisher hears: a new state of a child, a refusal, what an event leaves out, or how a manifest
// compares.
type Change struct {
	Cursor     uint64 // 1, 2, … for each agency
	AtMS       int64
	Event      string // key; empty for a refusal
	Sequence   uint64 // in the agency's stream
	Ref        string // the publisher's handle of the child; empty for the event as a whole
	State      ChildState
	Quarantine uint64 // for a refusal: where its faults are

	Assessed bool                       // it is about what the event leaves out
	Lacks    []*ledgerv1.Lack           // that; none where nothing is left out any more
	Manifest *ledgerv1.ManifestCompared // of a manifest: how it compares
}

// childKey is a child of an event as its publisher names it.
type childKey struct{ event, ref string }

// Feedback returns the changes for an agency after a cursor, at most limit.
func (s *State) Feedback(agency notice.AgencyID, after uint64, limit int) []Change {
	all := s.feedback[agency]
	if after >= uint64(len(all)) {
		return nil
	}
	rest := all[after:]
	return slices.Clone(rest[:min(limit, len(rest))])
}

func (s *State) changed(agency notice.AgencyID, c Change) {
	c.Cursor = uint64(len(s.feedback[agency])) + 1
	s.feedback[agency] = append(s.feedback[agency], c)
}

// childrenOf works out anew what became of every child of a lineage. A notice before term may hold incidents of several
// agencies, and says nothing to any: each hears of its own event.
func (s *State) childrenOf(l *Lineage, atMS int64) {
	if l.BeforeTerm() {
		return
	}
	for _, c := range l.Children {
		s.child(l, c, atMS)
	}
}

// childOf works out anew what became of the child of a notice.
func (s *State) childOf(n *Notice, atMS int64) {
	l := s.Lineages[n.Lineage]
	if l.BeforeTerm() {
		return
	}
	for _, c := range l.Children {
		if n.Child == "" || n.Child == c.Child {
			s.child(l, c, atMS)
		}
	}
}

func (s *State) child(l *Lineage, c *ledgerv1.ChildFinding, atMS int64) {
	state := s.childState(l, c.Child)
	key := childKey{event: c.Event, ref: c.Ref}
	if state == 0 || s.children[key] == state || s.Withdrawals[c.Event] != nil {
		return
	}
	s.children[key] = state
	for _, src := range l.Sources {
		if src.Event == c.Event {
			s.changed(l.Agency, Change{AtMS: atMS, Event: src.Event, Sequence: src.Sequence, Ref: c.Ref, State: state})
		}
	}
}

// childState is 0 where nothing can be said yet. A notice about an event as a whole counts for each of its children; one
// that a person closed counts no more, and one that follows from a subscription never: nobody had to be told of it.
func (s *State) childState(l *Lineage, child string) ChildState {
	for _, id := range l.Tasks {
		t := s.Tasks[id]
		if t.Child == child && !t.Ended() && (t.Kind == ledgerv1.TaskKind_TASK_KIND_UNMATCHED ||
			t.Kind == ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING || t.Kind == ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR) {
			return ChildUnmatched
		}
	}
	notices, told, owed, acknowledged := 0, 0, 0, 0
	for _, id := range l.Standing {
		n := s.Notices[id]
		if n.Child != child && n.Child != "" || n.Phase == Closed || n.Withdrawn || n.Subscription != "" {
			continue
		}
		if n.Late() && !n.Phase.Ended() {
			return ChildLate
		}
		notices++
		if n.Sent() || n.Phase == Acknowledged {
			told++
		}
		if n.Acknowledge {
			owed++
			if n.Phase == Acknowledged {
				acknowledged++
			}
		}
	}
	switch {
	case notices == 0 || told < notices:
		return 0
	case owed > 0 && acknowledged == owed:
		return ChildAcknowledged
	default:
		return ChildTold
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

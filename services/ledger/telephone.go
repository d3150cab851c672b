package ledger

import (
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// minuteMS is how exactly people write down when they called.
const minuteMS = 60_000

// Call is an entry that somebody was told by telephone, and what came of it.
type Call struct {
	*ledgerv1.ToldByTelephone
	AtMS  int64    // when it was taken in
	Ended []string // the notices that it ended, in order
}

// told takes a call in. It may be about a lineage of which no event has come yet.
func (s *State) told(f *ledgerv1.ToldByTelephone, atMS int64) error {
	switch {
	case f.Id == "" || f.Lineage == "" || f.Organisation == "":
		return s.impossible("takes in a call about nothing:", f.Id)
	case f.ToldMs <= 0:
		return s.impossible("takes in a call of no time:", f.Id)
	case s.Calls[f.Id] != nil:
		return s.impossible("takes in twice call", f.Id)
	}
	c := &Call{ToldByTelephone: f, AtMS: atMS}
	s.Calls[f.Id] = c
	s.callsAbout[f.Lineage] = append(s.callsAbout[f.Lineage], c)
	return nil
}

// endedBy notes that a call ended a notice.
func (s *State) endedBy(f *ledgerv1.Acknowledged) {
	if c := s.Calls[f.Call]; c != nil {
		c.Ended = append(c.Ended, f.Notice)
	}
}

// mayEnd holds an acknowledgement by a call against what went before.
func (s *State) mayEnd(f *ledgerv1.Acknowledged, n *Notice) error {
	if f.Call == "" {
		return nil
	}
	c := s.Calls[f.Call]
	switch {
	case c == nil:
		return s.impossible("acknowledges by an unknown call notice", f.Notice)
	case n.Phase.Ended():
		return s.impossible("acknowledges by a call after its end notice", f.Notice)
	case f.Means != ByTelephone || !s.covers(c.ToldByTelephone, n):
		return s.impossible("acknowledges by a call that did not tell of it notice", f.Notice)
	}
	return nil
}

// CallOf is the call that told a notice's recipient all that the notice says, nil where there is none. A notice without
// an end that has one is not to be sent.
func (s *State) CallOf(n *Notice) *Call {
	for _, c := range s.callsAbout[n.Lineage] {
		if s.covers(c.ToldByTelephone, n) {
			return c
		}
	}
	return nil
}

// EndedByCall lists the notices that a call ends now: those without an end that it told of. One that is held is left to
// its release.
func (s *State) EndedByCall(f *ledgerv1.ToldByTelephone) []*Notice {
	l := s.Lineages[f.Lineage]
	if l == nil {
		return nil
	}
	var ends []*Notice
	for _, id := range l.Standing {
		if n := s.Notices[id]; !n.Phase.Ended() && n.Phase != Held && s.covers(f, n) {
			ends = append(ends, n)
		}
	}
	return ends
}

// covers says whether a call told of all that a notice says.
func (s *State) covers(f *ledgerv1.ToldByTelephone, n *Notice) bool {
	if !concerns(f, n) || (n.Repeats != "" || n.Resumed) && f.ToldMs+minuteMS <= n.DecidedMS {
		return false // what was sent again is not ended by what was said before that
	}
	for i, src := range n.Sources {
		if i < len(n.Refs) && n.Refs[i] != "" && !s.knownTo(f, src.Event) {
			return false
		}
	}
	return true
}

func concerns(f *ledgerv1.ToldByTelephone, n *Notice) bool {
	return f.Organisation == n.Organisation && (f.Child == "" || f.Child == n.Child)
}

// knownTo says whether a call can have told of an event: one that its publisher had by the minute of the call. A
// correction often bears the time of what it corrects, so that it counts only where it had come by then: one call too
// many is better than a correction that nobody hears.
func (s *State) knownTo(f *ledgerv1.ToldByTelephone, event string) bool {
	e := s.Events[event]
	until := f.ToldMs + minuteMS
	return e != nil && e.TimeMs < until && (e.Supersedes == "" || e.AtMS < until)
}

// CallWaits says what a call waits for, or nothing where it has done what it was for.
func (s *State) CallWaits(f *ledgerv1.ToldByTelephone) string {
	l := s.Lineages[f.Lineage]
	switch {
	case l == nil || len(l.Events) == 0:
		return "its event: nothing with this reference has come from the agency"
	case l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED:
		return "a decision about its event"
	}
	later := false
	for _, id := range l.Standing {
		n := s.Notices[id]
		switch {
		case !concerns(f, n):
		case s.covers(f, n) && n.Phase == Held:
			return "the release of a notice that is held"
		case s.covers(f, n):
			return ""
		default:
			later = true
		}
	}
	switch {
	case later:
		return "a notice that it told of: what stands came after the call, and is sent"
	case f.Child != "" && !slices.ContainsFunc(l.Children, func(c *ledgerv1.ChildFinding) bool { return c.Child == f.Child }):
		return "the child: nobody in the incident was found to be this one"
	default:
		return "a notice to this organisation: the decision tells others"
	}
}

// CallsByImport lists the calls, first imported first.
func (s *State) CallsByImport() []*Call {
	calls := make([]*Call, 0, len(s.Calls))
	for _, c := range s.Calls {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b *Call) int {
		return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.ToldMs, b.ToldMs), cmp.Compare(a.Id, b.Id))
	})
	return calls
}

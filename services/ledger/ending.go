package ledger

import (
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Ending is an event that ends a matter of a child: a missing child was found.
type Ending struct {
	EndedMS    int64 // when it did
	ReportedMS int64 // when its publisher was told
	Notices    []*Notice
}

// Endings are the events that end matters of a kind, that no correction replaces and nobody withdrew, and of which somebody is
// told: those about a child who is certainly the one asked for, whatever their reference, first what ended first. Which of
// the child's matters each ends is routing's to say.
func (s *State) Endings(child notice.ChildID, of notice.EventKind) []Ending {
	var endings []Ending
	for _, l := range s.matters[child] {
		if l.Kind.Ends() != of {
			continue
		}
		for _, e := range s.Heads(l) {
			ending := Ending{EndedMS: e.EndedMs, ReportedMS: s.FirstReported(e.Source.Event)}
			for _, id := range e.Ends {
				if n := s.Notices[id]; n.Child == string(child) {
					ending.Notices = append(ending.Notices, n)
				}
			}
			if len(ending.Notices) > 0 {
				endings = append(endings, ending)
			}
		}
	}
	slices.SortStableFunc(endings, func(a, b Ending) int { return cmp.Compare(a.EndedMS, b.EndedMS) })
	return endings
}

// FirstReported is when the publisher was told of an event, or of the first that it corrects: a correction is no later word on
// whether a child is back. 0 where the event is unknown.
func (s *State) FirstReported(event string) int64 {
	e := s.Events[event]
	if e == nil {
		return 0
	}
	at := e.TimeMs
	for range len(s.overtakers) {
		if e = s.Events[e.Supersedes]; e == nil {
			break
		}
		at = min(at, e.TimeMs)
	}
	return at
}

// ends notes whom a decision about what ends matters tells of it, and has those matters decided anew.
func (s *State) ends(l *Lineage, d *ledgerv1.Decision, atMS int64) {
	if l.Kind.Ends() == "" {
		return
	}
	var children []string
	for _, key := range l.Events {
		e := s.Events[key]
		children = append(children, s.toldOfEnd(e)...)
		e.Ends = s.endsBy(l, d, e)
		children = append(children, s.toldOfEnd(e)...)
	}
	s.endingMoved(l, children, atMS)
}

// endsBy lists the notices that tell of the end that an event is. Of one that the decision does not rest on what was last
// said stays, or a child who was found would be missing again. Whoever has been told stays told where a later
// decision tells others, as long as it is about the same child; one that is held tells nobody yet.
func (s *State) endsBy(l *Lineage, d *ledgerv1.Decision, e *Event) []string {
	if e.Overtaken || e.Withdrawn || e.EndedMs == 0 { // one from before it was kept when ends nothing
		return nil
	}
	if !slices.ContainsFunc(d.Sources, func(src *ledgerv1.Source) bool { return src.Event == e.Source.Event }) {
		return e.Ends
	}
	var told []string
	for _, c := range d.Children {
		if c.Event != e.Source.Event || !certain(c) {
			continue
		}
		for _, id := range e.Ends {
			n := s.Notices[id]
			if n.Child == c.Child && n.MayBeHad() && !n.Withdrawn && !slices.Contains(l.Standing, id) {
				told = append(told, id)
			}
		}
		for _, id := range l.Standing {
			if n := s.Notices[id]; n.Child == c.Child && n.Phase != Held {
				told = append(told, id)
			}
		}
	}
	return told
}

// toldOfEnd are the children of whom somebody is told that a matter has ended.
func (s *State) toldOfEnd(e *Event) []string {
	var children []string
	for _, id := range e.Ends {
		children = append(children, s.Notices[id].Child)
	}
	return children
}

// endingMoved has the matters of children decided anew that a lineage may end, or ended before.
func (s *State) endingMoved(l *Lineage, children []string, atMS int64) {
	slices.Sort(children)
	for _, child := range slices.Compact(children) {
		for _, begun := range s.matters[notice.ChildID(child)] {
			if begun.Kind == l.Kind.Ends() && begun.Round > 0 && s.mayEndBy(begun, l, child) {
				s.undecided(begun, ledgerv1.Cause_CAUSE_ENDING, atMS)
			}
		}
	}
}

// mayEndBy says whether a lineage may change who is told of a matter of a child: it ended it before, or nothing did, or
// somebody is still chased. A child who is often missing has many matters, and all but the last are over.
func (s *State) mayEndBy(begun, by *Lineage, child string) bool {
	over := false
	for _, x := range begun.Ended {
		if x.Child == child {
			if s.Notices[x.Notice].Lineage == by.ID {
				return true
			}
			over = true
		}
	}
	return slices.ContainsFunc(begun.Standing, func(id string) bool {
		n := s.Notices[id]
		return n.Child == child && (!over || !n.Phase.Ended())
	})
}

// Over says whether the recipient of a notice is told of the end of its matter instead.
func (s *State) Over(n *Notice) bool {
	by := s.Notices[n.ReplacedBy]
	return by != nil && by.Lineage != n.Lineage
}

// mayHaveEnded holds what a decision says has ended against what went before.
func (s *State) mayHaveEnded(d *ledgerv1.Decision) error {
	for _, x := range d.Ended {
		n, l := s.Notices[x.Notice], s.Lineages[d.Lineage]
		if n == nil || n.Child != x.Child || l.Kind == "" || s.Lineages[n.Lineage].Kind.Ends() != l.Kind {
			return s.impossible("ends a matter by what tells of no end of it:", x.Notice)
		}
	}
	return nil
}

// resumes says whether a notice tells somebody who was told that its matter had ended.
func resumes(before []*ledgerv1.Ended, n *ledgerv1.Notice) bool {
	return slices.ContainsFunc(before, func(x *ledgerv1.Ended) bool { return x.Obligation == n.Obligation })
}

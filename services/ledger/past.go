package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Past asks how often a child was reported: in matters of these kinds other than one lineage, whose first event was
// reported after one instant and not after another. Counting stops at enough.
type Past struct {
	Child           notice.ChildID
	Lineage         string
	Kinds           []notice.EventKind
	FromMS, UntilMS int64
	Enough          int
}

// Earlier counts matters. One that a correction no longer says of the child, and one whose events were all withdrawn, is
// none. A child whom nobody found counts in each matter as another, so nothing is known of earlier ones.
func (s *State) Earlier(p Past) int {
	n := 0
	for _, l := range slices.Backward(s.matters[p.Child]) {
		if n >= p.Enough {
			break
		}
		if l.ID == p.Lineage || !slices.Contains(p.Kinds, l.Kind) || len(l.Events) == 0 {
			continue
		}
		at := s.Events[l.Events[0]].TimeMs
		if at > p.FromMS && at <= p.UntilMS && l.names(p.Child) && s.stands(l) {
			n++
		}
	}
	return n
}

func (l *Lineage) names(child notice.ChildID) bool {
	return slices.ContainsFunc(l.Children, func(c *ledgerv1.ChildFinding) bool { return c.Child == string(child) })
}

// stands says whether an event of the lineage does: neither corrected nor withdrawn.
func (s *State) stands(l *Lineage) bool {
	return slices.ContainsFunc(l.Events, func(key string) bool { return !s.Events[key].Overtaken && !s.Events[key].Withdrawn })
}

// remember notes a lineage for each child that a decision finds in it.
func (s *State) remember(l *Lineage, found []*ledgerv1.ChildFinding) {
	if l.BeforeTerm() || l.Deletion != nil {
		return // what it tells of are other matters
	}
	for _, c := range found {
		child := notice.ChildID(c.GetChild())
		if !certain(c) || l.names(child) {
			continue // of nobody that is known the key is the lineage's own
		}
		known := s.matters[child]
		if n := len(known); n > 0 && known[n-1] == l || l.Round > 0 && slices.Contains(known, l) {
			continue
		}
		s.matters[child] = append(known, l)
	}
}

// certain says whether somebody on a roll is certainly the child of a finding.
func certain(c *ledgerv1.ChildFinding) bool {
	return slices.Contains([]ledgerv1.Match{
		ledgerv1.Match_MATCH_IDENTIFIER, ledgerv1.Match_MATCH_NAME, ledgerv1.Match_MATCH_PERSON,
	}, c.GetMatch())
}

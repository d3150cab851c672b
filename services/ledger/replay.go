package ledger

import (
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Told says whether a notice has ended as it should, or a person closed it: nobody is told of it again but by force. One
// that told of what was withdrawn tells of nothing that stands.
func (n *Notice) Told() bool {
	return !n.Withdrawn && (n.Phase == Acknowledged || n.Phase == Delivered || n.Phase == Closed)
}

// replayed has a decision about each of the lineages follow. One that is due already comes by itself.
func (s *State) replayed(f *ledgerv1.Replayed, atMS int64) error {
	if len(f.Lineages) == 0 {
		return s.impossible("replays nothing of", f.Agency)
	}
	for i, id := range f.Lineages {
		l := s.Lineages[id]
		switch {
		case l == nil:
			return s.impossible("replays an unknown lineage", id)
		case l.BeforeTerm():
			return s.impossible("replays a notice before term, which follows its incidents: lineage", id)
		case l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED:
			return s.impossible("replays while a decision is due about lineage", id)
		case slices.Contains(f.Lineages[:i], id):
			return s.impossible("replays twice lineage", id)
		}
	}
	for _, id := range f.Lineages {
		l := s.Lineages[id]
		s.undecided(l, ledgerv1.Cause_CAUSE_REPLAY, atMS)
		l.Forced = f.Forced
	}
	return nil
}

// mayRepeat holds a notice that says another again against what went before: only a replay makes one, by force, and only
// of what has ended.
func (s *State) mayRepeat(d *ledgerv1.Decision, n *ledgerv1.Notice) error {
	if n.Repeats == "" {
		return nil
	}
	ended := s.Notices[n.Repeats]
	switch {
	case ended == nil || ended.Lineage != d.Lineage:
		return s.impossible("repeats a notice that is not of the lineage:", n.Id)
	case d.Cause != ledgerv1.Cause_CAUSE_REPLAY || !s.Lineages[d.Lineage].Forced:
		return s.impossible("repeats without being forced to notice", n.Id)
	case !ended.Told():
		return s.impossible("repeats what has not ended: notice", n.Id)
	}
	return nil
}

// past keeps in mind, of the notices that stood, those that ended told and stand no more: should the same be due to the
// same recipient one day, it has had it.
func (s *State) past(l *Lineage, stood []string) {
	gone := func(id string) bool { return !slices.Contains(l.Standing, id) && s.Notices[id].Told() }
	l.Past = slices.DeleteFunc(l.Past, func(id string) bool { return !gone(id) })
	for _, id := range stood {
		if gone(id) && !slices.Contains(l.Past, id) {
			l.Past = append(l.Past, id)
		}
	}
}

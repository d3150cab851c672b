package directory

import (
	"cmp"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Enrolments are a child's enrolments in force on a day, one for each setting (or authority, for home education), by
// setting and authority. Where sources disagree about a setting, the one that speaks as of the latest date is
// believed, also when it says that the child left; of two that speak as of the same date, either suffices.
func (s *Snapshot) Enrolments(id notice.ChildID, on Date) []*directoryv1.Enrolment {
	child, ok := s.Child(id)
	if !ok {
		return nil
	}
	type place struct{ setting, area string }
	type word struct {
		place
		source string
	}
	// ISO dates: text order is date order, and no date is the oldest. A source speaks about a place as of the latest of
	// its rows there, so that a child's two spans at one school do not compete.
	newest, spoken := make(map[place]string), make(map[word]string)
	for _, e := range child.GetEnrolments() {
		p := place{e.GetSetting(), e.GetArea()}
		w := word{p, e.GetSource()}
		newest[p] = max(newest[p], e.GetAsOf())
		spoken[w] = max(spoken[w], e.GetAsOf())
	}
	var out []*directoryv1.Enrolment
	found := make(map[place]bool)
	for _, e := range child.GetEnrolments() {
		p := place{e.GetSetting(), e.GetArea()}
		if found[p] || spoken[word{p, e.GetSource()}] != newest[p] || !spans(optionalDate(e.GetFrom()), optionalDate(e.GetUntil()), on) {
			continue
		}
		found[p] = true
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b *directoryv1.Enrolment) int {
		return cmp.Or(cmp.Compare(a.GetSetting(), b.GetSetting()), cmp.Compare(a.GetArea(), b.GetArea()))
	})
	return out
}

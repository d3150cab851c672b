package directory

import (
	"cmp"
	"maps"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Network is who is involved with a child on a day, by function, then organisation. Two lists that say the same are one
// answer: the row with the first id.
func (s *Snapshot) Network(child notice.ChildID, on Date) []*directoryv1.NetworkMember {
	var out []*directoryv1.NetworkMember
	for _, m := range s.network[child] {
		same := func(x *directoryv1.NetworkMember) bool {
			return x.GetFunction() == m.GetFunction() && x.GetOrganisation() == m.GetOrganisation()
		}
		if spans(optionalDate(m.GetFrom()), optionalDate(m.GetUntil()), on) && !slices.ContainsFunc(out, same) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b *directoryv1.NetworkMember) int {
		return cmp.Or(cmp.Compare(a.GetFunction(), b.GetFunction()), cmp.Compare(a.GetOrganisation(), b.GetOrganisation()))
	})
	return out
}

// Health is the NHS organisation (of kind `health`) of a local authority's NHS area or of an NHS area itself; where that
// has none, the one that serves the local authority. Of several, the first by id.
func (s *Snapshot) Health(area notice.Area) (*directoryv1.Organisation, bool) {
	if v, ok := s.health[notice.Area(s.areas[area].GetHealthArea())]; ok {
		return v, true
	}
	v, ok := s.health[area]
	return v, ok
}

func (s *Snapshot) indexNetwork() {
	s.network = make(map[notice.ChildID][]*directoryv1.NetworkMember)
	for _, id := range slices.Sorted(maps.Keys(s.members)) {
		m := s.members[id]
		child := notice.ChildID(m.GetChild())
		s.network[child] = append(s.network[child], m)
	}
}

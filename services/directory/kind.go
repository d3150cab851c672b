package directory

import (
	"maps"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// kindIn is a kind of organisation in an area.
type kindIn struct {
	kind string
	area notice.Area
}

// OfKind is the organisations of a kind in an area, by id: the youth justice services of a local authority's area.
func (s *Snapshot) OfKind(kind string, area notice.Area) []*directoryv1.Organisation {
	return s.kinds[kindIn{kind, area}]
}

func (s *Snapshot) indexKinds() {
	s.kinds = make(map[kindIn][]*directoryv1.Organisation)
	for _, id := range slices.Sorted(maps.Keys(s.organisations)) {
		org := s.organisations[id]
		if org.GetArea() == "" {
			continue
		}
		key := kindIn{org.GetKind(), notice.Area(org.GetArea())}
		s.kinds[key] = append(s.kinds[key], org)
	}
}

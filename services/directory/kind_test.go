package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestTheOrganisationsOfAKindAreThoseOfTheArea(t *testing.T) {
	org := func(id, kind, area string) *directoryv1.Row {
		return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Kind: kind, Area: area})
	}
	s, err := directory.Build(1, []*directoryv1.Row{
		org("south", "youth_justice", "E09000901"), org("north", "youth_justice", "E09000901"), org("other", "youth_justice", "E09000902"),
		org("council", "local_authority", "E09000901"), org("nowhere", "youth_justice", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	for area, want := range map[notice.Area][]string{"E09000901": {"north", "south"}, "E09000902": {"other"}, "E09000903": nil, "": nil} {
		var got []string
		for _, o := range s.OfKind("youth_justice", area) {
			got = append(got, o.GetId())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", area, diff)
		}
	}
}

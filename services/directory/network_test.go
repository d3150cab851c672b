package directory_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestTheNetworkOfADayIsThoseInvolvedThen(t *testing.T) {
	member := func(id, child, function, organisation, from, until string) *directoryv1.Row {
		return directory.NetworkRow(&directoryv1.NetworkMember{Id: id, Child: child, Function: function, Organisation: organisation, From: from, Until: until})
	}
	s, err := directory.Build(1, []*directoryv1.Row{
		member("b/2", "child", "social_worker", "council", "2026-03-01", ""), member("a/1", "child", "social_worker", "council", "", ""),
		member("a/2", "child", "gp", "surgery", "", "2026-06-30"), member("a/3", "child", "gp", "new-surgery", "2026-07-01", ""),
		member("a/4", "other", "gp", "surgery", "", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string][]string{
		"2026-06-30": {"a/2", "a/1"}, // both lists name the social worker: once
		"2026-07-01": {"a/3", "a/1"},
	} {
		on, err := directory.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range s.Network("child", on) {
			got = append(got, m.GetId())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("on %s (-want +got):\n%s", day, diff)
		}
	}
}

func TestTheHealthOrganisationOfAnArea(t *testing.T) {
	org := func(id, kind, area string) *directoryv1.Row {
		return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Kind: kind, Area: area})
	}
	s, err := directory.Build(1, []*directoryv1.Row{
		directory.AreaRow(&directoryv1.Area{Gss: "E09000901", HealthArea: "E38000901"}), directory.AreaRow(&directoryv1.Area{Gss: "E09000902"}),
		org("board", "health", "E38000901"), org("a-trust", "health_trust", "E38000901"), org("local", "health", "E09000902"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for area, want := range map[notice.Area]string{"E09000901": "board", "E38000901": "board", "E09000902": "local", "E09000903": ""} {
		got, _ := s.Health(area)
		if got.GetId() != want {
			t.Errorf("%s has %q, want %q", area, got.GetId(), want)
		}
	}
}

func TestAPostcodeIsFoundWhereItLiesAndItsNeighboursAreNot(t *testing.T) {
	unit := func(code string) int {
		_, u, ok := directory.SplitPostcode(code)
		if !ok {
			t.Fatalf("%s is no postcode", code)
		}
		return u
	}
	s, err := directory.Build(1, []*directoryv1.Row{directory.PostcodeRow(&directoryv1.PostcodeDistrict{District: "ZZ1", Groups: []*directoryv1.PostcodeGroup{
		{Authority: "E09000901", HealthArea: "E38000901", Units: directory.PackUnits([]int{unit("ZZ1 1AA"), unit("ZZ1 1AC"), unit("ZZ1 9ZZ")})},
		{Authority: "E09000902", Units: directory.PackUnits([]int{unit("ZZ1 1AB")})},
	}})})
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]notice.Area{
		"ZZ1 1AA": "E09000901", "zz11ac": "E09000901", "ZZ1 9ZZ": "E09000901", " ZZ1  1AB ": "E09000902",
		"ZZ1 1AD": "", "ZZ1 0AA": "", "ZZ11 1AA": "", "": "", "ZZ1": "", "ZZ1 AAA": "", "ZZ1 1a~": "",
	} {
		got, ok := s.Postcode(code)
		if got.Authority != want || ok != (want != "") {
			t.Errorf("%q lies in %q (%t), want %q", code, got.Authority, ok, want)
		}
	}
	if _, err := directory.Build(1, []*directoryv1.Row{directory.PostcodeRow(&directoryv1.PostcodeDistrict{
		District: "ZZ1", Groups: []*directoryv1.PostcodeGroup{{Units: []byte{0x80}}}})}); notice.KindOf(err) != notice.Invalid {
		t.Errorf("units that cannot be read: %v, want an invalid row", err)
	}
}

func TestUnitsComeBackAsTheyWerePacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfDistinct(rapid.IntRange(0, 6759), rapid.ID).Draw(t, "units")
		slices.Sort(units)
		got, err := directory.UnpackUnits(directory.PackUnits(units))
		if err != nil || !slices.Equal(got, units) {
			t.Errorf("%v came back as %v, %v", units, got, err)
		}
	})
}

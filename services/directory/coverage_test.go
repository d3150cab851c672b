package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestCoverageNamesThoseWhoCannotBeTold(t *testing.T) {
	setting := func(id, kind, area, status string) *directoryv1.Row {
		return directory.SettingRow(&directoryv1.Setting{Id: id, Kind: kind, Area: area, Status: status})
	}
	contact := func(id, org, channel, verified, until string) *directoryv1.Row {
		return directory.ContactRow(&directoryv1.Contact{Id: id, Organisation: org, Channel: channel, VerifiedOn: verified, Until: until})
	}
	s, err := directory.Build(1, []*directoryv1.Row{
		setting("gias:1", "school", "E09000901", "open"), setting("gias:2", "school", "E09000901", "closing"),
		setting("gias:3", "school", "E09000901", "closed"), setting("gias:4", "school", "E09000901", "open"),
		setting("gias:5", "school", "E09000901", "open"), setting("gias:6", "school", "E09000901", "open"),
		setting("ofsted:1", "childminder", "E09000901", "open"), setting("gias:9", "school", "E09000902", "open"),
		directory.OrganisationRow(&directoryv1.Organisation{Id: "council", Kind: "local_authority", Area: "E09000901"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: "charity", Kind: "voluntary"}),
		contact("a", "gias:1", "email", "2026-09-01", ""), contact("b", "gias:2", "email", "", ""),
		contact("c", "gias:4", "telephone", "2026-09-01", ""), contact("d", "gias:5", "email", "2026-09-01", "2026-09-30"),
		contact("e", "gias:6", "email", "2026-09-01", ""), // its mail comes back
		contact("f", "council", "grpc", "2026-09-01", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	on, err := directory.ParseDate("2026-11-02")
	if err != nil {
		t.Fatal(err)
	}
	works := func(c *directoryv1.Contact) bool { return c.GetId() != "e" }
	want := []directory.Coverage{
		{Kind: "voluntary", Total: 1, Without: []notice.OrgID{"charity"}},
		{Area: "E09000901", Setting: true, Kind: "childminder", Total: 1, Without: []notice.OrgID{"ofsted:1"}},
		{Area: "E09000901", Setting: true, Kind: "school", Total: 5, Without: []notice.OrgID{"gias:2", "gias:4", "gias:5", "gias:6"}},
		{Area: "E09000901", Kind: "local_authority", Total: 1},
		{Area: "E09000902", Setting: true, Kind: "school", Total: 1, Without: []notice.OrgID{"gias:9"}},
	}
	if diff := cmp.Diff(want, s.Cover("", on, works)); diff != "" {
		t.Errorf("everywhere (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:4], s.Cover("E09000901", on, works)); diff != "" {
		t.Errorf("in one area (-want +got):\n%s", diff)
	}
	if got := s.Cover("E09000999", on, nil); len(got) != 0 {
		t.Errorf("an area nobody knows: %v", got)
	}
}

func TestCoverageCountsAnInboxThatIsReadAndNoContactForTheHolidaysAlone(t *testing.T) {
	contact := func(id, org, channel, address, use string) *directoryv1.Row {
		return directory.ContactRow(&directoryv1.Contact{Id: id, Organisation: org, Channel: channel, Address: address, Use: use, VerifiedOn: "2026-09-01"})
	}
	rows := []*directoryv1.Row{
		directory.AgencyRow(&directoryv1.Agency{Id: "trust-system", Organisation: "trust"}),
		contact("a", "trust", "inbox", "trust-system", "regular"),
		contact("b", "charity", "inbox", "trust-system", "regular"), // another's agency
		contact("c", "refuge", "inbox", "nobody", "regular"),        // no agency has access under this id
		contact("d", "holiday-club", "email", "a@club.example", "holiday"),
		contact("e", "night-team", "email", "a@night.example", "out_of_hours"),
		contact("f", "school-office", "email", "a@office.example", "holiday"), contact("g", "school-office", "email", "b@office.example", "regular"),
	}
	for _, id := range []string{"trust", "charity", "refuge", "holiday-club", "night-team", "school-office"} {
		rows = append(rows, directory.OrganisationRow(&directoryv1.Organisation{Id: id, Kind: "voluntary"}))
	}
	s, err := directory.Build(1, rows)
	if err != nil {
		t.Fatal(err)
	}
	on, err := directory.ParseDate("2026-11-02")
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.Coverage{{Kind: "voluntary", Total: 6, Without: []notice.OrgID{"charity", "holiday-club", "refuge"}}}
	if diff := cmp.Diff(want, s.Cover("", on, nil)); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
}

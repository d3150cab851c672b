package telephone

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	school  = "gias:900101"
	nursery = "ofsted:EY900103"
	council = "ashmere-council"
	police  = "northbridge-police"
)

func snapshot(t *testing.T, more ...*directoryv1.Row) *directory.Snapshot {
	t.Helper()
	contact := func(id, org, role, name, channel, address, use string) *directoryv1.Row {
		return directory.ContactRow(&directoryv1.Contact{
			Id: id, Organisation: org, Role: role, Name: name, Channel: channel, Address: address, Use: use, VerifiedOn: "2026-05-18",
		})
	}
	left := contact("left", school, "head", "Q. Formerly", "telephone", "01632 960 009", "regular")
	left.GetContact().Until = "2026-06-01"
	unsure := contact("unsure", council, "duty", "Duty desk", "telephone", "01632 960 004", "out_of_hours")
	unsure.GetContact().VerifiedOn = ""
	rows := append([]*directoryv1.Row{
		directory.AreaRow(&directoryv1.Area{Gss: "E09000901", Name: "Ashmere", Kind: "local_authority"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: council, Name: "Ashmere Council", Kind: "local_authority", Area: "E09000901"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: police, Name: "Northbridge Police", Kind: "police"}),
		directory.SettingRow(&directoryv1.Setting{Id: school, Name: "Beacon Row School", Kind: "school", Area: "E09000901"}),
		directory.SettingRow(&directoryv1.Setting{Id: nursery, Name: "Little Acorns", Kind: "nursery"}),
		directory.AgencyRow(&directoryv1.Agency{Id: police, Organisation: police}),
		directory.ChildRow(&directoryv1.Child{Id: "ada", Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2016-05-02"}),
		directory.ChildRow(&directoryv1.Child{Id: "hid", Given: "Hid", Family: "Larch", DateOfBirth: "2016-05-02"}),
		directory.RestrictionRow(&directoryv1.Restriction{Id: "R1", Child: "hid", Kind: "protected_location"}),
		contact("dsl-mail", school, "dsl", "M. Okoro", "email", "m.okoro@beacon-row.example", "regular"),
		contact("dsl-call", school, "dsl", "M. Okoro", "telephone", "01632 960 001", "regular"),
		contact("dsl-home", school, "dsl", "M. Okoro", "telephone", "07700 900 001", "holiday"),
		contact("acorns", nursery, "dsl", "=HYPERLINK()\nB. Bee", "telephone", "+44 1632 960 002", "regular"),
		left, unsure,
	}, more...)
	s, err := directory.Build(1, rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func now() time.Time { return time.Date(2026, 6, 18, 18, 42, 0, 0, time.UTC) }

const header = "agency,kind,reference,organisation,child,told,told_at,told_by,verified\n"

func read(t *testing.T, text string) ([]Call, []notice.FieldFault) {
	t.Helper()
	calls, err := Read([]byte(text), snapshot(t), notice.Key{1}, now())
	if err == nil {
		return calls, nil
	}
	if notice.KindOf(err) != notice.Invalid || calls != nil {
		t.Fatalf("%v with %d calls", err, len(calls))
	}
	return nil, notice.FieldsOf(err)
}

func TestACallIsReadAsItWasWrittenDown(t *testing.T) {
	calls, faults := read(t, "\ufeffTold,agency,kind,reference,organisation,child,told_at,told_by,verified\r\n"+
		"M. Okoro,northbridge-police,encompass.incident,NP/26/1,900101,all,2026-06-18 9:05,PC Lund,called back on the listed number\r\n"+
		",,,,,,,,\r\n"+
		"\"Okoro, M.\",northbridge-police,encompass.incident,NP/26/1,gias:900101,ada,18/06/2026 19:42,PC Lund,voice\r\n")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	key := notice.Key{1}
	lineage := key.ID("lineage", police, "encompass.incident", "NP/26/1")
	want := []Call{
		{Line: 2, Lineage: lineage, Agency: police, Kind: "encompass.incident", Reference: "NP/26/1", Organisation: school, Told: "M. Okoro",
			ToldAt: time.Date(2026, 6, 18, 8, 5, 0, 0, time.UTC), ToldBy: "PC Lund", Verified: "called back on the listed number"},
		{Line: 4, Lineage: lineage, Agency: police, Kind: "encompass.incident", Reference: "NP/26/1", Organisation: school, Child: "ada", Told: "Okoro, M.",
			ToldAt: now(), ToldBy: "PC Lund", Verified: "voice"},
	}
	ids := map[string]bool{}
	for i := range calls {
		ids[calls[i].ID] = true
		calls[i].ID = ""
	}
	if diff := cmp.Diff(want, calls); diff != "" || len(ids) != 2 || ids[""] {
		t.Errorf("ids %v (-want +got):\n%s", ids, diff)
	}
}

func TestEveryFaultOfAFileIsNamedAtOnceAndNoValueIsRepeated(t *testing.T) {
	_, faults := read(t, header+
		"nobody,gossip,NP/26/1,900199,hid,0800,2026-06-18 19:43,,voice\n"+
		"northbridge-police,encompass.incident,NP/26/1,900101,all,M. Okoro,2026-03-29 01:30,PC Lund,voice\n"+
		"northbridge-police,encompass.incident,NP/26/1,900101\n"+
		"northbridge-police,encompass.incident,NP/26/1,900101,zed,M. Okoro,yesterday,PC Lund,voice\n")
	var got []string
	for _, f := range faults {
		got = append(got, f.Field)
		for _, secret := range []string{"nobody", "gossip", "0800", "hid", "zed", "yesterday"} {
			if strings.Contains(f.Message, secret) {
				t.Errorf("%s repeats a value: %s", f.Field, f.Message)
			}
		}
	}
	want := []string{
		"line 2, agency", "line 2, kind", "line 2, organisation", "line 2, child", "line 2, told", "line 2, told_at", "line 2, told_by",
		"line 3, told_at", "line 4", "line 5, child", "line 5, told_at",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	// A sealed child is answered as one nobody knows.
	if faults[3].Message != faults[9].Message {
		t.Errorf("a sealed child: %q, an unknown one: %q", faults[3].Message, faults[9].Message)
	}
}

func TestFilesThatAreNoFormAreRefused(t *testing.T) {
	row := "northbridge-police,encompass.incident,NP/26/1,900101,all,M. Okoro,2026-06-18 09:05,PC Lund,voice\n"
	for name, tc := range map[string]struct{ file, field string }{
		"empty":           {"", "file"},
		"no calls":        {header, "file"},
		"another column":  {"colour," + header + "red," + row, "line 1"},
		"a missing one":   {strings.Replace(header, "told_by,", "", 1) + row, "line 1"},
		"one twice":       {"agency," + header + "x," + row, "line 1"},
		"not UTF-8":       {header + "\xff" + row, "file"},
		"the same twice":  {header + row + row, "line 3"},
		"an open quote":   {header + "\"" + row, "line 2"},
		"a quote too few": {header + row + "a\"b,c\n", "line 3"},
	} {
		_, faults := read(t, tc.file)
		if len(faults) == 0 || faults[0].Field != tc.field {
			t.Errorf("%s: %v, want the fault at %s", name, faults, tc.field)
		}
	}
}

func FuzzReadNeverGivesCallsAndFaultsBoth(f *testing.F) {
	f.Add([]byte(header + "northbridge-police,encompass.incident,NP/26/1,900101,all,M. Okoro,2026-06-18 09:05,PC Lund,voice\n"))
	f.Add([]byte("agency\n\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		calls, err := Read(file, snapshot(t), notice.Key{1}, now())
		if (err == nil) == (len(calls) == 0) {
			t.Fatalf("%d calls with %v", len(calls), err)
		}
		for _, c := range calls {
			if c.ID == "" || c.Organisation == "" || c.ToldAt.After(now()) {
				t.Fatalf("a call that cannot be: line %d", c.Line)
			}
		}
	})
}

package demo

import (
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var key = notice.Key{1}

// build imports the borough into an empty directory.
func build(t *testing.T, now time.Time) *directory.Snapshot {
	t.Helper()
	rows := map[importer.RowKey]*directoryv1.Row{}
	current := snapshot(t, rows)
	for _, im := range BoroughFiles() {
		res := plan(t, im, current, now)
		if len(res.Deletes) > 0 {
			t.Fatalf("%s: removes rows of a directory that has none of its own", im.Name)
		}
		for _, row := range res.Puts {
			kind, id := directory.KeyOf(row)
			rows[importer.RowKey{Kind: kind, ID: id}] = row
		}
		current = snapshot(t, rows)
	}
	return current
}

func plan(t *testing.T, im File, current *directory.Snapshot, now time.Time) *importer.Result {
	t.Helper()
	f, err := Borough().Open(im.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	res, err := importer.Plan(importer.Request{
		Format: im.Format, Name: im.Name, Source: im.Source, Now: now, Key: key,
	}, f, current, nil)
	if err != nil {
		t.Fatalf("%s: %v", im.Name, err)
	}
	for _, f := range res.Faults {
		t.Errorf("%s, line %d, %s: %s", im.Name, f.Line, f.Column, f.Message)
	}
	return res
}

func snapshot(t *testing.T, rows map[importer.RowKey]*directoryv1.Row) *directory.Snapshot {
	t.Helper()
	var list []*directoryv1.Row
	for _, row := range rows {
		list = append(list, proto.CloneOf(row))
	}
	s, err := directory.Build(1, list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheBoroughImportsWithoutAFaultAndOnce(t *testing.T) {
	current := build(t, opening())
	got := map[string]int{}
	for _, kind := range []string{
		directory.KindArea, directory.KindOrganisation, directory.KindSetting, directory.KindCalendar,
		directory.KindBankHolidays, directory.KindChild, directory.KindContact, directory.KindRestriction,
		directory.KindNetwork, directory.KindPostcode,
	} {
		got[kind] = len(current.Rows(kind))
	}
	want := map[string]int{
		directory.KindArea: 7, directory.KindOrganisation: 14, directory.KindSetting: 17, directory.KindCalendar: 4,
		directory.KindBankHolidays: 3, directory.KindChild: 23, directory.KindContact: 51, directory.KindRestriction: 1,
		directory.KindNetwork: 7, directory.KindPostcode: 10,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows by kind (-want +got):\n%s", diff)
	}
	for _, im := range BoroughFiles() {
		if res := plan(t, im, current, opening()); len(res.Puts)+len(res.Deletes) > 0 {
			t.Errorf("%s, imported again, changes %v", im.Name, res.Changes)
		}
	}
	if s, ok := current.Setting("gias:900109"); !ok || s.Name != "St Brónagh’s Catholic Primary School" {
		t.Errorf("the register's letters are not read as Windows-1252: %q", s.GetName())
	}
}

func TestTheSampleEventsPassIntakeAndTheMalformedOneDoesNot(t *testing.T) {
	in, err := intake.New()
	if err != nil {
		t.Fatal(err)
	}
	current := build(t, opening())
	files, err := fs.Glob(Events(), "*.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, file := range files {
		ev := read(t, file)
		now := ev.Time.AsTime()
		if file == MalformedEvent {
			now = opening()
		}
		faults := in.Validate(ev, intake.Check{
			Agency: notice.AgencyID(ev.Source), Now: now, Live: true,
			AreaKnown: func(a notice.Area) bool { _, ok := current.Area(a); return ok },
		})
		if file == MalformedEvent {
			if len(faults) < 5 {
				t.Errorf("%s: faults %v, want at least five", file, faults)
			}
			continue
		}
		kinds[ev.Type]++
		for _, f := range faults {
			t.Errorf("%s: %s: %s", file, f.Field, f.Message)
		}
	}
	for _, kind := range notice.EventKinds() {
		if kinds[string(kind)] == 0 {
			t.Errorf("no sample event of kind %s", kind)
		}
	}
}

func read(t *testing.T, file string) *eventv1.Event {
	t.Helper()
	text, err := fs.ReadFile(Events(), file)
	if err != nil {
		t.Fatal(err)
	}
	ev := &eventv1.Event{}
	if err := protojson.Unmarshal(text, ev); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return ev
}

package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAManifestListsEachReferenceOfADayThatHasCome(t *testing.T) {
	in := newIntake(t)
	today := directory.DateOf(now)
	for name, c := range map[string]struct {
		change func(*eventv1.Event, *eventv1.Manifest)
		want   []string // fields at fault
	}{
		"as it should be":        {change: func(*eventv1.Event, *eventv1.Manifest) {}},
		"of a day without any":   {change: func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries = nil }},
		"of a month ago":         {change: func(_ *eventv1.Event, m *eventv1.Manifest) { m.Day = today.AddDays(-31).String() }},
		"of longer ago":          {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Day = today.AddDays(-32).String() }, []string{"manifest.day"}},
		"of tomorrow":            {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Day = today.AddDays(1).String() }, []string{"manifest.day"}},
		"of no day":              {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Day = "" }, []string{"manifest.day"}},
		"of 30 February":         {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Day = "2026-02-30" }, []string{"manifest.day"}},
		"part nought":            {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Part = 0 }, []string{"manifest.part"}},
		"part three of two":      {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Part, m.Parts = 3, 2 }, []string{"manifest.part"}},
		"a thousand parts":       {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Parts = 1000 }, []string{"manifest.parts"}},
		"a reference twice":      {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[1] = proto.CloneOf(m.Entries[0]) }, []string{"manifest.entries[1].subject"}},
		"a reference of no kind": {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[0].Kind = "encompass.rumour" }, []string{"manifest.entries[0].kind"}},
		"a manifest of itself":   {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[0].Kind = "manifest" }, []string{"manifest.entries[0].kind"}},
		"of withdrawals":         {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[0].Kind = "event.withdrawn" }, []string{"manifest.entries[0].kind"}},
		"without a reference":    {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[1].Subject = "" }, []string{"manifest.entries[1].subject"}},
		"without children":       {func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries[1].Children = 0 }, []string{"manifest.entries[1].children"}},
		"with names": {
			func(ev *eventv1.Event, _ *eventv1.Manifest) {
				other := sample(t, notice.EncompassIncident)
				ev.Children, ev.Narrative = other.Children[:1], other.Narrative
			}, []string{"children", "narrative"},
		},
		"of more than one event holds": {
			func(_ *eventv1.Event, m *eventv1.Manifest) { m.Entries = entries(1001) }, []string{"manifest.entries"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ev := sample(t, notice.Manifest)
			c.change(ev, ev.GetManifest())
			held := check(ev)
			held.Kinds = []string{string(notice.EncompassIncident)} // what may be published may be listed
			var fields []string
			for _, fault := range in.Validate(ev, held) {
				fields = append(fields, fault.Field)
			}
			slices.Sort(fields)
			if diff := cmp.Diff(c.want, slices.Compact(fields)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func entries(n int) []*eventv1.ManifestEntry {
	all := make([]*eventv1.ManifestEntry, n)
	for i := range all {
		all[i] = &eventv1.ManifestEntry{Kind: string(notice.EncompassIncident), Subject: fmt.Sprintf("NP/%06d/26", i), Children: 2}
	}
	return all
}

func TestTheLargestPartOfAManifestIsTakenInEveryEncoding(t *testing.T) {
	in := newIntake(t)
	ev := sample(t, notice.Manifest)
	ev.GetManifest().Entries = entries(1000)
	for i, entry := range ev.GetManifest().Entries {
		entry.Subject = fmt.Sprintf("%s%04d", strings.Repeat("x", 36), i)
	}
	for _, enc := range intake.Encodings() {
		header, data, err := intake.Encode(ev, enc)
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.Read(header, data, check(ev))
		if err != nil {
			t.Errorf("%v, %d bytes: %v", enc, len(data), err)
		} else if n := len(got.GetManifest().GetEntries()); n != 1000 {
			t.Errorf("%v: %d entries", enc, n)
		}
	}
}

func TestAManifestAtTheClockChangeIsOfTheDayInLondon(t *testing.T) {
	in := newIntake(t)
	ev := sample(t, notice.Manifest)
	held := check(ev)
	held.Now = time.Date(2026, 6, 18, 23, 30, 0, 0, time.UTC) // half past midnight in London
	ev.Time.Seconds = held.Now.Unix()
	ev.GetManifest().Day = "2026-06-19"
	if found := in.Validate(ev, held); len(found) > 0 {
		t.Errorf("today is refused: %v", found)
	}
	ev.GetManifest().Day = "2026-06-20"
	if found := in.Validate(ev, held); len(found) != 1 {
		t.Errorf("tomorrow is not refused: %v", found)
	}
}

func TestANumberThatIsNoneIsNamed(t *testing.T) {
	in := newIntake(t)
	ev := sample(t, notice.Manifest)
	header, data, err := intake.Encode(ev, intake.CloudEventsJSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{`"two"`, `-1`, `1.5`, `99999999999`, `true`} {
		bad := strings.Replace(string(data), `"children":1`, `"children":`+number, 1)
		if bad == string(data) {
			t.Fatalf("the sample has no child to change: %s", data)
		}
		_, err := in.Read(header, []byte(bad), check(ev))
		faults := notice.FieldsOf(err)
		if len(faults) == 0 || !slices.ContainsFunc(faults, func(f notice.FieldFault) bool { return f.Field == "manifest.entries[1].children" }) {
			t.Errorf("%s: %v", number, err)
		}
	}
}

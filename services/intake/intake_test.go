package intake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// now is after every sample.
var now = time.Date(2026, time.December, 2, 9, 0, 0, 0, time.UTC)

func newIntake(tb testing.TB) *intake.Intake {
	tb.Helper()
	in, err := intake.New()
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// samples are the events of testdata/events, one of each kind, by kind.
func samples(tb testing.TB) map[string]*eventv1.Event {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	found := map[string]*eventv1.Event{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		ev := &eventv1.Event{}
		if err := protojson.Unmarshal(text, ev); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		found[ev.GetType()] = ev
	}
	for _, kind := range notice.PublishedKinds() {
		if found[string(kind)] == nil {
			tb.Fatalf("testdata/events has no sample of %s", kind)
		}
	}
	return found
}

func sample(tb testing.TB, kind notice.EventKind) *eventv1.Event {
	tb.Helper()
	return proto.Clone(samples(tb)[string(kind)]).(*eventv1.Event)
}

// check is what the sample's publisher is held against.
func check(ev *eventv1.Event) intake.Check {
	agency := notice.AgencyID(ev.GetSource())
	return intake.Check{
		Agency:    agency,
		Subject:   store.EventSubject(agency, notice.EventKind(ev.GetType()).Family()),
		Now:       now,
		AreaKnown: func(a notice.Area) bool { return a == "E09000901" || a == "E09000902" },
		Live:      true,
	}
}

func TestEveryKindComesBackEqualFromEveryEncoding(t *testing.T) {
	in := newIntake(t)
	for kind, ev := range samples(t) {
		for _, enc := range intake.Encodings() {
			t.Run(kind+" as "+string(enc), func(t *testing.T) {
				header, data, err := intake.Encode(ev, enc)
				if err != nil {
					t.Fatal(err)
				}
				got, err := in.Read(header, data, check(ev))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(ev, got, protocmp.Transform()); diff != "" {
					t.Errorf("event (-want +got):\n%s", diff)
				}
				again, same, err := intake.Encode(got, enc)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]any{header, string(data)}, []any{again, string(same)}); diff != "" {
					t.Errorf("encoded again (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestEncodingsAreKnownByName(t *testing.T) {
	for _, enc := range intake.Encodings() {
		got, err := intake.ParseEncoding(string(enc))
		if err != nil || got != enc {
			t.Errorf("%s: got %q, %v", enc, got, err)
		}
	}
	if _, err := intake.ParseEncoding("xml"); notice.KindOf(err) != notice.Invalid || err == nil {
		t.Errorf("xml: error %v, want an invalid one", err)
	}
	ev := sample(t, notice.EncompassIncident)
	if _, _, err := intake.Encode(ev, ""); err == nil {
		t.Error("the zero encoding encodes")
	}
	if _, _, err := intake.Encode(nil, intake.Protobuf); err == nil {
		t.Error("no event encodes")
	}
	ev.Narrative.Disclosable = "\xff secret"
	for _, enc := range intake.Encodings() {
		if _, _, err := intake.Encode(ev, enc); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s of a text that is not UTF-8: error %v, want one without the text", enc, err)
		}
	}
}

func TestBothSpellingsOfAFieldAreRead(t *testing.T) {
	ev := sample(t, notice.EncompassIncident)
	header, data, err := intake.Encode(ev, intake.CloudEventsJSON)
	if err != nil {
		t.Fatal(err)
	}
	camel := strings.NewReplacer("date_of_birth", "dateOfBirth", "occurred_at", "occurredAt", "encompass_incident", "encompassIncident").
		Replace(string(data))
	if camel == string(data) {
		t.Fatal("nothing was replaced")
	}
	got, err := intake.Decode("", header, []byte(camel))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ev, got, protocmp.Transform()); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestTheDataMayRepeatItsAttributes(t *testing.T) {
	ev := sample(t, notice.ReferralDecided)
	header, _, err := intake.Encode(ev, intake.CloudEventsBinary)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := protojson.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	got, err := intake.Decode("", header, whole)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ev, got, protocmp.Transform()); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestAReadableEventKeepsItsIDThoughAtFault(t *testing.T) {
	in := newIntake(t)
	ev := sample(t, notice.EncompassIncident)
	header, data, err := intake.Encode(ev, intake.CloudEventsJSON)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(data), `"2015-05-09"`, `20150509`, 1)
	got, err := in.Read(header, []byte(broken), check(ev))
	if err == nil || got.GetId() != ev.GetId() {
		t.Errorf("id %q, error %v; want the id %q and an error", got.GetId(), err, ev.GetId())
	}
}

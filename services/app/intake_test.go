package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// fields are the fields that a refusal names.
func fields(faults []*intakev1.Fault) []string {
	names := make([]string, 0, len(faults))
	for _, f := range faults {
		if f.Message == "" {
			names = append(names, f.Field+" (without a remedy)")
			continue
		}
		names = append(names, f.Field)
	}
	return names
}

func TestABadEventIsRefusedByFieldAndBlocksNothingBehindIt(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	heard := make(chan *nats.Msg, 16)
	sub, err := police.NATS.ChanSubscribe(store.AgencySubject(police.ID, string(store.Rejected)), heard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := police.NATS.Flush(); err != nil {
		t.Fatal(err)
	}

	subject := store.EventSubject(police.ID, "encompass")
	asJSON := func(replace ...string) []byte {
		ev := apptest.Incident(police, "np-bad", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
		_, data, err := intake.Encode(ev, intake.CloudEventsJSON)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer(replace...).Replace(compact.String())
		if len(replace) > 0 && changed == compact.String() {
			t.Fatalf("nothing was replaced by %q in %s", replace, changed)
		}
		return []byte(changed)
	}
	structured := intake.Header{"Content-Type": {"application/cloudevents+json"}}
	for _, tc := range []struct {
		name   string
		header intake.Header
		data   []byte
		want   []string
	}{
		{"cut short", structured, asJSON()[:200], []string{"event"}},
		{"a time without offset", structured, asJSON(`"time":"2026-06-18T18:42:00Z"`, `"time":"2026-06-18T18:42:00"`), []string{"time"}},
		{"an unknown area", structured, asJSON(`"area":"E09000901"`, `"area":"E09000999"`), []string{"area"}},
		{"a birth in the future", structured, asJSON("2015-05-09", "2031-05-09"), []string{"children[0].date_of_birth"}},
		{"another agency's event", structured, asJSON(`"source":"northbridge-police"`, `"source":"kestrel-police"`), []string{"source"}},
		{"neither protobuf nor JSON", intake.Header{"Content-Type": {"application/protobuf"}}, []byte("hello"), []string{"event"}},
		{"larger than an event may be", structured, bytes.Repeat([]byte(" "), intake.MaxSize+1), []string{"event"}},
	} {
		police.PublishRaw(subject, tc.header, tc.data)
		select {
		case m := <-heard:
			var rejected intakev1.Rejected
			if err := protojson.Unmarshal(m.Data, &rejected); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			equal(t, tc.name, fields(rejected.Faults), tc.want)
			if text := string(m.Data); strings.Contains(text, "Brennock") || strings.Contains(text, "2031") {
				t.Errorf("%s: the refusal repeats a value: %s", tc.name, text)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the publisher heard nothing", tc.name)
		}
	}

	good := apptest.Incident(police, "np-good", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	police.Publish(good)
	r.Settle()
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 1 {
		t.Errorf("the good event behind the bad ones gave %d notices", len(got))
	}
	refused, err := r.Intake.Quarantine(r.Context(), &intakev1.QuarantineRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(refused.Quarantined) != 7 || len(apptest.Rejected(police.Feedback())) != 7 {
		t.Errorf("%d in quarantine and %d in the feedback, want 7", len(refused.Quarantined), len(apptest.Rejected(police.Feedback())))
	}
	equal(t, "tasks", slices.Compact(r.OpenTasks()), []string{"QUARANTINED northbridge-police desk"})
	r.Verify()
}

func TestOverGRPCEveryFaultComesBackAtOnceAndAGoodEventIsDurable(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	client := intakev1.NewIntakeServiceClient(police.GRPC)
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))

	bad := apptest.Incident(police, "np-bad", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2031-05-09"))
	bad.Area = "E09000999"
	_, err := client.Publish(r.Context(), &intakev1.PublishRequest{Event: bad})
	fault := rpc.Fault(err)
	if notice.KindOf(fault) != notice.Invalid {
		t.Fatalf("%v, want it refused as invalid", err)
	}
	var named []string
	for _, f := range notice.FieldsOf(fault) {
		named = append(named, f.Field)
	}
	equal(t, "fields", named, []string{"area", "children[0].date_of_birth"})

	if _, err := client.Publish(r.Context(), &intakev1.PublishRequest{Event: ev}); err != nil {
		t.Fatal(err)
	}
	r.Settle()
	if s := r.Summary(); s.Notices != 1 || s.Events != 1 {
		t.Errorf("%v", s)
	}
	r.Restart()
	r.Settle()
	if s := r.Summary(); s.Notices != 1 || s.Events != 1 || s.WithPerson != 1 {
		t.Errorf("after a restart: %v", s)
	}
	r.Verify()
}

func TestFeedbackSinceACursorOverNATS(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	ask := func(request string) *intakev1.FeedbackResponse {
		answer, err := police.NATS.RequestWithContext(ctx, store.FeedbackSubject(police.ID), []byte(request))
		if err != nil {
			t.Fatal(err)
		}
		var response intakev1.FeedbackResponse
		if err := protojson.Unmarshal(answer.Data, &response); err != nil {
			t.Fatalf("%v: %s", err, answer.Data)
		}
		return &response
	}
	all := ask("")
	equal(t, "what the publisher heard", apptest.States(all.Changes, "np-1", "c1"), []intakev1.ChildState{intakev1.ChildState_CHILD_STATE_TOLD})
	if rest := ask(`{"after": "1"}`); len(rest.Changes) != len(all.Changes)-1 {
		t.Errorf("%d changes after the first of %d", len(rest.Changes), len(all.Changes))
	}
}

func TestAnAgencyCanDoOnlyWhatItWasGiven(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	_, err := r.Directory.AddAgency(r.Context(), &directoryv1.AddAgencyRequest{Agency: &directoryv1.Agency{
		Id: "harbour", Organisation: "nobody-knows", Kinds: []string{"encompass.incident", "no.such"},
	}})
	if fault := rpc.Fault(err); notice.KindOf(fault) != notice.Invalid || len(notice.FieldsOf(fault)) != 2 {
		t.Errorf("an unknown organisation and an unknown kind: %v", err)
	}
	for name, kinds := range map[string][]string{"no kind": nil, "an empty kind": {""}, "all and one more": {notice.EveryKind, "encompass.incident"}} {
		_, err := r.Directory.AddAgency(r.Context(), &directoryv1.AddAgencyRequest{Agency: &directoryv1.Agency{
			Id: "harbour", Organisation: "harbour-trust", Kinds: kinds,
		}})
		if fault := rpc.Fault(err); err == nil || notice.KindOf(fault) != notice.Invalid || notice.FieldsOf(fault)[0].Field != "agency.kinds" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = directoryv1.NewDirectoryServiceClient(police.GRPC).ListAgencies(r.Context(), &directoryv1.ListAgenciesRequest{})
	if notice.KindOf(rpc.Fault(err)) != notice.Denied {
		t.Errorf("an agency reads the list of agencies: %v", err)
	}
}

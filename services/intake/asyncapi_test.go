package intake_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// document is what the tests need of the AsyncAPI document.
type document struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address    string
		Parameters map[string]struct{ Enum []string }
		Messages   map[string]struct {
			Ref string `yaml:"$ref"`
		}
	}
	Operations map[string]struct {
		Channel struct {
			Ref string `yaml:"$ref"`
		}
	}
	Components struct {
		Messages map[string]struct {
			ContentType string `yaml:"contentType"`
			Examples    []struct {
				Name    string
				Headers map[string]string
				Payload any
			}
		}
		Schemas map[string]struct{ Enum []string }
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "api", "asyncapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheDocumentNamesTheSubjectsInUse(t *testing.T) {
	doc := readDocument(t)
	got := map[string]string{}
	for name, c := range doc.Channels {
		if c.Address != "" { // a reply has none
			got[name] = c.Address
		}
	}
	want := map[string]string{
		"events":   store.EventSubject("{agency}", "{family}"),
		"status":   store.AgencySubject("{agency}", string(store.Status)),
		"rejected": store.AgencySubject("{agency}", string(store.Rejected)),

		"completeness": store.AgencySubject("{agency}", string(store.Completeness)),
		"manifest":     store.AgencySubject("{agency}", string(store.Manifest)),
		"feedback":     store.FeedbackSubject("{agency}"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}

	var families, kinds []string
	for _, k := range notice.PublishedKinds() {
		kinds = append(kinds, string(k))
		if !slices.Contains(families, k.Family()) {
			families = append(families, k.Family())
		}
	}
	if diff := cmp.Diff(families, doc.Channels["events"].Parameters["family"].Enum); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(kinds, doc.Components.Schemas["type"].Enum); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	for name, op := range doc.Operations {
		if _, ok := doc.Channels[strings.TrimPrefix(op.Channel.Ref, "#/channels/")]; !ok {
			t.Errorf("operation %s is on no channel of the document", name)
		}
	}
	for name, c := range doc.Channels {
		for message, m := range c.Messages {
			if _, ok := doc.Components.Messages[strings.TrimPrefix(m.Ref, "#/components/messages/")]; !ok {
				t.Errorf("channel %s: message %s is not in the document", name, message)
			}
		}
	}
}

func TestTheDocumentsEventsAreTaken(t *testing.T) {
	in := newIntake(t)
	doc := readDocument(t)
	all := samples(t)
	for name, enc := range map[string]intake.Encoding{
		"eventProtobuf": intake.Protobuf, "eventCloudEventsBinary": intake.CloudEventsBinary, "eventCloudEventsJSON": intake.CloudEventsJSON,
	} {
		examples := doc.Components.Messages[name].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no example", name)
		}
		for _, example := range examples {
			t.Run(name+" "+example.Name, func(t *testing.T) {
				header := intake.Header{}
				for key, v := range example.Headers {
					header[key] = []string{v}
				}
				got, err := intake.Decode("", header, payload(t, example.Payload))
				if err != nil {
					t.Fatal(err)
				}
				want := all[got.GetType()]
				if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
					t.Errorf("the example is not the sample of its kind (-want +got):\n%s", diff)
				}
				if found := in.Validate(got, check(want)); len(found) > 0 {
					t.Errorf("the example is refused: %v", found)
				}
				encoded, _, err := intake.Encode(want, enc)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(encoded, header); diff != "" {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestTheDocumentHasAnExampleOfEachKind(t *testing.T) {
	var shown []string
	for _, example := range readDocument(t).Components.Messages["eventCloudEventsJSON"].Examples {
		event, ok := example.Payload.(map[string]any)
		kind, isText := event["type"].(string)
		if !ok || !isText {
			t.Fatalf("the example %s has no type", example.Name)
		}
		if want := strings.NewReplacer(".", "-", "_", "-").Replace(kind); example.Name != want {
			t.Errorf("the example of %s is called %s, want %s", kind, example.Name, want)
		}
		shown = append(shown, kind)
	}
	var kinds []string
	for _, kind := range notice.PublishedKinds() {
		kinds = append(kinds, string(kind))
	}
	if diff := cmp.Diff(kinds, shown); diff != "" {
		t.Errorf("examples in structured JSON, in the order of the kinds (-want +got):\n%s", diff)
	}
}

func TestTheDocumentsAnswersAreMessages(t *testing.T) {
	doc := readDocument(t)
	for name, m := range map[string]proto.Message{
		"status": &intakev1.Status{}, "rejected": &intakev1.Rejected{},
		"completeness": &intakev1.Completeness{}, "manifest": &intakev1.ManifestStatus{},
		"feedbackRequest": &intakev1.FeedbackRequest{}, "feedbackResponse": &intakev1.FeedbackResponse{},
	} {
		examples := doc.Components.Messages[name].Examples
		if len(examples) != 1 {
			t.Fatalf("%s: %d examples, want one", name, len(examples))
		}
		if err := protojson.Unmarshal(payload(t, examples[0].Payload), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(m.ProtoReflect().GetUnknown()) > 0 || proto.Size(m) == 0 {
			t.Errorf("%s: the example is another message", name)
		}
	}
}

// payload gives an example as it is sent: JSON, or protobuf that stands in base64.
func payload(t *testing.T, v any) []byte {
	t.Helper()
	if text, ok := v.(string); ok {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

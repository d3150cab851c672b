package intake_test

import (
	"context"
	"io"
	"testing"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/binding/format"
	"github.com/cloudevents/sdk-go/v2/binding/spec"
	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
)

// sdkEvent builds the event as a publisher with the CloudEvents SDK does.
func sdkEvent(t *testing.T, ev *eventv1.Event, contentType string) cloudevents.Event {
	t.Helper()
	out := cloudevents.New()
	out.SetID(ev.GetId())
	out.SetSource(ev.GetSource())
	out.SetType(ev.GetType())
	out.SetSubject(ev.GetSubject())
	out.SetTime(ev.GetTime().AsTime())
	out.SetExtension("area", ev.GetArea())
	out.SetExtension("traffic", "live")
	if ev.GetSupersedes() != "" {
		out.SetExtension("supersedes", ev.GetSupersedes())
	}
	rest := proto.Clone(ev).(*eventv1.Event)
	rest.Id, rest.Source, rest.Type, rest.Subject, rest.Time, rest.Area, rest.Supersedes = "", "", "", "", nil, "", ""
	var (
		data []byte
		err  error
	)
	if contentType == cloudevents.ApplicationJSON {
		data, err = protojson.Marshal(rest)
	} else {
		data, err = proto.Marshal(rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := out.SetData(contentType, data); err != nil {
		t.Fatal(err)
	}
	if err := out.Validate(); err != nil {
		t.Fatal(err)
	}
	return out
}

// message is what a client of the SDK sends on NATS: the SDK visits it and it keeps headers and data.
type message struct {
	header intake.Header
	data   []byte
	prefix string
}

func (m *message) Start(context.Context) error {
	m.header = intake.Header{m.prefix + "specversion": {"1.0"}}
	return nil
}

func (m *message) End(context.Context) error { return nil }

func (m *message) SetAttribute(a spec.Attribute, v any) error {
	name := m.prefix + a.Name()
	if a.Kind() == spec.DataContentType {
		name = "content-type"
	}
	return m.set(name, v)
}

func (m *message) SetExtension(name string, v any) error { return m.set(m.prefix+name, v) }

func (m *message) set(name string, v any) error {
	text, err := types.Format(v)
	m.header[name] = []string{text}
	return err
}

func (m *message) SetData(r io.Reader) (err error) {
	m.data, err = io.ReadAll(r)
	return err
}

func (m *message) SetStructuredEvent(_ context.Context, f format.Format, r io.Reader) (err error) {
	m.header = intake.Header{"content-type": {f.MediaType()}}
	m.data, err = io.ReadAll(r)
	return err
}

func TestTheCloudEventsSDKIsAClient(t *testing.T) {
	in := newIntake(t)
	modes := []struct {
		name string
		ctx  context.Context
		bare bool
	}{
		{name: "binary mode", ctx: binding.WithForceBinary(t.Context())},
		{name: "structured mode", ctx: binding.WithForceStructured(t.Context())},
		// The NATS protocol of SDK 2.x sends no headers at all.
		{name: "structured mode without headers", ctx: binding.WithForceStructured(t.Context()), bare: true},
	}
	for kind, ev := range samples(t) {
		for _, contentType := range []string{cloudevents.ApplicationJSON, "application/protobuf"} {
			for _, mode := range modes {
				t.Run(kind+" in "+mode.name+" with "+contentType, func(t *testing.T) {
					source := sdkEvent(t, ev, contentType)
					sent := &message{prefix: "ce-"}
					if _, err := binding.Write(mode.ctx, binding.ToMessage(&source), sent, sent); err != nil {
						t.Fatal(err)
					}
					if mode.bare {
						sent.header = nil
					}
					got, err := in.Read(sent.header, sent.data, check(ev))
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(ev, got, protocmp.Transform()); diff != "" {
						t.Errorf("event (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

func TestTheCloudEventsSDKReadsWhatIsEncoded(t *testing.T) {
	for kind, ev := range samples(t) {
		t.Run(kind, func(t *testing.T) {
			_, data, err := intake.Encode(ev, intake.CloudEventsJSON)
			if err != nil {
				t.Fatal(err)
			}
			var got cloudevents.Event
			if err := got.UnmarshalJSON(data); err != nil {
				t.Fatal(err)
			}
			if err := got.Validate(); err != nil {
				t.Fatal(err)
			}
			want := []string{ev.GetId(), ev.GetSource(), ev.GetType(), ev.GetSubject(), ev.GetArea()}
			area, _ := got.Extensions()["area"].(string)
			if diff := cmp.Diff(want, []string{got.ID(), got.Source(), got.Type(), got.Subject(), area}); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			if !got.Time().Equal(ev.GetTime().AsTime()) {
				t.Errorf("time %s, want %s", got.Time(), ev.GetTime().AsTime())
			}
		})
	}
}

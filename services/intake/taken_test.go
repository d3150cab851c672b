package intake_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// A notice that is refused is late, so what can be dealt with later is let in.
func TestWhatIsThinOrUnusualIsTaken(t *testing.T) {
	in := newIntake(t)
	for _, tc := range []struct {
		name   string
		kind   notice.EventKind
		change func(ev *eventv1.Event)
		check  func(c *intake.Check)
	}{
		{name: "a child who has turned 18", change: func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = "2006-01-01" }},
		{name: "an event that is not graded", change: func(ev *eventv1.Event) { ev.Risk = 0 }},
		{name: "an event that does not say it is live", change: func(ev *eventv1.Event) { ev.Traffic = 0 }},
		{name: "an event without narrative, people or checks", change: func(ev *eventv1.Event) { ev.Narrative, ev.People, ev.Checks = nil, nil, nil }},
		{name: "a child whose residence is not known", change: func(ev *eventv1.Event) { ev.Children[0].ResidenceArea = "" }},
		{name: "a child who lives in an area that is not known here", change: func(ev *eventv1.Event) { ev.Children[0].ResidenceArea = "S12000036" }},
		{name: "a UPN that says it is unknown", change: func(ev *eventv1.Event) { ev.Children[0].Identifiers[0].Value = "UN3" }},
		{name: "a temporary UPN", change: func(ev *eventv1.Event) { ev.Children[0].Identifiers[0].Value = "Q30520002401A" }},
		{name: "a child with a family name only", change: func(ev *eventv1.Event) { ev.Children[0].Name = &eventv1.Name{Family: "Quillfeather"} }},
		{name: "a referrer who cannot be reached", kind: notice.ReferralReceived, change: func(ev *eventv1.Event) { ev.People[0].Telephone = "" }},
		{name: "a clock that is nine minutes ahead", change: func(ev *eventv1.Event) { ev.Time = timestamppb.New(now.Add(9 * time.Minute)) }},
		{name: "a meeting next month", kind: notice.StrategyMeetingConvened, change: func(ev *eventv1.Event) {
			ev.GetStrategyMeetingConvened().MeetsAt = timestamppb.New(now.AddDate(0, 1, 0))
		}},
		{
			name: "a child born after midnight in summer", change: func(ev *eventv1.Event) {
				ev.Children[0].DateOfBirth = "2027-07-02"
				ev.Time = timestamppb.New(time.Date(2027, 7, 1, 23, 20, 0, 0, time.UTC))
			},
			check: func(c *intake.Check) { c.Now = time.Date(2027, 7, 1, 23, 30, 0, 0, time.UTC) },
		},
		{name: "an exercise where the service is one", change: func(ev *eventv1.Event) { ev.Traffic = eventv1.Traffic_TRAFFIC_EXERCISE }, check: func(c *intake.Check) { c.Live = false }},
		{name: "an event by gRPC, which has no subject", check: func(c *intake.Check) { c.Subject = "" }},
		{name: "any area where nobody checks", change: func(ev *eventv1.Event) { ev.Area = "W06000099" }, check: func(c *intake.Check) { c.AreaKnown = nil }},
		{name: "a kind that the agency may publish", check: func(c *intake.Check) { c.Kinds = []string{"referral.received", "encompass.incident"} }},
		{name: "the most that the contract allows", change: func(ev *eventv1.Event) {
			child := ev.Children[0]
			child.Identifiers, child.Voice = nil, ""
			for i := range 10 {
				child.Identifiers = append(child.Identifiers, &eventv1.Identifier{Scheme: "local:a", Value: fmt.Sprint(i)})
			}
			child.Address.Lines = strings.Fields("a b c d e f")
			ev.Children = nil
			for i := range 30 {
				c := proto.Clone(child).(*eventv1.Child)
				c.Ref = fmt.Sprint(i)
				ev.Children = append(ev.Children, c)
			}
			person := ev.People[0]
			person.Organisation, person.Address = &eventv1.OrganisationRef{Id: "a", Name: "b"}, child.Address
			ev.People = nil
			for range 50 {
				ev.People = append(ev.People, person)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.kind == "" {
				tc.kind = notice.EncompassIncident
			}
			ev := sample(t, tc.kind)
			c := check(ev)
			if tc.change != nil {
				tc.change(ev)
			}
			if tc.check != nil {
				tc.check(&c)
			}
			if found := in.Validate(ev, c); len(found) > 0 {
				t.Errorf("refused: %v", found)
			}
		})
	}
}

func TestHeadersMayBeWrittenInAnyUsualWay(t *testing.T) {
	in := newIntake(t)
	ev := sample(t, notice.EncompassIncident)
	ev.Subject = "KV 114502/26 – 100%"
	for _, tc := range []struct {
		name   string
		enc    intake.Encoding
		change func(h intake.Header)
	}{
		{"a charset", intake.CloudEventsBinary, func(h intake.Header) { h["Content-Type"] = []string{"Application/JSON; charset=UTF-8"} }},
		{"names in capitals", intake.CloudEventsBinary, func(h intake.Header) {
			h["CE-Id"], h["CONTENT-TYPE"] = h["ce-id"], h["Content-Type"]
			delete(h, "ce-id")
			delete(h, "Content-Type")
		}},
		{"the content type as an attribute", intake.CloudEventsBinary, func(h intake.Header) {
			h["ce-datacontenttype"] = h["Content-Type"]
			delete(h, "Content-Type")
		}},
		{"letters that are not ASCII, as they are", intake.CloudEventsBinary, func(h intake.Header) { h["ce-subject"] = []string{"KV 114502/26 – 100%25"} }},
		{"enums by their names in the contract", intake.CloudEventsBinary, func(h intake.Header) {
			h["ce-traffic"], h["ce-risk"] = []string{"TRAFFIC_LIVE"}, []string{"RISK_GRADE_HIGH"}
		}},
		{"a trace and headers of NATS", intake.CloudEventsBinary, func(h intake.Header) {
			h["ce-traceparent"], h["Nats-Msg-Id"] = []string{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, []string{"a"}
		}},
		{"an older name for protobuf", intake.Protobuf, func(h intake.Header) { h["Content-Type"] = []string{"application/x-protobuf"} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, data, err := intake.Encode(ev, tc.enc)
			if err != nil {
				t.Fatal(err)
			}
			tc.change(header)
			got, err := in.Read(header, data, check(ev))
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(ev, got) {
				t.Errorf("another event: subject %q", got.GetSubject())
			}
		})
	}
}

// What is made to be slow must not be: the messages behind it wait.
func TestAMessageOfNothingButFaultsIsAnsweredShortly(t *testing.T) {
	in := newIntake(t)
	var keys bytes.Buffer
	keys.WriteByte('{')
	for i := range 20_000 {
		fmt.Fprintf(&keys, `"k%d":0,`, i)
	}
	keys.WriteString(`"z":0}`)
	headers := intake.Header{"Content-Type": {"application/json"}}
	for i := range 5000 {
		headers[fmt.Sprintf("ce-x%d", i)] = []string{"%"}
	}
	child := protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType), nil)
	protobuf := intake.Header{"Content-Type": {"application/protobuf"}}
	for _, tc := range []struct {
		name   string
		header intake.Header
		data   []byte
		most   int
	}{
		{"unknown keys", intake.Header{"Content-Type": {"application/cloudevents+json"}}, keys.Bytes(), 101},
		{"unknown headers", headers, []byte("{}"), 101},
		{"empty children", protobuf, bytes.Repeat(child, 100_000), 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			_, err := in.Read(tc.header, tc.data, check(&eventv1.Event{Source: "kestrel-vale-police"}))
			if n := len(notice.FieldsOf(err)); n == 0 || n > tc.most {
				t.Errorf("%d faults, want 1 to %d", n, tc.most)
			}
			// Generous: it is a matter of milliseconds with the bounds, and of minutes without.
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

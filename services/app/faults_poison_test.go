package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// poison is a message that must be refused. block, where it is given, is the block of headers as no library writes it.
type poison struct {
	name   string
	family string // of the subject; strategy_meeting where empty
	header intake.Header
	block  string
	data   []byte
}

// poisons are made of a good event.
func poisons(t *testing.T, good *eventv1.Event) []poison {
	t.Helper()
	protobuf := intake.Header{"Content-Type": {"application/protobuf"}}
	structured := intake.Header{"Content-Type": {"application/cloudevents+json"}}
	encode := func(enc intake.Encoding, change func(*eventv1.Event)) []byte {
		ev := proto.CloneOf(good)
		change(ev)
		_, data, err := intake.Encode(ev, enc)
		check(t, err)
		return data
	}
	same := func(*eventv1.Event) {}
	bytesOf, text := encode(intake.Protobuf, same), encode(intake.CloudEventsJSON, same)
	return []poison{
		{name: "noise", header: protobuf, data: []byte{0xff, 0xff, 0xff, 0x00}},
		{name: "protobuf cut short", header: protobuf, data: bytesOf[:len(bytesOf)/2]},
		{name: "JSON cut short", header: structured, data: text[:len(text)/2]},
		{name: "JSON nested without end", header: structured, data: []byte(strings.Repeat(`{"a":`, 20_000))},
		{name: "JSON of another sort", header: structured, data: []byte(`["an event"]`)},
		{name: "a payload of another type", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) {
			ev.Type = string(notice.EnquiryConcluded)
		}), family: "enquiry"},
		{name: "no payload", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) { ev.Payload = nil })},
		{name: "no children", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) { ev.Children = nil })},
		{name: "another agency's", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) { ev.Source = "kestrel-police" })},
		{name: "on another family's subject", header: protobuf, data: bytesOf, family: "referral"},
		{name: "without a time", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) { ev.Time = nil })},
		{name: "of an unknown area", header: protobuf, data: encode(intake.Protobuf, func(ev *eventv1.Event) { ev.Area = "E09000999" })},
		{name: "larger than an event may be", header: structured, data: bytes.Repeat([]byte(" "), intake.MaxSize+1)},
		{name: "as large as a message may be", header: protobuf, data: bytes.Repeat([]byte("x"), 1<<20-100)},
		{name: "headers of 60 KB", header: intake.Header{"Filler": {strings.Repeat("y", 60<<10)}}, data: bytesOf},
		{name: "two content types", header: intake.Header{"Content-Type": {"application/protobuf", "text/plain"}}, data: bytesOf},
		{name: "both forms of CloudEvents", header: intake.Header{"Content-Type": {"application/cloudevents+json"}, "ce-id": {"1"}}, data: text},
		{name: "attributes that are no CloudEvents", header: intake.Header{"ce-id": {"1", "2"}, "ce-specversion": {"9"}}, data: text},
		{name: "empty", header: nil, data: nil},
		{name: "like a heartbeat of the server's", header: intake.Header{"Status": {"100"}, "Description": {"Idle Heartbeat"}}},
		{name: "like the end of a reader", header: intake.Header{"Status": {"409"}, "Description": {"Consumer Deleted"}}},
		{name: "a status in the place of headers", block: "NATS/1.0 503\r\n\r\n"},
		{name: "headers that are none", block: "NATS/1.0\r\nneither name nor value\r\n\r\n", data: []byte("neither protobuf nor JSON")},
		{name: "headers without an end", block: "NATS/1.0\r\nContent-Type: application/protobuf", data: bytesOf},
		{name: "a header name that is none", block: "NATS/1.0\r\nno name\x01: x\r\n\r\n", data: bytesOf},
		{name: "headers of another protocol", block: "HTTP/1.1 200 OK\r\n\r\n", data: bytesOf},
	}
}

// poisonAmongGood publishes bad messages of every kind between good ones, of two agencies, while the mail relay is away,
// and starts the service again before it is back: each good event is read once more for its send.
func poisonAmongGood(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	p.meet(mailPartner("trust"))
	health := p.AddAgency("ashmere-health-records", "ashmere-council")
	agencies := []*apptest.Agency{p.council, health}
	good, bad := 0, map[notice.AgencyID]int{}
	for range a.pick(1, 5, 50) {
		for number, agency := range agencies {
			own := func() *eventv1.Event {
				ev := p.meeting(0, "trust")
				ev.Source = string(agency.ID)
				good++
				return ev
			}
			sample := own()
			check(t, a.publish(agency, sample))
			for i, x := range poisons(t, sample) {
				subject := store.EventSubject(agency.ID, "strategy_meeting")
				if x.family != "" {
					subject = store.EventSubject(agency.ID, x.family)
				}
				id := fmt.Sprintf("bad-%d-%d-%d", good, number, i)
				if x.block != "" {
					a.took(agency.ID, id, agency.PublishBlock(subject, x.block, x.data))
				} else {
					check(t, a.publishRaw(agency, id, subject, x.header, x.data))
				}
				bad[agency.ID]++
				check(t, a.publish(agency, own()))
			}
			// A good event in JSON whose headers cannot be read is taken for one without headers.
			plain := own()
			_, data, err := intake.Encode(plain, intake.CloudEventsJSON)
			check(t, err)
			a.took(agency.ID, plain.Id, agency.PublishBlock(store.EventSubject(agency.ID, "strategy_meeting"), "NATS/1.0\r\nbroken\r\n\r\n", data))
		}
	}
	p.Settle()
	p.Restart()
	p.relay.Up(apptest.Manners{})
	p.allDelivered(good)
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{"duty@trust.example": good})
	all := 0
	for _, agency := range agencies {
		agency.Connect()
		n := bad[agency.ID]
		all += n
		told := apptest.Rejected(agency.Feedback())
		for _, refusal := range told {
			if len(refusal.Faults) == 0 {
				t.Errorf("message %d of %s was refused without a fault", refusal.Sequence, agency.ID)
			}
		}
		kept, err := p.Service.Store().Events().ListQuarantine(p.Context(), agency.ID, 0, n+1)
		check(t, err)
		for _, refused := range kept {
			if len(store.FaultsOf(refused.Event.Header)) == 0 {
				t.Errorf("message %d of %s is in quarantine without a fault", refused.Event.Seq, agency.ID)
			}
		}
		equal(t, "refused, told and kept, of "+string(agency.ID), []int{len(told), len(kept)}, []int{n, n})
	}
	b := p.balance(0)
	equal(t, "good and bad", []int{len(b.state.Events), int(b.state.Refused)}, []int{good, all})
	a.note("%d good among %d bad of %d kinds", good, all, len(poisons(t, p.meeting(0, "trust"))))
}

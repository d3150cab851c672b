package intake_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var update = flag.Bool("update", false, "write the golden files")

// leak stands in bad values: no fault may repeat it.
const leak = "Zephyrine"

// bad is one message at fault. change alters a good event, text and header the message that it makes.
type bad struct {
	name   string
	kind   notice.EventKind // encompass.incident where empty
	enc    intake.Encoding  // protobuf where empty
	change func(ev *eventv1.Event)
	swap   []string // old and new text of the message, in pairs
	data   []byte   // instead of the message's own
	header func(h intake.Header)
	check  func(c *intake.Check)
}

func badInputs() []bad {
	in := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(d)) }
	set := func(key string, values ...string) func(intake.Header) {
		return func(h intake.Header) { h[key] = values }
	}
	return []bad{
		// The message as a whole.
		{name: "nothing in it", data: []byte{}},
		{name: "more than 256 KiB", data: make([]byte, intake.MaxSize+1)},
		{name: "no content type", header: func(h intake.Header) { delete(h, "Content-Type") }},
		{name: "a content type that is not taken", header: set("Content-Type", "text/csv")},
		{name: "JSON without ce- headers", enc: intake.CloudEventsJSON, header: set("Content-Type", "application/json")},
		{name: "two content types", header: set("content-type", "application/json")},
		{name: "a batch", enc: intake.CloudEventsJSON, header: set("Content-Type", "application/cloudevents-batch+json")},
		{name: "both forms of CloudEvents", enc: intake.CloudEventsJSON, header: set("ce-id", "a")},
		{name: "JSON that is not in UTF-8 by its content type", enc: intake.CloudEventsBinary, header: set("Content-Type", "application/json; charset=windows-1252")},

		// Protobuf.
		{name: "protobuf cut short", data: []byte{0x0a, 0x20, 'Z'}},
		{name: "protobuf that is noise", data: []byte{0xff, 0xff, 0xff}},
		{name: "protobuf text that is not UTF-8", data: protowire.AppendString(protowire.AppendTag(nil, 9, protowire.BytesType),
			string(protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "\xff"+leak)))},
		{name: "a field number that the contract does not have", change: func(ev *eventv1.Event) {
			ev.Children[1].ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 77, protowire.BytesType), leak))
		}},
		{name: "a field of another type", change: func(ev *eventv1.Event) {
			ev.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 13, protowire.VarintType), 1))
		}},

		// JSON.
		{name: "JSON cut short", enc: intake.CloudEventsJSON, data: []byte(`{"specversion":"1.0","id":"` + leak)},
		{name: "JSON with something after it", enc: intake.CloudEventsJSON, data: []byte(`{} {}`)},
		{name: "JSON that is no object", enc: intake.CloudEventsJSON, data: []byte(`["` + leak + `"]`)},
		{name: "JSON that is nested without end", enc: intake.CloudEventsJSON, data: []byte(strings.Repeat(`{"a":`, 10_000))},
		{name: "JSON in Windows-1252", enc: intake.CloudEventsJSON, data: []byte("{\"id\":\"" + leak + "\xe9\"}")},
		{name: "JSON with half of a character", enc: intake.CloudEventsJSON, swap: []string{"radio on", `radio \ud83d on`}},
		{name: "JSON with a byte order mark", enc: intake.CloudEventsBinary, data: []byte("\xef\xbb\xbf{}")},
		{name: "many faults in one event, all named", enc: intake.CloudEventsJSON, swap: []string{
			`"time":"2026-11-03T21:15:00Z"`, `"time":"2026-11-03T21:15:00"`,
			`"2026-11-03T20:40:00Z"`, `"2026-11-03 20:40"`,
			`"date_of_birth":"2021-11-30"`, `"date_of_birth":"2031-11-30","colour":"` + leak + `"`,
			`"PRESENCE_NOT_PRESENT"`, `"` + leak + `"`,
			`"CHECK_DONE","pnd":"CHECK_NOT_DONE"`, `true,"pnd":99`,
			`"given":"Maren"`, `"given":1e99999`,
			`"known_as":"Ivo"`, `"known_as":"Ivo","knownAs":"` + leak + `"`,
			`"lines":["4 Lantern Row","Ashmere"]`, `"lines":["4 Lantern Row",null]`,
			`"place":{"lines":["4 Lantern Row"],"postcode":"ZZ9 1AA"}`, `"place":"` + leak + `"`,
			`"risk":"high"`, `"risk":"` + leak + `","` + leak + ` Smith":"a"`,
		}},
		{name: "lists and objects confused", enc: intake.CloudEventsBinary, data: []byte(`{"children":{"ref":"c1"},"people":["` + leak + `"],"narrative":[]}`)},
		{name: "data that is no object", enc: intake.CloudEventsBinary, data: []byte(`"` + leak + `"`)},
		{name: "two payloads", enc: intake.CloudEventsBinary, swap: []string{`"encompass_incident":`, `"referral_received":{},"encompass_incident":`}},
		{name: "a time finer than can be held", enc: intake.CloudEventsBinary, swap: []string{"20:40:00Z", "20:40:00.1234567891Z"}},
		{name: "a truth value in quotation marks", kind: notice.StrategyMeetingConvened, enc: intake.CloudEventsBinary, swap: []string{`"urgent":true`, `"urgent":"yes"`}},

		// CloudEvents.
		{name: "attributes missing", enc: intake.CloudEventsBinary, header: func(h intake.Header) {
			for key := range h {
				if strings.HasPrefix(key, "ce-") && key != "ce-id" {
					delete(h, key)
				}
			}
		}},
		{name: "another version of CloudEvents", enc: intake.CloudEventsBinary, header: set("ce-specversion", "0.3")},
		{name: "a time attribute without offset", enc: intake.CloudEventsBinary, header: set("ce-time", "2026-11-03T21:15:00")},
		{name: "a time attribute that is none", enc: intake.CloudEventsBinary, header: set("ce-time", leak)},
		{name: "a header that is there twice", enc: intake.CloudEventsBinary, header: set("CE-ID", leak)},
		{name: "a header that is not percent-encoded", enc: intake.CloudEventsBinary, header: set("ce-subject", leak+" 100%")},
		{name: "a header that is not UTF-8", enc: intake.CloudEventsBinary, header: set("ce-subject", leak+"%ff")},
		{name: "an attribute that is misspelt", enc: intake.CloudEventsBinary, header: set("ce-supercedes", leak)},
		{name: "traffic that is not known", enc: intake.CloudEventsBinary, header: set("ce-traffic", leak)},
		{name: "attributes that the data contradicts", enc: intake.CloudEventsBinary, swap: []string{
			`{"children"`, `{"area":"E09000902","time":"2026-11-03T21:16:00Z","id":"` + leak + `","risk":1,"children"`,
		}},
		{name: "attributes that are no text or are there twice", enc: intake.CloudEventsJSON, swap: []string{
			`"source":"kestrel-vale-police"`, `"source":7,"subject":"` + leak + `"`,
		}},
		{name: "no data", enc: intake.CloudEventsJSON, data: []byte(`{"specversion":"1.0","id":"a","source":"kestrel-vale-police","type":"encompass.incident"}`)},
		{name: "fields of the data among the attributes", enc: intake.CloudEventsJSON, swap: []string{`"datacontenttype"`, `"narrative":{"disclosable":"` + leak + `"},"datacontenttype"`}},
		{name: "data in two forms", enc: intake.CloudEventsJSON, swap: []string{`"data":`, `"data_base64":"AAAA","data":`}},
		{name: "data of another type than it says", enc: intake.CloudEventsJSON, swap: []string{`"application/json"`, `"application/protobuf"`}},
		{name: "data of a type that is not taken", enc: intake.CloudEventsJSON, swap: []string{`"application/json"`, `"text/xml"`}},
		{name: "base64 that is none", enc: intake.CloudEventsJSON, data: []byte(`{"specversion":"1.0","id":"a","source":"kestrel-vale-police","type":"encompass.incident","data_base64":"` + leak + `!"}`)},
		{name: "base64 of noise", enc: intake.CloudEventsJSON, data: []byte(`{"specversion":"1.0","id":"a","source":"kestrel-vale-police","type":"encompass.incident","datacontenttype":"application/protobuf","data_base64":"` +
			base64.StdEncoding.EncodeToString([]byte{0x4a, 0x7f, 0x01}) + `"}`)},

		// Who and where.
		{name: "published as another agency", change: func(ev *eventv1.Event) { ev.Source = "ashmere-council" }},
		{name: "on another agency's subject", check: func(c *intake.Check) { c.Subject = "signalbox.events.ashmere-council.encompass" }},
		{name: "on the subject of another family", check: func(c *intake.Check) { c.Subject = "signalbox.events.kestrel-vale-police.referral" }},
		{name: "on a subject that is not for events", check: func(c *intake.Check) { c.Subject = "signalbox.events.kestrel-vale-police" }},
		{name: "a kind that the agency may not publish", check: func(c *intake.Check) { c.Kinds = []string{"referral.received"} }},
		{name: "an area that is not known", change: func(ev *eventv1.Event) { ev.Area = "W06000099" }},
		{name: "an exercise to a live service", change: func(ev *eventv1.Event) { ev.Traffic = eventv1.Traffic_TRAFFIC_EXERCISE }},
		{name: "a kind that is not known", change: func(ev *eventv1.Event) { ev.Type = "encompass.zephyrine" }},
		{name: "a type that is not the payload's", change: func(ev *eventv1.Event) { ev.Type = "enquiry.concluded" }},
		{name: "an event that corrects itself", change: func(ev *eventv1.Event) { ev.Supersedes = ev.Id }},
		{name: "an event with nothing in it", change: func(ev *eventv1.Event) { proto.Reset(ev) }},
		{name: "an envelope of wrong forms", change: func(ev *eventv1.Event) {
			ev.Id, ev.Source, ev.Type, ev.Subject, ev.Area, ev.Supersedes = leak+" 1", leak, leak, " \u00a0", leak, leak+"?"
			ev.Traffic, ev.Risk = 9, 9
		}},

		// Children and others.
		{name: "a date of birth in the future", change: func(ev *eventv1.Event) { ev.Children[1].DateOfBirth = "2027-01-01" }},
		{name: "a date of birth that the calendar does not have", change: func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = "2015-02-29" }},
		{name: "a date of birth in another order", change: func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = "09/05/2015" }},
		{name: "an adult among the children", change: func(ev *eventv1.Event) { ev.Children[0].DateOfBirth = "1989-02-14" }},
		{name: "a person born in the year 1", change: func(ev *eventv1.Event) { ev.People[0].DateOfBirth = "0001-02-14" }},
		{name: "a child without a name", change: func(ev *eventv1.Event) { ev.Children[0].Name = &eventv1.Name{Given: " "}; ev.Children[1].Name = nil }},
		{name: "two children with one ref", change: func(ev *eventv1.Event) { ev.Children[1].Ref = ev.Children[0].Ref }},
		{name: "identifiers that are wrong", change: func(ev *eventv1.Event) {
			ev.Children[0].Identifiers = []*eventv1.Identifier{
				{Scheme: "upn", Value: "A305200024001"}, {Scheme: "nhs", Value: "9991234560"}, {Scheme: "nhs", Value: "999 000 0018"},
				{Scheme: leak, Value: leak}, {Scheme: "local:a"},
			}
		}},
		{name: "a child's fields of wrong forms", change: func(ev *eventv1.Event) {
			c := ev.Children[0]
			c.Ref, c.ResidenceArea, c.Presence = leak+"!", leak, 7
			c.Address.Lines = strings.Split(strings.Repeat(leak+",", 7), ",")
			c.Address.Postcode = leak + leak
		}},
		{name: "a person's fields of wrong forms", change: func(ev *eventv1.Event) {
			ev.People = []*eventv1.Person{{Email: leak, DateOfBirth: leak, Telephone: strings.Repeat(leak, 9), Organisation: &eventv1.OrganisationRef{}}}
		}},
		{name: "texts that are too long", change: func(ev *eventv1.Event) {
			ev.Narrative.Disclosable, ev.Narrative.Restricted = strings.Repeat("é", 4001), strings.Repeat("é", 8001)
			ev.Children[0].Voice = strings.Repeat("é", 2001)
		}},
		{name: "control characters", change: func(ev *eventv1.Event) {
			ev.Narrative.Disclosable = leak + "\x1b[2J"
			ev.Children[0].Voice = leak + "\u202e"
			ev.Subject = leak + "\r\nBcc: all@example.test"
			ev.Children[0].Address.Lines[1] = leak + "\u0085"
		}},
		{name: "too many children, together too long", change: func(ev *eventv1.Event) {
			for i := range 200 {
				c := proto.Clone(ev.Children[0]).(*eventv1.Child)
				c.Ref, c.Voice = fmt.Sprint(i), strings.Repeat(leak, 200)
				ev.Children = append(ev.Children, c)
			}
		}, check: func(c *intake.Check) { c.Subject = "" }},
		{name: "too many children", change: func(ev *eventv1.Event) {
			for i := range 30 {
				c := proto.Clone(ev.Children[1]).(*eventv1.Child)
				c.Ref = fmt.Sprint(i)
				ev.Children = append(ev.Children, c)
			}
		}},

		// Times.
		{name: "times in the future", change: func(ev *eventv1.Event) {
			ev.Time = in(11 * time.Minute)
			ev.GetEncompassIncident().OccurredAt = in(24 * time.Hour)
		}},
		{name: "times of another century", change: func(ev *eventv1.Event) {
			ev.Time = timestamppb.New(time.Date(1926, 11, 3, 0, 0, 0, 0, time.UTC))
			ev.GetEncompassIncident().OccurredAt = &timestamppb.Timestamp{Seconds: 1 << 60}
		}},
		{name: "a meeting years ahead", kind: notice.StrategyMeetingConvened, change: func(ev *eventv1.Event) {
			ev.GetStrategyMeetingConvened().MeetsAt = in(400 * 24 * time.Hour)
		}},
		{name: "a decision before its referral", kind: notice.ReferralDecided, change: func(ev *eventv1.Event) {
			ev.GetReferralDecided().ReceivedAt, ev.GetReferralDecided().DecidedAt = in(-time.Hour), in(-2*time.Hour)
		}},
		{name: "a meeting concluded before it is held", kind: notice.StrategyMeetingConcluded, change: func(ev *eventv1.Event) {
			ev.GetStrategyMeetingConcluded().HeldAt = in(time.Hour)
		}},

		// Payloads.
		{name: "a referral by nobody", kind: notice.ReferralReceived, change: func(ev *eventv1.Event) { ev.People = nil }},
		{name: "a referral by two", kind: notice.ReferralDecided, change: func(ev *eventv1.Event) { ev.People = append(ev.People, ev.People[0]) }},
		{name: "outcomes not stated", kind: notice.ReferralDecided, change: func(ev *eventv1.Event) { ev.GetReferralDecided().Decision = 0 }},
		{name: "a meeting with nobody", kind: notice.StrategyMeetingConvened, change: func(ev *eventv1.Event) { ev.GetStrategyMeetingConvened().Invited = nil }},
		{name: "a place of work that is none, of somebody who is not said to work with children", change: func(ev *eventv1.Event) {
			ev.People = []*eventv1.Person{{
				Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Family: leak}, WorksAt: &eventv1.OrganisationRef{Id: leak + " school"},
			}}
		}},
		{name: "organisations that are not named", kind: notice.StrategyMeetingConcluded, change: func(ev *eventv1.Event) {
			p := ev.GetStrategyMeetingConcluded()
			p.Participants[0].Organisation = nil
			p.Participants[1].Organisation = &eventv1.OrganisationRef{Id: leak + " Trust"}
			p.Participants[1].Function = leak
			p.Participants[2].Organisation = &eventv1.OrganisationRef{Name: "  "}
			p.Actions[0].Owner = &eventv1.OrganisationRef{}
			p.Actions[0].Text = ""
			p.Actions[0].DueOn = "2026-13-01"
		}},
		{name: "a category that is not known", kind: notice.ConferenceConcluded, change: func(ev *eventv1.Event) {
			ev.GetConferenceConcluded().Category = "neglect, " + leak
		}},

		// What police publish besides.
		{name: "a vulnerable person notice without its concern, seen after it was reported", kind: notice.VulnerablePersonNoticeRaised, change: func(ev *eventv1.Event) {
			v := ev.GetVulnerablePersonNoticeRaised()
			v.Concern, v.SeenAt = 0, timestamppb.New(ev.Time.AsTime().Add(time.Hour))
			v.Place.Postcode = leak + leak
		}},
		{name: "a missing child last seen after the report, with a carer who is not named", kind: notice.MissingReported, change: func(ev *eventv1.Event) {
			m := ev.GetMissingReported()
			m.LastSeenAt, m.Carer = timestamppb.New(ev.Time.AsTime().Add(time.Hour)), &eventv1.OrganisationRef{Id: leak + " Trust"}
		}},
		{name: "a missing child and nothing about when", kind: notice.MissingReported, change: func(ev *eventv1.Event) { ev.GetMissingReported().LastSeenAt = nil }},
		{name: "a child found in the future, in a way that does not exist", kind: notice.MissingFound, change: func(ev *eventv1.Event) {
			f := ev.GetMissingFound()
			f.FoundAt, f.How, f.Safety = in(24*time.Hour), 9, -1
		}},
		{name: "a return interview before the return, without an outcome, offered by nobody", kind: notice.ReturnInterviewCompleted, change: func(ev *eventv1.Event) {
			r := ev.GetReturnInterviewCompleted()
			r.CompletedAt, r.Outcome, r.OfferedBy = timestamppb.New(r.ReturnedAt.AsTime().Add(-time.Hour)), 0, nil
		}},
		{name: "a return interview offered by an organisation without a name, its text too long", kind: notice.ReturnInterviewCompleted, change: func(ev *eventv1.Event) {
			ev.GetReturnInterviewCompleted().OfferedBy = &eventv1.OrganisationRef{}
			ev.GetReturnInterviewCompleted().Summary = strings.Repeat("é", 20001)
		}},
		{name: "police protection of more than 72 hours", kind: notice.PoliceProtectionExercised, change: func(ev *eventv1.Event) {
			p := ev.GetPoliceProtectionExercised()
			p.EndsBy = timestamppb.New(p.BeganAt.AsTime().Add(72*time.Hour + time.Second))
		}},
		{name: "police protection that ends when it begins", kind: notice.PoliceProtectionExercised, change: func(ev *eventv1.Event) {
			p := ev.GetPoliceProtectionExercised()
			p.EndsBy = p.BeganAt
		}},
		{name: "police protection without its end, and an officer's name that is none", kind: notice.PoliceProtectionExercised, change: func(ev *eventv1.Event) {
			p := ev.GetPoliceProtectionExercised()
			p.EndsBy, p.DesignatedOfficer = nil, leak+"\n"+strings.Repeat("x", 100)
		}},
		{name: "police protection that ended before it began, nobody says how", kind: notice.PoliceProtectionEnded, change: func(ev *eventv1.Event) {
			p := ev.GetPoliceProtectionEnded()
			p.EndedAt, p.How = timestamppb.New(p.BeganAt.AsTime().Add(-time.Minute)), 0
		}},
		{name: "a child detained after the report, its texts too long", kind: notice.CustodyDetained, change: func(ev *eventv1.Event) {
			c := ev.GetCustodyDetained()
			c.DetainedAt, c.AppropriateAdult = timestamppb.New(ev.Time.AsTime().Add(time.Hour)), 12
			c.HeldAt, c.SuspectedOf = strings.Repeat("é", 201), strings.Repeat("é", 501)
		}},
		{name: "a child released before the detention, nobody says how", kind: notice.CustodyReleased, change: func(ev *eventv1.Event) {
			c := ev.GetCustodyReleased()
			c.ReleasedAt, c.Outcome = timestamppb.New(c.DetainedAt.AsTime().Add(-time.Minute)), 0
		}},
		{name: "a child released after the report, in a way that does not exist", kind: notice.CustodyReleased, change: func(ev *eventv1.Event) {
			c := ev.GetCustodyReleased()
			c.ReleasedAt, c.Outcome = timestamppb.New(ev.Time.AsTime().Add(time.Hour)), 8
		}},
		{name: "a child released at a time that nobody gives, from a detention of which nobody says when it began", kind: notice.CustodyReleased, change: func(ev *eventv1.Event) {
			ev.GetCustodyReleased().DetainedAt, ev.GetCustodyReleased().ReleasedAt = nil, nil
		}},
	}
}

// message makes it, with what it is held against.
func (b bad) message(t *testing.T) (intake.Header, []byte, intake.Check) {
	t.Helper()
	if b.kind == "" {
		b.kind = notice.EncompassIncident
	}
	if b.enc == "" {
		b.enc = intake.Protobuf
	}
	ev := sample(t, b.kind)
	c := check(ev)
	if b.change != nil {
		b.change(ev)
	}
	header, data, err := intake.Encode(ev, b.enc)
	if err != nil {
		t.Fatalf("%s: %v", b.name, err)
	}
	text := string(data)
	for i := 0; i < len(b.swap); i += 2 {
		if !strings.Contains(text, b.swap[i]) {
			t.Fatalf("%s: the message has no %s", b.name, b.swap[i])
		}
		text = strings.Replace(text, b.swap[i], b.swap[i+1], 1)
	}
	data = []byte(text)
	if b.data != nil {
		data = b.data
	}
	if b.header != nil {
		b.header(header)
	}
	if b.check != nil {
		b.check(&c)
	}
	return header, data, c
}

// TestEveryFaultIsNamedWithItsRemedy holds testdata/faults.golden: what each bad message is answered with. Write it
// with -update, and read it: a publisher will.
func TestEveryFaultIsNamedWithItsRemedy(t *testing.T) {
	in := newIntake(t)
	var b strings.Builder
	for _, tc := range append(badInputs(), careBadInputs()...) {
		header, data, c := tc.message(t)
		_, err := in.Read(header, data, c)
		fmt.Fprintf(&b, "## %s\n", tc.name)
		if notice.KindOf(err) != notice.Invalid || len(notice.FieldsOf(err)) == 0 {
			t.Errorf("%s: error %v, want faults", tc.name, err)
		}
		for _, f := range notice.FieldsOf(err) {
			fmt.Fprintf(&b, "%s: %s\n", f.Field, f.Message)
			if !strings.ContainsAny(f.Message, ":?") {
				t.Errorf("%s: %s: no remedy in %q", tc.name, f.Field, f.Message)
			}
		}
		b.WriteByte('\n')
	}
	got := b.String()
	for _, secret := range []string{leak, strings.ToLower(leak), "Ivo", "Quillfeather", "Lantern", "2015", "R305", "960"} {
		if strings.Contains(got, secret) {
			t.Errorf("the faults repeat a value: %s", secret)
		}
	}
	golden(t, "faults.golden", got)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

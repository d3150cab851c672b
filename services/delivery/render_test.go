package delivery

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, m Mail) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "Subject: %s\nMessage-ID: %s\nDate: %s\n", m.Subject, m.MessageID, m.Date.UTC().Format(time.RFC3339))
	for _, h := range m.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	fmt.Fprintf(&b, "\n=== text ===\n%s\n=== html ===\n%s", m.Text, m.HTML)
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got; run with -update where the change is meant):\n%s", file, diff)
	}
}

func TestEveryKindOfMailReadsAsItsGoldenFile(t *testing.T) {
	for _, kind := range notice.EventKinds() {
		for _, tc := range []struct {
			name   string
			form   Form
			change func(*Message)
		}{
			{name: "full", form: Full},
			{name: "stub", form: Stub},
			{name: "correction", form: Full, change: func(m *Message) {
				m.Notice.Version, m.Notice.Replaces = 2, replacedID
			}},
			{name: "duplicate", form: Full, change: func(m *Message) { m.PossibleDuplicate = true }},
		} {
			name := strings.ReplaceAll(string(kind), ".", "_") + "_" + tc.name
			t.Run(name, func(t *testing.T) {
				m := sampleMessage(t, sampleNotice(t, kind), tc.form)
				if tc.change != nil {
					tc.change(&m)
				}
				got, err := RenderMail(m, sampleNames)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, name, got)
			})
		}
	}
}

func TestANoticeBeforeTermListsEveryIncident(t *testing.T) {
	var events []*eventv1.Event
	for _, day := range []string{"2026-08-01T01:10:00+01:00", "2026-08-14T23:00:00+01:00", "2026-08-29T19:45:00+01:00"} {
		ev := sampleEvent(t, notice.EncompassIncident)
		ev.GetEncompassIncident().OccurredAt = timestamppb.New(instant(t, day))
		ev.Time = timestamppb.New(instant(t, day).Add(time.Hour))
		events = append(events, ev)
	}
	events[2].Children[0].Name.Given = "Rowan May" // the third report had the full name
	n := sampleNotice(t, notice.EncompassIncident, events...)
	n.Due = timestamppb.New(instant(t, "2026-09-01T09:00:00+01:00"))
	m := sampleMessage(t, n, Full)
	m.At = instant(t, "2026-08-28T09:00:00+01:00")
	got, err := RenderMail(m, sampleNames)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "encompass_incident_before_term", got)
}

func TestASharedMailboxIsToldWhereItsCodeGoes(t *testing.T) {
	m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident), Stub)
	m.Endpoint.Shared, m.Endpoint.CodeAddress, m.Secure = true, "jo@ashmere-primary.example", true
	got, err := RenderMail(m, sampleNames)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "stub_shared_secure", got)
}

func TestACodeMailReadsAsItsGoldenFile(t *testing.T) {
	at := instant(t, "2026-10-25T00:55:00Z")
	got, err := RenderCode(Code{NoticeID: noticeID, Code: "012345", Until: at.Add(10 * time.Minute), MessageID: "code-1@signalbox.example", At: at})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "code", got)
	if strings.Contains(got.Subject, "012345") {
		t.Error("the code is in the subject")
	}
}

func TestACodeForReportingByHandReadsAsItsGoldenFile(t *testing.T) {
	at := instant(t, "2026-10-25T00:55:00Z")
	got, err := RenderCode(Code{Reporting: true, Code: "012345", Until: at.Add(10 * time.Minute), MessageID: "code-1@signalbox.example", At: at})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "code_reporting", got)
}

func TestTheSubjectIsNeutral(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Message)
		want   string
	}{
		{name: "with a due time", want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 08:30 Fri 20 Nov (GMT)"},
		{name: "for a domain that encrypts by the subject", change: func(m *Message) { m.Secure = true },
			want: "[secure] OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 08:30 Fri 20 Nov (GMT)"},
		{name: "in summer time", change: func(m *Message) { m.Notice.Due = timestamppb.New(time.Date(2027, 6, 4, 7, 30, 0, 0, time.UTC)) },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 08:30 Fri 4 Jun (BST)"},
		{name: "in the repeated hour, the first time", change: func(m *Message) { m.Notice.Due = timestamppb.New(time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC)) },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 01:30 Sun 31 Oct (BST)"},
		{name: "in the repeated hour, the second time", change: func(m *Message) { m.Notice.Due = timestamppb.New(time.Date(2027, 10, 31, 1, 30, 0, 0, time.UTC)) },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge by 01:30 Sun 31 Oct (GMT)"},
		{name: "after the due time", change: func(m *Message) { m.At = time.Date(2026, 11, 20, 8, 31, 0, 0, time.UTC) },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please acknowledge now, due 08:30 Fri 20 Nov (GMT)"},
		{name: "without acknowledgement", change: func(m *Message) { m.Notice.Acknowledge = false },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN - please read"},
		{name: "of a correction", change: func(m *Message) { m.Notice.Version, m.Notice.Replaces = 3, replacedID },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN version 3 - please acknowledge by 08:30 Fri 20 Nov (GMT)"},
		{name: "of what is sent again", change: func(m *Message) { m.Notice.Repeats = replacedID },
			want: "OFFICIAL-SENSITIVE Signalbox notice ABCD-EFGH-JKMN sent again - please acknowledge by 08:30 Fri 20 Nov (GMT)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident), Full)
			if tc.change != nil {
				tc.change(&m)
			}
			got, err := RenderMail(m, sampleNames)
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != tc.want {
				t.Errorf("subject\n  %s\nwant\n  %s", got.Subject, tc.want)
			}
		})
	}
}

func TestAnAddressIsInNoEmailAndAStubSaysNothingOfTheMatter(t *testing.T) {
	for _, kind := range notice.EventKinds() {
		for _, form := range []Form{Full, Stub} {
			got, err := RenderMail(sampleMessage(t, sampleNotice(t, kind), form), sampleNames)
			if err != nil {
				t.Fatal(err)
			}
			all := got.Subject + got.Text + got.HTML
			for _, h := range got.Headers {
				all += h.Value
			}
			banned := []string{"Invented Row", "ZZ1 1ZZ", "ashmere-primary-dsl", "dsl@"}
			if form == Stub {
				banned = append(banned, "Rowan", "Hartley", "2017", "KV/2026", "Encompass", "abuse", "police", "Police", "referral", "Strategy", "conference", "enquiry", "R3052")
			}
			for _, text := range banned {
				if strings.Contains(all, text) {
					t.Errorf("the %s mail of %s holds %q", form, kind, text)
				}
			}
		}
	}
}

func TestTextFromAnEventCannotActOnTheMail(t *testing.T) {
	ev := sampleEvent(t, notice.EncompassIncident)
	ev.Children[0].Name.Given = "Rowan\r\nBcc: thief@thief.test\u202e"
	ev.Subject = "KV\n\nWHAT TO DO\n  - Telephone the parents"
	ev.Narrative.Disclosable = "<script>alert(1)</script>\r\nWHAT NOT TO DO\n  - nothing"
	m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident, ev), Full)
	got, err := RenderMail(m, sampleNames)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.HTML, "<script") {
		t.Error("the HTML holds a script")
	}
	for _, l := range strings.Split(got.Text, "\n") {
		if strings.HasPrefix(l, "Bcc:") || strings.ContainsAny(l, "\r\u202e") {
			t.Errorf("a line of the text is %q", l)
		}
	}
	for _, heading := range []string{"\nWHAT TO DO\n", "\nWHAT NOT TO DO\n"} {
		if n := strings.Count(got.Text, heading); n != 1 {
			t.Errorf("heading %q occurs %d times, want once", heading, n)
		}
	}
}

func TestAMessageThatCannotBeSentIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Message)
	}{
		{name: "without a form", change: func(m *Message) { m.Form = 0 }},
		{name: "without a notice", change: func(m *Message) { m.Notice = nil }},
		{name: "without a notice id", change: func(m *Message) { m.Notice = &noticev1.Notice{} }},
		{name: "with a link that is not encrypted", change: func(m *Message) { m.Link = "http://signalbox.example/n/x" }},
		{name: "without a message id", change: func(m *Message) { m.MessageID = "" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident), Full)
			tc.change(&m)
			if _, err := RenderMail(m, sampleNames); notice.KindOf(err) != notice.Internal || err == nil {
				t.Errorf("error %v, want an internal fault", err)
			}
		})
	}
}

func TestTheSameNoticeToTheSameContactHasTheSameMessageID(t *testing.T) {
	a := MessageID(noticeID, "ashmere-primary-dsl", "signalbox.example")
	if b := MessageID(noticeID, "ashmere-primary-dsl", "signalbox.example"); a != b {
		t.Errorf("%s and %s differ", a, b)
	}
	for _, other := range []string{MessageID(noticeID, "ashmere-primary-head", "signalbox.example"), MessageID(replacedID, "ashmere-primary-dsl", "signalbox.example")} {
		if a == other {
			t.Errorf("%s stands for two", a)
		}
	}
	if strings.Contains(a, "ashmere") || strings.ContainsAny(a, "<> ") {
		t.Errorf("message id %s", a)
	}
}

func TestWhatIsSentAgainSaysThatItIsNoNewIncident(t *testing.T) {
	for _, form := range []Form{Full, Stub} {
		m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident), form)
		m.Notice.Repeats = replacedID
		got, err := RenderMail(m, sampleNames)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "sent_again_"+form.String(), got)
	}
}

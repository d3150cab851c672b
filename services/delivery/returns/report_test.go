package returns

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const noticeID = "0k3v9q2m7x4b8n1c5d6f"

// mails are written after what mail systems send; people and places are invented.
var mails = map[string]Report{
	"postfix-no-such-user":   {permanent, "5.1.1"},
	"postfix-gave-up":        {permanent, "4.4.7"}, // the mail system tries no more, whatever its code
	"postfix-delayed":        {transient, "4.4.1"},
	"postfix-delivered":      {confirmed, "2.0.0"},
	"exchange-quota":         {permanent, "5.2.2"},
	"gmail-blocked":          {permanent, "5.7.1"}, // its own 5.0.0 says less
	"exim-no-report":         {permanent, ""},
	"qmail":                  {permanent, "5.1.1"},
	"two-recipients":         {permanent, "5.1.10"},
	"no-action":              {transient, "4.2.1"},
	"sieve-vacation":         {autoReply, ""},
	"exchange-out-of-office": {autoReply, ""},
	"old-vacation":           {autoReply, ""},
	"old-autoreply":          {autoReply, ""},
	"read-receipt":           {unknown, ""},
	"abuse-report":           {unknown, ""},
	"a-person-answers":       {unknown, ""},
	"quoted-by-a-list":       {unknown, ""},
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "mails", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAReturnedMailIsWhatItSaysItIs(t *testing.T) {
	for name, want := range mails {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, Read(bytes.NewReader(sample(t, name)), noticeID)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob("testdata/mails/*.eml")
	if err != nil || len(files) != len(mails) {
		t.Errorf("%d mails for %d cases: %v", len(files), len(mails), err)
	}
}

func TestABounceWithoutAReportCountsOnlyWithOurOwnMessageID(t *testing.T) {
	raw := bytes.ReplaceAll(sample(t, "qmail"), []byte(noticeID+".a"), []byte("somebody.else"))
	if got := Read(bytes.NewReader(raw), noticeID); got.Kind != unknown {
		t.Errorf("%+v", got)
	}
}

func TestABounceWhoseWordsAreNoUTF8IsReadAllTheSame(t *testing.T) {
	latin := strings.Repeat("\xe9", 2000) // each grows to three bytes where it is taken for UTF-8
	raw := bytes.Replace(sample(t, "qmail"), []byte("\r\n\r\nHi."), []byte("\r\n\r\n"+latin+"Hi."), 1)
	if got := Read(bytes.NewReader(raw), noticeID); got.Kind != permanent || got.Code != "5.1.1" {
		t.Errorf("%+v", got)
	}
}

func TestAMailThatCannotBeReadIsUnknown(t *testing.T) {
	deep := func(levels int) string {
		var b strings.Builder
		b.WriteString("MIME-Version: 1.0\r\n")
		for i := range levels {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
		}
		b.WriteString("Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n")
		return b.String()
	}
	wide := "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		strings.Repeat("--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n", 5000) +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n--b--\r\n"
	late := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n" + strings.Repeat("x", mostRead) +
		"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n--b--\r\n"
	for name, raw := range map[string]string{
		"nothing":                         "",
		"no header":                       "\r\n\r\n",
		"bytes that are no mail":          "\x00\xff\xfe\x00garbage",
		"a header without end":            "Subject: " + strings.Repeat("a", 2*mostRead),
		"parts within parts without end":  deep(200),
		"more parts than anybody sends":   wide,
		"a report behind a heap of bytes": late,
		"a boundary that never comes":     "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\nnothing",
		"no boundary":                     "Content-Type: multipart/report; report-type=delivery-status\r\n\r\n--\r\nAction: failed",
		"a status that is none":           "Content-Type: message/delivery-status\r\n\r\nStatus: five\r\nAction: perhaps\r\n",
		"an unknown encoding":             "Content-Type: text/plain\r\nContent-Transfer-Encoding: rot13\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			if got := Read(strings.NewReader(raw), noticeID); got.Kind != unknown {
				t.Errorf("%+v", got)
			}
		})
	}
	if got := Read(strings.NewReader(deep(3)), noticeID); got.Kind != permanent {
		t.Errorf("a report within the limits: %+v", got)
	}
}

func TestAReportThatIsCutOffStillSaysWhatItSaid(t *testing.T) {
	raw := sample(t, "exchange-quota")
	raw = append(raw[:bytes.Index(raw, []byte("Content-Type: message/rfc822"))], bytes.Repeat([]byte("x"), 2*mostRead)...)
	if got := Read(bytes.NewReader(raw), noticeID); got.Kind != permanent || got.Code != "5.2.2" {
		t.Errorf("%+v", got)
	}
}

var goodCode = regexp.MustCompile(`^([245]\.[0-9]{1,3}\.[0-9]{1,3})?$`)

func FuzzRead(f *testing.F) {
	for name := range mails {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := Read(bytes.NewReader(raw), noticeID)
		if got.Kind == ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED || ledgerv1.ReturnKind_name[int32(got.Kind)] == "" {
			t.Errorf("kind %d", got.Kind)
		}
		if !goodCode.MatchString(got.Code) {
			t.Errorf("code %q", got.Code)
		}
	})
}

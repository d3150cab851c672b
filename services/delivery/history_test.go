package delivery

import (
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAContactFailsUntilItsAddressIsChangedOrConfirmedAnew(t *testing.T) {
	key := notice.Key{1}
	f := &ledger.Failing{
		Contact: "dsl", Address: AddressDigest(key, "j@school.example"), VerifiedOn: "2026-05-18",
		SentMS: instant(t, "2026-06-18T23:30:00Z").UnixMilli(), // the 19th in London
	}
	confirmedThatDay := *f
	confirmedThatDay.VerifiedOn = "2026-06-19"
	for name, tc := range map[string]struct {
		failing  *ledger.Failing
		address  string
		verified string
		want     bool
	}{
		"as it was":                                {f, "j@school.example", "2026-05-18", true},
		"confirmed before the mail was sent":       {f, "j@school.example", "2026-06-18", true},
		"confirmed on the day, after it came back": {f, "j@school.example", "2026-06-19", false},
		"confirmed on the day, before it was sent": {&confirmedThatDay, "j@school.example", "2026-06-19", true},
		"confirmed later":                          {f, "j@school.example", "2026-06-20", false},
		"at another address":                       {f, "k@school.example", "2026-05-18", false},
		"confirmed no more":                        {f, "j@school.example", "", true},
		"one whose mail never came back":           {nil, "j@school.example", "2026-05-18", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &directoryv1.Contact{Id: "dsl", Address: tc.address, VerifiedOn: tc.verified}
			if got := Failing(tc.failing, c, key); got != tc.want {
				t.Errorf("failing %v", got)
			}
		})
	}
	if strings.Contains(string(f.Address), "school") || len(f.Address) != addressBytes {
		t.Error("the digest shows the address")
	}
}

func TestANoticeThatTakesReturnsLetsMailSystemsSayThatSomebodyIsAway(t *testing.T) {
	m := sampleMessage(t, sampleNotice(t, notice.EncompassIncident), Stub)
	for _, tc := range []struct{ returnTo, submitted, suppress string }{
		{"", "auto-generated", "All"},
		{"returns+x@returns.signalbox.example", "", "RN, NRN, AutoReply"},
	} {
		m.ReturnTo = tc.returnTo
		mail, err := RenderMail(m, sampleNames)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, h := range mail.Headers {
			got[h.Name] = h.Value
		}
		if got["Auto-Submitted"] != tc.submitted || got["X-Auto-Response-Suppress"] != tc.suppress || mail.ReturnTo != tc.returnTo {
			t.Errorf("%q: %v, returned to %q", tc.returnTo, got, mail.ReturnTo)
		}
	}
}

package cli

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func TestASearchReadsAtAGlance(t *testing.T) {
	var out bytes.Buffer
	if err := printFound(&out, &ledgerv1.SearchResponse{}); err != nil {
		t.Fatal(err)
	}
	if err := printFound(&out, &ledgerv1.SearchResponse{Next: "AQAAAAAAAAAAAQ", Notices: []*ledgerv1.FoundNotice{
		{
			Notice: "0k3v9q2m7x4b8n1c5d6f", Reference: "0K3V-9Q2M-7X4B", Organisation: "gias:900101", Kind: "encompass.incident",
			State: ledgerv1.NoticeState_NOTICE_STATE_WITH_PERSON, DecidedMs: ms(t, "2026-11-03T21:15:00Z"), DueMs: ms(t, "2026-11-04T08:30:00Z"),
			LateMs: ms(t, "2026-11-04T08:30:00Z"), Contact: "contacts/lantern-dsl", Attempts: 2, Task: "t1",
		},
		{
			Notice: "1k3v9q2m7x4b8n1c5d6f", Reference: "1K3V-9Q2M-7X4B", Organisation: "ashmere-council", Kind: "referral.received",
			State: ledgerv1.NoticeState_NOTICE_STATE_HELD, DecidedMs: ms(t, "2026-06-18T18:42:00Z"), DueMs: ms(t, "2026-06-19T12:00:00Z"),
		},
	}}); err != nil {
		t.Fatal(err)
	}
	golden(t, "search", out.String())
}

func TestASearchIsAskedForInWords(t *testing.T) {
	c := searchCmd{
		Organisation: "gias:900101", State: []string{"held", "with-person"}, Lane: "urgent", DueFrom: "2026-07-01", DueUntil: "2026-11-03 21:15",
		Late: true, Limit: 5,
	}
	got, err := c.request()
	if err != nil {
		t.Fatal(err)
	}
	want := &ledgerv1.SearchRequest{
		Organisation: "gias:900101", Lane: ledgerv1.Lane_LANE_URGENT, Late: true, PageSize: 5,
		States:    []ledgerv1.NoticeState{ledgerv1.NoticeState_NOTICE_STATE_HELD, ledgerv1.NoticeState_NOTICE_STATE_WITH_PERSON},
		DueFromMs: ms(t, "2026-07-01T00:00:00+01:00"), DueUntilMs: ms(t, "2026-11-03T21:15:00Z"),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	for _, wrong := range []searchCmd{{State: []string{"lost"}}, {State: []string{"unspecified"}}, {Lane: "slow"}, {DueFrom: "tomorrow"}} {
		if r, err := wrong.request(); err == nil {
			t.Errorf("%+v is taken as %v", wrong, r)
		}
	}
}

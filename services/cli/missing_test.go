package cli

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func TestTheListOfMissingChildrenReadsAtAGlance(t *testing.T) {
	var out bytes.Buffer
	span := func(r *ledgerv1.WhereaboutsResponse) *ledgerv1.WhereaboutsResponse {
		r.SinceMs, r.AsOfMs = ms(t, "2026-10-20T12:00:00+01:00"), ms(t, "2026-11-03T12:00:00Z")
		return r
	}
	if err := printEpisodes(&out, span(&ledgerv1.WhereaboutsResponse{})); err != nil {
		t.Fatal(err)
	}
	const missing, protection = ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, ledgerv1.EpisodeKind_EPISODE_KIND_POLICE_PROTECTION
	const custody = ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY
	began, ended := ms(t, "2026-10-24T21:00:00+01:00"), ms(t, "2026-10-25T01:30:00Z")
	if err := printEpisodes(&out, span(&ledgerv1.WhereaboutsResponse{Erased: 2, Episodes: []*ledgerv1.Episode{
		{Kind: missing, Child: "k1", Agency: "northbridge-police", Reference: "NP/1", BeganMs: began, ResidenceArea: "E09000901", LookedAfterBy: "E10000902"},
		{
			Kind: missing, Child: "k2", Agency: "northbridge-police", Reference: "NP/2\x1b[2J", BeganMs: began, EndedMs: ended,
			Interview: ledgerv1.Interview_INTERVIEW_OVERDUE, InterviewMs: ms(t, "2026-10-28T01:30:00Z"),
		},
		{Kind: missing, Agency: "kestrel-police", Reference: "KP/3", EndedMs: ended, Interview: ledgerv1.Interview_INTERVIEW_DECLINED, InterviewMs: ms(t, "2026-10-26T10:00:00Z")},
		{Kind: missing, Child: "k3", Agency: "kestrel-police", Reference: "KP/4", BeganMs: began, EndedMs: ended, Interview: ledgerv1.Interview_INTERVIEW_DUE, InterviewMs: ms(t, "2026-10-28T01:30:00Z")},
		{Kind: missing, Child: "k3", Agency: "kestrel-police", Reference: "KP/5", BeganMs: began, EndedMs: ended, Interview: ledgerv1.Interview_INTERVIEW_HELD, InterviewMs: ms(t, "2026-10-26T10:00:00Z")},
		{Kind: protection, Child: "k4", Agency: "northbridge-police", Reference: "NP/6", BeganMs: began, EndsByMs: ms(t, "2026-10-27T20:00:00Z")},
		{Kind: custody, Child: "k5", Agency: "northbridge-police", Reference: "NP/7", BeganMs: began, EndsByMs: ms(t, "2026-10-28T20:00:00Z")},
		{Kind: custody, Child: "k5", Agency: "northbridge-police", Reference: "NP/8", BeganMs: ms(t, "2026-11-02T21:00:00Z"), EndsByMs: ms(t, "2026-11-06T21:00:00Z")},
		{Kind: custody, Child: "k6", Agency: "northbridge-police", Reference: "NP/9", BeganMs: began, EndedMs: ended, EndsByMs: ms(t, "2026-10-28T20:00:00Z")},
	}})); err != nil {
		t.Fatal(err)
	}
	golden(t, "missing", out.String())
}

func TestTheListOfMissingChildrenIsAskedForInWords(t *testing.T) {
	for text, want := range map[string]*ledgerv1.WhereaboutsRequest{
		"":                 {Days: 3},
		"2026-10-24":       {Days: 3, AsOfMs: ms(t, "2026-10-25T00:00:00+01:00")},
		"2026-10-25":       {Days: 3, AsOfMs: ms(t, "2026-10-26T00:00:00Z")}, // a day of 25 hours
		"2026-11-03 09:00": {Days: 3, AsOfMs: ms(t, "2026-11-03T09:00:00Z")},
	} {
		got, err := (&missingCmd{AsOf: text, Days: 3}).request()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if r, err := (&missingCmd{AsOf: "tomorrow"}).request(); err == nil {
		t.Errorf("taken as %v", r)
	}
}

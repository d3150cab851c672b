package query_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/query"
)

// scanned is a timeline as reading the whole ledger gives it.
func scanned(t testing.TB, state *ledger.State, facts []*ledgerv1.Fact, of query.Subject) []*ledgerv1.Fact {
	t.Helper()
	roots := []query.Subject{of}
	lineage := of.ID
	if e := state.Events[of.ID]; of.Kind == query.Event && e != nil {
		lineage = e.Lineage
		roots = append(roots, query.Subject{Kind: query.Lineage, ID: lineage})
	}
	if l := state.Lineages[lineage]; l != nil && (of.Kind == query.Lineage || of.Kind == query.Event) {
		for _, key := range l.Events {
			roots = append(roots, query.Subject{Kind: query.Event, ID: key})
		}
		for _, c := range l.Contributions {
			for _, src := range c.Sources {
				roots = append(roots, query.Subject{Kind: query.Event, ID: src.GetEvent()})
			}
		}
	}
	story := query.NewStory(roots...)
	var found []*ledgerv1.Fact
	for _, f := range facts {
		belongs, err := story.Concerns(f)
		check(t, err)
		if belongs {
			found = append(found, f)
		}
	}
	return found
}

// same compares messages, and takes the time to say what differs only where something does.
func same[M proto.Message](t testing.TB, what string, want, got []M) {
	t.Helper()
	if !slices.EqualFunc(want, got, func(a, b M) bool { return proto.Equal(a, b) }) {
		t.Fatalf("%s (-want +got):\n%s", what, cmp.Diff(want, got, protocmp.Transform()))
	}
}

// agrees holds every answer against the state that the facts fold into, and against a reading of all facts.
func (s *started) agrees(state *ledger.State, facts []*ledgerv1.Fact, nowMS int64) {
	s.t.Helper()
	ctx := s.t.Context()
	for _, at := range []int64{nowMS - 30*minute, nowMS, nowMS + 1000*minute} {
		got, err := s.Overdue(ctx, at)
		check(s.t, err)
		same(s.t, "overdue", state.Overdue(at), got)
	}
	subjects := []query.Subject{{Kind: query.Event, ID: "nowhere"}, {Kind: query.Lineage, ID: "nowhere"}, {Kind: query.Notice, ID: "nowhere"}}
	for _, f := range facts {
		if id := f.GetEventRefused().GetSource().GetEvent(); id != "" {
			subjects = append(subjects, query.Subject{Kind: query.Event, ID: id})
		}
	}
	for id := range state.Events {
		subjects = append(subjects, query.Subject{Kind: query.Event, ID: id})
	}
	for id := range state.Lineages {
		subjects = append(subjects, query.Subject{Kind: query.Lineage, ID: id})
	}
	for id := range state.Notices {
		subjects = append(subjects, query.Subject{Kind: query.Notice, ID: id})
	}
	for id := range state.Tasks {
		subjects = append(subjects, query.Subject{Kind: query.Task, ID: id})
	}
	every := len(subjects)/80 + 1 // of a long ledger some, others each time
	for i := 0; i < len(subjects); i += every {
		of := subjects[i]
		got, err := s.Timeline(ctx, of)
		check(s.t, err)
		same(s.t, fmt.Sprintf("timeline of %v", of), scanned(s.t, state, facts, of), got)
	}
	s.finds(state, facts, nowMS)
}

// finds holds searches against a sifting of the state.
func (s *started) finds(state *ledger.State, facts []*ledgerv1.Fact, nowMS int64) {
	s.t.Helper()
	searches := []*ledgerv1.SearchRequest{
		{}, {Agency: "police"}, {Organisation: "school"}, {Kind: "referral.received"}, {Rule: "authority"}, {Child: "child-l1"}, {Contact: "contact-1"},
		{Lane: ledgerv1.Lane_LANE_HIGH}, {Open: true}, {Late: true}, {Open: true, Late: true, Organisation: "council"}, {Organisation: "nowhere"},
		{DecidedFromMs: epoch + 60*minute, DecidedUntilMs: nowMS - 30*minute}, {DueFromMs: epoch + 30*minute, DueUntilMs: nowMS}, {Reference: "note-0000"},
		{Contact: "contact-2", Agency: "hub", Kind: "encompass.incident"},
	}
	for state := ledgerv1.NoticeState_NOTICE_STATE_HELD; state <= ledgerv1.NoticeState_NOTICE_STATE_WITHDRAWN; state++ {
		searches = append(searches, &ledgerv1.SearchRequest{States: []ledgerv1.NoticeState{state}})
	}
	for id := range state.Notices {
		searches = append(searches, &ledgerv1.SearchRequest{Reference: reference(id)}, &ledgerv1.SearchRequest{Reference: id})
		break
	}
	for _, search := range searches {
		if search.DecidedUntilMs != 0 && search.DecidedUntilMs <= search.DecidedFromMs || search.DueUntilMs != 0 && search.DueUntilMs <= search.DueFromMs {
			continue
		}
		var got []*ledgerv1.FoundNotice
		search.PageSize = 3
		for {
			page, err := s.Search(s.t.Context(), search)
			check(s.t, err)
			if len(page.Notices) > 3 || page.Next != "" && len(page.Notices) != 3 {
				s.t.Fatalf("a page of %d, next %q", len(page.Notices), page.Next)
			}
			got = append(got, page.Notices...)
			if search.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		same(s.t, fmt.Sprintf("search %v", search), sifted(state, facts, search), got)
	}
}

// sifted are the notices of a search, newest first.
func sifted(state *ledger.State, facts []*ledgerv1.Fact, req *ledgerv1.SearchRequest) []*ledgerv1.FoundNotice {
	var found []*ledgerv1.FoundNotice
	between := func(ms, from, until int64) bool { return ms >= from && (until == 0 || ms < until) }
	is := func(want, got string) bool { return want == "" || want == got }
	for _, f := range facts {
		for _, decided := range f.GetDecided().GetNotices() {
			n := state.Notices[decided.GetId()]
			stands := ledgerv1.NoticeState(n.Phase) // they have the same numbers now
			agency := ""
			if len(n.Sources) > 0 {
				agency = n.Sources[0].GetAgency()
			}
			contacts := []string{""}
			for _, a := range n.Attempts {
				contacts = append(contacts, a.Contact)
			}
			prefix := strings.ToLower(strings.ReplaceAll(req.GetReference(), "-", ""))
			if !strings.HasPrefix(n.Id, prefix) || !is(req.GetAgency(), agency) || !is(req.GetOrganisation(), n.Organisation) ||
				!is(req.GetKind(), n.Kind) || !is(req.GetRule(), n.Rule) || !is(req.GetChild(), n.Child) || !slices.Contains(contacts, req.GetContact()) ||
				len(req.GetStates()) > 0 && !slices.Contains(req.GetStates(), stands) || req.GetLane() != 0 && req.GetLane() != n.Lane ||
				!between(n.DecidedMS, req.GetDecidedFromMs(), req.GetDecidedUntilMs()) || !between(n.DueMs, req.GetDueFromMs(), req.GetDueUntilMs()) ||
				req.GetOpen() && n.Phase.Ended() || req.GetLate() && !n.Late() {
				continue
			}
			found = append(found, &ledgerv1.FoundNotice{
				Notice: n.Id, Reference: reference(n.Id), Lineage: n.Lineage, Agency: agency, Organisation: n.Organisation, Function: n.Function,
				Kind: n.Kind, Rule: n.Rule, Child: n.Child, Lane: n.Lane, State: stands, DecidedMs: n.DecidedMS, DueMs: n.DueMs, LateMs: n.LateMS,
				EndedMs: n.EndedMS, Attempts: uint32(len(n.Attempts)), Contact: contacts[len(contacts)-1], Task: n.Task,
			})
		}
	}
	slices.Reverse(found)
	return found
}

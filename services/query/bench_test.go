package query_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/query"
	"github.com/signalbox-hq/signalbox/services/store"
)

// factsOfAnEvent is how many facts an event of the benchmarks has: it is accepted and decided, and five organisations are
// sent to and acknowledge.
const factsOfAnEvent = 2 + 5*3

// id is as long, and as random, as those of the ledger.
func id(kind string, event, n int) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %d %d", kind, event, n)))[:20]
}

// plain writes a ledger of ordinary events, as packs of at most 500 facts. So many events go through their stages together.
func plain(b *testing.B, log *store.MemLog, events, together int) {
	b.Helper()
	var facts []*ledgerv1.Fact
	var stages [4][]*ledgerv1.Fact
	stage := 0
	put := func(f *ledgerv1.Fact) { stages[stage] = append(stages[stage], f) }
	for e := range events {
		if e%together == 0 {
			facts, stages = append(facts, slices.Concat(stages[:]...)...), [4][]*ledgerv1.Fact{}
		}
		stage = 0
		event, lineage := id("event", e, 0), id("lineage", e, 0)
		src := &ledgerv1.Source{Agency: "kestrel-vale-police", Sequence: uint64(e + 1), Event: event}
		put(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{
			Source: src, Lineage: lineage, Kind: "strategy_meeting.concluded", Digest: make([]byte, 16), TimeMs: epoch,
		}}})
		d := &ledgerv1.Decision{
			Lineage: lineage, Round: 1, Cause: ledgerv1.Cause_CAUSE_EVENT, Sources: []*ledgerv1.Source{src}, Policy: "0123456789abcdef", Directory: 7,
			Children: []*ledgerv1.ChildFinding{{Ref: "c1", Child: fmt.Sprintf("child-%d", e%50_000), Match: ledgerv1.Match_MATCH_IDENTIFIER, Event: event}},
		}
		for n := range 5 {
			d.Notices = append(d.Notices, &ledgerv1.Notice{
				Id: id("notice", e, n), Obligation: lineage, Kind: "strategy_meeting.concluded", Rule: "attendees-told",
				Child: fmt.Sprintf("child-%d", e%50_000), Refs: []string{"c1"}, Organisation: fmt.Sprintf("gias:%d", 100_000+(e*5+n)%24_000),
				Function: "attendee", View: "professional", Basis: "working-together-2023", Lane: ledgerv1.Lane_LANE_HIGH, DueMs: epoch + int64(e)*1000 + 86_400_000,
				DueBecause: "one working day after the meeting", Acknowledge: true, Version: 1, ContentDigest: make([]byte, 16),
				Chain:  []*ledgerv1.Link{{Organisation: "gias:100001", Roles: []string{"dsl", "deputy_dsl"}, Use: "regular"}, {Organisation: "council", Roles: []string{"duty"}, OffsetMinutes: 60}},
				Fields: []string{"reference", "incident", "child_identity", "decision"}, Because: "the child is on its roll",
			})
		}
		put(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: d}})
		stage = 1
		for _, n := range d.Notices {
			put(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: &ledgerv1.AttemptStarted{
				Notice: n.Id, Attempt: 1, Contact: "contacts/" + n.Organisation, Channel: "grpc", Organisation: n.Organisation, Role: "dsl",
				LeaseMs: epoch + 60_000, Form: "full", Address: make([]byte, 8),
			}}})
		}
		stage = 2
		for _, n := range d.Notices {
			put(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{
				Notice: n.Id, Attempt: 1, Outcome: ledgerv1.Outcome_OUTCOME_DELIVERED,
			}}})
		}
		stage = 3
		for _, n := range d.Notices {
			put(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{Notice: n.Id, By: "agency:school", Means: "grpc"}}})
		}
	}
	facts = append(facts, slices.Concat(stages[:]...)...)
	for i, f := range facts {
		f.AtMs = epoch + int64(i)
	}
	add(b, log, packs(b, facts, func() int { return 500 })...)
}

// BenchmarkCatchUp makes the read model of a ledger of 170,000 facts from nothing: where each event is over before the next
// begins, and where thousands or tens of thousands are under way, so that the stages of a notice are in transactions of
// their own.
func BenchmarkCatchUp(b *testing.B) {
	b.Run("one by one", func(b *testing.B) { catchUp(b, 1) })
	b.Run("thousands at once", func(b *testing.B) { catchUp(b, 2_000) })
	b.Run("a queue of tens of thousands", func(b *testing.B) { catchUp(b, 8_000) })
}

func catchUp(b *testing.B, together int) {
	log := newLog()
	const events = 10_000
	plain(b, log, events, together)
	var bytes int64
	var cpu time.Duration
	for b.Loop() {
		before := cpuTime(b)
		s := start(b, log, newPath(b))
		s.caughtUp()
		s.stop()
		cpu += cpuTime(b) - before
		if info, err := os.Stat(s.path); err == nil {
			bytes = info.Size()
		}
	}
	b.ReportMetric(events*factsOfAnEvent*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/events/factsOfAnEvent/float64(b.N)/1000, "cpu-µs/fact")
	b.ReportMetric(float64(bytes)/events/factsOfAnEvent, "B/fact")
}

// cpuTime is what the process has used so far, on all cores.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkMillionFacts asks a read model of a million facts.
func BenchmarkMillionFacts(b *testing.B) {
	log := newLog()
	plain(b, log, 1_000_000/factsOfAnEvent, 1)
	begun := time.Now()
	s := start(b, log, newPath(b))
	s.caughtUp()
	b.Logf("made in %v", time.Since(begun))
	first, err := s.Search(b.Context(), &ledgerv1.SearchRequest{})
	check(b, err)
	b.Run("timeline of an event", func(b *testing.B) {
		for b.Loop() {
			facts, err := s.Timeline(b.Context(), query.Subject{Kind: query.Lineage, ID: first.Notices[0].Lineage})
			if err != nil || len(facts) != factsOfAnEvent {
				b.Fatalf("%d facts, %v", len(facts), err)
			}
		}
	})
	b.Run("timeline of a notice", func(b *testing.B) {
		for b.Loop() {
			facts, err := s.Timeline(b.Context(), query.Subject{Kind: query.Notice, ID: first.Notices[0].Notice})
			if err != nil || len(facts) != 4 {
				b.Fatalf("%d facts, %v", len(facts), err)
			}
		}
	})
	for name, req := range map[string]*ledgerv1.SearchRequest{
		"newest": {}, "organisation": {Organisation: "gias:105000"}, "child": {Child: "child-77"}, "contact": {Contact: "contacts/gias:105000"},
		"reference": {Reference: reference(first.Notices[3].Notice)}, "due between": {DueFromMs: epoch + 86_500_000, DueUntilMs: epoch + 86_600_000},
		"open": {Open: true}, "a rule that there is not": {Rule: "none"},
	} {
		b.Run("search "+name, func(b *testing.B) {
			for b.Loop() {
				_, err := s.Search(b.Context(), proto.CloneOf(req))
				check(b, err)
			}
		})
	}
	b.Run("overdue, none", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Overdue(b.Context(), epoch*2)
			check(b, err)
		}
	})
}

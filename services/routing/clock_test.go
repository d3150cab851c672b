package routing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// dueOf says of the notices of a rule when each is due, in local time, and why.
func dueOf(d *ledgerv1.Decision, rule string) []string {
	list := []string{}
	for _, n := range d.Notices {
		if n.Rule == rule {
			list = append(list, time.UnixMilli(n.DueMs).In(directory.London()).Format("Mon 2 Jan 15:04")+", "+n.DueBecause)
		}
	}
	return list
}

func TestADutyCountsFromWhenTheEventCameIn(t *testing.T) {
	attended := func() *eventv1.Event { return incident("i-1", "2026-11-19T11:00:00Z", "ada") }
	for name, tc := range map[string]struct {
		event             func() *eventv1.Event
		rule              string
		received, decided string // empty: not said
		cause             ledgerv1.Cause
		want              string
	}{
		"told at once": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority",
			received: "2026-11-19T21:00:00Z", decided: "2026-11-19T21:00:00Z", want: "Thu 19 Nov 21:30, at once: within 30 minutes",
		},
		"it waited for an hour: late already": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority",
			received: "2026-11-19T21:00:00Z", decided: "2026-11-19T22:00:00Z", want: "Thu 19 Nov 21:30, at once: within 30 minutes",
		},
		"nobody says when": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority",
			decided: "2026-11-19T22:00:00Z", want: "Thu 19 Nov 22:30, at once: within 30 minutes",
		},
		"by a clock ahead of this one": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority",
			received: "2026-11-19T23:00:00Z", decided: "2026-11-19T22:00:00Z", want: "Thu 19 Nov 22:30, at once: within 30 minutes",
		},
		"in the evening, and a person found the child within the next school day": {
			event: attended, rule: "encompass.school",
			received: "2026-11-19T21:00:00Z", decided: "2026-11-20T11:00:00Z", want: "Fri 20 Nov 08:30, before the child's next attended session",
		},
		"within the school day, and decided after it": {
			event: attended, rule: "encompass.school",
			received: "2026-11-19T11:00:00Z", decided: "2026-11-19T17:00:00Z", want: "Thu 19 Nov 12:00, reported during the school day: within 60 minutes",
		},
		"a replay, which was asked for now": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority", cause: ledgerv1.Cause_CAUSE_REPLAY,
			received: "2026-11-19T21:00:00Z", decided: "2026-11-20T11:00:00Z", want: "Fri 20 Nov 11:30, at once: within 30 minutes",
		},
		"the child was found, and then was not: who was told so has to hear it anew": {
			event: func() *eventv1.Event { return missing("ada") }, rule: "missing.authority", cause: ledgerv1.Cause_CAUSE_ENDING,
			received: "2026-11-19T21:00:00Z", decided: "2026-11-20T11:00:00Z", want: "Fri 20 Nov 11:30, at once: within 30 minutes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.decided)
			events := sources([]*eventv1.Event{tc.event()})
			if tc.received != "" {
				events[0].Received = instant(tc.received)
			}
			round := firstRound()
			if tc.cause != 0 {
				round.Cause = tc.cause
			}
			if diff := cmp.Diff([]string{tc.want}, dueOf(routing.Decide(events, round, w.Facts), tc.rule)); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACorrectionTakesNothingOffADuty(t *testing.T) {
	w := newWorld(t, "2026-11-19T21:00:00Z")
	first := w.first(missing("ada"))
	corrected := missing("ada")
	corrected.Narrative = &eventv1.Narrative{Disclosable: "Ada was seen in the park."}
	const before, anew = "Thu 19 Nov 21:30, at once: within 30 minutes", "Thu 19 Nov 21:55, at once: within 30 minutes"
	for name, tc := range map[string]struct {
		change func(*routing.Prior)
		want   string
	}{
		"nobody has acknowledged yet":  {change: func(*routing.Prior) {}, want: before},
		"somebody had acknowledged":    {change: func(p *routing.Prior) { p.DueMS = 0 }, want: anew},
		"what was told was withdrawn":  {change: func(p *routing.Prior) { p.Withdrawn = true }, want: anew},
		"an operator has it told anew": {change: func(p *routing.Prior) { p.Again = true }, want: anew},
	} {
		t.Run(name, func(t *testing.T) {
			round := next(ledgerv1.Cause_CAUSE_EVENT, first)
			for i, n := range first.Notices {
				round.Prior[i].DueMS, round.Prior[i].DueBecause = n.DueMs, n.DueBecause
				tc.change(&round.Prior[i])
			}
			second := w.at("2026-11-19T21:25:00Z").decide(round, corrected)
			if diff := cmp.Diff([]string{tc.want}, dueOf(second, "missing.authority")); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
			for _, n := range second.Notices {
				if wait := n.DueMs + int64(n.Chain[0].OffsetMinutes)*time.Minute.Milliseconds(); wait < instant("2026-11-19T21:40:00Z").UnixMilli() {
					t.Errorf("%s: the first of the chain has until %v", n.Rule, time.UnixMilli(wait))
				}
			}
		})
	}
}

func TestAMeetingThatIsPutOffIsDueLater(t *testing.T) {
	w := newWorld(t, "2026-11-04T10:05:00Z")
	first := w.first(convened(false, []string{"ada"}, needed()...))
	round := next(ledgerv1.Cause_CAUSE_EVENT, first)
	for i, n := range first.Notices {
		round.Prior[i].DueMS, round.Prior[i].DueBecause = n.DueMs, n.DueBecause
	}
	moved := convened(false, []string{"ada"}, needed()...)
	moved.GetStrategyMeetingConvened().MeetsAt = stamp("2026-11-06T15:00:00Z")
	second := w.decide(round, moved)
	if len(second.Notices) == 0 {
		t.Fatal("nobody is told that the meeting was put off")
	}
	for i, n := range second.Notices {
		if n.DueMs <= first.Notices[i].DueMs {
			t.Errorf("%s to %s is due %v", n.Rule, n.Organisation, time.UnixMilli(n.DueMs))
		}
	}
}

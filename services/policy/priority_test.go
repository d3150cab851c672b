package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// pressed is the base policy with priorities.
func pressed(t *testing.T, priorities string) *policy.Policy {
	t.Helper()
	return load(t, strings.Replace(base, "retry:", "priority:\n"+priorities+"\nretry:", 1))
}

func TestLanesAreRaisedAndNeverLowered(t *testing.T) {
	const (
		urgent  = ledgerv1.Lane_LANE_URGENT
		high    = ledgerv1.Lane_LANE_HIGH
		routine = ledgerv1.Lane_LANE_ROUTINE
	)
	incident := &eventv1.Event{Type: "encompass.incident", Checks: &eventv1.Checks{Welfare: eventv1.Check_CHECK_NOT_DONE}}
	earlier := func(n int) func([]notice.EventKind, int, int) int {
		return func(_ []notice.EventKind, _, enough int) int { return min(n, enough) }
	}
	const (
		unseen  = "  - {id: unseen, because: nobody saw the child, lane: high, when: event.checks.welfare == Check.CHECK_NOT_DONE}\n"
		infant  = "  - {id: infant, because: an infant, lane: urgent, when: age < 1}\n"
		third   = "  - {id: third, because: the third time, lane: urgent, repeats: {count: 3, days: 90}}\n"
		soon    = "  - {id: soon, because: due soon, lane: high, due_within_minutes: 60}\n"
		other   = "  - {id: other, because: another kind, lane: urgent, on: [referral.decided], when: age < 99}\n"
		both    = "  - {id: both, because: young and due soon, lane: urgent, when: age < 5, due_within_minutes: 60}\n"
		failing = "  - {id: failing, because: unknown, lane: urgent, when: 'int(event.subject) > 0'}\n"
	)
	for _, tc := range []struct {
		name, priorities string
		lane             ledgerv1.Lane
		age              int
		pressing         policy.Pressing
		want             ledgerv1.Lane
		because          string
	}{
		{name: "an indicator raises", priorities: unseen, lane: routine, age: 9, want: high, because: "nobody saw the child"},
		{name: "what is as high already stays, without a reason", priorities: unseen, lane: high, age: 9, want: high},
		{name: "what is higher is not lowered", priorities: unseen, lane: urgent, age: 9, want: urgent},
		{name: "what nobody put into a lane counts as high", priorities: unseen, age: 9, want: ledgerv1.Lane_LANE_UNSPECIFIED},
		{name: "the highest of several counts", priorities: unseen + infant, lane: routine, want: urgent, because: "an infant"},
		{name: "in whatever order they stand", priorities: infant + unseen, lane: routine, want: urgent, because: "an infant"},
		{name: "repeats raise at their count", priorities: third, lane: routine, age: 9, pressing: policy.Pressing{Earlier: earlier(2)}, want: urgent, because: "the third time"},
		{name: "repeats below their count do not", priorities: third, lane: routine, age: 9, pressing: policy.Pressing{Earlier: earlier(1)}, want: routine},
		{name: "where nothing is known of earlier ones", priorities: third, lane: routine, age: 9, want: routine},
		{name: "a near deadline raises", priorities: soon, lane: routine, age: 9, pressing: policy.Pressing{DueIn: time.Hour}, want: high, because: "due soon"},
		{name: "one that is past raises", priorities: soon, lane: routine, age: 9, pressing: policy.Pressing{DueIn: -time.Hour}, want: high, because: "due soon"},
		{name: "a far one does not", priorities: soon, lane: routine, age: 9, pressing: policy.Pressing{DueIn: time.Hour + time.Second}, want: routine},
		{name: "another kind of event does not", priorities: other, lane: routine, age: 9, want: routine},
		{name: "all that a priority names must hold", priorities: both, lane: routine, age: 3, pressing: policy.Pressing{DueIn: 2 * time.Hour}, want: routine},
		{name: "and does", priorities: both, lane: routine, age: 3, pressing: policy.Pressing{DueIn: time.Minute}, want: urgent, because: "young and due soon"},
		{name: "a condition that fails has not said that there is no hurry", priorities: failing, lane: routine, age: 9, want: urgent, because: "unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, because := pressed(t, tc.priorities).Raised(tc.lane, policy.Input{Event: incident, Age: tc.age}, tc.pressing)
			if got != tc.want || because != tc.because {
				t.Errorf("lane %v because %q, want %v because %q", got, because, tc.want, tc.because)
			}
		})
	}
}

func TestRepeatsAreOfTheKindsThatThePolicyNames(t *testing.T) {
	for _, tc := range []struct {
		name, repeats string
		kinds         []notice.EventKind
	}{
		{"none is the event's own", "{count: 4, days: 30}", []notice.EventKind{notice.EncompassIncident}},
		{"named", "{count: 4, days: 30, of: [encompass.incident, referral.received]}", []notice.EventKind{notice.EncompassIncident, notice.ReferralReceived}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asked []notice.EventKind
			pressed(t, "  - {id: a, because: b, lane: high, repeats: "+tc.repeats+"}").Raised(ledgerv1.Lane_LANE_ROUTINE,
				policy.Input{Event: &eventv1.Event{Type: "encompass.incident"}},
				policy.Pressing{Earlier: func(kinds []notice.EventKind, days, enough int) int {
					asked = kinds
					if days != 30 || enough != 3 {
						t.Errorf("asked for %d in %d days, want 3 in 30", enough, days)
					}
					return 0
				}})
			if diff := cmp.Diff(tc.kinds, asked); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
}

package intake_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Whoever sends has a clock that may be wrong. What it finds without one the service finds too; what it leaves to the service
// is what lies ahead, or long ago, by the service's clock.
func TestWithoutAClockEverythingIsFoundThatTakesNone(t *testing.T) {
	in := newIntake(t)
	left := []string{}
	for _, tc := range append(badInputs(), careBadInputs()...) {
		header, data, c := tc.message(t)
		_, err := in.Read(header, data, c)
		found := notice.FieldsOf(err)
		c.Now, c.NoClock = time.Time{}, true
		_, err = in.Read(header, data, c)
		without := notice.FieldsOf(err)
		for _, f := range without {
			if !slices.Contains(found, f) {
				t.Errorf("%s: found without a clock alone: %v", tc.name, f)
			}
		}
		for _, f := range found {
			if !slices.Contains(without, f) {
				left = append(left, tc.name+": "+f.Field+": "+f.Message)
			}
		}
	}
	const future = "is in the future: check the time, its offset and your clock"
	want := []string{
		"many faults in one event, all named: children[1].date_of_birth: is in the future: correct the date",
		"a date of birth in the future: children[1].date_of_birth: is in the future: correct the date",
		"a person born in the year 1: people[0].date_of_birth: makes the person more than 120 years old: correct the year",
		"times in the future: encompass_incident.occurred_at: " + future,
		"times in the future: time: " + future,
		"a meeting years ahead: strategy_meeting_convened.meets_at: is more than a year ahead: correct the year",
		"a meeting concluded before it is held: strategy_meeting_concluded.held_at: " + future,
		"a child found in the future, in a way that does not exist: missing_found.found_at: " + future,
		"a placement years ahead: placement_notified.begins_at: is more than a year ahead: correct the year",
		"a plan of nobody for nothing: protection_plan_started.started_at: " + future,
		"a medical without an outcome, held tomorrow: medical_concluded.examined_at: " + future,
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("left to whoever has a clock (-want +got):\n%s", diff)
	}
}

func TestWithoutAClockNoTimeOfAGoodEventIsAtFault(t *testing.T) {
	in := newIntake(t)
	for kind, ev := range samples(t) {
		c := check(ev)
		c.Now, c.NoClock = time.Time{}, true
		if found := in.Validate(ev, c); len(found) > 0 {
			t.Errorf("%s: %v", kind, found)
		}
	}
	ev := sample(t, notice.EncompassIncident)
	ev.Time = timestamppb.New(now.AddDate(40, 0, 0))
	ev.GetEncompassIncident().OccurredAt = ev.Time
	ev.Children = ev.Children[:1]
	ev.Children[0].DateOfBirth = now.AddDate(39, 0, 0).Format(time.DateOnly)
	if found := in.Validate(ev, intake.Check{Agency: notice.AgencyID(ev.Source), NoClock: true}); len(found) > 0 {
		t.Errorf("an event of another year is held against a clock: %v", found)
	}
}

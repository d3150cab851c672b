package intake_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAWithdrawalSaysWhichEventAndWhyAndNothingElse(t *testing.T) {
	in := newIntake(t)
	for name, c := range map[string]struct {
		change func(*eventv1.Event)
		want   []string // fields at fault
	}{
		"as it should be": {change: func(*eventv1.Event) {}},
		"of itself":       {func(ev *eventv1.Event) { ev.GetEventWithdrawn().Event = ev.Id }, []string{"event_withdrawn.event"}},
		"of nothing":      {func(ev *eventv1.Event) { ev.GetEventWithdrawn().Event = "" }, []string{"event_withdrawn.event"}},
		"for no reason":   {func(ev *eventv1.Event) { ev.GetEventWithdrawn().Reason = "" }, []string{"event_withdrawn.reason"}},
		"for a reason of its own": {
			func(ev *eventv1.Event) { ev.GetEventWithdrawn().Reason = "the child is Ada" }, []string{"event_withdrawn.reason"},
		},
		"with names": {
			func(ev *eventv1.Event) {
				other := sample(t, notice.EncompassIncident)
				ev.Children, ev.Narrative = other.Children[:1], other.Narrative
			}, []string{"children", "narrative"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ev := sample(t, notice.EventWithdrawn)
			c.change(ev)
			held := check(ev)
			held.Kinds = []string{string(notice.EncompassIncident)} // what may be published may be taken back
			var fields []string
			for _, fault := range in.Validate(ev, held) {
				fields = append(fields, fault.Field)
			}
			slices.Sort(fields)
			if diff := cmp.Diff(c.want, slices.Compact(fields)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

package directory

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestARecurrenceKeepsItsClockTimeOverBothClockChanges(t *testing.T) {
	const form = "2006-01-02 15:04 MST"
	for name, tc := range map[string]struct {
		first, at, now string
		last, next     string
	}{
		"before the first":                     {"2026-01-06", "09:00", "2026-01-06T08:59:59Z", "", "2026-01-06 09:00 GMT"},
		"at the first":                         {"2026-01-06", "09:00", "2026-01-06T09:00:00Z", "2026-01-06 09:00 GMT", "2026-01-20 09:00 GMT"},
		"the morning of a day":                 {"2026-01-06", "09:00", "2026-06-23T07:59:00Z", "2026-06-09 09:00 BST", "2026-06-23 09:00 BST"},
		"later on the day":                     {"2026-01-06", "09:00", "2026-06-23T08:01:00Z", "2026-06-23 09:00 BST", "2026-07-07 09:00 BST"},
		"over the clock change in spring":      {"2026-03-24", "09:00", "2026-04-01T00:00:00Z", "2026-03-24 09:00 GMT", "2026-04-07 09:00 BST"},
		"over the clock change in autumn":      {"2026-10-20", "09:00", "2026-10-30T00:00:00Z", "2026-10-20 09:00 BST", "2026-11-03 09:00 GMT"},
		"at an hour that does not come":        {"2026-03-15", "01:30", "2026-03-29T00:59:59Z", "2026-03-15 01:30 GMT", "2026-03-29 02:00 BST"},
		"just after an hour that did not come": {"2026-03-15", "01:30", "2026-03-29T01:00:00Z", "2026-03-29 02:00 BST", "2026-04-12 01:30 BST"},
		"in the first of an hour twice":        {"2026-10-11", "01:30", "2026-10-25T00:30:00Z", "2026-10-25 01:30 BST", "2026-11-08 01:30 GMT"},
		"in the second of an hour twice":       {"2026-10-11", "01:30", "2026-10-25T01:30:00Z", "2026-10-25 01:30 BST", "2026-11-08 01:30 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, tc.now)
			if err != nil {
				t.Fatal(err)
			}
			r := Recurrence{First: date(t, tc.first), Days: 14, At: tc.at}
			last := ""
			if at, ok := r.LastBy(now); ok {
				last = at.Format(form)
			}
			next, _ := r.NextAfter(now)
			if last != tc.last || next.Format(form) != tc.next {
				t.Errorf("last %q, next %q; want %q, %q", last, next.Format(form), tc.last, tc.next)
			}
		})
	}
}

func TestARecurrenceThatIsNoneNeverComes(t *testing.T) {
	now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	for name, r := range map[string]Recurrence{
		"nothing":         {},
		"no days":         {First: date(t, "2026-01-06"), At: "09:00"},
		"no first day":    {Days: 14, At: "09:00"},
		"no time of day":  {First: date(t, "2026-01-06"), Days: 14},
		"no such an hour": {First: date(t, "2026-01-06"), Days: 14, At: "25:00"},
	} {
		_, came := r.LastBy(now)
		if _, comes := r.NextAfter(now); came || comes {
			t.Errorf("%s: came %t, comes %t", name, came, comes)
		}
	}
}

// Nothing lies between the last instant and the next, whatever the instant: none is passed over, and none comes twice.
func TestTheInstantsOfARecurrenceFollowEachOther(t *testing.T) {
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		r := Recurrence{
			First: DateOf(start).AddDays(rapid.IntRange(0, 30).Draw(rt, "first")), Days: rapid.IntRange(1, 40).Draw(rt, "days"),
			At: rapid.SampledFrom([]string{"00:00", "01:00", "01:30", "02:00", "09:00", "23:59"}).Draw(rt, "at"),
		}
		now := start.Add(time.Duration(rapid.IntRange(0, 600*24*60).Draw(rt, "minutes")) * time.Minute)
		next, ok := r.NextAfter(now)
		if !ok || !next.After(now) {
			rt.Fatalf("next of %s is %s", now, next)
		}
		if last, ok := r.LastBy(now); ok {
			again, _ := r.NextAfter(last)
			if last.After(now) || !again.Equal(next) {
				rt.Errorf("at %s: last %s, which %s follows, next %s", now, last, again, next)
			}
		} else if first := r.First.At(r.At); !first.After(now) || !first.Equal(next) {
			rt.Errorf("at %s none has come, and the first was %s", now, first)
		}
		if at, ok := r.LastBy(next); !ok || !at.Equal(next) {
			rt.Errorf("at %s the last is %s", next, at)
		}
	})
}

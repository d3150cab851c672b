package routing_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// lanes are each notice's child, lane and why it is there.
func lanes(d *ledgerv1.Decision) []string {
	var out []string
	for _, n := range d.Notices {
		out = append(out, strings.TrimSpace(n.Child+" "+strings.TrimPrefix(n.Lane.String(), "LANE_")+" "+n.LaneBecause))
	}
	return out
}

func TestTheLaneFollowsThePatternAndNotTheGradeAlone(t *testing.T) {
	const night = "2026-11-17T21:00:00Z"
	standard := func(ids ...string) *eventv1.Event {
		ev := incident("ap-1", night, ids...)
		ev.Risk = eventv1.RiskGrade_RISK_GRADE_STANDARD
		return ev
	}
	for _, tc := range []struct {
		name   string
		at     string
		before int // earlier incidents of ada
		event  func() *eventv1.Event
		want   []string
	}{
		{name: "a first one of standard risk", event: func() *eventv1.Event { return standard("ada") }, want: []string{"ada ROUTINE"}},
		{name: "the second", before: 1, event: func() *eventv1.Event { return standard("ada") }, want: []string{"ada ROUTINE"}},
		{name: "the third, for her alone", before: 2, event: func() *eventv1.Event { return standard("ada", "tam") },
			want: []string{"ada HIGH the child was in at least three incidents within 90 days", "tam ROUTINE"}},
		{name: "a child who was there and whom nobody has seen", event: func() *eventv1.Event {
			ev := standard("ada")
			ev.Checks = &eventv1.Checks{Welfare: eventv1.Check_CHECK_NOT_DONE}
			return ev
		}, want: []string{"ada HIGH nobody has seen the child, who was there"}},
		{name: "within the school day", at: "2026-11-18T10:00:00Z", event: func() *eventv1.Event { return standard("ada") },
			want: []string{"ada HIGH it is due within the hour"}},
		{name: "a high risk stays urgent", before: 9, event: func() *eventv1.Event {
			ev := standard("ada")
			ev.Risk = eventv1.RiskGrade_RISK_GRADE_HIGH
			return ev
		}, want: []string{"ada URGENT"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, night)
			if tc.at != "" {
				w = w.at(tc.at)
			}
			w.Earlier = func(p routing.Past) int {
				want := routing.Past{
					Child: p.Child, Lineage: "lineage", Kinds: []notice.EventKind{notice.EncompassIncident},
					From: instant("2026-08-19T21:00:00Z"), Until: instant(night), Enough: 2,
				}
				if diff := cmp.Diff(want, p); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if p.Child != "ada" {
					return 0
				}
				return min(tc.before, p.Enough)
			}
			if diff := cmp.Diff(tc.want, lanes(w.first(tc.event()))); diff != "" {
				t.Errorf("lanes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChildWhomNobodyMayFindHasNoPast(t *testing.T) {
	w := newWorld(t, "2026-11-17T21:00:00Z")
	asked := map[notice.ChildID]bool{}
	w.Earlier = func(p routing.Past) int { asked[p.Child] = true; return 0 }
	w.first(incident("ap-1", "2026-11-17T21:00:00Z", "sol", "stranger"))
	if asked["sol"] {
		t.Error("a sealed child's past was asked for: the lane would tell it from a child that nobody knows")
	}
}

package delivery

import (
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

func TestWhatFollowsFromASubscriptionIsToldWhileTheSubscriptionCoversIt(t *testing.T) {
	const force, ashmere, elsewhere = "kestrel-vale-police", "E09000901", "E10000902"
	at := time.Date(2026, time.November, 6, 17, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name   string
		sub    func(*directoryv1.Subscription)
		notice func(*ledgerv1.Notice)
		want   bool
	}{
		{name: "as it was granted", want: true},
		{name: "of the police area around it", sub: func(s *directoryv1.Subscription) { s.Area = "E23000901" }, want: true},
		{name: "of another area", sub: func(s *directoryv1.Subscription) { s.Area = elsewhere }},
		{name: "of no area any more, and of nothing else", sub: func(s *directoryv1.Subscription) { s.Area = "" }},
		{name: "of a child, wherever it lives", sub: func(s *directoryv1.Subscription) { s.Area, s.Child = "", "another" }, want: true},
		{name: "of a child who lived elsewhere", notice: func(n *ledgerv1.Notice) { n.HomeArea = elsewhere }},
		{name: "before it was kept where the child lived, by the roll", notice: func(n *ledgerv1.Notice) { n.HomeArea = "" }, want: true},
		{name: "of a child who is on no roll, and nobody knows where", notice: func(n *ledgerv1.Notice) { n.HomeArea, n.Child = "", "unknown" }},
		{name: "of this kind among others", sub: func(s *directoryv1.Subscription) {
			s.Kinds = []string{"referral.decided", "conference.concluded"}
		}, want: true},
		{name: "of other kinds", sub: func(s *directoryv1.Subscription) { s.Kinds = []string{"referral.decided"} }},
		{name: "on another basis", sub: func(s *directoryv1.Subscription) { s.Basis = "children_act_1989_s47" }},
		{name: "over", sub: func(s *directoryv1.Subscription) { s.UntilMs = at.UnixMilli() }},
		{name: "not begun", sub: func(s *directoryv1.Subscription) { s.FromMs = at.UnixMilli() + 1 }},
		{name: "of an agency that has no access", sub: func(s *directoryv1.Subscription) { s.Agency = "removed" }},
		{name: "of an agency that acts for another", notice: func(n *ledgerv1.Notice) { n.Organisation = "ashmere-council" }},
		{name: "that is not there any more", notice: func(n *ledgerv1.Notice) { n.Subscription = "s-9" }},
		{name: "by no subscription", notice: func(n *ledgerv1.Notice) { n.Subscription, n.Organisation = "", "ashmere-council" }, want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &directoryv1.Subscription{
				Id: "s-1", Agency: force, Organisation: force, Area: ashmere, Basis: "children_act_2004_s10", GrantedBy: "operator:import",
				FromMs: at.Add(-time.Hour).UnixMilli(), UntilMs: at.Add(time.Hour).UnixMilli(),
			}
			n := &ledgerv1.Notice{
				Subscription: "s-1", Kind: "conference.concluded", Basis: "children_act_2004_s10", Organisation: force, Child: string(child), HomeArea: ashmere,
			}
			if tc.sub != nil {
				tc.sub(s)
			}
			if tc.notice != nil {
				tc.notice(n)
			}
			snap := snapshot(t, s, &directoryv1.Child{Id: string(child), Given: "Ada", Family: "Larch", ResidenceArea: ashmere})
			if got := Rests(n, snap, at); got != tc.want {
				t.Errorf("told %v, want %v", got, tc.want)
			}
		})
	}
}

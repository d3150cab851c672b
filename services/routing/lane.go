package routing

import (
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Past asks how often a child was reported.
type Past struct {
	Child       notice.ChildID
	Lineage     string             // that does not count: the one to be decided
	Kinds       []notice.EventKind // that count
	From, Until time.Time          // when it was reported: after the one, and not after the other
	Enough      int                // where counting may stop
}

// lane puts a notice into its lane: that of its rule or risk grade, or the one that the policy's priorities raise it to.
func (d *decider) lane(rule *policy.Rule, s *subject, n *ledgerv1.Notice) {
	reported := s.event.Time.AsTime()
	sendable := max(n.ReleaseMs, d.Now.UnixMilli())
	pressing := policy.Pressing{DueIn: time.Duration(n.DueMs-sendable) * time.Millisecond}
	if d.Earlier != nil && s.finding.Child != "" {
		pressing.Earlier = func(kinds []notice.EventKind, days, enough int) int {
			return d.Earlier(Past{
				Child: s.id(), Lineage: d.round.Lineage, Kinds: kinds, From: reported.AddDate(0, 0, -days), Until: reported, Enough: enough,
			})
		}
	}
	n.Lane, n.LaneBecause = d.Policy.Raised(d.Policy.Lane(rule, s.event.Risk), policy.Input{Event: s.event, Child: s.child, Age: s.age, WorkingDay: d.workingDay(s)}, pressing)
}

package routing

import (
	"fmt"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// tellSubscribers tells the agencies whose subscription fits and stands, on the rule's basis. They are told of children who
// are known for certain alone: whose whereabouts are sealed is nobody that is known, so that what a subscriber hears is the
// same of both. A restriction that bars a subscriber asks nobody what to do instead: nobody had to be told.
func (d *decider) tellSubscribers(rule *policy.Rule, s *subject) {
	if !s.found {
		return
	}
	told := map[string]bool{}
	for _, sub := range d.subscribers(rule, s) {
		org := notice.OrgID(sub.GetOrganisation())
		if told[sub.GetAgency()] || sub.GetOrganisation() == d.publisher(s) || !d.applies(rule, s, policy.Input{}) {
			continue // by a subscription that lasts longer; or it published this itself
		}
		told[sub.GetAgency()] = true
		switch bar := d.bar(s, org); {
		case bar != nil:
			d.consider(org, rule.Id, s.finding.Child, "restricted: "+bar.Reason)
		case !d.knows(org):
			d.consider(org, rule.Id, s.finding.Child, "subscribes, and is not in the directory")
		default:
			d.tell(rule, s, recipient{
				organisation: org, area: notice.Area(d.areaOf(org)), function: rule.Function, subscription: sub,
				because: join(rule.Because, fmt.Sprintf("subscription %s", sub.GetId())),
			}, rule.Due, rule.Chain, schoolClock{calendar: d.Directory.Calendar(org)})
		}
	}
}

// subscribers are the subscriptions that a rule and a report of a child fit, those that last longest first. That of an agency
// which has no access any more, or acts for another organisation by now, fits nothing: the rule's chain would go on from its
// inbox to the organisation's desk.
func (d *decider) subscribers(rule *policy.Rule, s *subject) []*directoryv1.Subscription {
	var fit []*directoryv1.Subscription
	for _, sub := range d.Directory.Granted() {
		if directory.Stands(sub, d.Now) && d.subscribes(sub, rule.Basis, s) &&
			d.Directory.ActsFor(sub.GetAgency(), sub.GetOrganisation()) {
			fit = append(fit, sub)
		}
	}
	slices.SortStableFunc(fit, func(a, b *directoryv1.Subscription) int {
		return int(min(1, max(-1, directory.SubscriptionEndsMS(b)-directory.SubscriptionEndsMS(a))))
	})
	return fit
}

// subscribes says whether all that a subscription names fits a report of a child, told on a basis.
func (d *decider) subscribes(sub *directoryv1.Subscription, basis string, s *subject) bool {
	matter := sub.GetMatter()
	switch {
	case sub.GetChild() != "" && sub.GetChild() != s.finding.Child:
		return false
	case matter != nil && (matter.GetAgency() != s.event.Source || matter.GetReference() != s.event.Subject):
		return false
	}
	return d.Directory.Covers(sub, directory.Outcome{Kind: s.event.Type, Basis: basis, Home: notice.Area(s.child.ResidenceArea)})
}

// homeFor is where the child lives, for a notice that follows from a subscription to an area: whoever reads it later is
// asked whether the subscription covers that still. Nobody else's notice says it.
func homeFor(sub *directoryv1.Subscription, s *subject) string {
	if sub.GetArea() == "" {
		return ""
	}
	return s.child.ResidenceArea
}

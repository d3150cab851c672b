package policy

import (
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
)

const subscribers = "subscribers"

// InboxRole stands in a chain for the inbox of the agency that subscribes.
const InboxRole = "inbox"

// subscribers checks a rule that tells those who asked to be told. They are told of a child, by the agency's inbox first, and
// nobody has to subscribe.
func (c checker) subscribers(i int, r *policyv1.Rule, view disclosure.View) {
	if r.GetTell() != subscribers {
		return
	}
	if view.ID() != "" && !view.Allows(eventv1.Label_LABEL_CHILD_IDENTITY) {
		c.add(c.at("rules", i, "view"), "subscribers are told of a child: give a view with child_identity")
	}
	if r.GetRequired() {
		c.add(c.key("required", "rules", i), "nobody has to subscribe: remove `required`")
	}
	if chain := r.GetChain(); len(chain) > 0 && (chain[0].GetOf() != "recipient" || !slices.Equal(chain[0].GetRoles(), []string{InboxRole})) {
		c.add(c.at("rules", i, "chain", 0), "subscribers are told by their inbox first: begin with `{of: recipient, roles: [inbox]}`")
	}
}

// SubscribedKinds are the kinds of event that rules tell subscribers of, on whatever basis, sorted.
func (p *Policy) SubscribedKinds() []string {
	var kinds []string
	for _, r := range p.document.GetRules() {
		if r.GetTell() == subscribers {
			kinds = append(kinds, r.GetOn()...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// TellsSubscribers says whether a rule tells subscribers of one of the kinds on a basis; no kinds are all of them.
func (p *Policy) TellsSubscribers(basis string, kinds []string) bool {
	return slices.ContainsFunc(p.document.GetRules(), func(r *policyv1.Rule) bool {
		return r.GetTell() == subscribers && r.GetBasis() == basis &&
			(len(kinds) == 0 || slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(r.GetOn(), k) }))
	})
}

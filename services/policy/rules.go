package policy

import (
	"maps"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	childSettings = "child_settings"
	organisations = "organisations"
	referrer      = "referrer"
	network       = "network"
	inResidence   = "residence_organisation"
	inHealth      = "residence_health"

	designatedOfficer = "designated_officer"
)

// rules checks every rule and makes those ready that are good.
func (c checker) rules(views map[string]disclosure.View) []*Rule {
	var rules []*Rule
	seen := make(map[string]bool)
	for i, r := range c.document.GetRules() {
		if seen[r.GetId()] {
			c.add(c.at("rules", i, "id"), "there is another rule %s: give each an id of its own", r.GetId())
		}
		seen[r.GetId()] = true
		if _, ok := views[r.GetView()]; !ok && r.GetView() != "" {
			c.add(c.at("rules", i, "view"), "there is no view %q: the views are %s", r.GetView(), strings.Join(slices.Sorted(maps.Keys(views)), ", "))
		}
		c.basis(i, r)
		c.recipients(i, r, views[r.GetView()])
		c.subscribers(i, r, views[r.GetView()])
		c.clock(r, r.GetDue(), "rules", i, "due")
		c.chain(r, r.GetChain(), "rules", i, "chain")
		c.holiday(i, r)

		ready, issues := c.conditions.compile(r.GetWhen(), r.GetTell())
		for _, is := range issues {
			c.add(c.within(is.line, is.column, "rules", i, "when"), "%s", is.message)
		}
		rules = append(rules, &Rule{Rule: r, View: views[r.GetView()], condition: ready})
	}
	return rules
}

func (c checker) basis(i int, r *policyv1.Rule) {
	var codes []string
	for _, b := range c.document.GetBases() {
		codes = append(codes, b.GetCode())
	}
	if r.GetBasis() != "" && !slices.Contains(codes, r.GetBasis()) {
		c.add(c.at("rules", i, "basis"), "there is no basis %q: the bases are %s", r.GetBasis(), strings.Join(codes, ", "))
	}
	switch elsewhere := r.GetOutsideEngland(); {
	case elsewhere == "":
	case r.GetTell() == subscribers:
		c.add(c.key("outside_england", "rules", i), "a subscription counts on the basis on which it was granted: remove it, and give that basis a rule of its own")
	case !slices.Contains(codes, elsewhere):
		c.add(c.at("rules", i, "outside_england"), "there is no basis %q: the bases are %s", elsewhere, strings.Join(codes, ", "))
	}
}

// recipients checks that those told are to be found in the events told of.
func (c checker) recipients(i int, r *policyv1.Rule, view disclosure.View) {
	var known []string
	for _, k := range notice.EventKinds() {
		known = append(known, string(k))
	}
	for j, kind := range r.GetOn() {
		at := c.at("rules", i, "on", j)
		switch in := kindsWith(r.GetTell()); {
		case !slices.Contains(known, kind):
			c.add(at, "there is no kind of event %q: the kinds are %s", kind, strings.Join(known, ", "))
		case slices.Contains(r.GetOn()[:j], kind):
			c.add(at, "the kind %s stands twice: keep one", kind)
		case in != nil && !slices.Contains(in, notice.EventKind(kind)):
			c.add(at, "%s has nobody to tell as `%s`: only %s has", kind, r.GetTell(), kindList(in))
		}
	}

	switch given := len(r.GetOrganisations()) > 0; {
	case r.GetTell() == organisations && !given:
		c.add(c.at("rules", i, "tell"), "name the organisations to tell: `organisations: [ashmere-council]`")
	case r.GetTell() != organisations && given:
		c.add(c.key("organisations", "rules", i), "organisations are named only where the rule tells `organisations`")
	}
	for j, id := range r.GetOrganisations() {
		if _, err := notice.ParseOrgID(id); err != nil {
			c.add(c.at("rules", i, "organisations", j), "%v", err)
		}
	}

	if r.GetTell() == designatedOfficer && view.Allows(eventv1.Label_LABEL_CHILD_IDENTITY) {
		c.add(c.at("rules", i, "view"), "an allegation concerns an adult: choose a view without child_identity, such as position")
	}
	if len(r.GetNetwork()) > 0 && r.GetTell() != network {
		c.add(c.key("network", "rules", i), "functions are named here only where the rule tells `network`")
	}
	c.functions(r.GetNetwork(), "rules", i, "network")

	switch kind := r.GetOrganisationKind(); {
	case r.GetTell() == inResidence && kind == "":
		c.add(c.at("rules", i, "tell"), "name the kind of organisation to tell: `organisation_kind: youth_justice`")
	case r.GetTell() != inResidence && r.GetTell() != inHealth && kind != "":
		c.add(c.key("organisation_kind", "rules", i), "a kind of organisation is named only where the rule tells `%s` or `%s`", inResidence, inHealth)
	case kind != "" && !functionPattern.MatchString(kind):
		c.add(c.at("rules", i, "organisation_kind"), "a kind of organisation is lower-case letters and underscores, such as youth_justice")
	}

	named := []string{"invited", "attended", "participants", network}
	if len(r.GetRequiredFunctions()) > 0 && !slices.Contains(named, r.GetTell()) {
		c.add(c.key("required_functions", "rules", i), "required functions are for rules that tell %s", strings.Join(named, ", "))
	}
	c.functions(r.GetRequiredFunctions(), "rules", i, "required_functions")
	for j, function := range r.GetRequiredFunctions() {
		if r.GetTell() == network && len(r.GetNetwork()) > 0 && !slices.Contains(r.GetNetwork(), function) {
			c.add(c.at("rules", i, "required_functions", j), "%s is not among those that the rule tells: add it to `network`", function)
		}
	}
}

// functions checks a list of functions.
func (c checker) functions(names []string, path ...any) {
	for j, function := range names {
		at := c.at(append(slices.Clone(path), j)...)
		switch {
		case !functionPattern.MatchString(function):
			c.add(at, "a function is lower-case letters and underscores, such as local_authority")
		case slices.Contains(names[:j], function):
			c.add(at, "the function %s stands twice: keep one", function)
		}
	}
}

// kindsWith lists the kinds of event in which those told by `tell` may be found; nil is every kind.
func kindsWith(tell string) []notice.EventKind {
	switch tell {
	case "invited":
		return []notice.EventKind{notice.StrategyMeetingConvened}
	case "attended", "absent":
		return []notice.EventKind{notice.StrategyMeetingConcluded, notice.ConferenceConcluded}
	case "participants":
		return []notice.EventKind{
			notice.StrategyMeetingConcluded, notice.EnquiryConcluded, notice.ConferenceConcluded,
			notice.ProtectionPlanStarted, notice.ProtectionPlanEnded, notice.MedicalRequested, notice.EnrolmentChanged,
		}
	case referrer:
		return slices.DeleteFunc(notice.EventKinds(), func(k notice.EventKind) bool { return k == notice.EncompassIncident })
	default:
		return nil
	}
}

func kindList(kinds []notice.EventKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// onlyOn says whether a rule is about these kinds alone.
func onlyOn(r *policyv1.Rule, kinds ...notice.EventKind) bool {
	return !slices.ContainsFunc(r.GetOn(), func(k string) bool { return !slices.Contains(kinds, notice.EventKind(k)) })
}

// clock checks that a due time can be worked out, and that no number is given which would count for nothing.
func (c checker) clock(r *policyv1.Rule, clock *policyv1.Clock, path ...any) {
	at := func(name string) place { return c.at(append(slices.Clone(path), name)...) }
	needsMinutes, needsDays := false, false
	switch clock.GetClock() {
	case "at_once":
		needsMinutes = true
	case "next_session":
		needsMinutes = true
		if r.GetTell() != childSettings {
			c.add(at("clock"), "only a setting has sessions: use next_session where the rule tells child_settings")
		}
	case "before_meeting":
		needsMinutes = true
		if !onlyOn(r, notice.StrategyMeetingConvened) {
			c.add(at("clock"), "only %s has a meeting to come: use before_meeting there alone", notice.StrategyMeetingConvened)
		}
	case "working_days":
		needsDays = true
	case "placement":
		needsDays = true
		if !onlyOn(r, notice.PlacementNotified) {
			c.add(at("clock"), "only %s has a placement to begin: use placement there alone", notice.PlacementNotified)
		}
	case "noon_next_working_day":
	default:
		return // the schema refuses it
	}
	switch given := clock.GetMinutes() > 0; {
	case needsMinutes && !given:
		c.add(at("minutes"), "%s needs `minutes`, at least 1", clock.GetClock())
	case given && !needsMinutes:
		c.add(at("minutes"), "%s takes no minutes: remove them", clock.GetClock())
	}
	switch given := clock.GetWorkingDays() > 0; {
	case needsDays && !given:
		c.add(at("working_days"), "%s needs `working_days`, at least 1", clock.GetClock())
	case given && !needsDays:
		c.add(at("working_days"), "%s takes no working days: remove them", clock.GetClock())
	}
	switch from := clock.GetFrom(); {
	case from == "":
	case clock.GetClock() != "working_days":
		c.add(at("from"), "%s is not counted from anything: remove `from`", clock.GetClock())
	case from == "received" && !onlyOn(r, notice.ReferralReceived, notice.ReferralDecided):
		c.add(at("from"), "only a referral is received: count from `event` or `held`")
	case from == "held" && !onlyOn(r, notice.StrategyMeetingConcluded, notice.EnquiryConcluded, notice.ConferenceConcluded,
		notice.ProtectionPlanStarted, notice.ProtectionPlanEnded, notice.MedicalConcluded):
		c.add(at("from"), "only a meeting, enquiry, conference or medical that is over was held, or a plan that began or ended: count from `event`")
	}
}

func (c checker) chain(r *policyv1.Rule, chain []*policyv1.Step, path ...any) {
	for j, step := range chain {
		at := func(rest ...any) place { return c.at(append(append(slices.Clone(path), j), rest...)...) }
		if step.GetOf() == "setting_authority" && r.GetTell() != childSettings {
			c.add(at("of"), "only a setting lies in an authority: use setting_authority where the rule tells child_settings")
		}
		for k, role := range step.GetRoles() {
			switch {
			case !rolePattern.MatchString(role):
				c.add(at("roles", k), "a role is lower-case letters, digits and underscores, such as deputy_dsl")
			case slices.Contains(step.GetRoles()[:k], role):
				c.add(at("roles", k), "the role %s stands twice: keep one", role)
			case role == InboxRole && (r.GetTell() != subscribers || j > 0):
				c.add(at("roles", k), "the role inbox is the first step's where the rule tells subscribers; an inbox for other notices is a contact with the channel inbox")
			case role == referrer && (r.GetTell() != referrer || step.GetOf() != "recipient"):
				c.add(at("roles", k), "the role referrer is the recipient's where the rule tells the referrer")
			}
		}
		if j > 0 && step.GetOffsetMinutes() <= chain[j-1].GetOffsetMinutes() {
			c.add(at("offset_minutes"), "the chain moves on from this step before it begins: give more than %d, the offset of the step before",
				chain[j-1].GetOffsetMinutes())
		}
	}
}

func (c checker) holiday(i int, r *policyv1.Rule) {
	h := r.GetHoliday()
	if h == nil {
		return
	}
	if r.GetTell() != childSettings {
		c.add(c.key("holiday", "rules", i), "only a setting has holidays: give `holiday` where the rule tells child_settings")
		return // its steps would be blamed for the same thing
	}
	if h.GetDue().GetClock() == "next_session" {
		c.add(c.at("rules", i, "holiday", "due", "clock"), "in a holiday there is no session: use noon_next_working_day")
	}
	c.clock(r, h.GetDue(), "rules", i, "holiday", "due")
	c.chain(r, h.GetChain(), "rules", i, "holiday", "chain")
	if before := h.GetBeforeTerm(); before != nil {
		c.chain(r, before.GetChain(), "rules", i, "holiday", "before_term", "chain")
		if _, err := time.Parse("15:04", before.GetReleaseAt()); err != nil {
			c.add(c.at("rules", i, "holiday", "before_term", "release_at"), "write a time of day: 09:00")
		}
	}
}

package routing

import (
	"fmt"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// EventOrganisation stands for a recipient whose address is in the event itself: a member of the public who referred.
const EventOrganisation = "event"

// recipient is somebody to be told.
type recipient struct {
	organisation  notice.OrgID
	area          notice.Area // of the setting, where it is one
	function      string
	because       string
	authorityOnly bool   // only the authority's steps of the chain apply: the setting is gone
	firstRole     string // tried before those of the chain
	extraRoles    []string
	subscription  *directoryv1.Subscription // why it is told; nil where a rule alone says so
}

// applies evaluates a rule's condition. One that cannot be evaluated holds nobody back silently: it is a gap.
func (d *decider) applies(rule *policy.Rule, s *subject, in policy.Input) bool {
	in.Event, in.Child, in.Age, in.WorkingDay = s.event, s.child, s.age, d.workingDay(s)
	ok, err := rule.Applies(in)
	if err != nil {
		d.gap(rule, s, "the rule's condition could not be evaluated")
		return false
	}
	return ok
}

// workingDay says whether the day of the event is neither of a weekend nor a bank holiday.
func (d *decider) workingDay(s *subject) bool {
	return d.Directory.WorkingDays().Is(directory.DateOf(s.event.Time.AsTime()))
}

// applyToEvents applies a rule whose view shows no child: one notice for each event and recipient.
func (d *decider) applyToEvents(rule *policy.Rule) {
	if namesChild(rule) {
		return
	}
	if rule.Tell == designatedOfficer {
		d.tellDesignatedOfficers(rule)
		return
	}
	for i, ev := range d.events {
		s := &subject{finding: noFinding(), child: &eventv1.Child{}, event: ev.Body, index: i, refs: make([]string, len(d.out.Sources))}
		s.refs[i], s.restrictions = wholeEvent, d.bound[i]
		d.applyToChild(rule, s)
	}
}

// applyToChild applies a rule that tells agencies, authorities or the referrer.
func (d *decider) applyToChild(rule *policy.Rule, s *subject) {
	switch rule.Tell {
	case "residence_authority":
		d.tellArea(rule, s, d.residence(s), d.Directory.Authority, "local authority")
	case "incident_authority":
		d.tellArea(rule, s, notice.Area(s.event.Area), d.Directory.Authority, "local authority")
	case "residence_police":
		d.tellForce(rule, s, d.residence(s), d.where(s, d.Directory.Police, func(l directory.Lies) notice.Area { return l.Police }))
	case "incident_police":
		d.tellForce(rule, s, notice.Area(s.event.Area), d.Directory.Police)
	case "residence_organisation":
		d.tellOfKind(rule, s, d.residence(s))
	case "placing_authority":
		d.tellPlacing(rule, s, d.Directory.Authority, "local authority")
	case "residence_health":
		d.tellHealth(rule, s, d.residence(s))
	case "placing_health":
		d.tellPlacing(rule, s, d.Directory.Health, "NHS organisation")
	case "incident_health":
		d.tellArea(rule, s, notice.Area(s.event.Area), d.Directory.Health, "NHS organisation")
	case "network":
		d.tellNetwork(rule, s)
	case "organisations":
		for _, id := range rule.Organisations {
			if d.applies(rule, s, policy.Input{}) {
				d.tellOrganisation(rule, s, id, rule.Function, id)
			}
		}
	case "referrer":
		d.tellReferrer(rule, s)
	case "subscribers":
		d.tellSubscribers(rule, s)
	case "invited", "attended", "absent", "participants":
		d.tellParticipants(rule, s)
	}
}

func (d *decider) tellArea(rule *policy.Rule, s *subject, area notice.Area,
	of func(notice.Area) (*directoryv1.Organisation, bool), what string) {
	if !d.applies(rule, s, policy.Input{}) {
		return
	}
	org, ok := of(area)
	if !ok {
		d.gap(rule, s, fmt.Sprintf("no %s in the directory for area %s", what, area))
		return
	}
	d.tellKnown(rule, s, recipient{organisation: notice.OrgID(org.Id), area: area, function: rule.Function, because: rule.Because})
}

// tellOrganisation tells an organisation named by a publisher or a rule; one that the directory does not know is a gap,
// which says which it is without the publisher's words.
func (d *decider) tellOrganisation(rule *policy.Rule, s *subject, org, function, which string) {
	id := notice.OrgID(org)
	if !d.knows(id) {
		d.gapFor(rule, s, function, which+" is not in the directory: tell it by telephone, and add it")
		return
	}
	d.tellKnown(rule, s, recipient{organisation: id, area: notice.Area(d.areaOf(id)), function: function, because: rule.Because})
}

func (d *decider) tellKnown(rule *policy.Rule, s *subject, r recipient) {
	if d.barred(s, r.organisation, rule) {
		return
	}
	d.tell(rule, s, r, rule.Due, rule.Chain, schoolClock{calendar: d.Directory.Calendar(r.organisation)})
}

func (d *decider) knows(id notice.OrgID) bool {
	if _, ok := d.Directory.Organisation(id); ok {
		return true
	}
	_, ok := d.Directory.Setting(id)
	return ok
}

// tellReferrer tells who referred: a professional at their organisation, a member of the public at the address they gave.
func (d *decider) tellReferrer(rule *policy.Rule, s *subject) {
	isReferrer := func(p *eventv1.Person) bool { return p.Role == eventv1.PersonRole_PERSON_ROLE_REFERRER }
	if rule.Required && !slices.ContainsFunc(s.event.People, isReferrer) {
		d.gap(rule, s, "the event names no referrer: find out who referred, and tell them")
	}
	for _, p := range s.event.People {
		if !isReferrer(p) || !d.applies(rule, s, policy.Input{Person: p}) {
			continue
		}
		if p.Professional {
			id := notice.OrgID(p.Organisation.GetId())
			if !d.knows(id) {
				d.gap(rule, s, "the referrer's organisation is not in the directory: tell the referrer by telephone")
				continue
			}
			d.tellKnown(rule, s, recipient{organisation: id, area: notice.Area(d.areaOf(id)), function: rule.Function,
				because: rule.Because, extraRoles: d.deskRoles(id)})
			continue
		}
		if p.Email == "" {
			d.gap(rule, s, "the referrer gave no email address: acknowledge by telephone or letter")
			continue
		}
		d.tell(rule, s, recipient{organisation: EventOrganisation, function: rule.Function, because: rule.Because},
			rule.Due, rule.Chain, schoolClock{})
	}
}

// deskRoles are the roles that stand in for a professional who has no contact of their own.
func (d *decider) deskRoles(id notice.OrgID) []string {
	if _, ok := d.Directory.Setting(id); ok {
		return []string{"dsl", "deputy_dsl", "head"}
	}
	return []string{"desk", "duty"}
}

// tellParticipants tells the organisations that were invited, took part or did not, and finds those that had to be there.
func (d *decider) tellParticipants(rule *policy.Rule, s *subject) {
	participants := participantsOf(s.event)
	fits := func(p *eventv1.Participant) bool { return attendanceFits(rule.Tell, p.Attendance) }
	if rule.Required && rule.Tell != "absent" && !slices.ContainsFunc(participants, fits) && d.applies(rule, s, policy.Input{}) {
		d.gap(rule, s, "the event names nobody of whom this is true: find out who has to be told")
	}
	told := map[string]bool{}
	for i, p := range participants {
		if !fits(p) || !d.applies(rule, s, policy.Input{Participant: p}) {
			continue
		}
		if id := p.Organisation.GetId(); id != "" && told[id] {
			continue
		}
		told[p.Organisation.GetId()] = true
		d.tellOrganisation(rule, s, p.Organisation.GetId(), functionOf(rule, p), fmt.Sprintf("participant %d", i+1))
	}
	for _, function := range rule.RequiredFunctions {
		present := slices.ContainsFunc(participants, func(p *eventv1.Participant) bool { return d.meets(p, function) })
		if !present && d.applies(rule, s, policy.Input{}) {
			d.gapFor(rule, s, function, "required, and not among the participants")
		}
	}
}

func (d *decider) meets(p *eventv1.Participant, function string) bool {
	if p.Function == function {
		return true
	}
	org, ok := d.Directory.Organisation(notice.OrgID(p.Organisation.GetId()))
	return ok && org.Kind == function
}

func functionOf(rule *policy.Rule, p *eventv1.Participant) string {
	if p.Function != "" {
		return p.Function
	}
	return rule.Function
}

func attendanceFits(tell string, a eventv1.Attendance) bool {
	switch tell {
	case "attended":
		return a == eventv1.Attendance_ATTENDANCE_ATTENDED
	case "absent":
		return a == eventv1.Attendance_ATTENDANCE_ABSENT
	default:
		return true
	}
}

func participantsOf(ev *eventv1.Event) []*eventv1.Participant {
	switch p := ev.Payload.(type) {
	case *eventv1.Event_StrategyMeetingConvened:
		return p.StrategyMeetingConvened.Invited
	case *eventv1.Event_StrategyMeetingConcluded:
		return p.StrategyMeetingConcluded.Participants
	case *eventv1.Event_EnquiryConcluded:
		return p.EnquiryConcluded.Participants
	case *eventv1.Event_ConferenceConcluded:
		return p.ConferenceConcluded.Participants
	case *eventv1.Event_ProtectionPlanStarted:
		return p.ProtectionPlanStarted.CoreGroup
	case *eventv1.Event_ProtectionPlanEnded:
		return p.ProtectionPlanEnded.CoreGroup
	case *eventv1.Event_MedicalRequested:
		return p.MedicalRequested.Providers
	case *eventv1.Event_EnrolmentChanged:
		return enrolmentParties(p.EnrolmentChanged)
	default:
		return nil
	}
}

// chain turns the policy's steps into links with organisations. A step without an organisation is passed over, and said.
func (d *decider) chain(rule *policy.Rule, s *subject, r recipient, steps []*policyv1.Step) []link {
	var links []link
	for _, step := range steps {
		var org notice.OrgID
		switch step.Of {
		case "recipient":
			if r.authorityOnly {
				continue
			}
			org = r.organisation
		case "setting_authority":
			org = d.authorityID(r.area)
		case "residence_authority":
			org = d.authorityID(d.residence(s))
		case "incident_authority":
			org = d.authorityID(notice.Area(s.event.Area))
		case "placing_authority":
			org = d.authorityID(placing(s))
		}
		if org == "" {
			d.consider("", rule.Id, s.finding.Child, fmt.Sprintf("%s: no local authority in the directory; step of the chain passed over", step.Of))
			continue
		}
		if bar := d.bar(s, org); bar != nil {
			d.consider(org, rule.Id, s.finding.Child, "restricted: "+bar.Reason+"; step of the chain passed over")
			continue
		}
		roles := slices.Clone(step.Roles)
		if step.Of == "recipient" {
			if r.firstRole != "" {
				roles = append([]string{r.firstRole}, slices.DeleteFunc(roles, func(role string) bool { return role == r.firstRole })...)
			}
			for _, extra := range r.extraRoles {
				if !slices.Contains(roles, extra) {
					roles = append(roles, extra)
				}
			}
		}
		contact := ""
		if slices.Contains(roles, policy.InboxRole) {
			contact = directory.InboxContact(r.subscription.GetAgency())
		}
		links = append(links, link{organisation: org, roles: roles, use: step.Use, offset: step.OffsetMinutes, contact: contact})
	}
	return links
}

type link struct {
	organisation notice.OrgID
	roles        []string
	use          string
	offset       int32
	contact      string // the only one; empty is any of the roles
}

func (d *decider) authorityID(area notice.Area) notice.OrgID {
	if org, ok := d.Directory.Authority(area); ok {
		return notice.OrgID(org.Id)
	}
	return ""
}

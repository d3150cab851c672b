package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

func load(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// with loads the base policy with one part replaced.
func with(t *testing.T, old, instead string) *policy.Policy {
	t.Helper()
	if strings.Count(base, old) != 1 {
		t.Fatalf("%q does not stand once in the base policy", old)
	}
	return load(t, strings.Replace(base, old, instead, 1))
}

func TestConditions(t *testing.T) {
	const referral = "when: person.professional"
	for _, tc := range []struct {
		name, when string
		in         policy.Input
		want       bool
	}{
		{name: "a field that holds", when: "person.professional", in: policy.Input{Person: &eventv1.Person{Professional: true}}, want: true},
		{name: "a field that does not hold", when: "person.professional", in: policy.Input{Person: &eventv1.Person{}}},
		{name: "a message that is not given is empty", when: "!person.professional && child.ref == '' && event.risk == 0", want: true},
		{name: "a payload that the event does not have is empty", when: "event.strategy_meeting_convened.urgent"},
		{name: "the age in years", when: "age >= 4 && age < 18", in: policy.Input{Age: 4}, want: true},
		{name: "an age at the limit", when: "age < 18", in: policy.Input{Age: 18}},
		{name: "an enum by its name", when: "event.risk == RiskGrade.RISK_GRADE_HIGH", in: policy.Input{Event: &eventv1.Event{Risk: eventv1.RiskGrade_RISK_GRADE_HIGH}}, want: true},
		{name: "an enum by its full name", when: "child.presence == signalbox.event.v1.Presence.PRESENCE_PRESENT", in: policy.Input{Child: &eventv1.Child{Presence: eventv1.Presence_PRESENCE_PRESENT}}, want: true},
		{name: "a list", when: "event.people.exists(p, p.role == PersonRole.PERSON_ROLE_SUSPECT)", in: policy.Input{Event: &eventv1.Event{People: []*eventv1.Person{{Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT}}}}, want: true},
		{name: "no condition", when: "''", want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			when := "when: " + fmt.Sprintf("%q", tc.when)
			if tc.when == "''" {
				when = "when: ''"
			}
			p := with(t, referral, when)
			got, err := p.Rules(notice.ReferralDecided)[0].Applies(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("%s gives %t, %v; want %t", tc.when, got, err, tc.want)
			}
		})
	}
}

func TestConditionsKnowWhatTheirRecipientsAre(t *testing.T) {
	setting := with(t, `setting.kind == "school"`, `setting.kind == "nursery"`).Rules(notice.EncompassIncident)[0]
	for kind, want := range map[string]bool{"nursery": true, "school": false} {
		got, err := setting.Applies(policy.Input{Setting: &directoryv1.Setting{Kind: kind}})
		if err != nil || got != want {
			t.Errorf("a %s: %t, %v; want %t", kind, got, err, want)
		}
	}
	invited := with(t, "tell: invited", "tell: invited\n    when: participant.function == \"police\"").Rules(notice.StrategyMeetingConvened)[0]
	for function, want := range map[string]bool{"police": true, "health": false} {
		got, err := invited.Applies(policy.Input{Participant: &eventv1.Participant{Function: function}})
		if err != nil || got != want {
			t.Errorf("%s: %t, %v; want %t", function, got, err, want)
		}
	}
}

func TestAConditionThatFailsSaysSoWithoutAValue(t *testing.T) {
	const secret = "Tamsin"
	crowd := &eventv1.Event{}
	for range 50 {
		crowd.People = append(crowd.People, &eventv1.Person{Name: &eventv1.Name{Given: secret}})
	}
	for _, tc := range []struct {
		name, when, want string
		event            *eventv1.Event
	}{
		{
			name: "it costs too much", event: crowd,
			when: "event.people.all(a, event.people.all(b, event.people.all(c, a.name.given == b.name.given && b.name.given == c.name.given)))",
			want: "policy.Applies: the condition of rule referral costs more than 100000 steps: make it go through fewer lists",
		},
		{
			name: "it cannot be worked out", event: &eventv1.Event{Subject: secret},
			when: "int(event.subject) > 0",
			want: "policy.Applies: the condition of rule referral failed on this event: guard what may be missing or malformed",
		},
		{
			name: "an index that is not there", event: &eventv1.Event{},
			when: "event.people[3].professional",
			want: "policy.Applies: the condition of rule referral failed on this event: guard what may be missing or malformed",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := with(t, "when: person.professional", "when: "+tc.when).Rules(notice.ReferralDecided)[0]
			got, err := r.Applies(policy.Input{Event: tc.event})
			if got || err == nil || notice.KindOf(err) != notice.Invalid {
				t.Fatalf("%t, %v; want an invalid condition", got, err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("once through the largest lists is not too much", func(t *testing.T) {
		r := with(t, "when: person.professional", "when: event.people.all(a, event.people.exists(b, a.name.given == b.name.given))").Rules(notice.ReferralDecided)[0]
		if got, err := r.Applies(policy.Input{Event: crowd}); !got || err != nil {
			t.Errorf("%t, %v; want true", got, err)
		}
	})
}

func TestWhatAPolicySays(t *testing.T) {
	p := load(t, base)
	if p.Version() != "test" || p.Digest() != policy.Digest([]byte(base)) || string(p.Text()) != base {
		t.Errorf("version %s, digest %s", p.Version(), p.Digest())
	}
	if text, ok := p.Basis("duty"); text != "A duty in law." || !ok {
		t.Errorf("basis %q, %t", text, ok)
	}
	if _, ok := p.Basis("none"); ok {
		t.Error("a basis that is not there was found")
	}
	r := p.Rules(notice.EncompassIncident)[0]
	if !r.View.Allows(eventv1.Label_LABEL_CHILD_IDENTITY) || r.View.Allows(eventv1.Label_LABEL_NARRATIVE) || r.View.ID() != "full" {
		t.Errorf("the rule's view is not its own: %v", r.View)
	}
	if v, ok := p.View("full"); !ok || v != r.View {
		t.Errorf("view %v, %t", v, ok)
	}
	if got := p.Rules(notice.ConferenceConcluded); len(got) != 0 {
		t.Errorf("%d rules for a kind that has none", len(got))
	}
	p.Text()[0] = 'X'
	if p.Text()[0] != base[0] {
		t.Error("a change to the text that was given out reached the policy")
	}
}

func TestLanes(t *testing.T) {
	p := load(t, base)
	incident, meeting := p.Rules(notice.EncompassIncident)[0], p.Rules(notice.StrategyMeetingConvened)[0]
	for _, tc := range []struct {
		rule *policy.Rule
		risk eventv1.RiskGrade
		want ledgerv1.Lane
	}{
		{incident, eventv1.RiskGrade_RISK_GRADE_HIGH, ledgerv1.Lane_LANE_URGENT},
		{incident, eventv1.RiskGrade_RISK_GRADE_MEDIUM, ledgerv1.Lane_LANE_HIGH},
		{incident, eventv1.RiskGrade_RISK_GRADE_STANDARD, ledgerv1.Lane_LANE_ROUTINE},
		{incident, eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED, ledgerv1.Lane_LANE_HIGH},
		{incident, 99, ledgerv1.Lane_LANE_HIGH},
		{meeting, eventv1.RiskGrade_RISK_GRADE_STANDARD, ledgerv1.Lane_LANE_URGENT},
	} {
		if got := p.Lane(tc.rule, tc.risk); got != tc.want {
			t.Errorf("rule %s, %s: %s, want %s", tc.rule.GetId(), tc.risk, got, tc.want)
		}
	}
}

func TestTaskTimes(t *testing.T) {
	p := load(t, base)
	for kind, want := range map[ledgerv1.TaskKind]time.Duration{
		ledgerv1.TaskKind_TASK_KIND_UNMATCHED: time.Hour,
		ledgerv1.TaskKind_TASK_KIND_GAP:       4 * time.Hour,
		99:                                    30 * time.Minute, // unknown: the shortest
	} {
		if got := p.TaskTime(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func TestRetries(t *testing.T) {
	p := load(t, base) // 4 attempts, 30 s, at most 90 s
	type retry struct {
		After time.Duration
		Again bool
	}
	var got []retry
	for attempt := range 6 {
		after, again := p.RetryAfter(attempt)
		got = append(got, retry{after, again})
	}
	want := []retry{
		{30 * time.Second, true}, {30 * time.Second, true}, {time.Minute, true}, {90 * time.Second, true}, {}, {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits after attempts 0 to 5 (-want +got):\n%s", diff)
	}
}

func TestMailDomains(t *testing.T) {
	p := load(t, base)
	for domain, want := range map[string]struct{ full, secure bool }{
		"trusted.example":     {full: true},
		"Trusted.Example.":    {full: true},
		"sub.trusted.example": {},
		"untrusted.example":   {},
		"secure.example":      {secure: true},
		"":                    {},
	} {
		if full, secure := p.FullText(domain), p.SecureSubject(domain); full != want.full || secure != want.secure {
			t.Errorf("%q: full text %t, secure subject %t; want %+v", domain, full, secure, want)
		}
	}
}

func TestTheDefaultPolicyTellsSomebodyOfEveryKind(t *testing.T) {
	p := load(t, string(policy.Default()))
	for _, kind := range notice.EventKinds() {
		if len(p.Rules(kind)) == 0 {
			t.Errorf("no rule for %s", kind)
		}
	}
	for _, id := range p.Views() {
		v, _ := p.View(id)
		for _, label := range []eventv1.Label{
			eventv1.Label_LABEL_REFERRER, eventv1.Label_LABEL_PARTY, eventv1.Label_LABEL_LOCATION,
			eventv1.Label_LABEL_RESTRICTED, eventv1.Label_LABEL_CHILD_IDENTIFIER,
		} {
			officers := id == "position" && label == eventv1.Label_LABEL_PARTY // of whom it shows those alone who work with children
			if v.Allows(label) && !officers {
				t.Errorf("view %s allows %s", id, label)
			}
		}
	}
}

// Every setting of a child is told of an incident, by one rule, whatever it is and wherever it lies.
func TestTheDefaultPolicyTellsEverySettingOnce(t *testing.T) {
	p := load(t, string(policy.Default()))
	const (
		school, other, childminder = "encompass.school", "encompass.other_setting", "encompass.childminder"
	)
	for _, tc := range []struct {
		name    string
		setting *directoryv1.Setting
		age     int
		want    []string
	}{
		{name: "a school in England", setting: &directoryv1.Setting{Id: "gias:900101", Kind: "school", Area: "E09000901"}, want: []string{school}},
		{name: "a school in Wales", setting: &directoryv1.Setting{Id: "gias:900102", Kind: "school", Area: "W06000901"}, want: []string{school}},
		{name: "a school in Scotland", setting: &directoryv1.Setting{Id: "seed:900103", Kind: "school", Area: "S12000901"}, want: []string{other}},
		{name: "a college", setting: &directoryv1.Setting{Id: "gias:900104", Kind: "college", Area: "E09000901"}, want: []string{school}},
		{name: "registered alternative provision", setting: &directoryv1.Setting{Id: "gias:900105", Kind: "alternative_provision", Area: "E09000901"}, want: []string{school}},
		{name: "unregistered alternative provision", setting: &directoryv1.Setting{Id: "local:7", Kind: "alternative_provision", Area: "E09000901"}, want: []string{other}},
		{name: "a nursery", setting: &directoryv1.Setting{Id: "ofsted:EY900106", Kind: "nursery", Area: "E09000901"}, age: 3, want: []string{other}},
		{name: "a childminder", setting: &directoryv1.Setting{Id: "ofsted:EY900107", Kind: "childminder", Area: "E09000901"}, age: 1, want: []string{childminder}},
		{name: "a kind that is new", setting: &directoryv1.Setting{Id: "local:8", Kind: "forest_school", Area: "E09000901"}, want: []string{other}},
		{name: "a setting of an area that is not known", setting: &directoryv1.Setting{Id: "gias:900108", Kind: "school"}, want: []string{other}},
		{name: "one who is 18", setting: &directoryv1.Setting{Id: "gias:900101", Kind: "school", Area: "E09000901"}, age: 18},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, r := range p.Rules(notice.EncompassIncident) {
				if r.GetTell() != "child_settings" {
					continue
				}
				yes, err := r.Applies(policy.Input{Age: tc.age, Setting: tc.setting})
				if err != nil {
					t.Fatal(err)
				}
				if yes {
					got = append(got, r.GetId())
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

// What the default rules do, a line each.
func TestTheDefaultRules(t *testing.T) {
	p := load(t, string(policy.Default()))
	var got, apart []string
	for _, kind := range notice.EventKinds() {
		for _, r := range p.Rules(kind) {
			if r.GetTell() == "designated_officer" { // one rule, about adults
				apart = append(apart, string(kind)+" "+r.GetView())
				continue
			}
			due := strings.TrimSpace(fmt.Sprintf("%s %s", r.GetDue().GetClock(), r.GetDue().GetFrom()))
			line := fmt.Sprintf("%s: %s tells %s as %s, view %s, due %s", kind, r.GetId(), r.GetTell(), r.GetFunction(), r.GetView(), due)
			if r.GetAcknowledge() {
				line += ", to be acknowledged"
			}
			got = append(got, line)
		}
	}
	want := []string{
		"encompass.incident: encompass.school tells child_settings as setting, view encompass_full, due next_session, to be acknowledged",
		"encompass.incident: encompass.other_setting tells child_settings as setting, view encompass_full, due next_session, to be acknowledged",
		"encompass.incident: encompass.childminder tells child_settings as setting, view encompass_minimal, due next_session, to be acknowledged",
		"encompass.incident: encompass.home_education tells home_education as home_education, view encompass_full, due noon_next_working_day, to be acknowledged",
		"encompass.incident: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"encompass.incident: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"referral.received: referral.receipt tells referrer as referrer, view referral_receipt, due at_once",
		"referral.received: referral.acknowledgement tells referrer as referrer, view referral_acknowledgement, due at_once",
		"referral.received: referral.out_of_hours tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"referral.received: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"referral.received: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"referral.decided: referral.decision tells referrer as referrer, view referral_decision, due working_days received",
		"referral.decided: referral.dealt_with tells referrer as referrer, view referral_acknowledgement, due working_days received",
		"referral.decided: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"referral.decided: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"referral.decided: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"strategy_meeting.convened: strategy_meeting.urgent_invitation tells invited as attendee, view meeting_invitation, due before_meeting, to be acknowledged",
		"strategy_meeting.convened: strategy_meeting.invitation tells invited as attendee, view meeting_invitation, due before_meeting, to be acknowledged",
		"strategy_meeting.convened: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"strategy_meeting.convened: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"strategy_meeting.concluded: strategy_meeting.record tells attended as attendee, view meeting_record, due working_days held",
		"strategy_meeting.concluded: strategy_meeting.actions tells absent as absent, view meeting_actions, due working_days held, to be acknowledged",
		"strategy_meeting.concluded: strategy_meeting.referrer tells referrer as referrer, view referral_decision, due working_days held",
		"strategy_meeting.concluded: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"strategy_meeting.concluded: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"strategy_meeting.concluded: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"enquiry.concluded: enquiry.outcome tells participants as participant, view enquiry_outcome, due working_days held",
		"enquiry.concluded: enquiry.home_area tells residence_authority as authority, view enquiry_outcome, due working_days held, to be acknowledged",
		"enquiry.concluded: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"enquiry.concluded: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"enquiry.concluded: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"conference.concluded: conference.outcome tells participants as participant, view conference_outcome, due working_days held",
		"conference.concluded: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"conference.concluded: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"conference.concluded: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"vulnerable_person_notice.raised: vulnerable_person_notice.red tells residence_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.amber tells residence_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.green tells residence_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.incident_red tells incident_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.incident_amber tells incident_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.incident_green tells incident_authority as hub, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.health_red tells residence_health as health, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.health_amber tells residence_health as health, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: vulnerable_person_notice.health_green tells residence_health as health, view child_alert, due at_once, to be acknowledged",
		"vulnerable_person_notice.raised: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"missing.reported: missing.police tells residence_police as police, view child_alert, due at_once, to be acknowledged",
		"missing.reported: missing.authority tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"missing.reported: missing.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"missing.reported: missing.incident_authority tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"missing.reported: missing.setting tells child_settings as setting, view missing_setting, due next_session, to be acknowledged",
		"missing.reported: missing.home_education tells home_education as home_education, view missing_setting, due noon_next_working_day, to be acknowledged",
		"missing.found: missing.police tells residence_police as police, view child_alert, due at_once, to be acknowledged",
		"missing.found: missing.authority tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"missing.found: missing.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"missing.found: missing.incident_authority tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"missing.found: missing.setting tells child_settings as setting, view missing_setting, due next_session, to be acknowledged",
		"missing.found: missing.home_education tells home_education as home_education, view missing_setting, due noon_next_working_day, to be acknowledged",
		"return_interview.completed: return_interview.police tells residence_police as police, view return_interview, due at_once, to be acknowledged",
		"return_interview.completed: return_interview.authority tells residence_authority as authority, view return_interview, due at_once, to be acknowledged",
		"return_interview.completed: return_interview.placing_authority tells placing_authority as placing_authority, view return_interview, due at_once, to be acknowledged",
		"return_interview.completed: return_interview.incident_authority tells incident_authority as authority, view return_interview, due at_once, to be acknowledged",
		"return_interview.completed: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"police_protection.exercised: police_protection.found_area tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.exercised: police_protection.home_area tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.exercised: police_protection.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.ended: police_protection.found_area tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.ended: police_protection.home_area tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.ended: police_protection.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"police_protection.ended: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"custody.detained: custody.authority tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"custody.detained: custody.youth_justice tells residence_organisation as youth_justice, view child_alert, due at_once, to be acknowledged",
		"custody.detained: custody.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"custody.detained: custody.incident_authority tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"custody.released: custody.authority tells residence_authority as authority, view child_alert, due at_once, to be acknowledged",
		"custody.released: custody.youth_justice tells residence_organisation as youth_justice, view child_alert, due at_once, to be acknowledged",
		"custody.released: custody.placing_authority tells placing_authority as placing_authority, view child_alert, due at_once, to be acknowledged",
		"custody.released: custody.incident_authority tells incident_authority as authority, view child_alert, due at_once, to be acknowledged",
		"placement.notified: placement.host tells incident_authority as host_authority, view placement, due placement, to be acknowledged",
		"placement.notified: placement.host_police tells incident_police as police, view placement, due placement",
		"placement.notified: placement.health tells incident_health as health, view placement, due placement, to be acknowledged",
		"placement.notified: placement.placing_health tells placing_health as placing_health, view placement, due placement",
		"placement.notified: placement.setting tells child_settings as setting, view placement, due placement, to be acknowledged",
		"placement.notified: placement.home_education tells home_education as home_education, view placement, due placement, to be acknowledged",
		"placement.notified: placement.network tells network as network, view placement, due placement",
		"responsibility.accepted: responsibility.host tells incident_authority as host_authority, view acceptance, due at_once, to be acknowledged",
		"responsibility.accepted: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"responsibility.accepted: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"protection_plan.started: protection_plan.core_group tells participants as core_group, view plan_core_group, due working_days held",
		"protection_plan.started: protection_plan.setting tells child_settings as setting, view plan, due working_days held, to be acknowledged",
		"protection_plan.started: protection_plan.home_education tells home_education as home_education, view plan, due working_days held, to be acknowledged",
		"protection_plan.started: protection_plan.police tells residence_police as police, view plan, due working_days held",
		"protection_plan.started: protection_plan.health tells residence_health as health, view plan, due working_days held",
		"protection_plan.started: protection_plan.network tells network as network, view plan, due working_days held",
		"protection_plan.started: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"protection_plan.started: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"protection_plan.started: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"protection_plan.ended: protection_plan.core_group tells participants as core_group, view plan_core_group, due working_days held",
		"protection_plan.ended: protection_plan.setting tells child_settings as setting, view plan, due working_days held, to be acknowledged",
		"protection_plan.ended: protection_plan.home_education tells home_education as home_education, view plan, due working_days held, to be acknowledged",
		"protection_plan.ended: protection_plan.police tells residence_police as police, view plan, due working_days held",
		"protection_plan.ended: protection_plan.health tells residence_health as health, view plan, due working_days held",
		"protection_plan.ended: protection_plan.network tells network as network, view plan, due working_days held",
		"protection_plan.ended: unborn.midwifery tells residence_health as midwifery, view unborn, due noon_next_working_day, to be acknowledged",
		"protection_plan.ended: unborn.hub tells residence_authority as hub, view unborn, due noon_next_working_day, to be acknowledged",
		"protection_plan.ended: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"medical.requested: medical.provider tells participants as health, view medical_request, due at_once, to be acknowledged",
		"medical.requested: medical.area tells incident_health as health, view medical_request, due at_once, to be acknowledged",
		"medical.concluded: medical.authority tells residence_authority as authority, view medical_outcome, due at_once, to be acknowledged",
		"medical.concluded: medical.police tells residence_police as police, view medical_outcome, due at_once, to be acknowledged",
		"medical.concluded: medical.gp tells network as gp, view medical_gp, due working_days held",
		"medical.concluded: outcome.subscriber tells subscribers as subscriber, view outcome, due working_days event",
		"enrolment.changed: enrolment.new_setting tells participants as setting, view enrolment, due working_days event, to be acknowledged",
		"enrolment.changed: enrolment.old_setting tells participants as setting, view enrolment_left, due working_days event, to be acknowledged",
		"enrolment.changed: enrolment.on_roll tells child_settings as setting, view enrolment_left, due working_days event, to be acknowledged",
		"enrolment.changed: enrolment.home_education tells home_education as home_education, view enrolment, due working_days event, to be acknowledged",
		"enrolment.changed: enrolment.to_home_education tells residence_authority as home_education, view enrolment, due working_days event, to be acknowledged",
		"enrolment.changed: enrolment.authority tells residence_authority as authority, view enrolment, due working_days event, to be acknowledged",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	wantApart := []string{
		"encompass.incident position", "referral.received position", "strategy_meeting.convened position",
		"strategy_meeting.concluded position", "enquiry.concluded position", "conference.concluded position",
		"vulnerable_person_notice.raised position", "return_interview.completed position",
	}
	if diff := cmp.Diff(wantApart, apart); diff != "" {
		t.Errorf("kinds that tell the designated officer (-want +got):\n%s", diff)
	}
}

// The referrer's two rules for one event never both apply, and one always does.
func TestAReferrerIsToldAsWhatTheyAre(t *testing.T) {
	p := load(t, string(policy.Default()))
	for _, tc := range []struct {
		kind         notice.EventKind
		professional bool
		want         string
	}{
		{notice.ReferralReceived, true, "referral.receipt"},
		{notice.ReferralReceived, false, "referral.acknowledgement"},
		{notice.ReferralDecided, true, "referral.decision"},
		{notice.ReferralDecided, false, "referral.dealt_with"},
	} {
		var got []string
		for _, r := range p.Rules(tc.kind) {
			yes, err := r.Applies(policy.Input{Person: &eventv1.Person{Professional: tc.professional}})
			if err != nil {
				t.Fatal(err)
			}
			if yes && r.GetTell() == "referrer" {
				got = append(got, r.GetId())
			}
		}
		if diff := cmp.Diff([]string{tc.want}, got); diff != "" {
			t.Errorf("%s, professional %t (-want +got):\n%s", tc.kind, tc.professional, diff)
		}
	}
}

func TestSubscribersAreShownThatThereWasADecisionAndWhich(t *testing.T) {
	p := load(t, string(policy.Default()))
	told := map[notice.EventKind]bool{}
	for _, kind := range notice.EventKinds() {
		for _, r := range p.Rules(kind) {
			if r.GetTell() != "subscribers" {
				continue
			}
			told[kind] = true
			view, _ := p.View(r.GetView())
			for number := range eventv1.Label_name {
				label := eventv1.Label(number)
				want := label == eventv1.Label_LABEL_REFERENCE || label == eventv1.Label_LABEL_CHILD_IDENTITY || label == eventv1.Label_LABEL_DECISION
				if label != eventv1.Label_LABEL_UNSPECIFIED && label != eventv1.Label_LABEL_GROUP && view.Allows(label) != want {
					t.Errorf("%s: view %s shows %s: %t", kind, view.ID(), label, !want)
				}
			}
		}
	}
	for _, kind := range []notice.EventKind{
		notice.ReturnInterviewCompleted, notice.PoliceProtectionEnded, notice.ProtectionPlanStarted, notice.ProtectionPlanEnded,
		notice.MedicalConcluded,
	} {
		if !told[kind] {
			t.Errorf("nobody can subscribe to %s", kind)
		}
	}
}

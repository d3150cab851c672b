package disclosure

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// Codes of findings.
const (
	NamesAnotherChild = "names_another_child"
	NamesAParty       = "names_a_party"
	NamesTheReferrer  = "names_the_referrer"
	HoldsAPostcode    = "holds_a_postcode"
	HoldsATelephone   = "holds_a_telephone_number"
)

// Finding says that a disclosable text holds what it must not. It never holds the text.
type Finding struct {
	Field string // path, for example "narrative.disclosable" or "children[1].voice"
	Code  string // one of the codes above
}

// Withhold looks through the texts that a notice about the child may show: the narrative, the child's voice, the next
// step, the record and the actions. It finds another child's, a party's or the referrer's name, a UK postcode and a
// telephone number. What a name is, and what is not found, is told at the type names.
//
// The subject child's own names never count, so that a family name shared by siblings and parents does not withhold
// every text about them.
func Withhold(ev *eventv1.Event, childRef string) []Finding {
	banned := bannedNames(ev, childRef)
	var findings []Finding
	for _, t := range texts(ev) {
		if t.child != "" && t.child != childRef || *t.value == "" {
			continue
		}
		plain := fold(*t.value)
		codes := banned.in(plain)
		if hasPostcode(plain) {
			codes = append(codes, HoldsAPostcode)
		}
		if hasTelephone(plain) {
			codes = append(codes, HoldsATelephone)
		}
		for _, code := range codes {
			findings = append(findings, Finding{Field: t.path, Code: code})
		}
	}
	return findings
}

// WithoutText returns a copy of the event in which the texts of the findings are blank.
func WithoutText(ev *eventv1.Event, findings []Finding) *eventv1.Event {
	out := proto.CloneOf(ev)
	for _, t := range texts(out) {
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Field == t.path }) {
			*t.value = ""
		}
	}
	return out
}

// text is one free text of an event that a view may disclose.
type text struct {
	path  string
	child string // ref of the child whose text it is; empty where every child's notice may show it
	value *string
}

// texts lists the disclosable free texts of an event. How to join a meeting is not among them: it has to hold a
// telephone number.
func texts(ev *eventv1.Event) []text {
	var list []text
	add := func(path string, value *string) { list = append(list, text{path: path, value: value}) }
	actions := func(path string, all []*eventv1.Action) {
		for i, a := range all {
			if a != nil {
				add(fmt.Sprintf("%s.actions[%d].text", path, i), &a.Text)
			}
		}
	}

	if n := ev.GetNarrative(); n != nil {
		add("narrative.disclosable", &n.Disclosable)
	}
	for i, c := range ev.GetChildren() {
		if c != nil {
			list = append(list, text{path: fmt.Sprintf("children[%d].voice", i), child: c.GetRef(), value: &c.Voice})
		}
	}
	if p := ev.GetReferralDecided(); p != nil {
		add("referral_decided.next_step", &p.NextStep)
	}
	if p := ev.GetStrategyMeetingConcluded(); p != nil {
		add("strategy_meeting_concluded.record", &p.Record)
		actions("strategy_meeting_concluded", p.GetActions())
	}
	if p := ev.GetEnquiryConcluded(); p != nil {
		add("enquiry_concluded.summary", &p.Summary)
	}
	if p := ev.GetConferenceConcluded(); p != nil {
		add("conference_concluded.category", &p.Category)
		add("conference_concluded.record", &p.Record)
		actions("conference_concluded", p.GetActions())
	}
	if p := ev.GetReturnInterviewCompleted(); p != nil {
		add("return_interview_completed.summary", &p.Summary)
	}
	if p := ev.GetCustodyDetained(); p != nil {
		add("custody_detained.suspected_of", &p.SuspectedOf)
	}
	careTexts(ev, add)
	return list
}

func bannedNames(ev *eventv1.Event, childRef string) *banned {
	b := &banned{words: make(map[string]uint64), own: make(map[string]bool)}
	subject := onlyChild(ev, childRef)
	for _, w := range namesOf(subject.GetName()).words {
		b.own[w] = true
	}
	for _, c := range ev.GetChildren() {
		if c != subject {
			b.ban(NamesAnotherChild, namesOf(c.GetName()))
		}
	}
	for _, p := range ev.GetPeople() {
		code := NamesAParty
		if p.GetRole() == eventv1.PersonRole_PERSON_ROLE_REFERRER {
			code = NamesTheReferrer
		}
		b.ban(code, namesOf(p.GetName()))
	}
	return b
}

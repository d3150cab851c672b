package report

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

// faults are what is wrong with a form, by the name of the field; "" is the form as a whole.
type faults map[string][]string

func (f faults) add(name, text string) {
	for _, known := range f[name] {
		if known == text {
			return
		}
	}
	f[name] = append(f[name], text)
}

// built is the event that a form makes, and where in the form each part of it comes from.
type built struct {
	event  *eventv1.Event
	from   map[string]string // the field's name, by the path in the event
	faults faults            // of what cannot be said in an event
}

// build makes the event. What is at fault is left out of it.
func (f *form) build(d Desk, traffic eventv1.Traffic, london *time.Location) built {
	b := built{from: map[string]string{
		"subject": "subject", "area": "area", "time": "reported-day", "risk": "risk", "children": "child-0-given", "people": "person-0-role",
		"checks.pnc": "pnc", "checks.pnd": "pnd", "checks.welfare": "welfare", "narrative.disclosable": "told",
		"narrative.restricted": "restricted", "encompass_incident.occurred_at": "occurred-day",
		"encompass_incident.place": "place-lines", "encompass_incident.place.postcode": "place-postcode",
	}, faults: faults{}}
	incident := &eventv1.EncompassIncident{OccurredAt: b.instant(f.occurred, "occurred", london), Place: f.place.build()}
	b.event = &eventv1.Event{
		Id: eventID(f.nonce), Source: string(d.Agency), Type: string(notice.EncompassIncident), Supersedes: f.supersedes,
		Subject: strings.TrimSpace(f.subject), Area: f.area, Time: b.instant(f.reported, "reported", london),
		Risk: riskOf(f.risk), Traffic: traffic,
		Checks:  &eventv1.Checks{Pnc: checkOf(f.checks[0]), Pnd: checkOf(f.checks[1]), Welfare: checkOf(f.checks[2])},
		Payload: &eventv1.Event_EncompassIncident{EncompassIncident: incident},
	}
	if told, restricted := strings.TrimSpace(f.told), strings.TrimSpace(f.restricted); told != "" || restricted != "" {
		b.event.Narrative = &eventv1.Narrative{Disclosable: told, Restricted: restricted}
	}
	for i := range f.children {
		if c := &f.children[i]; !c.blank() {
			b.child(c, fmt.Sprintf("child-%d-", i), d.Agency)
		}
	}
	for i := range f.people {
		if p := &f.people[i]; !p.blank() {
			b.person(p, fmt.Sprintf("person-%d-", i))
		}
	}
	if len(b.event.Children) == 0 {
		b.faults.add("child-0-given", "is missing: give at least one child's name and date of birth")
	}
	if f.area == "" {
		b.faults.add("area", "is missing: choose the local authority area where it happened")
	}
	if web.PersonName(f.reporter) == "" {
		b.faults.add("reporter", "is missing: give your own first and last name")
	}
	return b
}

func (b *built) instant(m moment, name string, london *time.Location) *timestamppb.Timestamp {
	t, wrong := m.at(london)
	if wrong != nil {
		b.faults.add(name+"-"+wrong.field, wrong.text)
		return nil
	}
	return timestamppb.New(t)
}

func (b *built) child(c *child, prefix string, agency notice.AgencyID) {
	at := fmt.Sprintf("children[%d]", len(b.event.Children))
	out := &eventv1.Child{
		Ref: c.ref, Name: nameOf(c.given, c.family, c.knownAs), DateOfBirth: b.born(c.born, prefix+"born", true),
		Address: c.home.build(), ResidenceArea: c.residence, Presence: presenceOf(c.presence),
		Voice: strings.TrimSpace(c.voice), SettingAsStated: strings.TrimSpace(c.setting),
	}
	for _, id := range []struct{ scheme, value, name string }{
		{"upn", c.upn, "upn"}, {"nhs", c.nhs, "nhs"}, {"local:" + string(agency), c.own, "own"},
	} {
		value := strings.Join(strings.Fields(id.value), "")
		if value == "" {
			continue
		}
		b.from[fmt.Sprintf("%s.identifiers[%d]", at, len(out.Identifiers))] = prefix + id.name
		out.Identifiers = append(out.Identifiers, &eventv1.Identifier{Scheme: id.scheme, Value: value})
	}
	for path, name := range map[string]string{
		"": "given", ".name": "given", ".name.family": "family", ".name.known_as": "known-as", ".date_of_birth": "born",
		".address": "home-lines", ".address.postcode": "home-postcode", ".residence_area": "residence", ".presence": "presence",
		".voice": "voice", ".setting_as_stated": "setting",
	} {
		b.from[at+path] = prefix + name
	}
	b.event.Children = append(b.event.Children, out)
}

func (b *built) person(p *person, prefix string) {
	n := len(b.event.People)
	at := fmt.Sprintf("people[%d]", n)
	out := &eventv1.Person{
		Ref: fmt.Sprintf("p%d", n+1), Role: roleOf(p.role), Name: nameOf(p.given, p.family, p.knownAs),
		DateOfBirth: b.born(p.born, prefix+"born", false), Email: strings.TrimSpace(p.email), Telephone: strings.TrimSpace(p.telephone),
		WorksWithChildren: p.works == "yes",
	}
	if at := strings.TrimSpace(p.worksAt); at != "" {
		out.WorksAt = workplace(at)
	}
	b.event.People = append(b.event.People, out)
	for path, name := range map[string]string{
		"": "role", ".role": "role", ".name": "given", ".name.family": "family", ".name.known_as": "known-as", ".date_of_birth": "born",
		".email": "email", ".telephone": "telephone", ".works_with_children": "works", ".works_at": "works-at",
		".works_at.id": "works-at", ".works_at.name": "works-at",
	} {
		b.from[at+path] = prefix + name
	}
	if roleOf(p.role) == eventv1.PersonRole_PERSON_ROLE_UNSPECIFIED {
		b.faults.add(prefix+"role", "is missing: say what part this person has in it")
	}
}

// workplace is where somebody works as it was typed: a school's number as it is written in the register, such as gias:900101,
// or a name.
func workplace(typed string) *eventv1.OrganisationRef {
	if strings.Contains(typed, ":") {
		return &eventv1.OrganisationRef{Id: typed}
	}
	return &eventv1.OrganisationRef{Name: typed}
}

func (b *built) born(s, name string, required bool) string {
	switch day := isoDay(s); {
	case day != "":
		return day
	case strings.TrimSpace(s) != "":
		b.faults.add(name, "is not a date: give day, month and year, such as 9 5 2015")
	case required:
		b.faults.add(name, "is missing: give day, month and year, such as 9 5 2015")
	}
	return ""
}

// merge takes in what the service found, each fault beside the field that it comes from. What a field's own fault has
// caused elsewhere says nothing new.
func (b *built) merge(found []notice.FieldFault) {
	own := make(map[string]bool, len(b.faults))
	for name := range b.faults {
		own[name] = true
	}
	for _, f := range found {
		name := b.field(f.Field)
		stem := strings.TrimSuffix(name, "-day") // of a moment one field speaks for all
		if own[name] || own[stem+"-clock"] || own[stem+"-which"] {
			continue
		}
		if name == "" {
			b.faults.add("", "The report's "+f.Field+" "+f.Message)
			continue
		}
		b.faults.add(name, f.Message)
	}
}

// field is the field that a path of the event comes from: its own, or the nearest above it.
func (b *built) field(path string) string {
	for path != "" {
		if name, ok := b.from[path]; ok {
			return name
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return ""
		}
		path = path[:cut]
	}
	return ""
}

// withheld says, by field, why nobody would be shown a text as it stands. It is no fault: the notice goes out without.
func (b *built) withheld() faults {
	found := faults{}
	for _, c := range b.event.Children {
		for _, f := range disclosure.Withhold(b.event, c.Ref) {
			found.add(b.field(f.Field), withholding(f.Code))
		}
	}
	return found
}

func withholding(code string) string {
	switch code {
	case disclosure.NamesAnotherChild:
		return "names another child"
	case disclosure.NamesAParty:
		return "names one of the people"
	case disclosure.NamesTheReferrer:
		return "names who referred"
	case disclosure.HoldsAPostcode:
		return "holds a postcode"
	case disclosure.HoldsATelephone:
		return "holds a telephone number"
	default:
		return "holds what it must not"
	}
}

func (a address) build() *eventv1.Address {
	out := &eventv1.Address{Postcode: strings.TrimSpace(a.postcode)}
	for line := range strings.SplitSeq(a.lines, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out.Lines = append(out.Lines, line)
		}
	}
	if out.Postcode == "" && len(out.Lines) == 0 {
		return nil
	}
	return out
}

func nameOf(given, family, knownAs string) *eventv1.Name {
	return &eventv1.Name{Given: strings.TrimSpace(given), Family: strings.TrimSpace(family), KnownAs: strings.TrimSpace(knownAs)}
}

func riskOf(s string) eventv1.RiskGrade {
	switch s {
	case "high":
		return eventv1.RiskGrade_RISK_GRADE_HIGH
	case "medium":
		return eventv1.RiskGrade_RISK_GRADE_MEDIUM
	case "standard":
		return eventv1.RiskGrade_RISK_GRADE_STANDARD
	default: // nobody graded it: it goes ahead of what is standard
		return eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED
	}
}

func checkOf(s string) eventv1.Check {
	switch s {
	case "done":
		return eventv1.Check_CHECK_DONE
	case "not-done":
		return eventv1.Check_CHECK_NOT_DONE
	default:
		return eventv1.Check_CHECK_UNSPECIFIED
	}
}

func presenceOf(s string) eventv1.Presence {
	switch s {
	case "present":
		return eventv1.Presence_PRESENCE_PRESENT
	case "not-present":
		return eventv1.Presence_PRESENCE_NOT_PRESENT
	default:
		return eventv1.Presence_PRESENCE_UNSPECIFIED
	}
}

func roleOf(s string) eventv1.PersonRole {
	switch s {
	case "victim":
		return eventv1.PersonRole_PERSON_ROLE_VICTIM
	case "suspect":
		return eventv1.PersonRole_PERSON_ROLE_SUSPECT
	case "parent":
		return eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER
	case "other":
		return eventv1.PersonRole_PERSON_ROLE_OTHER
	default:
		return eventv1.PersonRole_PERSON_ROLE_UNSPECIFIED
	}
}

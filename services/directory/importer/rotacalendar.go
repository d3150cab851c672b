package importer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	ics "github.com/arran4/golang-ical"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// readRotaCalendar reads a rota as iCalendar: each event is a shift of whoever it names. Where one event is bad the rota
// stays as it was, as in the other form.
func (j *job) readRotaCalendar(text string) error {
	organisation, role := notice.OrgID(j.req.Owner), j.req.Role
	if id := settingID(j.req.Owner); id != "" {
		organisation = notice.OrgID(id)
	}
	_, isOrganisation := j.current.Organisation(organisation)
	_, isSetting := j.current.Setting(organisation)
	if !isOrganisation && !isSetting || !tokenPattern.MatchString(role) {
		return errors.New("a calendar does not say whose rota it is: give the organisation or setting with --owner and the role with --role, both as in the contacts")
	}
	file, err := readCalendarFile(text)
	if err != nil {
		return err
	}
	r := &rotaLines{organisation: string(organisation), role: role}
	people := peopleOf(j.current.Contacts(organisation), role)
	if len(people) == 0 {
		return errors.New("the organisation has no contact with this role: import the contacts first, or correct the role")
	}
	moved := file.moved()
	for _, e := range file.events {
		j.res.Read++
		ok, err := j.event(file, e, r, people, moved)
		if err != nil {
			return err
		}
		r.bad = r.bad || !ok
	}
	good := true
	for _, s := range r.shifts {
		good = s.check() && good
	}
	r.bad = r.bad || !good
	return j.takeRota(r)
}

// event adds the shifts of an event, and says whether it could be read. It fails where the file is to be refused.
func (j *job) event(file *calendarFile, e calendarEvent, r *rotaLines, people []person, moved map[string][]stamp) (bool, error) {
	if strings.EqualFold(e.value(ics.ComponentPropertyStatus), "CANCELLED") || strings.EqualFold(e.value(ics.ComponentPropertyTransp), "TRANSPARENT") {
		return true, nil // called off, or marked as free: no shift
	}
	fault := func(property, message string) { j.eventFault(e.line, property, message) }
	if p := e.GetProperty(ics.ComponentPropertyRecurrenceId); p != nil && len(p.ICalParameters["RANGE"]) > 0 {
		fault("RECURRENCE-ID", "changes this and all later events of a series: export them as a series of their own")
		return false, nil
	}
	contacts, message := whose(e, people)
	if message != "" {
		fault("SUMMARY", message)
		return false, nil
	}
	begins, lasts, column, err := e.span(file)
	if err != nil {
		fault(column, err.Error())
		return false, nil
	}
	all, column, err := e.repeats(file, begins, j.req.Now)
	if errors.Is(err, errNever) {
		return false, fmt.Errorf("the event of line %d %w", e.line, err)
	}
	if err != nil {
		fault(column, err.Error())
		return false, nil
	}
	for _, at := range all {
		if e.GetProperty(ics.ComponentPropertyRecurrenceId) == nil &&
			slices.ContainsFunc(moved[e.Id()], func(m stamp) bool { return at.is(m) }) {
			continue
		}
		for _, contact := range contacts {
			r.shifts = append(r.shifts, stint{
				contact: contact, from: at.instant(), until: at.at(at.wall.Add(lasts)).instant(),
				fault: func(column, message string) {
					fault(map[string]string{"from": "DTSTART", "until": "DTEND"}[column], message)
				},
			})
		}
	}
	return true, nil
}

// moved are, by series, the occurrences that another event of the file takes the place of.
func (f *calendarFile) moved() map[string][]stamp {
	moved := make(map[string][]stamp)
	for _, e := range f.events {
		if p := e.GetProperty(ics.ComponentPropertyRecurrenceId); p != nil {
			if s, err := f.stampOf(p); err == nil {
				moved[e.Id()] = append(moved[e.Id()], s)
			}
		}
	}
	return moved
}

// person is somebody with contacts of a role.
type person struct {
	contact   string   // the first that can be sent to, else the first
	addresses []string // in lower case
	names     [][]string
}

// peopleOf gathers the contacts of a role by person.
func peopleOf(contacts []*directoryv1.Contact, role string) []person {
	var own []*directoryv1.Contact
	for _, c := range contacts {
		if c.GetRole() == role {
			own = append(own, c)
		}
	}
	slices.SortStableFunc(own, func(a, b *directoryv1.Contact) int {
		telephone := func(c *directoryv1.Contact) int {
			if c.GetChannel() == "telephone" {
				return 1
			}
			return 0
		}
		return cmp.Compare(telephone(a), telephone(b))
	})
	var people []person
	at := make(map[string]int)
	for _, c := range own {
		name := cmp.Or(directory.FoldName(c.GetName()), c.GetId())
		i, ok := at[name]
		if !ok {
			i = len(people)
			at[name] = i
			people = append(people, person{contact: c.GetId()})
		}
		_, local, _ := strings.Cut(c.GetId(), "/")
		p := &people[i]
		for _, words := range [][]string{wordsOf(c.GetName()), wordsOf(c.GetId()), wordsOf(local)} {
			if len(words) > 0 {
				p.names = append(p.names, words)
			}
		}
		for _, address := range []string{c.GetAddress(), c.GetCodeAddress()} {
			if strings.Contains(address, "@") && !c.GetShared() {
				p.addresses = append(p.addresses, strings.ToLower(address))
			}
		}
	}
	return people
}

// whose says whose shift an event is: of the people who are invited and have not declined, else of whom its title names.
func whose(e calendarEvent, people []person) (contacts []string, message string) {
	var declined bool
	for _, a := range e.GetProperties(ics.ComponentPropertyAttendee) {
		address := strings.ToLower(strings.TrimSpace(a.Value))
		address = strings.TrimPrefix(address, "mailto:")
		for _, p := range people {
			if !slices.Contains(p.addresses, address) || slices.Contains(contacts, p.contact) {
				continue
			}
			if slices.Contains(a.ICalParameters["PARTSTAT"], "DECLINED") {
				declined = true
				continue
			}
			contacts = append(contacts, p.contact)
		}
	}
	if len(contacts) > 0 {
		return contacts, ""
	}
	if declined {
		return nil, "is of somebody who declined: give the shift to another, or take it out"
	}
	title := wordsOf(e.value(ics.ComponentPropertySummary))
	for _, p := range people {
		if slices.ContainsFunc(p.names, func(name []string) bool { return within(name, title) }) {
			contacts = append(contacts, p.contact)
		}
	}
	switch len(contacts) {
	case 1:
		return contacts, ""
	case 0:
		return nil, "names nobody of the role: put the name as in the contacts into the title, or invite the person by the address there; an event that is no shift is passed over where it is marked as free"
	default:
		return nil, "names several people of the role: invite whoever is on duty by the address in the contacts"
	}
}

// wordsOf are the words of a text, folded.
func wordsOf(s string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' }) {
		if w = directory.FoldName(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// within says whether words stand one after another in a text.
func within(words, text []string) bool {
	for i := range text {
		if i+len(words) <= len(text) && slices.Equal(words, text[i:i+len(words)]) {
			return true
		}
	}
	return false
}

package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

var patternPattern = regexp.MustCompile(`^[FAP-]{5}$`)

// oldestPupil is in years: a young person with special needs may be on a roll until 25.
const oldestPupil = 26

// pupil is the rows of one pupil id.
type pupil struct {
	id    string // the roll's own
	lines []*line
	bad   bool
	child *directoryv1.Child // as the file has it, without an id
	asOf  string             // latest
}

func (j *job) readRoll(text string) error {
	cols := columns{
		required: []string{"pupil_id", "upn", "given", "family", "date_of_birth", "setting", "as_of"},
		optional: []string{"nhs_number", "known_as", "postcode", "residence_area", "looked_after_by", "authority", "enrolment", "from", "until", "pattern"},
	}
	pupils := make(map[string]*pupil)
	err := j.table(text, cols, func(l *line) {
		id := l.id("pupil_id")
		p := pupils[id]
		if p == nil {
			p = &pupil{id: id}
			pupils[id] = p
		}
		p.read(l)
		if id == "" {
			delete(pupils, "")
			j.unread++
		}
	})
	if err != nil {
		return err
	}
	ordered := make([]*pupil, 0, len(pupils))
	for _, id := range sortedKeys(pupils) {
		ordered = append(ordered, pupils[id])
	}
	unique(ordered)
	r := newRegister(j, pupils)
	for _, p := range ordered {
		p.explainLeftOut()
		r.place(p)
	}
	return nil
}

// read takes one row of a pupil: particulars, which all its rows share, and one enrolment.
func (p *pupil) read(l *line) {
	c := l.particulars(p.id)
	e := l.enrolment()
	if p.child == nil {
		p.child = c
	} else {
		p.agree(l, c)
		for _, code := range c.GetPostcodes() {
			if !slices.Contains(p.child.GetPostcodes(), code) {
				p.child.Postcodes = append(p.child.Postcodes, code)
			}
		}
	}
	for _, have := range p.child.GetEnrolments() {
		if have.GetSetting() == e.GetSetting() && have.GetArea() == e.GetArea() && overlap(have, e) {
			l.fault("setting", "the pupil has another row of the same place at the same time: keep one")
		}
	}
	p.child.Enrolments = append(p.child.Enrolments, e)
	p.asOf = max(p.asOf, e.GetAsOf())
	p.lines = append(p.lines, l)
	p.bad = p.bad || l.bad
}

// agree holds a later row of a pupil to its first.
func (p *pupil) agree(l *line, c *directoryv1.Child) {
	same := func(column, a, b string) {
		if a != b {
			l.fault(column, fmt.Sprintf("differs from line %d of the same pupil: correct one of them", p.lines[0].n))
		}
	}
	same("given", directory.FoldName(p.child.GetGiven()), directory.FoldName(c.GetGiven()))
	same("family", directory.FoldName(p.child.GetFamily()), directory.FoldName(c.GetFamily()))
	same("date_of_birth", p.child.GetDateOfBirth(), c.GetDateOfBirth())
	same("upn", identifierOf(p.child, directory.SchemeUPN), identifierOf(c, directory.SchemeUPN))
	same("nhs_number", identifierOf(p.child, directory.SchemeNHS), identifierOf(c, directory.SchemeNHS))
	same("residence_area", p.child.GetResidenceArea(), c.GetResidenceArea())
	same("looked_after_by", p.child.GetLookedAfterBy(), c.GetLookedAfterBy())
}

// explainLeftOut reports the good rows of a pupil that has a bad one: taking the child with one of its two schools would
// leave the other out without a word.
func (p *pupil) explainLeftOut() {
	if !p.bad {
		return
	}
	first := slices.IndexFunc(p.lines, func(l *line) bool { return l.bad })
	for _, l := range p.lines {
		if !l.bad {
			l.fault("", fmt.Sprintf("is left out because line %d of the same pupil is bad: correct that one", p.lines[first].n))
		}
	}
}

func (l *line) particulars(id string) *directoryv1.Child {
	c := &directoryv1.Child{
		Given: l.requiredName("given"), Family: l.requiredName("family"), KnownAs: l.name("known_as"),
		DateOfBirth: l.birth("date_of_birth"), ResidenceArea: l.area("residence_area"),
		LookedAfterBy: l.area("looked_after_by"),
	}
	upn := directory.Identifier{Scheme: directory.SchemeUPN, Value: l.text("upn")}.Canonical()
	if upn != "" && !directory.UnknownUPN(upn) {
		if err := directory.ValidUPN(upn); err != nil {
			l.fault("upn", err.Error())
		}
		c.Identifiers = append(c.Identifiers, &directoryv1.Identifier{Scheme: directory.SchemeUPN, Value: upn})
	}
	if nhs := (directory.Identifier{Scheme: directory.SchemeNHS, Value: l.text("nhs_number")}).Canonical(); nhs != "" {
		if err := directory.ValidNHSNumber(nhs); err != nil {
			l.fault("nhs_number", err.Error())
		}
		c.Identifiers = append(c.Identifiers, &directoryv1.Identifier{Scheme: directory.SchemeNHS, Value: nhs})
	}
	c.Identifiers = append(c.Identifiers, &directoryv1.Identifier{Scheme: directory.SchemeLocal + l.j.req.Source, Value: id})
	for _, code := range strings.Split(l.text("postcode"), ";") {
		code = strings.ToUpper(strings.Join(strings.Fields(code), " "))
		switch {
		case code == "":
		case !postcodePattern.MatchString(code):
			l.fault("postcode", "is not a full postcode: correct it, or leave it out")
		case !slices.Contains(c.GetPostcodes(), code):
			c.Postcodes = append(c.Postcodes, code)
		}
	}
	return c
}

func (l *line) birth(column string) string {
	s := l.requiredDate(column)
	today := directory.DateOf(l.j.req.Now)
	oldest := directory.Date{Year: today.Year - oldestPupil, Month: today.Month, Day: today.Day}.AddDays(0)
	switch {
	case s == "":
	case s > today.String():
		l.fault(column, "lies in the future: correct the date")
	case s < oldest.String():
		l.fault(column, fmt.Sprintf("is more than %d years ago: correct the date, or leave the row out", oldestPupil))
	}
	return s
}

func (l *line) enrolment() *directoryv1.Enrolment {
	e := &directoryv1.Enrolment{Source: l.j.req.Source, Pattern: strings.ToUpper(l.text("pattern"))}
	e.From, e.Until = l.span("from", "until")
	if l.required("as_of") != "" {
		e.AsOf = l.pastDate("as_of")
	}
	if e.GetPattern() != "" && !patternPattern.MatchString(e.GetPattern()) {
		l.fault("pattern", "is not five of F, A, P and -, for Monday to Friday")
	}
	if strings.EqualFold(l.text("setting"), "HOME") {
		e.Kind = l.oneOf("enrolment", "home_educated")
		if l.required("authority") != "" {
			e.Area = l.knownArea("authority")
		}
		return e
	}
	e.Setting = l.setting("setting")
	e.Kind = l.oneOf("enrolment", "registered", "attending", "nursery_class")
	if l.text("authority") != "" {
		l.fault("authority", "is for home education only: leave it empty, or put HOME as the setting")
	}
	return e
}

// overlap says whether two enrolments share a day.
func overlap(a, b *directoryv1.Enrolment) bool {
	begins := func(e *directoryv1.Enrolment) string { return cmp.Or(e.GetFrom(), "0000-00-00") }
	ends := func(e *directoryv1.Enrolment) string { return cmp.Or(e.GetUntil(), "9999-99-99") }
	return begins(a) <= ends(b) && begins(b) <= ends(a)
}

// unique reports pupils of one file that share a UPN or NHS number. One of them is wrong and nobody here knows which,
// so both are left out.
func unique(pupils []*pupil) {
	for _, of := range []struct{ scheme, column string }{{directory.SchemeUPN, "upn"}, {directory.SchemeNHS, "nhs_number"}} {
		first := make(map[string]*pupil)
		for _, p := range pupils {
			value := identifierOf(p.child, of.scheme)
			other := first[value]
			switch {
			case value == "":
			case other == nil:
				first[value] = p
			default:
				p.lines[0].fault(of.column, fmt.Sprintf("is the same as in line %d, of another pupil: correct one of them", other.lines[0].n))
				other.lines[0].fault(of.column, fmt.Sprintf("is the same as in line %d, of another pupil: correct one of them", p.lines[0].n))
				p.bad, other.bad = true, true
			}
		}
	}
}

// identifierOf is a child's value in a scheme, the first of several.
func identifierOf(c *directoryv1.Child, scheme string) string {
	for _, id := range c.GetIdentifiers() {
		if id.GetScheme() == scheme {
			return id.GetValue()
		}
	}
	return ""
}

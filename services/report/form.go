package report

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	mostChildren = 30 // as the contract has it
	mostPeople   = 50
)

// form is what a person filled in, as they typed it. It lives in their browser: each page holds all of it.
type form struct {
	nonce      string // makes the event's id
	supersedes string // id of the report that this one corrects
	reporter   string // who fills it in
	subject    string
	area       string
	reported   moment
	occurred   moment
	place      address
	risk       string
	checks     [3]string // pnc, pnd, welfare
	told       string    // what may be told
	restricted string    // what may not
	nextRef    string    // number of the next child's ref: one that was removed is not used again
	children   []child
	people     []person
}

// moment is a clock time in London.
type moment struct {
	day, clock string
	which      string // "first" or "second" of an hour that came twice
}

type address struct{ lines, postcode string }

type child struct {
	ref                    string
	given, family, knownAs string
	born                   string
	upn, nhs, own          string
	presence               string
	setting, residence     string
	home                   address
	voice                  string
}

type person struct {
	role, given, family, knownAs, born string
	email, telephone                   string
	works, worksAt                     string // with children: "yes" or "no"; where
}

// each visits every field with its name in the page. It is the one list of names: forms are read, and written out as
// hidden fields, by it.
func (f *form) each(visit func(name string, value *string)) {
	visit("nonce", &f.nonce)
	visit("supersedes", &f.supersedes)
	visit("next-ref", &f.nextRef)
	visit("reporter", &f.reporter)
	visit("subject", &f.subject)
	visit("area", &f.area)
	f.reported.each("reported", visit)
	f.occurred.each("occurred", visit)
	f.place.each("place", visit)
	visit("risk", &f.risk)
	for i, name := range checkNames() {
		visit(name, &f.checks[i])
	}
	visit("told", &f.told)
	visit("restricted", &f.restricted)
	for i := range f.children {
		f.children[i].each(fmt.Sprintf("child-%d-", i), visit)
	}
	for i := range f.people {
		f.people[i].each(fmt.Sprintf("person-%d-", i), visit)
	}
}

func checkNames() [3]string { return [3]string{"pnc", "pnd", "welfare"} }

func (m *moment) each(name string, visit func(string, *string)) {
	visit(name+"-day", &m.day)
	visit(name+"-clock", &m.clock)
	visit(name+"-which", &m.which)
}

func (a *address) each(name string, visit func(string, *string)) {
	visit(name+"-lines", &a.lines)
	visit(name+"-postcode", &a.postcode)
}

func (c *child) each(prefix string, visit func(string, *string)) {
	visit(prefix+"ref", &c.ref)
	visit(prefix+"given", &c.given)
	visit(prefix+"family", &c.family)
	visit(prefix+"known-as", &c.knownAs)
	visit(prefix+"born", &c.born)
	visit(prefix+"upn", &c.upn)
	visit(prefix+"nhs", &c.nhs)
	visit(prefix+"own", &c.own)
	visit(prefix+"presence", &c.presence)
	visit(prefix+"setting", &c.setting)
	visit(prefix+"residence", &c.residence)
	c.home.each(prefix+"home", visit)
	visit(prefix+"voice", &c.voice)
}

func (p *person) each(prefix string, visit func(string, *string)) {
	visit(prefix+"role", &p.role)
	visit(prefix+"given", &p.given)
	visit(prefix+"family", &p.family)
	visit(prefix+"known-as", &p.knownAs)
	visit(prefix+"born", &p.born)
	visit(prefix+"email", &p.email)
	visit(prefix+"telephone", &p.telephone)
	visit(prefix+"works", &p.works)
	visit(prefix+"works-at", &p.worksAt)
}

// blank says that nothing was typed about a child or a person.
func blank(each func(string, func(string, *string)), apart ...string) bool {
	empty := true
	each("", func(name string, value *string) {
		for _, a := range apart {
			if name == a {
				return
			}
		}
		empty = empty && strings.TrimSpace(*value) == ""
	})
	return empty
}

func (c *child) blank() bool  { return blank(c.each, "ref", "presence", "residence") }
func (p *person) blank() bool { return blank(p.each, "role") }

// addChild adds an empty child with a ref that no child of the report had.
func (f *form) addChild() {
	n, err := strconv.Atoi(f.nextRef)
	if err != nil || n < 1 || n > 9999 {
		n = len(f.children) + 1
	}
	f.children = append(f.children, child{ref: "c" + strconv.Itoa(n)})
	f.nextRef = strconv.Itoa(n + 1)
}

// noncePattern is what newNonce makes: 128 bits.
var noncePattern = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{26}$`)

// eventID is the id of the event that a form is.
func eventID(nonce string) string { return "desk-" + nonce }

// readForm reads a form that one of our pages sent. Anything else is Invalid.
func readForm(values url.Values) (*form, error) {
	const op = "report.readForm"
	children, err1 := strconv.Atoi(values.Get("children"))
	people, err2 := strconv.Atoi(values.Get("people"))
	if err1 != nil || err2 != nil || children < 0 || children > mostChildren || people < 0 || people > mostPeople {
		return nil, notice.Faultf(notice.Invalid, op, "the form has no count of children and people, or too many")
	}
	f := &form{children: make([]child, children), people: make([]person, people)}
	good := true
	f.each(func(name string, value *string) {
		*value = strings.ReplaceAll(values.Get(name), "\r\n", "\n")
		good = good && utf8.ValidString(*value)
	})
	if !good || !noncePattern.MatchString(f.nonce) {
		return nil, notice.Faultf(notice.Invalid, op, "the form is not one of ours, or not in UTF-8")
	}
	return f, nil
}

// field is a name and a value of a form.
type field struct{ Name, Value string }

// fields are the whole form, for hidden inputs. What is empty need not be sent: it is read as empty.
func (f *form) fields() []field {
	all := []field{
		{"children", strconv.Itoa(len(f.children))}, {"people", strconv.Itoa(len(f.people))},
	}
	f.each(func(name string, value *string) {
		if *value != "" {
			all = append(all, field{name, *value})
		}
	})
	return all
}

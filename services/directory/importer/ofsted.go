package importer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The columns of Ofsted's file, in lower case: editions differ in their capitals.
const (
	ofstedURN       = "Provider URN"
	ofstedType      = "Provider type"
	ofstedSubtype   = "Provider subtype"
	ofstedStatus    = "Provider status"
	ofstedName      = "Provider name"
	ofstedAuthority = "Local authority"
)

// redacted is what the register has for names and addresses of homes.
const redacted = "REDACTED"

// overWords are what the status of a registration that is over, or does not run, begins with.
func overWords() []string {
	return []string{"suspend", "cancel", "resign", "inactive", "closed", "removed", "deregistered", "de-registered"}
}

// preambleLines is how far down the column names may stand.
const preambleLines = 20

var earlyYearsPattern = regexp.MustCompile(`^[A-Z]{0,4}[0-9]{5,8}$`)

// readOfsted reads Ofsted's register of childcare. The file is of all England or an extract: it stands for the settings
// under Ofsted numbers in the authorities in it. Rows of authorities that are no areas of the directory are passed over,
// and counted out loud: an authority under another name would lose all its childminders without a word.
func (j *job) readOfsted(text string) error {
	text, err := afterPreamble(text)
	if err != nil {
		return err
	}
	cols := columns{
		required: []string{ofstedURN, ofstedType, ofstedStatus, ofstedName, ofstedAuthority}, optional: []string{ofstedSubtype, "Postcode"},
		aliases: map[string]string{"provider postcode": "Postcode"}, open: true,
	}
	authorities := j.authoritiesByName()
	seen := make(map[RowKey]int64)
	areas, elsewhere := make(map[string]bool), make(map[string]int)
	err = j.table(text, cols, func(l *line) {
		if !slices.ContainsFunc(l.cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			return // the rows that a spreadsheet leaves below its table
		}
		name := l.required(ofstedAuthority)
		area := authorities[authorityName(name)]
		if area == "" && name != "" {
			elsewhere[name]++
			return
		}
		s, ok := l.provider(area)
		if !ok {
			return
		}
		areas[area] = true
		l.take(directory.SettingRow(s), seen, false)
	})
	if err != nil {
		return err
	}
	if len(areas) == 0 && len(j.res.Faults) == 0 {
		return errors.New("none of its rows is of an authority in the directory: import the areas first, under the names that Ofsted gives them")
	}
	if len(elsewhere) > 0 {
		j.change(passedOver(elsewhere))
	}
	for _, row := range j.current.Rows(directory.KindSetting) {
		if s := row.GetSetting(); strings.HasPrefix(s.GetId(), "ofsted:") && areas[s.GetArea()] {
			j.scope = append(j.scope, row)
		}
	}
	j.absent = closed
	return nil
}

// closed is what becomes of a provider that the register has no more: children may still be on a roll there, and then
// their authority's team is told.
func closed(row *directoryv1.Row) *directoryv1.Row {
	s := proto.CloneOf(row.GetSetting())
	s.Status = "closed"
	return directory.SettingRow(s)
}

// afterPreamble blanks out what stands above the column names, so that lines keep their numbers.
func afterPreamble(text string) (string, error) {
	rest := text
	for n := range preambleLines {
		line, after, more := strings.Cut(rest, "\n")
		if strings.Contains(strings.ToLower(line), strings.ToLower(ofstedURN)) && strings.Contains(line, ",") {
			return strings.Repeat("\n", n) + rest, nil
		}
		if !more {
			break
		}
		rest = after
	}
	return "", fmt.Errorf("none of its first %d lines has a column %s: download the register as CSV again, and import it unopened", preambleLines, ofstedURN)
}

// authoritiesByName are the local authorities of the directory. A name that two of them bear finds neither.
func (j *job) authoritiesByName() map[string]string {
	byName := make(map[string]string)
	for _, row := range j.current.Rows(directory.KindArea) {
		a := row.GetArea()
		if a.GetKind() != "local_authority" {
			continue
		}
		name := authorityName(a.GetName())
		if _, twice := byName[name]; twice {
			byName[name] = ""
			continue
		}
		byName[name] = a.GetGss()
	}
	delete(byName, "")
	return byName
}

// authorityName is an authority's name without what some registers add to it.
func authorityName(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == ',' || r == '-' })
	words = slices.DeleteFunc(words, func(w string) bool {
		return slices.Contains([]string{"city", "county", "london", "royal", "borough", "of", "the", "council", "and", "&"}, w)
	})
	return directory.FoldName(strings.Join(words, ""))
}

// provider is one provider of the register, false for what is no place that a child goes to.
func (l *line) provider(area string) (*directoryv1.Setting, bool) {
	kind, place := providerKind(l.required(ofstedType))
	if !place {
		return nil, false
	}
	if kind == "" {
		l.fault(ofstedType, "is not a type that this version knows: check that the columns are right, and tell the maintainers of a new type")
	}
	s := &directoryv1.Setting{Kind: kind, Area: area, TypeName: l.text(ofstedType), Status: l.providerStatus()}
	if sub := l.text(ofstedSubtype); sub != "" && sub != redacted {
		s.TypeName += ", " + sub
	}
	urn := strings.ToUpper(l.required(ofstedURN))
	if earlyYearsPattern.MatchString(urn) {
		s.Id = "ofsted:" + urn
	} else if urn != "" {
		l.fault(ofstedURN, "is not an Ofsted number, such as EY101465 or 2500001: check that the columns are right")
	}
	before, _ := l.j.current.Setting(notice.OrgID(s.GetId()))
	s.Name, s.Postcode = l.required(ofstedName), strings.ToUpper(l.text("Postcode"))
	if s.GetName() == redacted { // what the authority supplied for it stays
		if s.Name = before.GetName(); s.GetName() == "" && urn != "" {
			s.Name = strings.ToUpper(kind[:min(1, len(kind))]) + kind[min(1, len(kind)):] + " " + urn
		}
	}
	if s.GetPostcode() == redacted {
		s.Postcode = before.GetPostcode()
	}
	return s, true
}

// providerStatus is the status of a setting by that of a provider's registration. Ofsted publishes no list of its words, and
// adds to them ("Cancelled - non payment of fee"). One that says neither that the registration runs nor that it is over is a
// fault: who is taken for closed is told of no child. A suspended registration is closed: nobody may be looking after
// children there, and the reason may be this one.
func (l *line) providerStatus() string {
	switch word := strings.ToLower(l.required(ofstedStatus)); {
	case word == "":
		return ""
	case word == "active", word == "open":
		return "open"
	case word == "proposed":
		return "proposed"
	case slices.ContainsFunc(overWords(), func(over string) bool { return strings.HasPrefix(word, over) }):
		return "closed"
	default:
		l.fault(ofstedStatus, "is not a status that this version knows, such as Active, Proposed, Suspended, Resigned or Cancelled: correct it; tell the maintainers of a new one")
		return ""
	}
}

// providerKind is the kind of setting of a type of provider; false for one that has no place of its own. Childcare on
// domestic premises is at somebody's home, as a childminder's is.
func providerKind(typeName string) (kind string, place bool) {
	switch strings.ToLower(typeName) {
	case "childminder", "childcare on domestic premises":
		return "childminder", true
	case "childcare on non-domestic premises":
		return "nursery", true
	case "home child carer", "nanny", "childminder agency":
		return "", false
	default:
		return "", true
	}
}

// passedOver says which authorities' rows were not read. Authorities are no personal data.
func passedOver(elsewhere map[string]int) string {
	rows := 0
	for _, n := range elsewhere {
		rows += n
	}
	names := sortedKeys(elsewhere)
	more := ""
	if len(names) > 8 {
		names, more = names[:8], fmt.Sprintf(" and %d more", len(names)-8)
	}
	return fmt.Sprintf("passed over %d rows of authorities that are not areas of the directory: %s%s", rows, strings.Join(names, ", "), more)
}

package importer

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var (
	tokenPattern    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)
	idPattern       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	postcodePattern = regexp.MustCompile(`^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$`)
	urnPattern      = regexp.MustCompile(`^[0-9]{5,7}$`)
	ofstedPattern   = regexp.MustCompile(`^[A-Z]{2,4}[0-9]{5,8}$`)
	ukDate          = regexp.MustCompile(`^([0-9]{2})[-/]([0-9]{2})[-/]([0-9]{4})$`)
)

// date is a date as YYYY-MM-DD, or empty.
func (l *line) date(column string) string {
	s := l.text(column)
	if s == "" {
		return ""
	}
	if _, err := directory.ParseDate(s); err != nil {
		l.fault(column, err.Error())
		return ""
	}
	return s
}

func (l *line) requiredDate(column string) string {
	if l.required(column) == "" {
		return ""
	}
	return l.date(column)
}

// pastDate is a date that is not in the future.
func (l *line) pastDate(column string) string {
	s := l.date(column)
	if s > directory.DateOf(l.j.req.Now).String() {
		l.fault(column, "lies in the future: correct the date")
		return ""
	}
	return s
}

// ukDate is a GIAS date, DD-MM-YYYY or DD/MM/YYYY, as YYYY-MM-DD.
func (l *line) ukDate(column string) string {
	s := l.text(column)
	if s == "" {
		return ""
	}
	m := ukDate.FindStringSubmatch(s)
	if m != nil {
		s = m[3] + "-" + m[2] + "-" + m[1]
	}
	if _, err := directory.ParseDate(s); m == nil || err != nil {
		l.fault(column, "is not a date of the form DD-MM-YYYY or DD/MM/YYYY: download the file again and import it unopened")
		return ""
	}
	return s
}

// span reads a first and a last day.
func (l *line) span(from, until string) (string, string) {
	first, last := l.date(from), l.date(until)
	if first != "" && last != "" && last < first {
		l.fault(until, "is before "+from+": correct one of them")
	}
	return first, last
}

func (l *line) clock(column string) string {
	s := l.text(column)
	if s != "" && (!directory.ValidClock(s) || s == "24:00") {
		l.fault(column, "is not a time of the form HH:MM, such as 08:30")
		return ""
	}
	return s
}

// oneOf is one of some words; empty is the first of them.
func (l *line) oneOf(column string, words ...string) string {
	s := strings.ToLower(l.text(column))
	if s == "" {
		return words[0]
	}
	if !slices.Contains(words, s) {
		l.fault(column, "is not one of "+strings.Join(words, ", "))
		return ""
	}
	return s
}

func (l *line) requiredOneOf(column string, words ...string) string {
	if l.required(column) == "" {
		return ""
	}
	return l.oneOf(column, words...)
}

func (l *line) yes(column string) bool { return l.oneOf(column, "no", "yes") == "yes" }

// token is a lower-case word such as local_authority.
func (l *line) token(column string) string {
	s := l.required(column)
	if s != "" && !tokenPattern.MatchString(s) {
		l.fault(column, "is not a word of lower-case letters, digits and underscores")
		return ""
	}
	return s
}

// id is a local id.
func (l *line) id(column string) string {
	s := l.required(column)
	if s != "" && !idPattern.MatchString(s) {
		l.fault(column, "is not an id of at most 64 letters, digits, dots, hyphens and underscores")
		return ""
	}
	return s
}

// name is a person's name. One with a digit or an @ stands in the wrong column.
func (l *line) name(column string) string {
	s := l.text(column)
	if s == "" {
		return ""
	}
	if len(s) > 200 || directory.FoldName(s) == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsDigit(r) || r == '@' }) {
		l.fault(column, "is not a name: names have letters and no digits; check that the columns are right")
		return ""
	}
	return s
}

func (l *line) requiredName(column string) string {
	if l.required(column) == "" {
		return ""
	}
	return l.name(column)
}

// area is a GSS code, or empty.
func (l *line) area(column string) string {
	s := strings.ToUpper(l.text(column))
	if s == "" {
		return ""
	}
	if _, err := notice.ParseArea(s); err != nil {
		l.fault(column, err.Error()+", such as E09000901")
		return ""
	}
	return s
}

// knownArea is the GSS code of an area in the directory, or empty.
func (l *line) knownArea(column string) string {
	s := l.area(column)
	if s == "" {
		return ""
	}
	if _, ok := l.j.current.Area(notice.Area(s)); !ok {
		l.fault(column, "is not an area of the directory: import the areas first, or correct the code")
		return ""
	}
	return s
}

// postcode is a postcode as people write it, or as it stands where it is not of the form.
func (l *line) postcode(column string) string {
	s := strings.ToUpper(strings.Join(strings.Fields(l.text(column)), " "))
	if s != "" && !postcodePattern.MatchString(s) {
		l.fault(column, "is not a full postcode: correct it, or leave it out")
		return ""
	}
	return s
}

// settingID is the directory's id of a setting as files write it: a URN, an Ofsted number, or either with its register.
func settingID(s string) string {
	switch {
	case urnPattern.MatchString(s):
		return "gias:" + s
	case ofstedPattern.MatchString(s):
		return "ofsted:" + s
	case strings.Contains(s, ":"):
		if _, err := notice.ParseOrgID(s); err == nil {
			return s
		}
	}
	return ""
}

// setting is the id of a setting in the directory.
func (l *line) setting(column string) string {
	s := l.required(column)
	if s == "" {
		return ""
	}
	id := settingID(s)
	if _, ok := l.j.current.Setting(notice.OrgID(id)); !ok {
		l.fault(column, "is not a setting of the directory: import it first (gias, organisations), or correct the URN")
		return ""
	}
	return id
}

// organisation is the id of an organisation or setting in the directory.
func (l *line) organisation(column string) string {
	s := l.required(column)
	if s == "" {
		return ""
	}
	if _, ok := l.j.current.Organisation(notice.OrgID(s)); ok {
		return s
	}
	if id := settingID(s); id != "" && !strings.HasPrefix(id, "ods:") {
		return l.setting(column)
	}
	l.fault(column, "is not an organisation or setting of the directory: import it first, or correct the id")
	return ""
}

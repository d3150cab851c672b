package importer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The columns of GIAS, as the register names them.
const (
	giasURN    = "URN"
	giasLACode = "LA (code)"
	giasGSS    = "GSSLACode (name)"
	giasStatus = "EstablishmentStatus (code)"
	giasType   = "TypeOfEstablishment (name)"
	giasGroup  = "EstablishmentTypeGroup (name)"
	giasPhase  = "PhaseOfEducation (name)"
)

// readGIAS reads the register of schools in England. The file may be of all England or an extract of some authorities:
// it stands for the settings of the authorities in it.
func (j *job) readGIAS(text string) error {
	cols := columns{
		required: []string{giasURN, "EstablishmentName", giasStatus, giasType, giasGroup, giasPhase, "OpenDate", "CloseDate", "Postcode"},
		optional: []string{giasLACode, giasGSS, "EstablishmentNumber", "StatutoryLowAge", "StatutoryHighAge", "Trusts (code)"},
		open:     true,
	}
	byCode := make(map[string]string)
	for _, row := range j.current.Rows(directory.KindArea) {
		if code := row.GetArea().GetLaCode(); code != "" {
			byCode[code] = row.GetArea().GetGss()
		}
	}
	seen := make(map[RowKey]int64)
	areas := make(map[string]bool)
	err := j.table(text, cols, func(l *line) {
		s := l.giasSetting(byCode)
		areas[s.GetArea()] = true
		l.take(directory.SettingRow(s), seen, false)
	})
	if err != nil {
		return err
	}
	for _, row := range j.current.Rows(directory.KindSetting) {
		if s := row.GetSetting(); strings.HasPrefix(s.GetId(), "gias:") && areas[s.GetArea()] {
			j.scope = append(j.scope, row)
		}
	}
	return nil
}

func (l *line) giasSetting(byCode map[string]string) *directoryv1.Setting {
	s := &directoryv1.Setting{
		Name: l.required("EstablishmentName"), TypeName: l.text(giasType), Area: l.giasArea(byCode),
		OpenedOn: l.ukDate("OpenDate"), ClosedOn: l.ukDate("CloseDate"), Trust: l.text("Trusts (code)"),
		// A register's postcode is shown and compared, never a key: one of another form is left as it stands.
		Postcode: strings.ToUpper(l.text("Postcode")),
		LowAge:   l.age("StatutoryLowAge"), HighAge: l.age("StatutoryHighAge"),
	}
	if urn := l.required(giasURN); urnPattern.MatchString(urn) {
		s.Id = "gias:" + urn
	} else if urn != "" {
		l.fault(giasURN, "is not a URN of 5 to 7 digits: check that the columns are right")
	}
	if la, number := l.text(giasLACode), l.text("EstablishmentNumber"); la != "" && number != "" {
		s.Establishment = la + "/" + number
	}
	s.Kind = giasKind(s.GetTypeName(), l.text(giasGroup), l.text(giasPhase))
	switch l.required(giasStatus) {
	case "1":
		s.Status = "open"
	case "2":
		s.Status = "closed"
	case "3":
		s.Status = "closing"
	case "4":
		s.Status = "proposed"
	default:
		l.fault(giasStatus, "is not 1 (open), 2 (closed), 3 (open, proposed to close) or 4 (proposed to open)")
	}
	// Succession comes from another file and stays.
	if before, ok := l.j.current.Setting(notice.OrgID(s.GetId())); ok {
		s.Successors = before.GetSuccessors()
	}
	return s
}

// giasArea is the authority of an establishment: that with its DfE code, else the GSS code that the register gives.
func (l *line) giasArea(byCode map[string]string) string {
	code, gss := l.text(giasLACode), l.text(giasGSS)
	if area := byCode[code]; area != "" {
		return area
	}
	if _, err := notice.ParseArea(gss); err == nil {
		return gss
	}
	if gss != "" {
		l.fault(giasGSS, "is not a GSS code: check that the columns are right")
		return ""
	}
	l.fault(giasLACode, "no area has this code and the row gives no GSS code: import the areas with their la_code first")
	return ""
}

func (l *line) age(column string) int32 {
	s := l.text(column)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 99 {
		l.fault(column, "is not an age in years: check that the columns are right")
		return 0
	}
	return int32(n)
}

// giasKind goes by what the register says of type, group and phase, in that order of weight.
func giasKind(typeName, group, phase string) string {
	typeName, group, phase = strings.ToLower(typeName), strings.ToLower(group), strings.ToLower(phase)
	switch {
	case strings.Contains(typeName, "pupil referral unit"), strings.Contains(typeName, "alternative provision"):
		return "alternative_provision"
	case strings.Contains(typeName, "nursery school"), phase == "nursery":
		return "nursery"
	case group == "colleges", group == "universities", strings.Contains(typeName, "further education"), strings.Contains(typeName, "post 16"), phase == "16 plus":
		return "college"
	default:
		return "school"
	}
}

// readLinks reads what took the place of closed schools. Links are often listed both ways, as `Successor` at one school
// and `Predecessor` at the other: only the first are read.
func (j *job) readLinks(text string) error {
	cols := columns{required: []string{giasURN, "LinkURN", "LinkType", "LinkEstablishedDate"}, optional: []string{"LinkName"}, open: true}
	links := make(map[string][]*directoryv1.Link)
	bad := make(map[string]bool)
	err := j.table(text, cols, func(l *line) {
		urn, kind := l.required(giasURN), l.required("LinkType")
		id := settingID(urn)
		if urn != "" && !strings.HasPrefix(id, "gias:") {
			l.fault(giasURN, "is not a URN of 5 to 7 digits: check that the columns are right")
			return
		}
		if _, ok := j.current.Setting(notice.OrgID(id)); !ok {
			return
		}
		if _, ok := links[id]; !ok {
			links[id] = nil // listed, perhaps without a successor
		}
		if !strings.HasPrefix(kind, "Successor") {
			return
		}
		link := &directoryv1.Link{Setting: settingID(l.required("LinkURN")), On: l.ukDate("LinkEstablishedDate")}
		if _, ok := j.current.Setting(notice.OrgID(link.GetSetting())); !ok {
			l.fault("", "the successor is not in the directory: import the gias file that lists it first")
		}
		if l.bad {
			bad[id] = true
			return
		}
		if !slices.ContainsFunc(links[id], func(have *directoryv1.Link) bool { return have.GetSetting() == link.GetSetting() }) {
			links[id] = append(links[id], link)
		}
	})
	if err != nil {
		return err
	}
	j.total = len(links)
	for id, successors := range links {
		key := RowKey{directory.KindSetting, id}
		if bad[id] {
			j.keep[key] = true
			continue
		}
		before, _ := j.current.Setting(notice.OrgID(id))
		after := proto.CloneOf(before)
		slices.SortFunc(successors, func(a, b *directoryv1.Link) int { return cmp.Compare(a.GetSetting(), b.GetSetting()) })
		if len(before.GetSuccessors()) > 0 && len(successors) == 0 {
			j.moved++
		}
		after.Successors = successors
		j.want[key] = directory.SettingRow(after)
	}
	return nil
}

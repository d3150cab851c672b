package importer

import (
	"cmp"
	"regexp"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

var laCodePattern = regexp.MustCompile(`^[0-9]{3}$`)

func (j *job) readAreas(text string) error {
	cols := columns{required: []string{"gss", "name", "kind"}, optional: []string{"police_area", "la_code", "nation", "health_area", "remove"}}
	j.total = len(j.current.Rows(directory.KindArea))
	seen := make(map[RowKey]int64)
	codes := make(map[string]string) // DfE code to GSS code
	type refers struct {
		l    *line
		area *directoryv1.Area
	}
	var listed []refers
	err := j.table(text, cols, func(l *line) {
		a := &directoryv1.Area{
			Name: l.required("name"), Kind: l.requiredOneOf("kind", "local_authority", "police", "nhs"),
			PoliceArea: l.area("police_area"), LaCode: l.text("la_code"), HealthArea: l.area("health_area"),
		}
		if l.required("gss") != "" {
			a.Gss = l.area("gss")
		}
		switch code := a.GetLaCode(); {
		case code == "":
		case !laCodePattern.MatchString(code):
			l.fault("la_code", "is not three digits: correct it, or leave it out")
		case codes[code] != "" && codes[code] != a.GetGss():
			l.fault("la_code", "is another authority's already: correct one of them")
		default:
			codes[code] = a.GetGss()
		}
		a.Nation = nationOf(a.GetGss())
		if l.text("nation") != "" {
			a.Nation = l.oneOf("nation", "england", "wales", "scotland", "northern_ireland")
		}
		l.take(directory.AreaRow(a), seen, l.yes("remove"))
		listed = append(listed, refers{l, a})
	})
	if err != nil {
		return err
	}
	for _, row := range j.current.Rows(directory.KindArea) { // those that the file leaves as they are keep their codes
		a := row.GetArea()
		key := RowKey{directory.KindArea, a.GetGss()}
		if a.GetLaCode() != "" && j.want[key] == nil && !j.drop[key] {
			codes[a.GetLaCode()] = a.GetGss()
		}
	}
	for _, r := range listed { // what an area refers to may stand after it in the file
		if code := r.area.GetLaCode(); code != "" && codes[code] != r.area.GetGss() {
			r.l.fault("la_code", "is another authority's already: correct one of them")
		}
		if p := r.area.GetPoliceArea(); p != "" && !j.areaOfKind(p, "police") {
			r.l.fault("police_area", "is not a police area of the file or the directory: add its row, or correct the code")
		}
		if h := r.area.GetHealthArea(); h != "" && !j.areaOfKind(h, "nhs") {
			r.l.fault("health_area", "is not an NHS area of the file or the directory: add its row, or correct the code")
		}
		if key := (RowKey{directory.KindArea, r.area.GetGss()}); r.l.bad {
			delete(j.want, key)
			delete(j.drop, key)
			j.keep[key] = true
		}
	}
	return nil
}

func (j *job) areaOfKind(gss, kind string) bool {
	if row, ok := j.want[RowKey{directory.KindArea, gss}]; ok {
		return row.GetArea().GetKind() == kind
	}
	a, ok := j.current.Area(notice.Area(gss))
	return ok && a.GetKind() == kind
}

func nationOf(gss string) string {
	if gss == "" {
		return "england"
	}
	switch gss[0] {
	case 'W':
		return "wales"
	case 'S':
		return "scotland"
	case 'N':
		return "northern_ireland"
	default:
		return "england"
	}
}

func (j *job) readOrganisations(text string) error {
	cols := columns{required: []string{"id", "name", "kind"}, optional: []string{"area", "status", "postcode", "remove"}}
	j.total = len(j.current.Rows(directory.KindOrganisation))
	for _, row := range j.current.Rows(directory.KindSetting) {
		if !strings.HasPrefix(row.GetSetting().GetId(), "gias:") {
			j.total++ // this file may bring it too
		}
	}
	seen := make(map[RowKey]int64)
	return j.table(text, cols, func(l *line) {
		id := l.required("id")
		if own := settingID(id); own != "" && !strings.HasPrefix(own, "ods:") || urnPattern.MatchString(id) {
			l.take(directory.SettingRow(l.ownSetting(own)), seen, l.yes("remove"))
			return
		}
		if _, err := notice.ParseOrgID(id); err != nil && id != "" {
			l.fault("id", err.Error())
			id = ""
		}
		if l.text("status") != "" || l.text("postcode") != "" {
			l.fault("status", "status and postcode are for settings only: leave them empty")
		}
		l.take(directory.OrganisationRow(&directoryv1.Organisation{
			Id: id, Name: l.required("name"), Kind: l.token("kind"), Area: l.knownArea("area"),
		}), seen, l.yes("remove"))
	})
}

// ownSetting is a setting that no register file brings.
func (l *line) ownSetting(id string) *directoryv1.Setting {
	register, _, _ := strings.Cut(id, ":")
	nation, ok := ownRegisters()[register]
	if !ok {
		l.fault("id", "is a school's: schools come from the gias file; settings here have an Ofsted number, such as ofsted:EY900201, or that of a register outside England: wales:, scotland: or ni:")
		id = ""
	}
	if l.required("area") == "" {
		l.fault("area", "is empty: a setting needs the GSS code of its local authority")
	} else if area := strings.ToUpper(l.text("area")); ok && !strings.HasPrefix(area, nation) {
		l.fault("area", "is in another nation than the register of the id: correct one of them")
	}
	before, _ := l.j.current.Setting(notice.OrgID(id)) // as the register has it, where it does: what is not said here stays
	return &directoryv1.Setting{
		Id: id, Name: l.required("name"), Area: l.knownArea("area"), Status: l.oneOf("status", "open", "closed"),
		Postcode: cmp.Or(l.postcode("postcode"), before.GetPostcode()), TypeName: before.GetTypeName(),
		Kind: l.requiredOneOf("kind", "nursery", "childminder", "school", "college", "alternative_provision"),
	}
}

// ownRegisters are the registers whose settings come by the organisations file, with the letter that GSS codes of their
// nation begin with.
func ownRegisters() map[string]string {
	return map[string]string{"ofsted": "E", "wales": "W", "scotland": "S", "ni": "N"}
}

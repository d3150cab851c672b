package importer

import (
	"fmt"
	"regexp"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

var (
	odsPattern = regexp.MustCompile(`^[A-Z0-9]{3,12}$`)
	odsDate    = regexp.MustCompile(`^[0-9]{8}$`)
)

// odsColumns are the 27 fields that every report of the Organisation Data Service about organisations has. The files have no line of
// column names; fields that stay unnamed here are numbered.
func odsColumns() []string {
	names := make([]string, 27)
	for i := range names {
		names[i] = fmt.Sprintf("field %d", i+1)
	}
	for at, name := range map[int]string{
		1: "Organisation Code", 2: "Name", 10: "Postcode", 11: "Open Date", 12: "Close Date", 13: "Status Code", 26: "Prescribing Setting",
	} {
		names[at-1] = name
	}
	return names
}

// odsKinds are the reports that are read, and the kind of organisation that each lists.
func odsKinds() map[string]string {
	return map[string]string{"epraccur": "gp", "etr": "nhs_trust", "eccg": "nhs_commissioner"}
}

// readODS reads a report of NHS organisations. What kind they are is in no column: the source, the report's own name, says it.
// An organisation that is not active is not to be told, so the directory does not keep it.
func (j *job) readODS(text string) error {
	kind := odsKinds()[j.req.Source]
	if kind == "" {
		return fmt.Errorf("the source of an ods file is the report's name: use --source with one of %s", strings.Join(sortedKeys(odsKinds()), ", "))
	}
	if first, rest, ok := strings.Cut(text, "\n"); ok && strings.Contains(strings.ToLower(first), "code") && !strings.ContainsAny(first, "0123456789") {
		text = "\n" + rest // some copies of the file were given names of columns
	}
	active := 0
	seen := make(map[RowKey]int64)
	err := j.table(text, columns{given: odsColumns(), open: true}, func(l *line) {
		o := &directoryv1.Organisation{Kind: kind, Name: l.required("Name")}
		if code := l.required("Organisation Code"); odsPattern.MatchString(code) {
			o.Id = "ods:" + code
		} else if code != "" {
			l.fault("Organisation Code", "is not an ODS code: check that the file has the 27 fields of an ODS report")
		}
		if d := l.text("Open Date"); d != "" && !odsDate.MatchString(d) {
			l.fault("Open Date", "is not a date of eight digits: check that the file has the 27 fields of an ODS report")
		}
		status := l.required("Status Code")
		if status != "" && !strings.Contains("ACDPI", status) || len(status) > 1 {
			l.fault("Status Code", "is not A (active), C (closed), D (dormant), P (proposed) or I (inactive): check that the file has the 27 fields of an ODS report")
		}
		other := kind == "gp" && l.text("Prescribing Setting") != "4" // a walk-in centre, a hospital, a prison: whoever else prescribes
		if (other || status != "A") && !l.bad {
			return
		}
		if lies, ok := j.current.Postcode(l.text("Postcode")); ok {
			o.Area = string(lies.Authority)
		}
		active++
		l.take(directory.OrganisationRow(o), seen, false)
	})
	if err != nil {
		return err
	}
	if active == 0 {
		return fmt.Errorf("it has no active organisation of the kind %s: check that it is the report %s", kind, j.req.Source)
	}
	for _, row := range j.current.Rows(directory.KindOrganisation) {
		if o := row.GetOrganisation(); strings.HasPrefix(o.GetId(), "ods:") && o.GetKind() == kind {
			j.scope = append(j.scope, row)
		}
	}
	return nil
}

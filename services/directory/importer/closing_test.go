package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAProviderIsClosedByAWordThatMeansItAndByNoOther(t *testing.T) {
	s := filled(t, "")
	for word, want := range map[string]string{
		"Active": "open", "ACTIVE": "open", "Open": "open", "Proposed": "proposed",
		"Suspended": "closed", "Resigned": "closed", "Cancelled": "closed", "Cancelled - non payment of fee": "closed",
		"Resigned (voluntary)": "closed", "Inactive": "closed", "Closed": "closed", "Removed from register": "closed",
		// What is in doubt stays as it was.
		"Registered": "open", "Active?": "open", "Not cancelled": "open", "1": "open", "": "open",
	} {
		file := strings.Replace(sample(t, Ofsted), "EY900301,Childcare on non-domestic premises,Sessional day care,Active,",
			"EY900301,Childcare on non-domestic premises,Sessional day care,"+word+",", 1)
		got, _ := apply(t, s, plan(t, request(Ofsted), file, s)).Setting("ofsted:EY900301")
		if got.GetStatus() != want {
			t.Errorf("%q: the pre-school is %s, want %s", word, got.GetStatus(), want)
		}
	}
}

func TestAFileThatClosesManySettingsIsHeldBack(t *testing.T) {
	const n = 60
	providers := func(cancelled int) string {
		var b strings.Builder
		b.WriteString("Provider URN,Provider type,Provider status,Provider name,Local authority\n")
		for i := range n {
			status := "Active"
			if i < cancelled {
				status = "Cancelled"
			}
			fmt.Fprintf(&b, "EY9010%02d,Childminder,%s,REDACTED,Ashmere\n", i, status)
		}
		return b.String()
	}
	schools := func(status string, changed int, closed string) string {
		var b strings.Builder
		b.WriteString("URN,LA (code),EstablishmentName,EstablishmentStatus (code),TypeOfEstablishment (name),EstablishmentTypeGroup (name),PhaseOfEducation (name),OpenDate,CloseDate,Postcode\n")
		for i := range n {
			if i < changed {
				fmt.Fprintf(&b, "9010%02d,901,School %d,%s,Community school,,Primary,,%s,\n", i, i, status, closed)
			} else {
				fmt.Fprintf(&b, "9010%02d,901,School %d,1,Community school,,Primary,,,\n", i, i)
			}
		}
		return b.String()
	}
	own := func(status string, changed int) string {
		var b strings.Builder
		b.WriteString("id,name,kind,area,status\n")
		for i := range n {
			is := "open"
			if i < changed {
				is = status
			}
			fmt.Fprintf(&b, "ofsted:EY9020%02d,Home %d,childminder,E09000901,%s\n", i, i, is)
		}
		return b.String()
	}
	for _, tc := range []struct {
		name, format, before, after string
		held                        bool
	}{
		{"a tenth of the providers", Ofsted, providers(0), providers(6), false},
		{"more than a tenth of the providers", Ofsted, providers(0), providers(7), true},
		{"providers that were closed before", Ofsted, providers(20), providers(24), false},
		{"more than a tenth of the schools", GIAS, schools("1", 0, ""), schools("2", 7, ""), true},
		{"schools that are only to open", GIAS, schools("1", 0, ""), schools("4", 7, ""), true},
		{"schools that are to close", GIAS, schools("1", 0, ""), schools("3", 7, "31-08-2027"), false},
		{"schools that close next year", GIAS, schools("1", 0, ""), schools("2", 7, "31-08-2027"), false},
		{"schools that open again", GIAS, schools("2", 40, ""), schools("1", 0, ""), false},
		{"more than a tenth by the authority's own file", Organisations, own("open", 0), own("closed", 12), true},
	} {
		s := filled(t, Organisations)
		s = apply(t, s, plan(t, request(tc.format), tc.before, s))
		_, err := Plan(request(tc.format), strings.NewReader(tc.after), s, nil)
		if held := err != nil && notice.KindOf(err) == notice.Precondition && strings.Contains(err.Error(), "would remove 0, close "); held != tc.held || err != nil && !held {
			t.Errorf("%s: %v", tc.name, err)
		}
		req := request(tc.format)
		req.Force = true
		if _, err := Plan(req, strings.NewReader(tc.after), s, nil); err != nil {
			t.Errorf("%s, by force: %v", tc.name, err)
		}
	}
}

package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestARestrictionIsNeverLiftedByTheWay(t *testing.T) {
	s := filled(t, "")
	header := "id,roll,pupil_id,kind,target,authoriser,reason,review_on,remove\n"
	for name, tc := range map[string]struct{ row, want string }{
		"an id that is another child's":        {"R-1,ashmere-roll,A-1001,protected_location,,Duty,refuge,2027-03-01,\n", "2 id: is that of a restriction on another child, which would lose it"},
		"a removal that names another child":   {"R-1,ashmere-roll,A-1001,protected_location,,Duty,refuge,2027-03-01,yes\n", "2 id: is that of a restriction on another child, which would lose it"},
		"a seal that becomes a bar on one":     {"R-1,ashmere-roll,A-1002,barred_contact,ashmere-contacts/alder-dsl,Duty,refuge,2027-03-01,\n", "2 kind: would lift a seal"},
		"a seal that becomes an order for all": {"R-1,ashmere-roll,A-1002,court_order,,Duty,refuge,2027-03-01,\n", "2 kind: would lift a seal"},
	} {
		res := plan(t, request(Restrictions), header+tc.row, s)
		if diff := cmp.Diff([]string{tc.want}, faults(res)); diff != "" || len(res.Puts)+len(res.Deletes) > 0 {
			t.Errorf("%s: changes %v, faults (-want +got):\n%s", name, res.Changes, diff)
		}
	}
	if res := plan(t, request(Restrictions), header+"R-1,ashmere-roll,A-1002,protected_location,,Duty,refuge,2027-03-01,yes\n", s); len(res.Deletes) != 1 {
		t.Errorf("a removal that says so: %v", res.Changes)
	}
}

func TestAColumnOfOrganisationsThatSlippedIsTakenForWhatItIs(t *testing.T) {
	s := filled(t, Contacts)
	schools := []string{"900101", "900102", "ashmere-council", "kestrel-vale-council"}
	file := func(shift int, verified string) string {
		var b strings.Builder
		b.WriteString("id,organisation,role,name,channel,address,verified_on\n")
		for i := range 24 {
			fmt.Fprintf(&b, "c-%02d,%s,dsl,Jo Penrose,email,c%02d@alder.example,%s\n", i, schools[(i+shift)%len(schools)], i, verified)
		}
		return b.String()
	}
	s = apply(t, s, plan(t, request(Contacts), file(0, "2026-09-01"), s))
	if _, err := Plan(request(Contacts), strings.NewReader(file(1, "2026-09-01")), s, nil); notice.KindOf(err) != notice.Invalid {
		t.Errorf("moved without being confirmed: %v", err)
	}
	if _, err := Plan(request(Contacts), strings.NewReader(file(1, "2026-09-10")), s, nil); notice.KindOf(err) != notice.Precondition {
		t.Errorf("moved all at once: %v", err)
	}
}

func TestABarredContactThatLeavesItsListIsRememberedOutOfUse(t *testing.T) {
	s := filled(t, "")
	const id = "ashmere-contacts/alder-dsl"
	without := func() string {
		var kept []string
		for _, row := range strings.SplitAfter(sample(t, Contacts), "\n") {
			if !strings.HasPrefix(row, "alder-dsl,") {
				kept = append(kept, row)
			}
		}
		return strings.Join(kept, "")
	}
	first := plan(t, request(Contacts), without(), s)
	s = apply(t, s, first)
	row, ok := s.Row(directory.KindContact, id)
	if !ok || first.Removed != 1 {
		t.Fatalf("there %v, removed %d: %v", ok, first.Removed, first.Changes)
	}
	if c := row.GetContact(); c.GetVerifiedOn() != "" || directory.InUse(c, directory.DateOf(today())) || c.GetName() == "" {
		t.Errorf("it is kept as %v", c)
	}
	if again := plan(t, request(Contacts), without(), s); len(again.Puts)+len(again.Deletes) > 0 {
		t.Errorf("a second time: %v", again.Changes)
	}
}

func TestAListThatPutsItsContactsBeforeEverybodyElsesIsHeldBack(t *testing.T) {
	s := filled(t, Contacts)
	var settings []string
	for _, row := range s.Rows(directory.KindSetting) {
		settings = append(settings, row.GetSetting().GetId())
	}
	list := func(domain string) string {
		var b strings.Builder
		b.WriteString("id,organisation,role,name,channel,address,verified_on\n")
		for i, id := range settings {
			id = strings.TrimPrefix(strings.TrimPrefix(id, "gias:"), "ofsted:")
			fmt.Fprintf(&b, "c-%02d,%s,dsl,Jo Penrose,email,c%02d@%s.example,2026-09-01\n", i, id, i, domain)
		}
		return b.String()
	}
	s = apply(t, s, plan(t, request(Contacts), list("alder"), s))
	other := request(Contacts)
	other.Source = "aardvark"
	if _, err := Plan(other, strings.NewReader(list("elsewhere")), s, nil); notice.KindOf(err) != notice.Precondition {
		t.Errorf("%d settings are told elsewhere: %v", len(settings), err)
	}
	other.Source = "zebra"
	if _, err := Plan(other, strings.NewReader(list("elsewhere")), s, nil); err != nil {
		t.Errorf("contacts that come after those there are: %v", err)
	}
}

package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// without is a file without the line that holds a text.
func without(file, text string) string {
	var out []string
	for _, l := range strings.SplitAfter(file, "\n") {
		if !strings.Contains(l, text) {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

func TestRowsThatTheFileNoLongerHasAreRemoved(t *testing.T) {
	s := filled(t, "")
	for _, tc := range []struct {
		name, format, file, want string
		changes                  []string
	}{
		{"a contact", Contacts, without(sample(t, Contacts), "puddle"), "read 3, added 0, changed 0, removed 1, unchanged 3, readdressed 0",
			[]string{"remove contact ashmere-contacts/puddle"}},
		{"not while a row has no readable id", Contacts, strings.Replace(sample(t, Contacts), "puddle,", "?,", 1), "read 4, added 0, changed 0, removed 0, unchanged 3, readdressed 0",
			[]string{"nothing removed: 1 rows are not in the file, but it has 1 rows whose id cannot be read"}},
		{"not a row that is bad", Contacts, strings.Replace(sample(t, Contacts), "j.wren@puddle.example", "j.wren", 1), "read 4, added 0, changed 0, removed 0, unchanged 3, readdressed 0", nil},
		{"a school, of an authority in the file", GIAS, without(sample(t, GIAS), `"900203"`), "read 8, added 0, changed 0, removed 1, unchanged 8, readdressed 0",
			[]string{"remove setting gias:900203"}},
		{"not those of an authority that is not", GIAS, without(without(sample(t, GIAS), "Kestrel Vale"), "Larkrise"), "read 6, added 0, changed 0, removed 0, unchanged 6, readdressed 0", nil},
		{"an organisation, by its remove column", Organisations, "id,name,kind,remove\nashmere-school-nursing,A,health,yes\n", "read 1, added 0, changed 0, removed 1, unchanged 0, readdressed 0",
			[]string{"remove organisation ashmere-school-nursing"}},
		{"not one that the file does not list", Organisations, without(sample(t, Organisations), "nursing"), "read 4, added 0, changed 0, removed 0, unchanged 4, readdressed 0", nil},
		{"a calendar, by its kind of row", TermDates, "id,kind,from,until\n900201,remove,,\n", "read 1, added 0, changed 0, removed 1, unchanged 0, readdressed 0",
			[]string{"remove calendar gias:900201"}},
		{"a restriction, by its remove column", Restrictions, without(strings.Replace(sample(t, Restrictions), "2027-03-01,no", "2027-03-01,yes", 1), "R-1"), "read 1, added 0, changed 0, removed 1, unchanged 0, readdressed 0",
			[]string{"remove restriction R-2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := plan(t, request(tc.format), tc.file, s)
			if got := counts(res); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if diff := cmp.Diff(tc.changes, res.Changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBankHolidaysOfYearsThatTheFileDroppedStay(t *testing.T) {
	s := filled(t, "")
	file := strings.Replace(sample(t, BankHolidays), `{"title":"Christmas Day","date":"2025-12-25","notes":"","bunting":true},`, "", 1)
	if res := plan(t, request(BankHolidays), file, s); len(res.Puts) > 0 {
		t.Errorf("dropping an old date changes %v", res.Changes)
	}
	file = strings.Replace(sample(t, BankHolidays), "2026-08-31", "2026-08-24", 1)
	s = apply(t, s, plan(t, request(BankHolidays), file, s))
	if d, _ := directory.ParseDate("2026-08-31"); !s.WorkingDays().Is(d) {
		t.Error("a bank holiday that moved is still on its old date")
	}
}

func manyContacts(n int, domain, verified string) string {
	var b strings.Builder
	b.WriteString("id,organisation,role,name,channel,address,verified_on\n")
	for i := range n {
		fmt.Fprintf(&b, "c%03d,900101,dsl,Someone,email,p%03d@%s,%s\n", i, i, domain, verified)
	}
	return b.String()
}

func TestTheGuardStopsWhatChangesTooMuch(t *testing.T) {
	s := apply(t, filled(t, Contacts), plan(t, request(Contacts), manyContacts(80, "a.example", "2026-09-01"), filled(t, Contacts)))
	lines := strings.SplitAfter(manyContacts(80, "a.example", "2026-09-01"), "\n")
	changed := strings.SplitAfter(manyContacts(80, "b.example", "2026-09-10"), "\n")
	mixed := func(re, gone int) string { // re-addressed, then removed, of 80
		return lines[0] + strings.Join(changed[1:1+re], "") + strings.Join(lines[1+re:81-gone], "")
	}
	for _, tc := range []struct {
		name  string
		file  string
		force bool
		want  string
	}{
		{"a tenth may be removed", mixed(0, 8), false, "read 72, added 0, changed 0, removed 8, unchanged 72, readdressed 0"},
		{"one more may not", mixed(0, 9), false, "refused"},
		{"a tenth may be re-addressed", mixed(8, 0), false, "read 80, added 0, changed 8, removed 0, unchanged 72, readdressed 8"},
		{"one more may not", mixed(9, 0), false, "refused"},
		{"both count", mixed(5, 4), false, "refused"},
		{"but by force", mixed(5, 4), true, "read 76, added 0, changed 5, removed 4, unchanged 71, readdressed 5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := request(Contacts)
			req.Force = tc.force
			res, err := Plan(req, strings.NewReader(tc.file), s, nil)
			got := "refused"
			if err == nil {
				got = counts(res)
			} else if notice.KindOf(err) != notice.Precondition || !strings.Contains(err.Error(), "of 80 rows") || !strings.Contains(err.Error(), "--force") {
				t.Errorf("error %v, want one of kind precondition with the number and the way to force", err)
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAnAddressThatChangesMustBeConfirmedAnew(t *testing.T) {
	const id = "ashmere-contacts/alder-dsl"
	line := func(address, verified string) string {
		return "id,organisation,role,name,channel,address,verified_on\nalder-dsl,900101,dsl,M. Okoro,email," + address + "," + verified + "\n"
	}
	base := filled(t, Contacts)
	base = apply(t, base, plan(t, request(Contacts), line("old@alder.example", "2026-09-01"), base))
	for _, tc := range []struct{ name, address, verified, wantAddress, wantVerified string }{
		{"with a later date it is taken", "new@alder.example", "2026-09-02", "new@alder.example", "2026-09-02"},
		{"with the old date the old contact stays", "new@alder.example", "2026-09-01", "old@alder.example", "2026-09-01"},
		{"with an earlier date too", "new@alder.example", "2026-08-01", "old@alder.example", "2026-09-01"},
		{"without a date it is taken and gets nothing", "new@alder.example", "", "new@alder.example", ""},
		{"the same address keeps its date", "old@alder.example", "2026-09-01", "old@alder.example", "2026-09-01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := base
			for range 2 { // the second time must not confirm what the first did not
				s = apply(t, s, plan(t, request(Contacts), line(tc.address, tc.verified), s))
				row, _ := s.Row(directory.KindContact, id)
				if c := row.GetContact(); c.GetAddress() != tc.wantAddress || c.GetVerifiedOn() != tc.wantVerified {
					t.Errorf("address and date are %s, %s", c.GetAddress(), c.GetVerifiedOn())
				}
			}
		})
	}
}

func TestContactsOfOneSourceLeaveThoseOfAnotherAlone(t *testing.T) {
	s := filled(t, "")
	req := request(Contacts)
	req.Source = "kestrel-contacts"
	res := plan(t, req, manyContacts(1, "kestrel.example", "2026-09-01"), s)
	if got := counts(res); got != "read 1, added 1, changed 0, removed 0, unchanged 0, readdressed 0" {
		t.Errorf("got %s", got)
	}
	if _, id := directory.KeyOf(res.Puts[0]); id != "kestrel-contacts/c000" {
		t.Errorf("the contact's id is %s", id)
	}
}

func TestHoursAreReadAsPeopleWriteThem(t *testing.T) {
	s := filled(t, "")
	row, _ := s.Row(directory.KindContact, "ashmere-contacts/alder-dsl")
	want := []*directoryv1.Hours{{Days: []int32{1, 2, 3, 4, 5}, From: "08:00", Until: "16:30"}, {Days: []int32{6, 7}, From: "10:00", Until: "12:00"}}
	for i, h := range row.GetContact().GetHours() {
		if h.String() != want[i].String() {
			t.Errorf("hours[%d] = %v, want %v", i, h, want[i])
		}
	}
	if n := len(row.GetContact().GetHours()); n != 2 {
		t.Errorf("%d spans, want 2", n)
	}
}

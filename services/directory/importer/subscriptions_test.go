package importer

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASubscriptionThatWouldTellNobodyIsABadRow(t *testing.T) {
	const basis = "children_act_2004_s10"
	told := func(rule string, kinds ...string) func(string, []string) bool {
		return func(on string, asked []string) bool {
			return on == rule && (len(asked) == 0 || slices.ContainsFunc(asked, func(k string) bool { return slices.Contains(kinds, k) }))
		}
	}
	for _, tc := range []struct {
		name  string
		told  func(string, []string) bool
		want  []string
		added int64
	}{
		{"both kinds have a rule", told(basis, "conference.concluded", "enquiry.concluded"), nil, 2},
		{"one of the two kinds has none", told(basis, "conference.concluded"), []string{"2 kinds: names a kind of which no rule of the policy tells subscribers on this basis"}, 1},
		{"neither has", told(basis, "medical.concluded"), []string{"2 kinds: names a kind of which no rule of the policy tells subscribers on this basis"}, 1},
		{"no policy is asked", nil, nil, 2},
	} {
		req := request(Subscriptions)
		req.Told, req.Listed = tc.told, func(string) bool { return false }
		res := plan(t, req, sample(t, Subscriptions), filled(t, Subscriptions))
		if diff := cmp.Diff(tc.want, faults(res)); diff != "" || res.Added != tc.added {
			t.Errorf("%s: added %d, want %d; faults (-want +got):\n%s", tc.name, res.Added, tc.added, diff)
		}
	}
	req := request(Subscriptions)
	req.Told, req.Listed = told("another", "conference.concluded", "enquiry.concluded"), func(on string) bool { return on == "another" }
	one, _, _ := strings.Cut(sample(t, Subscriptions), "S-2")
	for file, want := range map[string][]string{
		one: {"2 basis: is one on which no rule of the policy tells subscribers"},
		"id,agency,organisation,list,area,basis,authoriser,from,until,review_on\n" +
			"L-1,ashmere-school-nursing,ashmere-school-nursing,yes,E09000901,another,Director,2026-09-01,2027-09-01,2027-03-01\n" +
			"L-2,ashmere-school-nursing,ashmere-school-nursing,yes,E09000901,children_act_2004_s10,Director,2026-09-01,2027-09-01,2027-03-01\n": {
			"3 basis: is one on which the policy does not grant the list",
		},
	} {
		if diff := cmp.Diff(want, faults(plan(t, req, file, filled(t, Subscriptions)))); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
	}
}

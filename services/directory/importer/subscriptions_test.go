package importer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/directory"
)

func TestASubscriptionToTheListIsImportedAndIsOfNoKinds(t *testing.T) {
	const header = "id,agency,organisation,list,kinds,area,basis,authoriser,from,until,review_on\n"
	const rest = ",E09000901,children_missing_meeting,Director of Children's Services,2026-09-01,2027-09-01,2027-03-01\n"
	s := filled(t, Subscriptions)
	res := plan(t, request(Subscriptions), header+
		"L-1,ashmere-school-nursing,ashmere-school-nursing,yes,"+rest+
		"L-2,ashmere-school-nursing,ashmere-school-nursing,yes,conference.concluded"+rest+
		"L-3,ashmere-school-nursing,ashmere-school-nursing,no,conference.concluded"+rest+
		"L-4,ashmere-school-nursing,ashmere-school-nursing,perhaps,"+rest, s)
	if diff := cmp.Diff([]string{
		"3 kinds: are not for a subscription to the list", `5 list: is not one of no, yes`,
	}, faults(res)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	lists := map[string]bool{}
	for _, row := range apply(t, s, res).Rows(directory.KindSubscription) {
		lists[row.GetSubscription().GetId()] = row.GetSubscription().GetList()
	}
	if diff := cmp.Diff(map[string]bool{"L-1": true, "L-3": false}, lists); diff != "" {
		t.Errorf("to the list (-want +got):\n%s", diff)
	}
}

package rpc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

func TestDutyIsAskedForAnOrganisationThatThereIs(t *testing.T) {
	r := newRig(t)
	directory := directoryv1.NewDirectoryServiceClient(r.operator(t))
	for _, tc := range []struct {
		name string
		req  *directoryv1.DutyRequest
		kind notice.Kind
	}{
		{"an organisation nobody knows", &directoryv1.DutyRequest{Organisation: "ashmere-counsel"}, notice.NotFound},
		{"a role nobody has", &directoryv1.DutyRequest{Organisation: "gias:900101", Role: "duty"}, notice.NotFound},
		{"no date", &directoryv1.DutyRequest{Organisation: "gias:900101", From: "today"}, notice.Invalid},
		{"no organisation", &directoryv1.DutyRequest{}, notice.Invalid},
		{"too long", &directoryv1.DutyRequest{Organisation: "gias:900101", Days: 63}, notice.Invalid},
	} {
		if _, err := directory.Duty(testContext(t), tc.req); err == nil || notice.KindOf(rpc.Fault(err)) != tc.kind {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	response := must(directory.Duty(testContext(t), &directoryv1.DutyRequest{Organisation: "gias:900101"}))(t)
	days := map[string]float64{}
	for _, s := range response.GetSpans() {
		days[s.GetRole()+" "+s.GetContact()] += float64(s.GetUntilMs()-s.GetFromMs()) / (24 * 3600 * 1000)
	}
	if diff := cmp.Diff(map[string]float64{"dsl lanternfield-dsl": 7}, days); diff != "" {
		t.Errorf("days by contact (-want +got):\n%s", diff)
	}
}

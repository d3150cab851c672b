package rpc

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/identity"
)

func TestEveryMethodHasARuleAndEveryRuleAMethod(t *testing.T) {
	s := &Server{}
	s.register(Deps{}, Config{}, grpc.NewServer())
	var methods []string
	for name, service := range s.grpc.GetServiceInfo() {
		for _, m := range service.Methods {
			methods = append(methods, "/"+name+"/"+m.Name)
		}
	}
	slices.Sort(methods)
	if diff := cmp.Diff(methods, slices.Sorted(maps.Keys(rules()))); diff != "" {
		t.Errorf("methods served and methods with a rule (-served +ruled):\n%s", diff)
	}
	for method, who := range rules() {
		if who&operators == 0 && who&agencies == 0 {
			t.Errorf("%s: nobody may call it", method)
		}
	}
}

func TestNothingIsOpenToAnAgencyButWhatItsWorkNeeds(t *testing.T) {
	var open []string
	for method, who := range rules() {
		if who&agencies != 0 {
			open = append(open, method)
		}
	}
	slices.Sort(open)
	want := []string{
		"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Watch",
		"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
		"/signalbox.inbox.v1.InboxService/Acknowledge",
		"/signalbox.inbox.v1.InboxService/Confirm",
		"/signalbox.inbox.v1.InboxService/Subscribe",
		"/signalbox.intake.v1.IntakeService/Feedback", "/signalbox.intake.v1.IntakeService/Publish",
		"/signalbox.intake.v1.IntakeService/PublishStream", "/signalbox.intake.v1.IntakeService/Quarantine",
		"/signalbox.intake.v1.IntakeService/Withdraw",
		"/signalbox.meeting.v1.MeetingService/Reply",
		"/signalbox.meeting.v1.MeetingService/Show",
		"/signalbox.subscription.v1.SubscriptionService/End", "/signalbox.subscription.v1.SubscriptionService/List",
		"/signalbox.subscription.v1.SubscriptionService/Request",
		"/signalbox.subscription.v1.SubscriptionService/Whereabouts",
		"/signalbox.task.v1.TaskService/Claim", "/signalbox.task.v1.TaskService/List", "/signalbox.task.v1.TaskService/Resolve",
		"/signalbox.task.v1.TaskService/Show",
	}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("open to agencies (-want +got):\n%s", diff)
	}
}

func TestWhatIsAnOrganisations(t *testing.T) {
	agency := func(organisation string) caller {
		return caller{Peer: identity.Peer{Kind: identity.Agency, Name: "a"}, agency: &directoryv1.Agency{Organisation: organisation}}
	}
	for _, tc := range []struct {
		name         string
		caller       caller
		organisation string
		want         bool
	}{
		{"an agency may what is its organisation's", agency("ashmere-council"), "ashmere-council", true},
		{"an agency may not what is another's", agency("ashmere-council"), "gias:900101", false},
		{"what has no owner is no agency's", agency("ashmere-council"), "", false},
		{"an agency without an organisation owns nothing, not even what has no owner", agency(""), "", false},
		{"an operator may everything", caller{Peer: identity.Peer{Kind: identity.Operator, Name: "o"}}, "gias:900101", true},
		{"nobody may nothing", caller{}, "", false},
	} {
		if got := tc.caller.may(tc.organisation); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
}

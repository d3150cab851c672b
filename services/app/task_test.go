package app_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

func TestWhoeverHasATaskSeesWhatItTakesAndThatIsRecorded(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	misspelt := apptest.Child("c1", "Evo", "Brenock", "2015-05-09")
	misspelt.SettingAsStated = "Beacon something primary"
	misspelt.Address = &eventv1.Address{Postcode: "ZZ1 1AA"}
	sibling := apptest.Child("c2", "Bram", "Sollis", "2015-12-05")
	ev := apptest.Incident(police, "np-6", "NP/26/6", r.Clock.Now(), misspelt, sibling)
	ev.People = []*eventv1.Person{{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_SUSPECT, Name: &eventv1.Name{Given: "Hugo", Family: "Vance"}}}
	police.Publish(ev)
	r.Settle()

	show := func(a *apptest.Agency) *taskv1.ShowResponse {
		tasks := taskv1.NewTaskServiceClient(a.GRPC)
		listed, err := tasks.List(r.Context(), &taskv1.ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(listed.Items, func(item *taskv1.Item) bool { return item.Task.Kind == ledgerv1.TaskKind_TASK_KIND_UNMATCHED })
		if i < 0 {
			t.Fatalf("%s has no such task", a.ID)
		}
		equal(t, "references in the list", listed.Items[i].References, []string{"NP/26/6"})
		shown, err := tasks.Show(r.Context(), &taskv1.ShowRequest{Task: listed.Items[i].Task.Id})
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	duty, desk := show(council), show(police)
	for _, shown := range []*taskv1.ShowResponse{duty, desk} {
		text := shown.Events[0].String()
		if !strings.Contains(text, "Brenock") || !strings.Contains(text, "Beacon something") || !strings.Contains(text, "ZZ1 1AA") {
			t.Errorf("too little to find the child by: %s", text)
		}
		if strings.Contains(text, "Sollis") {
			t.Errorf("a task about one child shows another: %s", text)
		}
	}
	if strings.Contains(duty.Events[0].String(), "Vance") {
		t.Error("the duty officer is shown a party")
	}
	if !strings.Contains(desk.Events[0].String(), "Vance") {
		t.Error("the publisher is not shown its own event")
	}
	if _, err := taskv1.NewTaskServiceClient(council.GRPC).Show(r.Context(), &taskv1.ShowRequest{Task: desk.Item.Task.Id}); status.Code(err) != codes.NotFound {
		t.Errorf("another's task: %v", err)
	}
	shown := 0
	for _, f := range r.Timeline(police.ID, "np-6") {
		if f.GetTaskRead() != nil {
			shown++
		}
	}
	if shown != 2 {
		t.Errorf("%d showings are recorded, want 2", shown)
	}
	r.Verify()
}

func TestAChildIsNotMatchedToAnotherByASlipOfTheHand(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-6", "NP/26/6", r.Clock.Now(), apptest.Child("c1", "Evo", "Brenock", "2015-05-09")))
	police.Publish(apptest.Incident(police, "np-7", "NP/26/7", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	another := r.Decision(police.ID, "np-7").Children[0].Child
	task := r.TaskItems()[0].Task.Id
	for name, req := range map[string]*taskv1.ResolveRequest{
		"neither name nor date of birth agrees": {Resolution: "matched", Child: another},
		"nobody":                                {Resolution: "matched", Child: "00000000000000000000"},
		"settings of a child nobody knows":      {Resolution: "setting_chosen", Settings: []string{"gias:900101"}},
	} {
		req.Task, req.Reason = task, "A slip."
		if _, err := r.Tasks.Resolve(r.Context(), req); notice.KindOf(rpc.Fault(err)) != notice.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"office@fernside.example"}) // of the other incident alone
}

func TestAnIdentityEndsWhenItIsReplacedOrTheAgencyRemoved(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	lost := r.AddAgency("northbridge-police", "northbridge-police")
	ask := func(a *apptest.Agency) error {
		_, err := intakev1.NewIntakeServiceClient(a.GRPC).Feedback(r.Context(), &intakev1.FeedbackRequest{})
		return rpc.Fault(err)
	}
	if err := ask(lost); err != nil {
		t.Fatal(err)
	}
	replaced := r.AddAgency("northbridge-police", "northbridge-police")
	if err := ask(lost); notice.KindOf(err) != notice.Denied {
		t.Errorf("a replaced certificate still counts: %v", err)
	}
	if err := ask(replaced); err != nil {
		t.Errorf("the new one: %v", err)
	}
	if _, err := r.Directory.RemoveAgency(r.Context(), &directoryv1.RemoveAgencyRequest{Id: "northbridge-police"}); err != nil {
		t.Fatal(err)
	}
	if err := ask(replaced); notice.KindOf(err) != notice.Denied {
		t.Errorf("a removed agency still has access: %v", err)
	}
	if _, err := r.Directory.RemoveAgency(r.Context(), &directoryv1.RemoveAgencyRequest{Id: "northbridge-police"}); notice.KindOf(rpc.Fault(err)) != notice.NotFound {
		t.Errorf("removed twice: %v", err)
	}
}

func TestACorrectionOfAnotherKindOfEventIsRefused(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 20:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	first := referral(council, "ref-1")
	council.Publish(first)
	r.Settle()
	other := envelope(council, "eq-1", notice.EnquiryConcluded, "EQ-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	other.Supersedes = "ref-1"
	other.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: other.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_NOT_SUBSTANTIATED,
	}}
	council.Publish(other)
	r.Settle()
	if s := r.Summary(); s.Events != 1 || s.Refused != 1 || s.Superseded != 0 {
		t.Errorf("%v", s)
	}
	if got := apptest.Rejected(council.Feedback()); len(got) != 1 {
		t.Errorf("%d refusals heard, want one", len(got))
	}
}

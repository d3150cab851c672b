package rpc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
)

func telephone(id, organisation, role, name, number string) *directoryv1.Row {
	return directory.ContactRow(&directoryv1.Contact{
		Id: id, Organisation: organisation, Role: role, Name: name, Channel: "telephone", Address: number, Use: "regular", VerifiedOn: "2026-09-01",
	})
}

// Nobody acknowledges, and the chain ends: what is left is a call, with whom, by which number and in which words.
func TestAChainEndsInACallWithNumbersAndWords(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t,
		telephone("head-telephone", "gias:900101", "head", "Robin Marsh", "01632 960101"),
		telephone("dsl-telephone", "gias:900101", "dsl", "Priya Anand", "01632 960102"),
		telephone("governor-telephone", "gias:900101", "governor", "Lee Hart", "01632 960103"),
	)
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	r.clock.Set(time.Date(2026, time.November, 27, 9, 0, 0, 0, time.UTC))
	r.await(t, "the notice is on a task", func(s *ledger.State) bool { return s.Notices[id].Phase == ledger.WithTask })
	operator := taskv1.NewTaskServiceClient(r.operator(t))
	var task string
	for _, item := range must(operator.List(ctx, &taskv1.ListRequest{}))(t).GetItems() {
		if item.GetTask().GetKind() == ledgerv1.TaskKind_TASK_KIND_EXHAUSTED {
			task = item.GetTask().GetId()
		}
	}

	shown := must(operator.Show(ctx, &taskv1.ShowRequest{Task: task}))(t)
	var numbers []string
	for _, n := range shown.GetNumbers() {
		numbers = append(numbers, n.GetNumber()+" "+n.GetName()+" of "+n.GetOrganisationName())
	}
	if diff := cmp.Diff([]string{ // the governor has no part in the chain
		"01632 960102 Priya Anand of Lanternfield Primary School", "01632 960101 Robin Marsh of Lanternfield Primary School",
	}, numbers); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if len(shown.GetScript()) == 0 {
		t.Error("no words for the call")
	}
	for _, line := range shown.GetScript() {
		if strings.Contains(line, "Quillfeather") {
			t.Errorf("the words name the child: %s", line)
		}
	}

	call := &taskv1.ResolveRequest{Task: task, Resolution: ledger.ToldByTelephone, Reason: "Told at nine.", Answered: "Robin Marsh", Verified: "called the school's number"}
	for field, change := range map[string]func(*taskv1.ResolveRequest){
		"answered": func(c *taskv1.ResolveRequest) { c.Answered = " " },
		"verified": func(c *taskv1.ResolveRequest) { c.Verified = "" },
	} {
		lacking := &taskv1.ResolveRequest{Task: call.Task, Resolution: call.Resolution, Reason: call.Reason, Answered: call.Answered, Verified: call.Verified}
		change(lacking)
		if _, err := operator.Resolve(ctx, lacking); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "refused: "+field+": ") {
			t.Errorf("without %s: %v", field, err)
		}
	}
	if _, err := operator.Resolve(ctx, call); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Answered: Robin Marsh\nVerified: called the school's number\nTold at nine."}, r.vault.kept()); diff != "" {
		t.Errorf("the vault (-want +got):\n%s", diff)
	}
	r.await(t, "the notice is acknowledged", func(s *ledger.State) bool { return s.Notices[id].Phase == ledger.Acknowledged })
}

// Whoever must not be told must not be called either.
func TestNobodyIsCalledWhoIsBarred(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t,
		telephone("dsl-telephone", "gias:900101", "dsl", "Priya Anand", "01632 960102"),
		telephone("head-telephone", "gias:900101", "head", "Robin Marsh", "01632 960101"),
	)
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	r.clock.Set(time.Date(2026, time.November, 27, 9, 0, 0, 0, time.UTC))
	r.await(t, "the notice is on a task", func(s *ledger.State) bool { return s.Notices[id].Phase == ledger.WithTask })
	operator := taskv1.NewTaskServiceClient(r.operator(t))
	tasks := must(operator.List(ctx, &taskv1.ListRequest{}))(t).GetItems()
	show := func() (numbers int) {
		for _, item := range tasks {
			numbers += len(must(operator.Show(ctx, &taskv1.ShowRequest{Task: item.GetTask().GetId()}))(t).GetNumbers())
		}
		return numbers
	}
	if n := show(); n != 2 {
		t.Fatalf("%d numbers before, want 2", n)
	}
	barred := restriction("child-1", "barred_contact")
	barred.GetRestriction().Target = "lanternfield-dsl" // another row of the same person
	r.put(ctx, t, barred)
	if n := show(); n != 1 {
		t.Errorf("%d numbers with the safeguarding lead barred, want 1", n)
	}
	r.put(ctx, t, restriction("child-1", "sealed_identity"))
	if n := show(); n != 0 {
		t.Errorf("%d numbers about a sealed child, want none", n)
	}
}

package rpc_test

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestNobodyAcknowledgesANoticeThatNeverReachedTheirOrganisation(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t, directory.ContactRow(&directoryv1.Contact{ // not confirmed: nobody at the school is told
		Id: "lanternfield-dsl", Organisation: "gias:900101", Role: "dsl", Channel: "email", Address: "dsl@lanternfield.example", Use: "regular",
	}))
	r.settled(t, police, r.publish(t, incident("i-1")))
	id := r.onlyNotice(t)
	_, err := inboxv1.NewInboxServiceClient(r.agency(t, school)).Acknowledge(ctx, &inboxv1.AcknowledgeRequest{Notice: id, Person: "Priya Anand"})
	if status.Code(err) != codes.FailedPrecondition || len(r.vault.kept()) != 0 {
		t.Errorf("acknowledged unread: %v; the vault keeps %d texts", err, len(r.vault.kept()))
	}
	check(t, r.engine.View(ctx, func(s *ledger.State) {
		if s.Notices[id].Phase.Ended() {
			t.Errorf("the notice is %s", s.Notices[id].Phase)
		}
	}))
}

func TestASealedChildIsShownLikeOneWhoIsNotThere(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.put(ctx, t, restriction("child-1", "protected_location"))
	for _, req := range []*directoryv1.ShowRequest{
		{Kind: "child", Organisation: "gias:900101"}, {Kind: "child"}, {Kind: "child", Id: "child-1"}, {Kind: "child", Id: "nobody"},
	} {
		got, err := r.show(t, req)
		for _, key := range got {
			if key == "child child-1" {
				t.Errorf("%v: shown", req)
			}
		}
		if missing := notice.KindOf(err) == notice.NotFound && err != nil; missing != (req.Id != "") {
			t.Errorf("%v: %v", req, err)
		}
	}
}

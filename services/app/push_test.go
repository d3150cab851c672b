package app_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAnAgencysReceiverIsCalledAgainUntilItStoresAndAPersonThereAcknowledges(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 16:00"))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	home := r.AddAgency("kestrel-social-care", "kestrel-vale-council")

	// As a party to the enquiry and as the home area, the council is told twice.
	var busy atomic.Int32
	busy.Store(2)
	var toAcknowledge atomic.Pointer[noticev1.Notice]
	system := r.Receiver()
	system.Up(apptest.Conduct{Before: func(_ context.Context, req *noticev1.DeliverRequest) error {
		if busy.Add(-1) >= 0 {
			return status.Error(codes.Unavailable, "starting")
		}
		if req.IdempotencyKey == "" || req.Notice.GetId() == "" {
			t.Errorf("a call without its keys: %v", req)
		}
		if req.Notice.GetAcknowledge() {
			toAcknowledge.Store(req.Notice)
		}
		return nil
	}})
	// Of one role the contact whose id comes first is told: the system, before the duty manager's mailbox.
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "receiver.csv", Source: "agency-systems"},
		[]byte("id,organisation,role,name,channel,address,verified_on\n"+
			"kestrel-system,kestrel-vale-council,duty,Case system,grpc,"+system.Addr()+",2026-06-01\n"))
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	enquiry := envelope(council, "eq-1", notice.EnquiryConcluded, "EQ-1", r.Clock.Now(), joss)
	enquiry.Payload = &eventv1.Event_EnquiryConcluded{EnquiryConcluded: &eventv1.EnquiryConcluded{
		ConcludedAt: enquiry.Time, Outcome: eventv1.EnquiryOutcome_ENQUIRY_OUTCOME_NOT_SUBSTANTIATED,
		Summary:      "No further concerns.",
		Participants: []*eventv1.Participant{{Organisation: organisation("kestrel-vale-council"), Function: "local_authority"}},
	}}
	council.Publish(enquiry)
	r.Settle()
	if system.Stored() > 0 {
		t.Fatal("the receiver was busy, and yet stored")
	}
	r.Clock.Advance(2 * time.Minute)
	r.Settle()
	told := toAcknowledge.Load()
	if told == nil {
		t.Fatalf("the receiver was not called again; mail went to %v", r.MailTo())
	}
	if s := r.Summary(); s.Acknowledged != 0 {
		t.Fatal("a stored notice was taken for an acknowledged one")
	}
	_, err := inboxv1.NewInboxServiceClient(council.GRPC).Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: told.Id, Person: "Somebody else"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("an agency that was not told may acknowledge: %v", err)
	}
	if _, err := inboxv1.NewInboxServiceClient(home.GRPC).Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: told.Id, Person: "Petra Lund"}); err != nil {
		t.Fatal(err)
	}
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("%v", s)
	}
	r.Verify()
}

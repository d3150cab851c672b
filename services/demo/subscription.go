package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// subscriber is an agency that reads its inbox, and what it has read there.
type subscriber struct {
	*agency
	cursor string
	read   []*inboxv1.SubscribeResponse
}

// subscribe has the school nurses' system ask for outcomes, and the operator grant it.
func subscribe(ctx context.Context, s *stage) error {
	a := s.agencies[schoolNurses]
	asked, err := subscriptionv1.NewSubscriptionServiceClient(a.conn).Request(ctx, &subscriptionv1.RequestRequest{
		Kinds: []string{string(notice.ConferenceConcluded), string(notice.MedicalConcluded)}, Area: "E09000901",
		Purpose: "School nurses support these children, and hear of outcomes late.",
	})
	if err != nil {
		return rpc.Fault(err)
	}
	until := uk(time.December, 22, 0, 0)
	if _, err := subscriptionv1.NewSubscriptionServiceClient(s.conn).Grant(ctx, &subscriptionv1.GrantRequest{
		Id: asked.Id, Basis: "children_act_2004_s10", Authoriser: "Director of Children's Services",
		Until: timestamppb.New(until), ReviewOn: uk(time.September, 22, 0, 0).Format(time.DateOnly),
	}); err != nil {
		return rpc.Fault(err)
	}
	s.subscriber = &subscriber{agency: a}
	fmt.Fprintln(s.out)
	item(s.out, 1, "▸", "School nurses ask for the outcomes of conferences and medicals in the borough. The operator grants it on a lawful "+
		"basis, authorised by the director, until 22 December.")
	return s.act(ctx)
}

// readInbox has the subscriber take what lies in its inbox, and say that it has stored it.
func (s *stage) readInbox(ctx context.Context) error {
	if s.subscriber == nil {
		return nil
	}
	stream, err := s.subscriber.inbox.Subscribe(ctx, &inboxv1.SubscribeRequest{Cursor: s.subscriber.cursor, UntilNow: true})
	if err != nil {
		return rpc.Fault(err)
	}
	before := s.subscriber.cursor
	for {
		got, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rpc.Fault(err)
		}
		s.subscriber.cursor = got.Cursor
		s.subscriber.read = append(s.subscriber.read, got)
	}
	if s.subscriber.cursor == before {
		return nil
	}
	_, err = s.subscriber.inbox.Confirm(ctx, &inboxv1.ConfirmRequest{Cursor: s.subscriber.cursor})
	return rpc.Fault(err)
}

// showInbox shows what the subscriber has read: that there was a decision, and which. The child is for those who read it.
func showInbox(_ context.Context, s *stage) error {
	var lines []string
	for _, got := range s.subscriber.read {
		for _, ev := range got.GetNotice().GetEvents() {
			lines = append(lines, fmt.Sprintf("%s  %s, %s: %s", moment(got.At.AsTime().UnixMilli()), ev.Subject, got.GetNotice().Kind, outcome(ev)))
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("demo: nothing was read in the inbox")
	}
	s.box("The inbox of the school nurses' system: the child, that there was a decision, and which", strings.Join(lines, "\n"))
	return nil
}

// outcome is what an event says was decided.
func outcome(ev *eventv1.Event) string {
	said, from := "", ""
	switch payload := ev.Payload.(type) {
	case *eventv1.Event_ConferenceConcluded:
		said, from = payload.ConferenceConcluded.Outcome.String(), "CONFERENCE_OUTCOME_"
	case *eventv1.Event_MedicalConcluded:
		said, from = payload.MedicalConcluded.Outcome.String(), "MEDICAL_OUTCOME_"
	}
	return words(strings.ToLower(strings.TrimPrefix(said, from)))
}

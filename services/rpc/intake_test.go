package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// publish takes one event in as the police, and gives its sequence.
func (r *rig) publish(t *testing.T, ev *eventv1.Event) uint64 {
	t.Helper()
	response, err := intakev1.NewIntakeServiceClient(r.agency(t, police)).Publish(testContext(t), &intakev1.PublishRequest{Event: ev})
	if err != nil {
		t.Fatal(rpc.Fault(err))
	}
	return response.GetSequence()
}

func TestWhatWasPublishedIsInTheAgencysStream(t *testing.T) {
	r := newRig(t)
	ev := incident("i-1")
	sequence := r.publish(t, ev)
	kept := must(r.store.Events().Get(testContext(t), police, sequence))(t)
	var got eventv1.Event
	check(t, proto.Unmarshal(kept.Data, &got))
	if !proto.Equal(ev, &got) || kept.Subject != "signalbox.events.kestrel-vale-police.encompass" || !strings.HasPrefix(kept.Header.Get("Nats-Msg-Id"), "i-1#") {
		t.Errorf("kept %s under %s with %v", &got, kept.Subject, kept.Header)
	}
	r.settled(t, police, sequence)
}

func TestABadEventIsRefusedWithEveryFaultByField(t *testing.T) {
	r := newRig(t)
	in := intakev1.NewIntakeServiceClient(r.agency(t, police))
	for _, tc := range []struct {
		name   string
		change func(*eventv1.Event)
		want   []string
	}{
		{"two faults", func(ev *eventv1.Event) {
			ev.Children[0].DateOfBirth = "2099-01-01"
			ev.Area = "E09000999"
		}, []string{"area", "children[0].date_of_birth"}},
		{"another agency's", func(ev *eventv1.Event) { ev.Source = string(council) }, []string{"source"}},
		{"an exercise, to a live service", func(ev *eventv1.Event) { ev.Traffic = eventv1.Traffic_TRAFFIC_EXERCISE }, []string{"traffic"}},
		{"a kind that the agency may not publish", func(ev *eventv1.Event) {
			ev.Type = string(notice.ReferralReceived)
			ev.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: ev.Time}}
		}, []string{"people", "type"}},
		{"larger than an event may be", func(ev *eventv1.Event) { ev.Narrative.Restricted = strings.Repeat("a", 300<<10) }, []string{"event"}},
	} {
		ev := incident("i-1")
		tc.change(ev)
		_, err := in.Publish(testContext(t), &intakev1.PublishRequest{Event: ev})
		var fields []string
		for _, f := range notice.FieldsOf(rpc.Fault(err)) {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff(tc.want, fields); diff != "" || status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v; fields (-want +got):\n%s", tc.name, err, diff)
		}
	}
	if _, err := in.Publish(testContext(t), &intakev1.PublishRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no event: %v", err)
	}
	huge := incident("i-1")
	huge.Narrative.Restricted = strings.Repeat("a", 2<<20)
	if _, err := in.Publish(testContext(t), &intakev1.PublishRequest{Event: huge}); notice.KindOf(rpc.Fault(err)) != notice.Invalid || err == nil {
		t.Errorf("larger than a message may be: %v", err)
	}
	if last := must(r.store.Events().Last(testContext(t), police))(t); last != 0 {
		t.Errorf("%d events were taken", last)
	}
}

func TestAStreamAnswersEachEventInOrderAndGoesOnAfterARefusal(t *testing.T) {
	r := newRig(t)
	stream := must(intakev1.NewIntakeServiceClient(r.agency(t, police)).PublishStream(testContext(t)))(t)
	const n = 300
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			ev := incident(fmt.Sprintf("i-%d", i))
			if i%10 == 3 {
				ev.Area = "nowhere"
			}
			if err := stream.Send(&intakev1.PublishStreamRequest{Event: ev}); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	var sequences []uint64
	for i := range n {
		got, err := stream.Recv()
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		refused := i%10 == 3
		if got.GetId() != fmt.Sprintf("i-%d", i) || refused != (len(got.GetFaults()) > 0) || refused != (got.GetSequence() == 0) {
			t.Fatalf("answer %d: %v", i, got)
		}
		if !refused {
			sequences = append(sequences, got.GetSequence())
		} else if got.GetFaults()[0].GetField() != "area" {
			t.Errorf("answer %d: %v", i, got.GetFaults())
		}
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v", err)
	}
	check(t, <-sent)
	slices.Sort(sequences)
	if len(slices.Compact(sequences)) != n-n/10 || sequences[len(sequences)-1] != n-n/10 {
		t.Errorf("%d sequences up to %d", len(sequences), sequences[len(sequences)-1])
	}
}

func TestAServerThatStopsEndsOpenStreamsAndKeepsWhatItAnswered(t *testing.T) {
	r := newRig(t)
	stream := must(intakev1.NewIntakeServiceClient(r.agency(t, police)).PublishStream(testContext(t)))(t)
	check(t, stream.Send(&intakev1.PublishStreamRequest{Event: incident("i-1")}))
	answer := must(stream.Recv())(t)
	r.stop()
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("after the stop: %v", err)
	}
	if _, err := r.store.Events().Get(testContext(t), police, answer.GetSequence()); err != nil {
		t.Errorf("what was answered is gone: %v", err)
	}
}

// failing is a store that does not answer.
type failing struct{ rpc.Events }

func (failing) Publish(context.Context, notice.AgencyID, string, store.Header, []byte, string) (uint64, error) {
	return 0, notice.Faultf(notice.Unavailable, "store.PublishEvent", "no answer")
}

func TestAnEventThatIsNotKnownToBeStoredIsNotAnswered(t *testing.T) {
	r := newRig(t, func(r *rig) { r.deps.Events = failing{r.deps.Events} })
	in := intakev1.NewIntakeServiceClient(r.agency(t, police))
	if _, err := in.Publish(testContext(t), &intakev1.PublishRequest{Event: incident("i-1")}); status.Code(err) != codes.Unavailable {
		t.Errorf("Publish: %v", err)
	}
	stream := must(in.PublishStream(testContext(t)))(t)
	check(t, stream.Send(&intakev1.PublishStreamRequest{Event: incident("i-1")}))
	if got, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("PublishStream: %v, %v", got, err)
	}
}

// told is what an agency hears, a line for each change.
func told(changes []*intakev1.Change) []string {
	var lines []string
	for _, c := range changes {
		if s := c.GetStatus(); s != nil {
			lines = append(lines, fmt.Sprintf("%d: event %s (%d) child %s %s", s.GetCursor(), s.GetEventId(), s.GetSequence(), s.GetChildRef(),
				strings.TrimPrefix(s.GetState().String(), "CHILD_STATE_")))
		}
		if x := c.GetRejected(); x != nil {
			var faults []string
			for _, f := range x.GetFaults() {
				faults = append(faults, f.GetField()+" "+f.GetMessage())
			}
			lines = append(lines, fmt.Sprintf("%d: event %s (%d) rejected: %s", x.GetCursor(), x.GetEventId(), x.GetSequence(), strings.Join(faults, "; ")))
		}
	}
	return lines
}

func TestAPublisherHearsWhatBecameOfItsEvents(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.settled(t, police, r.publish(t, incident("i-1")))
	r.settled(t, police, r.publish(t, unknown("i-2")))
	bad := must(proto.Marshal(&eventv1.Event{Id: "i-3", Source: string(police), Type: "encompass.incident"}))(t)
	r.settled(t, police, must(r.store.Events().Publish(ctx, police, "encompass", store.Header{"Content-Type": {"application/protobuf"}}, bad, ""))(t))
	r.settled(t, police, must(r.store.Events().Publish(ctx, police, "encompass", nil, []byte("\xff"), ""))(t))
	reused := incident("i-1")
	reused.Risk = eventv1.RiskGrade_RISK_GRADE_STANDARD
	r.settled(t, police, r.publish(t, reused))
	r.settled(t, police, r.publish(t, incident("i-2x")))
	check(t, r.store.Events().Erase(ctx, police, 6))

	in := intakev1.NewIntakeServiceClient(r.agency(t, police))
	all := must(in.Feedback(ctx, &intakev1.FeedbackRequest{}))(t)
	got := told(all.GetChanges())
	want := []string{
		"1: event i-1 (1) child  ACCEPTED",
		"2: event i-1 (1) child c1 TOLD",
		"3: event i-2 (2) child  ACCEPTED",
		"4: event i-2 (2) child c1 UNMATCHED",
	}
	if diff := cmp.Diff(want, got[:4]); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for i, begin := range []string{
		"5: event i-3 (3) rejected: area ",
		"6: event  (4) rejected: ",
		"7: event i-1 (5) rejected: id was used before for other content, supersedes an event of another kind, or withdraws a withdrawal: publish the new content under a new id, with supersedes set to the event of its own kind",
		"8: event i-2x (6) child  ACCEPTED", // erased, and still in memory
	} {
		if len(got) < 5+i || !strings.HasPrefix(got[4+i], begin) {
			t.Errorf("change %d is not %q:\n%s", 5+i, begin, strings.Join(got, "\n"))
		}
	}
	if all.GetCursor() != uint64(len(got)) {
		t.Errorf("cursor %d after %d changes", all.GetCursor(), len(got))
	}
	page := must(in.Feedback(ctx, &intakev1.FeedbackRequest{After: 1, Limit: 2}))(t)
	if diff := cmp.Diff(got[1:3], told(page.GetChanges())); diff != "" || page.GetCursor() != 3 {
		t.Errorf("a page, cursor %d (-want +got):\n%s", page.GetCursor(), diff)
	}
	none := must(in.Feedback(ctx, &intakev1.FeedbackRequest{After: all.GetCursor()}))(t)
	if len(none.GetChanges()) != 0 || none.GetCursor() != all.GetCursor() {
		t.Errorf("after the last: %v", none)
	}
	others := must(intakev1.NewIntakeServiceClient(r.agency(t, council)).Feedback(ctx, &intakev1.FeedbackRequest{}))(t)
	if len(others.GetChanges()) != 0 {
		t.Errorf("another agency hears %v", told(others.GetChanges()))
	}
}

func TestTheQuarantineIsListedToWhomItConcerns(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	for _, a := range []notice.AgencyID{police, council} {
		must(r.store.Events().Publish(ctx, a, "encompass", nil, []byte("\xff"), ""))(t)
		r.settled(t, a, 1)
	}
	agency := intakev1.NewIntakeServiceClient(r.agency(t, police))
	operator := intakev1.NewIntakeServiceClient(r.operator(t))
	list := func(in intakev1.IntakeServiceClient, of notice.AgencyID) []string {
		var agencies []string
		for _, q := range must(in.Quarantine(ctx, &intakev1.QuarantineRequest{Agency: string(of)}))(t).GetQuarantined() {
			if q.GetSize() != 1 || len(q.GetFaults()) == 0 || q.GetFaults()[0].GetMessage() == "" || !q.GetAt().IsValid() {
				t.Errorf("listed as %v", q)
			}
			agencies = append(agencies, q.GetAgency())
		}
		return agencies
	}
	for _, tc := range []struct {
		name string
		got  []string
		want []string
	}{
		{"an agency sees its own", list(agency, ""), []string{string(police)}},
		{"an agency may name itself", list(agency, police), []string{string(police)}},
		{"an operator sees all", list(operator, ""), []string{string(police), string(council)}},
		{"an operator may choose", list(operator, council), []string{string(council)}},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	if _, err := agency.Quarantine(ctx, &intakev1.QuarantineRequest{Agency: string(council)}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another agency's: %v", err)
	}
	if _, err := operator.Quarantine(ctx, &intakev1.QuarantineRequest{Agency: "No Agency"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no agency's id: %v", err)
	}
}

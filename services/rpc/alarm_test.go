package rpc_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// watch is a guard that says what it is told to.
type watch struct {
	mu     sync.Mutex
	full   bool
	raised []alarm.Alarm
	blind  bool
}

func (w *watch) Alarms() ([]alarm.Alarm, string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind {
		return nil, "", false, notice.Faultf(notice.Unavailable, "watch", "not yet")
	}
	return w.raised, "one", true, nil
}

func (w *watch) Admit() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		return notice.Fault(notice.Unavailable, "watch", errors.New("the store is nearly full"))
	}
	return nil
}

func (w *watch) set(change func(*watch)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

func TestAnEventThatThereIsNoRoomForIsRefusedWithATimeToTryAgain(t *testing.T) {
	w := &watch{full: true}
	r := newRig(t, func(r *rig) { r.deps.Guard = w })
	client := intakev1.NewIntakeServiceClient(r.agency(t, police))
	ctx := testContext(t)
	refused := func(err error) {
		t.Helper()
		st := status.Convert(err)
		if st.Code() != codes.Unavailable || st.Message() != "the store is nearly full" || len(st.Details()) != 1 {
			t.Fatalf("%v with %d details", err, len(st.Details()))
		}
		if retry, ok := st.Details()[0].(*errdetails.RetryInfo); !ok || retry.GetRetryDelay().AsDuration() < time.Second {
			t.Errorf("no time to try again: %v", st.Details())
		}
	}
	_, err := client.Publish(ctx, &intakev1.PublishRequest{Event: incident("kv-1")})
	refused(err)
	stream := must(client.PublishStream(ctx))(t)
	check(t, stream.Send(&intakev1.PublishStreamRequest{Event: incident("kv-1")}))
	_, err = stream.Recv()
	refused(err)
	if last := must(r.store.Events().Last(ctx, police))(t); last != 0 {
		t.Errorf("%d events are stored that were refused", last)
	}

	w.set(func(w *watch) { w.full = false })
	if response := must(client.Publish(ctx, &intakev1.PublishRequest{Event: incident("kv-1")}))(t); response.GetSequence() != 1 {
		t.Errorf("with room again: %v", response)
	}
}

func TestOperatorsSeeWhatIsRaisedAndAgenciesDoNot(t *testing.T) {
	w := &watch{blind: true}
	r := newRig(t, func(r *rig) { r.deps.Guard = w })
	ctx := testContext(t)
	client := alarmv1.NewAlarmServiceClient(r.operator(t))
	if _, err := client.List(ctx, &alarmv1.ListRequest{}); notice.KindOf(rpc.Fault(err)) != notice.Unavailable {
		t.Errorf("a guard that has not looked: %v", err)
	}
	kinds := alarm.Kinds()
	w.set(func(w *watch) {
		w.blind = false
		w.raised = []alarm.Alarm{{Kind: kinds[0], Since: evening, Text: "so it is", Subjects: []string{"n1"}, Count: 7}}
	})
	want := &alarmv1.ListResponse{Instance: "one", Leads: true, Alarms: []*alarmv1.Alarm{{
		Code: "oldest-undispatched", Severity: alarmv1.Severity_SEVERITY_CRITICAL, SinceMs: evening.UnixMilli(), Text: "so it is",
		Meaning: kinds[0].Meaning, Runbook: "docs/runbooks/oldest-undispatched.md", Subjects: []string{"n1"}, Count: 7,
	}}}
	got := must(client.List(ctx, &alarmv1.ListRequest{}))(t)
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, err := client.ConfirmClock(ctx, &alarmv1.ConfirmClockRequest{Reason: "it is right"})
	if notice.KindOf(rpc.Fault(err)) != notice.Precondition {
		t.Errorf("a clock that nobody doubts was confirmed: %v", err)
	}
	if _, err := alarmv1.NewAlarmServiceClient(r.agency(t, police)).List(ctx, &alarmv1.ListRequest{}); notice.KindOf(rpc.Fault(err)) != notice.Denied {
		t.Errorf("an agency sees the alarms: %v", err)
	}
}

package push

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
)

// DeliverBatch answers as a test tells it; without a word from the test there is no such method.
func (r *receiver) DeliverBatch(ctx context.Context, req *noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
	r.mu.Lock()
	r.batches = append(r.batches, req)
	r.until, _ = ctx.Deadline()
	several := r.several
	r.mu.Unlock()
	if several == nil {
		return nil, status.Error(codes.Unimplemented, "no such method")
	}
	return several(req)
}

func (r *receiver) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var keys []string
	for _, req := range r.requests {
		keys = append(keys, req.IdempotencyKey)
	}
	return keys
}

func (r *receiver) batched() (sizes []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.batches {
		sizes = append(sizes, len(b.Deliveries))
	}
	return sizes
}

// busy is a receiver whose first calls last until they are let go.
type busy struct {
	*receiver
	sender *Sender
	gate   chan struct{}
	others sync.WaitGroup
}

type several func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error)

// startBusy has as many calls under way as there may be.
func startBusy(t *testing.T, answer several) *busy {
	t.Helper()
	b := &busy{gate: make(chan struct{})}
	var calls atomic.Int32
	b.receiver = startReceiver(t, func(ctx context.Context) error {
		if calls.Add(1) > callsAtOnce {
			return nil
		}
		select {
		case <-b.gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	b.several = answer
	b.sender = b.receiver.sender(t, func(c *Config) { c.Timeout = time.Minute })
	for i := range callsAtOnce {
		b.others.Go(func() { b.sender.Send(t.Context(), b.numbered(i)) })
	}
	await(t, func() bool { return len(b.taken()) == callsAtOnce })
	return b
}

func (b *busy) numbered(i int) delivery.Message {
	m := b.message()
	m.Notice = &noticev1.Notice{Id: fmt.Sprintf("notice-%03d", i), Version: 1}
	return m
}

// send sends until all wait, lets one of the calls under way end, and returns what became of those that waited.
func (b *busy) send(t *testing.T, contexts ...context.Context) []delivery.Result {
	t.Helper()
	var all sync.WaitGroup
	results := make([]delivery.Result, len(contexts))
	for i, ctx := range contexts {
		all.Go(func() { results[i] = b.sender.Send(ctx, b.numbered(callsAtOnce+i)) })
		await(t, func() bool { return b.waiting(t) == i+1 }) // in order
	}
	b.gate <- struct{}{}
	all.Wait()
	close(b.gate)
	b.others.Wait()
	return results
}

func (b *busy) waiting(t *testing.T) int {
	l, err := b.sender.line(b.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

func await(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come to it")
		}
	}
}

func contexts(t *testing.T, n int) []context.Context {
	return slices.Repeat([]context.Context{t.Context()}, n)
}

func stored(r *noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
	response := &noticev1.DeliverBatchResponse{}
	for range r.Deliveries {
		response.Results = append(response.Results, &noticev1.DeliveryResult{})
	}
	return response, nil
}

func TestWhatWaitsForABusyReceiverGoesTogether(t *testing.T) {
	b := startBusy(t, stored)
	for i, result := range b.send(t, contexts(t, batchNotices+10)...) {
		if want := (delivery.Result{Outcome: delivery.Delivered, Detail: "grpc ok"}); result != want {
			t.Errorf("notice %d: %+v", i, result)
		}
	}
	if diff := cmp.Diff([]int{batchNotices, 10}, b.batched()); diff != "" {
		t.Errorf("sizes of the calls for several (-want +got):\n%s", diff)
	}
	var keys []string
	for _, batch := range b.batches {
		for _, d := range batch.Deliveries {
			keys = append(keys, d.IdempotencyKey)
		}
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != batchNotices+10 || len(b.taken()) != callsAtOnce {
		t.Errorf("%d notices came together and %d singly", len(keys), len(b.taken()))
	}
}

func TestEachNoticeOfABatchHasAnOutcomeOfItsOwn(t *testing.T) {
	results := []*noticev1.DeliveryResult{
		{},
		{Code: int32(codes.InvalidArgument)},
		{Code: int32(codes.Unavailable), RetryAfter: durationpb.New(time.Minute)},
		{Code: int32(codes.AlreadyExists)},
		{Code: int32(codes.DeadlineExceeded)},
		{Code: -1},
	}
	b := startBusy(t, func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
		return &noticev1.DeliverBatchResponse{Results: results}, nil
	})
	want := []delivery.Result{
		{Outcome: delivery.Delivered, Detail: "grpc ok"},
		{Outcome: delivery.Permanent, Detail: "grpc invalid argument"},
		{Outcome: delivery.Transient, RetryAfter: time.Minute, Detail: "grpc unavailable"},
		{Outcome: delivery.Delivered, Detail: "grpc already exists"},
		{Outcome: delivery.Unknown, Detail: "grpc deadline exceeded"},
		{Outcome: delivery.Transient, Detail: "grpc unknown"},
	}
	if diff := cmp.Diff(want, b.send(t, contexts(t, len(results))...)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestANoticeOfABatchWithoutAResultIsUnknown(t *testing.T) {
	b := startBusy(t, func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
		return &noticev1.DeliverBatchResponse{Results: []*noticev1.DeliveryResult{{}}}, nil
	})
	for i, result := range b.send(t, contexts(t, 3)...) {
		if result.Outcome != delivery.Unknown {
			t.Errorf("notice %d: %+v", i, result) // whose result the one is cannot be told
		}
	}
}

func TestAReceiverWithoutBatchesHasEachNoticeSingly(t *testing.T) {
	b := startBusy(t, nil)
	for i, result := range b.send(t, contexts(t, 5)...) {
		if result.Outcome != delivery.Delivered {
			t.Errorf("notice %d: %+v", i, result)
		}
	}
	if diff := cmp.Diff([]int{5}, b.batched()); diff != "" {
		t.Errorf("it was asked for batches again (-want +got):\n%s", diff)
	}
	for _, r := range b.requests {
		if r.PossibleDuplicate {
			t.Errorf("%s is called a possible duplicate: nothing took it before", r.IdempotencyKey)
		}
	}
	if len(b.requests) != callsAtOnce+5 {
		t.Errorf("%d notices, want %d", len(b.requests), callsAtOnce+5)
	}
}

func TestABatchThatIsRefusedGoesSingly(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Internal, codes.ResourceExhausted} {
		t.Run(code.String(), func(t *testing.T) {
			b := startBusy(t, func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
				return nil, status.Error(code, "one of them, or all")
			})
			for i, result := range b.send(t, contexts(t, 3)...) {
				if result.Outcome != delivery.Delivered {
					t.Errorf("notice %d: %+v", i, result)
				}
			}
			for _, r := range b.requests[callsAtOnce:] {
				if !r.PossibleDuplicate {
					t.Errorf("%s came in a batch that may have been stored in part, and is not marked so", r.IdempotencyKey)
				}
			}
		})
	}
}

func TestAReceiverThatSaysNotNowOfABatchHasNoneOfIt(t *testing.T) {
	later, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(90 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	b := startBusy(t, func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) { return nil, later.Err() })
	for i, result := range b.send(t, contexts(t, 3)...) {
		if want := (delivery.Result{Outcome: delivery.Transient, RetryAfter: 90 * time.Second, Detail: "grpc resource exhausted"}); result != want {
			t.Errorf("notice %d: %+v", i, result)
		}
	}
}

func TestWhatMayNoLongerBeSentLeavesTheBatch(t *testing.T) {
	b := startBusy(t, stored)
	withdrawn := delivery.WithLease(t.Context(), func() bool { return false })
	got := b.send(t, t.Context(), withdrawn, t.Context())
	want := []delivery.Outcome{delivery.Delivered, delivery.Transient, delivery.Delivered}
	for i, result := range got {
		if result.Outcome != want[i] {
			t.Errorf("notice %d: %+v, want %v", i, result, want[i])
		}
	}
	if diff := cmp.Diff([]int{2}, b.batched()); diff != "" {
		t.Errorf("sizes of the calls for several (-want +got):\n%s", diff)
	}
}

func TestWhatIsUrgentWaitsForNoCallOfOthers(t *testing.T) {
	b := startBusy(t, stored)
	urgent := func(i int) delivery.Message {
		m := b.numbered(i)
		m.Urgent = true
		return m
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { b.sender.Send(t.Context(), b.numbered(callsAtOnce)) })
	await(t, func() bool { return b.waiting(t) == 1 })
	for i := range 2 * urgentCalls { // one after the other: each gives back what it took
		if result := b.sender.Send(t.Context(), urgent(callsAtOnce+1+i)); result.Outcome != delivery.Delivered {
			t.Errorf("%+v", result)
			break
		}
	}
	if b.waiting(t) != 1 {
		t.Error("what is not urgent went with it")
	}
	close(b.gate)
	waiting.Wait()
	b.others.Wait()
}

func TestWhatIsUrgentAndHasToWaitIsBeforeOthers(t *testing.T) {
	b := startBusy(t, stored)
	l, err := b.sender.line(b.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.calls += urgentCalls // as many urgent calls under way as there may be
	l.mu.Unlock()
	var all sync.WaitGroup
	for i, name := range []string{"first", "urgent first", "second", "urgent second"} {
		m := b.message()
		m.Notice, m.Urgent = &noticev1.Notice{Id: name}, strings.HasPrefix(name, "urgent")
		all.Go(func() { b.sender.Send(t.Context(), m) })
		await(t, func() bool { return b.waiting(t) == i+1 })
	}
	var order []string
	l.mu.Lock()
	for _, w := range l.waiting {
		order = append(order, w.request.Notice.Id)
	}
	l.mu.Unlock()
	if diff := cmp.Diff([]string{"urgent first", "urgent second", "first", "second"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for range urgentCalls { // they end
		l.next()
	}
	close(b.gate)
	all.Wait()
	b.others.Wait()
	if l.calls != 0 {
		t.Errorf("%d calls are counted and none is under way", l.calls)
	}
}

func TestWhoWaitsTooLongWasNotSent(t *testing.T) {
	b := startBusy(t, stored)
	ended, end := context.WithCancel(t.Context())
	var result delivery.Result
	var sent sync.WaitGroup
	sent.Go(func() { result = b.sender.Send(ended, b.numbered(callsAtOnce)) })
	await(t, func() bool { return b.waiting(t) == 1 })
	end()
	sent.Wait()
	if result.Outcome != delivery.Transient || b.waiting(t) != 0 {
		t.Errorf("%+v, %d wait", result, b.waiting(t))
	}
	close(b.gate)
	b.others.Wait()
	if len(b.taken()) != callsAtOnce || len(b.batched()) != 0 {
		t.Error("it was sent all the same")
	}
}

func TestACallForSeveralHasTheTimeOfACallHoweverLongTheyWaited(t *testing.T) {
	b := startBusy(t, stored)
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() { b.sender.Send(t.Context(), b.numbered(callsAtOnce+i)) })
		await(t, func() bool { return b.waiting(t) == i+1 })
	}
	waited := time.Now()
	await(t, func() bool { return time.Since(waited) > 300*time.Millisecond })
	begun := time.Now()
	b.gate <- struct{}{}
	all.Wait()
	close(b.gate)
	b.others.Wait()
	if short := begun.Add(b.sender.timeout).Sub(b.until); len(b.batched()) != 1 || short > 0 {
		t.Errorf("a receiver that stores them one by one has %s less for it, because the first had waited", short)
	}
}

func TestOneThatIsCalledOffAtTheLastMomentDelaysNoOther(t *testing.T) {
	b := startBusy(t, stored)
	var asked atomic.Int32
	withdrawn := delivery.WithLease(t.Context(), func() bool { return asked.Add(1) == 1 }) // just after it joined the batch
	got := b.send(t, t.Context(), withdrawn, t.Context())
	want := []delivery.Outcome{delivery.Delivered, delivery.Transient, delivery.Delivered}
	for i, result := range got {
		if result.Outcome != want[i] {
			t.Errorf("notice %d: %+v, want %v", i, result, want[i])
		}
	}
	for _, r := range b.requests {
		if r.PossibleDuplicate || r.IdempotencyKey == IdempotencyKey(b.numbered(callsAtOnce+1).Notice) {
			t.Errorf("%s went out, possible duplicate %t", r.IdempotencyKey, r.PossibleDuplicate)
		}
	}
}

func TestABatchThatBrokeOffMidwayIsUnknown(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.Aborted} {
		b := startBusy(t, func(*noticev1.DeliverBatchRequest) (*noticev1.DeliverBatchResponse, error) {
			return nil, status.Error(code, "the second of them could not be stored")
		})
		for i, result := range b.send(t, contexts(t, 3)...) {
			if result.Outcome != delivery.Unknown {
				t.Errorf("notice %d: %+v, and the receiver may have it", i, result)
			}
		}
	}
}

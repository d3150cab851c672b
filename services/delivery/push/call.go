package push

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
)

// longestWait bounds what a receiver can ask for: its mistake must not hold a notice back past its time.
const longestWait = 15 * time.Minute

// call follows one call, because a status alone does not tell whether the notice left: gRPC says Unavailable for a
// refused connection, for one that broke while the receiver worked, and for a receiver that says so itself.
type call struct {
	sends    []context.Context // of every notice that goes in it
	sent     atomic.Bool       // they went to the transport
	answered atomic.Bool       // the receiver itself ended the call
}

// held says whether every send of the call may still begin.
func (c *call) held() bool {
	for _, ctx := range c.sends {
		if !delivery.Held(ctx) {
			return false
		}
	}
	return true
}

// result is what the end of a call says about what went in it.
func (c *call) result(err error) delivery.Result {
	st := status.Convert(err)
	switch {
	case c.answered.Load():
		return answer(st.Code(), retryAfter(st))
	case err == nil:
		return answer(codes.OK, 0)
	case c.sent.Load():
		return delivery.Result{Outcome: delivery.Unknown, Detail: detail(st.Code())}
	default:
		return delivery.Result{Outcome: delivery.Transient, Detail: detail(st.Code())}
	}
}

// turns is what the end of a call says about each of the notices that went in it. Where the receiver refused them
// together, or one was called off before any left, each is to go by a call of its own: what is wrong with one says nothing
// about another.
func (c *call) turns(results []*noticev1.DeliveryResult, err error, notices int) []turn {
	turns := make([]turn, notices)
	for i := range turns {
		switch {
		case err != nil && (c.refusedTogether(err) || c.calledOff()):
			turns[i] = turn{do: callForSelf}
		case err != nil && c.mayBeStoredInPart(err):
			turns[i] = turn{do: beOver, result: delivery.Result{Outcome: delivery.Unknown, Detail: detail(status.Code(err))}}
		case err != nil:
			turns[i] = turn{do: beOver, result: c.result(err)}
		case len(results) != notices:
			turns[i] = turn{do: beOver, result: delivery.Result{Outcome: delivery.Unknown, Detail: "grpc another number of results than of notices"}}
		default:
			wait := min(max(results[i].GetRetryAfter().AsDuration(), 0), longestWait)
			turns[i] = turn{do: beOver, result: answer(codes.Code(uint32(results[i].GetCode())), wait)}
		}
	}
	return turns
}

// calledOff says whether nothing of a call left, because one of the sends in it may no longer begin.
func (c *call) calledOff() bool { return !c.sent.Load() && !c.answered.Load() && !c.held() }

// mayBeStoredInPart says whether a receiver that stores the notices of a call one by one can have ended it so midway. One
// that says when to come again was asked too early, and has none.
func (c *call) mayBeStoredInPart(err error) bool {
	st := status.Convert(err)
	return c.answered.Load() && (st.Code() == codes.Unavailable || st.Code() == codes.Aborted) && retryAfter(st) == 0
}

// refusedTogether says whether the receiver itself ended a call for several notices in a way that may be about one of them,
// or about their coming together.
func (c *call) refusedTogether(err error) bool {
	if !c.answered.Load() {
		return false
	}
	st := status.Convert(err)
	switch st.Code() {
	case codes.Unavailable, codes.Aborted, codes.DeadlineExceeded, codes.Canceled:
		return false
	case codes.ResourceExhausted: // busy, if it says for how long; otherwise perhaps too large
		return retryAfter(st) == 0
	default:
		return true
	}
}

// answer is what a receiver's own answer means.
func answer(code codes.Code, wait time.Duration) delivery.Result {
	r := delivery.Result{Detail: detail(code)}
	switch code {
	case codes.OK, codes.AlreadyExists: // it knows the key: an earlier try arrived
		r.Outcome = delivery.Delivered
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.NotFound,
		codes.FailedPrecondition, codes.OutOfRange:
		r.Outcome = delivery.Permanent
	case codes.DeadlineExceeded, codes.Canceled: // its own work was cut short, perhaps after it stored the notice
		r.Outcome = delivery.Unknown
	default:
		r.Outcome, r.RetryAfter = delivery.Transient, wait
	}
	return r
}

func retryAfter(st *status.Status) time.Duration {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return min(max(info.GetRetryDelay().AsDuration(), 0), longestWait)
		}
	}
	return 0
}

func detail(c codes.Code) string {
	if c == codes.OK {
		return "grpc ok"
	}
	return "grpc " + codeName(c)
}

// codeName is the code in lower case words: "deadline exceeded". A number outside the list is "unknown".
func codeName(c codes.Code) string {
	if c > codes.Unauthenticated {
		c = codes.Unknown
	}
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// progress notes in the call of the context how far it got.
type progress struct{}

func (progress) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (progress) HandleRPC(ctx context.Context, s stats.RPCStats) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return
	}
	switch s.(type) {
	case *stats.OutPayload:
		c.sent.Store(true)
	case *stats.InTrailer:
		c.answered.Store(true)
	}
}

func (progress) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (progress) HandleConn(context.Context, stats.ConnStats)                       {}

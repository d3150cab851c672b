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

	"github.com/signalbox-hq/signalbox/services/delivery"
)

// longestWait bounds what a receiver can ask for: its mistake must not hold a notice back past its time.
const longestWait = 15 * time.Minute

// call follows one call, because a status alone does not tell whether the notice left: gRPC says Unavailable for a
// refused connection, for one that broke while the receiver worked, and for a receiver that says so itself.
type call struct {
	sent     atomic.Bool // the notice went to the transport
	answered atomic.Bool // the receiver itself ended the call
}

func (c *call) result(err error) delivery.Result {
	st := status.Convert(err)
	code := st.Code()
	detail := "grpc " + codeName(code)
	switch code {
	case codes.OK:
		return delivery.Result{Outcome: delivery.Delivered, Detail: detail}
	case codes.AlreadyExists: // it knows the key: an earlier try arrived
		if c.answered.Load() {
			return delivery.Result{Outcome: delivery.Delivered, Detail: detail}
		}
	}
	if !c.sent.Load() {
		return delivery.Result{Outcome: delivery.Transient, Detail: detail}
	}
	if !c.answered.Load() {
		return delivery.Result{Outcome: delivery.Unknown, Detail: detail}
	}
	switch code {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.NotFound,
		codes.FailedPrecondition, codes.OutOfRange:
		return delivery.Result{Outcome: delivery.Permanent, Detail: detail}
	case codes.DeadlineExceeded, codes.Canceled: // its own work was cut short, perhaps after it stored the notice
		return delivery.Result{Outcome: delivery.Unknown, Detail: detail}
	default:
		return delivery.Result{Outcome: delivery.Transient, RetryAfter: retryAfter(st), Detail: detail}
	}
}

func retryAfter(st *status.Status) time.Duration {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return min(max(info.GetRetryDelay().AsDuration(), 0), longestWait)
		}
	}
	return 0
}

// codeName is the code in lower case words: "deadline exceeded". A number outside the list is "unknown".
func codeName(c codes.Code) string {
	if c > codes.Unauthenticated {
		c = codes.Unknown
	}
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' && c != codes.OK {
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

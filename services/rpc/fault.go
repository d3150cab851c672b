package rpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// toStatus gives an error the form of the wire: its kind as a code, its field faults as google.rpc.BadRequest. A fault
// of our own says nothing but a reference, under which it is to be logged.
func toStatus(ctx context.Context, err error) (st *status.Status, reference string) {
	switch {
	case err == nil:
		return status.New(codes.OK, ""), ""
	case ctx.Err() != nil && (notice.KindOf(err) == notice.Unavailable || errors.Is(err, ctx.Err())):
		return status.FromContextError(ctx.Err()), "" // the caller no longer waits
	case isStatus(err):
		return status.Convert(err), ""
	}
	kind := notice.KindOf(err)
	if kind == notice.Internal {
		reference = newReference()
		return status.New(codes.Internal, "internal error, reference "+reference), reference
	}
	fields := notice.FieldsOf(err)
	if len(fields) == 0 {
		return status.New(codeOf(kind), text(err)), ""
	}
	st = status.New(codeOf(kind), fmt.Sprintf("refused: %d faults, by field", len(fields)))
	if len(fields) == 1 {
		st = status.New(codeOf(kind), "refused: "+fields[0].Field+": "+fields[0].Message)
	}
	request := &errdetails.BadRequest{}
	for _, f := range fields {
		request.FieldViolations = append(request.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: f.Field, Description: f.Message,
		})
	}
	detailed, err := st.WithDetails(request)
	if err != nil {
		return st, "" // only where a text is not UTF-8: the code stands without its details
	}
	return detailed, ""
}

func newReference() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return hex.EncodeToString(random[:])
}

// text is what a fault says, without the places in the code that it came through.
func text(err error) string {
	var fault *notice.Error
	if !errors.As(err, &fault) {
		return err.Error()
	}
	if fault.Err == nil {
		return fault.Kind.String()
	}
	var inner *notice.Error
	if errors.As(fault.Err, &inner) && inner.Error() == fault.Err.Error() {
		return text(inner)
	}
	return fault.Err.Error()
}

func codeOf(kind notice.Kind) codes.Code {
	switch kind {
	case notice.Invalid:
		return codes.InvalidArgument
	case notice.NotFound:
		return codes.NotFound
	case notice.Conflict:
		return codes.Aborted
	case notice.Denied:
		return codes.PermissionDenied
	case notice.Unavailable:
		return codes.Unavailable
	case notice.Precondition:
		return codes.FailedPrecondition
	case notice.Internal:
		return codes.Internal
	default:
		return codes.Internal
	}
}

// Fault is the way back, for clients: it makes a classified fault of the error of a call, with its fields. The end of a
// stream (io.EOF) and nil stay as they are.
func Fault(err error) error {
	const op = "rpc"
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	fault := &notice.Error{Kind: kindOf(st.Code()), Op: op, Err: errors.New(st.Message())}
	for _, detail := range st.Details() {
		if request, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range request.GetFieldViolations() {
				fault.Fields = append(fault.Fields, notice.FieldFault{Field: v.GetField(), Message: v.GetDescription()})
			}
		}
	}
	if len(fault.Fields) > 0 {
		fault.Err = errors.New("refused")
	}
	return fault
}

func kindOf(code codes.Code) notice.Kind {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange, codes.ResourceExhausted: // the last: larger than a message may be
		return notice.Invalid
	case codes.NotFound:
		return notice.NotFound
	case codes.Aborted, codes.AlreadyExists:
		return notice.Conflict
	case codes.PermissionDenied, codes.Unauthenticated:
		return notice.Denied
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return notice.Unavailable
	case codes.FailedPrecondition:
		return notice.Precondition
	default:
		return notice.Internal
	}
}

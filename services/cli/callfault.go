package cli

import (
	"crypto/tls"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// largestAnswer is the most bytes that are taken as one answer: a long timeline is a single message.
const largestAnswer = 256 << 20

func newConn(address string, config *tls.Config) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(grpccredentials.NewTLS(config)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestAnswer)))
}

// fault turns a failed call into a fault that says what to do.
func (l link) fault(err error) error {
	const op = "cli.call"
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	text := s.Message()
	switch s.Code() {
	case codes.Unavailable:
		return notice.Fault(notice.Unavailable, op, l.unreachable(text))
	case codes.DeadlineExceeded:
		return notice.Faultf(notice.Unavailable, op,
			"%s gave no answer within %s: wait longer with --timeout, or see the service's log", l.Server, l.Timeout)
	case codes.Canceled:
		return notice.Faultf(notice.Unavailable, op, "interrupted before the answer came")
	case codes.Unauthenticated, codes.PermissionDenied:
		return notice.Faultf(notice.Denied, op, "refused to the %s %s: %s", l.who.peer.Kind, l.who.peer.Name, text)
	case codes.Unimplemented:
		return notice.Faultf(notice.Invalid, op, "the service at %s does not know this command: it is of another version, or not Signalbox", l.Server)
	}
	kind := kindOf(s.Code())
	if fields := violations(s); len(fields) > 0 {
		return &notice.Error{Kind: kind, Op: op, Err: headline(text, fields), Fields: fields}
	}
	return notice.Fault(kind, op, errors.New(text))
}

// unreachable tells apart a service that is not there and one that does not get on with the identity.
func (l link) unreachable(text string) error {
	switch {
	case strings.Contains(text, "authentication handshake failed"), strings.Contains(text, "tls:"), strings.Contains(text, "x509:"):
		return errors.New("the service at " + l.Server + " and the identity " + l.who.dir +
			" do not trust each other (" + lastPart(text) + "): use an identity made by this service, and an address that is among its `names`")
	case strings.Contains(text, "connection error"), strings.Contains(text, "dial "), strings.Contains(text, "EOF"):
		return errors.New("no Signalbox answers at " + l.Server + " (" + lastPart(text) +
			"): start it (signalbox serve, signalbox demo), or name another address with --server HOST:PORT or SIGNALBOX_SERVER")
	default:
		return errors.New("the service at " + l.Server + " cannot do this now (" + text + "): try again shortly")
	}
}

// lastPart is the end of a chain of errors, which says what happened.
func lastPart(text string) string {
	text = strings.Trim(text, `"`)
	if _, after, ok := strings.Cut(text, "authentication handshake failed: "); ok {
		return after
	}
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

func kindOf(code codes.Code) notice.Kind {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange, codes.ResourceExhausted:
		return notice.Invalid
	case codes.NotFound:
		return notice.NotFound
	case codes.AlreadyExists, codes.Aborted:
		return notice.Conflict
	case codes.FailedPrecondition:
		return notice.Precondition
	default:
		return notice.Internal
	}
}

// violations are the faults by field that a status carries.
func violations(s *status.Status) []notice.FieldFault {
	var fields []notice.FieldFault
	for _, detail := range s.Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range bad.GetFieldViolations() {
			fields = append(fields, notice.FieldFault{Field: v.GetField(), Message: v.GetDescription()})
		}
	}
	return fields
}

// headline is what a status says besides its fields: a text that lists them again says nothing more.
func headline(text string, fields []notice.FieldFault) error {
	if strings.Contains(text, fields[0].Message) {
		return errors.New("refused")
	}
	return errors.New(text)
}

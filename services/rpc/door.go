package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	middleware "github.com/grpc-ecosystem/go-grpc-middleware/v2"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// door is what every call comes through: it is logged, its faults are put into the form of the wire, its caller is
// known and allowed, and its request keeps to the contract.
type door struct {
	current   func() (*directory.Snapshot, *policy.Policy)
	validator protovalidate.Validator
	logger    *zap.Logger
}

func (d *door) unary() []grpc.UnaryServerInterceptor {
	allowed := rules()
	return []grpc.UnaryServerInterceptor{
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			began := time.Now()
			resp, err := handler(ctx, req)
			err = d.settle(ctx, info.FullMethod, began, err)
			return resp, err
		},
		recovery.UnaryServerInterceptor(recovery.WithRecoveryHandler(panicked)),
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			snapshot, _ := d.current()
			c, err := admit(ctx, info.FullMethod, allowed, snapshot)
			if err != nil {
				return nil, err
			}
			if err := d.validate(req); err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, maxCall)
			defer cancel()
			return handler(context.WithValue(ctx, callerKey{}, c), req)
		},
	}
}

func (d *door) stream() []grpc.StreamServerInterceptor {
	allowed := rules()
	return []grpc.StreamServerInterceptor{
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			began := time.Now()
			return d.settle(ss.Context(), info.FullMethod, began, handler(srv, ss))
		},
		recovery.StreamServerInterceptor(recovery.WithRecoveryHandler(panicked)),
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			snapshot, _ := d.current()
			c, err := admit(ss.Context(), info.FullMethod, allowed, snapshot)
			if err != nil {
				return err
			}
			wrapped := middleware.WrapServerStream(ss)
			wrapped.WrappedContext = context.WithValue(ss.Context(), callerKey{}, c)
			return handler(srv, &validating{WrappedServerStream: wrapped, door: d})
		},
	}
}

// panicked makes a fault of our own of a panic. What was panicked with may hold anything, so its type alone is kept.
func panicked(p any) error { return notice.Faultf(notice.Internal, "rpc", "panic with %T", p) }

// settle logs the end of a call and gives its error the form of the wire.
func (d *door) settle(ctx context.Context, method string, began time.Time, err error) error {
	st, reference := toStatus(ctx, err)
	who := "nobody"
	if peer, err := identity.PeerFromCert(certificateOf(ctx)); err == nil {
		who = caller{Peer: peer}.by()
	}
	if reference != "" {
		d.logger.Error("a call failed by a fault of our own", zap.String("reference", reference), zap.Error(err))
	}
	d.logger.Info("call", zap.String("method", method), zap.String("peer", who), zap.Stringer("code", st.Code()),
		zap.Duration("duration", time.Since(began)))
	return st.Err()
}

// validating holds every message of a stream against the contract.
type validating struct {
	*middleware.WrappedServerStream
	door *door
}

// RecvMsg receives a message and validates it.
func (v *validating) RecvMsg(m any) error {
	if err := v.WrappedServerStream.RecvMsg(m); err != nil {
		return err
	}
	return v.door.validate(m)
}

// validate holds a request against the rules in its contract. Events are intake's to judge, which holds them against the
// same rules and says what to do about each fault.
func (d *door) validate(req any) error {
	switch req.(type) {
	case *intakev1.PublishRequest, *intakev1.PublishStreamRequest, *routingv1.ExplainRequest:
		return nil
	}
	m, ok := req.(proto.Message)
	if !ok {
		return notice.Faultf(notice.Internal, "rpc.validate", "a request that is no message: %T", req)
	}
	err := d.validator.Validate(m)
	if err == nil {
		return nil
	}
	var violations *protovalidate.ValidationError
	if !errors.As(err, &violations) {
		return notice.Fault(notice.Internal, "rpc.validate", fmt.Errorf("the rules of %s cannot be applied: %w", m.ProtoReflect().Descriptor().FullName(), err))
	}
	var fields []notice.FieldFault
	for _, v := range violations.Violations {
		fields = append(fields, notice.FieldFault{
			Field: fieldOf(v), Message: messageOf(v),
		})
	}
	return notice.InvalidFields("rpc.validate", fields)
}

// messageOf says what is wrong, and for the commonest what to do. The rules of services/intake say more about events.
func messageOf(v *protovalidate.Violation) string {
	switch v.Proto.GetRuleId() {
	case "required", "string.min_len":
		if v.Proto.GetRuleId() == "required" || v.FieldValue.IsValid() && v.FieldValue.String() == "" {
			return "is missing: give it"
		}
	case "string.max_len":
		return fmt.Sprintf("is longer than %d characters: shorten it", v.RuleValue.Uint())
	}
	return v.Proto.GetMessage()
}

// fieldOf is the field that a violation is about. A rule of a whole message has none: its id ends with the field that is
// to be mended.
func fieldOf(v *protovalidate.Violation) string {
	if path := protovalidate.FieldPathString(v.Proto.GetField()); path != "" {
		return path
	}
	id := v.Proto.GetRuleId()
	return id[strings.LastIndexByte(id, '.')+1:]
}

// isStatus says whether an error already has the form of the wire: the transport's own.
func isStatus(err error) bool {
	var s interface{ GRPCStatus() *status.Status }
	return errors.As(err, &s)
}

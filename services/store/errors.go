package store

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Error codes of the JetStream API that nats.go does not name.
const (
	codeNoPeers               jetstream.ErrorCode = 10005 // a node that was only just heard of, or is down
	codeStoreFailed           jetstream.ErrorCode = 10077 // a full stream, among others
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
)

// fault gives err the kind a caller can act on.
func fault(op string, err error) error {
	if err == nil {
		return nil
	}
	return notice.Fault(kindOf(err), op, err)
}

func kindOf(err error) notice.Kind {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return notice.Conflict
		case jetstream.JSErrCodeStreamNotFound, jetstream.JSErrCodeMessageNotFound:
			return notice.NotFound
		case codeNoPeers, codeStoreFailed, codeInsufficientResources, codeStorageExceeded:
			return notice.Unavailable
		}
		if api.Code == 503 {
			return notice.Unavailable
		}
		return notice.Internal
	}
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return notice.NotFound
	case errors.Is(err, nats.ErrMaxPayload):
		return notice.Invalid
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrPermissionViolation):
		return notice.Denied
	}
	for _, passing := range []error{
		context.Canceled, context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed,
		nats.ErrConnectionDraining, nats.ErrDisconnected, nats.ErrNoServers, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting,
		jetstream.ErrNoStreamResponse, jetstream.ErrTooManyStalledMsgs, jetstream.ErrNoHeartbeat,
	} {
		if errors.Is(err, passing) {
			return notice.Unavailable
		}
	}
	return notice.Internal
}

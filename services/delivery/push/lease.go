package push

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/signalbox-hq/signalbox/services/delivery"
)

// lease has gRPC ask, once it has a connection and just before it writes a call's first frame, whether the send may
// still begin. Getting a connection takes seconds, in which the process may have been stopped and the lead lost.
type lease struct{}

// GetRequestMetadata is for credentials.PerRPCCredentials.
func (lease) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if !delivery.Held(ctx) {
		return nil, status.Error(codes.Unavailable, "the lease is over")
	}
	return nil, nil
}

// RequireTransportSecurity is for credentials.PerRPCCredentials.
func (lease) RequireTransportSecurity() bool { return true }

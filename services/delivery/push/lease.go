package push

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// lease has gRPC ask, once it has a connection and just before it writes a call's first frame, whether every send of the
// call may still begin. Getting a connection takes seconds, in which the process may have been stopped and the lead lost.
type lease struct{}

// GetRequestMetadata is for credentials.PerRPCCredentials.
func (lease) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if c, ok := ctx.Value(callKey{}).(*call); ok && !c.held() {
		return nil, status.Error(codes.Unavailable, "the lease is over")
	}
	return nil, nil
}

// RequireTransportSecurity is for credentials.PerRPCCredentials.
func (lease) RequireTransportSecurity() bool { return true }

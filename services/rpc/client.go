package rpc

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	dialTimeout = 10 * time.Second
	maxResponse = 64 << 20 // bytes: a timeline of one busy lineage, a list of the quarantine
)

// Dial connects to a server and makes sure that it answers and accepts the certificate, so that a wrong address or
// certificate is reported here and not at the first call. Without a deadline it tries for ten seconds. The caller closes
// the connection. Errors are classified, as Fault does; give Fault the errors of the calls that follow.
func Dial(ctx context.Context, addr string, config *tls.Config) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(addr,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponse)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
	)
	if err != nil {
		return nil, notice.Fault(notice.Invalid, "rpc.Dial", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if _, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil {
		_ = conn.Close() // the first error is the one to report
		return nil, Fault(err)
	}
	return conn, nil
}

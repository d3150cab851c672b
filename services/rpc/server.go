package rpc

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// maxRequest is the largest request in bytes: an event may be 256 KiB, and one that is larger is told so by intake
	// rather than by the transport.
	maxRequest = 1 << 20

	maxStreams = 100             // at once on one connection
	maxCall    = 5 * time.Minute // of a single call: whoever set no deadline is not kept waiting for ever

	idleAfter    = 15 * time.Minute // a connection without calls is closed
	pingAfter    = time.Minute      // a silent client is asked whether it is there
	pingTimeout  = 20 * time.Second
	pingsNoFewer = 10 * time.Second // apart; a client that pings more often is cut off

	handshake = 10 * time.Second // for whoever has not yet said who it is

	stopGrace = 10 * time.Second
)

// Server serves the gRPC services.
type Server struct {
	grpc     *grpc.Server
	health   *health.Server
	listener net.Listener

	stopping  chan struct{}   // closed once Run is to end
	receivers *sync.WaitGroup // what a stream has under way, which its method cannot wait for
}

// New checks the parts and settings, and listens. Run serves.
func New(d Deps, c Config) (*Server, error) {
	const op = "rpc.New"
	if !d.complete() {
		return nil, notice.Faultf(notice.Internal, op, "a part is missing")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.MaxImport == 0 {
		c.MaxImport = defaultMaxImport
	}
	validator, err := protovalidate.New()
	if err != nil {
		return nil, notice.Fault(notice.Internal, op, err)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, notice.Fault(notice.Unavailable, op, err)
	}

	door := &door{current: d.Current, validator: validator, logger: d.Logger}
	s := &Server{listener: listener}
	s.register(d, c, grpc.NewServer(
		grpc.Creds(credentials.NewTLS(c.TLS)),
		grpc.ConnectionTimeout(handshake),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleAfter, Time: pingAfter, Timeout: pingTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingsNoFewer, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(door.unary()...),
		grpc.ChainStreamInterceptor(door.stream()...),
	))
	return s, nil
}

// register puts every service on a gRPC server.
func (s *Server) register(d Deps, c Config, on *grpc.Server) {
	s.grpc, s.health = on, health.NewServer()
	s.stopping, s.receivers = make(chan struct{}), &sync.WaitGroup{}
	intakev1.RegisterIntakeServiceServer(on, &intakeService{
		Deps: d, live: c.Live, feedback: NewFeedback(d.Engine, d.Events, d.Current), stopping: s.stopping, receivers: s.receivers,
	})
	inboxv1.RegisterInboxServiceServer(on, &inboxService{Deps: d, key: c.Key, stopping: s.stopping, receivers: s.receivers})
	subscriptionv1.RegisterSubscriptionServiceServer(on, &subscriptionService{Deps: d})
	meetingv1.RegisterMeetingServiceServer(on, &meetingService{Deps: d, key: c.Key})
	taskv1.RegisterTaskServiceServer(on, &taskService{Deps: d, key: c.Key})
	ledgerv1.RegisterLedgerServiceServer(on, &ledgerService{Deps: d, key: c.Key})
	sendingv1.RegisterSendingServiceServer(on, &sendingService{Deps: d})
	replayv1.RegisterReplayServiceServer(on, &replayService{Deps: d})
	telephonev1.RegisterTelephoneServiceServer(on, &telephoneService{Deps: d, key: c.Key})
	alarmv1.RegisterAlarmServiceServer(on, &alarmService{Deps: d})
	backupv1.RegisterBackupServiceServer(on, &backupService{Deps: d})
	routingv1.RegisterRoutingServiceServer(on, &routingService{Deps: d, key: c.Key, live: c.Live})
	directoryv1.RegisterDirectoryServiceServer(on, &directoryService{
		Deps: d, key: c.Key, maxImport: c.MaxImport, importing: make(chan struct{}, 1),
	})
	healthv1.RegisterHealthServer(on, s.health)
	s.Leading(false)
	s.SetReading(false)
	s.SetSending(true) // until the ledger has said that nothing is stopped
	reflection.Register(on)
}

// LeaderService is the name under which the health service says whether this instance leads.
const LeaderService = "signalbox.leader"

// Leading has the health service say whether this instance leads.
func (s *Server) Leading(leads bool) {
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if leads {
		status = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus(LeaderService, status)
}

// Addr is the address that is listened on, with the port that was taken.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until the context ends, then lets the calls in hand finish for up to ten seconds and returns once all have.
// A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(s.listener) }()

	var err error
	select {
	case err = <-served: // the listener failed
		served <- err
	case <-ctx.Done():
	}
	s.health.Shutdown()
	close(s.stopping)

	graceful := make(chan struct{})
	go func() {
		defer close(graceful)
		s.grpc.GracefulStop()
	}()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-graceful:
	case <-grace.C:
		s.grpc.Stop()
		<-graceful
	}
	err = <-served
	s.receivers.Wait()
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return notice.Fault(notice.Unavailable, "rpc.Run", err)
	}
	return nil
}

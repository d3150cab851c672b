package apptest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	telephonev1 "github.com/signalbox-hq/signalbox/api/signalbox/telephone/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/demo"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// patience bounds every wait: a test that hangs says where.
const patience = 90 * time.Second

// Rig is a running service and the world around it.
type Rig struct {
	T     *testing.T
	Clock *clock.Movable
	Mail  *mailbox.Server
	Data  string

	Config  app.Config
	Machine clock.Machine // that the guards read; nil is this machine
	Service *app.Service
	Roots   *tls.Config // trusts the service's authority; for HTTPS

	Ledger    ledgerv1.LedgerServiceClient
	Tasks     taskv1.TaskServiceClient
	Directory directoryv1.DirectoryServiceClient
	Routing   routingv1.RoutingServiceClient
	Intake    intakev1.IntakeServiceClient // as the operator
	Telephone telephonev1.TelephoneServiceClient
	Replay    replayv1.ReplayServiceClient

	// ReloadNATS gives an external NATS server its new configuration; unset where the server is embedded.
	ReloadNATS func(configuration string)

	log      *zap.Logger
	conn     *grpc.ClientConn
	stop     func()
	mailTLS  *tls.Config // of whoever takes the mail
	mailPair identity.Pair

	grpcAddr, natsURL string
}

// Start boots a service whose clock stands at an instant, with the demo's borough imported.
func Start(t *testing.T, at time.Time) *Rig {
	t.Helper()
	r := Empty(t, at)
	r.ImportBorough()
	return r
}

// Empty boots a service with nothing in its directory but the default policy.
func Empty(t *testing.T, at time.Time) *Rig {
	t.Helper()
	r := World(t, at)
	r.Boot()
	return r
}

// World is the world around a service, and no service: the mailbox, an empty data folder, and in Config the
// configuration that Boot starts one with.
func World(t *testing.T, at time.Time) *Rig {
	t.Helper()
	r := &Rig{T: t, Clock: clock.NewMovable(at), Data: t.TempDir(), log: zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))}
	r.startMail()
	r.Config = app.Config{
		Data: r.Data, Instance: "test", Traffic: "live", Names: []string{"localhost", "127.0.0.1"},
		NATS: app.NATSConfig{Listen: "127.0.0.1:0", Replicas: 1, EventsBytes: 16 << 20},
		GRPC: app.GRPCConfig{Listen: "127.0.0.1:0"},
		Page: app.PageConfig{Listen: "127.0.0.1:0"},
		Mail: app.MailConfig{
			Host: r.Mail.Host(), Port: r.Mail.Port(), From: "Signalbox <notices@signalbox.example>",
			Roots: filepath.Join(r.Data, "mail-roots.crt"),
		},
		Send: app.SendConfig{Lease: 20 * time.Second, Emails: 8, Pushes: 16},
	}
	return r
}

// Attach connects to a service that runs over the data folder in a process of its own.
func (r *Rig) Attach(grpcAddr, natsURL string) {
	r.T.Helper()
	r.grpcAddr, r.natsURL = grpcAddr, natsURL
	r.Reattach()
}

// Reattach connects again, to a service that was started again.
func (r *Rig) Reattach() {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.TryReattach(ctx); err != nil {
		r.T.Fatalf("waited in vain for the service to answer: %v", err)
	}
}

// TryReattach is Reattach to a service that may end before it answers.
func (r *Rig) TryReattach(ctx context.Context) error {
	r.T.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := r.reattach(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *Rig) reattach(ctx context.Context) error {
	listening, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.grpcAddr)
	if err != nil {
		return err
	}
	_ = listening.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := r.tryConnect(ctx, filepath.Join(r.Data, "identities", app.Admin)); err != nil {
		return err
	}
	_, err = r.Ledger.Summary(ctx, &ledgerv1.SummaryRequest{})
	return err
}

// RunClock has the clock run on as the machine's does, until the test ends.
func (r *Rig) RunClock() {
	r.background("clock", func(ctx context.Context) error {
		r.Clock.Run(ctx)
		return nil
	})
}

// PublishAt has agencies that are added from now on reach NATS at another address than the service does.
func (r *Rig) PublishAt(natsURL string) { r.natsURL = natsURL }

// Conn is the operator's connection of the moment.
func (r *Rig) Conn() *grpc.ClientConn { return r.conn }

// await asks again and again of another process, which cannot tell us.
func (r *Rig) await(what string, holds func() bool) {
	r.T.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			r.T.Fatalf("waited in vain for %s", what)
		}
	}
}

// AwaitMail waits until the mail that has arrived is all that was to arrive.
func (r *Rig) AwaitMail(holds func() bool) {
	r.T.Helper()
	r.await("the mail", holds)
}

// AwaitSummary waits until the counts of a service are as they should be. Where what it stands on has failed it may not
// answer for a while.
func (r *Rig) AwaitSummary(holds func(*ledgerv1.SummaryResponse) bool) {
	r.T.Helper()
	r.await("the counts", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s, err := r.Ledger.Summary(ctx, &ledgerv1.SummaryRequest{})
		return err == nil && holds(s)
	})
}

// startMail runs the mailbox under an authority of its own: the relay is somebody else's.
func (r *Rig) startMail() {
	r.T.Helper()
	ca, err := identity.CreateCA(filepath.Join(r.T.TempDir(), "ca"), time.Now(), 48*time.Hour)
	r.must(err)
	pair, err := ca.IssueServer(identity.ServerRequest{
		DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: time.Now(), Validity: 24 * time.Hour,
	})
	r.must(err)
	config, err := identity.PublicServerTLS(pair)
	r.must(err)
	r.must(os.WriteFile(filepath.Join(r.Data, "mail-roots.crt"), ca.CertPEM(), 0o600))
	r.mailTLS, r.mailPair = config, pair
	r.Mail, err = mailbox.New(config)
	r.must(err)
	r.background("mailbox", r.Mail.Run)
}

// background runs something until the test ends, and waits for it then.
func (r *Rig) background(name string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			r.T.Errorf("%s: %v", name, err)
		}
	}
	r.T.Cleanup(stop)
	return stop
}

// Boot starts the service over what its data folder holds, and waits until it leads.
func (r *Rig) Boot() {
	r.T.Helper()
	r.boot("take the lead", (*app.Service).Started)
}

// BootBeside starts the service and waits until it answers, whoever leads.
func (r *Rig) BootBeside() {
	r.T.Helper()
	r.boot("read the ledger", (*app.Service).Ready)
}

func (r *Rig) boot(until string, reached func(*app.Service) <-chan struct{}) {
	r.T.Helper()
	r.must(r.tryBoot(until, reached))
	r.connect(r.Service.AdminIdentity())
}

func (r *Rig) tryBoot(until string, reached func(*app.Service) <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var options []app.Option
	if r.Machine != nil {
		options = append(options, app.WithMachine(r.Machine))
	}
	service, err := app.New(ctx, r.Config, r.Clock, r.log, options...)
	if err != nil {
		return err
	}
	r.Service = service
	r.stop = r.background("service", service.Run)
	select {
	case <-reached(service):
	case <-ctx.Done():
		return fmt.Errorf("the service did not %s in time", until)
	}
	r.grpcAddr, r.natsURL = service.GRPCAddr(), service.NATSURL()
	return nil
}

// BootAtOnce starts several services in the same moment and waits until each answers.
func BootAtOnce(rigs ...*Rig) {
	var group errgroup.Group
	for _, r := range rigs {
		group.Go(func() error { return r.tryBoot("read the ledger", (*app.Service).Ready) })
	}
	rigs[0].must(group.Wait())
	for _, r := range rigs {
		r.connect(r.Service.AdminIdentity())
	}
}

// connect makes the operator's clients.
func (r *Rig) connect(admin string) {
	r.T.Helper()
	r.must(r.tryConnect(r.Context(), admin))
}

func (r *Rig) tryConnect(ctx context.Context, admin string) error {
	if r.conn != nil {
		_ = r.conn.Close()
	}
	var err error
	if r.conn, err = r.tryDial(ctx, admin); err != nil {
		return err
	}
	r.Ledger = ledgerv1.NewLedgerServiceClient(r.conn)
	r.Tasks = taskv1.NewTaskServiceClient(r.conn)
	r.Directory = directoryv1.NewDirectoryServiceClient(r.conn)
	r.Routing = routingv1.NewRoutingServiceClient(r.conn)
	r.Intake = intakev1.NewIntakeServiceClient(r.conn)
	r.Replay = replayv1.NewReplayServiceClient(r.conn)
	r.Telephone = telephonev1.NewTelephoneServiceClient(r.conn)
	roots, err := identity.LoadRoots(filepath.Join(admin, app.RootsFile))
	r.Roots = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return err
}

// Restart stops the service in order and boots it again over the same data.
func (r *Rig) Restart() {
	r.T.Helper()
	_ = r.conn.Close()
	r.stop()
	r.Boot()
}

// Dial connects by gRPC with the certificate of an identity folder.
func (r *Rig) Dial(identityDir string) *grpc.ClientConn {
	r.T.Helper()
	conn, err := r.tryDial(r.Context(), identityDir)
	r.must(err)
	return conn
}

func (r *Rig) tryDial(ctx context.Context, identityDir string) (*grpc.ClientConn, error) {
	pair, err := identity.LoadPair(filepath.Join(identityDir, app.ClientName+".crt"), filepath.Join(identityDir, app.ClientName+".key"))
	if err != nil {
		return nil, err
	}
	roots, err := identity.LoadRoots(filepath.Join(identityDir, app.RootsFile))
	if err != nil {
		return nil, err
	}
	config, err := identity.ClientTLS(pair, roots)
	if err != nil {
		return nil, err
	}
	conn, err := rpc.Dial(ctx, r.grpcAddr, config)
	if err == nil {
		r.T.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// Context ends when a wait has lasted too long.
func (r *Rig) Context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.T.Cleanup(cancel)
	return ctx
}

// ImportBorough imports the demo's files, in their order, and fails on any bad row.
func (r *Rig) ImportBorough() {
	r.T.Helper()
	for _, file := range demo.BoroughFiles() {
		data, err := fs.ReadFile(demo.Borough(), file.Name)
		r.must(err)
		result := r.Import(&directoryv1.ImportHeader{Format: file.Format, Name: file.Name, Source: file.Source}, data)
		if len(result.Faults) > 0 {
			r.T.Fatalf("%s: %v", file.Name, result.Faults)
		}
	}
}

// Import sends a file as `signalbox directory import` does.
func (r *Rig) Import(header *directoryv1.ImportHeader, data []byte) *directoryv1.ImportResult {
	r.T.Helper()
	result, err := r.TryImport(header, data)
	r.must(err)
	return result
}

// TryImport is Import that may be refused.
func (r *Rig) TryImport(header *directoryv1.ImportHeader, data []byte) (*directoryv1.ImportResult, error) {
	stream, err := r.Directory.Import(r.Context())
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Header{Header: header}}); err != nil {
		return nil, err
	}
	for chunk := make([]byte, 64<<10); ; {
		n, err := bytes.NewReader(data).Read(chunk)
		if errors.Is(err, io.EOF) {
			break
		}
		data = data[n:]
		part := &directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Chunk{Chunk: bytes.Clone(chunk[:n])}}
		if err := stream.Send(part); err != nil {
			break // the answer says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if response.Result != nil {
			return response.Result, nil
		}
	}
}

func (r *Rig) must(err error) {
	r.T.Helper()
	if err != nil {
		r.T.Fatal(err)
	}
}

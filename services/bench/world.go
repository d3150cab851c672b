package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// Sends at once, and mail connections kept. The relay and the receiver are as near as they can be: on a network a send
// takes longer, and more of them at once make up for it.
const (
	pushesAtOnce = 256
	emailsAtOnce = 32

	certified   = 24 * time.Hour
	eventsBytes = 1 << 30
	// inFlight is how many events the agency has on their way to NATS before it waits for an acknowledgement.
	inFlight = 512
)

// world is a running service and everybody around it.
type world struct {
	service  *app.Service
	receiver *receiver
	relay    *relay

	operator  *grpc.ClientConn
	ledger    ledgerv1.LedgerServiceClient
	publisher *grpc.ClientConn // the agency
	nats      *nats.Conn       // the agency
	js        jetstream.JetStream

	next int // number of the next event
}

// within runs a stage in a world of its own, in a folder below dir that is gone afterwards. Whatever of the world stops
// ends the stage.
func within(ctx context.Context, dir string, stage func(context.Context, *world) error) (err error) {
	data, err := os.MkdirTemp(dir, "stage-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() {
		if gone := os.RemoveAll(data); err == nil {
			err = gone
		}
	}()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	w := &world{}
	group.Go(func() error {
		defer stop()
		defer w.close()
		if err := w.open(ctx, group, data); err != nil {
			return err
		}
		return stage(ctx, w)
	})
	return group.Wait()
}

func (w *world) close() {
	if w.nats != nil {
		w.nats.Close()
	}
	for _, conn := range []*grpc.ClientConn{w.publisher, w.operator} {
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// open starts everything and fills the directory.
func (w *world) open(ctx context.Context, group *errgroup.Group, data string) error {
	// A relay is somebody else's: it has an authority of its own.
	ca, err := identity.CreateCA(filepath.Join(data, "relay"), time.Now(), 2*certified)
	if err != nil {
		return err
	}
	roots := filepath.Join(data, "relay", "roots.crt")
	if err := os.WriteFile(roots, ca.CertPEM(), 0o600); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if w.relay, err = newRelay(ca); err != nil {
		return err
	}
	group.Go(func() error { return w.relay.run(ctx) })
	if err := w.start(ctx, group, filepath.Join(data, "service"), roots); err != nil {
		return err
	}
	own, err := identity.LoadCA(filepath.Join(data, "service", "ca"))
	if err != nil {
		return err
	}
	if w.receiver, err = newReceiver(own); err != nil {
		return err
	}
	group.Go(func() error { return w.receiver.run(ctx) })
	for _, file := range directoryFiles(w.receiver.addresses(), time.Now()) {
		if err := w.load(ctx, file[0], file[1]); err != nil {
			return err
		}
	}
	return w.signIn(ctx, filepath.Join(data, "agency"))
}

func (w *world) start(ctx context.Context, group *errgroup.Group, data, relayRoots string) (err error) {
	w.service, err = app.New(ctx, app.Config{
		Data: data, Instance: "bench", Traffic: "live", Names: []string{"localhost", "127.0.0.1"},
		NATS: app.NATSConfig{Listen: "127.0.0.1:0", Replicas: 1, EventsBytes: eventsBytes},
		GRPC: app.GRPCConfig{Listen: "127.0.0.1:0"},
		Page: app.PageConfig{Listen: "127.0.0.1:0"},
		Mail: app.MailConfig{
			Host: "localhost", Port: w.relay.port(), From: "Signalbox <notices@signalbox.example>", Roots: relayRoots,
			Connections: emailsAtOnce,
		},
		Send: app.SendConfig{Lease: time.Minute, Emails: emailsAtOnce, Pushes: pushesAtOnce},
	}, clock.System{}, zap.NewNop())
	if err != nil {
		return err
	}
	group.Go(func() error { return w.service.Run(ctx) })
	select {
	case <-w.service.Started():
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.operator, err = w.dial(ctx, w.service.AdminIdentity()); err != nil {
		return err
	}
	w.ledger = ledgerv1.NewLedgerServiceClient(w.operator)
	return nil
}

// dial connects by gRPC with the certificate of an identity folder.
func (w *world) dial(ctx context.Context, dir string) (*grpc.ClientConn, error) {
	pair, err := identity.LoadPair(filepath.Join(dir, app.ClientName+".crt"), filepath.Join(dir, app.ClientName+".key"))
	if err != nil {
		return nil, err
	}
	roots, err := identity.LoadRoots(filepath.Join(dir, app.RootsFile))
	if err != nil {
		return nil, err
	}
	config, err := identity.ClientTLS(pair, roots)
	if err != nil {
		return nil, err
	}
	return rpc.Dial(ctx, w.service.GRPCAddr(), config)
}

func loopbackPair(ca *identity.CA) (identity.Pair, error) {
	return ca.IssueServer(identity.ServerRequest{
		DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: time.Now(), Validity: certified,
	})
}

// load imports a file as `signalbox directory import` does.
func (w *world) load(ctx context.Context, format, text string) error {
	stream, err := directoryv1.NewDirectoryServiceClient(w.operator).Import(ctx)
	if err != nil {
		return rpc.Fault(err)
	}
	for _, part := range []*directoryv1.ImportRequest{
		{Part: &directoryv1.ImportRequest_Header{Header: &directoryv1.ImportHeader{Format: format, Name: format + ".csv", Source: "bench"}}},
		{Part: &directoryv1.ImportRequest_Chunk{Chunk: []byte(text)}},
	} {
		if err := stream.Send(part); err != nil {
			break // the answer says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return rpc.Fault(err)
	}
	for {
		response, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("bench: the import of %s gave no result", format)
		case err != nil:
			return rpc.Fault(err)
		case response.Result == nil:
			continue
		case len(response.Result.Faults) > 0:
			return fmt.Errorf("bench: %s: line %d: %s", format, response.Result.Faults[0].Line, response.Result.Faults[0].Message)
		}
		return nil
	}
}

// signIn gives the agency access and connects as it.
func (w *world) signIn(ctx context.Context, dir string) error {
	given, err := directoryv1.NewDirectoryServiceClient(w.operator).AddAgency(ctx, &directoryv1.AddAgencyRequest{
		Agency: &directoryv1.Agency{Id: agency, Organisation: council, Kinds: []string{notice.EveryKind}},
	})
	if err != nil {
		return rpc.Fault(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for name, text := range map[string][]byte{
		app.ClientName + ".crt": given.Certificate, app.ClientName + ".key": given.PrivateKey,
		app.RootsFile: given.Authority, app.SeedFile: given.NatsSeed,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	if w.publisher, err = w.dial(ctx, dir); err != nil {
		return err
	}
	roots, err := identity.LoadRoots(filepath.Join(dir, app.RootsFile))
	if err != nil {
		return err
	}
	key, err := nats.NkeyOptionFromSeed(filepath.Join(dir, app.SeedFile))
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	w.nats, err = nats.Connect(w.service.NATSURL(), key, nats.CustomInboxPrefix(store.InboxPrefix(agency)),
		nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return fmt.Errorf("bench: the agency cannot sign in to NATS: %w", err)
	}
	w.js, err = jetstream.New(w.nats, jetstream.WithPublishAsyncMaxPending(inFlight))
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (w *world) intake() intakev1.IntakeServiceClient {
	return intakev1.NewIntakeServiceClient(w.publisher)
}

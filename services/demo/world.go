package demo

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
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// certified is how long the certificates of the mailbox and the receiver last: longer than anybody rehearses.
const certified = 30 * 24 * time.Hour

// world is a running service and everybody around it.
type world struct {
	clock   *clock.Movable
	data    string
	service *app.Service
	mail    *mailbox.Server
	roots   *tls.Config // trusts the service's authority

	conn      *grpc.ClientConn // as the first operator
	ledger    ledgerv1.LedgerServiceClient
	tasks     taskv1.TaskServiceClient
	directory directoryv1.DirectoryServiceClient

	agencies map[string]*agency
	inbox    *inbox
	names    *names
	filed    int // mails written to the data folder
}

// open starts everything and loads the borough. What it starts ends with the context; close does the rest.
func open(ctx context.Context, group *errgroup.Group, clk *clock.Movable, data string, log *zap.Logger, show *progress) (*world, error) {
	w := &world{clock: clk, data: data, agencies: map[string]*agency{}}
	show.at("starting the service")
	for _, step := range []func(context.Context, *errgroup.Group, *zap.Logger) error{w.openMail, w.openService, w.openInbox} {
		if err := step(ctx, group, log); err != nil {
			w.close()
			return nil, err
		}
	}
	show.done()
	for _, step := range []func(context.Context, *progress) error{w.loadBorough, w.addAgencies, w.addReceiver} {
		if err := step(ctx, show); err != nil {
			w.close()
			return nil, err
		}
	}
	var err error
	if w.names, err = readNames(ctx, w.directory); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	for _, a := range w.agencies {
		a.close()
	}
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// openMail runs the mailbox under an authority of its own: a relay is somebody else's.
func (w *world) openMail(ctx context.Context, group *errgroup.Group, _ *zap.Logger) error {
	ca, err := identity.CreateCA(filepath.Join(w.data, "mail-ca"), time.Now(), 2*certified)
	if err != nil {
		return err
	}
	config, err := serverTLS(ca)
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.mailRoots(), ca.CertPEM(), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if w.mail, err = mailbox.New(config); err != nil {
		return fmt.Errorf("demo: the mailbox: %w", err)
	}
	group.Go(func() error { return w.mail.Run(ctx) })
	return nil
}

func (w *world) mailRoots() string { return filepath.Join(w.data, "mail-ca", "roots.crt") }

func serverTLS(ca *identity.CA) (*tls.Config, error) {
	pair, err := loopbackPair(ca)
	if err != nil {
		return nil, err
	}
	return identity.PublicServerTLS(pair)
}

func loopbackPair(ca *identity.CA) (identity.Pair, error) {
	return ca.IssueServer(identity.ServerRequest{
		DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)},
		Now: time.Now(), Validity: certified,
	})
}

func (w *world) openService(ctx context.Context, group *errgroup.Group, log *zap.Logger) error {
	service, err := app.New(ctx, app.Config{
		Data: w.data, Instance: "demo", Traffic: "live", Names: []string{"localhost", "127.0.0.1"},
		NATS: app.NATSConfig{Listen: "127.0.0.1:0", Replicas: 1, EventsBytes: 32 << 20},
		GRPC: app.GRPCConfig{Listen: "127.0.0.1:0"},
		Page: app.PageConfig{Listen: "127.0.0.1:0"},
		Mail: app.MailConfig{
			Host: w.mail.Host(), Port: w.mail.Port(), From: "Signalbox <notices@signalbox.example>", Roots: w.mailRoots(),
		},
		Send: app.SendConfig{Lease: 20 * time.Second, Emails: 4, Pushes: 4},
	}, w.clock, log)
	if err != nil {
		return err
	}
	w.service = service
	group.Go(func() error { return service.Run(ctx) })
	select {
	case <-service.Started():
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.conn, err = w.dial(ctx, service.AdminIdentity()); err != nil {
		return err
	}
	w.ledger = ledgerv1.NewLedgerServiceClient(w.conn)
	w.tasks = taskv1.NewTaskServiceClient(w.conn)
	w.directory = directoryv1.NewDirectoryServiceClient(w.conn)
	roots, err := identity.LoadRoots(filepath.Join(service.AdminIdentity(), app.RootsFile))
	if err != nil {
		return err
	}
	w.roots = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
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

// loadBorough imports the files as `signalbox directory import` does.
func (w *world) loadBorough(ctx context.Context, show *progress) error {
	for _, f := range BoroughFiles() {
		show.at("importing " + f.Name)
		data, err := fs.ReadFile(Borough(), f.Name)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if err := w.load(ctx, f, data); err != nil {
			return err
		}
		show.done()
	}
	for _, f := range rehearsal() {
		show.at("importing the rehearsal's " + f.Name)
		data, err := fs.ReadFile(below(rehearsalFiles, "rehearsal"), f.Name)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if err := w.load(ctx, f, data); err != nil {
			return err
		}
		show.done()
	}
	return nil
}

func (w *world) load(ctx context.Context, f File, data []byte) error {
	stream, err := w.directory.Import(ctx)
	if err != nil {
		return rpc.Fault(err)
	}
	header := &directoryv1.ImportHeader{Format: f.Format, Name: f.Name, Source: f.Source}
	parts := []*directoryv1.ImportRequest{{Part: &directoryv1.ImportRequest_Header{Header: header}}}
	for chunk := range bytes.SplitAfterSeq(data, []byte("\n")) {
		parts = append(parts, &directoryv1.ImportRequest{Part: &directoryv1.ImportRequest_Chunk{Chunk: chunk}})
	}
	for _, part := range parts {
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
			return fmt.Errorf("demo: %s: the import gave no result", f.Name)
		case err != nil:
			return rpc.Fault(err)
		case response.Result == nil:
			continue
		case len(response.Result.Faults) > 0:
			return fmt.Errorf("demo: %s has %d bad rows, first in line %d", f.Name, len(response.Result.Faults), response.Result.Faults[0].Line)
		}
		return nil
	}
}

// addReceiver lists the health trust's receiver in the directory: its port is known only now.
func (w *world) addReceiver(ctx context.Context, _ *progress) error {
	file := fmt.Sprintf("id,organisation,role,name,channel,address,verified_on\n"+
		"health,ashmere-health,duty,Safeguarding system,grpc,%s,2026-06-18\n", w.inbox.address)
	return w.load(ctx, File{"receivers.csv", importer.Contacts, "receivers"}, []byte(file))
}

// settle waits until nothing more happens without time passing or a person acting.
func (w *world) settle(ctx context.Context) error { return w.service.Settled(ctx) }

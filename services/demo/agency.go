package demo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// The agencies of the borough.
const (
	police     = "northbridge-police"
	socialCare = "ashmere-social-care"
	health     = "ashmere-health"
	neighbour  = "kestrel-social-care"

	schoolNurses = "ashmere-school-nursing"
)

// agencies gives each agency and the organisation it acts for.
func agencies() [][2]string {
	return [][2]string{
		{police, "northbridge-police"}, {socialCare, "ashmere-council"}, {health, "ashmere-health"}, {neighbour, "kestrel-vale-council"},
		{schoolNurses, "ashmere-school-nursing"},
	}
}

// agency is an organisation's system, with credentials as `signalbox agency add` gives them.
type agency struct {
	id     notice.AgencyID
	folder string
	nats   *nats.Conn
	conn   *grpc.ClientConn
	intake intakev1.IntakeServiceClient
	tasks  taskv1.TaskServiceClient
	inbox  inboxv1.InboxServiceClient
	meets  meetingv1.MeetingServiceClient
}

func (a *agency) close() {
	a.nats.Close()
	_ = a.conn.Close()
}

// identityDir is an identity folder in the data folder.
func (w *world) identityDir(name string) string { return filepath.Join(w.data, "identities", name) }

func (w *world) addAgencies(ctx context.Context, show *progress) error {
	for _, a := range agencies() {
		show.at("adding " + a[0])
		added, err := w.addAgency(ctx, a[0], a[1])
		if err != nil {
			return err
		}
		w.agencies[a[0]] = added
		show.done()
	}
	return nil
}

func (w *world) addAgency(ctx context.Context, id, organisation string) (*agency, error) {
	given, err := w.directory.AddAgency(ctx, &directoryv1.AddAgencyRequest{
		Agency: &directoryv1.Agency{Id: id, Organisation: organisation, Kinds: []string{notice.EveryKind}},
	})
	if err != nil {
		return nil, rpc.Fault(err)
	}
	a := &agency{id: notice.AgencyID(id), folder: w.identityDir(id)}
	if err := os.MkdirAll(a.folder, 0o700); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for name, text := range map[string][]byte{
		app.ClientName + ".crt": given.Certificate, app.ClientName + ".key": given.PrivateKey,
		app.RootsFile: given.Authority, app.SeedFile: given.NatsSeed,
	} {
		if err := os.WriteFile(filepath.Join(a.folder, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
	}
	key, err := nats.NkeyOptionFromSeed(filepath.Join(a.folder, app.SeedFile))
	if err != nil {
		return nil, fmt.Errorf("demo: %s: %w", id, err)
	}
	if a.nats, err = nats.Connect(w.service.NATSURL(), key, nats.Secure(w.roots.Clone()),
		nats.CustomInboxPrefix(store.InboxPrefix(a.id))); err != nil {
		return nil, fmt.Errorf("demo: %s cannot sign in to NATS: %w", id, err)
	}
	if a.conn, err = w.dial(ctx, a.folder); err != nil {
		a.nats.Close()
		return nil, err
	}
	a.intake = intakev1.NewIntakeServiceClient(a.conn)
	a.tasks = taskv1.NewTaskServiceClient(a.conn)
	a.inbox = inboxv1.NewInboxServiceClient(a.conn)
	a.meets = meetingv1.NewMeetingServiceClient(a.conn)
	return a, nil
}

// way is how an event is published: over NATS in an encoding, or over gRPC.
type way struct{ encoding intake.Encoding }

func (w way) String() string {
	if w.encoding == "" {
		return "over gRPC"
	}
	return "over NATS as " + string(w.encoding)
}

// publish publishes an event and returns once it is durable.
func (a *agency) publish(ctx context.Context, ev *eventv1.Event, by way) error {
	if by.encoding == "" {
		_, err := a.intake.Publish(ctx, &intakev1.PublishRequest{Event: ev})
		return rpc.Fault(err)
	}
	header, data, err := intake.Encode(ev, by.encoding)
	if err != nil {
		return err
	}
	js, err := jetstream.New(a.nats)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	subject := store.EventSubject(a.id, notice.EventKind(ev.Type).Family())
	if _, err := js.PublishMsg(ctx, &nats.Msg{Subject: subject, Header: nats.Header(header), Data: data}); err != nil {
		return fmt.Errorf("demo: %s cannot publish: %w", a.id, err)
	}
	return nil
}

// sample reads a sample event.
func sample(file string) (*eventv1.Event, error) {
	text, err := fs.ReadFile(Events(), file)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	ev := &eventv1.Event{}
	if err := protojson.Unmarshal(text, ev); err != nil {
		return nil, fmt.Errorf("demo: %s cannot be read", file)
	}
	return ev, nil
}

package apptest

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// Agency is an agency with its credentials, as `signalbox agency add` gives them.
type Agency struct {
	ID       notice.AgencyID
	Identity string // folder
	NATS     *nats.Conn
	GRPC     *grpc.ClientConn
	rig      *Rig
}

// AddAgency gives an organisation access and connects as it, over NATS and gRPC.
func (r *Rig) AddAgency(id, organisation string) *Agency {
	r.T.Helper()
	added, err := r.Directory.AddAgency(r.Context(), &directoryv1.AddAgencyRequest{
		Agency: &directoryv1.Agency{Id: id, Organisation: organisation, Kinds: []string{notice.EveryKind}},
	})
	r.must(err)
	if r.ReloadNATS != nil {
		r.ReloadNATS(added.NatsConfiguration)
	}
	dir := r.T.TempDir()
	for name, data := range map[string][]byte{
		app.ClientName + ".crt": added.Certificate, app.ClientName + ".key": added.PrivateKey,
		app.RootsFile: added.Authority, app.SeedFile: added.NatsSeed,
	} {
		r.must(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	a := &Agency{ID: notice.AgencyID(id), Identity: dir, rig: r}
	a.Connect()
	return a
}

// Connect connects, again after a restart.
func (a *Agency) Connect() {
	a.rig.T.Helper()
	option, err := nats.NkeyOptionFromSeed(filepath.Join(a.Identity, app.SeedFile))
	a.rig.must(err)
	a.NATS, err = nats.Connect(a.rig.natsURL, option, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.CustomInboxPrefix(store.InboxPrefix(a.ID)),
		nats.Secure(&tls.Config{RootCAs: a.rig.Roots.RootCAs, MinVersion: tls.VersionTLS12}))
	a.rig.must(err)
	a.rig.T.Cleanup(a.NATS.Close)
	a.GRPC = a.rig.Dial(a.Identity)
}

// Publish publishes an event over NATS and waits until it is durable.
func (a *Agency) Publish(ev *eventv1.Event) {
	a.rig.T.Helper()
	a.PublishAs(ev, intake.Protobuf)
}

// TryPublish publishes an event over NATS once, and says whether it is durable.
func (a *Agency) TryPublish(ev *eventv1.Event) error {
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		return err
	}
	js, err := a.NATS.JetStream(nats.MaxWait(2 * time.Second))
	if err != nil {
		return err
	}
	_, err = js.PublishMsg(&nats.Msg{Subject: store.EventSubject(a.ID, notice.EventKind(ev.Type).Family()), Header: nats.Header(header), Data: data})
	return err
}

// TryPublishRaw publishes any bytes once, and says whether they are durable.
func (a *Agency) TryPublishRaw(data []byte) error {
	js, err := a.NATS.JetStream(nats.MaxWait(2 * time.Second))
	if err != nil {
		return err
	}
	_, err = js.Publish(store.EventSubject(a.ID, "encompass.incident"), data)
	return err
}

// PublishAs publishes an event over NATS in an encoding.
func (a *Agency) PublishAs(ev *eventv1.Event, encoding intake.Encoding) {
	a.rig.T.Helper()
	header, data, err := intake.Encode(ev, encoding)
	a.rig.must(err)
	a.PublishRaw(store.EventSubject(a.ID, notice.EventKind(ev.Type).Family()), header, data)
}

// PublishRaw publishes any bytes, and waits for the acknowledgement that they are stored.
func (a *Agency) PublishRaw(subject string, header intake.Header, data []byte) {
	a.rig.T.Helper()
	js, err := a.NATS.JetStream()
	a.rig.must(err)
	_, err = js.PublishMsg(&nats.Msg{Subject: subject, Header: nats.Header(header), Data: data})
	a.rig.must(err)
}

// Feedback is everything that the agency has heard of its events.
func (a *Agency) Feedback() []*intakev1.Change {
	a.rig.T.Helper()
	response, err := intakev1.NewIntakeServiceClient(a.GRPC).Feedback(a.rig.Context(), &intakev1.FeedbackRequest{})
	a.rig.must(err)
	return response.Changes
}

// Settle waits until everything published is taken in and nothing more happens without time passing or a person acting.
func (r *Rig) Settle() {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.must(r.Service.Settled(ctx))
}

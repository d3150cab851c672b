package rpc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/query"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	year    = 2026
	police  = notice.AgencyID("kestrel-vale-police")
	council = notice.AgencyID("ashmere-council")
	school  = notice.AgencyID("lanternfield-school") // acts for the setting gias:900101
)

// evening is a Tuesday in term, before an incident is reported.
var evening = time.Date(2026, time.November, 24, 21, 30, 0, 0, time.UTC)

// rig is the server with everything real behind it but the mail.
type rig struct {
	ca     *identity.CA
	store  *store.Store
	engine *engine.Engine
	clock  *clock.Movable
	vault  *vault
	query  *query.Model
	logs   *observer.ObservedLogs
	deps   rpc.Deps
	config rpc.Config
	server *rpc.Server
	stop   func() // ends the server and returns once it has

	mu       sync.Mutex
	snapshot *directory.Snapshot
	policy   *policy.Policy
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func key() notice.Key { return notice.Key{1, 2, 3} }

// newRig starts everything. Options change the parts before the server is made.
func newRig(t *testing.T, options ...func(*rig)) *rig {
	t.Helper()
	ctx := testContext(t)
	dir := t.TempDir()
	r := &rig{clock: clock.NewMovable(evening), vault: &vault{}}
	r.ca = must(identity.CreateCA(filepath.Join(dir, "ca"), time.Now(), 2*time.Hour))(t)

	nats := must(store.StartServer(ctx, store.ServerConfig{StoreDir: filepath.Join(dir, "store")}))(t)
	t.Cleanup(nats.Shutdown)
	nc := must(nats.Connect())(t)
	t.Cleanup(nc.Close)
	r.store = must(store.Open(nc, store.Settings{EventsMaxBytes: 16 << 20, QuarantineBytes: 16 << 20}))(t)
	check(t, r.store.Provision(ctx, year))
	for _, a := range []notice.AgencyID{police, council, school} {
		check(t, r.store.ProvisionAgency(ctx, a))
	}
	r.put(ctx, t, sampleRows()...)

	in := must(intake.New())(t)
	core, logs := observer.New(zapcore.DebugLevel)
	r.logs = logs
	r.engine = must(engine.New(engine.Deps{
		Log: r.store.Ledger(year), Events: &inlet{events: r.store.Events(), intake: in, rig: r}, Current: r.Current,
		Senders: map[string]engine.Sender{delivery.Email: mailbox{}}, Clock: r.clock, Logger: zap.NewNop(),
		Links: func(string, uint32) string { return "https://signalbox.example/n" },
	}, engine.Config{
		Instance: "one", Key: key(), MailDomain: "signalbox.example", Limits: map[string]engine.Limits{delivery.Email: {Slots: 4}}, Lease: 5 * time.Second,
	}))(t)
	run(t, r.engine.Run)
	select {
	case <-r.engine.Started():
	case <-ctx.Done():
		t.Fatal("the engine does not start")
	}

	pair := must(r.ca.IssueServer(identity.ServerRequest{IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: time.Now(), Validity: time.Hour}))(t)
	r.config = rpc.Config{
		Listen: "127.0.0.1:0", TLS: must(identity.ServerTLS(pair, r.ca.Pool()))(t), Key: key(), Live: true, MaxImport: 1 << 20,
	}
	r.query = must(query.New(query.Deps{Log: r.store.Ledger(year), Logger: zap.NewNop()}, filepath.Join(dir, "query.db")))(t)
	run(t, r.query.Run)
	r.deps = rpc.Deps{
		Engine: r.engine, Events: r.store.Events(), Log: r.store.Ledger(year), Directory: r.store.Directory(), Vault: r.vault,
		Access: r, Archive: r, Guard: &watch{}, Query: r.query, Intake: in, Current: r.Current, Clock: r.clock, Logger: zap.New(core),
	}
	for _, option := range options {
		option(r)
	}
	r.server = must(rpc.New(r.deps, r.config))(t)
	r.stop = run(t, r.server.Run)
	return r
}

// run runs something until the test ends, or until what it returns is called.
func run(t *testing.T, fn func(context.Context) error) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop := func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func (r *rig) Current() (*directory.Snapshot, *policy.Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot, r.policy
}

// Changed loads the directory as the lead's wiring would.
func (r *rig) Changed(ctx context.Context) error {
	kept, err := r.store.Directory().Load(ctx)
	if err != nil {
		return err
	}
	rows := make([]*directoryv1.Row, len(kept.Rows))
	for i, row := range kept.Rows {
		rows[i] = &directoryv1.Row{}
		if err := proto.Unmarshal(row.Value, rows[i]); err != nil {
			return err
		}
	}
	snapshot, err := directory.Build(kept.Head, rows)
	if err != nil {
		return err
	}
	text := policy.Default()
	if document, ok := snapshot.Policy(); ok {
		text = []byte(document.GetText())
	}
	loaded, err := policy.Load(text)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.snapshot, r.policy = snapshot, loaded
	r.mu.Unlock()
	if r.engine != nil {
		r.engine.Refresh()
	}
	return nil
}

// RemoveAgency stands for the ending of access, which is not this room's.
func (r *rig) RemoveAgency(context.Context, string) (*directoryv1.RemoveAgencyResponse, error) {
	return &directoryv1.RemoveAgencyResponse{}, nil
}

// AddAgency stands for the making of credentials, which is not this room's.
func (r *rig) AddAgency(_ context.Context, agency *directoryv1.Agency) (*directoryv1.AddAgencyResponse, error) {
	return &directoryv1.AddAgencyResponse{Certificate: []byte("certificate of " + agency.GetId())}, nil
}

func (r *rig) put(ctx context.Context, t testing.TB, rows ...*directoryv1.Row) {
	t.Helper()
	g := must(r.store.Directory().Begin(ctx))(t)
	for _, row := range rows {
		kind, id := directory.KeyOf(row)
		check(t, g.Put(ctx, kind, id, must(proto.Marshal(row))(t)))
	}
	must(g.Commit(ctx))(t)
	check(t, r.Changed(ctx))
}

func (r *rig) remove(ctx context.Context, t testing.TB, kind, id string) {
	t.Helper()
	g := must(r.store.Directory().Begin(ctx))(t)
	check(t, g.Delete(ctx, kind, id))
	must(g.Commit(ctx))(t)
	check(t, r.Changed(ctx))
}

// as connects as an agency or an operator.
func (r *rig) as(t testing.TB, kind identity.Kind, name string) *grpc.ClientConn {
	t.Helper()
	conn := must(rpc.Dial(testContext(t), r.server.Addr(), r.clientTLS(t, r.ca, kind, name)))(t)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *rig) agency(t testing.TB, id notice.AgencyID) *grpc.ClientConn {
	t.Helper()
	return r.as(t, identity.Agency, string(id))
}

func (r *rig) operator(t testing.TB) *grpc.ClientConn {
	t.Helper()
	return r.as(t, identity.Operator, "sam.okafor")
}

// clientTLS presents a certificate of an authority to a server that is the rig's.
func (r *rig) clientTLS(t testing.TB, issuer *identity.CA, kind identity.Kind, name string) *tls.Config {
	t.Helper()
	peer := must(identity.NewPeer(kind, name))(t)
	pair := must(issuer.IssueClient(peer, time.Now(), time.Hour))(t)
	return must(identity.ClientTLS(pair, r.ca.Pool()))(t)
}

// await waits until the state is as wanted.
func (r *rig) await(t testing.TB, what string, is func(*ledger.State) bool) {
	t.Helper()
	if err := r.engine.Await(testContext(t), is); err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}

// settled waits until the ledger has taken an agency's events in up to a sequence and the machine has nothing to do.
func (r *rig) settled(t testing.TB, agency notice.AgencyID, sequence uint64) {
	t.Helper()
	r.await(t, "the events are settled", func(s *ledger.State) bool {
		return s.Cursor(agency) >= sequence && s.Idle(r.clock.Now().UnixMilli())
	})
}

// vault keeps texts in memory.
type vault struct {
	mu    sync.Mutex
	texts []string
}

func (v *vault) Keep(_ context.Context, text string) (uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.texts = append(v.texts, text)
	return uint64(len(v.texts)), nil
}

func (v *vault) Get(_ context.Context, number uint64) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if number == 0 || number > uint64(len(v.texts)) {
		return "", notice.Faultf(notice.NotFound, "store.GetText", "no such text")
	}
	return v.texts[number-1], nil
}

// WriteBackup stands for an archive.
func (r *rig) WriteBackup(_ context.Context, w io.Writer) error {
	for range 3 {
		if _, err := w.Write(bytes.Repeat([]byte("a part of an archive "), 20_000)); err != nil {
			return err
		}
	}
	return nil
}

func (v *vault) kept() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.texts...)
}

// mailbox takes every mail.
type mailbox struct{}

func (mailbox) Send(context.Context, delivery.Message) delivery.Result {
	return delivery.Result{Outcome: delivery.Delivered}
}

// inlet reads the agencies' streams for the engine, as the wiring does.
type inlet struct {
	events *store.Events
	intake *intake.Intake
	rig    *rig
}

func (in *inlet) Follow(ctx context.Context, agency notice.AgencyID, from uint64, fn func(engine.Message) error) error {
	return in.events.Follow(ctx, agency, from, func(m store.Msg) error {
		ev, err := in.intake.Read(intake.Header(m.Header), m.Data, intake.Check{Agency: agency, Subject: m.Subject, Now: in.rig.clock.Now(), Live: true})
		if err == nil {
			return fn(engine.Message{Sequence: m.Seq, Event: ev})
		}
		faults := notice.FieldsOf(err)
		number, err := in.events.Quarantine(ctx, agency, m, store.FaultHeader(faults))
		if err != nil {
			return err
		}
		return fn(engine.Message{Sequence: m.Seq, Event: ev, Faults: len(faults), Quarantine: number})
	})
}

func (in *inlet) Get(ctx context.Context, agency notice.AgencyID, sequence uint64) (*eventv1.Event, error) {
	m, err := in.events.Get(ctx, agency, sequence)
	if err != nil {
		return nil, err
	}
	return intake.Decode(m.Subject, intake.Header(m.Header), m.Data)
}

// sampleRows is an invented borough with one school, one child on its roll, and three agencies.
func sampleRows() []*directoryv1.Row {
	return []*directoryv1.Row{
		directory.AreaRow(&directoryv1.Area{Gss: "E09000901", Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901", LaCode: "901", Nation: "england"}),
		directory.AreaRow(&directoryv1.Area{Gss: "E23000901", Name: "Kestrel Vale", Kind: "police", Nation: "england"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: "ashmere-council", Name: "Ashmere Council", Kind: "local_authority", Area: "E09000901"}),
		directory.OrganisationRow(&directoryv1.Organisation{Id: "kestrel-vale-police", Name: "Kestrel Vale Police", Kind: "police", Area: "E23000901"}),
		directory.SettingRow(&directoryv1.Setting{Id: "gias:900101", Name: "Lanternfield Primary School", Kind: "school", Area: "E09000901", Status: "open"}),
		directory.ContactRow(&directoryv1.Contact{
			Id: "lanternfield-dsl", Organisation: "gias:900101", Role: "dsl", Name: "Priya Anand", Channel: "email",
			Address: "dsl@lanternfield.example", Use: "regular", VerifiedOn: "2026-09-01",
		}),
		directory.CalendarRow(&directoryv1.Calendar{Id: "gias:900101", Terms: []*directoryv1.Term{
			{Opens: "2026-09-02", Closes: "2026-12-18"}, {Opens: "2027-01-04", Closes: "2027-04-01"},
		}}),
		directory.ChildRow(&directoryv1.Child{
			Id: "child-1", Given: "Ivo", Family: "Quillfeather", DateOfBirth: "2015-05-09", ResidenceArea: "E09000901",
			Enrolments: []*directoryv1.Enrolment{{Setting: "gias:900101", Kind: "registered", Source: "ashmere-roll", AsOf: "2026-10-01"}},
		}),
		directory.AgencyRow(&directoryv1.Agency{Id: string(police), Organisation: "kestrel-vale-police", Kinds: []string{"encompass.incident"}}),
		directory.AgencyRow(&directoryv1.Agency{Id: string(council), Organisation: "ashmere-council"}),
		directory.AgencyRow(&directoryv1.Agency{Id: string(school), Organisation: "gias:900101"}),
	}
}

// incident is a good event about the child on the roll.
func incident(id string) *eventv1.Event {
	return &eventv1.Event{
		Id: id, Source: string(police), Type: string(notice.EncompassIncident), Subject: "KV/" + id, Area: "E09000901",
		Time:     timestamppb.New(evening.Add(-15 * time.Minute)),
		Children: []*eventv1.Child{{Ref: "c1", Name: &eventv1.Name{Given: "Ivo", Family: "Quillfeather"}, DateOfBirth: "2015-05-09", ResidenceArea: "E09000901", Presence: eventv1.Presence_PRESENCE_PRESENT, SettingAsStated: "the primary"}},
		Risk:     eventv1.RiskGrade_RISK_GRADE_HIGH,
		Checks:   &eventv1.Checks{Pnc: eventv1.Check_CHECK_DONE, Pnd: eventv1.Check_CHECK_DONE, Welfare: eventv1.Check_CHECK_NOT_DONE},
		Narrative: &eventv1.Narrative{
			Disclosable: "Police were called to a dispute between adults.", Restricted: "See the log.",
		},
		Payload: &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{
			OccurredAt: timestamppb.New(evening.Add(-time.Hour)), Place: &eventv1.Address{Lines: []string{"4 Heron Row"}},
		}},
	}
}

// unknown is an incident about a child whom the directory does not have.
func unknown(id string) *eventv1.Event {
	ev := incident(id)
	ev.Children[0].Name = &eventv1.Name{Given: "Wren", Family: "Ashdown"}
	return ev
}

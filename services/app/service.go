package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/delivery/page"
	"github.com/signalbox-hq/signalbox/services/delivery/returns"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/query"
	"github.com/signalbox-hq/signalbox/services/rpc"
	"github.com/signalbox-hq/signalbox/services/store"
)

// Service is a running Signalbox: made by New, at work during Run.
type Service struct {
	config Config
	clock  clock.Clock
	log    *zap.Logger

	machine clock.Machine
	guard   *guard
	metrics *metricsServer // nil where nobody is to be served

	key       notice.Key // of the ledger's keyed hashes
	ca        *identity.CA
	admin     string // identity folder of the first operator
	nats      *store.Server
	broken    chan struct{} // the disk refused the embedded server a write
	conn      *nats.Conn
	routerKey string
	store     *store.Store
	ledger    *store.Log
	writing   func(engine.Log) engine.Log // on the way to the ledger: tests have a process end at a certain fact there
	holder    *holder
	intake    *intake.Intake
	office    *office
	query     *query.Model
	rpc       *rpc.Server
	feedback  *rpc.Feedback
	page      *pageServer
	returns   *returns.Server // nil where nobody listens for what comes back

	accessing sync.Mutex
	access    []store.AgencyAccess

	closers []closer // undone in reverse by Close
}

type closer struct {
	name string
	fn   func()
}

// Option changes what New opens.
type Option func(*Service)

// WithMachine has the guards read other clocks than this machine's.
func WithMachine(m clock.Machine) Option { return func(s *Service) { s.machine = m } }

// New opens everything that Run works with: keys, the store, listeners. What it opened is closed by Run's end, or by
// Close where Run is never called.
func New(ctx context.Context, c Config, clk clock.Clock, log *zap.Logger, options ...Option) (*Service, error) {
	c.Send = c.Send.withDefaults(c.Mail.Connections)
	s := &Service{
		config: c.guarded(), clock: clk, log: log, machine: clock.NewHardware(),
		writing: func(ledger engine.Log) engine.Log { return ledger }, broken: make(chan struct{}, 1),
	}
	for _, option := range options {
		option(s)
	}
	s.guard = s.newGuard()
	for _, step := range []struct {
		name string
		open func(context.Context) error
	}{
		{"configuration", s.openFiles},
		{"keys and certificates", s.openIdentity},
		{"NATS", s.openNATS},
		{"store", s.openStore},
		{"engine and senders", s.openEngine},
		{"notice page", s.openPage},
		{"returned mail", s.openReturns},
		{"read model", s.openQuery},
		{"guards", s.openGuard},
		{"gRPC", s.openRPC},
	} {
		if err := step.open(ctx); err != nil {
			s.Close()
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return s, nil
}

// Close undoes New, the last first.
func (s *Service) Close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.log.Debug("closing", zap.String("part", s.closers[i].name))
		s.closers[i].fn()
	}
	s.closers = nil
}

func (s *Service) onClose(name string, fn func()) { s.closers = append(s.closers, closer{name, fn}) }

// Run works until the context ends, then stops in order: no new events, sends under way end and are written, listeners
// close. It returns nil where it was asked to stop.
func (s *Service) Run(ctx context.Context) error {
	defer s.Close()
	group, ctx := errgroup.WithContext(ctx)
	edges, stopEdges := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEdges()
	group.Go(func() error {
		defer stopEdges() // the edges need the engine: they stop once it has
		return s.office.run(ctx)
	})
	for name, run := range map[string]func(context.Context) error{
		"gRPC": s.rpc.Run, "notice page": s.page.run, "reporting": s.page.report.Run, "feedback": s.serveFeedback, "directory": s.watchDirectory,
		"certificates": s.renewCertificates, "sending": s.watchSending, "returned mail": s.runReturns,
		"offline list": s.keepOfflineList, "disk": s.watchDisk, "read model": s.runQuery,
		"guards": s.guard.run, "heartbeat": s.runHeartbeat, "metrics": s.runMetrics,
	} {
		group.Go(func() error {
			if err := run(edges); err != nil && edges.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// GRPCAddr is where gRPC listens.
func (s *Service) GRPCAddr() string { return s.rpc.Addr() }

// NATSURL is where agencies publish.
func (s *Service) NATSURL() string {
	if s.nats == nil {
		return s.config.NATS.URL
	}
	return s.nats.ClientURL()
}

// PageURL is the address that notices link to.
func (s *Service) PageURL() string { return s.page.url }

// AdminIdentity is the folder of the first operator's certificate.
func (s *Service) AdminIdentity() string { return s.admin }

// Started is closed once the service has taken the lead for the first time.
func (s *Service) Started() <-chan struct{} { return s.office.started }

// Ready is closed once the service has read the ledger: it answers from then on, whoever leads.
func (s *Service) Ready() <-chan struct{} { return s.office.ready }

func (s *Service) openFiles(context.Context) error {
	if err := s.config.CheckFiles(); err != nil {
		return err
	}
	return notRestoring(s.config.Data)
}

func (s *Service) openIdentity(context.Context) error {
	if err := os.MkdirAll(s.config.Data, 0o700); err != nil {
		return notice.Fault(notice.Invalid, "app.New", fmt.Errorf("data: %w", err))
	}
	var err error
	if s.key, err = ledgerKey(s.config.Data); err != nil {
		return err
	}
	if s.ca, err = authority(s.config.Data); err != nil {
		return err
	}
	s.admin, err = adminIdentity(s.config.Data, s.ca)
	return err
}

func (s *Service) openStore(ctx context.Context) error {
	var err error
	s.store, err = store.Open(s.conn, store.Settings{Replicas: s.config.NATS.Replicas, EventsMaxBytes: s.config.NATS.EventsBytes})
	if err != nil {
		return err
	}
	year, err := s.store.LedgerYear(ctx, s.clock.Now().Year())
	if err != nil {
		return err
	}
	// On a cluster a node that was only just heard of counts as absent for a moment, and a stream that was only just made may
	// not answer yet.
	if err := patiently(ctx, func() error { return s.store.Provision(ctx, year) }); err != nil {
		return err
	}
	s.ledger = s.store.Ledger(year)
	s.holder = &holder{kept: s.store.Directory()}
	if err := s.holder.load(ctx); err != nil {
		return err
	}
	if err := patiently(ctx, func() error { return firstPolicy(ctx, s.store.Directory(), s.holder) }); err != nil {
		return err
	}
	snapshot, _ := s.holder.Current()
	for _, a := range snapshot.Agencies() {
		if err := patiently(ctx, func() error { return s.store.ProvisionAgency(ctx, notice.AgencyID(a.Id)) }); err != nil {
			return err
		}
	}
	if s.nats != nil {
		s.access = agencyAccess(snapshot.Agencies())
		if err := s.nats.SetAgencies(ctx, s.access); err != nil {
			return err
		}
		return s.nats.Listen()
	}
	return nil
}

// patientFor is how long a start waits for what does not answer yet.
const patientFor = 30 * time.Second

// patiently tries again while what fn needs does not answer.
func patiently(ctx context.Context, fn func() error) error {
	for began := time.Now(); ; {
		err := fn()
		if err == nil || notice.KindOf(err) != notice.Unavailable || time.Since(began) > patientFor {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(beginAgain):
		}
	}
}

func (s *Service) openEngine(context.Context) error {
	var err error
	if s.intake, err = intake.New(); err != nil {
		return err
	}
	mailer, err := s.mailSender()
	if err != nil {
		return err
	}
	pusher, err := s.pushSender()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.config.Page.Listen)
	if err != nil {
		return notice.Fault(notice.Unavailable, "app.New", fmt.Errorf("page.listen: %w", err))
	}
	s.page = &pageServer{listener: listener, url: pageURL(s.config, listener)}
	s.onClose("page listener", func() { _ = listener.Close() }) // closed already after Run

	mailDomain := domainOf(s.config.Mail.From)
	pageKey := pageKey(s.key)
	deps := engine.Deps{
		Log:     s.writing(s.ledger),
		Events:  s.inlet(),
		Current: s.holder.Current,
		Senders: map[string]engine.Sender{
			delivery.Email: &post{sender: mailer, holder: s.holder, returns: s.returnTo()}, delivery.GRPC: pusher,
		},
		Links: func(id string, attempt uint32) string {
			return s.page.url + "/n/" + page.NewToken(pageKey, id, attempt)
		},
		Clock: s.clock, Logger: s.log.Named("engine"), Guard: s.guard.clock,
		Election: newCandidate(s.store.Lease(), s.config.Instance, s.key, s.log.Named("lease")),
	}
	config := engine.Config{
		Instance: s.config.Instance, Key: s.key, MailDomain: mailDomain, Lease: s.config.Send.Lease,
		Limits: s.config.Send.limits(s.config.Mail.Connections),
	}
	s.office, err = newOffice(func() (*engine.Engine, error) { return engine.New(deps, config) }, s.store,
		func(leads bool) { s.rpc.Leading(leads); s.guard.leads.Store(leads) }, s.log.Named("office"))
	if err != nil {
		return err
	}
	s.page.desk = &desk{
		engine: s.office, post: &post{sender: mailer, holder: s.holder}, vault: s.store.Vault(), holder: s.holder,
		clock: s.clock, key: s.key, mailDomain: mailDomain,
	}
	s.page.key = pageKey
	return nil
}

func (s *Service) inlet() *inlet {
	return &inlet{
		events: s.store.Events(), intake: s.intake, holder: s.holder, clock: s.clock, live: s.config.Traffic == "live",
		seal: newReportSeal(s.key),
	}
}

// watchAgain is the pause before a watch of the directory that broke begins again.
const watchAgain = time.Second

// watchDirectory follows changes that other instances make. A change that cannot be read now is read later: until then
// this instance works with the directory that it has.
func (s *Service) watchDirectory(ctx context.Context) error {
	for {
		err := s.store.Directory().WatchHead(ctx, func(uint64) error { return s.Changed(ctx) })
		if ctx.Err() != nil {
			return nil
		}
		s.log.Warn("the directory cannot be followed; trying again", zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchAgain):
		}
	}
}

// Settled returns once everything published so far is taken in and nothing more happens without time passing or a
// person acting.
func (s *Service) Settled(ctx context.Context) error {
	snapshot, _ := s.holder.Current()
	published := map[notice.AgencyID]uint64{}
	for _, a := range snapshot.Agencies() {
		agency := notice.AgencyID(a.Id)
		last, err := s.store.Events().Last(ctx, agency)
		if err != nil {
			return err
		}
		published[agency] = last
	}
	return s.office.Await(ctx, func(state *ledger.State) bool {
		for agency, last := range published {
			if state.Cursor(agency) < last {
				return false
			}
		}
		return state.Still(s.clock.Now().UnixMilli()) // it is asked after sends were given out
	})
}

package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// ServerConfig is how the embedded server starts.
type ServerConfig struct {
	StoreDir     string
	MaxFileStore int64  // bytes; 0 for three quarters of the free disk
	ListenHost   string // empty: no listener, this process alone connects
	ListenPort   int    // 0: a random one, see Server.ClientURL
	ListenLater  bool   // until Server.Listen this process alone connects
	TLS          TLSFiles
	Agencies     []AgencyAccess
	// Report hears the server's warnings and errors; nil drops them. Texts hold subjects and addresses of clients,
	// no payload.
	Report func(level Level, text string)
}

// Level grades what the server reports.
type Level uint8

// The levels that are reported.
const (
	Warning Level = iota + 1
	Error
	// Broken is a write that the disk refused, for want of room or worse. What the stream has acknowledged is kept; it
	// takes nothing more until the server is started again.
	Broken
)

// Server is the embedded NATS server. Its own user and the users that probe imports get fresh keys at each start,
// which never leave the process.
type Server struct {
	ns     *server.Server
	cfg    ServerConfig
	router nkeys.KeyPair

	mu       sync.Mutex // held over a whole reload
	agencies []AgencyAccess
	probes   map[notice.AgencyID]nkeys.KeyPair
}

// startLimit bounds a start whose context has no deadline: recovering a large store takes a while.
const startLimit = 2 * time.Minute

// StartServer starts the embedded server and returns when it is ready. The context bounds the start alone; stop
// the server with Shutdown.
func StartServer(ctx context.Context, cfg ServerConfig) (*Server, error) {
	const op = "store.StartServer"
	s := &Server{cfg: cfg, agencies: slices.Clone(cfg.Agencies), probes: map[notice.AgencyID]nkeys.KeyPair{}}
	var err error
	if s.router, err = nkeys.CreateUser(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	opts, err := s.options(s.agencies)
	if err != nil {
		return nil, err
	}
	if s.ns, err = server.NewServer(opts); err != nil {
		return nil, notice.Fault(notice.Invalid, op, err)
	}
	if cfg.Report != nil {
		s.ns.SetLoggerV2(reporter(cfg.Report), false, false, false)
	}
	go s.ns.Start() // returns once started; Shutdown waits for what it leaves running

	limit := startLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	ready := make(chan bool, 1)
	go func() { ready <- s.ns.ReadyForConnections(limit) }()
	select {
	case ok := <-ready:
		if !ok {
			s.Shutdown()
			return nil, notice.Fault(notice.Unavailable, op, errors.New("the embedded server did not start: is its port taken, its folder writable?"))
		}
	case <-ctx.Done():
		s.Shutdown()
		return nil, fault(op, ctx.Err())
	}
	if !s.ns.JetStreamEnabled() {
		s.Shutdown()
		return nil, notice.Fault(notice.Unavailable, op, errors.New("the embedded server started without its storage: is the folder writable?"))
	}
	return s, nil
}

// options renders the configuration as text and has the server parse it. Options.Accounts, filled by a program,
// lose JetStream on every reload.
func (s *Server) options(agencies []AgencyAccess) (*server.Options, error) {
	const op = "store.StartServer"
	c := Config{
		StoreDir: s.cfg.StoreDir, MaxFileStore: s.cfg.MaxFileStore, TLS: s.cfg.TLS,
		Agencies: agencies, probeKeys: map[notice.AgencyID]string{},
	}
	var err error
	if c.RouterKey, err = s.router.PublicKey(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for _, a := range agencies {
		if s.probes[a.Agency] == nil {
			if s.probes[a.Agency], err = nkeys.CreateUser(); err != nil {
				return nil, fmt.Errorf("%s: %w", op, err)
			}
		}
		if c.probeKeys[a.Agency], err = s.probes[a.Agency].PublicKey(); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	if s.cfg.ListenHost != "" {
		if s.cfg.ListenPort < 0 || s.cfg.ListenPort > 65535 {
			return nil, notice.Fault(notice.Invalid, op, errors.New("listen port: use 0 (random) to 65535"))
		}
		port := s.cfg.ListenPort
		if port == 0 {
			port = server.RANDOM_PORT
		}
		c.Listen = net.JoinHostPort(s.cfg.ListenHost, strconv.Itoa(port))
	}
	text, err := RenderConfig(c)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(text); err != nil {
		return nil, notice.Fault(notice.Invalid, op, err)
	}
	opts.DontListen = c.Listen == "" || s.cfg.ListenLater
	opts.NoSigs = true // signals are the program's
	opts.NoLog = s.cfg.Report == nil
	return opts, nil
}

// Listen lets agencies connect to a server that was to listen later: once it knows them. One that is turned away twice in a
// row is closed for good by its NATS client, and that agency is silent until somebody restarts its publisher.
func (s *Server) Listen() error {
	s.ns.AcceptLoop(make(chan struct{}))
	if s.ns.Addr() == nil {
		return notice.Fault(notice.Unavailable, "store.Listen", errors.New("the embedded server cannot listen: is its port taken?"))
	}
	return nil
}

// ClientURL is where agencies connect, with the port that was taken.
func (s *Server) ClientURL() string { return s.ns.ClientURL() }

// Connect connects to the ROUTER account within the process. The connection is made again for ever once lost: close
// it before Shutdown.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{nats.Name("signalbox"), nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond)}, opts...)
	return s.connectAs("store.Connect", s.router, opts...)
}

func (s *Server) connectAs(op string, kp nkeys.KeyPair, opts ...nats.Option) (*nats.Conn, error) {
	public, err := kp.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	nc, err := nats.Connect("", append(opts, nats.InProcessServer(s.ns), nats.Nkey(public, kp.Sign))...)
	if err != nil {
		return nil, fault(op, err)
	}
	return nc, nil
}

// Shutdown stops the server and waits until its files are closed.
func (s *Server) Shutdown() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// reporter hands the server's log lines on; notices, debug and traces are left out.
type reporter func(Level, string)

func (r reporter) Noticef(string, ...any)         {}
func (r reporter) Debugf(string, ...any)          {}
func (r reporter) Tracef(string, ...any)          {}
func (r reporter) Warnf(format string, v ...any)  { r(Warning, fmt.Sprintf(format, v...)) }
func (r reporter) Errorf(format string, v ...any) { r.report(fmt.Sprintf(format, v...)) }
func (r reporter) Fatalf(format string, v ...any) { r(Error, fmt.Sprintf(format, v...)) }

// writeError is how the server (nats-server 2.15.2) says that a stream's file cannot be written. It says so nowhere else.
const writeError = "Critical write error"

func (r reporter) report(text string) {
	if strings.Contains(text, writeError) {
		r(Broken, text)
		return
	}
	r(Error, text)
}

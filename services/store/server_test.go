package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestANewAgencyPublishesAndHearsAtOnce(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	r.addUser(t, kestrel)
	if _, err := r.tryDial(kestrel, r.users[kestrel]); !errors.Is(err, nats.ErrAuthorization) {
		t.Fatalf("before it is known: %v", err)
	}
	check(t, r.store.ProvisionAgency(ctx, kestrel))
	check(t, r.srv.SetAgencies(ctx, r.access(ashmere, kestrel)))

	nc := r.dial(t, kestrel)
	feedback := got(nc.SubscribeSync(AgencySubject(kestrel, ">"))).or(t)
	check(t, nc.Flush())
	if ack := got(pubAck(nc, event(kestrel, "", "hello"))).or(t); !strings.Contains(ack, `"seq":1`) {
		t.Errorf("its first event: %s (the probe must leave nothing behind)", ack)
	}
	check(t, r.store.PublishFeedback(kestrel, Status, []byte("told")))
	m := got(feedback.NextMsg(5 * time.Second)).or(t)
	if m.Subject != AgencySubject(kestrel, "status") || string(m.Data) != "told" {
		t.Errorf("heard %s %q", m.Subject, m.Data)
	}
}

func TestAnAgencyIsKnownBeforeItHasAStream(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	r.addUser(t, kestrel)
	check(t, r.srv.SetAgencies(ctx, r.access(kestrel)))
	nc := r.dial(t, kestrel)
	if _, err := pubAck(nc, event(kestrel, "", "too early")); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("without a stream: %v, want no responders", err)
	}
	check(t, r.store.ProvisionAgency(ctx, kestrel))
	got(pubAck(nc, event(kestrel, "", "hello"))).or(t)
}

func TestAnAgencyThatIsRemovedIsCutOff(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx := testContext(t)
	gone := make(chan struct{})
	r.dial(t, kestrel, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(gone) }))
	stays := r.dial(t, ashmere)
	check(t, r.srv.SetAgencies(ctx, r.access(ashmere)))
	select {
	case <-gone:
	case <-ctx.Done():
		t.Fatal("its connection stayed open")
	}
	if _, err := r.tryDial(kestrel, r.users[kestrel]); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("connecting again: %v", err)
	}
	got(pubAck(stays, event(ashmere, "", "still here"))).or(t)
}

func TestAKeyIsChangedWithoutAGap(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	old, fresh := r.users[ashmere], got(identity.NewNATSUser()).or(t)
	both := []AgencyAccess{{Agency: ashmere, PublicKeys: []string{old.PublicKey, fresh.PublicKey}}}
	check(t, r.srv.SetAgencies(ctx, both))
	for name, user := range map[string]identity.NATSUser{"old": old, "new": fresh} {
		nc, err := r.tryDial(ashmere, user)
		if err != nil {
			t.Errorf("%s key: %v", name, err)
			continue
		}
		got(pubAck(nc, event(ashmere, "", name))).or(t)
		nc.Close()
	}
	both[0].PublicKeys = both[0].PublicKeys[1:]
	check(t, r.srv.SetAgencies(ctx, both))
	if _, err := r.tryDial(ashmere, old); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("the old key afterwards: %v", err)
	}
}

func TestFiveReloadsUnderLoadBreakNothing(t *testing.T) {
	const changes = 5
	r := newRig(t, ashmere)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	option, faults := violations()
	nc := r.dial(t, ashmere, option, nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
		if err != nil { // nil when the test ends
			t.Errorf("disconnected: %v", err)
		}
	}))

	// A reload leaves a moment without the import, answered "no responders": a JetStream publish tries again, as every
	// NATS client's does, where a plain request would not.
	agency := got(jetstream.New(nc)).or(t)
	var acked atomic.Uint64
	ended := make(chan error, 3)
	go func() {
		for ctx.Err() == nil {
			if _, err := agency.PublishMsg(ctx, event(ashmere, "", "load")); err != nil && ctx.Err() == nil {
				ended <- fmt.Errorf("event %d: %w", acked.Load(), err)
				return
			}
			acked.Add(1)
		}
		ended <- nil
	}()
	go func() {
		for seq := uint64(0); ctx.Err() == nil; seq++ {
			if _, err := r.store.Ledger(year).Append(ctx, seq, []byte("pack")); err != nil && ctx.Err() == nil {
				ended <- fmt.Errorf("pack %d: %w", seq, err)
				return
			}
		}
		ended <- nil
	}()
	next := uint64(1)
	go func() {
		err := r.store.Events().Follow(ctx, ashmere, 1, func(m Msg) error {
			if m.Seq != next {
				return fmt.Errorf("event %d follows %d", m.Seq, next-1)
			}
			next++
			return nil
		})
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		ended <- err
	}()

	known := []notice.AgencyID{ashmere}
	for i := range changes {
		added := notice.AgencyID(fmt.Sprintf("area-%d", i))
		r.addUser(t, added)
		known = append(known, added)
		check(t, r.store.ProvisionAgency(ctx, added))
		check(t, r.srv.SetAgencies(ctx, r.access(known...)))
		got(pubAck(r.dial(t, added), event(added, "", "hello"))).or(t)
	}
	cancel()
	for range cap(ended) {
		check(t, <-ended)
	}
	if acked.Load() == 0 {
		t.Error("no load was put on the server")
	}
	select {
	case err := <-faults:
		t.Error(err)
	default:
	}
}

func TestAServerWithoutAListenerServesItsProcess(t *testing.T) {
	ctx := testContext(t)
	srv := got(StartServer(ctx, ServerConfig{StoreDir: t.TempDir()})).or(t)
	defer srv.Shutdown()
	nc := got(srv.Connect()).or(t)
	defer nc.Close()
	s := got(Open(nc, Settings{})).or(t)
	check(t, s.Provision(ctx, year))
	if srv.ns.Addr() != nil {
		t.Errorf("it listens on %v", srv.ns.Addr())
	}
}

func TestAServerThatCannotStartSaysSo(t *testing.T) {
	r := newIdentities(t)
	ctx, cancel := context.WithTimeout(testContext(t), 3*time.Second)
	defer cancel()
	first := got(StartServer(ctx, ServerConfig{StoreDir: filepath.Join(r.dir, "a"), ListenHost: "127.0.0.1", TLS: r.tls})).or(t)
	defer first.Shutdown()
	file := writeFile(t, filepath.Join(r.dir, "file"), []byte("x"))
	var port int
	got(fmt.Sscanf(first.ClientURL(), "tls://127.0.0.1:%d", &port)).or(t)
	for name, tc := range map[string]struct {
		cfg  ServerConfig
		want notice.Kind
	}{
		"its port is taken":         {ServerConfig{StoreDir: filepath.Join(r.dir, "b"), ListenHost: "127.0.0.1", ListenPort: port, TLS: r.tls}, notice.Unavailable},
		"its folder is a file":      {ServerConfig{StoreDir: file}, notice.Unavailable},
		"its certificate is absent": {ServerConfig{StoreDir: r.dir, ListenHost: "127.0.0.1", TLS: TLSFiles{"no", "no"}}, notice.Invalid},
		"its listener has no TLS":   {ServerConfig{StoreDir: r.dir, ListenHost: "127.0.0.1"}, notice.Invalid},
		"its port is out of range":  {ServerConfig{StoreDir: r.dir, ListenHost: "127.0.0.1", ListenPort: 70000, TLS: r.tls}, notice.Invalid},
	} {
		ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
		srv, err := StartServer(ctx, tc.cfg)
		cancel()
		if notice.KindOf(err) != tc.want || err == nil {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if srv != nil {
			srv.Shutdown()
		}
	}
}

func TestTheSameConfigRendersTheSameText(t *testing.T) {
	c := validConfig(t)
	first := got(RenderConfig(c)).or(t)
	if diff := cmp.Diff(first, got(RenderConfig(c)).or(t)); diff != "" {
		t.Error(diff)
	}
	opts := &server.Options{}
	check(t, opts.ProcessConfigString(first))
	if !opts.SyncAlways || len(opts.Accounts) != 4 || opts.NoAuthUser != "" || opts.StoreDir != c.StoreDir {
		t.Errorf("parsed: sync always %t, %d accounts, store %q", opts.SyncAlways, len(opts.Accounts), opts.StoreDir)
	}
}

func validConfig(t *testing.T) Config {
	r := newIdentities(t, ashmere, kestrel)
	return Config{
		StoreDir: `/var/lib/signal "box" \ here`, Listen: "127.0.0.1:4222", TLS: r.tls, MaxFileStore: 1 << 30,
		RouterKey: got(identity.NewNATSUser()).or(t).PublicKey, SystemKey: got(identity.NewNATSUser()).or(t).PublicKey,
		Agencies: r.access(ashmere, kestrel),
	}
}

func TestAConfigThatCouldMeanSomethingElseIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"no store directory":          func(c *Config) { c.StoreDir = "" },
		"a line break in a path":      func(c *Config) { c.StoreDir = "/a\nauthorization {}" },
		"a listener without TLS":      func(c *Config) { c.TLS = TLSFiles{} },
		"an agency named as a wild":   func(c *Config) { c.Agencies[0].Agency = "*" },
		"an agency named as two":      func(c *Config) { c.Agencies[0].Agency = "a.b" },
		"an agency that breaks out":   func(c *Config) { c.Agencies[0].Agency = `a" } }` },
		"an agency twice":             func(c *Config) { c.Agencies[1].Agency = c.Agencies[0].Agency },
		"an agency without a key":     func(c *Config) { c.Agencies[0].PublicKeys = nil },
		"one key for two agencies":    func(c *Config) { c.Agencies[1].PublicKeys = c.Agencies[0].PublicKeys },
		"an agency with ROUTER's key": func(c *Config) { c.Agencies[0].PublicKeys = []string{c.RouterKey} },
		"a seed for a public key":     func(c *Config) { c.RouterKey = "SUAEXAMPLE" },
		"no key for ROUTER":           func(c *Config) { c.RouterKey = "" },
		"a negative size":             func(c *Config) { c.MaxFileStore = -1 },
	} {
		c := validConfig(t)
		spoil(&c)
		if text, err := RenderConfig(c); notice.KindOf(err) != notice.Invalid || text != "" {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestAnAccountCannotImportAnothersSubjects(t *testing.T) {
	c := validConfig(t)
	text := got(RenderConfig(c)).or(t)
	for _, imported := range []string{
		`service: { account: ROUTER, subject: "signalbox.events.ashmere-police.>" }`,
		`service: { account: ROUTER, subject: "signalbox.feedback.ashmere-police" }`,
		`stream: { account: ROUTER, subject: "signalbox.agency.ashmere-police.>" }`,
	} {
		if strings.Count(text, imported) != 1 {
			t.Fatalf("%s is there %d times, want once", imported, strings.Count(text, imported))
		}
		for _, other := range []string{"kestrel-vale", "*"} {
			tampered := strings.Replace(text, imported, strings.Replace(imported, "ashmere-police", other, 1), 1)
			if err := (&server.Options{}).ProcessConfigString(tampered); err == nil {
				t.Errorf("ashmere-police was allowed to import %s of %s", imported, other)
			}
		}
	}
}

// A NATS client that is turned away twice in a row closes for good, so a server that does not know its agencies yet does
// not listen yet.
func TestAPublisherThatComesBackDuringAStartIsNotTurnedAway(t *testing.T) {
	r := newIdentities(t, ashmere)
	ctx := testContext(t)
	taken := got(net.Listen("tcp", "127.0.0.1:0")).or(t)
	port := taken.Addr().(*net.TCPAddr).Port
	check(t, taken.Close())
	config := ServerConfig{
		StoreDir: filepath.Join(r.dir, "store"), ListenHost: "127.0.0.1", ListenPort: port, ListenLater: true, TLS: r.tls,
	}
	for range 3 {
		r.srv = got(StartServer(ctx, config)).or(t)
		if _, err := r.tryDial(ashmere, r.users[ashmere]); !errors.Is(err, nats.ErrNoServers) {
			t.Errorf("before the server knows its agencies: %v, want no server", err)
		}
		check(t, r.srv.SetAgencies(ctx, r.access(ashmere)))
		check(t, r.srv.Listen())
		r.dial(t, ashmere).Close()
		r.srv.Shutdown()
	}

	taken = got(net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))).or(t)
	defer func() { _ = taken.Close() }()
	r.srv = got(StartServer(ctx, config)).or(t)
	defer r.srv.Shutdown()
	if err := r.srv.Listen(); notice.KindOf(err) != notice.Unavailable {
		t.Errorf("on a port that is taken: %v, want unavailable", err)
	}
}

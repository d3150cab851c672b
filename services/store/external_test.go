package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// startExternal runs a server from a rendered file, as an operator would.
func startExternal(t *testing.T, change ...func(*Config)) (r *rig, ext External, url string) {
	t.Helper()
	r = newIdentities(t, ashmere)
	router := got(identity.NewNATSUser()).or(t)
	config := Config{
		StoreDir: filepath.Join(r.dir, "js"), Listen: "127.0.0.1:-1", TLS: r.tls, RouterKey: router.PublicKey, Agencies: r.access(ashmere),
	}
	for _, fn := range change {
		fn(&config)
	}
	text := got(RenderConfig(config)).or(t)
	opts := got(server.ProcessConfigFile(writeFile(t, filepath.Join(r.dir, "nats.conf"), []byte(text)))).or(t)
	opts.NoLog, opts.NoSigs = true, true
	ns := got(server.NewServer(opts)).or(t)
	go ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("the external server did not start")
	}
	r.srv = &Server{ns: ns}
	seed := writeFile(t, filepath.Join(r.dir, "router.nk"), router.Seed)
	return r, External{URL: ns.ClientURL(), SeedFile: seed, RootsFile: r.roots}, ns.ClientURL()
}

func TestAnExternalServerWorksLikeTheEmbeddedOne(t *testing.T) {
	r, ext, _ := startExternal(t)
	ctx := testContext(t)
	nc := got(Connect(ctx, ext)).or(t)
	defer nc.Close()
	r.store = got(Open(nc, Settings{EventsMaxBytes: 1 << 20, QuarantineBytes: 1 << 20})).or(t)
	for range 2 { // the second time finds everything in place
		check(t, r.store.Provision(ctx, year))
		check(t, r.store.ProvisionAgency(ctx, ashmere))
	}
	got(pubAck(r.dial(t, ashmere), event(ashmere, "", "hello"))).or(t)
	if m := got(r.store.Events().Get(ctx, ashmere, 1)).or(t); string(m.Data) != "hello" {
		t.Errorf("stored %q", m.Data)
	}
	got(r.store.Ledger(year).Append(ctx, 0, []byte("pack"))).or(t)
	g := got(r.store.Directory().Begin(ctx)).or(t)
	check(t, g.Put(ctx, "contact", "1", []byte("x")))
	got(g.Commit(ctx)).or(t)
	if snap := got(r.store.Directory().Load(ctx)).or(t); len(snap.Rows) != 1 {
		t.Errorf("%d rows", len(snap.Rows))
	}
}

func TestAnExternalServerThatWillNotHaveUsSaysWhy(t *testing.T) {
	r, ext, url := startExternal(t)
	stranger := writeFile(t, filepath.Join(r.dir, "stranger.nk"), got(identity.NewNATSUser()).or(t).Seed)
	foreign := newIdentities(t)
	for name, tc := range map[string]struct {
		ext  External
		want notice.Kind
	}{
		"an unknown key":           {External{url, stranger, ext.RootsFile}, notice.Denied},
		"a seed file that is none": {External{url, ext.RootsFile, ext.RootsFile}, notice.Invalid},
		"no seed file":             {External{url, filepath.Join(r.dir, "absent"), ext.RootsFile}, notice.NotFound},
		"nothing listens":          {External{"tls://127.0.0.1:1", ext.SeedFile, ext.RootsFile}, notice.Unavailable},
		"no address":               {External{"", ext.SeedFile, ext.RootsFile}, notice.Invalid},
		"another authority":        {External{url, ext.SeedFile, foreign.roots}, notice.Internal},
	} {
		nc, err := Connect(testContext(t), tc.ext, nats.Timeout(3*time.Second))
		if notice.KindOf(err) != tc.want || err == nil {
			t.Errorf("%s: %v (%v), want %v", name, err, notice.KindOf(err), tc.want)
		}
		if nc != nil {
			nc.Close()
		}
	}
}

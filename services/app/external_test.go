package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// external is a NATS server that somebody else runs, from the configuration file that Signalbox gave them.
type external struct {
	t    *testing.T
	file string
	port string
	ns   *server.Server
}

// configure writes the file, with a free port for the one it names, as an operator with two servers on a machine would.
func (e *external) configure(text string) *server.Options {
	e.t.Helper()
	if err := os.WriteFile(e.file, []byte(strings.Replace(text, "0.0.0.0:4222", "127.0.0.1:"+e.port, 1)), 0o600); err != nil {
		e.t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(e.file)
	if err != nil {
		e.t.Fatal(err)
	}
	options.NoLog, options.NoSigs = true, true
	return options
}

func (e *external) start() {
	e.t.Helper()
	text, err := os.ReadFile(e.file)
	if err != nil {
		e.t.Fatal(err)
	}
	e.ns, err = server.NewServer(e.configure(string(text)))
	if err != nil {
		e.t.Fatal(err)
	}
	go e.ns.Start()
	e.t.Cleanup(func() { e.ns.Shutdown(); e.ns.WaitForShutdown() })
	if !e.ns.ReadyForConnections(10 * time.Second) {
		e.t.Fatal("the external server did not start")
	}
	e.port = strings.TrimPrefix(e.ns.ClientURL()[strings.LastIndex(e.ns.ClientURL(), ":"):], ":")
}

func TestOverAnExternalServerFromWhatInitWrote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	if err := app.Init(t.Context(), r.Config, dir, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	nats := &external{t: t, file: filepath.Join(dir, app.NATSConfigFile), port: "-1"}
	nats.start()
	r.Config.NATS = app.NATSConfig{
		URL: "tls://127.0.0.1:" + nats.port, Seed: filepath.Join(dir, app.RouterSeedFile),
		Roots: filepath.Join(r.Data, "ca", "ca.crt"), Replicas: 1, EventsBytes: 16 << 20,
	}
	r.ReloadNATS = func(configuration string) {
		for range 2 { // a new account's imports are dead until the second time
			if err := nats.ns.ReloadOptions(nats.configure(configuration)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	lead := r.Person("j.marlowe@beacon-row.example")
	if got := lead.Notices(); len(got) != 1 {
		t.Fatalf("%d notices, want one", len(got))
	}
	lead.Acknowledge(lead.Notices()[0])
	r.Restart()
	r.Settle()
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("after a restart: %v", s)
	}
	r.Verify()
}

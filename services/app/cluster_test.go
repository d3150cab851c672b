package app_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// node is one of three NATS servers, from the files that deploy/nats has and Init wrote.
type node struct {
	t      *testing.T
	name   string
	dir    string
	client string // ports
	ns     *server.Server
}

var nodeNames = []string{"n1", "n2", "n3"}

// configure writes the node's files, with names and ports of this machine in place of those of three.
func (n *node) configure(common, from string, routes map[string]string) *server.Options {
	n.t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(n.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			n.t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"server.crt", "server.key", app.RootsFile} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			n.t.Fatal(err)
		}
		write(name, string(text))
	}
	write("nats.conf", strings.NewReplacer(from, n.dir, "0.0.0.0:4222", "127.0.0.1:"+n.client).Replace(common))
	own, err := os.ReadFile(filepath.Join("..", "..", "deploy", "nats", n.name+".conf"))
	if err != nil {
		n.t.Fatal(err)
	}
	here := []string{"/etc/nats", n.dir, "0.0.0.0:6222", "127.0.0.1:" + routes[n.name]}
	for _, name := range nodeNames {
		here = append(here, "//"+name+":6222", "//localhost:"+routes[name])
	}
	options, err := server.ProcessConfigFile(write(n.name+".conf", strings.NewReplacer(here...).Replace(string(own))))
	if err != nil {
		n.t.Fatal(err)
	}
	options.NoLog, options.NoSigs = true, true
	if !options.SyncAlways {
		n.t.Error("a node acknowledges what it has not yet written to its disk")
	}
	return options
}

func (n *node) start(options *server.Options) {
	n.t.Helper()
	var err error
	if n.ns, err = server.NewServer(options); err != nil {
		n.t.Fatal(err)
	}
	ns := n.ns
	go ns.Start()
	n.t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
}

func TestOverThreeNodesOneMayFail(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	if err := app.Init(t.Context(), r.Config, from, nodeNames); err != nil {
		t.Fatal(err)
	}
	common, err := os.ReadFile(filepath.Join(from, app.NATSConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]string{}
	var nodes []*node
	var urls []string
	for _, name := range nodeNames {
		routes[name] = port(t)
		nodes = append(nodes, &node{t: t, name: name, dir: t.TempDir(), client: port(t)})
		urls = append(urls, "tls://localhost:"+nodes[len(nodes)-1].client)
	}
	for _, n := range nodes {
		n.start(n.configure(string(common), from, routes))
	}
	awaitCluster(t, nodes)
	r.Config.NATS = app.NATSConfig{
		URL: strings.Join(urls, ","), Seed: filepath.Join(from, app.RouterSeedFile),
		Roots: filepath.Join(r.Data, "ca", "ca.crt"), Replicas: 3, EventsBytes: 16 << 20,
	}
	r.ReloadNATS = func(configuration string) {
		for range 2 {
			for _, n := range nodes {
				if err := n.ns.ReloadOptions(n.configure(configuration, from, routes)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	incident := func(id, subject string) *eventv1.Event {
		return apptest.Incident(police, id, subject, r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	}
	police.Publish(incident("np-1", "NP/26/1"))
	r.Settle()

	address := "localhost:" + routes["n1"]
	if err := asNode(t, address, filepath.Join(from, "server.crt"), filepath.Join(from, "server.key"), r.Roots.RootCAs); err != nil {
		t.Errorf("a node is not let in: %v", err)
	}
	client := filepath.Join(police.Identity, app.ClientName)
	if err := asNode(t, address, client+".crt", client+".key", r.Roots.RootCAs); err == nil {
		t.Error("an agency is let in where nodes talk to each other")
	} else if !strings.Contains(err.Error(), "Authorization") {
		t.Errorf("an agency is turned away, but for another reason: %v", err)
	}

	// The node that orders the ledger's packs fails.
	var failed *node
	for _, n := range nodes {
		if n.ns.JetStreamIsStreamLeader("ROUTER", "LEDGER_2026") {
			failed = n
		}
	}
	if failed == nil {
		t.Fatal("no node leads the ledger's stream")
	}
	failed.ns.Shutdown()
	failed.ns.WaitForShutdown()
	began := time.Now()
	publishPatiently(t, func() error { return police.TryPublish(incident("np-2", "NP/26/2")) })
	r.Settle()
	t.Logf("published and settled %v after the failure of %s", time.Since(began).Round(time.Millisecond), failed.name)
	if got := r.Person("j.marlowe@beacon-row.example").Notices(); len(got) != 2 {
		t.Errorf("%d notices, want 2", len(got))
	}
	r.Verify()
}

// asNode speaks to the port where nodes talk to each other, with a certificate, and says how it was received.
func asNode(t *testing.T, address, cert, key string, roots *x509.CertPool) error {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	secured := tls.Client(conn, &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12})
	if err := secured.Handshake(); err != nil {
		return err
	}
	// A node says who it is; its name is checked then.
	if _, err := secured.Write([]byte("CONNECT {\"verbose\":false,\"tls_required\":true,\"name\":\"x\",\"cluster\":\"signalbox\"}\r\nPING\r\n")); err != nil {
		return err
	}
	for lines := bufio.NewScanner(secured); ; {
		if !lines.Scan() {
			return cmp.Or(lines.Err(), io.EOF)
		}
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "PONG"):
			return nil
		case strings.HasPrefix(line, "-ERR"):
			return errors.New(line)
		}
	}
}

func publishPatiently(t *testing.T, publish func() error) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		err := publish()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func awaitCluster(t *testing.T, nodes []*node) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		leaders, current := 0, 0
		for _, n := range nodes {
			if n.ns.JetStreamIsLeader() {
				leaders++
			}
			if n.ns.JetStreamIsCurrent() {
				current++
			}
		}
		if leaders == 1 && current == len(nodes) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the nodes found no leader: %d lead, %d are current", leaders, current)
		}
	}
}

func port(t *testing.T) string { return strconv.Itoa(freePort(t)) }

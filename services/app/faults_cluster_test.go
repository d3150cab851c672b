package app_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

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
	// A node learns of no way to another but the one it was given: where nobody listens is what each says of itself.
	here := []string{
		"/etc/nats", n.dir, `listen: "0.0.0.0:6222"`,
		`listen: "127.0.0.1:` + routes[n.name] + `", advertise: "localhost:1", no_advertise: true`,
	}
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

// cluster is three nodes, with a service and an agency over them. Each way between two nodes, and to each for clients, is
// a line that can be cut.
type cluster struct {
	t       *testing.T
	r       *apptest.Rig
	council *apptest.Agency
	from    string            // what Init wrote
	routes  map[string]string // port of each node for other nodes
	lines   map[string]map[string]*apptest.Proxy
	clients map[string]*apptest.Proxy
	nodes   []*node
}

func startCluster(t *testing.T, a *account) *cluster {
	t.Helper()
	c := &cluster{
		t: t, r: apptest.World(t, time.Now()), from: t.TempDir(), routes: map[string]string{},
		lines: map[string]map[string]*apptest.Proxy{}, clients: map[string]*apptest.Proxy{},
	}
	c.r.RunClock()
	a.mailbox(c.r.Mail)
	check(t, app.Init(t.Context(), c.r.Config, c.from, nodeNames))
	common, err := os.ReadFile(filepath.Join(c.from, app.NATSConfigFile))
	check(t, err)
	for tries := 1; ; tries++ {
		c.startNodes(string(common))
		found := awaitCluster(c.nodes)
		if found == "" {
			break
		}
		if tries == 3 { // a port may have been taken between its choice and its use
			t.Fatalf("the nodes did not find each other: %s", found)
		}
		c.stopNodes()
	}
	var urls []string
	for _, name := range nodeNames {
		urls = append(urls, clientURL(c.clients[name].Addr()))
	}
	c.r.Config.NATS = app.NATSConfig{
		URL: strings.Join(urls, ","), Seed: filepath.Join(c.from, app.RouterSeedFile),
		Roots: filepath.Join(c.r.Data, "ca", "ca.crt"), Replicas: 3, EventsBytes: 16 << 20,
	}
	c.r.Config.Send.Lease = 2 * time.Second
	c.r.ReloadNATS = func(configuration string) {
		for range 2 {
			for _, n := range c.nodes {
				check(t, n.ns.ReloadOptions(c.configure(n, configuration)))
			}
		}
	}
	c.r.Boot()
	c.r.ImportBorough()
	quickRetries(c.r)
	c.council = c.r.AddAgency("ashmere-social-care", "ashmere-council")
	return c
}

// startNodes starts the nodes on ports of their own.
func (c *cluster) startNodes(common string) {
	c.t.Helper()
	c.nodes = nil
	for _, name := range nodeNames {
		n := &node{t: c.t, name: name, dir: c.t.TempDir(), client: port(c.t)}
		c.nodes, c.routes[name] = append(c.nodes, n), port(c.t)
		c.clients[name] = c.r.Proxy("127.0.0.1:" + n.client)
	}
	for _, name := range nodeNames {
		c.lines[name] = map[string]*apptest.Proxy{}
		for _, other := range nodeNames {
			if other != name {
				c.lines[name][other] = c.r.Proxy("127.0.0.1:" + c.routes[other])
			}
		}
	}
	for _, n := range c.nodes {
		n.start(c.configure(n, common))
	}
}

func (c *cluster) stopNodes() {
	for _, n := range c.nodes {
		n.ns.Shutdown()
		n.ns.WaitForShutdown()
	}
}

func clientURL(address string) string {
	return "tls://" + strings.Replace(address, "127.0.0.1", "localhost", 1)
}

func (c *cluster) configure(n *node, common string) *server.Options {
	c.t.Helper()
	ways := map[string]string{n.name: c.routes[n.name]}
	for other, line := range c.lines[n.name] {
		_, ways[other], _ = strings.Cut(line.Addr(), ":")
	}
	return n.configure(common, c.from, ways)
}

// publish publishes referrals, each until it is acknowledged.
func (c *cluster) publish(a *account, what string, n int) {
	c.t.Helper()
	for i := range n {
		check(c.t, a.publishUntilTaken(c.council, decision(c.council, fmt.Sprintf("ref-%s-%02d", what, i))))
	}
}

// orders is the node that orders the ledger's packs. Agencies reach the other two alone from now on.
func (c *cluster) orders() *node {
	c.t.Helper()
	var leader *node
	var others []string
	for _, n := range c.nodes {
		if n.ns.JetStreamIsStreamLeader("ROUTER", fmt.Sprintf("LEDGER_%d", c.r.Clock.Now().Year())) {
			leader = n
		} else {
			others = append(others, clientURL(c.clients[n.name].Addr()))
		}
	}
	if leader == nil {
		c.t.Fatal("no node leads the ledger's stream")
	}
	c.r.PublishAt(strings.Join(others, ","))
	c.council.Connect()
	return leader
}

// to is every line to and from a node.
func (c *cluster) to(lost *node) []*apptest.Proxy {
	lines := []*apptest.Proxy{c.clients[lost.name]}
	for _, n := range c.nodes {
		if n != lost {
			lines = append(lines, c.lines[lost.name][n.name], c.lines[n.name][lost.name])
		}
	}
	return lines
}

// nodeKilled kills the node that orders the ledger's packs.
func nodeKilled(t *testing.T, a *account) {
	c := startCluster(t, a)
	c.publish(a, "before", 5)
	c.r.AwaitSummary(a.quiet)

	address, cert := "localhost:"+c.routes["n1"], filepath.Join(c.from, "server")
	if err := asNode(t, address, cert+".crt", cert+".key", c.r.Roots.RootCAs); err != nil {
		t.Errorf("a node is not let in: %v", err)
	}
	client := filepath.Join(c.council.Identity, app.ClientName)
	if err := asNode(t, address, client+".crt", client+".key", c.r.Roots.RootCAs); err == nil {
		t.Error("an agency is let in where nodes talk to each other")
	} else if !strings.Contains(err.Error(), "Authorization") {
		t.Errorf("an agency is turned away, but for another reason: %v", err)
	}

	failed := c.orders()
	c.publish(a, "meanwhile", 5)
	for _, line := range c.to(failed) { // or it would say goodbye, and hand over what it leads
		line.Cut()
	}
	failed.ns.Shutdown()
	failed.ns.WaitForShutdown()
	began := time.Now()
	c.publish(a, "after", 5)
	c.r.AwaitSummary(a.quiet)
	a.note("published and settled %v after it", time.Since(began).Round(time.Millisecond))
	a.balance(t, c.r.Service.Store(), c.r.Clock.Now())
}

// nodeCutOff cuts the node that orders the ledger's packs off from the other two and from everybody else, and mends that.
func nodeCutOff(t *testing.T, a *account) {
	c := startCluster(t, a)
	c.publish(a, "before", 5)
	lost := c.orders()
	lines := c.to(lost)
	c.publish(a, "meanwhile", 5)
	for _, line := range lines {
		line.Cut()
	}
	began := time.Now()
	c.publish(a, "cut", 20)
	c.r.AwaitSummary(a.quiet)
	a.note("published and settled %v after it", time.Since(began).Round(time.Millisecond))
	for _, line := range lines {
		line.Mend()
	}
	if apart := awaitCluster(c.nodes); apart != "" {
		t.Fatalf("the nodes did not find each other again: %s", apart)
	}
	c.publish(a, "mended", 20)
	c.r.AwaitSummary(a.quiet)
	a.balance(t, c.r.Service.Store(), c.r.Clock.Now())
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

// awaitCluster waits until the nodes are one cluster, and says how far they have come where they are not within its time.
func awaitCluster(nodes []*node) (apart string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(45 * time.Second)
	for {
		leaders, current, online := 0, 0, 0
		for _, n := range nodes {
			if n.ns.JetStreamIsLeader() {
				leaders++
				online = len(n.ns.JetStreamClusterPeers()) // streams are placed on those that it has heard of
			}
			if n.ns.JetStreamIsCurrent() {
				current++
			}
		}
		if leaders == 1 && current == len(nodes) && online == len(nodes) {
			return ""
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Sprintf("%d lead, %d are current, %d online", leaders, current, online)
		}
	}
}

func port(t *testing.T) string { return strconv.Itoa(freePort(t)) }

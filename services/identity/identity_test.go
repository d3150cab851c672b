package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nkeys"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const day = 24 * time.Hour

func newTestCA(t *testing.T, now time.Time) *CA {
	t.Helper()
	ca, err := CreateCA(t.TempDir(), now, 365*day)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issueFor(t *testing.T, ca *CA, kind Kind, name string, now time.Time) (Pair, *x509.Certificate) {
	t.Helper()
	pair, err := ca.IssueClient(Peer{kind, name}, now, 30*day)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := parseCert(pair.CertPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair, cert
}

func TestAnAuthorityIsReadBackFromItsFilesAndNeverOverwritten(t *testing.T) {
	now := time.Now()
	dir := filepath.Join(t.TempDir(), "ca")
	ca, err := CreateCA(dir, now, 365*day)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(ca.CertPEM()), string(again.CertPEM())); diff != "" {
		t.Error(diff)
	}
	before, err := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateCA(dir, now, 365*day); notice.KindOf(err) != notice.Conflict {
		t.Errorf("a second authority in the same folder: %v, want a conflict", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the authority's key was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("%d files in the folder, want the key and the certificate only", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", e.Name(), info.Mode().Perm())
		}
	}
}

func TestLoadingAnAuthorityThatIsAbsentOrBrokenIsRefused(t *testing.T) {
	if _, err := LoadCA(t.TempDir()); notice.KindOf(err) != notice.NotFound {
		t.Errorf("empty folder: %v, want not found", err)
	}
	now := time.Now()
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if _, err := CreateCA(dir, now, day); err != nil {
			t.Fatal(err)
		}
	}
	other, err := os.ReadFile(filepath.Join(b, CAKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{"another authority's key": other, "nonsense": []byte("nonsense")} {
		if err := os.WriteFile(filepath.Join(a, CAKeyFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadCA(a); notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: %v, want invalid", what, err)
		}
	}
}

func TestAPeerIsRecognisedByItsCertificate(t *testing.T) {
	now := time.Now()
	ca := newTestCA(t, now)
	for _, want := range []Peer{{Agency, "ashmere-police"}, {Operator, "j.okafor"}} {
		_, cert := issueFor(t, ca, want.Kind, want.Name, now)
		got, err := PeerFromCert(cert)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestACertificateThatIsNotClearlySomebodyIsRefused(t *testing.T) {
	now := time.Now()
	ca := newTestCA(t, now)
	uri := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	cases := map[string]func(c *x509.Certificate){
		"no URI name":             func(c *x509.Certificate) { c.URIs = nil },
		"two URI names":           func(c *x509.Certificate) { c.URIs = append(c.URIs, uri("signalbox://operator/root")) },
		"another scheme":          func(c *x509.Certificate) { c.URIs[0] = uri("spiffe://agency/ashmere") },
		"another kind":            func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://leader/ashmere") },
		"a deeper path":           func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ashmere/x") },
		"a double slash":          func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency//ashmere") },
		"a query":                 func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ashmere?as=root") },
		"a fragment":              func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ashmere#x") },
		"user information":        func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://x@agency/ashmere") },
		"a port":                  func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency:1/ashmere") },
		"a wildcard":              func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/*") },
		"an escaped name":         func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ash%6dere") },
		"another common name":     func(c *x509.Certificate) { c.Subject.CommonName = "kestrel-vale" },
		"not a client":            func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} },
		"an authority":            func(c *x509.Certificate) { c.IsCA = true },
		"a name in upper case":    func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ASHMERE") },
		"an empty name":           func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/") },
		"a name with a full stop": func(c *x509.Certificate) { c.URIs[0] = uri("signalbox://agency/ash.mere") },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			_, cert := issueFor(t, ca, Agency, "ashmere", now)
			spoil(cert)
			if peer, err := PeerFromCert(cert); notice.KindOf(err) != notice.Denied {
				t.Errorf("got %v, %v, want denied", peer, err)
			}
		})
	}
	if _, err := PeerFromCert(nil); notice.KindOf(err) != notice.Denied {
		t.Errorf("no certificate: %v, want denied", err)
	}
}

func TestNamesThatCouldMeanSomethingElseAreRefused(t *testing.T) {
	for _, name := range []string{"", "a", "Ashmere", "ash.mere", "ash*", "ash>", "ash mere", "9ash", "ash/mere", strings.Repeat("a", 40)} {
		if _, err := NewPeer(Agency, name); notice.KindOf(err) != notice.Invalid {
			t.Errorf("agency %q: %v, want invalid", name, err)
		}
	}
	for _, name := range []string{"", "J", "j/x", "j x", strings.Repeat("a", 64)} {
		if _, err := NewPeer(Operator, name); notice.KindOf(err) != notice.Invalid {
			t.Errorf("operator %q: %v, want invalid", name, err)
		}
	}
	if _, err := NewPeer(0, "ashmere"); notice.KindOf(err) != notice.Invalid {
		t.Errorf("the zero kind: %v, want invalid", err)
	}
}

func TestIssuingRefusesWhatWouldNotVerify(t *testing.T) {
	now := time.Now()
	ca := newTestCA(t, now)
	cases := map[string]func() error{
		"longer than the authority": func() error { _, err := ca.IssueClient(Peer{Agency, "ashmere"}, now, 999*day); return err },
		"no validity":               func() error { _, err := ca.IssueClient(Peer{Agency, "ashmere"}, now, 0); return err },
		"no time":                   func() error { _, err := ca.IssueClient(Peer{Agency, "ashmere"}, time.Time{}, day); return err },
		"a server without a name":   func() error { _, err := ca.IssueServer(ServerRequest{Now: now, Validity: day}); return err },
		"nobody":                    func() error { _, err := ca.IssueClient(Peer{}, now, day); return err },
	}
	for name, issue := range cases {
		if err := issue(); notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

// handshake runs one TLS connection and returns both ends' errors and what the server saw of the client.
func handshake(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		c := conn.(*tls.Conn)
		if err := c.Handshake(); err != nil {
			done <- err
			return
		}
		state = c.ConnectionState()
		_, err = c.Write([]byte("x"))
		done <- err
	}()
	conn, clientErr := tls.Dial("tcp", l.Addr().String(), client)
	if clientErr == nil {
		// In TLS 1.3 a refused client certificate shows only at the first read.
		_, clientErr = io.ReadFull(conn, make([]byte, 1))
		conn.Close()
	}
	serverErr = <-done
	return state, serverErr, clientErr
}

func TestAServerKnowsItsCallersAndTurnsStrangersAway(t *testing.T) {
	now := time.Now()
	ca, foreign := newTestCA(t, now), newTestCA(t, now)
	serverPair, err := ca.IssueServer(ServerRequest{DNSNames: []string{"signalbox.test"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: now, Validity: day})
	if err != nil {
		t.Fatal(err)
	}
	server, err := ServerTLS(serverPair, ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := issueFor(t, ca, Agency, "ashmere", now)
	theirs, _ := issueFor(t, foreign, Agency, "ashmere", now)
	old, _ := issueFor(t, ca, Agency, "ashmere", now.Add(-60*day))

	t.Run("an agency of ours is recognised, over TLS 1.3", func(t *testing.T) {
		client, err := ClientTLS(ours, ca.Pool())
		if err != nil {
			t.Fatal(err)
		}
		state, serverErr, clientErr := handshake(t, server, client)
		if serverErr != nil || clientErr != nil {
			t.Fatal(serverErr, clientErr)
		}
		if state.Version != tls.VersionTLS13 {
			t.Errorf("version %x, want TLS 1.3", state.Version)
		}
		peer, err := PeerFromCert(state.PeerCertificates[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Peer{Agency, "ashmere"}, peer); diff != "" {
			t.Error(diff)
		}
	})
	refused := map[string]*tls.Config{
		"no certificate":              {RootCAs: ca.Pool()},
		"another authority's":         mustClient(t, theirs, ca.Pool()),
		"an expired one":              mustClient(t, old, ca.Pool()),
		"a server's as the client's":  mustClient(t, serverPair, ca.Pool()),
		"TLS 1.1":                     {RootCAs: ca.Pool(), MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11},
		"client trusts another roots": mustClient(t, ours, foreign.Pool()),
	}
	for name, client := range refused {
		t.Run(name+" is refused", func(t *testing.T) {
			if _, serverErr, clientErr := handshake(t, server, client); serverErr == nil || clientErr == nil {
				t.Errorf("server: %v, client: %v, want both to fail", serverErr, clientErr)
			}
		})
	}
	if _, err := ServerTLS(serverPair, nil); notice.KindOf(err) != notice.Invalid {
		t.Errorf("no roots: %v, want invalid", err)
	}
}

func mustClient(t *testing.T, pair Pair, roots *x509.CertPool) *tls.Config {
	t.Helper()
	cfg, err := ClientTLS(pair, roots)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestPairsAndRootsAreReadBackFromFiles(t *testing.T) {
	now := time.Now()
	ca := newTestCA(t, now)
	pair, _ := issueFor(t, ca, Operator, "j.okafor", now)
	dir := t.TempDir()
	certFile, keyFile, err := pair.WriteFiles(dir, "operator")
	if err != nil {
		t.Fatal(err)
	}
	got, err := LoadPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.KeyPEM) != string(pair.KeyPEM) || string(got.CertPEM) != string(pair.CertPEM) {
		t.Error("the pair read back differs")
	}
	if _, _, err := pair.WriteFiles(dir, "operator"); notice.KindOf(err) != notice.Conflict {
		t.Errorf("writing over a pair: %v, want a conflict", err)
	}
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, ca.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	pool, err := LoadRoots(roots)
	if err != nil {
		t.Fatal(err)
	}
	if !pool.Equal(ca.Pool()) {
		t.Error("the roots read back differ")
	}
	if _, err := LoadRoots(keyFile); notice.KindOf(err) != notice.Invalid {
		t.Errorf("roots from a key file: %v, want invalid", err)
	}
	if _, err := LoadPair(certFile, roots); notice.KindOf(err) != notice.Invalid {
		t.Errorf("a key that is none: %v, want invalid", err)
	}
	if _, err := LoadPair(filepath.Join(dir, "absent"), keyFile); notice.KindOf(err) != notice.NotFound {
		t.Errorf("absent file: %v, want not found", err)
	}
}

func TestANATSUserSignsWithItsSeed(t *testing.T) {
	user, err := NewNATSUser()
	if err != nil {
		t.Fatal(err)
	}
	kp, err := nkeys.FromSeed(user.Seed)
	if err != nil {
		t.Fatal(err)
	}
	public, err := kp.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	if public != user.PublicKey || !nkeys.IsValidPublicUserKey(public) {
		t.Errorf("seed and public key do not belong together: %s", public)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	user, err := NewNATSUser()
	if err != nil {
		t.Fatal(err)
	}
	pair := Pair{KeyPEM: Secret(user.Seed)}
	asJSON, err := json.Marshal(map[string]any{"user": user, "pair": pair})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %s", user, pair, user, user.Seed, asJSON)
	if strings.Contains(text, string(user.Seed)) || !strings.Contains(text, redacted) {
		t.Errorf("a secret shows in %s", text)
	}
}

func FuzzPeerURI(f *testing.F) {
	for _, s := range []string{"signalbox://agency/ashmere", "signalbox://operator/j.okafor", "signalbox://agency/a%2fb", "spiffe://x"} {
		f.Add(s, "ashmere")
	}
	f.Fuzz(func(t *testing.T, text, cn string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		cert := &x509.Certificate{URIs: []*url.URL{u}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		cert.Subject.CommonName = cn
		peer, err := PeerFromCert(cert)
		if err == nil && (peer.URI().String() != u.String() || peer.Name != cn) { // parsing folds the case of the scheme
			t.Errorf("%q (cn %q) was taken for %v", text, cn, peer)
		}
	})
}

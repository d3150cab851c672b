package store

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const year = 2026

// rig is an embedded server with TLS, and a store on it.
type rig struct {
	dir   string
	ca    *identity.CA
	tls   TLSFiles
	roots string
	users map[notice.AgencyID]identity.NATSUser
	srv   *Server
	store *Store
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// got is a call's result: got(f()).or(t) ends the test on an error.
func got[T any](v T, err error) result[T] { return result[T]{v, err} }

type result[T any] struct {
	v   T
	err error
}

func (r result[T]) or(t testing.TB) T {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRig starts a server that knows the agencies, with their streams.
func newRig(t testing.TB, agencies ...notice.AgencyID) *rig {
	t.Helper()
	r := newIdentities(t, agencies...)
	ctx := testContext(t)
	r.srv = got(StartServer(ctx, ServerConfig{
		StoreDir: filepath.Join(r.dir, "store"), ListenHost: "127.0.0.1", TLS: r.tls, Agencies: r.access(agencies...),
	})).or(t)
	t.Cleanup(r.srv.Shutdown)
	nc := got(r.srv.Connect()).or(t)
	t.Cleanup(nc.Close)
	r.store = got(Open(nc, Settings{EventsMaxBytes: 64 << 20, QuarantineBytes: 16 << 20})).or(t)
	check(t, r.store.Provision(ctx, year))
	for _, a := range agencies {
		check(t, r.store.ProvisionAgency(ctx, a))
	}
	return r
}

func newIdentities(t testing.TB, agencies ...notice.AgencyID) *rig {
	t.Helper()
	now := time.Now()
	r := &rig{dir: t.TempDir(), users: map[notice.AgencyID]identity.NATSUser{}}
	r.ca = got(identity.CreateCA(filepath.Join(r.dir, "ca"), now, time.Hour)).or(t)
	r.roots = filepath.Join(r.dir, "ca", identity.CACertFile)
	pair := got(r.ca.IssueServer(identity.ServerRequest{IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: now, Validity: time.Minute})).or(t)
	cert, key, err := pair.WriteFiles(r.dir, "server")
	check(t, err)
	r.tls = TLSFiles{CertFile: cert, KeyFile: key}
	for _, a := range agencies {
		r.addUser(t, a)
	}
	return r
}

func (r *rig) addUser(t testing.TB, agency notice.AgencyID) {
	t.Helper()
	r.users[agency] = got(identity.NewNATSUser()).or(t)
}

func (r *rig) access(agencies ...notice.AgencyID) []AgencyAccess {
	var out []AgencyAccess
	for _, a := range agencies {
		out = append(out, AgencyAccess{Agency: a, PublicKeys: []string{r.users[a].PublicKey}})
	}
	return out
}

// dial connects as an agency's own program would: TLS, its key, its inbox.
func (r *rig) dial(t testing.TB, agency notice.AgencyID, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc := got(r.tryDial(agency, r.users[agency], opts...)).or(t)
	t.Cleanup(nc.Close)
	return nc
}

func (r *rig) tryDial(agency notice.AgencyID, user identity.NATSUser, opts ...nats.Option) (*nats.Conn, error) {
	kp, err := nkeys.FromSeed(user.Seed)
	if err != nil {
		return nil, err
	}
	return nats.Connect(r.srv.ClientURL(), append([]nats.Option{
		nats.Nkey(user.PublicKey, kp.Sign), nats.RootCAs(r.roots), nats.CustomInboxPrefix(InboxPrefix(agency)),
	}, opts...)...)
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	check(t, os.WriteFile(path, data, 0o600))
	return path
}

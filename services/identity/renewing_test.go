package identity_test

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/identity"
)

func TestAListenerAndItsCallerOutliveTheirFirstCertificates(t *testing.T) {
	const life = 90 * 24 * time.Hour
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	ca, err := identity.CreateCA(filepath.Join(t.TempDir(), "ca"), now, 10*365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	server, err := identity.NewRenewing(func(at time.Time) (identity.Pair, error) {
		return ca.IssueServer(identity.ServerRequest{DNSNames: []string{"localhost"}, Now: at, Validity: life})
	}, clock)
	if err != nil {
		t.Fatal(err)
	}
	client, err := identity.NewRenewing(func(at time.Time) (identity.Pair, error) {
		return ca.IssueClient(identity.Peer{Kind: identity.Operator, Name: "signalbox"}, at, life)
	}, clock)
	if err != nil {
		t.Fatal(err)
	}
	accepting, err := server.ServerTLS(ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	calling, err := client.ClientTLS(ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	accepting.Time, calling.Time, calling.ServerName = clock, clock, "localhost"

	first := server.Current()
	for _, after := range []time.Duration{0, 24 * time.Hour, life * 2 / 3, life, 400 * 24 * time.Hour} {
		now = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC).Add(after)
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- tls.Server(far, accepting).Handshake() }()
		if err := tls.Client(near, calling).Handshake(); err != nil {
			t.Errorf("after %s: %v", after, err)
		}
		if err := <-done; err != nil {
			t.Errorf("after %s the listener: %v", after, err)
		}
		_, _ = near.Close(), far.Close()
		if renewed := server.Current() != first; renewed != (after >= life*2/3) {
			t.Errorf("after %s renewed is %v", after, renewed)
		}
	}
}

package store

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// External is how to reach a NATS server that Signalbox does not run itself.
type External struct {
	URL       string // tls://host:port, several separated by commas
	SeedFile  string // the seed (SU…) of the ROUTER account's user
	RootsFile string // PEM of the authorities that may have issued the server's certificate
}

// Connect signs in to the ROUTER account of an external server. The connection is made again for ever once lost;
// the first failure is reported: Denied for a key the server does not know, Unavailable where nothing answers.
func Connect(ctx context.Context, ext External, opts ...nats.Option) (*nats.Conn, error) {
	const op = "store.Connect"
	if ext.URL == "" || ext.SeedFile == "" || ext.RootsFile == "" {
		return nil, notice.Fault(notice.Invalid, op, fmt.Errorf("an external server needs an address, a seed file and the roots of its certificate"))
	}
	for _, file := range []string{ext.SeedFile, ext.RootsFile} {
		if _, err := os.Stat(file); err != nil {
			return nil, notice.Fault(notice.NotFound, op, err)
		}
	}
	key, err := nats.NkeyOptionFromSeed(ext.SeedFile)
	if err != nil {
		return nil, notice.Fault(notice.Invalid, op, fmt.Errorf("%s does not hold an nkey seed", ext.SeedFile))
	}
	if err := ctx.Err(); err != nil {
		return nil, fault(op, err)
	}
	// A connection that went silent is noticed, and made anew, within the time that a lease on the lead lasts.
	opts = append([]nats.Option{
		nats.Name("signalbox"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2),
	}, opts...)
	// Secure is said outright: with a nats:// address and a server that offers no TLS, roots alone would do nothing.
	nc, err := nats.Connect(ext.URL, append(opts, key, nats.RootCAs(ext.RootsFile), nats.Secure(nil))...)
	if err != nil {
		return nil, fault(op, err)
	}
	return nc, nil
}

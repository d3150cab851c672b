package store

import (
	"path/filepath"
	"testing"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// The embedded server takes as much as the disk has free at its start, and reserves what each stream may hold. A disk that
// others have filled meanwhile must not keep the service from starting: what it took in is still to be sent.
func TestAServiceStartsOnADiskThatHasBecomeFuller(t *testing.T) {
	for name, closed := range map[string]bool{"streams open": false, "streams closed": true} {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			const other = notice.AgencyID("elsewhere")
			agencies := []notice.AgencyID{ashmere, other}
			r := newIdentities(t, agencies...)
			start := func(room int64) (stop func()) {
				r.srv = got(StartServer(ctx, ServerConfig{
					StoreDir: filepath.Join(r.dir, "store"), MaxFileStore: room, ListenHost: "127.0.0.1", TLS: r.tls, Agencies: r.access(agencies...),
				})).or(t)
				nc := got(r.srv.Connect()).or(t)
				r.store = got(Open(nc, Settings{EventsMaxBytes: 64 << 20, QuarantineBytes: 16 << 20})).or(t)
				return func() { nc.Close(); r.srv.Shutdown() }
			}
			stop := start(200 << 20)
			check(t, r.store.Provision(ctx, year))
			for _, a := range agencies {
				check(t, r.store.ProvisionAgency(ctx, a))
				shelf := got(r.store.Events().Shelf(ctx, a)).or(t)
				check(t, r.store.Events().Admit(ctx, a, shelf, !closed))
			}
			stop()
			stop = start(100 << 20)
			defer stop()
			check(t, r.store.Provision(ctx, year))
			for _, a := range agencies {
				check(t, r.store.ProvisionAgency(ctx, a))
			}
			got(r.store.Ledger(year).Append(ctx, 0, []byte("what was taken in is sent"))).or(t)
		})
	}
}

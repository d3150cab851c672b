package app_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/store"
)

// natsFaults are those of NATS, embedded or external, and of the network between it and the service.
func natsFaults() []fault {
	return []fault{
		{
			name: "NATS is cut off from the service, and what was published meanwhile goes out once it is back",
			left: "a cut of 40 seconds instead of 3, past the lease of the leader",
			run: func(t *testing.T, a *account) {
				brokenNATS(t, a, time.Duration(a.pick(3, 40, 120))*time.Second, func(_ *external, cable *apptest.Proxy) func() {
					cable.Cut()
					return cable.Mend
				})
			},
		},
		{
			name: "NATS is slow, and everything goes out all the same",
			run: func(t *testing.T, a *account) {
				brokenNATS(t, a, time.Duration(a.pick(2, 20, 120))*time.Second, func(_ *external, cable *apptest.Proxy) func() {
					cable.Slow(50 * time.Millisecond)
					return cable.Mend
				})
			},
		},
		{
			name: "NATS refuses connections, and what was published until then goes out once it is back",
			left: "gone for 40 seconds instead of 2",
			run: func(t *testing.T, a *account) {
				brokenNATS(t, a, time.Duration(a.pick(2, 40, 120))*time.Second, func(nats *external, _ *apptest.Proxy) func() {
					nats.ns.Shutdown()
					nats.ns.WaitForShutdown()
					return nats.start
				})
			},
		},
		{
			name: "an agency's stream is full and then freed, what was acknowledged goes out and the rest is refused",
			run:  eventsFull,
		},
		{
			name: "the ledger is full and then freed, what was acknowledged goes out",
			left: "full for 40 seconds instead of 3",
			run:  ledgerFull,
		},
		{name: "the node of three that orders the ledger is killed, and everything goes out over the other two", run: nodeKilled},
		{
			name:     "the node of three that orders the ledger is cut off, and everything goes out over the other two",
			fullOnly: true, run: nodeCutOff,
		},
	}
}

// behindCable is a world with a service that reaches an external NATS through a cable, and an agency that does not.
func behindCable(t *testing.T, a *account) (*apptest.Rig, *external, *apptest.Proxy, *apptest.Agency) {
	t.Helper()
	world, nats := overExternal(t, time.Now())
	world.RunClock()
	a.mailbox(world.Mail)
	cable := world.Proxy("127.0.0.1:" + nats.port)
	r := world.Another("a", func(c *app.Config) {
		c.NATS.URL = "tls://" + cable.Addr()
		c.Send.Lease = 2 * time.Second
	})
	r.Boot()
	r.ImportBorough()
	quickRetries(r)
	r.PublishAt(world.Config.NATS.URL)
	return r, nats, cable, r.AddAgency("ashmere-social-care", "ashmere-council")
}

// brokenNATS has an agency publish before, while and after something is broken for a while.
func brokenNATS(t *testing.T, a *account, lasting time.Duration, breaking func(*external, *apptest.Proxy) (mend func())) {
	r, nats, cable, council := behindCable(t, a)
	load := a.load(council)
	for range 20 {
		load.next(t)
	}
	mend := breaking(nats, cable)
	broken := time.After(lasting)
	for more := 100; more > 0; more-- { // as many as come through
		select {
		case <-load.acknowledged:
			continue
		case err := <-load.done:
			t.Fatal(err)
		case <-broken:
			broken = nil
			more = 0
		}
	}
	if broken != nil {
		<-broken
	}
	mend()
	began := time.Now()
	for range 20 {
		load.next(t)
	}
	load.end(t)
	r.AwaitSummary(a.quiet)
	a.note("broken for %v, all settled %v after it was mended", lasting, time.Since(began).Round(time.Millisecond))
	direct := r.Config.NATS
	direct.URL = "tls://127.0.0.1:" + nats.port
	a.balance(t, besides(t, direct), r.Clock.Now())
}

// streamOf is a stream as whoever runs NATS has it.
func streamOf(t *testing.T, c app.NATSConfig, name string) (jetstream.JetStream, jetstream.StreamConfig, uint64) {
	t.Helper()
	conn, err := store.Connect(t.Context(), store.External{URL: c.URL, SeedFile: c.Seed, RootsFile: c.Roots})
	check(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	check(t, err)
	stream, err := js.Stream(t.Context(), name)
	check(t, err)
	info, err := stream.Info(t.Context())
	check(t, err)
	return js, info.Config, info.State.Bytes
}

// eventsFull fills the stream of an agency, and frees it again.
func eventsFull(t *testing.T, a *account) {
	r, _, _, council := behindCable(t, a)
	check(t, a.publish(council, decision(council, "ref-first")))
	js, config, bytes := streamOf(t, r.Config.NATS, "EVENTS_"+string(council.ID))
	roomy := config.MaxBytes
	config.MaxBytes = int64(bytes) * 20
	_, err := js.UpdateStream(t.Context(), config)
	check(t, err)
	refused := 0
	for i := 0; refused < 5; i++ {
		var answer *nats.APIError
		switch err := a.publish(council, decision(council, fmt.Sprintf("ref-%03d", i))); {
		case errors.As(err, &answer):
			refused++
		case err != nil:
			t.Fatal(err)
		case i > 100:
			t.Fatal("the stream does not fill")
		}
	}
	r.AwaitSummary(a.quiet) // what is in goes out while no more comes in
	config.MaxBytes = roomy
	_, err = js.UpdateStream(t.Context(), config)
	check(t, err)
	for i := range 10 {
		check(t, a.publishUntilTaken(council, decision(council, fmt.Sprintf("ref-after-%d", i))))
	}
	r.AwaitSummary(a.quiet)
	a.note("%d refused", refused)
	a.balance(t, r.Service.Store(), r.Clock.Now())
}

// ledgerFull leaves no room for another pack, and frees it again. Events are acknowledged all the while.
func ledgerFull(t *testing.T, a *account) {
	r, _, _, council := behindCable(t, a)
	check(t, a.publish(council, decision(council, "ref-first")))
	r.AwaitSummary(a.quiet)
	js, config, bytes := streamOf(t, r.Config.NATS, fmt.Sprintf("LEDGER_%d", r.Clock.Now().Year()))
	config.MaxBytes = int64(bytes) + 500
	_, err := js.UpdateStream(t.Context(), config)
	check(t, err)
	lasting := time.Duration(a.pick(3, 40, 120)) * time.Second
	full := time.After(lasting)
	for i := range 30 {
		check(t, a.publish(council, decision(council, fmt.Sprintf("ref-%03d", i))))
	}
	<-full
	if a.quiet(r.Summary()) {
		t.Error("the ledger was not full")
	}
	config.MaxBytes = -1
	_, err = js.UpdateStream(t.Context(), config)
	check(t, err)
	r.AwaitSummary(a.quiet)
	a.note("full for %v", lasting)
	a.balance(t, r.Service.Store(), r.Clock.Now())
}

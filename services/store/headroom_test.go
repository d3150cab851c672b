package store

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// refusedAck publishes as an agency's program does and returns what the server refused it with, nothing where it took it.
func refusedAck(t *testing.T, nc *nats.Conn, text string) string {
	t.Helper()
	reply := got(nc.RequestMsg(event(ashmere, "", text), 10*time.Second)).or(t)
	var ack struct {
		Error *struct{ Description string }
	}
	check(t, json.Unmarshal(reply.Data, &ack))
	if ack.Error == nil {
		return ""
	}
	return ack.Error.Description
}

func TestAStreamThatIsClosedRefusesWithANegativeAcknowledgementAndLosesNothing(t *testing.T) {
	servers := map[string]func(t *testing.T) *rig{
		"embedded": func(t *testing.T) *rig { return newRig(t, ashmere) },
		"external": func(t *testing.T) *rig {
			r, ext, _ := startExternal(t)
			nc := got(Connect(testContext(t), ext)).or(t)
			t.Cleanup(nc.Close)
			r.store = got(Open(nc, Settings{EventsMaxBytes: 64 << 20, QuarantineBytes: 16 << 20})).or(t)
			check(t, r.store.Provision(testContext(t), year))
			check(t, r.store.ProvisionAgency(testContext(t), ashmere))
			return r
		},
	}
	for name, start := range servers {
		for held, before := range map[string]int{"that holds events": 3, "that is empty": 0} {
			t.Run(name+", "+held, func(t *testing.T) {
				r := start(t)
				ctx, agency, e := testContext(t), r.dial(t, ashmere), r.store.Events()
				for range before {
					got(pubAck(agency, event(ashmere, "", "kept"))).or(t)
				}
				set := func(admit bool) Shelf {
					t.Helper()
					for range 2 { // the second time finds it as it should be
						check(t, e.Admit(ctx, ashmere, got(e.Shelf(ctx, ashmere)).or(t), admit))
					}
					return got(e.Shelf(ctx, ashmere)).or(t)
				}
				if s := set(false); s.Accepted || s.Full() {
					t.Errorf("a closed stream says %+v", s)
				}
				if why := refusedAck(t, agency, "too much"); why != "maximum bytes exceeded" {
					t.Errorf("refused with %q", why)
				}
				if _, err := e.Publish(ctx, ashmere, family, nil, []byte("too much"), ""); notice.KindOf(err) != notice.Unavailable {
					t.Errorf("by our own publisher: %v", err)
				}
				got(r.store.Ledger(year).Append(ctx, 0, []byte("the ledger goes on"))).or(t)
				if s := set(true); !s.Accepted || s.Last != uint64(before) {
					t.Errorf("opened again: %+v", s)
				}
				if why := refusedAck(t, agency, "room again"); why != "" {
					t.Errorf("refused with %q", why)
				}
				if s := got(e.Shelf(ctx, ashmere)).or(t); s.Last != uint64(before)+1 || s.LastAt.IsZero() || s.Now.Before(s.LastAt) {
					t.Errorf("then: %+v", s)
				}
				for seq := range uint64(before) {
					if m := got(e.Get(ctx, ashmere, seq+1)).or(t); string(m.Data) != "kept" {
						t.Errorf("event %d is now %q", seq+1, m.Data)
					}
				}
			})
		}
	}
}

func TestHowMuchRoomThereIsIsKnown(t *testing.T) {
	ctx := testContext(t)
	r := newRig(t, ashmere)
	embedded := got(r.srv.Room()).or(t)
	left, known := embedded.Left()
	free, _ := diskFree(r.dir)
	if !known || left > free+64<<20 {
		t.Errorf("embedded: %+v, of %d bytes free on the disk", embedded, free)
	}
	if account := got(r.store.AccountRoom(ctx)).or(t); account.Limit != 0 {
		t.Errorf("the account of the embedded server has a limit: %+v", account)
	}

	const limit = 100 << 20
	limited, ext, _ := startExternal(t, func(c *Config) { c.RouterStore = limit })
	nc := got(Connect(ctx, ext)).or(t)
	defer nc.Close()
	limited.store = got(Open(nc, Settings{EventsMaxBytes: 16 << 20, QuarantineBytes: 16 << 20})).or(t)
	check(t, limited.store.Provision(ctx, year))
	check(t, limited.store.ProvisionAgency(ctx, ashmere))
	before := got(limited.store.AccountRoom(ctx)).or(t)
	publishMiB(ctx, t, limited.store)
	after := got(limited.store.AccountRoom(ctx)).or(t)
	if before.Limit != limit || after.Used-before.Used < 1<<20 {
		t.Errorf("external: %+v, and a MiB later %+v", before, after)
	}
	if s := got(limited.store.Events().Shelf(ctx, ashmere)).or(t); s.Full() || s.Bytes < 1<<20 {
		t.Errorf("the stream: %+v", s)
	}
}

func publishMiB(ctx context.Context, t *testing.T, s *Store) {
	t.Helper()
	for range 4 {
		if _, err := s.js.Publish(ctx, EventSubject(ashmere, family), make([]byte, 256<<10), jetstream.WithExpectStream(eventsStream(ashmere))); err != nil {
			t.Fatal(err)
		}
	}
}

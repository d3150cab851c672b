package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	ashmere = notice.AgencyID("ashmere-police")
	kestrel = notice.AgencyID("kestrel-vale")
	family  = "encompass.incident"
)

// pubAck publishes over core NATS as any client would and returns the stream's answer.
func pubAck(nc *nats.Conn, msg *nats.Msg) (string, error) {
	reply, err := nc.RequestMsg(msg, 3*time.Second)
	if err != nil {
		return "", err
	}
	return string(reply.Data), nil
}

func event(agency notice.AgencyID, msgID, data string) *nats.Msg {
	m := &nats.Msg{Subject: EventSubject(agency, family), Header: nats.Header{}, Data: []byte(data)}
	if msgID != "" {
		m.Header.Set(nats.MsgIdHdr, msgID)
	}
	return m
}

// violations collects what the server forbids a connection.
func violations() (nats.Option, <-chan error) {
	ch := make(chan error, 64)
	return nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { ch <- err }), ch
}

func awaitViolation(t *testing.T, what string, ch <-chan error) {
	t.Helper()
	select {
	case err := <-ch:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v, want a permission violation", what, err)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("%s was not forbidden", what)
	}
}

func TestAReplySubjectCannotMakeTheServerStoreItsAcknowledgement(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx := testContext(t)
	g := got(r.store.Directory().Begin(ctx)).or(t)
	check(t, g.Put(ctx, "policy", "default", []byte("the true policy")))
	before := got(g.Commit(ctx)).or(t)
	got(r.store.Ledger(year).Append(ctx, 0, []byte("the true pack"))).or(t)

	attacker := r.dial(t, ashmere)
	targets := []string{
		headSubject, nextSubject, chunkSubject(g.number, "policy", 0), ledgerSubject(year), quarantinePrefix + string(kestrel) + ".1-1",
		EventSubject(kestrel, family), AgencySubject(kestrel, "status"), FeedbackSubject(kestrel),
	}
	spy := got(r.store.nc.SubscribeSync(">")).or(t)
	check(t, r.store.nc.Flush())
	for _, target := range targets {
		m := event(ashmere, "", "an event with a wicked reply")
		m.Reply = target
		check(t, attacker.PublishMsg(m))
	}
	// Everything published before this one has been stored, and answered, once this one is answered.
	if ack := got(pubAck(attacker, event(ashmere, "", "done"))).or(t); !strings.Contains(ack, `"seq":9`) {
		t.Fatalf("the events themselves are stored, as they may be: %s", ack)
	}
	check(t, r.store.nc.Flush())
	for {
		m, err := spy.NextMsg(50 * time.Millisecond)
		if err != nil {
			break
		}
		for _, target := range targets {
			if m.Subject == target {
				t.Errorf("a message reached %s", target)
			}
		}
	}
	check(t, spy.Unsubscribe()) // what Load reads below comes under such subjects too

	snap := got(r.store.Directory().Load(ctx)).or(t)
	if snap.Head != before || len(snap.Rows) != 1 || string(snap.Rows[0].Value) != "the true policy" {
		t.Errorf("the directory was overwritten: head %d (was %d), %v", snap.Head, before, snap.Rows)
	}
	if last := got(r.store.Ledger(year).Last(ctx)).or(t); last != 1 {
		t.Errorf("the ledger has %d packs, want 1", last)
	}
	if last := got(r.store.Events().Last(ctx, kestrel)).or(t); last != 0 {
		t.Errorf("%d events of another agency were stored", last)
	}
	if list := got(r.store.Events().ListQuarantine(ctx, "", 0, 10)).or(t); len(list) != 0 {
		t.Errorf("the quarantine holds %v", list)
	}
}

func TestInsideOneAccountTheReplyAttackWouldSucceed(t *testing.T) {
	// Why agencies have accounts of their own, and proof that the test above would see the attack.
	r := newRig(t, ashmere)
	m := event(ashmere, "", "an event with a wicked reply")
	m.Reply = ledgerSubject(year)
	check(t, r.store.nc.PublishMsg(m))
	seen := errors.New("seen")
	err := r.store.Ledger(year).Follow(testContext(t), 1, func(_ uint64, _ time.Time, pack []byte) error {
		if !strings.Contains(string(pack), `"stream":"EVENTS_`) {
			t.Errorf("the ledger holds %q, not the acknowledgement", pack)
		}
		return seen
	})
	if !errors.Is(err, seen) {
		t.Error(err)
	}
}

func TestAStolenMessageIDSwallowsNothing(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx := testContext(t)
	victim, thief := r.dial(t, ashmere), r.dial(t, kestrel)
	// At once, well within the deduplication window.
	stolen := got(pubAck(thief, event(kestrel, "incident-1", "taken first"))).or(t)
	ack := got(pubAck(victim, event(ashmere, "incident-1", "the true event"))).or(t)
	for who, text := range map[string]string{"thief": stolen, "victim": ack} {
		if strings.Contains(text, "duplicate") || strings.Contains(text, "error") {
			t.Errorf("%s's event: %s", who, text)
		}
	}
	m := got(r.store.Events().Get(ctx, ashmere, 1)).or(t)
	if string(m.Data) != "the true event" {
		t.Errorf("stored %q", m.Data)
	}
}

func TestAnAgencyPublishesAsItselfAlone(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	option, forbidden := violations()
	nc := r.dial(t, ashmere, option)
	for _, subject := range []string{
		EventSubject(kestrel, family), FeedbackSubject(kestrel), AgencySubject(ashmere, "status"), AgencySubject(kestrel, "status"),
		ledgerSubject(year), headSubject, quarantinePrefix + "x", "$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.DELETE.EVENTS_" + string(ashmere),
		"$JS.API.STREAM.MSG.GET.EVENTS_" + string(kestrel), "$JS.API.CONSUMER.CREATE.EVENTS_" + string(kestrel), "$SYS.REQ.SERVER.PING", "signalbox.events",
	} {
		check(t, nc.PublishRequest(subject, nc.NewInbox(), []byte("x")))
		awaitViolation(t, "publishing to "+subject, forbidden)
	}
	ctx := testContext(t)
	for _, a := range []notice.AgencyID{ashmere, kestrel} {
		if last := got(r.store.Events().Last(ctx, a)).or(t); last != 0 {
			t.Errorf("%s has %d events, want none", a, last)
		}
	}
}

func TestAnAgencyListensToItselfAlone(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	option, forbidden := violations()
	nc := r.dial(t, ashmere, option)
	for _, subject := range []string{
		AgencySubject(kestrel, ">"), "signalbox.agency.>", "signalbox.agency.*.status", ">", "*.>", EventSubject(kestrel, ">"), EventSubject(ashmere, ">"),
		InboxPrefix(kestrel) + ".>", "_INBOX.>", "_R_.>", ledgerSubject(year), FeedbackSubject(ashmere), "$JS.EVENT.>", "$SYS.>",
	} {
		got(nc.SubscribeSync(subject)).or(t)
		check(t, nc.Flush())
		awaitViolation(t, "listening to "+subject, forbidden)
	}
}

func TestAnAgencyCannotUseJetStream(t *testing.T) {
	r := newRig(t, ashmere)
	option, _ := violations()
	js := got(jetstream.New(r.dial(t, ashmere, option))).or(t)
	ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
	defer cancel()
	if _, err := js.AccountInfo(ctx); err == nil {
		t.Error("account info was answered")
	}
}

func TestHeadersThatSteerTheStreamAreRefused(t *testing.T) {
	r := newRig(t, ashmere)
	nc := r.dial(t, ashmere)
	got(pubAck(nc, event(ashmere, "", "the first"))).or(t)
	for header, value := range map[string]string{
		"Nats-Rollup": "all", "Nats-TTL": "1s", "Nats-Schedule": "@at 2030-01-01T00:00:00Z", "Nats-Batch-Id": "b", "Nats-Incr": "1",
	} {
		m := event(ashmere, "", "steering")
		m.Header.Set(header, value)
		if header == "Nats-Batch-Id" {
			m.Header.Set("Nats-Batch-Sequence", "1")
		}
		if ack := got(pubAck(nc, m)).or(t); !strings.Contains(ack, "error") {
			t.Errorf("%s was accepted: %s", header, ack)
		}
	}
	if first := got(r.store.Events().Get(testContext(t), ashmere, 1)).or(t); string(first.Data) != "the first" {
		t.Errorf("the first event became %q", first.Data)
	}
}

func TestThereIsNoAnonymousWayIn(t *testing.T) {
	r := newRig(t, ashmere)
	stranger := got(identity.NewNATSUser()).or(t)
	wrong := r.users[ashmere]
	wrong.Seed = stranger.Seed
	url := r.srv.ClientURL()
	for name, try := range map[string]func() (*nats.Conn, error){
		"no credentials":               func() (*nats.Conn, error) { return nats.Connect(url, nats.RootCAs(r.roots)) },
		"a password":                   func() (*nats.Conn, error) { return nats.Connect(url, nats.RootCAs(r.roots), nats.UserInfo("a", "b")) },
		"an unknown key":               func() (*nats.Conn, error) { return r.tryDial(ashmere, stranger) },
		"a known key, another's seed":  func() (*nats.Conn, error) { return r.tryDial(ashmere, wrong) },
		"the probe's key from outside": func() (*nats.Conn, error) { return dialProbe(r, ashmere) },
	} {
		nc, err := try()
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v, want an authorisation error", name, err)
			if nc != nil {
				nc.Close()
			}
		}
	}
	if nc, err := nats.Connect(strings.Replace(url, "tls://", "nats://", 1), nats.UserInfo("a", "b")); err == nil {
		nc.Close()
		t.Error("a client that does not trust our authority connected")
	}
}

func dialProbe(r *rig, agency notice.AgencyID) (*nats.Conn, error) {
	kp := r.srv.probes[agency]
	seed, err := kp.Seed()
	if err != nil {
		return nil, err
	}
	public, err := kp.PublicKey()
	if err != nil {
		return nil, err
	}
	return r.tryDial(agency, identity.NATSUser{PublicKey: public, Seed: seed})
}

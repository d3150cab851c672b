package store

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestARefusalIsKeptHoweverLargeTheEvent(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	e := r.store.Events()
	publisher := r.dial(t, ashmere)
	filler := nats.Header{"Filler": {string(bytes.Repeat([]byte("y"), 60<<10))}}
	for i, m := range []*nats.Msg{
		{Subject: EventSubject(ashmere, family), Data: bytes.Repeat([]byte("x"), 1<<20)},
		{Subject: EventSubject(ashmere, family), Data: bytes.Repeat([]byte("x"), 1<<20-61<<10), Header: filler},
	} {
		got(pubAck(publisher, m)).or(t)
		stored := got(e.Get(ctx, ashmere, uint64(i+1))).or(t)
		number := got(e.Quarantine(ctx, ashmere, stored, Header{"Signalbox-Faults": {"event: too long"}})).or(t)
		kept := got(e.GetQuarantined(ctx, number)).or(t)
		if kept.Event.Seq != stored.Seq || kept.Event.Header.Get("Signalbox-Faults") == "" || len(kept.Event.Data) != keptData {
			t.Errorf("event %d is kept as %d with %d bytes and headers %v", stored.Seq, kept.Event.Seq, len(kept.Event.Data), kept.Event.Header)
		}
	}
}

func TestAFullQuarantineHoldsNobodyUpAndTakesTheRoomOfWhoeverFilledIt(t *testing.T) {
	r := newRig(t, ashmere, kestrel) // 16 MiB of quarantine
	ctx := testContext(t)
	e := r.store.Events()
	theirs := got(e.Quarantine(ctx, kestrel, Msg{Seq: 1, Subject: "s", Data: []byte("one fault")}, nil)).or(t)
	rubbish := bytes.Repeat([]byte("x"), keptData)
	var last uint64
	for i := range 80 { // 20 MiB
		last = got(e.Quarantine(ctx, ashmere, Msg{Seq: uint64(i + 1), Subject: "s", Data: rubbish}, nil)).or(t)
	}
	got(e.GetQuarantined(ctx, last)).or(t)
	got(e.GetQuarantined(ctx, theirs)).or(t)
	got(e.Quarantine(ctx, kestrel, Msg{Seq: 2, Subject: "s", Data: []byte("another")}, nil)).or(t)
}

func TestAnAgencyThatAsksWithoutEndHoldsUpNoOther(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx, cancel := context.WithCancel(testContext(t))
	ready, ended, stuck := make(chan struct{}), make(chan error, 1), make(chan struct{})
	go func() {
		ended <- r.store.ServeFeedback(ctx, func() { close(ready) }, func(agency notice.AgencyID, _ []byte) []byte {
			if agency == ashmere {
				<-stuck
			}
			return []byte("answer")
		})
	}()
	<-ready
	greedy, modest := r.dial(t, ashmere), r.dial(t, kestrel)
	heard := got(greedy.SubscribeSync(InboxPrefix(ashmere) + ".many")).or(t)
	for range 1000 {
		check(t, greedy.PublishRequest(FeedbackSubject(ashmere), InboxPrefix(ashmere)+".many", nil))
	}
	check(t, greedy.Flush())
	if m := got(modest.Request(FeedbackSubject(kestrel), nil, 5*time.Second)).or(t); string(m.Data) != "answer" {
		t.Errorf("answered %q", m.Data)
	}
	if m := got(heard.NextMsg(5 * time.Second)).or(t); m.Header.Get(HeaderFault) == "" {
		t.Errorf("the greedy one is answered %q", m.Data)
	}
	close(stuck)
	cancel()
	check(t, <-ended)
}

func TestAnAgencyThatConnectsWithoutEndLeavesTheServerToOthers(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx := testContext(t)
	for range agencyConnections {
		r.dial(t, ashmere)
	}
	nc, err := r.tryDial(ashmere, r.users[ashmere])
	if err == nil {
		nc.Close()
		t.Errorf("more than %d connections are taken", agencyConnections)
	}
	got(pubAck(r.dial(t, kestrel), event(kestrel, "", "an event"))).or(t)
	check(t, r.srv.SetAgencies(ctx, r.access(ashmere, kestrel)))
}

package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

// A message without data and with a header "Status" looks to a reader like a word of the server's own.
func TestAnEventThatLooksLikeAWordOfTheServersHoldsNothingUp(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	publisher := r.dial(t, ashmere)
	publish := func(m *nats.Msg) { got(pubAck(publisher, m)).or(t) }
	words := []nats.Header{
		{"Status": {"100"}, "Description": {"Idle Heartbeat"}},
		{"Status": {"404"}, "Description": {"No Messages"}},
		{"Status": {"408"}, "Description": {"Request Timeout"}},
		{"Status": {"409"}, "Description": {"Consumer Deleted"}},
		{"Status": {"409"}, "Description": {"Server Shutdown"}},
		{"Status": {"503"}},
		{"Status": {"400"}, "Description": {"Bad Request"}},
		{"Status": {"777"}, "Description": {"Nonsense"}},
	}
	publish(event(ashmere, "", "an event"))
	for _, word := range words {
		publish(&nats.Msg{Subject: EventSubject(ashmere, family), Header: word})
	}
	check(t, r.store.Events().Erase(ctx, ashmere, 4))
	publish(event(ashmere, "", "another"))

	enough := errors.New("enough")
	var seen []uint64
	err := r.store.Events().Follow(ctx, ashmere, 1, func(m Msg) error {
		if seen = append(seen, m.Seq); m.Seq == 10 {
			return enough
		}
		return nil
	})
	if diff := cmp.Diff([]uint64{1, 2, 3, 5, 6, 7, 8, 9, 10}, seen); !errors.Is(err, enough) || diff != "" {
		t.Fatalf("%v; handed over (-want +got):\n%s", err, diff)
	}
	stored := got(r.store.Events().Get(ctx, ashmere, 5)).or(t)
	got(r.store.Events().Quarantine(ctx, ashmere, stored, Header{headerFaultField: {"event"}, headerFaultMessage: {"is empty"}})).or(t)
	if list := got(r.store.Events().ListQuarantine(ctx, ashmere, 0, 9)).or(t); len(list) != 1 || len(FaultsOf(list[0].Event.Header)) != 1 {
		t.Errorf("in quarantine: %v", list)
	}
}

func TestAHeaderThatCouldNotBeWrittenAgainDoesNotKeepAnEventOutOfTheQuarantine(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	e := r.store.Events()
	for i, name := range []string{"a space", "a\x01sign", "naïve", "", " ", "Nats-Rollup"} {
		m := Msg{Seq: uint64(i + 1), Subject: "s", Data: []byte("x"), Header: Header{name: {"all"}, "Kept": {"yes"}}}
		number := got(e.Quarantine(ctx, ashmere, m, nil)).or(t)
		if kept := got(e.GetQuarantined(ctx, number)).or(t); len(kept.Event.Header) != 1 || kept.Event.Header.Get("Kept") != "yes" {
			t.Errorf("of %q is kept: %v", name, kept.Event.Header)
		}
	}
}

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestEventsAreFollowedInOrderFromAnywhere(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	e := r.store.Events()
	const events = 200
	for i := range events {
		got(e.Publish(ctx, ashmere, family, Header{"Ce-Id": {fmt.Sprint(i + 1)}}, fmt.Appendf(nil, "event %d", i+1), "")).or(t)
	}
	enough := errors.New("enough")
	for _, from := range []uint64{0, 1, 2, 150, events} {
		next := max(from, 1)
		err := e.Follow(ctx, ashmere, from, func(m Msg) error {
			want := Msg{
				Seq: next, Subject: EventSubject(ashmere, family), Header: Header{"Ce-Id": {fmt.Sprint(next)}, "Nats-Expected-Stream": {"EVENTS_ashmere-police"}},
				Data: fmt.Appendf(nil, "event %d", next), Received: m.Received,
			}
			if diff := cmp.Diff(want, m); diff != "" {
				t.Fatal(diff)
			}
			if next++; m.Seq == events {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Errorf("from %d: %v", from, err)
		}
	}
}

func TestAFollowerWaitsForMoreAndSkipsWhatWasErased(t *testing.T) {
	r := newRig(t, ashmere)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	e := r.store.Events()
	for i := range 3 {
		got(e.Publish(ctx, ashmere, family, nil, []byte{byte(i)}, "")).or(t)
	}
	check(t, e.Erase(ctx, ashmere, 2))
	heard, ended := make(chan uint64), make(chan error, 1)
	go func() {
		ended <- e.Follow(ctx, ashmere, 1, func(m Msg) error { heard <- m.Seq; return nil })
	}()
	seqs := []uint64{<-heard, <-heard}
	got(e.Publish(ctx, ashmere, family, nil, []byte("late"), "")).or(t)
	seqs = append(seqs, <-heard)
	if diff := cmp.Diff([]uint64{1, 3, 4}, seqs); diff != "" {
		t.Error(diff)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestManyPublishesMayBeInFlight(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	const events = 200
	seqs := make([]uint64, events)
	var group sync.WaitGroup
	for i := range events {
		group.Go(func() {
			seq, err := r.store.Events().Publish(ctx, ashmere, family, nil, fmt.Appendf(nil, "%d", i), fmt.Sprintf("id-%d", i))
			if err != nil {
				t.Error(err)
			}
			seqs[i] = seq
		})
	}
	group.Wait()
	seen := map[uint64]bool{}
	for i, seq := range seqs {
		if seen[seq] || seq == 0 {
			t.Fatalf("sequence %d was given twice", seq)
		}
		seen[seq] = true
		if m := got(r.store.Events().Get(ctx, ashmere, seq)).or(t); string(m.Data) != fmt.Sprint(i) {
			t.Errorf("event %d holds %q, want %d", seq, m.Data, i)
		}
	}
}

func TestWhatCannotBePublishedIsRefusedByKind(t *testing.T) {
	r := newRig(t, ashmere)
	e := r.store.Events()
	for name, tc := range map[string]struct {
		agency notice.AgencyID
		family string
		header Header
		size   int
		want   notice.Kind
	}{
		"an agency named as a wildcard":   {"*", family, nil, 1, notice.Invalid},
		"an agency without a stream":      {kestrel, family, nil, 1, notice.NotFound},
		"no family":                       {ashmere, "", nil, 1, notice.Invalid},
		"a family with an empty word":     {ashmere, "a..b", nil, 1, notice.Invalid},
		"a family that is a wildcard":     {ashmere, "encompass.>", nil, 1, notice.Invalid},
		"a header that steers the server": {ashmere, family, Header{"nats-rollup": {"all"}}, 1, notice.Invalid},
		"more than a message may hold":    {ashmere, family, nil, 2 << 20, notice.Invalid},
	} {
		if _, err := e.Publish(testContext(t), tc.agency, tc.family, tc.header, make([]byte, tc.size), ""); notice.KindOf(err) != tc.want {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if err := e.Follow(testContext(t), kestrel, 1, nil); notice.KindOf(err) != notice.NotFound {
		t.Errorf("following an agency without a stream: %v, want not found", err)
	}
	if _, err := e.Get(testContext(t), ashmere, 1); notice.KindOf(err) != notice.NotFound {
		t.Errorf("an event that is not there: %v, want not found", err)
	}
}

func TestAFullStreamRefusesTheNewAndKeepsTheOld(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	small := got(Open(r.store.nc, Settings{EventsMaxBytes: 64 << 10})).or(t)
	check(t, small.ProvisionAgency(ctx, ashmere))
	var err error
	for range 100 {
		if _, err = small.Events().Publish(ctx, ashmere, family, nil, make([]byte, 8<<10), ""); err != nil {
			break
		}
	}
	if notice.KindOf(err) != notice.Unavailable {
		t.Errorf("a full stream: %v, want unavailable", err)
	}
	got(small.Events().Get(ctx, ashmere, 1)).or(t)
}

func TestAnErasedEventIsGoneFromTheFiles(t *testing.T) {
	r := newRig(t, ashmere)
	ctx := testContext(t)
	e := r.store.Events()
	secret := []byte("Wren Tolliver of Invented Street")
	seq := got(e.Publish(ctx, ashmere, family, nil, secret, "")).or(t)
	got(e.Publish(ctx, ashmere, family, nil, []byte("another"), "")).or(t)
	if !inFiles(t, r.dir, secret) {
		t.Fatal("the event is not in the files to begin with: the test would prove nothing")
	}
	for range 2 { // a second erasure has nothing left to do
		check(t, e.Erase(ctx, ashmere, seq))
	}
	if _, err := e.Get(ctx, ashmere, seq); notice.KindOf(err) != notice.NotFound {
		t.Errorf("reading it: %v, want not found", err)
	}
	if inFiles(t, r.dir, secret) {
		t.Error("its text is still in the files")
	}
}

func inFiles(t *testing.T, dir string, text []byte) bool {
	t.Helper()
	found := false
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, text)
		return err
	}))
	return found
}

func TestARefusedEventIsKeptOnceWithItsFaults(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx := testContext(t)
	e := r.store.Events()
	m := event(ashmere, "", "not an event")
	m.Header.Set("ce-id", "7")
	m.Header.Set("Nats-Expected-Last-Sequence", "0") // steers the agency's own stream; must not steer the quarantine
	got(pubAck(r.dial(t, ashmere), m)).or(t)
	bad := got(e.Get(ctx, ashmere, 1)).or(t)

	first := got(e.Quarantine(ctx, kestrel, Msg{Subject: "grpc", Data: []byte("another's")}, Header{"Signalbox-Faults": {"kind: absent"}})).or(t)
	seq := got(e.Quarantine(ctx, ashmere, bad, Header{"Signalbox-Faults": {"time: has no offset", "children: none"}})).or(t)
	if again := got(e.Quarantine(ctx, ashmere, bad, Header{"Signalbox-Faults": {"time: has no offset"}})).or(t); again != seq {
		t.Errorf("after a crash it was stored again, as %d beside %d", again, seq)
	}
	want := Refused{Seq: seq, Agency: ashmere, Event: Msg{
		Seq: 1, Subject: EventSubject(ashmere, family), Data: []byte("not an event"), Received: bad.Received,
		Header: Header{"ce-id": {"7"}, "Signalbox-Faults": {"time: has no offset", "children: none"}},
	}}
	listed := got(e.ListQuarantine(ctx, ashmere, 0, 10)).or(t)
	if len(listed) != 1 {
		t.Fatalf("%d listed, want 1", len(listed))
	}
	want.At = listed[0].At
	if diff := cmp.Diff(want, listed[0]); diff != "" {
		t.Error(diff)
	}
	one := got(e.GetQuarantined(ctx, seq)).or(t)
	if diff := cmp.Diff(want, one); diff != "" {
		t.Error(diff)
	}
	if all := got(e.ListQuarantine(ctx, "", 0, 10)).or(t); len(all) != 2 || all[0].Seq != first || all[0].Event.Seq != 0 {
		t.Errorf("of all agencies: %v", all)
	}
	if page := got(e.ListQuarantine(ctx, "", first+1, 1)).or(t); len(page) != 1 || page[0].Seq != seq {
		t.Errorf("the second page: %v", page)
	}
	check(t, e.EraseQuarantined(ctx, seq))
	if left := got(e.ListQuarantine(ctx, ashmere, 0, 10)).or(t); len(left) != 0 {
		t.Errorf("after erasure: %v", left)
	}
}

func TestFeedbackReachesItsAgencyAlone(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	mine := listen(t, r.dial(t, ashmere), ashmere)
	theirs := listen(t, r.dial(t, kestrel), kestrel)
	check(t, r.store.PublishFeedback(kestrel, Rejected, []byte("for kestrel")))
	check(t, r.store.PublishFeedback(ashmere, Status, []byte("for ashmere")))
	if m := got(mine.NextMsg(5 * time.Second)).or(t); string(m.Data) != "for ashmere" || m.Subject != AgencySubject(ashmere, "status") {
		t.Errorf("ashmere heard %s %q", m.Subject, m.Data)
	}
	if m := got(theirs.NextMsg(5 * time.Second)).or(t); string(m.Data) != "for kestrel" || m.Subject != AgencySubject(kestrel, "rejected") {
		t.Errorf("kestrel heard %s %q", m.Subject, m.Data)
	}
	for name, err := range map[string]error{
		"a kind of its own": r.store.PublishFeedback(ashmere, "gossip", nil),
		"a wildcard":        r.store.PublishFeedback("*", Status, nil),
	} {
		if notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func listen(t *testing.T, nc *nats.Conn, agency notice.AgencyID) *nats.Subscription {
	t.Helper()
	sub := got(nc.SubscribeSync(AgencySubject(agency, ">"))).or(t)
	check(t, nc.Flush())
	return sub
}

func TestARequestForFeedbackIsAnsweredForWhoeverAsked(t *testing.T) {
	r := newRig(t, ashmere, kestrel)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.store.ServeFeedback(ctx, func() { close(ready) }, func(agency notice.AgencyID, request []byte) []byte {
			if string(request) == "all" {
				return make([]byte, 2<<20)
			}
			return fmt.Appendf(nil, "%s since %s", agency, request)
		})
	}()
	<-ready
	for _, agency := range []notice.AgencyID{ashmere, kestrel} {
		nc := r.dial(t, agency)
		reply := got(nc.Request(FeedbackSubject(agency), []byte("17"), 5*time.Second)).or(t)
		if want := string(agency) + " since 17"; string(reply.Data) != want {
			t.Errorf("answered %q, want %q", reply.Data, want)
		}
		tooMuch := got(nc.Request(FeedbackSubject(agency), []byte("all"), 5*time.Second)).or(t)
		if !strings.Contains(tooMuch.Header.Get(HeaderFault), "ask for less") || len(tooMuch.Data) != 0 {
			t.Errorf("an answer that is too large: %v, %d bytes", tooMuch.Header, len(tooMuch.Data))
		}
	}
	cancel()
	check(t, <-ended)
}

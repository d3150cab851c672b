package store

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// deaf is an in-process connection whose answers can be lost on the way back.
type deaf struct {
	ns *server.Server

	mu   sync.Mutex
	lose bool
	conn net.Conn
}

func (d *deaf) InProcessConn() (net.Conn, error) {
	conn, err := d.ns.InProcessConn()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	return deafConn{conn, d}, err
}

type deafConn struct {
	net.Conn
	d *deaf
}

func (c deafConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		c.d.mu.Lock()
		lose := c.d.lose
		c.d.mu.Unlock()
		if !lose || err != nil {
			return n, err
		}
	}
}

func (d *deaf) loseAnswers() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lose = true
}

// recover breaks the connection, so that the client makes a fresh one that hears.
func (d *deaf) recover() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lose = false
	_ = d.conn.Close()
}

func TestAPackWhoseAcknowledgementWasLostIsFoundAgain(t *testing.T) {
	r := newRig(t)
	gate := &deaf{ns: r.srv.ns}
	public := got(r.srv.router.PublicKey()).or(t)
	back := make(chan struct{}, 1)
	nc := got(nats.Connect("", nats.InProcessServer(gate), nats.Nkey(public, r.srv.router.Sign), nats.ReconnectWait(time.Millisecond),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))).or(t)
	defer nc.Close()
	l := got(Open(nc, Settings{})).or(t).Ledger(year)
	ctx := testContext(t)
	got(l.Append(ctx, 0, []byte("one"))).or(t)

	gate.loseAnswers()
	brief, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := l.Append(brief, 1, []byte("two")); notice.KindOf(err) != notice.Unavailable {
		t.Fatalf("with answers lost: %v, want unavailable", err)
	}
	gate.recover()
	<-back
	if last := got(l.Last(ctx)).or(t); last != 2 {
		t.Fatalf("last is %d: the pack was not stored, the test would prove nothing", last)
	}
	if seq, err := l.Append(ctx, 1, []byte("two")); seq != 2 || err != nil {
		t.Errorf("the same pack again: %d, %v, want it found as 2", seq, err)
	}
	if _, err := l.Append(ctx, 1, []byte("other")); notice.KindOf(err) != notice.Conflict {
		t.Errorf("another pack in its place: %v, want a conflict", err)
	}
}

func TestAnUnclearAppendIsSettledByComparingBytes(t *testing.T) {
	r := newRig(t)
	ctx := testContext(t)
	l := r.store.Ledger(year)
	got(l.Append(ctx, 0, []byte("one"))).or(t)
	conflict := &jetstream.APIError{ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence}
	for name, tc := range map[string]struct {
		expect uint64
		pack   string
		cause  error
		seq    uint64
		want   notice.Kind
	}{
		"a timeout, stored after all":              {0, "one", nats.ErrTimeout, 1, 0},
		"a timeout, another's in its place":        {0, "two", nats.ErrTimeout, 0, notice.Conflict},
		"a timeout, nothing there (yet)":           {1, "two", nats.ErrTimeout, 0, notice.Unavailable},
		"a conflict with our own earlier try":      {0, "one", conflict, 1, 0},
		"a conflict with another's":                {0, "two", conflict, 0, notice.Conflict},
		"a conflict where the log is shorter":      {5, "two", conflict, 0, notice.Conflict},
		"the deadline passed, stored all the same": {0, "one", context.DeadlineExceeded, 1, 0},
	} {
		over, cancel := context.WithCancel(ctx)
		cancel() // the caller's time is over: settling must not depend on it
		seq, err := l.settle(over, tc.expect, []byte(tc.pack), tc.cause)
		if seq != tc.seq || (err != nil) != (tc.want != 0) || err != nil && notice.KindOf(err) != tc.want {
			t.Errorf("%s: %d, %v", name, seq, err)
		}
	}
}

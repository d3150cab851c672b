package smtp

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/signalbox-hq/signalbox/services/delivery"
)

var errNotHeld = errors.New("the send may not go on: its lease is over")

// guarded is a connection that asks before every write whether the send that it carries may still go on. A process that
// was stopped in the middle of a mail and wakes writes on before any timer of its own fires: the last dot would go out
// beside the mail of whoever leads by then.
type guarded struct {
	net.Conn
	send atomic.Pointer[context.Context] // nil between sends

	broken  atomic.Bool // a read failed during the send: what was written before may have arrived
	refused atomic.Bool // a write was refused before that: the mail never went out whole
}

// begin has the connection carry a send.
func (g *guarded) begin(ctx *context.Context) {
	g.broken.Store(false)
	g.refused.Store(false)
	g.send.Store(ctx)
}

// Read answers nothing to what was never asked: after a write was refused the other side waits for it, and so would we.
func (g *guarded) Read(p []byte) (int, error) {
	if g.refused.Load() {
		return 0, errNotHeld
	}
	n, err := g.Conn.Read(p)
	if err != nil {
		g.broken.Store(true)
	}
	return n, err
}

func (g *guarded) Write(p []byte) (int, error) {
	if ctx := g.send.Load(); ctx != nil && !delivery.Held(*ctx) {
		if !g.broken.Load() {
			g.refused.Store(true)
		}
		return 0, errNotHeld
	}
	return g.Conn.Write(p)
}

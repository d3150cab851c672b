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
}

func (g *guarded) Write(p []byte) (int, error) {
	if ctx := g.send.Load(); ctx != nil && !delivery.Held(*ctx) {
		return 0, errNotHeld
	}
	return g.Conn.Write(p)
}

package smtp

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errClosed = errors.New("the sender is closed")

// pool keeps connections between sends. The newest is used first, so that the others age and go.
type pool struct {
	slots chan struct{} // one token per connection that may be in use

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newPool(size int) *pool { return &pool{slots: make(chan struct{}, size)} }

// acquire waits for a turn and gives a kept connection, or nil where a new one has to be dialled.
func (p *pool) acquire(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		<-p.slots
		return nil, errClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		c.reaper.Stop()
		return c, nil
	}
	return nil, nil
}

// release ends a turn. A nil connection was lost or is not to be used again.
func (p *pool) release(c *conn, idle time.Duration) {
	defer func() { <-p.slots }()
	if c == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.close()
		return
	}
	c.reaper = time.AfterFunc(idle, func() { p.reap(c) })
	p.idle = append(p.idle, c)
}

func (p *pool) reap(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.idle {
		if other == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			c.close()
			return
		}
	}
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.reaper.Stop()
		c.close()
	}
	p.idle = nil
}

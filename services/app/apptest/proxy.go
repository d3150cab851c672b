package apptest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Proxy passes TCP on to an address, until it is told not to: as a network that fails between two machines.
type Proxy struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	delay time.Duration // of everything that passes
	open  chan struct{} // closed while bytes pass; a cut replaces it
	conns map[net.Conn]struct{}
	ended bool
}

// Proxy runs a proxy to an address until the test ends.
func (r *Rig) Proxy(to string) *Proxy {
	r.T.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	r.must(err)
	p := &Proxy{listener: listener, to: to, open: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(p.open)
	r.background("proxy", p.run)
	return p
}

// Addr is where to connect instead, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut lets nothing through from now on. Connections stay open and hear nothing, as when a cable is pulled.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

// Slow has everything wait before it is passed on, as over a line that is busy or bad.
func (p *Proxy) Slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// Mend ends a cut, and slowness. What waited goes through.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = 0
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *Proxy) run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.pass(ctx, conn) })
		}
	})
	<-ctx.Done()
	err := p.listener.Close()
	p.mu.Lock()
	p.ended = true
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	group.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// pass carries one connection, both ways, until either side closes it.
func (p *Proxy) pass(ctx context.Context, from net.Conn) {
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.to)
	if err != nil {
		_ = from.Close()
		return
	}
	if !p.keep(from, to) {
		return
	}
	var group sync.WaitGroup
	group.Go(func() { p.copy(ctx, to, from) })
	group.Go(func() { p.copy(ctx, from, to) })
	group.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
	delete(p.conns, to)
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.ended {
			_ = c.Close()
		}
		p.conns[c] = struct{}{}
	}
	return !p.ended
}

// slept waits, and says whether it did so to the end.
func slept(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// copy carries one direction, and holds what it has read while the proxy is cut.
func (p *Proxy) copy(ctx context.Context, to io.WriteCloser, from io.ReadCloser) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.mu.Lock()
			open, delay := p.open, p.delay
			p.mu.Unlock()
			if delay > 0 && !slept(ctx, delay) {
				return
			}
			select {
			case <-open:
			case <-ctx.Done():
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

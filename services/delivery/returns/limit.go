package returns

import (
	"net"
	"sync"
	"time"
)

// limited is a listener with no more connections at once than it may have, in all and from one address, each for no
// longer than a lifetime: one that sends without end, or nothing, is cut off.
type limited struct {
	net.Listener
	most     int
	perPeer  int
	lifetime time.Duration

	mu    sync.Mutex
	open  map[*counted]bool
	peers map[string]int
	all   sync.WaitGroup
}

func newLimited(l net.Listener, most, perPeer int, lifetime time.Duration) *limited {
	return &limited{Listener: l, most: most, perPeer: perPeer, lifetime: lifetime, open: map[*counted]bool{}, peers: map[string]int{}}
}

// Accept returns the next connection within the limits; one beyond them is closed at once, and its owner tries again.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &counted{Conn: conn, listener: l}
		c.peer, _, _ = net.SplitHostPort(conn.RemoteAddr().String())
		if !l.take(c) {
			_ = conn.Close()
			continue
		}
		c.timer = time.AfterFunc(l.lifetime, func() { _ = conn.Close() }) // whoever reads it then closes the rest
		return c, nil
	}
}

func (l *limited) take(c *counted) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.most || l.peers[c.peer] >= l.perPeer {
		return false
	}
	l.open[c] = true
	l.peers[c.peer]++
	l.all.Add(1)
	return true
}

func (l *limited) give(c *counted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	if l.peers[c.peer]--; l.peers[c.peer] == 0 {
		delete(l.peers, c.peer)
	}
	l.all.Done()
}

// wait cuts every connection off and returns once all are closed. Nothing may be accepted any more.
func (l *limited) wait() {
	l.mu.Lock()
	for c := range l.open {
		_ = c.Conn.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	listener *limited
	peer     string
	timer    *time.Timer
	once     sync.Once
}

// Close closes the connection, once.
func (c *counted) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		c.timer.Stop()
		err = c.Conn.Close()
		c.listener.give(c)
	})
	return err
}

package web

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const mostClients = 10_000

// Limiter bounds the requests of one client address. Behind a proxy all share the proxy's: the rate is then that of all
// together.
type Limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	clients map[string]*rate.Limiter
	others  *rate.Limiter // for those beyond mostClients, together
}

// NewLimiter allows a client so many requests a second, and so many at once.
func NewLimiter(perSecond float64, burst int, now func() time.Time) *Limiter {
	l := rate.Limit(perSecond)
	return &Limiter{rate: l, burst: burst, now: now, clients: make(map[string]*rate.Limiter), others: rate.NewLimiter(l, burst)}
}

// Allow says whether the request's client may have it answered.
func (l *Limiter) Allow(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		host = ip.Mask(net.CIDRMask(64, 128)).String() // one subscriber has a whole /64
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.clients[host]
	if !ok {
		if len(l.clients) >= mostClients {
			l.sweep(now)
		}
		if len(l.clients) >= mostClients {
			return l.others.AllowN(now, 1)
		}
		c = rate.NewLimiter(l.rate, l.burst)
		l.clients[host] = c
	}
	return c.AllowN(now, 1)
}

func (l *Limiter) sweep(now time.Time) {
	for host, c := range l.clients {
		if c.TokensAt(now) >= float64(l.burst) {
			delete(l.clients, host)
		}
	}
}

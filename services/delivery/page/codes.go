package page

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"sync"
	"time"
)

const (
	codeLife     = 10 * time.Minute
	triesPerCode = 5
	codesPerHour = 5
	mostLinks    = 20_000
)

// verdict is the answer to a code that was tried.
type verdict int

const (
	_ verdict = iota
	codeRight
	codeWrong
	codeOver // used, expired, tried too often or never sent: a new one is needed
)

// codes keeps the one-time codes in force. Only a link with a good token gets an entry, so there are no more than
// notices sent within the hour.
type codes struct {
	mu    sync.Mutex
	links map[string]*linkCodes
	most  int
}

type linkCodes struct {
	code  string // empty where none is in force
	until time.Time
	tries int
	sent  []time.Time // within the last hour
}

func newCodes() *codes { return &codes{links: make(map[string]*linkCodes), most: mostLinks} }

// issue makes a new code for a link, in place of the one before. It answers false where the link had its share, or
// where no more links can be held.
func (c *codes) issue(token string, now time.Time) (string, bool, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", false, err
	}
	code := fmt.Sprintf("%06d", n)
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.links[token]
	if !ok {
		// An entry is never pushed out by another: that would give its link a new share of codes.
		if len(c.links) >= c.most && !c.sweep(now) {
			return "", false, nil
		}
		l = &linkCodes{}
		c.links[token] = l
	}
	l.forget(now)
	if len(l.sent) >= codesPerHour {
		return "", false, nil
	}
	l.code, l.until, l.tries, l.sent = code, now.Add(codeLife), 0, append(l.sent, now)
	return code, true, nil
}

// takeBack undoes the issue of a code that could not be sent.
func (c *codes) takeBack(token, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, ok := c.links[token]; ok && l.code == code && len(l.sent) > 0 {
		l.code, l.sent = "", l.sent[:len(l.sent)-1]
	}
}

// try spends a try at the link's code.
func (c *codes) try(token, code string, now time.Time) verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.links[token]
	if !ok || l.code == "" || !now.Before(l.until) {
		return codeOver
	}
	if subtle.ConstantTimeCompare([]byte(l.code), []byte(code)) == 1 {
		l.code = ""
		return codeRight
	}
	if l.tries++; l.tries >= triesPerCode {
		l.code = ""
		return codeOver
	}
	return codeWrong
}

func (l *linkCodes) forget(now time.Time) {
	for len(l.sent) > 0 && now.Sub(l.sent[0]) >= time.Hour {
		l.sent = l.sent[1:]
	}
}

// sweep drops the entries that limit nothing any more and says whether there is room.
func (c *codes) sweep(now time.Time) bool {
	for token, l := range c.links {
		l.forget(now)
		if len(l.sent) == 0 {
			delete(c.links, token)
		}
	}
	return len(c.links) < c.most
}

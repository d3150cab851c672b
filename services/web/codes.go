package web

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// What bounds a code: guessing it takes luck of one in forty thousand an hour.
const (
	CodeLife     = 10 * time.Minute
	TriesPerCode = 5
	CodesPerHour = 5 // for one key

	mostKeys = 20_000
)

// Verdict is the answer to a code that was tried. The zero Verdict is invalid.
type Verdict int

// The verdicts.
const (
	_ Verdict = iota
	CodeRight
	CodeWrong
	CodeOver // used, expired, tried too often or never sent: a new one is needed
)

// Codes keeps the one-time codes in force, each under the key of whoever asked for it. Only what is known to be good (a
// link with a good token, a contact of the directory) may be a key, so that there are no more of them than such things.
type Codes struct {
	mu   sync.Mutex
	keys map[string]*keyCodes
	most int
}

type keyCodes struct {
	code  string // empty where none is in force
	until time.Time
	tries int
	sent  []time.Time // within the last hour
}

// NewCodes keeps no code yet.
func NewCodes() *Codes { return &Codes{keys: make(map[string]*keyCodes), most: mostKeys} }

// Issue makes a new code for a key, in place of the one before. It answers false where the key had its share, or where
// no more keys can be held.
func (c *Codes) Issue(key string, now time.Time) (string, bool, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", false, err
	}
	code := fmt.Sprintf("%06d", n)
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.keys[key]
	if !ok {
		// An entry is never pushed out by another: that would give its key a new share of codes.
		if len(c.keys) >= c.most && !c.sweep(now) {
			return "", false, nil
		}
		l = &keyCodes{}
		c.keys[key] = l
	}
	l.forget(now)
	if len(l.sent) >= CodesPerHour {
		return "", false, nil
	}
	l.code, l.until, l.tries, l.sent = code, now.Add(CodeLife), 0, append(l.sent, now)
	return code, true, nil
}

// TakeBack undoes the issue of a code that could not be sent.
func (c *Codes) TakeBack(key, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, ok := c.keys[key]; ok && l.code == code && len(l.sent) > 0 {
		l.code, l.sent = "", l.sent[:len(l.sent)-1]
	}
}

// Try spends a try at the key's code.
func (c *Codes) Try(key, code string, now time.Time) Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.keys[key]
	if !ok || l.code == "" || !now.Before(l.until) {
		return CodeOver
	}
	if subtle.ConstantTimeCompare([]byte(l.code), []byte(code)) == 1 {
		l.code = ""
		return CodeRight
	}
	if l.tries++; l.tries >= TriesPerCode {
		l.code = ""
		return CodeOver
	}
	return CodeWrong
}

func (l *keyCodes) forget(now time.Time) {
	for len(l.sent) > 0 && now.Sub(l.sent[0]) >= time.Hour {
		l.sent = l.sent[1:]
	}
}

// sweep drops the entries that limit nothing any more and says whether there is room.
func (c *Codes) sweep(now time.Time) bool {
	for key, l := range c.keys {
		l.forget(now)
		if len(l.sent) == 0 {
			delete(c.keys, key)
		}
	}
	return len(c.keys) < c.most
}

package report

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// A session ends so long after the last thing that was done in it, and so long after it began whatever is done.
	idleLife    = 30 * time.Minute
	sessionLife = 8 * time.Hour

	root          = "/report"
	sessionCookie = "__Secure-signalbox-desk"
	askCookie     = "__Secure-signalbox-ask"
	sessionDomain = "report.session"
)

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newNonce is 128 random bits.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return encoding.EncodeToString(b[:])
}

func cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: root, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: true,
		SameSite: http.SameSiteStrictMode,
	}
}

// session is a cookie that holds its own ends and a MAC: nothing is kept here, so that any instance takes it. The MAC
// covers the mailbox that proved itself, so that a contact who is given another has to prove that one.
func (h *Handler) session(d Desk, began, now time.Time) *http.Cookie {
	end := now.Add(idleLife)
	if last := began.Add(sessionLife); end.After(last) {
		end = last
	}
	contact := base64.RawURLEncoding.EncodeToString([]byte(d.Contact))
	from, until := strconv.FormatInt(began.Unix(), 10), strconv.FormatInt(end.Unix(), 10)
	return cookie(sessionCookie, strings.Join([]string{contact, from, until, h.mac(d, from, until)}, "."), end.Sub(now))
}

func (h *Handler) mac(d Desk, from, until string) string {
	return encoding.EncodeToString(h.key.Digest(sessionDomain, []byte(d.Contact), []byte(d.Mailbox), []byte(from), []byte(until)))
}

// signedIn gives the desk that sends a request, as the directory has it now.
func (h *Handler) signedIn(r *http.Request) (d Desk, began time.Time, ok bool) {
	for _, c := range r.CookiesNamed(sessionCookie) {
		parts := strings.Split(c.Value, ".")
		if len(parts) != 4 {
			continue
		}
		contact, err1 := base64.RawURLEncoding.DecodeString(parts[0])
		from, err2 := strconv.ParseInt(parts[1], 10, 64)
		until, err3 := strconv.ParseInt(parts[2], 10, 64)
		if err1 != nil || err2 != nil || err3 != nil || !h.now().Before(time.Unix(until, 0)) {
			continue
		}
		if d, ok = h.desks.Still(string(contact)); ok && hmac.Equal([]byte(parts[3]), []byte(h.mac(d, parts[1], parts[2]))) {
			return d, time.Unix(from, 0), true
		}
	}
	return Desk{}, time.Time{}, false
}

// ask is the random name of a browser that asks for codes: a code counts in it alone.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(askCookie); err == nil && noncePattern.MatchString(c.Value) {
		return c.Value
	}
	nonce := newNonce()
	http.SetCookie(w, cookie(askCookie, nonce, time.Hour))
	return nonce
}

// personKey is the key of a desk's codes in one browser.
func personKey(d Desk, ask string) string { return d.Contact + "\x00" + d.Mailbox + "\x00" + ask }

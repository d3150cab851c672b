package page

import (
	"crypto/hmac"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	sessionLife = 30 * time.Minute
	cookieName  = "__Secure-signalbox"
)

// A session is a cookie that holds its own end and a MAC over it and the link: nothing is kept here, and one link's
// session opens no other. Each page asks the ledger again, so a withdrawn notice is gone whatever the session says.
func newSession(key notice.Key, token string, now time.Time) *http.Cookie {
	end := strconv.FormatInt(now.Add(sessionLife).Unix(), 10)
	return &http.Cookie{
		Name: cookieName, Value: end + "." + sessionMAC(key, token, end), Path: pathOf(token),
		MaxAge: int(sessionLife.Seconds()), HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
	}
}

func sessionMAC(key notice.Key, token, end string) string {
	return macEncoding.EncodeToString(key.Digest(sessionDomain, []byte(token), []byte(end)))
}

func hasSession(key notice.Key, token string, r *http.Request, now time.Time) bool {
	for _, cookie := range r.CookiesNamed(cookieName) {
		end, mac, _ := strings.Cut(cookie.Value, ".")
		seconds, err := strconv.ParseInt(end, 10, 64)
		if err == nil && hmac.Equal([]byte(mac), []byte(sessionMAC(key, token, end))) && now.Before(time.Unix(seconds, 0)) {
			return true
		}
	}
	return false
}

func pathOf(token string) string { return "/n/" + token }

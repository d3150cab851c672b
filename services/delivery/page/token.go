package page

import (
	"crypto/hmac"
	"encoding/base32"
	"strconv"
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	tokenDomain   = "page.token"
	sessionDomain = "page.session"
	macBytes      = 16 // 128 bits: not to be guessed over a network
	longestToken  = 128
)

// Lower case only, and no character at the end that a mail program would leave out of a link.
var macEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewToken is the last part of a link to a notice's page. It names the notice and the attempt, and so the contact, and
// cannot be made without the key.
func NewToken(key notice.Key, noticeID string, attempt uint32) string {
	number := strconv.FormatUint(uint64(attempt), 10)
	return noticeID + "." + number + "." + macEncoding.EncodeToString(tokenMAC(key, noticeID, number))
}

func tokenMAC(key notice.Key, noticeID, number string) []byte {
	return key.Digest(tokenDomain, []byte(noticeID), []byte(number))[:macBytes]
}

// ParseToken reads a token that NewToken made with the same key; anything else is false.
func ParseToken(key notice.Key, token string) (noticeID string, attempt uint32, ok bool) {
	if len(token) > longestToken {
		return "", 0, false
	}
	noticeID, rest, _ := strings.Cut(token, ".")
	number, mac, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(number, 10, 32)
	// The texts are compared, not what they decode to: a token has one spelling.
	want := macEncoding.EncodeToString(tokenMAC(key, noticeID, number))
	good := hmac.Equal([]byte(mac), []byte(want))
	if !good || err != nil || noticeID == "" || strconv.FormatUint(n, 10) != number {
		return "", 0, false
	}
	return noticeID, uint32(n), true
}

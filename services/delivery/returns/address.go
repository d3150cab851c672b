package returns

import (
	"crypto/hmac"
	"encoding/base32"
	"strconv"
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	tokenDomain = "returns.token"
	macBytes    = 12 // 96 bits: not to be guessed over a network, and short enough for a local part of 64 characters
	prefix      = "returns+"
	longest     = 64 // of a local part (RFC 5321, 4.5.3.1.1)
)

// Lower case only: some mail systems change the case of what comes before the @.
var macEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Address is the envelope sender of one attempt at a notice: what comes back to it is about that attempt.
func Address(key notice.Key, domain, noticeID string, attempt uint32) string {
	number := strconv.FormatUint(uint64(attempt), 10)
	return prefix + noticeID + "." + number + "." + mac(key, noticeID, number) + "@" + domain
}

func mac(key notice.Key, noticeID, number string) string {
	return macEncoding.EncodeToString(key.Digest(tokenDomain, []byte(noticeID), []byte(number))[:macBytes])
}

// ParseAddress reads an address that Address made with the same key and domain, in any case; anything else is false.
func ParseAddress(key notice.Key, domain, address string) (noticeID string, attempt uint32, ok bool) {
	local, host, _ := strings.Cut(strings.ToLower(address), "@")
	token, ours := strings.CutPrefix(local, prefix)
	if !ours || len(local) > longest || host != strings.ToLower(domain) {
		return "", 0, false
	}
	noticeID, rest, _ := strings.Cut(token, ".")
	number, given, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(number, 10, 32)
	good := hmac.Equal([]byte(given), []byte(mac(key, noticeID, number)))
	if !good || err != nil || noticeID == "" || strconv.FormatUint(n, 10) != number {
		return "", 0, false
	}
	return noticeID, uint32(n), true
}

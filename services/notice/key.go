package notice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Key is a deployment's secret for keyed hashes. What it hashes cannot be guessed from the hash without it, so ids made
// with it may stand in the ledger.
type Key [32]byte

// Digest is the keyed SHA-256 of the parts, each set apart from the next.
func (k Key) Digest(domain string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	var length [8]byte
	write := func(p []byte) {
		for i := range length {
			length[i] = byte(uint64(len(p)) >> (8 * (7 - i)))
		}
		h.Write(length[:])
		h.Write(p)
	}
	write([]byte(domain))
	for _, p := range parts {
		write(p)
	}
	return h.Sum(nil)
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// ID is a short keyed id: 20 characters, 100 bits.
func (k Key) ID(domain string, parts ...string) string {
	bs := make([][]byte, len(parts))
	for i, p := range parts {
		bs[i] = []byte(p)
	}
	return idEncoding.EncodeToString(k.Digest(domain, bs...))[:20]
}

// String hides the key.
func (Key) String() string { return "[redacted]" }

// GoString hides the key.
func (Key) GoString() string { return "[redacted]" }

// Reference is the opaque reference of a notice for people: its id, shortened and grouped so that it can be read over
// the telephone.
func Reference(id string) string {
	s := strings.ToUpper(id)
	if len(s) < 12 {
		return s
	}
	return s[:4] + "-" + s[4:8] + "-" + s[8:12]
}

package notice

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// Key is a deployment's secret for keyed hashes. What it hashes cannot be guessed from the hash without it, so ids made
// with it may stand in the ledger.
type Key [32]byte

// Digest is the keyed SHA-256 of the parts, each set apart from the next.
func (k Key) Digest(domain string, parts ...[]byte) []byte {
	m := k.message(domain)
	for _, p := range parts {
		m = append(binary.BigEndian.AppendUint64(m, uint64(len(p))), p...)
	}
	sum := k.hmac(m)
	return sum[:]
}

// message begins what is hashed: room for the key, then the domain. Each part is written after its length.
func (k Key) message(domain string) []byte {
	m := make([]byte, sha256.BlockSize, 512)
	return append(binary.BigEndian.AppendUint64(m, uint64(len(domain))), domain...)
}

// hmac is HMAC-SHA-256 (RFC 2104) of what follows the first block of the message, in which it puts the key. Every id in
// the ledger is one: crypto/hmac spends more on setting itself up than on an id.
func (k Key) hmac(message []byte) [sha256.Size]byte {
	const inner, outer = 0x36, 0x5c
	k.pad(message, inner)
	sum := sha256.Sum256(message)
	var again [sha256.BlockSize + sha256.Size]byte
	k.pad(again[:], outer)
	copy(again[sha256.BlockSize:], sum[:])
	return sha256.Sum256(again[:])
}

// pad fills the first block with the key and the byte.
func (k Key) pad(block []byte, with byte) {
	for i := range sha256.BlockSize {
		block[i] = with
	}
	for i, b := range k {
		block[i] ^= b
	}
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// ID is a short keyed id: 20 characters, 100 bits.
func (k Key) ID(domain string, parts ...string) string {
	m := k.message(domain)
	for _, p := range parts {
		m = append(binary.BigEndian.AppendUint64(m, uint64(len(p))), p...)
	}
	sum := k.hmac(m)
	return idEncoding.EncodeToString(sum[:])[:20]
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

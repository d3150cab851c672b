package query

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// cursor is a place in the answer to one search: after the notice of a number. Numbers follow from the ledger alone, so
// that a cursor outlives a read model that is made anew.
type cursor struct {
	after int64
	of    [8]byte // fingerprint of the search
}

// cursorVersion changes when the order or the numbers do.
const cursorVersion = 1

// String is a cursor as it is handed out.
func (c cursor) String() string {
	text := append([]byte{cursorVersion}, c.of[:]...)
	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint(text, uint64(c.after)))
}

// parseCursor reads what came back from outside.
func parseCursor(text string) (cursor, bool) {
	if len(text) > 64 {
		return cursor{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < 10 || raw[0] != cursorVersion {
		return cursor{}, false
	}
	var c cursor
	copy(c.of[:], raw[1:9])
	after, n := binary.Uvarint(raw[9:])
	c.after = int64(after)
	return c, n > 0 && 9+n == len(raw) && c.after > 0 && c.String() == text
}

// fingerprint tells searches apart, whatever page of them is asked for.
func fingerprint(req *ledgerv1.SearchRequest) (of [8]byte) {
	bare := proto.CloneOf(req)
	bare.Cursor, bare.PageSize = "", 0
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(bare)
	if err != nil {
		return of // a text that is not UTF-8: it came by no gRPC
	}
	sum := sha256.Sum256(text)
	copy(of[:], sum[:])
	return of
}

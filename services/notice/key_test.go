package notice_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestADigestIsTheHMACOfItsPartsAndTheirLengths(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var key notice.Key
		copy(key[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "key"))
		domain := rapid.String().Draw(rt, "domain")
		parts := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 700)).Draw(rt, "parts")

		h := hmac.New(sha256.New, key[:])
		for _, p := range append([][]byte{[]byte(domain)}, parts...) {
			if err := binary.Write(h, binary.BigEndian, uint64(len(p))); err != nil {
				rt.Fatal(err)
			}
			h.Write(p)
		}
		if got := key.Digest(domain, parts...); !bytes.Equal(got, h.Sum(nil)) {
			rt.Errorf("not the HMAC that crypto/hmac makes")
		}
	})
}

func TestAnIDStaysTheSame(t *testing.T) {
	// Ids stand in ledgers: one that came out otherwise would be another notice.
	if got, want := (notice.Key{1}).ID("notice", "lineage", "1", ""), "bb02jb34y3743tt9jege"; got != want {
		t.Errorf("id %q, want %q", got, want)
	}
}

func BenchmarkID(b *testing.B) {
	key := notice.Key{1}
	b.ReportAllocs()
	for b.Loop() {
		key.ID("obligation", "0123456789abcdefghjk", "encompass-setting", "0123456789abcdefghjk", "gias:900101", "setting", "")
	}
}

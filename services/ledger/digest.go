package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"reflect"
	"slices"
	"strings"
)

// Digest is the same for two States that say the same, and differs where anything in them does: for comparing a ledger
// that was restored with the one that was backed up. Timers are left out: they follow from the rest, and what Plan has taken
// of them is no matter of the ledger.
func (s *State) Digest() [sha256.Size]byte {
	d := digester{sum: sha256.New()}
	d.value(reflect.ValueOf(s).Elem())
	var digest [sha256.Size]byte
	d.sum.Sum(digest[:0])
	return digest
}

// digester writes values in a form without ambiguity: each begins with its kind or its length. It reads fields as they
// are, so that a field that comes later cannot be forgotten.
type digester struct{ sum hash.Hash }

func (d digester) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	d.sum.Write(b[:])
}

func (d digester) text(s string) {
	d.number(uint64(len(s)))
	d.sum.Write([]byte(s))
}

func (d digester) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			d.number(0)
			return
		}
		d.number(1)
		d.value(v.Elem())
	case reflect.Struct:
		d.fields(v)
	case reflect.Map:
		d.entries(v)
	case reflect.Slice, reflect.Array:
		d.number(uint64(v.Len()))
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.String:
		d.text(v.String())
	case reflect.Bool:
		d.number(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.number(v.Uint())
	default: // a State holds nothing else
		d.text(v.Type().String())
	}
}

// fields leaves out the timers, and what generated messages keep for themselves.
func (d digester) fields(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Type == reflect.TypeFor[timers]() || strings.HasPrefix(field.Type.PkgPath(), "google.golang.org/protobuf/") ||
			field.Name == "sizeCache" || field.Name == "unknownFields" {
			continue
		}
		d.text(field.Name)
		d.value(v.Field(i))
	}
}

// entries go by the digest of their keys.
func (d digester) entries(v reflect.Value) {
	type entry struct {
		key   []byte
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for _, k := range v.MapKeys() {
		key := digester{sum: sha256.New()}
		key.value(k)
		entries = append(entries, entry{key.sum.Sum(nil), v.MapIndex(k)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	d.number(uint64(len(entries)))
	for _, e := range entries {
		d.sum.Write(e.key)
		d.value(e.value)
	}
}

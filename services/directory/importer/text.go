package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxBytes bounds a file: the whole of GIAS is about 65 MB.
const maxBytes = 512 << 20

// decode reads a file as text. UTF-8 is told by its bytes, with or without a byte order mark; where windows allows it,
// anything else is Windows-1252, as GIAS is published.
func decode(data io.Reader, windows bool) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(data, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("the file could not be read to its end: %w", err)
	}
	if len(raw) > maxBytes {
		return "", fmt.Errorf("the file is larger than %d MB: split it", maxBytes>>20)
	}
	if bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return "", errors.New("the file is UTF-16: save it as CSV UTF-8")
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return "", fmt.Errorf("line %d holds a zero byte, so this is not a text file: save the table as CSV UTF-8", lineAt(raw, i))
	}
	if utf8.Valid(raw) {
		return string(raw), nil
	}
	if !windows {
		return "", fmt.Errorf("line %d is not UTF-8: save the file as CSV UTF-8 (comma delimited)", lineAt(raw, invalidAt(raw)))
	}
	for i, b := range raw {
		switch b {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d: // no character of Windows-1252
			return "", fmt.Errorf("line %d is neither UTF-8 nor Windows-1252: download the file again and import it unopened", lineAt(raw, i))
		}
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil {
		return "", fmt.Errorf("the file is neither UTF-8 nor Windows-1252: %w", err)
	}
	return string(text), nil
}

func lineAt(raw []byte, i int) int { return 1 + bytes.Count(raw[:i], []byte("\n")) }

func invalidAt(raw []byte) int {
	at := 0
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

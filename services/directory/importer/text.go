package importer

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxBytes bounds a file: the whole of GIAS is about 65 MB.
const maxBytes = 512 << 20

// How a file whose encoding cannot be read comes to be one that can, by what it is.
const (
	saveTable     = "save it as CSV UTF-8 (comma delimited)"
	saveCalendar  = "export the calendar again, or open the file in a text editor and save it there with the encoding UTF-8"
	downloadTable = "download it again as CSV, and import it unopened"
	downloadAgain = "download it again, and import it unopened"
)

func encodingRemedy(format string) string {
	switch format {
	case GIAS, GIASLinks, Ofsted, ODS, ONSPD:
		return downloadTable
	case BankHolidays:
		return downloadAgain
	default:
		return saveTable
	}
}

// decode reads a file as text. UTF-8 is told by its bytes, with or without a byte order mark; where windows allows it,
// anything else is Windows-1252, as GIAS is published. Remedy is what to do about a file that is neither.
func decode(data io.Reader, windows bool, remedy string) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(data, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("the file could not be read to its end: %w", err)
	}
	if len(raw) > maxBytes {
		return "", fmt.Errorf("the file is larger than %d MB: split it", maxBytes>>20)
	}
	if isCalendar(string(bytes.ReplaceAll(trimMark(raw[:min(len(raw), 128)]), []byte{0}, nil))) {
		remedy = saveCalendar
	}
	if err := notText(raw, remedy); err != nil {
		return "", err
	}
	raw = trimMark(raw)
	if utf8.Valid(raw) {
		return string(raw), nil
	}
	if !windows {
		return "", fmt.Errorf("line %d is not UTF-8: %s", lineAt(raw, invalidAt(raw)), remedy)
	}
	for i, b := range raw {
		switch b {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d: // no character of Windows-1252
			return "", fmt.Errorf("line %d is neither UTF-8 nor Windows-1252: %s", lineAt(raw, i), remedy)
		}
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil {
		return "", fmt.Errorf("the file is neither UTF-8 nor Windows-1252: %w", err)
	}
	return string(text), nil
}

// notText says why bytes are not the beginning of a text in UTF-8, or in Windows-1252: those have no zeros. In UTF-16 and
// UTF-32, with or without a byte order mark, every other byte of what is written in Latin letters is one.
func notText(raw []byte, remedy string) error {
	wide := len(raw) > 1 && (raw[0] == 0) != (raw[1] == 0)
	if wide || bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return fmt.Errorf("the file is UTF-16 where it should be UTF-8: %s", remedy)
	}
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return fmt.Errorf("line %d holds a zero byte, so this is not a text file: %s", lineAt(raw, i), remedy)
	}
	return nil
}

// trimMark takes a byte order mark off.
func trimMark(raw []byte) []byte {
	for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff"} {
		if rest, ok := bytes.CutPrefix(raw, []byte(mark)); ok {
			return rest
		}
	}
	return raw
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

package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep JSON may be nested. An event needs eight levels.
const maxDepth = 32

// value is a JSON value: nil, bool, string, json.Number, list or object. The standard library's map would hide a key
// that is there twice, and its order.
type value any

type list []value

type object []member

type member struct {
	name  string
	value value
}

// malformed says why bytes are not the JSON that is taken; its text is a fault's message.
type malformed string

func (m malformed) Error() string { return string(m) }

func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// parseJSON reads one JSON value. Its error is a malformed.
func parseJSON(data []byte) (value, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return nil, malformed("begins with a byte order mark: send JSON without one")
	case !utf8.Valid(data):
		return nil, malformed("is not UTF-8: send JSON in UTF-8")
	case halfCharacter(data):
		return nil, malformed(`has half of a character, a \u escape without its other half: escape whole characters, or send them as UTF-8`)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return v, nil
		}
		return nil, malformed("has something after the end of its JSON: send one JSON object")
	}
	var known malformed
	if errors.As(err, &known) {
		return nil, known
	}
	return nil, malformed(fmt.Sprintf("is not well-formed JSON from byte %d on: correct it, or send it whole", dec.InputOffset()))
}

func parseValue(dec *json.Decoder, depth int) (value, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == maxDepth {
		return nil, malformed(fmt.Sprintf("is nested more than %d deep: send the event's own fields only", maxDepth))
	}
	if delim == '[' {
		items := list{}
		for dec.More() {
			item, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err := dec.Token()
		return items, err
	}
	members := object{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder gives nothing else for a key
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, member{name, v})
	}
	_, err = dec.Token()
	return members, err
}

// halfCharacter finds a \u escape of a UTF-16 surrogate that stands alone. The standard library would put U+FFFD in its
// place without a word.
func halfCharacter(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		unit, ok := escapedUnit(data[i:])
		switch {
		case !ok:
			i++ // whatever is escaped, it is not the start of an escape
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			low, ok := escapedUnit(data[i+6:])
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 11
		default:
			i += 5
		}
	}
	return false
}

// escapedUnit reads a \uXXXX at the start of data.
func escapedUnit(data []byte) (uint64, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}

// appendJSON writes a value, members in their order.
func appendJSON(b []byte, v value) []byte {
	switch v := v.(type) {
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, m.name), ':')
			b = appendJSON(b, m.value)
		}
		return append(b, '}')
	case list:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case json.RawMessage:
		return append(b, v...)
	default:
		return append(b, "null"...)
	}
}

func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

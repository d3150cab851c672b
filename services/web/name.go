package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonName is a name as a person types it, in one line, or empty where it cannot be one.
func PersonName(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Join(strings.Fields(s), " ")
	letters := 0
	for _, c := range s {
		switch {
		case unicode.IsLetter(c):
			letters++
		case unicode.IsMark(c) || unicode.IsDigit(c) || strings.ContainsRune(" .,'’()-", c):
		default:
			return ""
		}
	}
	if letters < 2 || utf8.RuneCountInString(s) > 100 {
		return ""
	}
	return s
}

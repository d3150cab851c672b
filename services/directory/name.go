package directory

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FoldName is a name as names are compared: letters and digits only, in lower case, without accents. Hyphens,
// apostrophes and spaces go, so that a double-barrelled or prefixed name is the same however it is joined. A name
// without a letter folds to nothing, which matches nothing.
func FoldName(s string) string {
	ascii := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80:
			return foldUnicode(s)
		case 'A' <= c && c <= 'Z':
			ascii = append(ascii, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			ascii = append(ascii, c)
		}
	}
	return string(ascii)
}

func foldUnicode(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		switch r { // letters that have no decomposition
		case 'ß':
			b.WriteString("ss")
		case 'æ':
			b.WriteString("ae")
		case 'œ':
			b.WriteString("oe")
		case 'ø':
			b.WriteByte('o')
		case 'ł':
			b.WriteByte('l')
		case 'đ', 'ð':
			b.WriteByte('d')
		case 'þ':
			b.WriteString("th")
		case 'ı':
			b.WriteByte('i')
		default:
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// FoldPostcode is a postcode as postcodes are compared: in capitals without spaces.
func FoldPostcode(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(s), ""))
}

package disclosure

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
)

// shortestName is the number of letters from which a part of a name is searched for by itself. Shorter parts (Jo, Ng,
// An) are words or parts of words too often, and count only next to each other: given name and family name in full.
const shortestName = 3

// names are the names of one person as they are searched for: word by word, without regard to case or accents. A
// double-barrelled name counts by each part and as one word, as does one with an apostrophe. A name that is an everyday
// word (Will, Grace) is found in its everyday sense too: the publisher is asked once too often rather than too seldom.
type names struct {
	words   []string
	phrases []string // "jo ng", for a person whose names are too short by themselves
}

func namesOf(name *eventv1.Name) names {
	var n names
	for _, part := range []string{name.GetGiven(), name.GetFamily(), name.GetKnownAs()} {
		plain := fold(part)
		for word := range wordsOf(plain) {
			n.words = append(n.words, word)
		}
		for word := range joinedWordsOf(plain) {
			n.words = append(n.words, word)
		}
	}
	family := strings.Join(slices.Collect(wordsOf(fold(name.GetFamily()))), " ")
	for _, part := range []string{name.GetGiven(), name.GetKnownAs()} {
		for given := range wordsOf(fold(part)) {
			if family != "" {
				n.phrases = append(n.phrases, given+" "+family, family+" "+given)
			}
			break // the first
		}
	}
	return n
}

// banned is everything that a text must not name, made ready to be looked for in one pass.
type banned struct {
	codes   []string          // in the order in which they are told
	words   map[string]uint64 // word → a bit for each code
	phrases []bannedPhrase
	own     map[string]bool // words that are the subject child's too, and are not looked for
}

type bannedPhrase struct {
	text string // between spaces
	code uint64
}

// ban adds one person's names. A phrase counts where no word of it does, and unless all of them are the subject
// child's own: a sibling's full name is that sibling's.
func (b *banned) ban(code string, n names) {
	at := slices.Index(b.codes, code)
	if at < 0 {
		at = len(b.codes)
		b.codes = append(b.codes, code)
	}
	for _, w := range n.words {
		if b.counts(w) {
			b.words[w] |= 1 << at
		}
	}
	for _, p := range n.phrases {
		ofOthers, found := false, false
		for w := range strings.FieldsSeq(p) {
			ofOthers = ofOthers || !b.own[w]
			found = found || b.counts(w)
		}
		if ofOthers && !found {
			b.phrases = append(b.phrases, bannedPhrase{text: " " + p + " ", code: 1 << at})
		}
	}
}

// counts says whether a word is looked for by itself.
func (b *banned) counts(word string) bool {
	return utf8.RuneCountInString(word) >= shortestName && !b.own[word]
}

// in lists the codes of those whom a folded text names.
func (b *banned) in(plain string) []string {
	var found uint64
	for w := range wordsOf(plain) {
		found |= b.words[w]
	}
	for w := range joinedWordsOf(plain) {
		found |= b.words[w]
	}
	if len(b.phrases) > 0 {
		line := " " + strings.Join(slices.Collect(wordsOf(plain)), " ") + " "
		for _, p := range b.phrases {
			if strings.Contains(line, p.text) {
				found |= p.code
			}
		}
	}
	var codes []string
	for i, code := range b.codes {
		if found&(1<<i) != 0 {
			codes = append(codes, code)
		}
	}
	return codes
}

// wordsOf are the words of folded text, split at everything that is not a letter.
func wordsOf(plain string) iter.Seq[string] {
	return strings.FieldsFuncSeq(plain, func(r rune) bool { return !isLetter(r) })
}

// joinedWordsOf are the words of folded text that hyphens or apostrophes hold together, each as one.
func joinedWordsOf(plain string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if strings.IndexFunc(plain, joins) < 0 {
			return
		}
		for word := range strings.FieldsFuncSeq(plain, func(r rune) bool { return !isLetter(r) && !joins(r) }) {
			if strings.IndexFunc(word, joins) < 0 {
				continue
			}
			whole := strings.Map(func(r rune) rune {
				if joins(r) {
					return -1
				}
				return r
			}, word)
			if whole != "" && !yield(whole) {
				return
			}
		}
	}
}

// isLetter is unicode.IsLetter, quick for what most text is made of.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r)
}

// joins says whether a rune holds the parts of one name together: O'Neill, Smith-Jones.
func joins(r rune) bool {
	switch r {
	case '\'', '’', '‘', 'ʼ', '`', '-', '‐', '‑', '–':
		return true
	}
	return false
}

// fold puts text into lower case without accents, marks or invisible characters, and with compatibility forms (full
// width digits, ligatures) as plain ones.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.ToLower(norm.NFKD.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return unaccented.Replace(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unaccented are letters that Unicode does not take apart into a base letter and a mark.
var unaccented = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

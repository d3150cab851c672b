package disclosure

import (
	"regexp"
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
	words   map[string]bool
	phrases []string // "jo ng", for a person whose names are too short by themselves
}

func namesOf(all ...*eventv1.Name) names {
	n := names{words: make(map[string]bool)}
	for _, name := range all {
		for _, part := range []string{name.GetGiven(), name.GetFamily(), name.GetKnownAs()} {
			for word := range wordsOf(part).set {
				n.words[word] = true
			}
		}
		family := strings.Join(wordsOf(name.GetFamily()).inOrder, " ")
		for _, part := range []string{name.GetGiven(), name.GetKnownAs()} {
			if given := wordsOf(part).inOrder; len(given) > 0 && family != "" {
				n.phrases = append(n.phrases, given[0]+" "+family, family+" "+given[0])
			}
		}
	}
	return n
}

// without leaves out words that count as somebody else's. A phrase stays unless all of its words go: a sibling's full
// name is that sibling's.
func (n names) without(own map[string]bool) names {
	rest := names{words: make(map[string]bool)}
	for w := range n.words {
		if !own[w] {
			rest.words[w] = true
		}
	}
	for _, p := range n.phrases {
		for w := range strings.FieldsSeq(p) {
			if !own[w] {
				rest.phrases = append(rest.phrases, p)
				break
			}
		}
	}
	return rest
}

func (n names) in(t words) bool {
	for w := range n.words {
		if utf8.RuneCountInString(w) >= shortestName && t.set[w] {
			return true
		}
	}
	line := " " + strings.Join(t.inOrder, " ") + " "
	for _, p := range n.phrases {
		if strings.Contains(line, " "+p+" ") {
			return true
		}
	}
	return false
}

// words are the folded words of a text.
type words struct {
	inOrder []string        // split at everything that is not a letter
	set     map[string]bool // these, and each hyphenated or apostrophised word as one
}

func wordsOf(s string) words {
	plain := fold(s)
	w := words{set: make(map[string]bool)}
	w.inOrder = strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, word := range w.inOrder {
		w.set[word] = true
	}
	joined := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !joins(r) })
	for _, word := range joined {
		whole := strings.Map(func(r rune) rune {
			if joins(r) {
				return -1
			}
			return r
		}, word)
		if whole != "" {
			w.set[whole] = true
		}
	}
	return w
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
	s = strings.ToLower(norm.NFKD.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return unaccented.Replace(s)
}

// unaccented are letters that Unicode does not take apart into a base letter and a mark.
var unaccented = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// postcode is a UK postcode in folded text: outward code, inward code, and anything or nothing between them that people
// put there. The inward code has the letters that it may have, so that 3am is none; the outward code has any, so that
// an area invented for a sample or an exercise is found as well.
var postcode = regexp.MustCompile(`\b(?:gir[\s-]{0,3}0aa|[a-z]{1,2}[0-9][0-9a-z]?[\s-]{0,3}[0-9][abd-hjlnp-uw-z]{2})\b`)

func hasPostcode(folded string) bool { return postcode.MatchString(folded) }

var (
	// dates would read as telephone numbers where an hour follows: 01.02.2026 10.
	dates = regexp.MustCompile(`\b(?:(?:0?[1-9]|[12][0-9]|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:(?:19|20)[0-9]{2}|[0-9]{2})|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})\b`)

	// digits is a run of digits as telephone numbers are written.
	digits = regexp.MustCompile(`\+?\(?[0-9](?:[\s().‐‑–-]{0,3}[0-9]){8,}`)
)

// hasTelephone finds UK numbers with their leading nought (0 and at least eight more digits), mobile numbers without
// it, and numbers of any country that begin with + or 00. A short local number cannot be told from a reference.
func hasTelephone(folded string) bool {
	for _, run := range digits.FindAllString(dates.ReplaceAllString(folded, "x"), -1) {
		n := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, run)
		switch {
		case strings.HasPrefix(run, "+"), strings.HasPrefix(n, "0"):
			return true
		case strings.HasPrefix(n, "44") && len(n) >= 11 && len(n) <= 13:
			return true
		case strings.HasPrefix(n, "7") && len(n) == 10:
			return true
		}
	}
	return false
}

package directory

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fullName is what two names are compared by: the family name, folded, and an initial. Without an initial it is that of a
// party, or a contact, of whom no forename is known.
type fullName struct{ family, initial string }

// partyNames are those by which a party is found: with each forename's initial, each part of a double-barrelled name too,
// and without an initial, for a contact who is listed by the family name alone.
func partyNames(p Party) []fullName {
	var names []fullName
	initials := initialsOf(words(p.Given))
	if known := words(p.KnownAs); len(known) > 0 {
		initials = append(initials, initial(known[0]))
		if len(known) > 1 {
			names = append(names, fullName{known[len(known)-1], initial(known[0])})
		}
	}
	families := []string{FoldName(p.Family)}
	if parts := words(strings.ReplaceAll(p.Family, "-", " ")); strings.Contains(p.Family, "-") {
		families = append(families, parts...)
	}
	for _, family := range families {
		if family == "" {
			continue
		}
		names = append(names, fullName{family: family, initial: listedAlone})
		for _, i := range initials {
			names = append(names, fullName{family, i})
		}
		if len(initials) == 0 {
			names = append(names, fullName{family: family})
		}
	}
	return names
}

// listedAlone stands for the initial where a contact has none, so that a party without one is told from a contact without
// one.
const listedAlone = "*"

// longestFamily is how many words a family name has at most.
const longestFamily = 3

// contactNames are all the ways to read the one line of a contact's name: any words after the first may be the family name,
// and any before those a forename. A line that is a family name alone has no initial.
func contactNames(line string) []fullName {
	var names []fullName
	for _, reading := range readings(line) {
		all := words(reading)
		for len(all) > 1 && titles[all[0]] {
			all = all[1:]
		}
		if len(all) == 1 {
			names = append(names, fullName{family: all[0], initial: listedAlone})
		}
		for from := 1; from < len(all); from++ {
			initials := initialsOf(all[:from])
			for to := from + 1; to <= len(all) && to-from <= longestFamily; to++ {
				family := strings.Join(all[from:to], "")
				names = append(names, fullName{family: family})
				for _, i := range initials {
					names = append(names, fullName{family, i})
				}
			}
		}
	}
	return names
}

// readings are a name as it stands and, where there is a comma, what stands before it last: Marlowe, Jane.
func readings(line string) []string {
	before, after, comma := strings.Cut(line, ",")
	if !comma {
		return []string{line}
	}
	return []string{before, after + " " + before}
}

// titles are no forenames.
var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "mx": true, "dr": true, "prof": true, "professor": true,
	"rev": true, "revd": true, "sir": true, "dame": true, "sr": true, "fr": true,
}

// words are the words of a name, each folded, those of a hyphenated one apart.
func words(s string) []string {
	var all []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-.,()/", r) }) {
		if folded := FoldName(w); folded != "" {
			all = append(all, folded)
		}
	}
	return all
}

func initialsOf(words []string) []string {
	all := make([]string, 0, len(words))
	for _, w := range words {
		if i := initial(w); !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	return all
}

func initial(word string) string {
	_, size := utf8.DecodeRuneInString(word)
	return word[:size]
}

package disclosure

import (
	"regexp"
	"strings"
)

// hasPostcode finds a UK postcode in folded text: outward code, inward code, and between them anything or nothing that
// people put there. The inward code has the letters that it may have, so that 3am is none; the outward code has any, so
// that an area invented for a sample or an exercise is found as well.
func hasPostcode(folded string) bool {
	for i := range len(folded) {
		if isDigit(folded[i]) && isInward(folded, i) && followsOutward(folded, i) {
			return true
		}
	}
	return false
}

// inwardLetters are those that may stand in an inward code.
const inwardLetters = "abdefghjlnpqrstuwxyz"

// isInward says whether a digit and two letters of an inward code stand at i, and no word goes on after them.
func isInward(s string, i int) bool {
	return i+2 < len(s) && strings.IndexByte(inwardLetters, s[i+1]) >= 0 && strings.IndexByte(inwardLetters, s[i+2]) >= 0 &&
		(i+3 == len(s) || !isWordByte(s[i+3]))
}

// followsOutward says whether an outward code stands before the inward code at i, with up to three spaces or hyphens
// between them.
func followsOutward(s string, i int) bool {
	for end := i; end >= 0 && i-end <= 3; end-- {
		if end < i && !isGap(s[end]) {
			return false
		}
		for length := 2; length <= 4 && length <= end; length++ {
			start := end - length
			if (start == 0 || !isWordByte(s[start-1])) && isOutward(s[start:end], s[i:i+3]) {
				return true
			}
		}
	}
	return false
}

// isOutward says whether s is one or two letters, a digit, and a digit or letter or nothing more; or Girobank's.
func isOutward(s, inward string) bool {
	if s == "gir" && inward == "0aa" {
		return true
	}
	letters := 0
	for letters < 2 && letters < len(s) && isLower(s[letters]) {
		letters++
	}
	rest := s[letters:]
	switch {
	case letters == 0 || len(rest) == 0 || len(rest) > 2 || !isDigit(rest[0]):
		return false
	default:
		return len(rest) == 1 || isDigit(rest[1]) || isLower(rest[1])
	}
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isLower(c byte) bool    { return 'a' <= c && c <= 'z' }
func isWordByte(c byte) bool { return isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z' || c == '_' }

// isGap says whether a byte may stand between the two parts of a postcode.
func isGap(c byte) bool { return strings.IndexByte(" \t\n\f\r-", c) >= 0 }

var (
	// dates would read as telephone numbers where an hour follows: 01.02.2026 10.
	dates = regexp.MustCompile(`\b(?:(?:0?[1-9]|[12][0-9]|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:(?:19|20)[0-9]{2}|[0-9]{2})|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})\b`)

	// digits is a run of digits as telephone numbers are written.
	digits = regexp.MustCompile(`\+?\(?[0-9](?:[\s().‐‑–-]{0,3}[0-9]){8,}`)
)

// shortestNumber is the number of digits of the shortest run that may be a telephone number.
const shortestNumber = 9

// hasTelephone finds UK numbers with their leading nought (0 and at least eight more digits), mobile numbers without
// it, and numbers of any country that begin with + or 00. A short local number cannot be told from a reference.
func hasTelephone(folded string) bool {
	if countDigits(folded) < shortestNumber {
		return false // as in most texts
	}
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

func countDigits(s string) int {
	n := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			n++
		}
	}
	return n
}

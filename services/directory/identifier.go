package directory

import (
	"errors"
	"strings"
)

// The schemes of identifiers that the directory can check. Any other scheme is `local:<system>`.
const (
	SchemeUPN   = "upn"
	SchemeNHS   = "nhs"
	SchemeLocal = "local:"
)

// Identifier is a value in a scheme: `upn`, `nhs`, or `local:<system>`.
type Identifier struct{ Scheme, Value string }

const upnLetters = "ABCDEFGHJKLMNPQRTUVWXYZ"

// ValidUPN checks a Unique Pupil Number and its check letter, as the Department for Education's guide to UPNs gives
// it; the last character of a temporary one is a letter. UN1 to UN5 stand for an unknown number and are not one.
func ValidUPN(s string) error {
	if len(s) != 13 {
		return errors.New("a UPN is a letter and 12 characters: ask the school for it, or leave it out")
	}
	sum := 0
	for i := 1; i < 13; i++ {
		v := strings.IndexByte("0123456789", s[i])
		if v < 0 && i == 12 {
			v = strings.IndexByte(upnLetters, s[i])
		}
		if v < 0 {
			return errors.New("a UPN is a letter and 12 digits, or 11 digits and a letter where it is temporary: correct it, or leave it out")
		}
		sum += v * (i + 1)
	}
	if upnLetters[sum%23] != s[0] {
		return errors.New("the UPN's check letter does not fit: a character is wrong; correct it, or leave it out")
	}
	return nil
}

// TemporaryUPN says whether a valid UPN is a temporary one, which changes and so identifies nobody.
func TemporaryUPN(s string) bool { return len(s) == 13 && s[12] > '9' }

// UnknownUPN says whether s is one of the codes, UN1 to UN5, that stand for an unknown UPN.
func UnknownUPN(s string) bool { return len(s) == 3 && s[:2] == "UN" && s[2] >= '1' && s[2] <= '5' }

// ValidNHSNumber checks an NHS number of 10 digits, without spaces, and its check digit.
func ValidNHSNumber(s string) error {
	if len(s) != 10 {
		return errors.New("an NHS number has 10 digits: correct it, or leave it out")
	}
	sum := 0
	for i := range 10 {
		if s[i] < '0' || s[i] > '9' {
			return errors.New("an NHS number has digits only: correct it, or leave it out")
		}
		if i < 9 {
			sum += int(s[i]-'0') * (10 - i)
		}
	}
	if (11-sum%11)%11 != int(s[9]-'0') { // a check of 10 is no digit, so it never fits
		return errors.New("the NHS number's check digit does not fit: a digit is wrong; correct it, or leave it out")
	}
	return nil
}

// Canonical is an identifier's value as the directory keeps it: a UPN in capitals, a UPN or NHS number without spaces.
func (i Identifier) Canonical() string {
	switch i.Scheme {
	case SchemeUPN:
		return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(i.Value), " ", ""))
	case SchemeNHS:
		return strings.ReplaceAll(strings.TrimSpace(i.Value), " ", "")
	default:
		return strings.TrimSpace(i.Value)
	}
}

// identifies says whether a canonical value can stand for one child: not one that is temporary, unknown or invalid.
func identifies(scheme, value string) bool {
	switch scheme {
	case SchemeUPN:
		return ValidUPN(value) == nil && !TemporaryUPN(value)
	case SchemeNHS:
		return ValidNHSNumber(value) == nil
	default:
		return strings.HasPrefix(scheme, SchemeLocal) && value != ""
	}
}

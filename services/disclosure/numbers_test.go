package disclosure

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The scan for a postcode is written by hand because it runs over every text: it finds what this pattern finds.
func TestTheScanForAPostcodeFindsWhatItsPatternFinds(t *testing.T) {
	pattern := regexp.MustCompile(`\b(?:gir[\s-]{0,3}0aa|[a-z]{1,2}[0-9][0-9a-z]?[\s-]{0,3}[0-9][abd-hjlnp-uw-z]{2})\b`)
	// Pieces of which postcodes are made, so that a hit and a near miss are both common.
	piece := rapid.SampledFrom([]string{
		"a", "z", "i", "c", "x", "0", "1", "9", " ", "  ", "-", "\n", "\v", "_", "é", "\u00a0", "gir", "0aa", "gir 0aa", "ec1a", "1bb", "ec1a 1bb", "m1", ".",
	})
	rapid.Check(t, func(rt *rapid.T) {
		text := ""
		for _, p := range rapid.SliceOfN(piece, 0, 8).Draw(rt, "pieces") {
			text += p
		}
		if got, want := hasPostcode(text), pattern.MatchString(text); got != want {
			rt.Errorf("%q: found is %t, want %t", text, got, want)
		}
	})
}

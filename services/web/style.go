package web

import (
	_ "embed"
	"slices"
)

//go:embed base.css
var base []byte

// Style is how every page for people looks, and then what one kind of page has of its own.
func Style(own []byte) []byte { return slices.Concat(base, own) }

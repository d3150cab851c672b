package web

import (
	"net/http"
	"net/url"
)

// Protect sets what every answer to a browser has, whatever its path: no script, no frame, nothing kept.
func Protect(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("Cache-Control", "no-store")
	// A link can be a secret, so no other site is told of it. Not no-referrer: that makes browsers send "Origin: null"
	// with our own forms, which is what a forged form looks like to browsers without Sec-Fetch-Site.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Strict-Transport-Security", "max-age=31536000")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// SameOrigin hands on what comes from our own pages; denied answers forms that another site sent.
func SameOrigin(base *url.URL, next http.Handler, denied http.HandlerFunc) (http.Handler, error) {
	crossOrigin := http.NewCrossOriginProtection()
	// Our own origin is trusted by name as well: a proxy in front may change the Host that requests arrive with.
	if err := crossOrigin.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, err
	}
	crossOrigin.SetDenyHandler(denied)
	return crossOrigin.Handler(next), nil
}

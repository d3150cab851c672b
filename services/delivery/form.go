package delivery

import (
	"strings"

	"github.com/signalbox-hq/signalbox/services/policy"
)

// FormOf says how much an email to the endpoint may hold: everything only where one person reads the mailbox and the
// policy trusts its domain with full text. A receiver over gRPC gets the notice itself.
func FormOf(ep Endpoint, p *policy.Policy) Form {
	switch {
	case ep.Channel == GRPC:
		return Full
	case ep.Shared || !p.FullText(Domain(ep.Address)):
		return Stub
	default:
		return Full
	}
}

// Domain is the part of an email address after the @, or empty.
func Domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	return address[at+1:]
}

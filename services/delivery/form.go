package delivery

import (
	"strings"

	"github.com/signalbox-hq/signalbox/services/policy"
)

// FormOf says how much an email to the endpoint may hold: everything only where one person reads the mailbox and the
// policy trusts its domain with full text. A receiver over gRPC, or an agency by its inbox, gets the notice itself. So does a member of the public
// who referred: the view of that notice holds a reference and a date, and a code sent to the same address would prove
// nothing more.
func FormOf(ep Endpoint, p *policy.Policy) Form {
	switch {
	case ep.Channel == GRPC, ep.Channel == Inbox, ep.Organisation == EventOrganisation:
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

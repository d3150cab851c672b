package delivery

import "github.com/signalbox-hq/signalbox/services/notice"

// The channels of a contact, as the directory spells them.
const (
	Email     = "email"
	GRPC      = "grpc"
	Inbox     = "inbox" // an agency fetches it: InboxService.Subscribe
	Telephone = "telephone"
)

// Endpoint is a contact that can be sent to. Its address and name are personal data: it prints without them.
type Endpoint struct {
	Contact      string // id in the directory; for a person named in an event "event:" and the person's ref
	Organisation notice.OrgID
	Role         string
	Channel      string // Email, GRPC or Inbox
	Address      string // email address, host:port of a receiver, or id of the agency whose inbox it is
	Name         string
	Shared       bool   // several people read the mailbox
	CodeAddress  string // where the one-time code of a shared mailbox goes
}

// String names the endpoint without its address or name.
func (e Endpoint) String() string {
	return "endpoint " + e.Contact + " of " + string(e.Organisation) + " by " + e.Channel + " [redacted]"
}

// GoString is String: %#v hides as much.
func (e Endpoint) GoString() string { return e.String() }

// CodeTo is the email address of the one-time code for the page: a person's own where the mailbox is shared.
func (e Endpoint) CodeTo() string {
	if e.Shared {
		return e.CodeAddress
	}
	return e.Address
}

// Skip is a contact passed over, and why. The reason holds no personal data.
type Skip struct {
	Contact string // id in the directory, or empty where the link as a whole has nobody
	Reason  string
}

package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// fault turns a failed call into a fault that says what to do.
func (l link) fault(err error) error {
	const op = "cli.call"
	said := faultText(rpc.Fault(err))
	switch status.Code(err) {
	case codes.Unavailable:
		return l.unreachable(l.who, said)
	case codes.DeadlineExceeded:
		return notice.Faultf(notice.Unavailable, op,
			"%s gave no answer within %s: wait longer with --timeout, or see the service's log", l.Server, l.Timeout)
	case codes.Canceled:
		return notice.Faultf(notice.Unavailable, op, "interrupted before the answer came")
	case codes.Unauthenticated, codes.PermissionDenied:
		return notice.Faultf(notice.Denied, op, "refused to the %s %s: %s", l.who.peer.Kind, l.who.peer.Name, said)
	case codes.Unimplemented:
		return notice.Faultf(notice.Unavailable, op, "the service at %s does not know this command: it is of another version, or not Signalbox", l.Server)
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return notice.Faultf(notice.Internal, op, "the service at %s failed (%s): its log says more", l.Server, said)
	default:
		return rpc.Fault(err)
	}
}

// unreachable tells apart a service that is not there and one that does not get on with the identity.
func (c *connection) unreachable(who credentials, said string) error {
	text := ""
	switch {
	case strings.Contains(said, "canceled"):
		text = "interrupted before the service answered"
	case who.expired(time.Now()):
		text = fmt.Sprintf("the identity %s is out of date: it was good until %s; ask for a new one (%s)",
			who.dir, who.tls.Certificates[0].Leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC"), howToGetOne)
	case isWebServer(said):
		text = fmt.Sprintf("what answers at %s is a web server: name the address of `grpc.listen`, not of the page, with --server HOST:PORT or SIGNALBOX_SERVER", c.Server)
	case strings.Contains(said, "handshake"), strings.Contains(said, "tls:"), strings.Contains(said, "x509:"):
		text = fmt.Sprintf("the service at %s and the identity %s do not trust each other (%s): use an identity that this service made, and an address that is among the `names` of its configuration",
			c.Server, who.dir, lastCause(said))
	case strings.Contains(said, "connection error"), strings.Contains(said, "dial "), strings.Contains(said, "EOF"), strings.Contains(said, "deadline"):
		text = fmt.Sprintf("no Signalbox answers at %s (%s): start it (signalbox serve, signalbox demo), or name another address with --server HOST:PORT or SIGNALBOX_SERVER",
			c.Server, lastCause(said))
	default:
		text = fmt.Sprintf("the service at %s cannot do this now (%s): try again shortly", c.Server, said)
	}
	return notice.Fault(notice.Unavailable, "cli.call", errors.New(text))
}

// isWebServer reports whether a failed call came to something that speaks HTTP and not gRPC, such as the notice page. Its
// answer is a page, which helps nobody on a terminal.
func isWebServer(said string) bool { return strings.Contains(said, "unexpected HTTP status code") }

// lastCause is the end of a chain of errors, where it says what happened.
func lastCause(text string) string {
	text = strings.Trim(text, `"`)
	if _, after, ok := strings.Cut(text, "handshake failed: "); ok {
		return after
	}
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

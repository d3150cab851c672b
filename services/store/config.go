package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// AgencyAccess is one agency and the nkey users that may sign in as it. Two at a time allow a key to be changed
// without a gap.
type AgencyAccess struct {
	Agency     notice.AgencyID
	PublicKeys []string // U…
}

// TLSFiles are a listener's certificate and key, PEM.
type TLSFiles struct {
	CertFile, KeyFile string
}

// Config is what a NATS server's configuration is rendered from, embedded or external.
type Config struct {
	StoreDir     string
	MaxFileStore int64  // bytes; 0 leaves the server's default, three quarters of the free disk
	Listen       string // host:port, port -1 for a random one; empty for no listener
	TLS          TLSFiles
	RouterKey    string // public nkey of Signalbox's own user
	SystemKey    string // public nkey of the user who may ask for a reload; empty for none
	RouterStore  int64  // bytes that Signalbox may store; 0 for as much as the server has
	Agencies     []AgencyAccess

	probeKeys map[notice.AgencyID]string // see Server.SetAgencies; embedded only
}

// InboxPrefix is the only reply prefix an agency may listen on. Its clients pass it to nats.CustomInboxPrefix.
func InboxPrefix(agency notice.AgencyID) string { return "_INBOX_" + string(agency) }

// EventSubject is where an agency publishes events of a family, such as encompass.incident.
func EventSubject(agency notice.AgencyID, family string) string {
	return "signalbox.events." + string(agency) + "." + family
}

// FeedbackSubject is where an agency asks for everything since a cursor. It lies outside signalbox.agency.<agency>.>
// so that an agency listening there does not hear its own questions.
func FeedbackSubject(agency notice.AgencyID) string { return feedbackPrefix + string(agency) }

// AgencySubject is where an agency hears of what became of its events; kind is status or rejected.
func AgencySubject(agency notice.AgencyID, kind string) string {
	return "signalbox.agency." + string(agency) + "." + kind
}

const (
	routerAccount  = "ROUTER"
	systemAccount  = "SYS"
	feedbackPrefix = "signalbox.feedback."
	probeFamily    = "signalbox-probe"

	// More than any agency's systems need, and few enough that a runaway client leaves the server to the others.
	agencyConnections   = 64
	agencySubscriptions = 1024
)

// checkAgency guards every subject, stream and account name made from an agency's id.
func checkAgency(op string, agency notice.AgencyID) error {
	if _, err := notice.ParseAgencyID(string(agency)); err != nil {
		return notice.Fault(notice.Invalid, op, err)
	}
	return nil
}

// RenderConfig writes the configuration of a NATS server for Signalbox. It is pure: the same Config gives the
// same text. An external server takes it as its file; after a change it must be reloaded twice (see
// Server.SetAgencies).
func RenderConfig(c Config) (string, error) {
	if err := c.check(); err != nil {
		return "", notice.Fault(notice.Invalid, "store.RenderConfig", err)
	}
	var b strings.Builder
	line := func(indent int, format string, args ...any) {
		b.WriteString(strings.Repeat("  ", indent))
		fmt.Fprintf(&b, format, args...)
		b.WriteByte('\n')
	}
	line(0, "# Signalbox's NATS server. After a change reload it twice: a new account's import is dead until the second.")
	if c.Listen != "" {
		line(0, "listen: %s", quote(c.Listen))
		line(0, "tls {")
		line(1, "cert_file: %s", quote(c.TLS.CertFile))
		line(1, "key_file: %s", quote(c.TLS.KeyFile))
		line(1, `min_version: "1.2"`)
		line(0, "}")
	}
	line(0, "jetstream {")
	line(1, "store_dir: %s", quote(c.StoreDir))
	// Without it the server syncs every two minutes and acknowledges what a power cut would lose.
	line(1, "sync_interval: always")
	if c.MaxFileStore > 0 {
		line(1, "max_file_store: %d", c.MaxFileStore)
	}
	line(0, "}")
	line(0, "system_account: %s", systemAccount)
	line(0, "accounts {")
	line(1, "%s {", systemAccount)
	if c.SystemKey != "" {
		line(2, "users: [ { nkey: %s } ]", quote(c.SystemKey))
	}
	line(1, "}")
	renderRouter(line, c)
	for _, a := range c.Agencies {
		renderAgency(line, c, a)
	}
	line(0, "}")
	return b.String(), nil
}

// renderRouter restricts each export to the account that bears the name in the subject's third word. A list of
// accounts would say the same, but nats-server 2.15.2 then leaves live accounts in the options it compares by
// reflection at the next reload, unlocked: a data race, and a crash of the process when it hits a map being written.
func renderRouter(line func(int, string, ...any), c Config) {
	line(1, "%s {", routerAccount)
	if c.RouterStore > 0 {
		line(2, "jetstream: { max_file: %d }", c.RouterStore)
	} else {
		line(2, "jetstream: enabled")
	}
	line(2, "users: [ { nkey: %s } ]", quote(c.RouterKey))
	line(2, "exports: [")
	line(3, "{ service: %s, account_token_position: 3 }", quote(EventSubject("*", ">")))
	line(3, "{ service: %s, account_token_position: 3 }", quote(FeedbackSubject("*")))
	line(3, "{ stream: %s, account_token_position: 3 }", quote(AgencySubject("*", ">")))
	line(2, "]")
	line(1, "}")
}

func renderAgency(line func(int, string, ...any), c Config, a AgencyAccess) {
	events, feedback, own := EventSubject(a.Agency, ">"), FeedbackSubject(a.Agency), AgencySubject(a.Agency, ">")
	line(1, "%s {", quote(string(a.Agency))) // lower case, as ROUTER and SYS are not
	line(2, "limits { max_connections: %d, max_subscriptions: %d }", agencyConnections, agencySubscriptions)
	line(2, "users: [")
	for _, key := range a.PublicKeys {
		line(3, "{ nkey: %s, permissions: {", quote(key))
		line(4, "publish: { allow: [%s, %s] }", quote(events), quote(feedback))
		line(4, "subscribe: { allow: [%s, %s] }", quote(own), quote(InboxPrefix(a.Agency)+".>"))
		line(3, "} }")
	}
	if probe := c.probeKeys[a.Agency]; probe != "" {
		line(3, `{ nkey: %s, allowed_connection_types: ["IN_PROCESS"], permissions: {`, quote(probe))
		line(4, "publish: { allow: [%s] }", quote(EventSubject(a.Agency, probeFamily)))
		line(4, `subscribe: { deny: [">"] }`)
		line(3, "} }")
	}
	line(2, "]")
	line(2, "imports: [")
	line(3, "{ service: { account: %s, subject: %s } }", routerAccount, quote(events))
	line(3, "{ service: { account: %s, subject: %s } }", routerAccount, quote(feedback))
	line(3, "{ stream: { account: %s, subject: %s } }", routerAccount, quote(own))
	line(2, "]")
	line(1, "}")
}

// check finds every fault at once: what passes cannot break out of the text.
func (c Config) check() error {
	var faults []error
	fail := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.StoreDir == "" {
		fail("store directory: give one")
	}
	for _, f := range []struct{ field, text string }{
		{"store directory", c.StoreDir}, {"listen address", c.Listen}, {"TLS certificate", c.TLS.CertFile}, {"TLS key", c.TLS.KeyFile},
	} {
		if !printable(f.text) {
			fail("%s: has a character that a configuration file cannot hold", f.field)
		}
	}
	if c.Listen != "" && (c.TLS.CertFile == "" || c.TLS.KeyFile == "") {
		fail("TLS: a listener needs a certificate and a key")
	}
	if c.MaxFileStore < 0 || c.RouterStore < 0 {
		fail("maximum file store: must not be negative")
	}
	keys := map[string]string{}
	key := func(owner, public string) {
		switch {
		case !nkeys.IsValidPublicUserKey(public):
			fail("%s: its key is not a public nkey of a user (U…)", owner)
		case keys[public] != "":
			// The server would take one of the two for the other.
			fail("%s: its key is also that of %s", owner, keys[public])
		default:
			keys[public] = owner
		}
	}
	key(routerAccount, c.RouterKey)
	if c.SystemKey != "" {
		key(systemAccount, c.SystemKey)
	}
	seen := map[notice.AgencyID]bool{}
	for _, a := range c.Agencies {
		if err := checkAgency("store.RenderConfig", a.Agency); err != nil {
			faults = append(faults, err)
			continue
		}
		if seen[a.Agency] {
			fail("agency %s: is there twice", a.Agency)
		}
		seen[a.Agency] = true
		if len(a.PublicKeys) == 0 {
			fail("agency %s: has no key", a.Agency)
		}
		for _, public := range a.PublicKeys {
			key("agency "+string(a.Agency), public)
		}
	}
	return errors.Join(faults...)
}

// quote writes a string of the server's configuration language, whose escapes are a subset of Go's.
func quote(text string) string { return strconv.Quote(text) }

func printable(text string) bool {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

package apptest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/signalbox-hq/signalbox/services/mailbox"
)

// postfix is where Debian's package puts it, which is not on everybody's path.
const postfix = "/usr/sbin/postfix"

// Postfix is a Postfix of its own: configuration, queue and mailboxes are in a temporary folder, and it listens on
// loopback alone. The machine's Postfix, if it has one, is left alone.
type Postfix struct {
	rig  *Rig
	dir  string
	Port int
}

// PostfixConfig is what a Postfix does with mail.
type PostfixConfig struct {
	Port      int
	Mailboxes []string       // addresses; the domains of these know nobody else
	Relays    map[string]int // domains that go to a port of loopback, under TLS
}

// Postfix runs a Postfix until the test ends. It fails the test where Postfix is not installed or cannot be run: it needs
// root, or sudo without a password.
func (r *Rig) Postfix(c PostfixConfig) *Postfix {
	r.T.Helper()
	if _, err := os.Stat(postfix); err != nil {
		r.T.Fatal("Postfix is not installed: run apt-get install postfix, with the choice \"No configuration\"")
	}
	dir, err := os.MkdirTemp("", "signalbox-postfix-") // not below the test's folder, which only its owner may enter
	r.must(err)
	x := &Postfix{rig: r, dir: dir, Port: c.Port}
	r.T.Cleanup(func() { x.asRoot("rm", "-rf", dir) })
	r.must(os.Chmod(dir, 0o755)) // #nosec G302 -- Postfix's own users go through it
	certificate, key, err := r.mailPair.WriteFiles(dir, "relay")
	r.must(err)
	r.must(os.WriteFile(filepath.Join(dir, "main.cf"), []byte(x.main(c, certificate, key)), 0o644)) // #nosec G306 -- no secret
	r.must(os.WriteFile(filepath.Join(dir, "master.cf"), []byte(master(c.Port)), 0o644))            // #nosec G306 -- no secret
	x.asRoot("install", "-d", filepath.Join(dir, "queue"))
	x.asRoot("install", "-d", "-o", "postfix", filepath.Join(dir, "data"))
	x.asRoot("install", "-d", "-o", x.owner(), filepath.Join(dir, "mail"))
	x.asRoot(postfix, "-c", dir, "start")
	r.T.Cleanup(func() {
		if r.T.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			r.T.Logf("Postfix says:\n%s", log)
		}
		x.asRoot(postfix, "-c", dir, "stop")
	})
	return x
}

// All is what is in the mailboxes.
func (x *Postfix) All() []mailbox.Mail {
	x.rig.T.Helper()
	files, err := filepath.Glob(filepath.Join(x.dir, "mail", "*", "new", "*"))
	x.rig.must(err)
	var mails []mailbox.Mail
	for _, file := range files {
		raw, err := os.ReadFile(file)
		x.rig.must(err)
		m, err := mailbox.Read(bytes.NewReader(raw))
		x.rig.must(err)
		m.To = filepath.Base(filepath.Dir(filepath.Dir(file)))
		mails = append(mails, m)
	}
	return mails
}

// owner is whom the mailboxes belong to: whoever tests, or where that is root, which Postfix does not deliver as, somebody
// without a name.
func (x *Postfix) owner() string {
	if uid := os.Getuid(); uid != 0 {
		return strconv.Itoa(uid)
	}
	return "5000"
}

func (x *Postfix) asRoot(command ...string) {
	x.rig.T.Helper()
	if os.Getuid() != 0 {
		command = append([]string{"sudo", "-n"}, command...)
	}
	text, err := exec.CommandContext(context.Background(), command[0], command[1:]...).CombinedOutput() // #nosec G204 -- our own words
	if err != nil {
		x.rig.T.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, text)
	}
}

func (x *Postfix) main(c PostfixConfig, certificate, key string) string {
	var mailboxes, relays, domains []string
	for _, address := range c.Mailboxes {
		mailboxes = append(mailboxes, address+"="+address+"/")
		_, domain, _ := strings.Cut(address, "@")
		domains = append(domains, domain)
	}
	for domain, port := range c.Relays {
		relays = append(relays, fmt.Sprintf("%s=smtp:[127.0.0.1]:%d", domain, port))
	}
	return fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = %[2]s
smtpd_tls_key_file = %[3]s
smtp_tls_security_level = encrypt
smtp_dns_support_level = disabled
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_domains = %[4]s
virtual_mailbox_maps = inline:{ %[5]s }
virtual_uid_maps = static:%[6]s
virtual_gid_maps = static:%[6]s
transport_maps = inline:{ %[7]s }
default_transport = error:nothing else is relayed
smtpd_client_connection_rate_limit = 0
`, x.dir, certificate, key, strings.Join(domains, ", "), strings.Join(mailboxes, ", "), x.owner(), strings.Join(relays, ", "))
}

func master(port int) string {
	return fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
`, port)
}

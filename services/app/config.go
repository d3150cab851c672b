package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Config is everything an operator may set. It is read strictly: an unknown key is a fault.
type Config struct {
	// Data is the folder of everything that Signalbox keeps: its authority and keys, and the embedded NATS's files.
	Data string `yaml:"data"`
	// Instance names this process in the ledger; empty is the host's name.
	Instance string `yaml:"instance"`
	// Traffic is `live`, or `exercise`: a live service refuses exercises and tests.
	Traffic string `yaml:"traffic"`
	// Names are the host names and addresses by which this service is reached; they go into its certificates.
	Names []string `yaml:"names"`

	NATS NATSConfig `yaml:"nats"`
	GRPC GRPCConfig `yaml:"grpc"`
	Page PageConfig `yaml:"page"`
	Mail MailConfig `yaml:"mail"`
	Send SendConfig `yaml:"send"`

	Returns ReturnsConfig `yaml:"returns"`
	Offline OfflineConfig `yaml:"offline"`

	Alarms    AlarmConfig     `yaml:"alarms"`
	Clock     ClockConfig     `yaml:"clock"`
	Heartbeat HeartbeatConfig `yaml:"heartbeat"`
	Metrics   MetricsConfig   `yaml:"metrics"`
}

// NATSConfig is the embedded NATS server, or the external one that is used instead.
type NATSConfig struct {
	// Listen is where agencies reach the embedded server, host:port; port 0 takes a free one.
	Listen string `yaml:"listen"`
	// URL of an external server (tls://host:port); none is embedded then.
	URL string `yaml:"url"`
	// Seed is the file with the nkey seed of the ROUTER account's user at an external server.
	Seed string `yaml:"seed"`
	// Roots is the file with the authorities of an external server, PEM.
	Roots string `yaml:"roots"`
	// Replicas of each stream at an external cluster: 1, 3 or 5.
	Replicas int `yaml:"replicas"`
	// EventsBytes is the room for each agency's events, reserved on disk; 0 is 1 GiB.
	EventsBytes int64 `yaml:"events_bytes"`
	// StoreBytes is the most that Signalbox stores; 0 is three quarters of the disk that is free at the start of an embedded
	// server, and no limit at an external one.
	StoreBytes int64 `yaml:"store_bytes"`
	// ReserveBytes is the room that is kept for what was taken in: below it new events are refused; 0 is 256 MiB.
	ReserveBytes int64 `yaml:"reserve_bytes"`
}

// GRPCConfig is the listener for programs.
type GRPCConfig struct {
	// Listen is host:port.
	Listen string `yaml:"listen"`
}

// PageConfig is the listener for people.
type PageConfig struct {
	// Listen is host:port.
	Listen string `yaml:"listen"`
	// URL is the address that notices link to, https; empty is made from Listen.
	URL string `yaml:"url"`
	// Certificate and Key are files of a certificate that browsers trust; empty is one of our own authority.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// MailConfig is the relay that takes the mail.
type MailConfig struct {
	// Host and Port of the relay. TLS (STARTTLS) is required of it.
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// From is the sender, an address or `Name <address>`.
	From string `yaml:"from"`
	// Username and PasswordFile, where the relay asks for them.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// Roots is the file with the relay's authorities, PEM; empty is the machine's own.
	Roots string `yaml:"roots"`
	// Connections at most; 0 is twice as many as emails at once.
	Connections int `yaml:"connections"`
}

// ReturnsConfig is the mail server for bounces and automatic replies. Empty, there is none: they go to the sender of the
// mail, and nobody reads them for us.
type ReturnsConfig struct {
	// Listen is host:port; mail systems come to port 25 of what the domain's MX record names.
	Listen string `yaml:"listen"`
	// Domain of the addresses that notices are sent from: one of its own, with an MX record for this service.
	Domain string `yaml:"domain"`
}

// LoadConfig reads a configuration file, sets what it leaves open and checks the whole: every fault is reported at once.
// Whether the files that it names are there is for CheckFiles: before the first start some are not.
func LoadConfig(path string) (Config, error) {
	const op = "app.LoadConfig"
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, notice.Fault(notice.NotFound, op, fmt.Errorf("configuration file: %w", err))
	}
	var c Config
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, notice.Fault(notice.Invalid, op, fmt.Errorf("%s: %w", path, tidy(err)))
	}
	c = c.withDefaults()
	if faults := c.faults(); len(faults) > 0 {
		return Config{}, notice.InvalidFields(op, faults)
	}
	return c, nil
}

// domainName is a name that mail can go to. Addresses of 64 characters and an @ go before it.
var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

var goType = regexp.MustCompile(` in type [a-z]+\.[A-Za-z]+`)

// tidy takes the names of Go types out of the decoder's message.
func tidy(err error) error { return errors.New(goType.ReplaceAllString(err.Error(), "")) }

func (c Config) withDefaults() Config {
	orText := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	orInt := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	host, _ := os.Hostname()
	orText(&c.Instance, host)
	orText(&c.Instance, "signalbox")
	orText(&c.Traffic, "live")
	if len(c.Names) == 0 {
		c.Names = []string{"localhost", "127.0.0.1", "::1"}
	}
	if c.NATS.URL == "" {
		orText(&c.NATS.Listen, "127.0.0.1:4222")
	}
	orInt(&c.NATS.Replicas, 1)
	orText(&c.GRPC.Listen, "127.0.0.1:7443")
	orText(&c.Page.Listen, "127.0.0.1:8443")
	orInt(&c.Mail.Port, 587)
	c.Send = c.Send.withDefaults(c.Mail.Connections)
	return c.guarded()
}

// CheckFiles says which of the files that the configuration names cannot be read.
func (c Config) CheckFiles() error {
	files := []struct{ field, path string }{
		{"nats.seed", c.NATS.Seed}, {"nats.roots", c.NATS.Roots}, {"page.certificate", c.Page.Certificate},
		{"page.key", c.Page.Key}, {"mail.password_file", c.Mail.PasswordFile}, {"mail.roots", c.Mail.Roots},
		{"heartbeat.url_file", c.Heartbeat.URLFile}, {"heartbeat.token_file", c.Heartbeat.TokenFile}, {"heartbeat.roots", c.Heartbeat.Roots},
	}
	var faults []notice.FieldFault
	for _, f := range files {
		if f.path == "" {
			continue
		}
		if file, err := os.Open(f.path); err != nil {
			faults = append(faults, notice.FieldFault{Field: f.field, Message: "the file " + f.path + " cannot be read"})
		} else if err := file.Close(); err != nil {
			return fmt.Errorf("app.CheckFiles: %w", err)
		}
	}
	if len(faults) > 0 {
		return notice.InvalidFields("app.CheckFiles", faults)
	}
	return nil
}

// faults checks the whole configuration.
func (c Config) faults() []notice.FieldFault {
	var faults []notice.FieldFault
	fault := func(field, format string, args ...any) {
		faults = append(faults, notice.FieldFault{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if c.Data == "" {
		fault("data", "name the folder that Signalbox keeps everything in, for example /var/lib/signalbox")
	}
	if c.Traffic != "live" && c.Traffic != "exercise" {
		fault("traffic", "must be live or exercise")
	}
	listen := func(field, address string) {
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			fault(field, "must be host:port, for example 0.0.0.0:7443")
		}
	}
	listen("grpc.listen", c.GRPC.Listen)
	listen("page.listen", c.Page.Listen)
	if c.NATS.URL == "" {
		listen("nats.listen", c.NATS.Listen)
	} else {
		if !strings.HasPrefix(c.NATS.URL, "tls://") {
			fault("nats.url", "must begin with tls://")
		}
		if c.NATS.Listen != "" {
			fault("nats.listen", "leave it out where nats.url names an external server")
		}
		if c.NATS.Seed == "" {
			fault("nats.seed", "name the file with the seed of Signalbox's user, which `signalbox init` writes")
		}
	}
	if r := c.NATS.Replicas; r != 1 && r != 3 && r != 5 {
		fault("nats.replicas", "must be 1, 3 or 5")
	}
	if u, err := url.Parse(c.Page.URL); c.Page.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		fault("page.url", "must be an https address, for example https://notices.example")
	}
	if (c.Page.Certificate == "") != (c.Page.Key == "") {
		fault("page.certificate", "give certificate and key together")
	}
	if c.Mail.Host == "" {
		fault("mail.host", "name the relay that takes the mail")
	}
	if c.Mail.From == "" {
		fault("mail.from", "give the sender's address")
	} else if _, err := mail.ParseAddress(c.Mail.From); err != nil {
		fault("mail.from", "must be an address, or a name and an address in angle brackets")
	}
	if (c.Mail.Username == "") != (c.Mail.PasswordFile == "") {
		fault("mail.username", "give username and password_file together")
	}
	if (c.Returns.Listen == "") != (c.Returns.Domain == "") {
		fault("returns", "give listen and domain together, or neither")
	}
	if c.Returns.Listen != "" {
		listen("returns.listen", c.Returns.Listen)
	}
	if d := c.Returns.Domain; d != "" && !domainName.MatchString(d) {
		fault("returns.domain", "must be a domain name in lower case, for example returns.signalbox.example")
	}
	faults = append(faults, c.Offline.faults()...)
	return append(append(faults, c.Send.faults()...), c.guardFaults()...)
}

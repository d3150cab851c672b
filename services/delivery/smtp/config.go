package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-hq/signalbox/services/notice"
)

var errPasswordFile = errors.New("give a file that holds the password and that this process may read")

// Config says which relay takes the mail, and how.
type Config struct {
	Host         string         // the relay; its certificate must be for this name
	Port         int            // 0 is 587
	From         string         // visible sender, an address or "Name <address>"
	EnvelopeFrom string         // return path for bounces; empty is the address of From
	EHLO         string         // our own name; empty is the domain of From
	Username     string         // empty sends without authentication
	PasswordFile string         // file that holds the password; needed with Username
	RootCAs      *x509.CertPool // authorities of the relay; nil is the machine's own
	Connections  int            // at most so many at once; 0 is 4
	Timeout      time.Duration  // of one send, dialling included; 0 is one minute
	Idle         time.Duration  // an unused connection is closed after; 0 is 30 seconds
}

// settings is a Config found good.
type settings struct {
	address      string
	host         string
	from         mail.Address
	envelope     string
	ehlo         string
	username     string
	password     string
	tls          *tls.Config
	connections  int
	timeout      time.Duration
	idle         time.Duration
	probeAfter   time.Duration
	dialDeadline time.Duration
}

func (c Config) check() (settings, error) {
	const op = "smtp.New"
	var faults []notice.FieldFault
	fault := func(field, message string) {
		faults = append(faults, notice.FieldFault{Field: field, Message: message})
	}

	if c.Host == "" || strings.ContainsAny(c.Host, " \r\n/") {
		fault("host", "give the relay's host name, without a port")
	}
	if c.Port < 0 || c.Port > 65535 {
		fault("port", "give a port from 1 to 65535")
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		fault("from", "give the sender's email address")
		from = &mail.Address{Address: "invalid@invalid"}
	}
	envelope := from.Address
	if c.EnvelopeFrom != "" {
		if a, err := mail.ParseAddress(c.EnvelopeFrom); err != nil {
			fault("envelope_from", "give an email address, or leave it empty")
		} else {
			envelope = a.Address
		}
	}
	ehlo := c.EHLO
	if ehlo == "" {
		ehlo = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	}
	if strings.ContainsAny(ehlo, " \r\n") {
		fault("ehlo", "give a host name")
	}
	password, err := c.password()
	if err != nil {
		fault("password_file", err.Error())
	}
	if c.Connections < 0 || c.Connections > 256 {
		fault("connections", "give a number from 1 to 256")
	}
	if c.Timeout < 0 || c.Idle < 0 {
		fault("timeout", "give a time above zero")
	}
	if len(faults) > 0 {
		return settings{}, notice.InvalidFields(op, faults)
	}

	s := settings{
		address:     net.JoinHostPort(c.Host, strconv.Itoa(orElse(c.Port, 587))),
		host:        c.Host,
		from:        *from,
		envelope:    envelope,
		ehlo:        ehlo,
		username:    c.Username,
		password:    password,
		tls:         &tls.Config{ServerName: c.Host, RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12},
		connections: orElse(c.Connections, 4),
		timeout:     orElse(c.Timeout, time.Minute),
		idle:        orElse(c.Idle, 30*time.Second),
		probeAfter:  5 * time.Second,
	}
	// A relay that does not answer must leave time to try another connection of it.
	s.dialDeadline = min(s.timeout/2, 15*time.Second)
	return s, nil
}

func (c Config) password() (string, error) {
	if c.Username == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", errPasswordFile
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", errPasswordFile
	}
	return password, nil
}

func orElse[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

package identity

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Kind says what sort of peer a certificate names. Its zero value is nobody.
type Kind uint8

// The kinds of peer.
const (
	Agency   Kind = iota + 1 // an organisation that publishes events or receives notices
	Operator                 // a person who runs Signalbox
)

func (k Kind) String() string {
	switch k {
	case Agency:
		return "agency"
	case Operator:
		return "operator"
	default:
		return "nobody"
	}
}

// Peer is who stands at the other end of a connection.
type Peer struct {
	Kind Kind
	Name string // an agency's id or an operator's name
}

const peerScheme = "signalbox"

var operatorName = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,62}$`)

// NewPeer checks the name against the rules of its kind.
func NewPeer(kind Kind, name string) (Peer, error) {
	const op = "identity.NewPeer"
	switch kind {
	case Agency:
		if _, err := notice.ParseAgencyID(name); err != nil {
			return Peer{}, notice.Fault(notice.Invalid, op, err)
		}
	case Operator:
		if !operatorName.MatchString(name) {
			return Peer{}, notice.Faultf(notice.Invalid, op,
				"an operator's name is up to 63 lower-case letters, digits, dots and hyphens and begins with a letter")
		}
	default:
		return Peer{}, notice.Faultf(notice.Invalid, op, "a peer is an agency or an operator")
	}
	return Peer{Kind: kind, Name: name}, nil
}

// URI is the name by which certificates carry the peer.
func (p Peer) URI() *url.URL {
	return &url.URL{Scheme: peerScheme, Host: p.Kind.String(), Path: "/" + p.Name}
}

// PeerFromCert says whom a client certificate names. It reads names only: that the certificate was issued by our
// authority and is in date is for TLS to have verified before. Errors are of kind Denied.
func PeerFromCert(cert *x509.Certificate) (Peer, error) {
	const op = "identity.PeerFromCert"
	denied := func(text string) (Peer, error) {
		return Peer{}, notice.Faultf(notice.Denied, op, "certificate refused: %s", text)
	}
	if cert == nil {
		return denied("none was presented")
	}
	if cert.IsCA || !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return denied("it is not a client certificate")
	}
	// One name exactly: with two, each reader could believe a different one.
	if len(cert.URIs) != 1 {
		return denied("it must carry one URI name")
	}
	uri := cert.URIs[0]
	var kind Kind
	switch uri.Host {
	case Agency.String():
		kind = Agency
	case Operator.String():
		kind = Operator
	}
	peer, err := NewPeer(kind, strings.TrimPrefix(uri.Path, "/"))
	if err != nil || uri.String() != peer.URI().String() {
		return denied("its URI name is not signalbox://agency/<id> or signalbox://operator/<name>")
	}
	if cert.Subject.CommonName != peer.Name {
		return denied("its common name and its URI name differ")
	}
	return peer, nil
}

// Serial is the serial number of a certificate, hexadecimal; empty for none.
func Serial(cert *x509.Certificate) string {
	if cert == nil || cert.SerialNumber == nil {
		return ""
	}
	return cert.SerialNumber.Text(16)
}

// Serial is the serial number of the pair's certificate, hexadecimal.
func (p Pair) Serial() (string, error) {
	cert, err := parseCert(p.CertPEM)
	if err != nil {
		return "", fmt.Errorf("identity.Serial: %w", err)
	}
	return Serial(cert), nil
}

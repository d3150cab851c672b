package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// The authority's two files in its folder.
const (
	CACertFile = "ca.crt"
	CAKeyFile  = "ca.key"
)

// skew is how far back a certificate's validity reaches, so that a peer whose clock is a little slow accepts it.
const skew = 5 * time.Minute

// CA issues certificates. It is safe for use by several goroutines.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// CreateCA makes a new authority valid from now and writes it into dir. An authority that is already there is
// left alone: the error is a Conflict.
func CreateCA(dir string, now time.Time, validity time.Duration) (*CA, error) {
	const op = "identity.CreateCA"
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	tmpl, err := template("Signalbox CA", now, validity)
	if err != nil {
		return nil, err
	}
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.MaxPathLenZero = true, true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	certPEM := encodeCert(der)
	// The key goes first and refuses to replace another: whoever wrote it goes on to write the certificate.
	if err := writeNew(filepath.Join(dir, CAKeyFile), keyPEM); err != nil {
		return nil, exists(op, "the authority's key", err)
	}
	if err := writeNew(filepath.Join(dir, CACertFile), certPEM); err != nil {
		return nil, exists(op, "the authority's certificate", err)
	}
	return newCA(op, certPEM, keyPEM)
}

// LoadCA reads the authority that CreateCA wrote. An absent one is NotFound.
func LoadCA(dir string) (*CA, error) {
	const op = "identity.LoadCA"
	certPEM, err := os.ReadFile(filepath.Join(dir, CACertFile))
	if err != nil {
		return nil, missing(op, err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if err != nil {
		return nil, missing(op, err)
	}
	return newCA(op, certPEM, keyPEM)
}

func newCA(op string, certPEM, keyPEM []byte) (*CA, error) {
	bad := func(text string) (*CA, error) {
		return nil, notice.Fault(notice.Invalid, op, errors.New(text))
	}
	cert, err := parseCert(certPEM)
	if err != nil || !cert.IsCA {
		return bad(CACertFile + " does not hold an authority's certificate")
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return bad(CAKeyFile + " does not hold an ECDSA private key")
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return bad(CACertFile + " and " + CAKeyFile + " do not belong together")
	}
	return &CA{cert: cert, key: key, pem: certPEM}, nil
}

// CertPEM is the authority's certificate, which peers take as their root.
func (ca *CA) CertPEM() []byte { return append([]byte(nil), ca.pem...) }

// Pool holds the authority's certificate alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// ServerRequest says what a server certificate is for.
type ServerRequest struct {
	DNSNames []string
	IPs      []net.IP
	Now      time.Time
	Validity time.Duration
	// Calls is for a server that also calls others of its kind, as the nodes of a NATS cluster do. It names no peer: by
	// none of our own listeners is it taken for a client's.
	Calls bool
}

// IssueServer issues a certificate for a listener under the given names and addresses, at least one in all.
func (ca *CA) IssueServer(req ServerRequest) (Pair, error) {
	const op = "identity.IssueServer"
	if len(req.DNSNames)+len(req.IPs) == 0 {
		return Pair{}, notice.Fault(notice.Invalid, op, errors.New("give at least one DNS name or IP address"))
	}
	cn := "signalbox"
	if len(req.DNSNames) > 0 {
		cn = req.DNSNames[0]
	}
	tmpl, err := template(cn, req.Now, req.Validity)
	if err != nil {
		return Pair{}, err
	}
	tmpl.DNSNames, tmpl.IPAddresses = req.DNSNames, req.IPs
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if req.Calls {
		tmpl.ExtKeyUsage = append(tmpl.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	return ca.issue(op, tmpl)
}

// IssueClient issues a certificate by which the peer will be recognised.
func (ca *CA) IssueClient(peer Peer, now time.Time, validity time.Duration) (Pair, error) {
	peer, err := NewPeer(peer.Kind, peer.Name)
	if err != nil {
		return Pair{}, err
	}
	tmpl, err := template(peer.Name, now, validity)
	if err != nil {
		return Pair{}, err
	}
	tmpl.URIs = []*url.URL{peer.URI()}
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return ca.issue("identity.IssueClient", tmpl)
}

func (ca *CA) issue(op string, tmpl *x509.Certificate) (Pair, error) {
	if tmpl.NotAfter.After(ca.cert.NotAfter) {
		return Pair{}, notice.Fault(notice.Invalid, op, fmt.Errorf(
			"the certificate would outlive its authority, which ends %s: ask for less or renew the authority",
			ca.cert.NotAfter.Format(time.DateOnly)))
	}
	key, err := newKey()
	if err != nil {
		return Pair{}, fmt.Errorf("%s: %w", op, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return Pair{}, fmt.Errorf("%s: %w", op, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("%s: %w", op, err)
	}
	return Pair{CertPEM: encodeCert(der), KeyPEM: keyPEM}, nil
}

func template(cn string, now time.Time, validity time.Duration) (*x509.Certificate, error) {
	const op = "identity.template"
	if now.IsZero() || validity <= 0 {
		return nil, notice.Fault(notice.Invalid, op, errors.New("a certificate needs a present time and a validity above zero"))
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: cn},
		NotBefore:             now.Add(-skew).UTC(),
		NotAfter:              now.Add(validity).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}, nil
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseCert(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("no private key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
	}
	return ec, nil
}

func missing(op string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return notice.Fault(notice.NotFound, op, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

func exists(op, what string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return notice.Fault(notice.Conflict, op, fmt.Errorf("%s exists already: %w", what, err))
	}
	return fmt.Errorf("%s: %w", op, err)
}

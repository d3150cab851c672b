package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// ServerTLS is for a listener that knows its callers: a client certificate of roots is required and verified.
func ServerTLS(pair Pair, roots *x509.CertPool) (*tls.Config, error) {
	cfg, err := base("identity.ServerTLS", pair, roots)
	if err != nil {
		return nil, err
	}
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, roots
	return cfg, nil
}

// PublicServerTLS is for a listener whose callers show no certificate (the notice page, NATS with nkeys).
func PublicServerTLS(pair Pair) (*tls.Config, error) {
	cert, err := pair.certificate("identity.PublicServerTLS")
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}, nil
}

// ClientTLS is for a caller that presents pair and accepts servers of roots only. Set ServerName where the
// address dialled is not the server's name.
func ClientTLS(pair Pair, roots *x509.CertPool) (*tls.Config, error) {
	cfg, err := base("identity.ClientTLS", pair, roots)
	if err != nil {
		return nil, err
	}
	cfg.RootCAs = roots
	return cfg, nil
}

func base(op string, pair Pair, roots *x509.CertPool) (*tls.Config, error) {
	if err := needRoots(op, roots); err != nil {
		return nil, err
	}
	cert, err := pair.certificate(op)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}, nil
}

// needRoots refuses a nil pool, which would mean the machine's roots: any public authority could then name our peers.
func needRoots(op string, roots *x509.CertPool) error {
	if roots == nil {
		return notice.Fault(notice.Invalid, op, errors.New("give the authority's certificate"))
	}
	return nil
}

func (p Pair) certificate(op string) (tls.Certificate, error) {
	cert, err := tls.X509KeyPair(p.CertPEM, p.KeyPEM)
	if err != nil {
		return tls.Certificate{}, notice.Fault(notice.Invalid, op, fmt.Errorf("certificate and key: %w", err))
	}
	return cert, nil
}

// LoadPair reads a certificate and its key from PEM files.
func LoadPair(certFile, keyFile string) (Pair, error) {
	const op = "identity.LoadPair"
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return Pair{}, missing(op, err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return Pair{}, missing(op, err)
	}
	pair := Pair{CertPEM: certPEM, KeyPEM: keyPEM}
	if _, err := pair.certificate(op); err != nil {
		return Pair{}, err
	}
	return pair, nil
}

// LoadRoots reads the certificates of trusted authorities from a PEM file.
func LoadRoots(file string) (*x509.CertPool, error) {
	const op = "identity.LoadRoots"
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, missing(op, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, notice.Fault(notice.Invalid, op, fmt.Errorf("%s holds no PEM certificate", file))
	}
	return pool, nil
}

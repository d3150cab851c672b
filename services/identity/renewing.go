package identity

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"
)

// Renewing is a certificate that is issued anew once two thirds of its time are over: a listener that runs for longer
// than its first certificate lasts would one day turn every caller away.
type Renewing struct {
	issue func(now time.Time) (Pair, error)
	now   func() time.Time

	mu    sync.Mutex
	cert  *tls.Certificate
	renew time.Time
}

// NewRenewing issues the first certificate.
func NewRenewing(issue func(now time.Time) (Pair, error), now func() time.Time) (*Renewing, error) {
	r := &Renewing{issue: issue, now: now}
	if err := r.issueAt(now()); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Renewing) issueAt(now time.Time) error {
	pair, err := r.issue(now)
	if err != nil {
		return err
	}
	cert, err := pair.certificate("identity.Renewing")
	if err != nil {
		return err
	}
	r.cert, r.renew = &cert, now.Add(cert.Leaf.NotAfter.Sub(now)*2/3)
	return nil
}

// Current is the certificate in use. Where a new one cannot be issued the old one is used for as long as it lasts.
func (r *Renewing) Current() *tls.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); !now.Before(r.renew) {
		_ = r.issueAt(now) // the next caller tries again
	}
	return r.cert
}

// ServerTLS is ServerTLS with a certificate that renews itself.
func (r *Renewing) ServerTLS(roots *x509.CertPool) (*tls.Config, error) {
	if err := needRoots("identity.ServerTLS", roots); err != nil {
		return nil, err
	}
	cfg := r.PublicServerTLS()
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, roots
	return cfg, nil
}

// PublicServerTLS is PublicServerTLS with a certificate that renews itself.
func (r *Renewing) PublicServerTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return r.Current(), nil
	}}
}

// ClientTLS is ClientTLS with a certificate that renews itself.
func (r *Renewing) ClientTLS(roots *x509.CertPool) (*tls.Config, error) {
	if err := needRoots("identity.ClientTLS", roots); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return r.Current(), nil
	}}, nil
}

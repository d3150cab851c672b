package app

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	authorityValidity = 10 * 365 * 24 * time.Hour
	serverValidity    = 90 * 24 * time.Hour // issued anew at every start, and while running before it ends
	clientValidity    = 365 * 24 * time.Hour
	renewWithin       = 60 * 24 * time.Hour // a certificate in a file that ends sooner is issued anew at a start

	// Admin is the operator that the first start makes.
	Admin = "admin"
)

// The files of an identity folder: what a client command's --identity names.
const (
	ClientName = "client" // client.crt and client.key
	RootsFile  = "ca.crt"
	SeedFile   = "nats.seed"
)

// authority opens the data folder's authority, making it at the first start. Certificates are valid by the machine's
// own clock, whatever clock the service is run on.
func authority(data string) (*identity.CA, error) {
	dir := filepath.Join(data, "ca")
	ca, err := identity.LoadCA(dir)
	if notice.KindOf(err) == notice.NotFound {
		return identity.CreateCA(dir, wall(), authorityValidity)
	}
	return ca, err
}

// ledgerKey reads the key of the ledger's keyed hashes, making it at the first start.
func ledgerKey(data string) (notice.Key, error) {
	const op = "app.ledgerKey"
	var key notice.Key
	path := filepath.Join(data, "keys", "ledger.key")
	text, err := os.ReadFile(path)
	switch {
	case err == nil && len(text) == len(key):
		copy(key[:], text)
		return key, nil
	case err == nil:
		return key, notice.Faultf(notice.Internal, op, "%s is damaged: restore it from a backup", path)
	case !errors.Is(err, fs.ErrNotExist):
		return key, notice.Fault(notice.Internal, op, err)
	}
	if _, err := rand.Read(key[:]); err != nil {
		return key, notice.Fault(notice.Internal, op, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return key, notice.Fault(notice.Internal, op, err)
	}
	return key, identity.Secret(key[:]).WriteFile(path)
}

// adminIdentity makes the first operator's identity folder, unless it is there.
func adminIdentity(data string, ca *identity.CA) (string, error) {
	dir := filepath.Join(data, "identities", Admin)
	good, err := stillGood(dir, ClientName)
	if err != nil || good {
		return dir, err
	}
	peer, err := identity.NewPeer(identity.Operator, Admin)
	if err != nil {
		return "", err
	}
	pair, err := ca.IssueClient(peer, wall(), clientValidity)
	if err != nil {
		return "", err
	}
	if _, _, err := pair.WriteFiles(dir, ClientName); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, RootsFile), ca.CertPEM(), 0o644); err != nil {
		return "", fmt.Errorf("app.adminIdentity: %w", err)
	}
	return dir, nil
}

// stillGood says whether a folder holds a certificate that lasts a while. One that does not is removed with its key, to
// make room for another.
func stillGood(dir, name string) (bool, error) {
	certFile, keyFile := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	text, err := os.ReadFile(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("app.stillGood: %w", err)
	}
	if block, _ := pem.Decode(text); block != nil {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && cert.NotAfter.Sub(wall()) > renewWithin {
			return true, nil
		}
	}
	for _, path := range []string{keyFile, certFile} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("app.stillGood: %w", err)
		}
	}
	return false, nil
}

// renewing is a listener's certificate for as long as the service runs.
func (s *Service) renewing() (*identity.Renewing, error) {
	return identity.NewRenewing(func(time.Time) (identity.Pair, error) { return serverPair(s.ca, s.config.Names, serverValidity) }, wall)
}

// serverPair issues a certificate for the configured names.
func serverPair(ca *identity.CA, names []string, validity time.Duration) (identity.Pair, error) {
	return ca.IssueServer(serverRequest(names, validity))
}

func serverRequest(names []string, validity time.Duration) identity.ServerRequest {
	req := identity.ServerRequest{Now: wall(), Validity: validity}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			req.IPs = append(req.IPs, ip)
		} else {
			req.DNSNames = append(req.DNSNames, name)
		}
	}
	return req
}

package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Secret is key material. It prints and marshals as [redacted]; convert it to []byte to use it.
type Secret []byte

const redacted = "[redacted]"

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// WriteFile writes the secret so that only its owner can read it. It does not replace a file: the error is then
// of kind Conflict.
func (s Secret) WriteFile(path string) error {
	if err := writeNew(path, s); err != nil {
		return exists("identity.WriteFile", "the file", err)
	}
	return nil
}

// Pair is a certificate and its private key, both PEM.
type Pair struct {
	CertPEM []byte
	KeyPEM  Secret
}

// WriteFiles writes <name>.crt and <name>.key into dir. It does not replace files: the error is then of kind
// Conflict.
func (p Pair) WriteFiles(dir, name string) (certFile, keyFile string, err error) {
	const op = "identity.WriteFiles"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("%s: %w", op, err)
	}
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if err := writeNew(keyFile, p.KeyPEM); err != nil {
		return "", "", exists(op, "the private key", err)
	}
	if err := writeNew(certFile, p.CertPEM); err != nil {
		return "", "", exists(op, "the certificate", err)
	}
	return certFile, keyFile, nil
}

// writeNew writes a file whole or not at all, never over another. Linking the finished file to its name, unlike
// renaming it, fails where the name is taken.
func writeNew(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // created 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}

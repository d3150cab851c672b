package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// Work is how hard a passphrase is to try: about a second each.
	Work = 18
	// Quick is for tests.
	Quick = 10

	// shortest passphrase taken: an archive outlives the machine that it was made on.
	shortest = 12
)

// Passphrase reads a passphrase from the first line of a file.
func Passphrase(path string) (string, error) {
	const op = "archive.Passphrase"
	text, err := os.ReadFile(path)
	if err != nil {
		return "", notice.Fault(notice.NotFound, op, fmt.Errorf("the file with the passphrase: %w", err))
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	passphrase := strings.TrimRight(string(line), "\r")
	if utf8.RuneCountInString(passphrase) < shortest {
		return "", notice.Faultf(notice.Invalid, op, "the passphrase in %s is too short: use %d characters or more", path, shortest)
	}
	return passphrase, nil
}

// Seal encrypts what is written until Close. work is Work.
func Seal(w io.Writer, passphrase string, work int) (io.WriteCloser, error) {
	const op = "archive.Seal"
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, notice.Fault(notice.Invalid, op, err)
	}
	recipient.SetWorkFactor(work)
	sealed, err := age.Encrypt(w, recipient)
	if err != nil {
		return nil, notice.Fault(notice.Internal, op, err)
	}
	return sealed, nil
}

// Open decrypts what Seal wrote. A wrong passphrase is Denied, what is no such archive Invalid; so is, while it is read,
// one that was cut or altered.
func Open(r io.Reader, passphrase string) (io.Reader, error) {
	const op = "archive.Open"
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, notice.Fault(notice.Invalid, op, err)
	}
	opened, err := age.Decrypt(r, identity)
	var wrong *age.NoIdentityMatchError
	switch {
	case errors.As(err, &wrong):
		return nil, notice.Faultf(notice.Denied, op, "the passphrase is not the one that the archive was made with, or the beginning of the archive was altered")
	case err != nil:
		return nil, notice.Faultf(notice.Invalid, op, "this is no archive of `signalbox backup`, or its beginning was cut or altered")
	}
	return unsealed{opened}, nil
}

// unsealed says of an archive that fails while it is read what that means.
type unsealed struct{ io.Reader }

func (u unsealed) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = notice.Faultf(notice.Invalid, "archive.Open", "the archive was cut or altered: fetch it again, or take an older one")
	}
	return n, err
}

package telephone

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// maxList bounds what is opened: the contacts of a whole country are less.
const maxList = 256 << 20

// Recipient says whether a text is the public key of somebody who may open a list.
func Recipient(text string) error {
	if _, err := age.ParseX25519Recipient(text); err != nil {
		return errors.New("is no public key of the age format: it begins with age1")
	}
	return nil
}

// NewKey makes a key to open lists with, and says the recipient that belongs to it.
func NewKey() (key, recipient string, err error) {
	made, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", notice.Fault(notice.Internal, "telephone.NewKey", err)
	}
	return made.String(), made.Recipient().String(), nil
}

// Write seals a list for its recipients and puts it in the place of the file at the path: whoever reads it meanwhile
// reads the old one or the new one, whole.
func Write(path string, recipients []string, l List) (err error) {
	const op = "telephone.Write"
	sealed, err := seal(recipients, l.Text())
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return notice.Fault(notice.Unavailable, op, fmt.Errorf("the list cannot be written: %w", err))
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(sealed)
	// Whoever fetches the file may be another user: it is sealed.
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return notice.Fault(notice.Unavailable, op, fmt.Errorf("the list cannot be written: %w", err))
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return notice.Fault(notice.Unavailable, op, fmt.Errorf("the list cannot be put in its place: %w", err))
	}
	return nil
}

func seal(recipients []string, text string) ([]byte, error) {
	const op = "telephone.Seal"
	var to []age.Recipient
	for _, r := range recipients {
		parsed, err := age.ParseX25519Recipient(r)
		if err != nil {
			return nil, notice.Faultf(notice.Invalid, op, "a recipient is no public key of the age format")
		}
		to = append(to, parsed)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, notice.Fault(notice.Invalid, op, err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, notice.Fault(notice.Internal, op, err)
	}
	if err := w.Close(); err != nil {
		return nil, notice.Fault(notice.Internal, op, err)
	}
	return out.Bytes(), nil
}

// Open gives the text of a sealed list. A key of nobody it was sealed for is Denied.
func Open(sealed io.Reader, key string) (string, error) {
	const op = "telephone.Open"
	identities, err := age.ParseIdentities(strings.NewReader(key))
	if err != nil {
		return "", notice.Faultf(notice.Invalid, op, "the key is not one of the age format: a line of it begins with AGE-SECRET-KEY-1")
	}
	opened, err := age.Decrypt(sealed, identities...)
	var wrong *age.NoIdentityMatchError
	switch {
	case errors.As(err, &wrong):
		return "", notice.Faultf(notice.Denied, op, "the list was not sealed for this key: use another, or have this one's public half added to offline.recipients")
	case err != nil:
		return "", notice.Faultf(notice.Invalid, op, "this is no sealed list, or its beginning was cut or altered")
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxList))
	if err != nil {
		return "", notice.Faultf(notice.Invalid, op, "the list was cut or altered: take an older copy")
	}
	return string(text), nil
}

package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/archive"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const passphrase = "correct horse battery staple"

var long = bytes.Repeat([]byte("a long stream "), 200_000)

// sample is a sealed archive of two files and three streams, one of which had to be read twice.
func sample(t testing.TB) []byte {
	t.Helper()
	var sealed bytes.Buffer
	seal, err := archive.Seal(&sealed, passphrase, archive.Quick)
	check(t, err)
	check(t, plain(seal))
	check(t, seal.Close())
	return sealed.Bytes()
}

func plain(to io.Writer) error {
	w := archive.NewWriter(to)
	err := errors.Join(w.File("ca/ca.crt", []byte("certificate")), w.File("keys/ledger.key", []byte("key")))
	for _, s := range []struct {
		name string
		data []byte
	}{{"LEDGER_2026", long}, {"VAULT", []byte("short")}} {
		_, failed := w.Stream(s.name, func(out io.Writer) (archive.Stream, bool, error) {
			_, err := out.Write(s.data)
			return archive.Stream{First: 1, Last: 7, Config: []byte(`{}`)}, false, err
		})
		err = errors.Join(err, failed)
	}
	readings := 0
	_, failed := w.Stream("KV_DIRECTORY", func(out io.Writer) (archive.Stream, bool, error) {
		readings++
		_, err := fmt.Fprintf(out, "reading %d", readings)
		return archive.Stream{Config: []byte(`{}`)}, readings == 1, err
	})
	return errors.Join(err, failed, w.Close(archive.Manifest{Made: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Instance: "a"}))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, sealed []byte) io.Reader {
	t.Helper()
	r, err := archive.Open(bytes.NewReader(sealed), passphrase)
	check(t, err)
	return r
}

func TestWhatGoesInComesOut(t *testing.T) {
	sealed := sample(t)
	m, err := archive.Check(open(t, sealed))
	check(t, err)
	if bytes.Contains(sealed, []byte("ledger.key")) || bytes.Contains(sealed, []byte("certificate")) {
		t.Error("the archive can be read without its passphrase")
	}
	got := map[string]string{}
	check(t, archive.Extract(open(t, sealed), m, func(f archive.File, data []byte) error {
		got[f.Path] = string(data)
		return nil
	}, func(s archive.Stream, r io.Reader) error {
		data, err := io.ReadAll(r)
		got[s.Name] = string(data)
		return err
	}))
	want := map[string]string{
		"ca/ca.crt": "certificate", "keys/ledger.key": "key", "LEDGER_2026": string(long), "KV_DIRECTORY": "reading 2", "VAULT": "short",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

func TestAnArchiveThatIsNotWholeIsRefused(t *testing.T) {
	sealed := sample(t)
	var bare bytes.Buffer
	check(t, plain(&bare))
	altered := func(at int) []byte {
		data := bytes.Clone(sealed)
		data[at] ^= 1
		return data
	}
	for name, data := range map[string][]byte{
		"empty":                            nil,
		"something else":                   []byte("a,b,c\n1,2,3\n"),
		"never sealed":                     bare.Bytes(),
		"cut in its head":                  sealed[:60],
		"cut in the middle":                sealed[:len(sealed)/2],
		"cut at the end of a chunk":        sealed[:len(sealed)-len(sealed)%(64<<10)],
		"a byte short":                     sealed[:len(sealed)-1],
		"a byte too long":                  append(bytes.Clone(sealed), 0),
		"altered in the middle":            altered(len(sealed) / 2),
		"altered in its last byte":         altered(len(sealed) - 1),
		"sealed, and not one of Signalbox": sealedOther(t, []byte("something else")),
		"sealed, without a manifest":       sealedOther(t, bare.Bytes()[:64<<10]),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := archive.Open(bytes.NewReader(data), passphrase)
			if err == nil {
				_, err = archive.Check(r)
			}
			if notice.KindOf(err) != notice.Invalid || err == nil {
				t.Errorf("taken, or refused with another kind: %v", err)
			}
		})
	}
	// What is altered is the salt, in base64: it is another salt then, or no base64 any more.
	_, err := archive.Open(bytes.NewReader(altered(40)), passphrase)
	if kind := notice.KindOf(err); err == nil || kind != notice.Denied && kind != notice.Invalid {
		t.Errorf("altered in its head: %v", err)
	}
	if _, err := archive.Open(bytes.NewReader(sealed), "another passphrase"); notice.KindOf(err) != notice.Denied || err == nil {
		t.Errorf("a wrong passphrase: %v", err)
	}
}

func sealedOther(t testing.TB, data []byte) []byte {
	t.Helper()
	var sealed bytes.Buffer
	seal, err := archive.Seal(&sealed, passphrase, archive.Quick)
	check(t, err)
	_, err = seal.Write(data)
	check(t, errors.Join(err, seal.Close()))
	return sealed.Bytes()
}

func TestAPassphraseIsTheFirstLineOfItsFile(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		kind       notice.Kind
	}{
		"a line":                {text: passphrase + "\n", want: passphrase},
		"a line of Windows":     {text: passphrase + "\r\n", want: passphrase},
		"no line end":           {text: passphrase, want: passphrase},
		"with spaces at an end": {text: " " + passphrase + " \n", want: " " + passphrase + " "},
		"too short":             {text: "short\n", kind: notice.Invalid},
		"empty":                 {kind: notice.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "passphrase")
			check(t, os.WriteFile(path, []byte(c.text), 0o600))
			got, err := archive.Passphrase(path)
			if got != c.want || (err == nil) != (c.want != "") || err != nil && notice.KindOf(err) != c.kind {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := archive.Passphrase(filepath.Join(t.TempDir(), "none")); notice.KindOf(err) != notice.NotFound || err == nil {
		t.Errorf("no file: %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	var whole bytes.Buffer
	check(f, plain(&whole))
	f.Add(whole.Bytes()[:8<<10])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := archive.Check(bytes.NewReader(data))
		if err != nil {
			if notice.KindOf(err) != notice.Invalid {
				t.Fatal(err)
			}
			return
		}
		check(t, archive.Extract(bytes.NewReader(data), m, func(archive.File, []byte) error { return nil },
			func(_ archive.Stream, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }))
	})
}

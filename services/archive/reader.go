package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	maxManifest = 16 << 20
	maxFile     = 1 << 20 // certificates and keys
)

var errIncomplete = errors.New("the archive is not whole: it was cut, or the backup did not end; nothing was restored from it")

// content hashes what an archive holds, by the name of a stream's reading or of a file.
type content struct {
	sums  map[string]hash.Hash
	bytes map[string]int64
}

// Check reads a whole archive and holds it against its manifest. Nothing is to be made of an archive before.
func Check(r io.Reader) (Manifest, error) {
	const op = "archive.Check"
	found := content{sums: map[string]hash.Hash{}, bytes: map[string]int64{}}
	var manifest *Manifest
	entries := tar.NewReader(r)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Manifest{}, broken(op, err)
		}
		if manifest != nil {
			return Manifest{}, notice.Faultf(notice.Invalid, op, "the archive goes on after its end")
		}
		if header.Name == manifestName {
			if manifest, err = readManifest(entries, header.Size); err != nil {
				return Manifest{}, err
			}
			continue
		}
		if err := found.add(header.Name, entries); err != nil {
			return Manifest{}, broken(op, err)
		}
	}
	if manifest == nil {
		return Manifest{}, notice.Fault(notice.Invalid, op, errIncomplete)
	}
	// What seals the archive says only at its very end that nothing is missing.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return Manifest{}, broken(op, err)
	}
	return *manifest, found.match(*manifest)
}

func readManifest(r io.Reader, size int64) (*Manifest, error) {
	const op = "archive.Check"
	if size > maxManifest {
		return nil, notice.Faultf(notice.Invalid, op, "the archive's list of contents is too long")
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, broken(op, err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, notice.Faultf(notice.Invalid, op, "the archive's list of contents cannot be read")
	}
	return &m, m.check()
}

// broken keeps a fault that says what is wrong, and says so of any other.
func broken(op string, err error) error {
	var fault *notice.Error
	if errors.As(err, &fault) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return notice.Fault(notice.Invalid, op, errIncomplete)
	}
	return notice.Fault(notice.Invalid, op, fmt.Errorf("the archive cannot be read: %w", err))
}

// key is the reading of a stream, or the file, that an entry is of.
func key(name string) string {
	if strings.HasPrefix(name, streamsPrefix) {
		return name[:strings.LastIndexByte(name, '/')]
	}
	return name
}

func (c content) add(name string, r io.Reader) error {
	k := key(name)
	if c.sums[k] == nil {
		c.sums[k] = sha256.New()
	}
	n, err := io.Copy(c.sums[k], r)
	c.bytes[k] += n
	return err
}

func (c content) match(m Manifest) error {
	for _, s := range m.Streams {
		if err := c.same(streamKey(s), s.Bytes, s.SHA256); err != nil {
			return err
		}
	}
	for _, f := range m.Files {
		if err := c.same(filesPrefix+f.Path, f.Bytes, f.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func streamKey(s Stream) string { return fmt.Sprintf("%s%s/%d", streamsPrefix, s.Name, s.Attempt) }

func (c content) same(k string, size int64, sum string) error {
	have := c.sums[k]
	if have == nil {
		have = sha256.New()
	}
	if c.bytes[k] != size || hex.EncodeToString(have.Sum(nil)) != sum {
		return notice.Faultf(notice.Invalid, "archive.Check", "%s is not as the archive's list of contents has it", k)
	}
	return nil
}

// Extract hands over what a manifest names, in the order of the archive. A stream is read to its end by whoever is handed
// it, or not at all.
func Extract(r io.Reader, m Manifest, file func(File, []byte) error, stream func(Stream, io.Reader) error) error {
	const op = "archive.Extract"
	files, streams := map[string]File{}, map[string]Stream{}
	for _, f := range m.Files {
		files[filesPrefix+f.Path] = f
	}
	for _, s := range m.Streams {
		streams[streamKey(s)] = s
	}
	entries := &cursor{tar: tar.NewReader(r)}
	if err := entries.next(); err != nil {
		return broken(op, err)
	}
	for entries.name != "" {
		name := key(entries.name)
		if f, ok := files[name]; ok {
			data, err := io.ReadAll(io.LimitReader(entries.tar, maxFile))
			if err != nil {
				return broken(op, err)
			}
			if err := matches(name, bytes.NewReader(data), f.SHA256); err != nil {
				return err
			}
			if err := file(f, data); err != nil {
				return err
			}
		} else if s, ok := streams[name]; ok {
			of := &reading{cursor: entries, key: name, sum: sha256.New()}
			if err := stream(s, of); err != nil {
				return err
			}
			if hex.EncodeToString(of.sum.Sum(nil)) != s.SHA256 {
				return notice.Faultf(notice.Invalid, op, "%s has changed since it was checked", name)
			}
			continue // the cursor stands behind it
		}
		if err := entries.next(); err != nil {
			return broken(op, err)
		}
	}
	return nil
}

func matches(name string, r io.Reader, sum string) error {
	have := sha256.New()
	if _, err := io.Copy(have, r); err != nil || hex.EncodeToString(have.Sum(nil)) != sum {
		return notice.Faultf(notice.Invalid, "archive.Extract", "%s has changed since it was checked", name)
	}
	return nil
}

// cursor stands at an entry; behind the last its name is empty.
type cursor struct {
	tar  *tar.Reader
	name string
}

func (c *cursor) next() error {
	header, err := c.tar.Next()
	if errors.Is(err, io.EOF) {
		c.name = ""
		return nil
	}
	if err != nil {
		return err
	}
	c.name = header.Name
	return nil
}

// reading joins the parts of one reading of a stream.
type reading struct {
	*cursor
	key string
	sum hash.Hash
}

func (s *reading) Read(p []byte) (int, error) {
	for s.name != "" && key(s.name) == s.key {
		n, err := s.tar.Read(p)
		s.sum.Write(p[:n])
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, ignoreEnd(err)
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil // of the part, not of the stream
	}
	return err
}

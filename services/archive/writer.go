package archive

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
)

const (
	manifestName  = "manifest.json"
	streamsPrefix = "streams/"
	filesPrefix   = "files/"

	// part is how much of a stream goes into one entry: a stream's size is not known before its end.
	part = 1 << 20

	hexHash = 2 * sha256.Size
)

// Writer writes an archive. Close makes it whole.
type Writer struct {
	tar      *tar.Writer
	manifest Manifest
}

// NewWriter begins an archive. It writes no manifest but with Close.
func NewWriter(w io.Writer) *Writer { return &Writer{tar: tar.NewWriter(w)} }

// File adds a file of the data folder.
func (w *Writer) File(path string, data []byte) error {
	sum := sha256.Sum256(data)
	w.manifest.Files = append(w.manifest.Files, File{Path: path, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	return w.entry(filesPrefix+path, data)
}

// Stream adds a stream that read writes. Should it turn out to be of no use, read says so with again, and the stream is
// read once more: only the last reading counts.
func (w *Writer) Stream(name string, read func(io.Writer) (s Stream, again bool, err error)) (Stream, error) {
	for attempt := 1; ; attempt++ {
		parts := &parts{to: w, prefix: fmt.Sprintf("%s%s/%d/", streamsPrefix, name, attempt), sum: sha256.New()}
		s, again, err := read(parts)
		if err == nil {
			err = parts.flush()
		}
		if err != nil {
			return Stream{}, err
		}
		if again {
			continue
		}
		s.Name, s.Attempt, s.Bytes, s.SHA256 = name, attempt, parts.bytes, hex.EncodeToString(parts.sum.Sum(nil))
		w.manifest.Streams = append(w.manifest.Streams, s)
		return s, nil
	}
}

// Close ends the archive with its manifest: m, with the streams and files that were added.
func (w *Writer) Close(m Manifest) error {
	m.Format, m.Streams, m.Files = Format, w.manifest.Streams, w.manifest.Files
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("archive.Close: %w", err)
	}
	if err := w.entry(manifestName, text); err != nil {
		return err
	}
	return w.tar.Close()
}

func (w *Writer) entry(name string, data []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("archive.Writer: %w", err)
	}
	if _, err := w.tar.Write(data); err != nil {
		return fmt.Errorf("archive.Writer: %w", err)
	}
	return nil
}

// parts cuts what is written into entries.
type parts struct {
	to      *Writer
	prefix  string
	number  int
	pending []byte
	bytes   int64
	sum     hash.Hash
}

func (p *parts) Write(data []byte) (int, error) {
	p.sum.Write(data)
	p.bytes += int64(len(data))
	p.pending = append(p.pending, data...)
	for len(p.pending) >= part {
		if err := p.send(p.pending[:part]); err != nil {
			return 0, err
		}
		p.pending = p.pending[:copy(p.pending, p.pending[part:])]
	}
	return len(data), nil
}

func (p *parts) flush() error {
	if len(p.pending) == 0 {
		return nil
	}
	return p.send(p.pending)
}

func (p *parts) send(data []byte) error {
	p.number++
	return p.to.entry(fmt.Sprintf("%s%08d", p.prefix, p.number), data)
}

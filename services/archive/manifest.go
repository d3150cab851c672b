package archive

import (
	"encoding/json"
	"path"
	"strings"
	"time"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Format is the version of the form that this package writes and reads.
const Format = 1

// Manifest says what an archive holds.
type Manifest struct {
	Format   int       `json:"format"`
	Made     time.Time `json:"made"`     // when the ledger was read
	Instance string    `json:"instance"` // who made it
	Streams  []Stream  `json:"streams"`  // in the order in which they were read
	Files    []File    `json:"files"`
	Fold     Fold      `json:"fold"`
}

// Stream is a stream as its server gave it.
type Stream struct {
	Name    string          `json:"name"`
	Attempt int             `json:"attempt"` // which of several readings counts
	First   uint64          `json:"first"`   // oldest message
	Last    uint64          `json:"last"`    // newest message
	Config  json.RawMessage `json:"config"`
	Bytes   int64           `json:"bytes"`
	SHA256  string          `json:"sha256"`
}

// File is a file of the data folder.
type File struct {
	Path   string `json:"path"` // below the data folder, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Fold is what the ledger comes to, for comparing it once it is restored.
type Fold struct {
	Packs  uint64 `json:"packs"`
	Facts  int64  `json:"facts"`
	Hash   string `json:"hash"`   // of the last pack
	Digest string `json:"digest"` // of the state
}

// check holds a manifest against the form.
func (m Manifest) check() error {
	invalid := func(format string, args ...any) error {
		return notice.Faultf(notice.Invalid, "archive.Check", "the archive's list of contents "+format, args...)
	}
	if m.Format != Format {
		return invalid("is of format %d, and this program reads format %d: restore it with the version that made it", m.Format, Format)
	}
	for _, s := range m.Streams {
		if s.Name == "" || strings.ContainsAny(s.Name, "/\\. ") || s.Attempt < 1 || s.Bytes < 1 || len(s.SHA256) != hexHash {
			return invalid("names a stream that cannot be")
		}
	}
	for _, f := range m.Files {
		if f.Path != path.Clean(f.Path) || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") || strings.Contains(f.Path, "\\") || len(f.SHA256) != hexHash {
			return invalid("names a file that cannot be")
		}
	}
	return nil
}

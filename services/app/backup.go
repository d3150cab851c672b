package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/archive"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// backedUp are the folders below the data folder that go into a backup: what cannot be made anew. Identities can: the
// authority issues them.
var backedUp = []string{"ca", "keys"}

// directoryReadings bounds how often the directory is read again because it changed meanwhile.
const directoryReadings = 10

// WriteBackup writes an archive of the whole state while the service works: the ledger first, then everything that it may
// refer to, which is at least as new. What is newer than the ledger is taken in after a restore, as after any stop. The
// archive holds keys and personal data, and is not sealed yet.
func (s *Service) WriteBackup(ctx context.Context, w io.Writer) error {
	const op = "app.WriteBackup"
	begun := s.clock.Now()
	out := archive.NewWriter(w)
	for _, dir := range backedUp {
		if err := addFolder(out, s.config.Data, dir); err != nil {
			return err
		}
	}
	names, err := s.store.BackupStreams(ctx)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	var newest archive.Stream
	take := func(name string) error {
		stream, err := s.addStream(ctx, out, name)
		if store.IsLedger(name) {
			newest = stream // the years come in order
		}
		taken[name] = true
		return err
	}
	for _, name := range names {
		if store.IsLedger(name) || store.IsDirectory(name) {
			if err := take(name); err != nil {
				return err
			}
		}
	}
	// An agency may have come since: its stream is made before the directory names it.
	if names, err = s.store.BackupStreams(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if !taken[name] && !store.IsLedger(name) {
			if err := take(name); err != nil {
				return err
			}
		}
	}
	fold, err := foldTo(ctx, s.store, newest.Last)
	if err != nil {
		return err
	}
	s.log.Info("backed up", zap.Uint64("packs", fold.Packs), zap.Int64("facts", fold.Facts), zap.Int("streams", len(taken)))
	if err := out.Close(archive.Manifest{Made: begun.UTC(), Instance: s.config.Instance, Fold: fold}); err != nil {
		return notice.Fault(notice.Unavailable, op, err)
	}
	return nil
}

// addStream adds one stream. The directory's is read again where it was changed while it was read: what its newest state
// replaced is gone from the stream at once, and half of either is none.
func (s *Service) addStream(ctx context.Context, out *archive.Writer, name string) (archive.Stream, error) {
	readings := 0
	return out.Stream(name, func(w io.Writer) (archive.Stream, bool, error) {
		directory := s.store.Directory()
		before, err := directory.Head(ctx)
		if err != nil {
			return archive.Stream{}, false, err
		}
		head, err := s.store.Snapshot(ctx, name, w)
		if err != nil {
			return archive.Stream{}, false, err
		}
		again := false
		if store.IsDirectory(name) {
			after, err := directory.Head(ctx)
			if err != nil {
				return archive.Stream{}, false, err
			}
			if again = after != before; again {
				if readings++; readings == directoryReadings {
					return archive.Stream{}, false, notice.Faultf(notice.Unavailable, "app.WriteBackup",
						"the directory changes all the time: back up again when no import runs")
				}
			}
		}
		return archive.Stream{First: head.First, Last: head.Last, Config: head.Config}, again, nil
	})
}

// addFolder adds a folder of the data folder with all in it.
func addFolder(out *archive.Writer, data, dir string) error {
	err := filepath.WalkDir(filepath.Join(data, dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		return out.File(filepath.ToSlash(name), text)
	})
	if err != nil {
		return notice.Fault(notice.Internal, "app.WriteBackup", fmt.Errorf("the folder %s: %w", dir, err))
	}
	return nil
}

// foldTo folds the ledger in use up to a pack.
func foldTo(ctx context.Context, s *store.Store, last uint64) (archive.Fold, error) {
	state, hash, err := foldUpTo(ctx, s, last)
	if err != nil {
		return archive.Fold{}, err
	}
	digest := state.Digest()
	return archive.Fold{
		Packs: last, Facts: state.Facts, Hash: hex.EncodeToString(hash), Digest: hex.EncodeToString(digest[:]),
	}, nil
}

func foldUpTo(ctx context.Context, s *store.Store, last uint64) (*ledger.State, []byte, error) {
	year, err := s.LedgerYear(ctx, 0)
	if err != nil {
		return nil, nil, err
	}
	state := ledger.NewState()
	reached, hash, err := engine.Fold(ctx, upTo{s.Ledger(year), last}, state)
	if err == nil && reached != last {
		err = notice.Faultf(notice.Internal, "app.foldTo", "the ledger ends with pack %d and not with %d", reached, last)
	}
	return state, hash, err
}

// upTo is a ledger that ends with a pack.
type upTo struct {
	log  *store.Log
	last uint64
}

var errThere = errors.New("there")

// Read hands over the packs from a sequence to the last.
func (u upTo) Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error) {
	if u.last < from {
		return from - 1, nil
	}
	reached, err := u.log.Read(ctx, from, func(seq uint64, at time.Time, pack []byte) error {
		if err := fn(seq, at, pack); err != nil {
			return err
		}
		if seq == u.last {
			return errThere
		}
		return nil
	})
	if errors.Is(err, errThere) {
		return u.last, nil
	}
	return reached, err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/archive"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// restoring is the folder below the data folder in which a restore works. While it is there the restore has not ended.
const restoring = ".restoring"

// restoredBy is who stopped sending in a restored ledger.
const restoredBy = "restore"

// Restored says what a restore brought back.
type Restored struct {
	Made    time.Time // the backup
	Streams int
	Fold    archive.Fold
	Summary ledger.Summary
}

// Restore makes the state of an archive that open reads, each time from its beginning, in an empty data folder (and, with
// an external server, where none of its streams is). It writes nothing before the whole archive has been read and held
// against its hashes, compares the fold of the restored ledger with that of the one backed up, and stops all sending: what
// was sent after the backup was made would go out again otherwise.
func Restore(ctx context.Context, c Config, now time.Time, open func() (io.Reader, error)) (Restored, error) {
	if err := c.CheckFiles(); err != nil {
		return Restored{}, err
	}
	if err := emptyData(c.Data); err != nil {
		return Restored{}, err
	}
	source, err := open()
	if err != nil {
		return Restored{}, err
	}
	manifest, err := archive.Check(source)
	if err != nil {
		return Restored{}, err
	}
	if source, err = open(); err != nil {
		return Restored{}, err
	}
	return restore(ctx, c, now, source, manifest)
}

func restore(ctx context.Context, c Config, now time.Time, source io.Reader, manifest archive.Manifest) (restored Restored, err error) {
	const op = "app.Restore"
	work := filepath.Join(c.Data, restoring)
	if err := os.MkdirAll(work, 0o700); err != nil {
		return Restored{}, notice.Fault(notice.Invalid, op, fmt.Errorf("data: %w", err))
	}
	target := &Service{config: c}
	var made []string
	whole := false
	defer func() {
		if whole {
			return
		}
		if target.store != nil {
			err = errors.Join(err, target.store.Discard(context.WithoutCancel(ctx), made))
		}
		target.closeQuietly()
		err = errors.Join(err, os.RemoveAll(work))
	}()
	if err := target.openTarget(ctx, work); err != nil {
		return Restored{}, err
	}
	err = archive.Extract(source, manifest, func(f archive.File, data []byte) error {
		return writeSecret(filepath.Join(work, filepath.FromSlash(f.Path)), data)
	}, func(stream archive.Stream, r io.Reader) error {
		made = append(made, stream.Name)
		return target.store.Restore(ctx, stream.Name, store.StreamHead{Config: stream.Config, First: stream.First, Last: stream.Last}, r)
	})
	if err != nil {
		return Restored{}, err
	}
	summary, err := target.compareAndStop(ctx, manifest.Fold, now)
	if err != nil {
		return Restored{}, err
	}
	whole = true
	target.closeQuietly()
	if err := moveUp(work, c.Data); err != nil {
		return Restored{}, err
	}
	return Restored{Made: manifest.Made, Streams: len(manifest.Streams), Fold: manifest.Fold, Summary: summary}, nil
}

// openTarget opens where the streams go: an embedded server that nobody else reaches, or the external one.
func (s *Service) openTarget(ctx context.Context, work string) error {
	var err error
	if s.config.NATS.URL != "" {
		s.conn, err = store.Connect(ctx, store.External{
			URL: s.config.NATS.URL, SeedFile: s.config.NATS.Seed, RootsFile: s.config.NATS.Roots,
		})
	} else {
		if s.nats, err = store.StartServer(ctx, store.ServerConfig{StoreDir: filepath.Join(work, "nats")}); err != nil {
			return err
		}
		s.onClose("NATS server", s.nats.Shutdown)
		s.conn, err = s.nats.Connect()
	}
	if err != nil {
		return err
	}
	s.onClose("NATS connection", s.conn.Close)
	if s.store, err = store.Open(s.conn, store.Settings{Replicas: s.config.NATS.Replicas}); err != nil {
		return err
	}
	there, err := s.store.BackupStreams(ctx)
	if err == nil && len(there) > 0 {
		err = notice.Faultf(notice.Precondition, "app.Restore",
			"the NATS server holds the streams of a Signalbox already: restore to one without, or delete them first if they are of no use")
	}
	return err
}

// closeQuietly is Close where there is no log yet.
func (s *Service) closeQuietly() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i].fn()
	}
	s.closers = nil
}

// compareAndStop folds the restored ledger, holds it against the backup's fold, and appends that sending is stopped.
func (s *Service) compareAndStop(ctx context.Context, want archive.Fold, now time.Time) (ledger.Summary, error) {
	const op = "app.Restore"
	got, err := foldTo(ctx, s.store, want.Packs)
	if err != nil {
		return ledger.Summary{}, err
	}
	if got != want {
		return ledger.Summary{}, notice.Faultf(notice.Internal, op, "the restored ledger does not come to what the one backed up came to")
	}
	year, err := s.store.LedgerYear(ctx, 0)
	if err != nil {
		return ledger.Summary{}, err
	}
	log, state := s.store.Ledger(year), ledger.NewState()
	last, previous, err := engine.Fold(ctx, log, state)
	if err != nil {
		return ledger.Summary{}, err
	}
	epoch := state.Epoch + 1
	facts := []*ledgerv1.Fact{{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: epoch, Instance: restoredBy}}}}
	if everything := (ledger.Stop{Scope: ledgerv1.Scope_SCOPE_ALL}); !state.Stopped(everything) {
		facts = append(facts, &ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: &ledgerv1.Stopped{
			Scope: everything.Scope, By: restoredBy,
		}}})
	}
	for _, f := range facts {
		f.AtMs = now.UnixMilli()
		if err := state.Fold(f); err != nil {
			return ledger.Summary{}, notice.Fault(notice.Internal, op, err)
		}
	}
	pack, err := proto.Marshal(&ledgerv1.Pack{Previous: previous, Epoch: epoch, Facts: facts})
	if err != nil {
		return ledger.Summary{}, notice.Fault(notice.Internal, op, err)
	}
	_, err = log.Append(ctx, last, pack)
	return state.Summarise(), err
}

// emptyData refuses a data folder with anything in it.
func emptyData(data string) error {
	const op = "app.Restore"
	entries, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return notice.Fault(notice.Invalid, op, fmt.Errorf("data: %w", err))
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lost+found" }) // of a new disk
	if len(entries) > 0 {
		return notice.Faultf(notice.Precondition, op, "the data folder %s is not empty (%s is in it): restore into an empty one, before the first start",
			data, entries[0].Name())
	}
	return nil
}

// notRestoring refuses a data folder in which a restore has not ended.
func notRestoring(data string) error {
	if _, err := os.Stat(filepath.Join(data, restoring)); err == nil {
		return notice.Faultf(notice.Precondition, "app.New", "a restore into %s was interrupted: empty the folder and restore again", data)
	}
	return nil
}

func writeSecret(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return notice.Fault(notice.Internal, "app.Restore", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return notice.Fault(notice.Internal, "app.Restore", err)
	}
	return nil
}

// moveUp makes what is in the working folder the data folder's own. The working folder goes last.
func moveUp(work, data string) error {
	entries, err := os.ReadDir(work)
	for _, e := range entries {
		err = errors.Join(err, os.Rename(filepath.Join(work, e.Name()), filepath.Join(data, e.Name())))
	}
	if err == nil {
		err = os.Remove(work)
	}
	if err != nil {
		return notice.Fault(notice.Internal, "app.Restore", err)
	}
	return nil
}

package query

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// migrations make the schema, one after another from an empty file. Their number is the file's user_version. There is no
// way from one version to another but to make the file anew: it holds nothing that the ledger does not.
//
//go:embed schema/*.sql
var migrations embed.FS

// readers is how many questions are answered at once.
const readers = 4

// damaged marks a file that is not, or no longer, what the ledger says: it is thrown away.
type damaged struct{ error }

func (d damaged) Unwrap() error { return d.error }

// errGone marks a file that was deleted or replaced behind our back.
var errGone = errors.New("the file was deleted or replaced")

// spoilt says whether an error means that the file has to be made anew, rather than tried again.
func spoilt(err error) bool {
	var d damaged
	if errors.As(err, &d) || errors.Is(err, errGone) {
		return true
	}
	var fault *sqlite.Error
	if !errors.As(err, &fault) {
		return false
	}
	switch fault.Code() {
	case sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_IOERR_SHORT_READ:
		return true
	}
	switch fault.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH,
		sqlite3.SQLITE_SCHEMA:
		return true // the last four: rows or tables are not as we left them
	default:
		return false // disk full, locked, not permitted…
	}
}

// file is the open read model: one connection that writes, a few that read.
type file struct {
	path    string
	write   *sql.DB
	conn    *sql.Conn
	read    *sql.DB
	opened  os.FileInfo
	walFile os.FileInfo
}

// openFile opens the file, making it where there is none.
func openFile(ctx context.Context, path string) (_ *file, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	created, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // what SQLite puts beside it has the same mode
	if err != nil {
		return nil, err
	}
	f := &file{path: path}
	f.opened, err = created.Stat()
	if err := errors.Join(err, created.Close()); err != nil {
		return nil, err
	}
	if !f.opened.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.write, err = open(path, "_pragma", "synchronous(NORMAL)", "_pragma", "cache_size(-65536)", "_pragma", "wal_autocheckpoint(8000)"); err != nil {
		return nil, err
	}
	f.write.SetMaxOpenConns(1)
	if f.conn, err = f.write.Conn(ctx); err != nil {
		return nil, err
	}
	if err := f.migrate(ctx); err != nil {
		return nil, err
	}
	if f.read, err = open(path, "_pragma", "query_only(1)", "_pragma", "cache_size(-8192)"); err != nil {
		return nil, err
	}
	f.read.SetMaxOpenConns(readers)
	if f.walFile, err = os.Stat(path + "-wal"); err != nil {
		return nil, errors.Join(errGone, err)
	}
	return f, nil
}

// open opens a pool of connections with settings of modernc.org/sqlite.
func open(path string, settings ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": {"busy_timeout(5000)"}}
	for i := 0; i < len(settings); i += 2 {
		query.Add(settings[i], settings[i+1])
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
}

// migrate makes the schema of a new file, and refuses any other than ours.
func (f *file) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "schema/*.sql")
	if err != nil {
		return err
	}
	var version int
	if err := f.conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	switch {
	case version == len(names):
		return nil
	case version != 0 || f.opened.Size() > 0:
		return damaged{fmt.Errorf("the file has version %d of the schema, this program has %d", version, len(names))}
	}
	if _, err := f.conn.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	if _, err := f.conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := f.conn.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := f.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, len(names))); err != nil {
		return err
	}
	_, err = f.conn.ExecContext(ctx, `COMMIT`)
	return err
}

// present says whether the files opened are those that are there now.
func (f *file) present() error {
	for name, was := range map[string]os.FileInfo{f.path: f.opened, f.path + "-wal": f.walFile} {
		is, err := os.Stat(name)
		if err != nil || !os.SameFile(is, was) {
			return errGone
		}
	}
	return nil
}

func (f *file) close() {
	if f.read != nil {
		_ = f.read.Close()
	}
	if f.conn != nil {
		_ = f.conn.Close()
	}
	if f.write != nil {
		_ = f.write.Close()
	}
}

// remove throws a read model away. It is made anew from the ledger.
func remove(path string) error {
	var failed error
	for _, name := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

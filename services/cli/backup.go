package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/archive"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type backupCmd struct {
	File           string `arg:"" help:"The archive to write. It must not be there yet."`
	PassphraseFile string `required:"" placeholder:"FILE" help:"File whose first line is the passphrase to seal the archive with, 12 characters or more."`
	connection
}

func (backupCmd) Help() string {
	return `Writes the whole state of a running service into one sealed archive: the ledger, the agencies' events, the quarantine, what people wrote, the directory, the authority and the keys. The service works on meanwhile. The configuration file, the relay's password and an external NATS server's own files are not in it.

    signalbox backup /backup/signalbox-$(date +%F).age --passphrase-file /etc/signalbox/backup.pass

Without the passphrase nobody can open the archive: keep it apart from the archive, and not only on the machine that is backed up. A large state takes a while: wait longer with --timeout 1h.`
}

func (c *backupCmd) Run(ctx context.Context, e *env) error {
	passphrase, err := archive.Passphrase(c.PassphraseFile)
	if err != nil {
		return err
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	written, err := c.write(ctx, l, passphrase)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Backed up to %s: %s, sealed.\n", c.File, size(written))
	return nil
}

// write makes the file only where the whole of it could be written.
func (c *backupCmd) write(ctx context.Context, l link, passphrase string) (written int64, err error) {
	const op = "cli.backup"
	if _, err := os.Lstat(c.File); !errors.Is(err, fs.ErrNotExist) {
		return 0, notice.Faultf(notice.Conflict, op, "%s is there already: give another name", c.File)
	}
	unfinished := c.File + ".part"
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, notice.Fault(notice.Invalid, op, fmt.Errorf("the archive cannot be written: %w", err))
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(unfinished)
		}
	}()
	counted := &counter{w: f}
	sealed, err := archive.Seal(counted, passphrase, archive.Work)
	if err != nil {
		return 0, err
	}
	if err := receive(ctx, l, sealed); err != nil {
		return 0, err
	}
	if err := errors.Join(sealed.Close(), f.Sync(), f.Close()); err != nil {
		return 0, notice.Fault(notice.Unavailable, op, fmt.Errorf("the archive cannot be written: %w", err))
	}
	if err := os.Rename(unfinished, c.File); err != nil {
		return 0, notice.Fault(notice.Unavailable, op, err)
	}
	return counted.n, nil
}

// receive writes what the service streams, to its end.
func receive(ctx context.Context, l link, w io.Writer) error {
	stream, err := backupv1.NewBackupServiceClient(l.conn).Backup(ctx, &backupv1.BackupRequest{})
	if err != nil {
		return l.fault(err)
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return l.fault(err)
		}
		if _, err := w.Write(response.GetChunk()); err != nil {
			return notice.Fault(notice.Unavailable, "cli.backup", fmt.Errorf("the archive cannot be written: %w", err))
		}
	}
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
}

type restoreCmd struct {
	File           string `arg:"" help:"The archive, as signalbox backup wrote it."`
	Config         string `required:"" placeholder:"FILE" env:"SIGNALBOX_CONFIG" help:"The configuration, YAML. Its data folder must be empty."`
	PassphraseFile string `required:"" placeholder:"FILE" help:"File whose first line is the archive's passphrase."`
}

func (restoreCmd) Help() string {
	return `Restores an archive into an empty data folder, before the first start. The whole archive is checked before anything is written, and the restored ledger is compared with the one that was backed up.

    signalbox restore /backup/signalbox-2026-11-21.age --config signalbox.yaml --passphrase-file backup.pass
    signalbox serve --config signalbox.yaml

The restored service starts with all sending stopped: what was sent after the backup was made would go out again. Follow docs/runbooks/restore.md, then signalbox sending resume.`
}

func (c *restoreCmd) Run(ctx context.Context, e *env) error {
	config, err := app.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	passphrase, err := archive.Passphrase(c.PassphraseFile)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return notice.Fault(notice.NotFound, "cli.restore", fmt.Errorf("the archive: %w", err))
	}
	defer func() { _ = f.Close() }()
	restored, err := app.Restore(ctx, config, e.now(), func() (io.Reader, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return archive.Open(f, passphrase)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Restored the backup of %s: %s, %s in %s.\n", moment(restored.Made.UnixMilli()),
		plural(int64(restored.Streams), "stream", "streams"), plural(restored.Fold.Facts, "fact", "facts"), plural(int64(restored.Fold.Packs), "pack", "packs"))
	fmt.Fprintf(e.Out, "The restored ledger comes to the same as the one backed up (%.16s).\n", restored.Fold.Digest)
	fmt.Fprintln(e.Out, restored.Summary)
	fmt.Fprintln(e.Out, "ALL SENDING IS STOPPED. Start the service, follow docs/runbooks/restore.md, then: signalbox sending resume --reason TEXT")
	return nil
}

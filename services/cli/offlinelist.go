package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/telephone"
)

type offlineCmd struct {
	Open offlineOpenCmd `cmd:"" help:"Open an offline list. Needs no service and no network."`
	Key  offlineKeyCmd  `cmd:"" help:"Make a key to open offline lists with."`
}

func (offlineCmd) Help() string {
	return `A service with offline.path and offline.recipients in its configuration writes a sealed list every hour: whom to call at each organisation, and the notices that nobody had. Whoever may have to make the calls keeps a key, and a copy of the list where it can be read when the service cannot.

    signalbox offline key /media/safe/duty.key
    signalbox offline open signalbox.age --identity /media/safe/duty.key
    signalbox offline open signalbox.age --identity /media/safe/duty.key --part form > calls.csv`
}

type offlineOpenCmd struct {
	File     string `arg:"" help:"The sealed list."`
	Identity string `required:"" placeholder:"KEY" help:"File with the key to open it."`
	Part     string `enum:",contacts,open,form" default:"" help:"One part as CSV: contacts (whom to call), open (the notices that nobody had), form (the blank form for calls)."`
}

func (c *offlineOpenCmd) Run(e *env) error {
	const op = "cli.offline"
	key, err := os.ReadFile(c.Identity)
	if err != nil {
		return notice.Faultf(notice.NotFound, op, "the key cannot be read: %w", err)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return notice.Faultf(notice.NotFound, op, "the list cannot be read: %w", err)
	}
	defer f.Close()
	text, err := telephone.Open(f, string(key))
	if err != nil {
		return err
	}
	if c.Part != "" {
		part, ok := telephone.Part(text, c.Part)
		if !ok {
			return notice.Faultf(notice.Invalid, op, "the list has no such part: it is of another version")
		}
		text = part
	}
	_, err = fmt.Fprint(e.Out, text)
	return err
}

type offlineKeyCmd struct {
	File string `arg:"" help:"The file to write the key to. It must not be there yet."`
}

func (c *offlineKeyCmd) Run(e *env) error {
	const op = "cli.offline"
	key, recipient, err := telephone.NewKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return notice.Faultf(notice.Invalid, op, "%s is there already: give another name", c.File)
	case err != nil:
		return notice.Faultf(notice.Invalid, op, "the key cannot be written: %w", err)
	}
	if _, err = fmt.Fprintf(f, "# opens offline lists of Signalbox sealed for %s\n%s\n", recipient, key); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return notice.Faultf(notice.Unavailable, op, "the key cannot be written: %w", err)
	}
	fmt.Fprintf(e.Out, "%s opens lists sealed for this recipient; add it to offline.recipients:\n%s\n", c.File, recipient)
	return nil
}

package demo

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Options are what a rehearsal is given of the world.
type Options struct {
	// Data is an empty folder to keep everything in; empty is a temporary one, removed at the end.
	Data string
	// ExitWhenIdle ends the rehearsal after its last scene.
	ExitWhenIdle bool
	Out          io.Writer
	// Progress is where progress is shown, if it is a terminal; nil shows none.
	Progress io.Writer
	// Log takes the service's own log; nil drops it.
	Log *zap.Logger
}

// Run plays the scenes over a service with everything embedded. It returns after the last one where Options say so, else
// when the context ends. An end that was asked for is no error.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	data, remove, err := dataFolder(o.Data)
	if err != nil {
		return err
	}
	err = run(ctx, o, data)
	if gone := remove(); err == nil {
		err = gone
	}
	if ctx.Err() != nil {
		return nil // asked to end: whatever was cut short is no fault
	}
	return err
}

// run plays in a group: whatever of the world stops ends the play, and the end of the play stops the world.
func run(ctx context.Context, o Options, data string) error {
	clk := clock.NewMovable(opening())
	group, inner := errgroup.WithContext(ctx)
	world, stop := context.WithCancel(inner)
	defer stop()
	show := newProgress(o.Progress)
	defer show.end()

	w, err := open(world, group, clk, data, o.Log, show)
	if err != nil {
		stop()
		if cause := group.Wait(); cause != nil {
			return cause // what stopped the world, not what missed it
		}
		return err
	}
	defer w.close()
	group.Go(func() error {
		defer stop()
		return w.perform(world, group, o, show)
	})
	return group.Wait()
}

// perform plays every scene, says how things stand, and stays up where that is asked for.
func (w *world) perform(ctx context.Context, group *errgroup.Group, o Options, show *progress) error {
	s := newStage(w, o.Out, show)
	if err := s.play(ctx); err != nil {
		return err
	}
	show.end()
	if err := s.standing(ctx); err != nil {
		return err
	}
	if o.ExitWhenIdle {
		return s.lastLine(ctx)
	}
	if err := s.invite(ctx); err != nil {
		return err
	}
	group.Go(func() error {
		w.clock.Run(ctx)
		return nil
	})
	return w.keepMails(ctx)
}

// dataFolder is the folder to work in and how to be rid of it.
func dataFolder(dir string) (string, func() error, error) {
	const op = "demo.Run"
	if dir == "" {
		temporary, err := os.MkdirTemp("", "signalbox-demo-")
		if err != nil {
			return "", nil, notice.Fault(notice.Unavailable, op, err)
		}
		return temporary, func() error { return os.RemoveAll(temporary) }, nil
	}
	dir, err := filepath.Abs(dir) // the commands to try are for any folder
	if err != nil {
		return "", nil, notice.Fault(notice.Invalid, op, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, notice.Fault(notice.Invalid, op, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, notice.Fault(notice.Invalid, op, err)
	}
	if len(entries) > 0 {
		return "", nil, notice.Faultf(notice.Precondition, op,
			"the data folder %s is not empty: name a new one, since the demo begins on 18 June 2026 every time", dir)
	}
	return dir, func() error { return nil }, nil
}

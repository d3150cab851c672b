package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	commandv1 "github.com/signalbox-hq/signalbox/api/signalbox/command/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	replayv1 "github.com/signalbox-hq/signalbox/api/signalbox/replay/v1"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

const (
	// beginAgain is the pause before an engine takes the place of one that has lost the lead.
	beginAgain = 250 * time.Millisecond
	// commandFor is how long a command looks for somebody who leads: longer than a takeover takes.
	commandFor = 12 * time.Second
	// answerWithin is how long the leader has to answer a command that it was passed.
	answerWithin = 5 * time.Second
	// askAgain is the pause before a command is tried with the next leader.
	askAgain = 200 * time.Millisecond
	// caughtUpWithin is how long whoever gave a command waits until this instance has read what it did.
	caughtUpWithin = 2 * time.Second
)

// office is where the edges find the engine: the one at work now, which leads or stands by. An engine that loses the lead
// ends, and another takes its place, so nothing but the office keeps one. Reads are answered here, whoever leads, and may
// be a moment behind; commands are carried out by the instance that leads.
type office struct {
	open    func() (*engine.Engine, error)
	store   *store.Store
	log     *zap.Logger
	leading func(bool) // told at each change

	news    chan notice.AgencyID
	ready   chan struct{} // closed once the ledger was read for the first time
	started chan struct{} // closed once this instance has led
	ended   chan struct{} // closed once run has returned

	mu      sync.Mutex
	present *engine.Engine
	changed chan struct{} // closed when another is present
}

func newOffice(open func() (*engine.Engine, error), s *store.Store, leading func(bool), log *zap.Logger) (*office, error) {
	first, err := open()
	if err != nil {
		return nil, err
	}
	return &office{
		open: open, store: s, log: log, leading: leading, present: first, changed: make(chan struct{}),
		news: make(chan notice.AgencyID, 1024), ready: make(chan struct{}), started: make(chan struct{}),
		ended: make(chan struct{}),
	}, nil
}

// run works with one engine after another until the context ends, or one fails for a reason that another would not mend.
func (o *office) run(ctx context.Context) error {
	defer close(o.ended)
	for {
		e, _ := o.engine()
		err := o.serve(ctx, e)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // it was asked to stop, perhaps while it was still reading
		}
		kind := notice.KindOf(err)
		if err == nil || ctx.Err() != nil || kind != notice.Conflict && kind != notice.Unavailable {
			return err
		}
		o.log.Warn("this instance begins again from the ledger, and stands by", zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(beginAgain):
		}
		next, err := o.open()
		if err != nil {
			return err
		}
		o.replace(next)
	}
}

// serve runs one engine, with what the leader does besides.
func (o *office) serve(ctx context.Context, e *engine.Engine) error {
	var group errgroup.Group
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return o.tell(beside, e) })
	group.Go(func() error { return o.hear(beside, e) })
	err := e.Run(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

// tell passes on what an engine says of itself.
func (o *office) tell(ctx context.Context, e *engine.Engine) error {
	ready, started := e.Ready(), e.Started()
	defer o.leading(false)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
			ready = nil
			once(o.ready)
		case <-started:
			started = nil
			o.leading(true)
			once(o.started)
		case agency := <-e.News():
			select {
			case o.news <- agency:
			default: // a hint
			}
		}
	}
}

// once closes a channel that one goroutine at a time closes.
func once(done chan struct{}) {
	select {
	case <-done:
	default:
		close(done)
	}
}

// hear answers other instances' commands while an engine leads.
func (o *office) hear(ctx context.Context, e *engine.Engine) error {
	select {
	case <-ctx.Done():
		return nil
	case <-e.Started():
	}
	epoch, _, err := e.Position(ctx)
	if err != nil {
		return nil // it has stopped already
	}
	err = o.store.ServeCommands(ctx, epoch, func(ctx context.Context, request []byte) []byte {
		bounded, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		return answerCommand(bounded, e, request)
	})
	if err != nil && ctx.Err() == nil {
		o.log.Error("commands of other instances cannot be heard", zap.Error(err))
	}
	return nil
}

func (o *office) engine() (*engine.Engine, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.present, o.changed
}

func (o *office) replace(e *engine.Engine) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.present = e
	close(o.changed)
	o.changed = make(chan struct{})
}

// read has a reader answered by the engine of the moment, or by the next where that one is at its end.
func (o *office) read(ctx context.Context, fn func(*engine.Engine) error) error {
	for {
		e, changed := o.engine()
		err := fn(e)
		if !errors.Is(err, engine.ErrNotLeading) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return err
		case <-o.ended:
			return err
		}
	}
}

// View shows the state to fn.
func (o *office) View(ctx context.Context, fn func(*ledger.State)) error {
	return o.read(ctx, func(e *engine.Engine) error { return e.View(ctx, fn) })
}

// Await returns once holds is true of a state.
func (o *office) Await(ctx context.Context, holds func(*ledger.State) bool) error {
	return o.read(ctx, func(e *engine.Engine) error { return e.Await(ctx, holds) })
}

// AwaitInbox returns once holds is true of a state and of how much of an agency's inbox is durable.
func (o *office) AwaitInbox(ctx context.Context, agency notice.AgencyID, holds func(s *ledger.State, durable int) bool) error {
	return o.read(ctx, func(e *engine.Engine) error { return e.AwaitInbox(ctx, agency, holds) })
}

// PlanReplay says what a replay would do.
func (o *office) PlanReplay(ctx context.Context, chosen *ledgerv1.Replayed) (plan *replayv1.Plan, err error) {
	err = o.read(ctx, func(e *engine.Engine) (err error) {
		plan, err = e.PlanReplay(ctx, chosen)
		return err
	})
	return plan, err
}

// Body reads an event of the ledger.
func (o *office) Body(ctx context.Context, src *ledgerv1.Source) (*eventv1.Event, error) {
	e, _ := o.engine()
	return e.Body(ctx, src)
}

// EventDigest is the keyed digest that the ledger has of an event's content.
func (o *office) EventDigest(ev *eventv1.Event) []byte {
	e, _ := o.engine()
	return e.EventDigest(ev)
}

// EventKey is an event's name in the ledger.
func (o *office) EventKey(agency notice.AgencyID, id string) string {
	e, _ := o.engine()
	return e.EventKey(agency, id)
}

// Refresh tells the engine that the directory has changed.
func (o *office) Refresh() {
	e, _ := o.engine()
	e.Refresh()
}

// command has a fact, or several of a kind, recorded by whoever leads. It returns once the fact is durable and this instance has read it.
func (o *office) command(ctx context.Context, fact *ledgerv1.Fact, more ...*ledgerv1.Fact) error {
	const op = "app.command"
	ctx, cancel := context.WithTimeout(ctx, commandFor)
	defer cancel()
	for {
		e, _ := o.engine()
		err := perform(ctx, e, fact, more...)
		if !errors.Is(err, engine.ErrNotLeading) {
			return err
		}
		epoch, _, viewing := e.Position(ctx)
		if viewing == nil && epoch > 0 {
			var done bool
			if done, err = o.pass(ctx, e, epoch, &commandv1.Command{Fact: fact, More: more}); done {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return notice.Fault(notice.Unavailable, op, fmt.Errorf("no instance leads now, and nothing was recorded: try again: %w", ctx.Err()))
		case <-o.ended:
			return err
		case <-time.After(askAgain):
		}
	}
}

// pass passes a command to the leader of an epoch. It is not done where it is certain that nothing was recorded, because
// nobody leads in that epoch any more.
func (o *office) pass(ctx context.Context, e *engine.Engine, epoch uint64, command *commandv1.Command) (done bool, err error) {
	const op = "app.command"
	request, err := proto.Marshal(command)
	if err != nil {
		return true, notice.Fault(notice.Internal, op, err)
	}
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	reply, err := o.store.Command(bounded, epoch, request)
	if notice.KindOf(err) == notice.NotFound && err != nil {
		return false, err
	}
	if err != nil {
		return true, notice.Fault(notice.Unavailable, op,
			fmt.Errorf("the instance that leads did not answer, and it may have been recorded: look before you repeat it: %w", err))
	}
	var answer commandv1.Answer
	if err := proto.Unmarshal(reply, &answer); err != nil {
		return true, notice.Fault(notice.Internal, op, err)
	}
	if answer.Elsewhere {
		return false, errors.New(answer.Message)
	}
	if answer.Kind != 0 {
		return true, answerFault(op, &answer)
	}
	caughtUp, cancel := context.WithTimeout(ctx, caughtUpWithin)
	defer cancel()
	// It is recorded, whether or not it shows here yet.
	_ = e.AwaitPack(caughtUp, answer.Pack)
	return true, nil
}

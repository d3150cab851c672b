package engine

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Election says whose turn it is to lead. It only says whom to try: the log's expected sequence is what keeps two leaders
// apart. What the log cannot keep apart is a send by a process that was paused and wakes: that is what Term.Held is for.
type Election interface {
	// Campaign returns once it is this instance's turn, or the context ends.
	Campaign(ctx context.Context) (Term, error)
}

// Term is one instance's turn.
type Term interface {
	// Held says whether the turn lasts, by this machine's clocks alone. It is asked just before what cannot be undone.
	Held() bool
	// Lost is closed once the turn is over.
	Lost() <-chan struct{}
	// Resign gives the turn back, for another to take at once.
	Resign()
}

// always is the turn of an instance that is alone.
type always struct{}

func (always) Held() bool            { return true }
func (always) Lost() <-chan struct{} { return nil }
func (always) Resign()               {}

// standbyAhead is how many packs are read ahead of being folded.
const standbyAhead = 64

// stored is a pack as it was read.
type stored struct {
	sequence uint64
	data     []byte
}

// standBy follows the log and answers readers until it is this instance's turn. It returns no Term where the context
// ended first.
func (e *Engine) standBy(ctx context.Context) (Term, error) {
	if e.Election == nil {
		return always{}, nil
	}
	waiting, stop := context.WithCancel(ctx)
	group, waiting := errgroup.WithContext(waiting)
	packs, turn := make(chan stored, standbyAhead), make(chan Term, 1)
	from := e.last + 1
	group.Go(func() error {
		return e.Log.Follow(waiting, from, func(sequence uint64, _ time.Time, data []byte) error {
			select {
			case packs <- stored{sequence, data}:
				return nil
			case <-waiting.Done():
				return waiting.Err()
			}
		})
	})
	group.Go(func() error {
		term, err := e.Election.Campaign(waiting)
		if err == nil {
			turn <- term
		}
		return err
	})
	end := func(err error) (Term, error) {
		stop()
		if groupErr := group.Wait(); err == nil && ctx.Err() == nil {
			err = groupErr
		}
		select {
		case term := <-turn: // won while something else ended the wait
			term.Resign()
		default:
		}
		return nil, err
	}
	for {
		select {
		case <-waiting.Done():
			return end(nil)
		case in := <-e.inputs:
			in()
		case p := <-packs:
			var err error
			if e.previous, err = foldPack(e.state, e.previous, p.sequence, p.data); err != nil {
				return end(err)
			}
			e.last = p.sequence
		case term := <-turn:
			stop()
			if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) && notice.KindOf(err) != notice.Unavailable {
				term.Resign()
				return nil, err
			}
			return term, nil
		}
		e.answerWaiters()
	}
}

// takeTheLead reads what the leader before wrote last, and makes itself the writer.
func (e *Engine) takeTheLead(ctx context.Context) error {
	if err := e.fold(ctx); err != nil {
		return err
	}
	if err := e.lead(ctx); err != nil {
		return err
	}
	e.leading = true
	close(e.started)
	e.Logger.Info("took the lead", zap.String("instance", e.config.Instance), zap.Uint64("epoch", e.epoch),
		zap.Uint64("pack", e.last), zap.Int64("facts", e.state.Facts))
	return nil
}

// ErrNotLeading marks a command that was not carried out because this instance does not lead: the one that does may.
// Nothing was recorded.
var ErrNotLeading = errors.New("this instance does not lead: try again")

// Ready is closed once the ledger was read to its end: readers are answered from then on, whoever leads.
func (e *Engine) Ready() <-chan struct{} { return e.ready }

// Stopped is closed once Run has ended.
func (e *Engine) Stopped() <-chan struct{} { return e.stopped }

// Position is the newest epoch that this instance knows of, and the newest pack.
func (e *Engine) Position(ctx context.Context) (epoch, pack uint64, err error) {
	err = e.View(ctx, func(s *ledger.State) { epoch, pack = s.Epoch, e.last })
	return epoch, pack, err
}

// AwaitPack returns once the ledger is folded up to a pack.
func (e *Engine) AwaitPack(ctx context.Context, pack uint64) error {
	return e.wait(ctx, "engine.AwaitPack", waiter{early: true, holds: func(*ledger.State) bool { return e.last >= pack }})
}

package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// Log is the ledger's packs, as they were stored.
type Log interface {
	// Read hands over the packs that there are, from one on.
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
	// Follow is Read that goes on.
	Follow(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) error
	// Last is the number of the newest pack.
	Last(ctx context.Context) (uint64, error)
}

const (
	// freshWithin is how long a question waits for what was in the ledger before it.
	freshWithin = 2 * time.Second
	// askWithin is how long the ledger has to say how far it goes.
	askWithin = 2 * time.Second
	// readWithin bounds one answer.
	readWithin = 10 * time.Second
	// tryAgain is the pause after a fault, doubled after each that follows without the ledger's end being reached.
	tryAgain, tryAgainMost = 250 * time.Millisecond, 30 * time.Second
)

// Status is how the read model stands.
type Status struct {
	Packs   uint64 // in the rows
	Of      uint64 // in the ledger, as far as is known
	Current bool   // the rows have reached the ledger's end, and follow it
	Fault   string // why not, where something is wrong; no personal data
}

// Deps are the model's parts.
type Deps struct {
	Log    Log
	Logger *zap.Logger
}

// Model is the read model: made by New, kept by Run, asked by everybody.
type Model struct {
	Deps
	path string
	bad  chan error // a reader found that the file is no good

	asked chan struct{} // somebody waits for what has yet to be written

	reading sync.RWMutex // held while a question is answered, so that the file is not taken away
	present *file        // nil while there is none to ask

	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed at each change of the status
}

// New makes a Model of a file, which Run opens.
func New(d Deps, path string) (*Model, error) {
	if d.Log == nil || d.Logger == nil || path == "" {
		return nil, notice.Faultf(notice.Internal, "query.New", "a part is missing")
	}
	return &Model{Deps: d, path: path, bad: make(chan error, 1), asked: make(chan struct{}, 1), changed: make(chan struct{})}, nil
}

// Run keeps the read model until the context ends. It returns no error: what goes wrong is logged, shown in Status and
// tried again, for nothing but answers depends on it.
func (m *Model) Run(ctx context.Context) error {
	pause := tryAgain
	for {
		err := m.keep(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if m.Status().Current {
			pause = tryAgain
		}
		m.update(func(s *Status) { s.Current, s.Fault = false, faultText(err) })
		if spoilt(err) {
			m.Logger.Warn("the read model is thrown away, and made anew from the ledger", zap.String("file", m.path), zap.Error(err))
			if err := remove(m.path); err != nil {
				m.Logger.Error("the read model cannot be thrown away: delete it", zap.String("file", m.path), zap.Error(err))
			}
		} else {
			m.Logger.Error("the read model cannot be kept; trying again", zap.String("file", m.path), zap.Duration("pause", pause), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, tryAgainMost)
	}
}

func faultText(err error) string {
	if spoilt(err) {
		return "it is made anew from the ledger"
	}
	return "it cannot be kept: see the log"
}

// Status says how the model stands.
func (m *Model) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Watch calls fn with the status, now and at each change, until the context ends.
func (m *Model) Watch(ctx context.Context, fn func(Status)) {
	for {
		m.mu.Lock()
		status, changed := m.status, m.changed
		m.mu.Unlock()
		fn(status)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func (m *Model) update(how func(*Status)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how(&m.status)
	close(m.changed)
	m.changed = make(chan struct{})
}

// far is how many packs the rows may lack for a question to wait for them.
const far = 2000

// Await returns once the rows have a pack. It fails at once where they are being made anew, or are far behind: that takes
// as long as it takes.
func (m *Model) Await(ctx context.Context, pack uint64) error {
	const op = "query.Await"
	for {
		m.mu.Lock()
		status, changed := m.status, m.changed
		m.mu.Unlock()
		switch {
		case status.Current && status.Packs >= pack:
			return nil
		case !status.Current && (status.Fault != "" || status.Of > status.Packs+far):
			return behind(op, status)
		}
		select {
		case m.asked <- struct{}{}:
		default: // has been said
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return behind(op, status)
		}
	}
}

func behind(op string, s Status) error {
	if s.Of == 0 {
		if s.Fault == "" {
			s.Fault = "it is being opened"
		}
		return notice.Faultf(notice.Unavailable, op, "the read model is not there now (%s): ask again in a minute", s.Fault)
	}
	return notice.Faultf(notice.Unavailable, op, "the read model is being rebuilt, %d of %d packs: ask again in a minute", s.Packs, s.Of)
}

// ask answers one question from rows that have everything that was in the ledger when it came.
func (m *Model) ask(ctx context.Context, op string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	asking, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	last, err := m.Log.Last(asking)
	if err != nil {
		return notice.Fault(notice.Unavailable, op, fmt.Errorf("the ledger does not answer: ask again: %w", err))
	}
	waiting, stop := context.WithTimeout(ctx, freshWithin)
	defer stop()
	if err := m.Await(waiting, last); err != nil {
		return err
	}
	m.reading.RLock()
	defer m.reading.RUnlock()
	if m.present == nil {
		return behind(op, m.Status())
	}
	bounded, stop := context.WithTimeout(ctx, readWithin)
	defer stop()
	if err = m.present.present(); err == nil {
		err = answer(bounded, m.present.read, fn)
	}
	switch {
	case err == nil:
		return nil
	case spoilt(err):
		select {
		case m.bad <- err:
		default:
		}
		return notice.Faultf(notice.Unavailable, op, "the read model is being rebuilt: ask again in a minute")
	case bounded.Err() != nil:
		return notice.Faultf(notice.Unavailable, op, "that took too long: ask for less")
	case notice.KindOf(err) != notice.Internal:
		return err
	default:
		return notice.Fault(notice.Unavailable, op, fmt.Errorf("the read model cannot be read now: ask again: %w", err))
	}
}

// answer runs fn in a transaction, so that all of an answer is of one moment.
func answer(ctx context.Context, db *sql.DB, fn func(ctx context.Context, tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, tx), ended(tx.Rollback()))
}

// ended takes the error out of a transaction that the context has ended already.
func ended(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

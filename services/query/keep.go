package query

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

const (
	// ahead is how many packs are read ahead of being written.
	ahead = 32
	// One transaction takes in as many packs as are there, up to these bounds.
	batchFacts = 40_000
	batchBytes = 16 << 20
	// busyFacts in one transaction make the next one begin no sooner than busyEvery after it, unless somebody asks: under load
	// fewer and larger transactions cost less, most of all where a notice is decided and sent within one, and senders need
	// the CPU more than readers do.
	busyFacts = 500
	busyEvery = 700 * time.Millisecond
	// lookEvery is how often an idle writer sees whether its file is still there.
	lookEvery = time.Second
)

// storedPack is a pack as it was read.
type storedPack struct {
	sequence uint64
	data     []byte
}

// keep opens the file and brings it up to the ledger, pack by pack, until something fails or the context ends.
func (m *Model) keep(ctx context.Context) error {
	f, err := openFile(ctx, m.path)
	if err != nil {
		return err
	}
	defer f.close()
	b, err := resume(ctx, f.conn)
	if err != nil {
		return err
	}
	defer b.close()
	end, err := m.holdAgainst(ctx, b)
	if err != nil {
		return err
	}
	if end > b.pack {
		m.Logger.Info("the read model is brought up to the ledger", zap.Uint64("packs", b.pack), zap.Uint64("of", end))
	}
	m.serve(f)
	defer m.serve(nil)
	m.reached(b, end)

	group, ctx := errgroup.WithContext(ctx)
	packs, from := make(chan storedPack, ahead), b.pack+1
	group.Go(func() error {
		return m.Log.Follow(ctx, from, func(sequence uint64, _ time.Time, data []byte) error {
			select {
			case packs <- storedPack{sequence, data}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	group.Go(func() error { return m.writeAll(ctx, f, b, packs, end) })
	return group.Wait()
}

// serve shows the file to readers, or takes it away once those at work with it are done.
func (m *Model) serve(f *file) {
	m.reading.Lock()
	defer m.reading.Unlock()
	m.present = f
	select {
	case err := <-m.bad: // about the file before
		m.Logger.Debug("a reader found the file no good that is gone already", zap.Error(err))
	default:
	}
}

func (m *Model) reached(b *batch, end uint64) {
	m.update(func(s *Status) {
		was := s.Current
		s.Packs, s.Of = b.pack, max(end, b.pack)
		s.Current = was || b.pack >= end
		if s.Current {
			s.Fault = ""
		}
		if s.Current && !was {
			m.Logger.Info("the read model has reached the ledger's end", zap.Uint64("packs", b.pack), zap.Int64("facts", b.facts))
		}
	})
}

// resume reads where the file has come to.
func resume(ctx context.Context, conn *sql.Conn) (*batch, error) {
	s, err := prepare(ctx, conn)
	if err != nil {
		return nil, err
	}
	b := newBatch(s)
	if err := b.read(ctx); err != nil {
		s.close()
		return nil, err
	}
	return b, nil
}

func (b *batch) read(ctx context.Context) error {
	row := b.conn.QueryRowContext(ctx, `SELECT pack, hash, fact, (SELECT ifnull(max(n), 0) FROM subject), (SELECT ifnull(max(n), 0) FROM name)
		FROM applied`)
	if err := row.Scan(&b.pack, &b.hash, &b.facts, &b.last, &b.lastName); errors.Is(err, sql.ErrNoRows) {
		return damaged{errors.New("the file does not say how far it goes")}
	} else if err != nil {
		return err
	}
	b.allNames = b.lastName == 0
	if b.facts == 0 {
		return nil
	}
	var first int64
	var stored []byte
	err := b.conn.QueryRowContext(ctx, `SELECT first, body FROM pack ORDER BY first DESC LIMIT 1`).Scan(&first, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return damaged{errors.New("the newest fact is missing")}
	} else if err != nil {
		return err
	}
	_, bodies, err := unpack(stored)
	if err != nil || len(bodies) == 0 || first+int64(len(bodies))-1 != b.facts {
		return damaged{errors.New("the newest fact is missing")}
	}
	var f ledgerv1.Fact
	if err := proto.Unmarshal(bodies[len(bodies)-1], &f); err != nil {
		return damaged{errors.New("the newest fact cannot be read")}
	}
	b.refused = refusedEvent(&f)
	return nil
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// holdAgainst sees that the rows are those of a beginning of this ledger, and says how far the ledger goes.
func (m *Model) holdAgainst(ctx context.Context, b *batch) (end uint64, err error) {
	if end, err = m.Log.Last(ctx); err != nil {
		return 0, err
	}
	if b.pack > end {
		return 0, damaged{fmt.Errorf("the read model has %d packs, the ledger %d", b.pack, end)}
	}
	if b.pack == 0 {
		return end, nil
	}
	same := false
	_, err = m.Log.Read(ctx, b.pack, func(_ uint64, _ time.Time, data []byte) error {
		sum := sha256.Sum256(data)
		same = string(sum[:]) == string(b.hash)
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	if !same {
		return 0, damaged{errUnfollowed}
	}
	return end, nil
}

// writeAll writes packs as they come: many in one transaction on the way to the end that there was at the start, and then
// as many as have come while the last was written.
func (m *Model) writeAll(ctx context.Context, f *file, b *batch, packs <-chan storedPack, end uint64) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-m.bad:
			return err
		case <-look.C:
			if err := f.present(); err != nil {
				return err
			}
		case p := <-packs:
			begun, before := time.Now(), b.facts
			if err := b.writeBatch(ctx, p, packs, end); err != nil {
				return err
			}
			if err := f.present(); err != nil {
				return err
			}
			m.reached(b, end)
			if b.pack >= end && b.facts-before >= busyFacts {
				m.rest(ctx, busyEvery-time.Since(begun))
			}
		}
	}
}

// rest waits, until somebody asks for what is not there yet.
func (m *Model) rest(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-m.asked:
	case <-time.After(pause):
	}
}

// writeBatch writes a pack, and those that are there behind it, in one transaction.
func (b *batch) writeBatch(ctx context.Context, p storedPack, packs <-chan storedPack, end uint64) error {
	if _, err := b.conn.ExecContext(context.Background(), `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := b.applyAll(ctx, p, packs, end)
	if err == nil {
		err = b.write()
	}
	if err == nil {
		_, err = b.conn.ExecContext(context.Background(), `COMMIT`)
	}
	if err != nil {
		_, undo := b.conn.ExecContext(context.Background(), `ROLLBACK`)
		_ = undo // the connection is closed next, which undoes it as well
		return err
	}
	b.forget()
	return nil
}

func (b *batch) applyAll(ctx context.Context, p storedPack, packs <-chan storedPack, end uint64) error {
	facts, size := b.facts+batchFacts, 0
	for {
		if err := b.apply(p.sequence, p.data); err != nil {
			return err
		}
		if size += len(p.data); b.facts >= facts || size >= batchBytes {
			return nil
		}
		if b.pack < end { // more is there: wait for it
			select {
			case p = <-packs:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		select {
		case p = <-packs:
		default:
			return nil
		}
	}
}

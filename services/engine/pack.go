package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// appendPatience is how long a pack is tried again while the log does not answer, before Run gives up.
const appendPatience = 30 * time.Second

type appendResult struct {
	sequence uint64
	hash     []byte
	units    int
	err      error
}

// fold reads what the ledger holds beyond what was read of it.
func (e *Engine) fold(ctx context.Context) error {
	_, err := e.Log.Read(ctx, e.last+1, func(seq uint64, _ time.Time, stored []byte) (err error) {
		if e.previous, err = foldPack(e.state, e.previous, seq, stored); err == nil {
			e.last = seq
		}
		return err
	})
	return err
}

// Fold reads a ledger from its first pack into a State, checks the chain of hashes, and returns the last sequence and
// the hash of its pack.
func Fold(ctx context.Context, log interface {
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
}, state *ledger.State) (uint64, []byte, error) {
	var last uint64
	var previous []byte
	_, err := log.Read(ctx, 1, func(seq uint64, _ time.Time, stored []byte) (err error) {
		if previous, err = foldPack(state, previous, seq, stored); err == nil {
			last = seq
		}
		return err
	})
	return last, previous, err
}

// foldPack folds one stored pack, which must follow the one with the given hash, and returns its own.
func foldPack(state *ledger.State, previous []byte, seq uint64, stored []byte) ([]byte, error) {
	var pack ledgerv1.Pack
	if err := proto.Unmarshal(stored, &pack); err != nil {
		return previous, notice.Faultf(notice.Internal, "engine.Fold", "pack %d cannot be read", seq)
	}
	if !bytes.Equal(pack.Previous, previous) {
		return previous, notice.Faultf(notice.Internal, "engine.Fold", "pack %d does not follow the pack before it: the chain of hashes is broken", seq)
	}
	if err := state.Apply(&pack); err != nil {
		return previous, notice.Fault(notice.Internal, "engine.Fold", fmt.Errorf("pack %d: %w", seq, err))
	}
	sum := sha256.Sum256(stored)
	return sum[:], nil
}

// unit is facts that stand or fall together: they go into one pack.
type unit struct {
	facts []*ledgerv1.Fact
	size  int
}

// effect is what may happen once the units up to a number are durable.
type effect struct {
	after uint64
	run   func()
}

const (
	// defaultMaxPack leaves room for headers in a message of NATS's usual largest size, 1 MiB.
	defaultMaxPack = 960 << 10
	// maxPackFacts bounds the time that one pack takes to make.
	maxPackFacts = 2000
	// packHead is what a pack needs besides its facts, and a fact besides its own bytes.
	packHead, factHead = 64, 8
	// maxWaiting is how many packs' worth of facts wait for the log before nothing more is taken in.
	maxWaiting = 8
)

// lead appends the fact that this instance leads: from then on an append of the leader before fails.
func (e *Engine) lead(ctx context.Context) error {
	e.epoch = e.state.Epoch + 1
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: e.epoch, Instance: e.config.Instance}}})
	units, stored, err := e.pack()
	if err != nil {
		return err
	}
	return e.landed(e.append(ctx, units, stored))
}

// record folds facts at once and puts them into the next pack, all of them into the same one.
func (e *Engine) record(facts ...*ledgerv1.Fact) {
	u := unit{facts: facts}
	for _, f := range facts {
		f.AtMs = e.nowMS()
		if err := e.state.Fold(f); err != nil {
			// The checks before each record rule this out; going on would write a ledger that cannot be folded.
			panic(fmt.Sprintf("engine: %v", err))
		}
		u.size += proto.Size(f) + factHead
	}
	e.pending = append(e.pending, u)
	e.waiting += u.size
	e.recorded++
}

// afterwards has something happen once what was recorded so far is durable.
func (e *Engine) afterwards(run func()) {
	e.effects = append(e.effects, effect{after: e.recorded, run: run})
}

// happen has every effect happen whose facts are durable.
func (e *Engine) happen() {
	for len(e.effects) > 0 && e.effects[0].after <= e.durable {
		run := e.effects[0].run
		e.effects[0] = effect{}
		e.effects = e.effects[1:]
		run()
	}
}

// full says whether more waits for the log than should.
func (e *Engine) full() bool { return e.waiting > maxWaiting*e.config.MaxPack }

// fits says whether a fact goes into one pack.
func (e *Engine) fits(f *ledgerv1.Fact) bool {
	return proto.Size(f)+factHead+packHead <= e.config.MaxPack
}

// pack takes from what is pending as many units as go into one pack, and at least one.
func (e *Engine) pack() (units int, stored []byte, err error) {
	var facts []*ledgerv1.Fact
	size := packHead
	for _, u := range e.pending {
		if units > 0 && (size+u.size > e.config.MaxPack || len(facts)+len(u.facts) > maxPackFacts) {
			break
		}
		facts = append(facts, u.facts...)
		size += u.size
		units++
	}
	stored, err = proto.Marshal(&ledgerv1.Pack{Previous: e.previous, Epoch: e.epoch, Facts: facts})
	if err != nil {
		return 0, nil, notice.Fault(notice.Internal, "engine.pack", err)
	}
	for _, u := range e.pending[:units] {
		e.waiting -= u.size
	}
	clear(e.pending[:units])
	if e.pending = e.pending[units:]; len(e.pending) == 0 {
		e.pending = nil
	}
	return units, stored, nil
}

// flush lets happen what may, and sends the next pack on its way unless one is in flight.
func (e *Engine) flush() error {
	e.happen()
	if e.flying || len(e.pending) == 0 {
		return nil
	}
	units, stored, err := e.pack()
	if err != nil {
		return err
	}
	e.flying = true
	e.writer.Go(func() { e.appended <- e.append(e.work, units, stored) })
	return nil
}

// append writes one pack, trying the same bytes again while it is not known whether they are stored.
func (e *Engine) append(ctx context.Context, units int, stored []byte) appendResult {
	ctx, cancel := context.WithTimeout(ctx, appendPatience)
	defer cancel()
	for {
		sequence, err := e.Log.Append(ctx, e.last, stored)
		if err == nil {
			sum := sha256.Sum256(stored)
			return appendResult{sequence: sequence, hash: sum[:], units: units}
		}
		if notice.KindOf(err) != notice.Unavailable || ctx.Err() != nil {
			return appendResult{err: err}
		}
		e.Logger.Warn("the ledger does not answer; trying again", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// landed takes the end of an append: what the pack allows may now happen.
func (e *Engine) landed(res appendResult) error {
	e.flying = false
	if res.err != nil {
		if notice.KindOf(res.err) == notice.Conflict {
			return notice.Fault(notice.Conflict, "engine.Run", fmt.Errorf("another instance leads: %w", res.err))
		}
		return notice.Fault(notice.KindOf(res.err), "engine.Run", res.err)
	}
	e.last, e.previous = res.sequence, res.hash
	e.durable += uint64(res.units)
	e.happen()
	return nil
}

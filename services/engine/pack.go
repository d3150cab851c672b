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
	err      error
}

// fold reads the whole ledger.
func (e *Engine) fold(ctx context.Context) error {
	last, previous, err := Fold(ctx, e.Log, e.state)
	e.last, e.previous = last, previous
	return err
}

// Fold reads a ledger from its first pack into a State, checks the chain of hashes, and returns the last sequence and
// the hash of its pack.
func Fold(ctx context.Context, log interface {
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
}, state *ledger.State) (uint64, []byte, error) {
	var last uint64
	var previous []byte
	_, err := log.Read(ctx, 1, func(seq uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return notice.Faultf(notice.Internal, "engine.Fold", "pack %d cannot be read", seq)
		}
		if !bytes.Equal(pack.Previous, previous) {
			return notice.Faultf(notice.Internal, "engine.Fold", "pack %d does not follow the pack before it: the chain of hashes is broken", seq)
		}
		if err := state.Apply(&pack); err != nil {
			return notice.Fault(notice.Internal, "engine.Fold", fmt.Errorf("pack %d: %w", seq, err))
		}
		sum := sha256.Sum256(stored)
		last, previous = seq, sum[:]
		return nil
	})
	return last, previous, err
}

// lead appends the fact that this instance leads: from then on an append of the leader before fails.
func (e *Engine) lead(ctx context.Context) error {
	e.epoch = e.state.Epoch + 1
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: e.epoch, Instance: e.config.Instance}}})
	stored, err := e.pack()
	if err != nil {
		return err
	}
	e.pending = nil
	return e.landed(e.append(ctx, stored))
}

// record folds facts at once and puts them into the next pack.
func (e *Engine) record(facts ...*ledgerv1.Fact) {
	for _, f := range facts {
		f.AtMs = e.nowMS()
		if err := e.state.Fold(f); err != nil {
			// The checks before each record rule this out; going on would write a ledger that cannot be folded.
			panic(fmt.Sprintf("engine: %v", err))
		}
		e.pending = append(e.pending, f)
	}
}

// afterwards has something happen once what was recorded so far is durable.
func (e *Engine) afterwards(effect func()) { e.effects = append(e.effects, effect) }

func (e *Engine) pack() ([]byte, error) {
	stored, err := proto.Marshal(&ledgerv1.Pack{Previous: e.previous, Epoch: e.epoch, Facts: e.pending})
	if err != nil {
		return nil, notice.Fault(notice.Internal, "engine.pack", err)
	}
	return stored, nil
}

// maxPackFacts bounds a pack well below the largest message.
const maxPackFacts = 2000

// flush sends the next pack on its way, unless one is in flight or there is nothing to write.
func (e *Engine) flush() {
	if e.flying || len(e.pending) == 0 && len(e.effects) == 0 {
		return
	}
	if len(e.pending) == 0 { // all that the effects rest on is durable already
		effects := e.effects
		e.effects = nil
		for _, effect := range effects {
			effect()
		}
		return
	}
	rest := e.pending
	if len(rest) > maxPackFacts {
		e.pending, rest = rest[:maxPackFacts], rest[maxPackFacts:]
	} else {
		rest = nil
	}
	stored, err := e.pack()
	if err != nil {
		e.appended <- appendResult{err: err}
		e.flying = true
		return
	}
	e.pending = rest
	if len(rest) == 0 {
		e.inFlight, e.effects = e.effects, nil
	}
	e.flying = true
	go func() { e.appended <- e.append(context.Background(), stored) }()
}

// append writes one pack, trying the same bytes again while it is not known whether they are stored.
func (e *Engine) append(ctx context.Context, stored []byte) appendResult {
	ctx, cancel := context.WithTimeout(ctx, appendPatience)
	defer cancel()
	for {
		sequence, err := e.Log.Append(ctx, e.last, stored)
		if err == nil {
			sum := sha256.Sum256(stored)
			return appendResult{sequence: sequence, hash: sum[:]}
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
	effects := e.inFlight
	e.inFlight = nil
	for _, effect := range effects {
		effect()
	}
	return nil
}

package store

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-hq/signalbox/services/notice"
)

// MemLog is a Log in memory, for tests of what is built on one. It keeps Log's contract, held by the same test.
type MemLog struct {
	now func() time.Time

	mu    sync.Mutex
	packs []memPack
	grown chan struct{} // closed and replaced at each append
}

type memPack struct {
	at   time.Time
	data []byte
}

// NewMemLog makes an empty log that stamps packs with the given clock.
func NewMemLog(now func() time.Time) *MemLog {
	return &MemLog{now: now, grown: make(chan struct{})}
}

// Append is Log.Append.
func (l *MemLog) Append(ctx context.Context, expectLast uint64, pack []byte) (uint64, error) {
	const op = "store.Append"
	if err := ctx.Err(); err != nil {
		return 0, fault(op, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := uint64(len(l.packs))
	switch {
	case expectLast < last && bytes.Equal(l.packs[expectLast].data, pack):
		return expectLast + 1, nil
	case expectLast != last:
		return 0, notice.Faultf(notice.Conflict, op, "another writer appended: the last pack is %d, not %d", last, expectLast)
	}
	l.packs = append(l.packs, memPack{at: l.now().UTC(), data: slices.Clone(pack)})
	close(l.grown)
	l.grown = make(chan struct{})
	return last + 1, nil
}

// Read is Log.Read.
func (l *MemLog) Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error) {
	from = max(from, 1)
	packs, _ := l.from(from)
	done := from - 1
	for _, p := range packs {
		if err := ctx.Err(); err != nil {
			return done, fault("store.Read", err)
		}
		if err := fn(done+1, p.at, slices.Clone(p.data)); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

// Follow is Log.Follow.
func (l *MemLog) Follow(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) error {
	next := max(from, 1)
	for {
		_, grown := l.from(next)
		last, err := l.Read(ctx, next, fn)
		if err != nil {
			return err
		}
		next = last + 1
		select {
		case <-ctx.Done():
			return fault("store.Follow", ctx.Err())
		case <-grown:
		}
	}
}

func (l *MemLog) from(seq uint64) ([]memPack, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq > uint64(len(l.packs)) {
		return nil, l.grown
	}
	return l.packs[seq-1:], l.grown
}

// Last is Log.Last.
func (l *MemLog) Last(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fault("store.Last", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.packs)), nil
}

package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// shelf is one agency's events in memory, with those of others beside it.
type shelf struct {
	mu     sync.Mutex
	held   []engine.Message
	beside map[notice.AgencyID]*shelf
	handed atomic.Int64 // to the engine, or about to be
	erased map[uint64]error
	broken error // ends the next Follow
	holds  map[uint64]*heldRead
	grown  chan struct{}
}

func newShelf() *shelf {
	return &shelf{grown: make(chan struct{}), erased: map[uint64]error{}, holds: map[uint64]*heldRead{}}
}

func (s *shelf) publish(ev ...*eventv1.Event) {
	for _, one := range ev {
		s.put(engine.Message{Event: proto.CloneOf(one)})
	}
}

func (s *shelf) put(m engine.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Sequence = uint64(len(s.held)) + 1
	s.held = append(s.held, m)
	close(s.grown)
	s.grown = make(chan struct{})
}

func (s *shelf) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.held))
}

// awaitHanded waits until so many events are handed to the engine, or about to be.
func (s *shelf) awaitHanded(t *testing.T, n int64) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); s.handed.Load() < n; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d events were handed over, want %d", s.handed.Load(), n)
		}
	}
}

// fail has reads of a sequence fail, nil mends it.
func (s *shelf) fail(sequence uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erased[sequence] = err
}

// snap ends whoever follows.
func (s *shelf) snap(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
	close(s.grown)
	s.grown = make(chan struct{})
}

func (s *shelf) Follow(ctx context.Context, agency notice.AgencyID, from uint64, fn func(engine.Message) error) error {
	if other := s.beside[agency]; other != nil {
		return other.Follow(ctx, police, from, fn)
	}
	if agency != police {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		s.mu.Lock()
		rest, grown, broken := s.held[from-1:], s.grown, s.broken
		s.broken = nil
		s.mu.Unlock()
		if broken != nil {
			return broken
		}
		for _, m := range rest {
			s.handed.Add(1)
			if err := fn(m); err != nil {
				return err
			}
			from++
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// heldRead is a read that waits, whatever its patience.
type heldRead struct {
	begun func()
	free  chan struct{}
}

// holdRead has reads of a sequence wait until they are let go; begun is closed by the first.
func (s *shelf) holdRead(t testing.TB, sequence uint64) (begun <-chan struct{}, letGo func()) {
	came, free := make(chan struct{}), make(chan struct{})
	letGo = sync.OnceFunc(func() { close(free) })
	t.Cleanup(letGo)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[sequence] = &heldRead{begun: sync.OnceFunc(func() { close(came) }), free: free}
	return came, letGo
}

func (s *shelf) Get(ctx context.Context, agency notice.AgencyID, sequence uint64) (*eventv1.Event, error) {
	if other := s.beside[agency]; other != nil {
		return other.Get(ctx, police, sequence)
	}
	s.mu.Lock()
	hold := s.holds[sequence]
	s.mu.Unlock()
	if hold != nil {
		hold.begun()
		<-hold.free
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.erased[sequence]; err != nil {
		return nil, err
	}
	return s.held[sequence-1].Event, nil
}

// post takes every message; what answer says is how the send ends, delivered where it is nil.
type post struct {
	mu     sync.Mutex
	sent   []delivery.Message
	answer func(delivery.Message) delivery.Result
	hold   chan struct{} // sends wait until it is closed
	held   delivery.Result
	asks   bool // asks delivery.Held after the hold, as a sender does before what cannot be taken back
	news   chan struct{}
}

func (p *post) Send(ctx context.Context, m delivery.Message) delivery.Result {
	p.mu.Lock()
	p.sent = append(p.sent, m)
	hold, answer := p.hold, p.answer
	if p.news != nil {
		close(p.news)
		p.news = nil
	}
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.asks && !delivery.Held(ctx) {
				return delivery.Result{Outcome: delivery.Transient, Detail: "not held"}
			}
			return p.held
		case <-ctx.Done():
			return delivery.Result{Outcome: delivery.Unknown, Detail: "no answer in time"}
		}
	}
	if answer != nil {
		return answer(m)
	}
	return delivery.Result{Outcome: delivery.Delivered}
}

// holdBack has sends wait until letGo says how they end.
func (p *post) holdBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold = make(chan struct{})
}

func (p *post) letGo(res delivery.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		p.held = res
		close(p.hold)
		p.hold = nil
	}
}

func (p *post) answers(f func(delivery.Message) delivery.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// arrived waits for so many sends to have begun.
func (p *post) arrived(t testing.TB, n int) []delivery.Message {
	t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		sent := slices.Clone(p.sent)
		if p.news == nil {
			p.news = make(chan struct{})
		}
		news := p.news
		p.mu.Unlock()
		if len(sent) >= n {
			return sent
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("%d of %d sends began", len(sent), n)
		}
	}
}

// to lists who was sent to, in order.
func (p *post) to() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for _, m := range p.sent {
		id := m.Endpoint.Contact
		if m.PossibleDuplicate {
			id += " (again)"
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, ", ")
}

// gate is a log whose appends can be held up, cut off or refused.
type gate struct {
	engine.Log
	mu     sync.Mutex
	before func(pack []byte) error
	shut   chan struct{}
	tried  chan []byte
}

func newGate(log engine.Log) *gate { return &gate{Log: log, tried: make(chan []byte, 100)} }

func (g *gate) Append(ctx context.Context, expect uint64, pack []byte) (uint64, error) {
	g.mu.Lock()
	before, shut := g.before, g.shut
	g.mu.Unlock()
	select {
	case g.tried <- pack:
	default:
	}
	if shut != nil {
		select {
		case <-shut:
		case <-ctx.Done():
			return 0, notice.Fault(notice.Unavailable, "test", ctx.Err())
		}
	}
	if before != nil {
		if err := before(pack); err != nil {
			return 0, err
		}
	}
	return g.Log.Append(ctx, expect, pack)
}

func (g *gate) check(before func([]byte) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = before
}

func (g *gate) cut(err error) { g.check(func([]byte) error { return err }) }

func (g *gate) mend() { g.check(nil) }

func (g *gate) close() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	shut := make(chan struct{})
	g.shut = shut
	return sync.OnceFunc(func() {
		g.mu.Lock()
		g.shut = nil
		g.mu.Unlock()
		close(shut)
	})
}

// attempt waits for the next append to be tried.
func (g *gate) attempt(t testing.TB) []byte {
	t.Helper()
	select {
	case pack := <-g.tried:
		return pack
	case <-time.After(patience):
		t.Fatal("nothing was appended")
		return nil
	}
}

func isKind(err error, k notice.Kind) bool { return err != nil && notice.KindOf(err) == k }

var errGone = errors.New("gone")

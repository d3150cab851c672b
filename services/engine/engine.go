package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/clock"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine/queue"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Log is what the engine needs of the ledger's log.
type Log interface {
	Append(ctx context.Context, expectLast uint64, pack []byte) (uint64, error)
	Read(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) (uint64, error)
	// Follow is Read that goes on until the context ends.
	Follow(ctx context.Context, from uint64, fn func(seq uint64, at time.Time, pack []byte) error) error
}

// Message is an event as it was published, read and held against the rules.
type Message struct {
	Sequence   uint64
	Event      *eventv1.Event // what could be read of it
	Faults     int            // more than none: it was refused
	Quarantine uint64         // where it is, if refused
	Reported   Reported       // who typed it, where it was reported by hand
	Waited     time.Duration  // how long it had lain in the stream when it was read
}

// Reported is who reported an event by hand.
type Reported struct {
	Contact   string // id of the contact whose mailbox signed in
	Statement uint64 // number in the vault of the name of who typed it
}

// Events is what the engine needs of the agencies' events.
type Events interface {
	// Follow hands over an agency's events from a sequence on, in order, until the context ends. A refused event is in
	// quarantine before it is handed over.
	Follow(ctx context.Context, agency notice.AgencyID, from uint64, fn func(Message) error) error
	// Get reads one event that was accepted. One that was erased is NotFound.
	Get(ctx context.Context, agency notice.AgencyID, sequence uint64) (*eventv1.Event, error)
}

// Sender sends a message on one channel. It asks delivery.Held just before the first byte that cannot be taken back.
type Sender interface {
	Send(ctx context.Context, m delivery.Message) delivery.Result
}

// Current is the directory and the policy in force.
type Current func() (*directory.Snapshot, *policy.Policy)

// Deps are the engine's parts.
type Deps struct {
	Log     Log
	Events  Events
	Current Current
	Senders map[string]Sender                          // by channel: delivery.Email, delivery.GRPC
	Links   func(notice string, attempt uint32) string // address of a notice's page
	Clock   clock.Clock
	Logger  *zap.Logger
	// Election says when it is this instance's turn to lead; nil is an instance that is alone.
	Election Election
	// Guard says whether this machine's clock can be right; nil is a clock that always is.
	Guard ClockGuard
}

// Config is the engine's settings.
type Config struct {
	Instance   string
	Key        notice.Key
	MailDomain string            // right-hand side of Message-IDs
	Limits     map[string]Limits // by channel
	Lease      time.Duration     // longest that one send may take
	MaxPack    int               // bytes in one pack, below the log's largest message; 0 is 960 KiB
}

// Engine is the one writer.
type Engine struct {
	Deps
	config Config

	state    *ledger.State
	last     uint64 // sequence of the newest pack
	previous []byte // hash of its bytes
	epoch    uint64

	pending  []unit // folded, not yet in a pack
	waiting  int    // bytes of pending
	recorded uint64 // units so far
	durable  uint64 // units that are in the log
	effects  []effect
	flying   bool
	writer   sync.WaitGroup // the append in flight

	inputs   chan input // commands, questions and the ends of sends
	arrivals chan input // events, apart: no flood of them holds those up
	appended chan appendResult
	stopped  chan struct{} // closed once Run has ended
	agencies chan struct{} // the list of agencies may have changed
	news     chan notice.AgencyID
	ready    chan struct{} // closed once the ledger was read to its end
	started  chan struct{} // closed once Run leads
	leading  bool

	distrusts bool // the clock: nothing is decided or sent by it

	queues   map[string]*queue.Queue // ready notices and sends under way, by channel
	later    []postponed
	waiters  []waiter
	bodies   *bodies
	showings *showings
	off      calledOff // sends under way that must not go on

	subscriptions followed                // as the ledger has them
	undurable     map[notice.AgencyID]int // how much of an inbox is durable, where not all of it is
	reading       map[string]bool         // manifests that are being read, to be compared

	group *errgroup.Group // followers and sends
	crew  *crew           // of the group: sends
	ctx   context.Context // of the group: ends with Run, or when a follower fails
	work  context.Context // of what must still be written: ends with Run alone
	sends context.Context // of sends: ends when the lead is lost
}

// input is anything that the owning goroutine handles: it runs there.
type input func()

// New checks the parts and settings.
func New(d Deps, c Config) (*Engine, error) {
	switch {
	case d.Log == nil || d.Events == nil || d.Current == nil || d.Clock == nil || d.Logger == nil || d.Links == nil:
		return nil, notice.Faultf(notice.Internal, "engine.New", "a part is missing")
	case c.Lease <= 0:
		return nil, notice.Faultf(notice.Invalid, "engine.New", "lease: give the longest time that a send may take")
	case c.Instance == "" || c.MailDomain == "":
		return nil, notice.Faultf(notice.Invalid, "engine.New", "instance and mail domain must be named")
	}
	e := &Engine{
		Deps: d, config: c, state: ledger.NewState(),
		inputs: make(chan input, 1024), arrivals: make(chan input, arrivalsAhead), appended: make(chan appendResult, 1),
		agencies: make(chan struct{}, 1), stopped: make(chan struct{}), news: make(chan notice.AgencyID, 1024), started: make(chan struct{}),
		ready:  make(chan struct{}),
		queues: map[string]*queue.Queue{}, bodies: newBodies(bodyRoom), showings: newShowings(showingRoom),
		undurable: map[notice.AgencyID]int{}, reading: map[string]bool{},
	}
	if e.config.MaxPack <= 0 {
		e.config.MaxPack = defaultMaxPack
	}
	for channel := range d.Senders {
		if err := c.Limits[channel].Check(); err != nil {
			return nil, notice.Faultf(notice.Invalid, "engine.New", "limits of %s: %w", channel, err)
		}
		e.queues[channel] = queue.New(c.Limits[channel])
	}
	return e, nil
}

// Started is closed once Run has taken the lead.
func (e *Engine) Started() <-chan struct{} { return e.started }

// News tells of agencies that have something to hear. It is a hint: what was missed is in Feedback.
func (e *Engine) News() <-chan notice.AgencyID { return e.news }

// Refresh tells the engine that the directory has changed: agencies may have come. Contacts need no telling: they are
// looked up at each send.
func (e *Engine) Refresh() {
	select {
	case e.agencies <- struct{}{}:
	default:
	}
}

// Run reads the ledger, follows it until it is this instance's turn, takes the lead and works until the context ends or
// the lead is lost (notice.Conflict). It returns once every send under way has ended and its end is written; where the
// lead is lost sends are cut off. An Engine runs once.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.stopped)
	if err := e.fold(ctx); err != nil {
		return err
	}
	close(e.ready)
	term, err := e.standBy(ctx)
	if term == nil {
		return err
	}
	defer term.Resign()
	if err := e.takeTheLead(ctx); err != nil {
		return err
	}

	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	e.work = work
	held := func() bool { return term.Held() && e.steady() }
	sends, cutOff := context.WithCancel(delivery.WithLease(context.WithoutCancel(ctx), held))
	defer cutOff()
	e.sends = sends
	e.group, e.ctx = errgroup.WithContext(work)
	e.crew = newCrew(e.group)
	followCtx, stopFollowing := context.WithCancel(e.ctx)
	defer stopFollowing()

	err = e.loop(ctx, followCtx, term.Lost())
	stopFollowing()
	if err == nil {
		err = e.windDown()
	}
	if notice.KindOf(err) == notice.Conflict { // another may lead already: nothing of ours goes out beside its own
		cutOff()
	}
	cancel()
	e.crew.dismiss()
	if groupErr := e.join(); err == nil {
		err = groupErr
	}
	return err
}

// loop is the one goroutine that owns the state.
func (e *Engine) loop(ctx, followCtx context.Context, lost <-chan struct{}) error {
	following := map[notice.AgencyID]bool{}
	e.follow(followCtx, following)
	for {
		wake, stop := e.wake()
		inputs, arrivals := e.inputs, e.arrivals
		if e.flying && e.full() {
			inputs, arrivals = nil, nil // the log is slow: take no more in than it can write
		}
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-e.ctx.Done():
			stop()
			return nil // a follower or a send failed: join says why
		case <-lost:
			stop()
			return notice.Faultf(notice.Conflict, "engine.Run", "the lease on the lead is over")
		case <-wake:
		case in := <-inputs:
			in()
		case in := <-arrivals:
			in()
		case res := <-e.appended:
			if err := e.landed(res); err != nil {
				stop()
				return err
			}
		case <-e.agencies:
			e.follow(followCtx, following)
		}
		stop()
		e.drain()
		e.act()
		if err := e.flush(); err != nil {
			return err
		}
		e.answerWaiters()
	}
}

const (
	// arrivalsAhead is how many events have been read and wait to be taken in. More would wait here as they came, and what a
	// quiet agency publishes behind all of a noisy one's; in the agencies' streams each waits behind its own alone.
	arrivalsAhead = 32
	// arrivalsAtOnce is how many events are taken in and decided on before sends begin whose start has become durable, and
	// their ends are taken: some milliseconds' worth.
	arrivalsAtOnce = 32
)

// drain handles what else has arrived, so that it shares a pack; bounded, so that a flood does not hold a pack up.
func (e *Engine) drain() {
	e.drainSome(e.inputs, 1024)
	e.drainSome(e.arrivals, arrivalsAtOnce)
}

func (e *Engine) drainSome(from <-chan input, most int) {
	for range most {
		if e.full() {
			return
		}
		select {
		case in := <-from:
			in()
		default:
			return
		}
	}
}

// windDown lets the sends under way end and writes what they ended with. It takes nothing new.
func (e *Engine) windDown() error {
	deadline := time.NewTimer(e.config.Lease)
	defer deadline.Stop()
	for {
		if err := e.flush(); err != nil {
			return err
		}
		if !e.flying && e.sending() == 0 {
			return nil
		}
		select {
		case in := <-e.inputs:
			in()
		case res := <-e.appended:
			if err := e.landed(res); err != nil {
				return err
			}
		case <-deadline.C:
			return notice.Faultf(notice.Unavailable, "engine.Run", "sends under way did not end in time: they are retried as unknown")
		}
	}
}

// join waits for followers, sends and the append in flight. What they still hand over is too late to be written.
func (e *Engine) join() error {
	done := make(chan error, 1)
	go func() {
		err := e.group.Wait()
		e.writer.Wait()
		done <- err
	}()
	for {
		select {
		case <-e.inputs:
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}
	}
}

// wake is when the next timer is due.
func (e *Engine) wake() (<-chan struct{}, func()) {
	if e.distrusts {
		return lookAgain()
	}
	nextMS, armed := e.state.NextMS()
	for _, p := range e.later {
		if !armed || p.atMS < nextMS {
			nextMS, armed = p.atMS, true
		}
	}
	for _, q := range e.queues {
		if ms, waits := q.NextMS(); waits && (!armed || ms < nextMS) {
			nextMS, armed = ms, true
		}
	}
	if ms := e.subscriptions.nextMS; ms != 0 && (!armed || ms < nextMS) {
		nextMS, armed = ms, true
	}
	if !armed {
		return nil, func() {}
	}
	return e.Clock.Until(time.UnixMilli(nextMS))
}

func (e *Engine) now() time.Time { return e.Clock.Now() }

func (e *Engine) nowMS() int64 { return e.now().UnixMilli() }

package app

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

const (
	// lookWithin bounds what one look asks of the engine, and again what it asks of the store.
	lookWithin = 5 * time.Second
	// staleAfter is how many looks may fail to come before nobody takes the last one for the present.
	staleAfter = 4
)

// guard looks at the service every few seconds and says what needs a person's attention. Every instance has one, whether
// it leads or not: a standby sees a leader that does nothing.
type guard struct {
	service  *Service
	config   Config
	settings alarm.Settings
	clock    *clockGuard
	heart    *heart // nil where nobody waits for a heartbeat
	log      *zap.Logger

	leads atomic.Bool
	seen  atomic.Pointer[sight]
	room  headroom

	// Owned by run.
	lease    uint64 // revision last seen
	leaseAt  time.Time
	answered time.Time // by the engine
	asked    time.Time // the store, with an answer
	logged   map[alarm.Code]raised
}

// sight is what one look saw.
type sight struct {
	at       time.Time // by the machine's clock that is not set
	account  account
	observed alarm.Observations
	alarms   []alarm.Alarm
	room     store.Room
	packs    uint64
}

// raised is an alarm that the log has told of.
type raised struct {
	since    time.Time
	told     time.Time
	severity alarm.Severity
}

func (s *Service) openGuard(context.Context) error {
	heart, err := newHeart(s.config.Heartbeat, s.config.Instance)
	if err != nil {
		return err
	}
	now := time.Now()
	s.guard.heart = heart
	s.guard.leaseAt, s.guard.answered, s.guard.asked = now, now, now
	return s.openMetrics()
}

// newGuard is made before the engine, which asks its clock.
func (s *Service) newGuard() *guard {
	return &guard{
		service: s, config: s.config, settings: s.config.alarmSettings(), log: s.log.Named("guard"), logged: map[alarm.Code]raised{},
		clock: newClockGuard(s.machine, s.clock, s.config.Clock.Tolerance),
		room:  headroom{reserve: s.config.NATS.ReserveBytes},
	}
}

// run looks until the context ends.
func (g *guard) run(ctx context.Context) error {
	tick := time.NewTicker(g.config.Alarms.Every)
	defer tick.Stop()
	for {
		g.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look sees how things stand, acts on the room that is left, and tells.
func (g *guard) look(ctx context.Context) {
	s := &sight{}
	if last := g.seen.Load(); last != nil {
		s.account, s.room, s.packs = last.account, last.room, last.packs // as it was, where it cannot be seen now
	}
	snapshot, _ := g.service.holder.Current()
	agencies := publishing(snapshot)
	g.lookAtLedger(ctx, s, agencies)
	g.lookAtStore(ctx, s, agencies)
	if ctx.Err() != nil {
		return
	}
	s.account.observe(&s.observed, snapshot, g.service.key)
	s.observed.Clock.Wrong, s.observed.Clock.For = g.clock.why()
	s.observed.Heartbeat = g.heart.fared()
	s.alarms = alarm.Evaluate(s.observed, g.settings, g.service.clock.Now())
	s.at = time.Now()
	g.keepAges(s)
	g.seen.Store(s)
	g.tell(s)
}

func (g *guard) lookAtLedger(ctx context.Context, s *sight, agencies []notice.AgencyID) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	now := g.service.clock.Now()
	seen := make(chan account, 1)
	err := g.service.office.View(ctx, func(state *ledger.State) {
		seen <- takeAccount(state, agencies, g.config.Instance, now)
	})
	if err != nil {
		s.observed.Unanswered = time.Since(g.answered)
		return
	}
	g.answered = time.Now()
	s.account = <-seen
	g.clock.Plausible(s.account.newestMS, s.account.confirmed)
}

func (g *guard) lookAtStore(ctx context.Context, s *sight, agencies []notice.AgencyID) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	g.lookAtLease(ctx, s)
	err := g.lookAtRoom(ctx, s)
	err = errors.Join(err, g.lookAtTime(ctx, s))
	err = errors.Join(err, g.lookAtStreams(ctx, s, agencies))
	if err == nil {
		g.asked = time.Now()
	} else if ctx.Err() == nil {
		g.log.Warn("not all of the store could be looked at; trying again", zap.Error(err))
	}
	s.observed.Store = g.room.state()
	if quiet := time.Since(g.asked); err != nil {
		s.observed.Store.Unclear = quiet
	}
}

// lookAtTime asks how long the ledger is, and an external server what time it is.
func (g *guard) lookAtTime(ctx context.Context, s *sight) error {
	before, _ := g.clock.machine.Read()
	packs, now, err := g.service.ledger.Look(ctx)
	if err != nil {
		return err
	}
	if after, _ := g.clock.machine.Read(); g.service.nats == nil {
		g.clock.compare(now, before, after)
	}
	s.packs = packs
	return nil
}

// lookAtLease notes a sign of life of whoever leads. A lease that was given back is none.
func (g *guard) lookAtLease(ctx context.Context, s *sight) {
	record, revision, err := g.service.store.Lease().Get(ctx)
	if err == nil && record.Run != "" && revision != g.lease {
		g.lease, g.leaseAt = revision, time.Now()
	}
	s.observed.Leaderless = time.Since(g.leaseAt)
}

// keepAges gives an alarm whose beginning nobody can tell the instant at which this instance first saw it.
func (g *guard) keepAges(s *sight) {
	now := g.service.clock.Now()
	for i, a := range s.alarms {
		if was, known := g.logged[a.Code]; known && a.Since.After(was.since) && now.Sub(a.Since) < time.Second {
			s.alarms[i].Since = was.since
		}
	}
}

// remindEvery is how often the log says again what lasts.
const remindEvery = time.Hour

// tell has the log say what was raised or has become worse, every hour while it lasts, and what is over.
func (g *guard) tell(s *sight) {
	now := time.Now()
	present := map[alarm.Code]bool{}
	for _, a := range s.alarms {
		present[a.Code] = true
		was, known := g.logged[a.Code]
		if known && was.severity >= a.Severity && now.Sub(was.told) < remindEvery {
			continue
		}
		g.log.Error("alarm", zap.String("alarm", string(a.Code)), zap.Stringer("severity", a.Severity), zap.String("state", a.Text),
			zap.Time("since", a.Since.UTC()), zap.Strings("subjects", a.Subjects), zap.String("runbook", a.Code.Runbook()))
		g.logged[a.Code] = raised{since: a.Since, told: now, severity: a.Severity}
	}
	for code, was := range g.logged {
		if !present[code] {
			g.log.Info("alarm is over", zap.String("alarm", string(code)), zap.Time("since", was.since.UTC()))
			delete(g.logged, code)
		}
	}
}

// fresh is the last look, unless too many have failed to come since.
func (g *guard) fresh() (*sight, bool) {
	s := g.seen.Load()
	return s, s != nil && time.Since(s.at) < staleAfter*(g.config.Alarms.Every+lookWithin)
}

// Alarms are what is raised now, as this instance sees it.
func (g *guard) Alarms() (raised []alarm.Alarm, instance string, leads bool, err error) {
	s, fresh := g.fresh()
	if !fresh {
		return nil, "", false, notice.Faultf(notice.Unavailable, "app.Alarms", "the guards of this instance have not looked yet, or look no more: try again, then see its log")
	}
	return s.alarms, g.config.Instance, g.leads.Load(), nil
}

// Admit says whether there is room for a new event.
func (g *guard) Admit() error { return g.room.admit() }

// slack is the most that has to be free above the reserve before new events are taken again.
const slack = 16 << 20

// headroom is the room that is left, and whether new events are refused for want of it.
type headroom struct {
	reserve int64

	mu       sync.Mutex
	known    bool
	left     int64
	refusing bool
	since    time.Time
	refused  atomic.Int64 // calls so far
}

// set notes what is left. Once refused, events are taken again only when there is some room above the reserve.
func (h *headroom) set(left int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left, h.known = left, known
	switch was := h.refusing; {
	case !known:
		h.refusing = false
	case left < h.reserve:
		h.refusing = true
		if !was {
			h.since = time.Now()
		}
	case left >= h.reserve+min(h.reserve/8, slack):
		h.refusing = false
	}
}

func (h *headroom) state() alarm.Store {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := alarm.Store{Known: h.known, Room: h.left, Reserve: h.reserve, Refusing: h.refusing}
	if h.refusing {
		s.RefusedBy = time.Since(h.since)
	}
	return s
}

func (h *headroom) admit() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.refusing {
		return nil
	}
	h.refused.Add(1)
	return notice.Faultf(notice.Unavailable, "app.Admit",
		"the store is nearly full, and the event was not taken in: keep it, and publish it again later; the operator of Signalbox has been alarmed")
}

// lookAtRoom asks how much room is left: the least of what is known.
func (g *guard) lookAtRoom(ctx context.Context, s *sight) error {
	room, err := g.service.store.AccountRoom(ctx)
	if err != nil {
		return err
	}
	left, known := room.Left()
	if g.service.nats != nil {
		own, err := g.service.nats.Room()
		if err != nil {
			return err
		}
		if l, ok := own.Left(); ok && (!known || l < left) {
			room, left, known = own, l, true
		}
	}
	s.room = room
	g.room.set(left, known)
	return nil
}

// admit has the leader open and shut the agencies' streams, so that NATS itself refuses what comes while there is no room.
func (g *guard) admit(ctx context.Context, agency notice.AgencyID, shelf store.Shelf) error {
	if !g.leads.Load() {
		return nil
	}
	return g.service.store.Events().Admit(ctx, agency, shelf, !g.room.state().Refusing)
}

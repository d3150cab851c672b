package app_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// receiver has the account count what a receiver stores.
func (a *account) receiver(v *apptest.Receiver) {
	a.sink(func() []arrival {
		var all []arrival
		for _, push := range v.Pushed() {
			all = append(all, arrival{notice: notice.Reference(push.Notice), message: push.Key, marked: push.Marked})
		}
		return all
	})
}

// system makes a partner known whose own system is called first, and whose desk has a mailbox.
func (p *peers) system(id string) *apptest.Receiver {
	p.T.Helper()
	v := p.Receiver()
	p.a.receiver(v)
	p.meet(partner{id, []string{"duty grpc " + v.Addr(), "desk email desk@" + id + ".example"}})
	return v
}

// subjectOf is the reference of the event that a push tells of.
func subjectOf(req *noticev1.DeliverRequest) string { return req.Notice.GetEvents()[0].GetSubject() }

// once runs something for the first call about each event only.
func once(first func(ctx context.Context, req *noticev1.DeliverRequest) error) func(context.Context, *noticev1.DeliverRequest) error {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(ctx context.Context, req *noticev1.DeliverRequest) error {
		mu.Lock()
		again := seen[req.IdempotencyKey]
		seen[req.IdempotencyKey] = true
		mu.Unlock()
		if again {
			return nil
		}
		return first(ctx, req)
	}
}

func untilEnded(ctx context.Context, _ *noticev1.DeliverRequest) error {
	<-ctx.Done()
	return ctx.Err()
}

// systems are two receivers that behave alike: one takes one notice in a call, the other several.
type systems []*apptest.Receiver

// singlyAndBatches are the ids of systems.
func singlyAndBatches() []string { return []string{"single-system", "batch-system"} }

func (p *peers) systems() systems {
	p.T.Helper()
	var all systems
	for _, id := range singlyAndBatches() {
		all = append(all, p.system(id))
	}
	return all
}

func (s systems) up(conduct func(v *apptest.Receiver) apptest.Conduct) {
	for i, v := range s {
		c := conduct(v)
		c.Batches = i == 1
		v.Up(c)
	}
}

// well has the systems behave as they should.
func (s systems) well() { s.up(func(*apptest.Receiver) apptest.Conduct { return apptest.Conduct{} }) }

func (s systems) stored() []int {
	var all []int
	for _, v := range s {
		all = append(all, v.Stored())
	}
	return all
}

// tellSystems publishes so many events that tell both systems, and a trust by email.
func (p *peers) tellSystems(n int) { p.tell(n, append(singlyAndBatches(), "trust")...) }

// mailAtOnce waits until the trust has so many mails, and fails where they had to wait for time to pass.
func (p *peers) mailAtOnce(n int) {
	p.T.Helper()
	p.AwaitMail(func() bool { return byAddress(p.relay.All())["duty@trust.example"] == n })
	p.noTimePassed()
}

// newSystems is a world with both systems and a trust whose mail goes out as it should.
func newSystems(t *testing.T, a *account, change func(*apptest.Rig)) (*peers, systems) {
	t.Helper()
	p := newPeers(t, a, change)
	s := p.systems()
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})
	return p, s
}

// runClock has time pass by itself, until what it returns is called.
func (p *peers) runClock() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.Clock.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

func receiverHangs(t *testing.T, a *account) {
	p, s := newSystems(t, a, quickTimeouts)
	s.up(func(*apptest.Receiver) apptest.Conduct { return apptest.Conduct{Before: untilEnded} })
	n := a.pick(6, 100, 400)
	p.tellSystems(n)
	p.mailAtOnce(n)
	p.Settle()
	equal(t, "stored by those that hang", s.stored(), []int{0, 0})
	s.well()
	p.allDelivered(3 * n)
	equal(t, "stored", s.stored(), []int{n, n})
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{"duty@trust.example": n})
	p.balance(0)
}

// Two slow receivers take all slots between them, until their sends have lasted long enough to give them up.
func receiverIsSlow(t *testing.T, a *account) {
	p, slow := newSystems(t, a, nil)
	defer p.runClock()()
	fast := p.system("fast-system")
	fast.Up(apptest.Conduct{})
	release := make(chan struct{})
	slow.up(func(*apptest.Receiver) apptest.Conduct {
		return apptest.Conduct{Before: func(ctx context.Context, _ *noticev1.DeliverRequest) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
	})
	n := a.pick(30, 300, 1000)
	p.tell(n, append(singlyAndBatches(), "fast-system", "trust")...)
	p.AwaitMail(func() bool { return fast.Stored() == n && len(p.relay.All()) == n })
	if waited := p.Clock.Now().Sub(p.began); waited > 10*time.Second {
		t.Errorf("the others had theirs after %v", waited)
	} else {
		a.note("the others had theirs after %v", waited.Round(time.Second/10))
	}
	for _, v := range slow {
		if calls := v.Calls(); calls > p.Config.Send.Pushes/2 {
			t.Errorf("a slow receiver has %d calls at once", calls)
		}
	}
	close(release)
	p.Settle()
	if s := p.Summary(); int(s.Delivered) != 4*n {
		t.Errorf("%v", s)
	}
	equal(t, "stored", append(slow.stored(), fast.Stored()), []int{n, n, n})
	p.balance(0)
}

// comeAgain is the answer of a receiver that says when it wants to be called again.
func comeAgain(after time.Duration) error {
	st, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(after)})
	if err != nil {
		return err
	}
	return st.Err()
}

func receiverErrs(t *testing.T, a *account) {
	refusals := map[codes.Code]bool{
		codes.InvalidArgument: true, codes.PermissionDenied: true, codes.Unauthenticated: true, codes.Unimplemented: true,
		codes.NotFound: true, codes.FailedPrecondition: true, codes.OutOfRange: true,
	}
	p, s := newSystems(t, a, nil)
	answers, events, refused := map[string]codes.Code{}, []*eventv1.Event{}, 0
	for range a.pick(1, 10, 50) {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			ev := p.meeting(0, append(singlyAndBatches(), "trust")...)
			answers[ev.Subject], events = code, append(events, ev)
			if refusals[code] {
				refused++
			}
		}
	}
	const busy = 10 * time.Minute // of whoever says that its resources are exhausted
	s.up(func(*apptest.Receiver) apptest.Conduct {
		// Whoever says that it has a notice already has it.
		answer := func(stored bool) func(context.Context, *noticev1.DeliverRequest) error {
			return once(func(_ context.Context, req *noticev1.DeliverRequest) error {
				switch code := answers[subjectOf(req)]; {
				case stored != (code == codes.AlreadyExists):
					return nil
				case code == codes.ResourceExhausted:
					return comeAgain(busy)
				default:
					return status.Error(code, "no")
				}
			})
		}
		known := answer(true)
		return apptest.Conduct{Before: answer(false), After: func(ctx context.Context, req *noticev1.DeliverRequest) error {
			if waited := p.Clock.Now().Sub(p.began); answers[subjectOf(req)] == codes.ResourceExhausted && waited < busy {
				t.Errorf("whoever was busy for %v was called again after %v", busy, waited)
			}
			return known(ctx, req)
		}}
	})
	for _, ev := range events {
		check(t, a.publish(p.council, ev))
	}
	p.mailAtOnce(len(events))
	p.allDelivered(3 * len(events))
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{
		"duty@trust.example": len(events), "desk@single-system.example": refused, "desk@batch-system.example": refused,
	})
	equal(t, "stored", s.stored(), []int{len(events) - refused, len(events) - refused})
	p.balance(0)
}

func receiverCuts(t *testing.T, a *account) {
	p, s := newSystems(t, a, nil)
	s.up(func(v *apptest.Receiver) apptest.Conduct {
		return apptest.Conduct{After: once(func(ctx context.Context, req *noticev1.DeliverRequest) error {
			v.Cut()
			return untilEnded(ctx, req)
		})}
	})
	n := a.pick(5, 50, 200)
	p.tellSystems(n)
	p.mailAtOnce(n)
	p.pass(10*time.Second, 3*time.Hour, func(s *ledgerv1.SummaryResponse) bool { return int(s.Delivered) == 3*n })
	equal(t, "stored", s.stored(), []int{n, n})
	p.balanceBetween(n, 2*n) // one that was not stored when another's call was cut comes once
}

// While a receiver is away few notices are tried on it: those whose tries are used up go to the desk by email, and the
// others wait for it.
func receiverReturns(t *testing.T, a *account) {
	const away, rest, atOnce = time.Hour, 30 * time.Second, 8
	p, s := newSystems(t, a, nil)
	s.up(func(*apptest.Receiver) apptest.Conduct {
		return apptest.Conduct{Before: func(context.Context, *noticev1.DeliverRequest) error {
			return status.Error(codes.Unavailable, "back in an hour")
		}}
	})
	n := a.pick(40, 400, 2000)
	p.tellSystems(n)
	p.mailAtOnce(n)
	p.Settle()
	for p.Clock.Now().Sub(p.began) < away {
		p.Clock.Advance(rest)
		p.Settle()
	}
	calls := 0
	for _, v := range s {
		if most := atOnce + int(away/rest) + 1; v.Calls() > most {
			t.Errorf("a receiver was called for %d notices while it was away, want %d at most", v.Calls(), most)
		}
		calls += v.Calls()
	}
	returned := p.Clock.Now()
	s.well()
	p.allDelivered(3 * n)
	if took := p.Clock.Now().Sub(returned); took > 10*time.Minute {
		t.Errorf("all out %v after the receivers were back", took)
	}
	waited := 0
	for i, stored := range s.stored() {
		desk := byAddress(p.relay.All())["desk@"+singlyAndBatches()[i]+".example"]
		if stored+desk != n || stored == 0 {
			t.Errorf("%d are stored by %s, and %d at its desk", stored, singlyAndBatches()[i], desk)
		}
		waited += stored
	}
	a.note("%d calls in the hour; %d went to the desks, %d waited", calls, 2*n-waited, waited)
	p.balance(0)
}

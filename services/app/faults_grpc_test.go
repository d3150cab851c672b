package app_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

func receiverHangs(t *testing.T, a *account) {
	p := newPeers(t, a, quickTimeouts)
	system := p.system("council-system")
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})
	system.Up(apptest.Conduct{Before: untilEnded})
	n := a.pick(6, 100, 400)
	p.tell(n, "council-system", "trust")
	p.AwaitMail(func() bool { return len(p.relay.All()) == n })
	p.Settle()
	p.noTimePassed()
	if stored := system.Stored(); stored > 0 {
		t.Errorf("a receiver that hangs stored %d", stored)
	}
	system.Up(apptest.Conduct{})
	p.allDelivered(2 * n)
	equal(t, "stored", system.Stored(), n)
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{"duty@trust.example": n})
	p.balance(0)
}

func receiverIsSlow(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	slow, fast := p.system("slow-system"), p.system("fast-system")
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})
	fast.Up(apptest.Conduct{})
	release := make(chan struct{})
	slow.Up(apptest.Conduct{Before: func(ctx context.Context, _ *noticev1.DeliverRequest) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	n := a.pick(30, 300, 1000)
	p.tell(n, "slow-system", "fast-system", "trust")
	p.AwaitMail(func() bool { return len(p.relay.All()) == n && fast.Stored() == n })
	if calls := slow.Calls(); calls > p.Config.Send.Pushes/2 {
		t.Errorf("the slow receiver has %d calls at once", calls)
	}
	close(release)
	p.Settle()
	p.noTimePassed()
	if s := p.Summary(); int(s.Delivered) != 3*n {
		t.Errorf("%v", s)
	}
	equal(t, "stored", []int{slow.Stored(), fast.Stored()}, []int{n, n})
	p.balance(0)
}

func receiverErrs(t *testing.T, a *account) {
	refusals := map[codes.Code]bool{
		codes.InvalidArgument: true, codes.PermissionDenied: true, codes.Unauthenticated: true, codes.Unimplemented: true,
		codes.NotFound: true, codes.FailedPrecondition: true, codes.OutOfRange: true,
	}
	p := newPeers(t, a, nil)
	system := p.system("council-system")
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})

	answers, events, refused := map[string]codes.Code{}, []*eventv1.Event{}, 0
	for range a.pick(1, 10, 50) {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			ev := p.meeting(0, "council-system", "trust")
			answers[ev.Subject], events = code, append(events, ev)
			if refusals[code] {
				refused++
			}
		}
	}
	answer := func(req *noticev1.DeliverRequest) error { return status.Error(answers[subjectOf(req)], "no") }
	system.Up(apptest.Conduct{
		Before: once(func(_ context.Context, req *noticev1.DeliverRequest) error {
			if answers[subjectOf(req)] == codes.AlreadyExists {
				return nil
			}
			return answer(req)
		}),
		After: once(func(_ context.Context, req *noticev1.DeliverRequest) error {
			if answers[subjectOf(req)] == codes.AlreadyExists {
				return answer(req)
			}
			return nil
		}),
	})
	for _, ev := range events {
		check(t, a.publish(p.council, ev))
	}
	p.Settle()
	p.noTimePassed()
	if mail := byAddress(p.relay.All())["duty@trust.example"]; mail != len(answers) {
		t.Errorf("%d emails at once, want %d", mail, len(answers))
	}
	p.allDelivered(2 * len(answers))
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{
		"duty@trust.example": len(answers), "desk@council-system.example": refused,
	})
	equal(t, "stored", system.Stored(), len(answers)-refused)
	p.balance(0)
}

func receiverCuts(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	system := p.system("council-system")
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})
	system.Up(apptest.Conduct{After: once(func(ctx context.Context, req *noticev1.DeliverRequest) error {
		system.Cut()
		return untilEnded(ctx, req)
	})})
	n := a.pick(5, 50, 200)
	p.tell(n, "council-system", "trust")
	p.AwaitMail(func() bool { return byAddress(p.relay.All())["duty@trust.example"] == n })
	p.noTimePassed()
	p.pass(10*time.Second, time.Hour, func(s *ledgerv1.SummaryResponse) bool { return int(s.Delivered) == 2*n })
	equal(t, "stored, and at the desk", system.Stored(), n)
	p.balance(n)
}

// While a receiver is away few notices are tried on it: those whose tries are used up go to the desk by email, and the
// others wait for it.
func receiverReturns(t *testing.T, a *account) {
	const away, rest, atOnce = time.Hour, 30 * time.Second, 8
	p := newPeers(t, a, nil)
	system := p.system("council-system")
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{})
	system.Up(apptest.Conduct{Before: func(context.Context, *noticev1.DeliverRequest) error {
		return status.Error(codes.Unavailable, "back in an hour")
	}})
	n := a.pick(40, 400, 2000)
	p.tell(n, "council-system", "trust")
	p.Settle()
	if mail := byAddress(p.relay.All())["duty@trust.example"]; mail != n {
		t.Errorf("%d emails at once, want %d", mail, n)
	}
	for p.Clock.Now().Sub(p.began) < away {
		p.Clock.Advance(rest)
		p.Settle()
	}
	calls := system.Calls()
	if most := atOnce + int(away/rest) + 1; calls > most {
		t.Errorf("the receiver was called %d times while it was away, want %d at most", calls, most)
	}
	returned := p.Clock.Now()
	system.Up(apptest.Conduct{})
	p.allDelivered(2 * n)
	if took := p.Clock.Now().Sub(returned); took > 10*time.Minute {
		t.Errorf("all out %v after the receiver was back", took)
	}
	desk := byAddress(p.relay.All())["desk@council-system.example"]
	equal(t, "stored, and at the desk", system.Stored()+desk, n)
	if desk == n {
		t.Error("nothing waited for the receiver")
	}
	a.note("%d calls in the hour; %d went to the desk, %d waited", calls, desk, system.Stored())
	p.balance(0)
}

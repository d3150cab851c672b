package engine_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/engine"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// addressed is a contact of the borough at another address.
func addressed(id, organisation, role, address string) *directoryv1.Row {
	return directory.ContactRow(&directoryv1.Contact{
		Id: id, Organisation: organisation, Role: role, Use: "regular", Channel: delivery.Email, Address: address, VerifiedOn: "2026-01-05",
	})
}

func about(given string) func(*eventv1.Event) {
	return func(ev *eventv1.Event) { ev.Children = []*eventv1.Child{child("c1", given)} }
}

func graded(risk eventv1.RiskGrade) func(*eventv1.Event) {
	return func(ev *eventv1.Event) { ev.Risk = risk }
}

// publish publishes so many incidents like one.
func (r *rig) publish(n int, prefix string, change ...func(*eventv1.Event)) {
	for i := range n {
		id := prefix + strconv.Itoa(i)
		r.events.publish(r.incident(id, "KV/"+id, change...))
	}
}

// reasons are why chains moved on, without repeats.
func (r *rig) reasons() string {
	r.t.Helper()
	var reasons []string
	for _, f := range r.facts() {
		if f.GetEscalated() != nil {
			reasons = append(reasons, f.GetEscalated().Reason)
		}
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

func counting(phase ledger.Phase, n int64) func(*ledger.State) bool {
	return func(s *ledger.State) bool { return s.Counts()[phase] == n }
}

func TestAHungEndpointDelaysNoOther(t *testing.T) {
	r := newRig(t, pupil("ben", "Ben", other), addressed("other-dsl", other, "dsl", "dsl@other.example"))
	r.limits = engine.Limits{Slots: 2, AtOnce: 1}
	hang := make(chan struct{})
	defer close(hang)
	r.post.answers(func(m delivery.Message) delivery.Result {
		if m.Endpoint.Contact == "dsl" {
			<-hang
		}
		return delivery.Result{Outcome: delivery.Delivered}
	})
	e := r.run()
	r.publish(10, "hung")
	e.await("the hung send", counting(ledger.Ready, 9))
	r.publish(10, "well", about("Ben"))
	e.await("ten delivered past the hung one", counting(ledger.Awaiting, 10))
	e.see(func(s *ledger.State) {
		if c := s.Counts(); c[ledger.Sending] != 1 || c[ledger.Ready] != 9 {
			t.Errorf("counts %v", c)
		}
	})
}

func TestSendsThatHangGiveTheirSlotsToOthers(t *testing.T) {
	r := newRig(t, pupil("ben", "Ben", other), addressed("other-dsl", other, "dsl", "dsl@other.example"))
	r.limits = engine.Limits{Slots: 1, Slow: 1}
	hang := make(chan struct{})
	defer close(hang)
	r.post.answers(func(m delivery.Message) delivery.Result {
		if m.Endpoint.Contact == "dsl" {
			<-hang
		}
		return delivery.Result{Outcome: delivery.Delivered}
	})
	e := r.run()
	r.publish(1, "hung")
	r.post.arrived(t, 1)
	r.publish(3, "well", about("Ben"))
	e.await("three waiting", counting(ledger.Ready, 3))
	r.clock.Advance(3 * time.Second)
	e.await("three past the hung one", counting(ledger.Awaiting, 3))
}

func TestAnUrgentNoticeDoesNotWaitForFiveThousandRoutineOnes(t *testing.T) {
	r := newRig(t)
	r.limits = engine.Limits{Slots: 4, Urgent: 1}
	r.post.holdBack()
	defer r.post.letGo(delivery.Result{Outcome: delivery.Delivered})
	e := r.run()
	r.publish(5000, "routine", graded(eventv1.RiskGrade_RISK_GRADE_STANDARD))
	e.await("all but three waiting", counting(ledger.Ready, 4997))
	r.publish(1, "urgent", graded(eventv1.RiskGrade_RISK_GRADE_HIGH))
	fourth := r.post.arrived(t, 4)[3].Notice.Id
	e.see(func(s *ledger.State) {
		if lane := s.Notices[fourth].Lane; lane != ledgerv1.Lane_LANE_URGENT {
			t.Errorf("the fourth send is of %s", lane)
		}
	})
}

func TestAnEndpointThatFailsIsLeftAloneThenProbedThenOpenAgain(t *testing.T) {
	r := newRig(t)
	r.limits = engine.Limits{Slots: 8, AtOnce: 1, Failures: 2, Rest: 10 * time.Minute}
	r.post.answers(func(delivery.Message) delivery.Result { return delivery.Result{Outcome: delivery.Transient} })
	e := r.run()
	r.publish(4, "i")
	failed := func(n int) func(*ledger.State) bool {
		return func(s *ledger.State) bool {
			ended := 0
			for _, n := range s.Notices {
				for i := range n.Attempts {
					if n.Attempts[i].Ended() {
						ended++
					}
				}
			}
			return ended == n && s.Cursor(police) == 4
		}
	}
	e.await("two failures", failed(2))
	r.clock.Advance(9 * time.Minute) // the retries of the first two are due
	e.await("all waiting", counting(ledger.Ready, 2))
	equal(t, "dsl, dsl", r.post.to())
	r.clock.Advance(time.Minute)
	e.await("the probe", failed(3))
	equal(t, "dsl, dsl, dsl", r.post.to())
	r.post.answers(nil)
	r.clock.Advance(10 * time.Minute)
	e.await("all four", counting(ledger.Awaiting, 4))
	if n := len(r.post.arrived(t, 7)); n != 7 {
		t.Fatalf("%d sends", n)
	}
	equal(t, "", r.reasons())
}

func TestAFailureOfOneRecipientSaysNothingAboutTheDomain(t *testing.T) {
	r := newRig(t, pupil("ben", "Ben", other))
	r.limits = engine.Limits{Slots: 8, Failures: 1, Rest: time.Hour}
	r.post.answers(func(m delivery.Message) delivery.Result {
		if m.Endpoint.Contact == "dsl" {
			return delivery.Result{Outcome: delivery.Transient, Detail: "smtp 452 4.2.2", ThisOnly: true}
		}
		return delivery.Result{Outcome: delivery.Delivered}
	})
	e := r.run()
	r.publish(1, "full")
	e.await("the full mailbox", counting(ledger.Waiting, 1))
	r.publish(1, "well", about("Ben"))
	e.await("the other mailbox", counting(ledger.Awaiting, 1))
}

func TestARefusalForGoodIsAnAnswerOfTheEndpoint(t *testing.T) {
	r := newRig(t)
	r.limits = engine.Limits{Slots: 8, Failures: 1, Rest: time.Hour}
	r.post.answers(func(delivery.Message) delivery.Result { return delivery.Result{Outcome: delivery.Permanent} })
	e := r.run()
	r.publish(3, "refused")
	e.settle() // the lead, the deputy, the council's team: each refuses, and the next is asked at once
	e.await("three tasks", counting(ledger.WithTask, 3))
}

func TestAnEventThatCannotBeReadSaysNothingAboutTheEndpoint(t *testing.T) {
	r := newRig(t)
	r.limits = engine.Limits{Slots: 8, Failures: 2, Rest: 12 * time.Hour}
	log := newGate(r.log)
	r.log = log
	r.post.holdBack()
	first := r.run()
	r.publish(1, "i")
	r.post.arrived(t, 1)
	first.crash(log)

	r.events.fail(1, notice.Faultf(notice.Unavailable, "test", "not now"))
	e := r.run()
	r.clock.Advance(lease)
	tried := func(n int) func(*ledger.State) bool {
		return func(s *ledger.State) bool {
			for _, one := range s.Notices {
				return one.Phase == ledger.Waiting && len(one.Attempts) == n
			}
			return false
		}
	}
	e.await("the end of the lease", tried(1))
	for n := 2; n <= 3; n++ {
		r.clock.Advance(time.Duration(n) * time.Minute)
		e.await("an event that cannot be read", tried(n))
	}
	r.events.fail(1, nil)
	r.clock.Advance(10 * time.Minute)
	e.settle()
	equal(t, "dsl, dsl (again)", r.post.to())
}

func TestANoticeThatWaitsForADeadEndpointMovesOnAtItsLinksEnd(t *testing.T) {
	r := newRig(t, addressed("team", council, "education_safeguarding", "team@council.example"))
	r.limits = engine.Limits{Slots: 8, AtOnce: 1, Failures: 1, Rest: 24 * time.Hour}
	r.post.answers(func(m delivery.Message) delivery.Result {
		if m.Endpoint.Contact == "team" {
			return delivery.Result{Outcome: delivery.Delivered}
		}
		return delivery.Result{Outcome: delivery.Unknown}
	})
	e := r.run()
	r.publish(2, "i")
	e.await("one waiting for the endpoint", func(s *ledger.State) bool {
		return s.Counts()[ledger.Waiting] == 1 && s.Counts()[ledger.Ready] == 1
	})
	r.clock.Set(at(t, "2026-11-20T08:29:59Z"))
	// What is awaited is looked at once all that is due has been done: the retry has joined the queue by then.
	e.await("both waiting within their link", func(s *ledger.State) bool {
		return s.Counts()[ledger.Waiting] == 1 && s.Counts()[ledger.Ready] == 1
	})
	e.notices() // no fault while it waits within its link
	equal(t, "dsl", r.post.to())
	r.clock.Set(at(t, "2026-11-20T08:30:00Z"))
	e.await("both with the council", counting(ledger.Awaiting, 2))
	equal(t, "dsl, team, team", r.post.to())
	equal(t, "not sent in time: the endpoint did not answer others", r.reasons())
}

func TestALinkThatCouldNotBeTriedInItsTimeHasAFairWhile(t *testing.T) {
	r := newRig(t)
	r.limits = engine.Limits{Slots: 1}
	hang := make(chan struct{})
	defer close(hang)
	r.post.answers(func(m delivery.Message) delivery.Result {
		<-hang
		return delivery.Result{Outcome: delivery.Delivered}
	})
	e := r.run()
	r.publish(1, "first")
	r.post.arrived(t, 1)
	r.publish(1, "second")
	e.await("one waiting", counting(ledger.Ready, 1))
	r.clock.Set(at(t, "2026-11-20T08:30:00Z")) // the second moves on to the council, and waits there as well
	e.await("the end of the first's lease", func(s *ledger.State) bool { return s.Counts()[ledger.Sending] == 0 })
	r.clock.Set(at(t, "2026-11-20T09:30:00Z"))
	e.await("nobody but people", counting(ledger.WithTask, 2))
	equal(t, "dsl", r.post.to())
}

func TestLateIsToldAtTheDueTime(t *testing.T) {
	r := newRig(t)
	e := r.run()
	r.publish(1, "i")
	e.settle()
	due := at(t, "2026-11-20T08:30:00Z")
	r.clock.Set(due.Add(-time.Millisecond))
	e.settle()
	late := func() (facts []*ledgerv1.Fact) {
		return slices.DeleteFunc(r.facts(), func(f *ledgerv1.Fact) bool { return f.GetLate() == nil })
	}
	if n := len(late()); n != 0 {
		t.Fatalf("%d notices are late before their time", n)
	}
	r.clock.Set(due)
	e.settle()
	r.clock.Set(due.Add(2 * time.Hour))
	e.settle()
	facts := late()
	if len(facts) != 1 || facts[0].AtMs != due.UnixMilli() {
		t.Fatalf("late: %v", facts)
	}
	e.see(func(s *ledger.State) {
		changes := s.Feedback(police, 0, 100)
		last := changes[len(changes)-1]
		if last.State != ledger.ChildLate || last.AtMS != due.UnixMilli() {
			t.Errorf("the publisher heard last: %+v", last)
		}
	})
}

func TestAQuietAgencysEventIsNotTakenInBehindANoisyOnesThousand(t *testing.T) {
	const noisy = 1000
	r := newRig(t, directory.AgencyRow(&directoryv1.Agency{Id: health, Organisation: health}))
	quiet := newShelf()
	r.events.beside = map[notice.AgencyID]*shelf{health: quiet}
	e := r.run()

	busy, free := make(chan struct{}), make(chan struct{})
	seen := make(chan error, 1)
	go func() {
		seen <- e.View(r.context(), func(*ledger.State) {
			close(busy)
			<-free
		})
	}()
	<-busy
	r.publish(noisy, "noisy")
	r.events.awaitHanded(t, 32)
	quiet.publish(r.incident("quiet", "quiet", func(ev *eventv1.Event) { ev.Source = health }))
	quiet.awaitHanded(t, 1)
	close(free)
	if err := <-seen; err != nil {
		t.Fatal(err)
	}
	e.await("all", func(s *ledger.State) bool { return s.Cursor(police) == noisy && s.Cursor(health) == 1 })

	before := 0
	for _, f := range r.facts() {
		if f.GetEventAccepted().GetSource().GetAgency() == health {
			break
		}
		if f.GetEventAccepted() != nil {
			before++
		}
	}
	if before > noisy/2 {
		t.Errorf("%d of %d events were taken in before it", before, noisy)
	}
}

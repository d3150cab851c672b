package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/directory"
)

const (
	routineRisk = eventv1.RiskGrade_RISK_GRADE_STANDARD
	urgentRisk  = eventv1.RiskGrade_RISK_GRADE_HIGH
	// slots of the gRPC channel in these: sends at once.
	slots = 64
	// roomPerNotice bounds what a notice that waits may cost in memory.
	roomPerNotice = 16 << 10
)

func underLoad(r *apptest.Rig) {
	r.Config.NATS.EventsBytes = 512 << 20
	r.Config.Send.Pushes = slots
}

// stream publishes events over one stream of gRPC, and counts each in with its acknowledgement.
func (p *peers) stream(agency *apptest.Agency, n int, next func() *eventv1.Event) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	stream, err := intakev1.NewIntakeServiceClient(agency.GRPC).PublishStream(ctx)
	check(p.T, err)
	sent := make(chan error, 1)
	events := make([]*eventv1.Event, n)
	for i := range events {
		events[i] = next()
	}
	go func() {
		for _, ev := range events {
			if err := stream.Send(&intakev1.PublishStreamRequest{Event: ev}); err != nil {
				sent <- nil // the answer says why
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for answered := 0; ; answered++ {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) && answered == n {
			break
		}
		check(p.T, err)
		if len(response.Faults) > 0 {
			p.T.Fatalf("an event was refused: %v", response.Faults)
		}
		p.a.took(agency.ID, response.Id, response.Sequence)
	}
	check(p.T, <-sent)
}

// heap is the memory in use, once what is not is given back.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// urgentBehindRoutine has routine notices wait, as on a day when an operator stops sending, and publishes urgent ones once
// they go out.
func urgentBehindRoutine(t *testing.T, a *account) {
	const perEvent = 5
	p := newPeers(t, a, underLoad)
	names := make([]string, perEvent)
	var receivers []*apptest.Receiver
	for i := range names {
		names[i] = fmt.Sprintf("system-%d", i)
		receivers = append(receivers, p.system(names[i]))
		receivers[i].Up(apptest.Conduct{})
	}
	routine := a.pick(5000, 100_000, 100_000)
	before := heap()
	sending := sendingv1.NewSendingServiceClient(p.Dial(p.Service.AdminIdentity()))
	_, err := sending.Stop(p.Context(), &sendingv1.StopRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "a test"})
	check(t, err)
	p.stream(p.council, routine/perEvent, func() *eventv1.Event { return p.meeting(routineRisk, names...) })
	p.AwaitSummary(func(s *ledgerv1.SummaryResponse) bool { return int(s.Stopped) == routine })
	queued := heap()
	room := (int64(queued) - int64(before)) / int64(routine)
	if room > roomPerNotice {
		t.Errorf("a notice that waits takes %d bytes", room)
	}
	_, err = sending.Resume(p.Context(), &sendingv1.ResumeRequest{Scope: ledgerv1.Scope_SCOPE_ALL, Reason: "a test"})
	check(t, err)
	var urgent []time.Time
	for range 5 {
		urgent = append(urgent, time.Now())
		p.publish(p.meeting(urgentRisk, names...))
	}
	waiting := routine - delivered(receivers)
	p.Settle()
	p.noTimePassed()
	total := routine + len(urgent)*perEvent
	equal(t, "stored", delivered(receivers), total)
	longest := time.Duration(0)
	for _, v := range receivers {
		for _, push := range v.Pushed() {
			var number int
			if _, err := fmt.Sscanf(push.Subject, "meeting-%d", &number); err != nil {
				t.Fatal(err)
			}
			if i := number - 1 - routine/perEvent; i >= 0 {
				longest = max(longest, push.At.Sub(urgent[i]))
			}
		}
	}
	if waiting < routine/4 {
		t.Errorf("only %d of %d were left when the urgent ones came: nothing was proved", waiting, routine)
	}
	ahead := p.aheadOfUrgent(len(urgent) * perEvent)
	a.note("%d waited, %d bytes each; at most %d sends began before an urgent one that was ready, which was there after %v at most",
		waiting, room, ahead, longest.Round(time.Millisecond))
	p.balance(0)
}

func delivered(receivers []*apptest.Receiver) int {
	n := 0
	for _, v := range receivers {
		n += v.Stored()
	}
	return n
}

// publish publishes one event and waits until it is stored.
func (p *peers) publish(ev *eventv1.Event) {
	p.T.Helper()
	check(p.T, p.a.publish(p.council, ev))
}

// aheadOfUrgent reads from the ledger how many sends of other notices began at most between the decision on an urgent
// notice and its own send. There must be so many urgent ones, and no more of the others than there are slots.
func (p *peers) aheadOfUrgent(want int) int {
	p.T.Helper()
	s := p.Service.Store()
	year, err := s.LedgerYear(p.Context(), 0)
	check(p.T, err)
	began, ready, most := 0, map[string]int{}, 0
	urgent := 0
	_, err = s.Ledger(year).Read(p.Context(), 1, func(_ uint64, _ time.Time, stored []byte) error {
		var pack ledgerv1.Pack
		if err := proto.Unmarshal(stored, &pack); err != nil {
			return err
		}
		for _, f := range pack.Facts {
			for _, n := range f.GetDecided().GetNotices() {
				if n.Lane == ledgerv1.Lane_LANE_URGENT {
					ready[n.Id] = began
				}
			}
			if started := f.GetAttemptStarted(); started != nil {
				if at, is := ready[started.Notice]; is {
					urgent++
					most = max(most, began-at)
				} else {
					began++
				}
			}
		}
		return nil
	})
	check(p.T, err)
	if urgent != want {
		p.T.Errorf("%d urgent sends in the ledger, want %d", urgent, want)
	}
	if most > slots {
		p.T.Errorf("%d other sends began while an urgent notice was ready", most)
	}
	return most
}

// holdsAtOnce has notices of a holiday held until the last working day before term, all to one school, and publishes an
// urgent event in the moment of their release.
func holdsAtOnce(t *testing.T, a *account) {
	const perEvent = 25
	p := &peers{Rig: apptest.World(t, apptest.London("2026-10-29 23:00")), a: a}
	p.began = p.Clock.Now()
	underLoad(p.Rig)
	p.Boot()
	p.ImportBorough()
	a.mailbox(p.Mail)
	police := p.AddAgency("northbridge-police", "northbridge-police")
	p.council = p.AddAgency("ashmere-social-care", "ashmere-council")
	school, other := p.system("school-system"), p.system("other-system")
	school.Up(apptest.Conduct{})
	other.Up(apptest.Conduct{})
	p.meet(partner{"same-system", []string{"duty grpc " + school.Addr()}})
	// Of one role the contact whose id comes first is told.
	p.loadFrom("case-systems", "contacts", "id,organisation,role,name,channel,address,use,verified_on\n"+
		"a-system,900101,dsl,Case system,grpc,"+school.Addr()+",,2026-10-01\n"+
		"a-system-in-holidays,900101,dsl,Case system,grpc,"+school.Addr()+",holiday,2026-10-01\n")

	holds := a.pick(1000, 20_000, 20_000)
	pupils := make([]*eventv1.Child, holds)
	var roll strings.Builder
	roll.WriteString("pupil_id,upn,nhs_number,given,family,date_of_birth,setting,as_of\n")
	for i := range pupils {
		born := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i%6000).Format(time.DateOnly)
		child := apptest.Child(fmt.Sprintf("c%d", i), letters(i*7919), letters(i*104723), born) // too unlike to be taken for one another
		child.Identifiers = []*eventv1.Identifier{{Scheme: directory.SchemeUPN, Value: upn(i)}}
		pupils[i] = child
		fmt.Fprintf(&roll, "L-%d,%s,,%s,%s,%s,900101,2026-10-01\n", i, upn(i), child.Name.Given, child.Name.Family, born)
	}
	p.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Name: "many.csv", Source: "many"}, []byte(roll.String()))

	number := 0
	p.stream(police, holds/perEvent, func() *eventv1.Event {
		ev := apptest.Incident(police, fmt.Sprintf("np-%d", number), fmt.Sprintf("NP/26/%d", number), p.Clock.Now(),
			pupils[number*perEvent:(number+1)*perEvent]...)
		ev.Risk = routineRisk
		number++
		return ev
	})
	p.Settle()
	if s := p.Summary(); int(s.Held) != holds || school.Stored() != holds {
		t.Fatalf("%d told at once, %v; tasks %v", school.Stored(), s, p.OpenTasks())
	}

	p.Clock.Set(apptest.London("2026-10-30 09:00"))
	released := time.Now()
	p.publish(p.meeting(urgentRisk, "same-system", "other-system"))
	durable := time.Now()
	p.Settle()
	equal(t, "stored, and at the other system", []int{school.Stored(), other.Stored()}, []int{2*holds + 1, 1})
	if s := p.Summary(); s.Held != 0 {
		t.Errorf("%v", s)
	}
	var last time.Time
	longest := time.Duration(0)
	for _, v := range []*apptest.Receiver{school, other} {
		for _, push := range v.Pushed() {
			if push.At.After(last) {
				last = push.At
			}
			if push.Subject == "meeting-000001" {
				longest = max(longest, push.At.Sub(durable))
			}
		}
	}
	if took := last.Sub(released); longest > 2*time.Second && longest > took/4 {
		t.Errorf("the urgent notice was there after %v, all others after %v", longest, took)
	}
	ahead := p.aheadOfUrgent(2)
	a.note("%d released at once, all out after %v; at most %d sends began before an urgent one that was ready, which was there after %v",
		holds, last.Sub(released).Round(time.Millisecond), ahead, longest.Round(time.Millisecond))
	p.balance(0)
}

// letters writes a number in letters only, as names are written.
func letters(n int) string {
	var b strings.Builder
	for range 6 {
		b.WriteByte(byte('a' + n%26))
		n /= 26
	}
	return b.String()
}

// upn is the n-th pupil number of an invented school, that is none of the borough's, with its check letter.
func upn(n int) string {
	const check = "ABCDEFGHJKLMNPQRTUVWXYZ"
	digits := fmt.Sprintf("901%04d%02d%03d", 3001+n/20_000, 10+n/1000%20, n%1000)
	sum := 0
	for i, d := range digits {
		sum += (i + 2) * int(d-'0')
	}
	return string(check[sum%len(check)]) + digits
}

package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// peerFaults are those of whoever takes the notices, of what is published, and of the load.
func peerFaults() []fault {
	return []fault{
		{name: "SMTP refuses with 5xx, and the next contact has each notice at once", run: smtpRefuses},
		{name: "SMTP refuses connections, and all goes out once it takes them", run: smtpIsDown},
		{name: "SMTP times out, and all goes out once it answers", run: smtpIsSilent},
		{name: "SMTP greylists, and is tried again no sooner than it may be", run: smtpGreylists},
		{name: "SMTP drops TLS, and no mail goes out in clear", run: smtpDropsTLS},
		{name: "SMTP accepts and then bounces, and somebody else has each notice", run: smtpBounces},
		{name: "SMTP hangs after DATA, and what goes out again says so", run: smtpHangsAfterData},
		{name: "Postfix is the relay, and delivers, refuses and bounces", fullOnly: true, run: postfixIsTheRelay},
		{name: "a gRPC receiver hangs, and emails do not wait for it", run: receiverHangs},
		{name: "gRPC receivers are slow, and no other endpoint waits for longer than it takes to see that", run: receiverIsSlow},
		{name: "a gRPC receiver answers with every code, and each notice arrives all the same", run: receiverErrs},
		{name: "a gRPC receiver closes its connections, and stores each notice once", run: receiverCuts},
		{name: "a gRPC receiver returns after an hour, and was let alone meanwhile", run: receiverReturns},
		{name: "poison among good events, and all the good ones arrive", run: poisonAmongGood},
		{name: "routine notices wait by the thousand, and an urgent one goes next", left: "100,000 of them instead of 5,000", alone: true,
			run: urgentBehindRoutine},
		{name: "holds are released at one instant, and an urgent one goes first", left: "20,000 of them instead of 1,000", alone: true,
			run: holdsAtOnce},
	}
}

// partner is an organisation that is told, and its contacts as "<role> <channel> <address>".
type partner struct {
	id       string
	contacts []string
}

func mailPartner(id string) partner {
	return partner{id, []string{"duty email duty@" + id + ".example", "desk email desk@" + id + ".example"}}
}

// peers are a service, the relay of its mail, and a publisher of events that partners are told of.
type peers struct {
	*apptest.Rig
	a         *account
	relay     *apptest.Relay
	council   *apptest.Agency
	published int
	began     time.Time
}

// newPeers boots the service with a relay that is down.
func newPeers(t *testing.T, a *account, change func(*apptest.Rig)) *peers {
	t.Helper()
	p := &peers{Rig: apptest.World(t, apptest.London("2026-11-18 10:00")), a: a}
	p.began = p.Clock.Now()
	p.relay = p.Relay()
	a.mailbox(p.relay)
	if change != nil {
		change(p.Rig)
	}
	p.Boot()
	p.load("areas", "gss,name,kind,police_area,la_code,nation\nE23000901,Northbridge Police area,police,,,\n"+
		apptest.Ashmere+",Ashmere,local_authority,E23000901,901,england\n")
	p.load("organisations", "id,name,kind,area,status,postcode\nashmere-council,Ashmere Council,local_authority,"+apptest.Ashmere+",,\n")
	p.council = p.AddAgency("ashmere-social-care", "ashmere-council")
	return p
}

// quickTimeouts has every send end within a second and a half.
func quickTimeouts(r *apptest.Rig) { r.Config.Send.Lease = 2 * time.Second }

func (p *peers) load(format, text string) {
	p.T.Helper()
	p.loadFrom(format, format, text)
}

func (p *peers) loadFrom(source, format, text string) {
	p.T.Helper()
	result := p.Import(&directoryv1.ImportHeader{Format: format, Name: source + ".csv", Source: source}, []byte(text))
	if len(result.Faults) > 0 {
		p.T.Fatalf("%s: %v", format, result.Faults)
	}
}

// meet makes partners known.
func (p *peers) meet(partners ...partner) {
	p.T.Helper()
	var organisations, contacts strings.Builder
	organisations.WriteString("id,name,kind,area,status,postcode\n")
	contacts.WriteString("id,organisation,role,name,channel,address,verified_on\n")
	for _, o := range partners {
		fmt.Fprintf(&organisations, "%s,%s,health,%s,,\n", o.id, o.id, apptest.Ashmere)
		for i, contact := range o.contacts {
			part := strings.Fields(contact)
			fmt.Fprintf(&contacts, "%s-%d,%s,%s,Desk,%s,%s,2026-10-01\n", o.id, i, o.id, part[0], part[1], part[2])
		}
	}
	p.loadFrom(partners[0].id, "organisations", organisations.String())
	p.loadFrom(partners[0].id+"-contacts", "contacts", contacts.String())
}

// meeting is the next event: the record of a strategy meeting that partners took part in. Of those whose name begins
// with "!" it says that they did not: they are to acknowledge it.
func (p *peers) meeting(risk eventv1.RiskGrade, partners ...string) *eventv1.Event {
	p.published++
	id := fmt.Sprintf("meeting-%06d", p.published)
	now := p.Clock.Now()
	concluded := &eventv1.StrategyMeetingConcluded{
		HeldAt:   timestamppb.New(now.Add(-time.Hour)),
		Decision: eventv1.MeetingDecision_MEETING_DECISION_NO_FURTHER_ACTION, Record: "Each agency was heard.",
	}
	for _, name := range partners {
		attendance := eventv1.Attendance_ATTENDANCE_ATTENDED
		name, absent := strings.CutPrefix(name, "!")
		if absent {
			attendance = eventv1.Attendance_ATTENDANCE_ABSENT
		}
		concluded.Participants = append(concluded.Participants, &eventv1.Participant{
			Organisation: organisation(name), Function: "health", Attendance: attendance,
		})
	}
	ev := envelope(p.council, id, notice.StrategyMeetingConcluded, id, now, apptest.Child("c1", "Linden", "Quill", "2016-05-02"))
	ev.Risk = risk
	ev.Payload = &eventv1.Event_StrategyMeetingConcluded{StrategyMeetingConcluded: concluded}
	return ev
}

// tell publishes so many events that each tell all of some partners.
func (p *peers) tell(n int, partners ...string) {
	p.T.Helper()
	for range n {
		check(p.T, p.a.publish(p.council, p.meeting(0, partners...)))
	}
}

// pass lets time pass in steps, until something holds or too much of it has passed.
func (p *peers) pass(step, most time.Duration, holds func(*ledgerv1.SummaryResponse) bool) {
	p.T.Helper()
	for end := p.Clock.Now().Add(most); ; p.Clock.Advance(step) {
		p.Settle()
		s := p.Summary()
		if holds(s) {
			return
		}
		if p.Clock.Now().After(end) {
			p.T.Fatalf("after %v: %v", most, s)
		}
	}
}

// allDelivered waits until so many notices are delivered.
func (p *peers) allDelivered(n int) {
	p.T.Helper()
	p.pass(10*time.Second, 20*time.Minute, func(s *ledgerv1.SummaryResponse) bool { return int(s.Delivered) == n })
}

// noTimePassed fails where something had to wait.
func (p *peers) noTimePassed() {
	p.T.Helper()
	if waited := p.Clock.Now().Sub(p.began); waited != 0 {
		p.T.Errorf("it took %v", waited)
	}
}

// balance closes the account: so many notices came twice, each marked.
func (p *peers) balance(doubled int) *books { return p.balanceBetween(doubled, doubled) }

// balanceBetween is balance where what came twice is a matter of moments.
func (p *peers) balanceBetween(least, most int) *books {
	p.T.Helper()
	p.Settle()
	p.Verify()
	b := p.a.balance(p.T, p.Service.Store(), p.Clock.Now())
	if c := p.a.counts; c.doubled < least || c.doubled > most {
		p.T.Errorf("%d notices came twice, want %d to %d", c.doubled, least, most)
	}
	return b
}

// byAddress counts what a relay has taken.
func byAddress(mails []mailbox.Mail) map[string]int {
	counts := map[string]int{}
	for _, m := range mails {
		counts[m.To]++
	}
	return counts
}

// ends are what the sends of all events ended with, each once.
func (p *peers) ends() []string {
	p.T.Helper()
	var details []string
	for i := range p.published {
		for _, f := range p.Timeline(p.council.ID, fmt.Sprintf("meeting-%06d", i+1)) {
			if finished := f.GetAttemptFinished(); finished != nil {
				details = append(details, finished.Detail)
			}
		}
	}
	slices.Sort(details)
	return slices.Compact(details)
}

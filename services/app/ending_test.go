package app_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	nightDuty  = "edt@ashmere.example"
	wasEnded   = "told that it has ended (missing.found)"
	newer      = "A newer notice has been sent"
	takenBack  = "what you were told had ended it was taken back or corrected"
	schoolLead = "j.marlowe@beacon-row.example"

	educationTeam = "education.safeguarding@ashmere.example" // the chain goes on to them
)

func foundAgain(a *apptest.Agency, id, subject string, told, at time.Time, kids ...*eventv1.Child) *eventv1.Event {
	ev := policeEvent(a, notice.MissingFound, id, told, nil)
	ev.Subject, ev.Children = subject, kids
	ev.Payload = &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{
		FoundAt: timestamppb.New(at), Safety: eventv1.Safety_SAFETY_SAFE,
	}}
	return ev
}

func ivoBrennock() *eventv1.Child { return apptest.Child("c1", "Ivo", "Brennock", "2015-05-09") }

// missingIvo has police report Ivo missing at 19:42, and everybody told.
func missingIvo(t *testing.T) (*apptest.Rig, *apptest.Agency) {
	t.Helper()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(reportedMissing(police, "mis-1", r.Clock.Now(), ivoBrennock()))
	r.Settle()
	equal(t, "told that he is missing", r.MailTo(), []string{nightDuty, schoolLead})
	return r, police
}

// isFound has police publish that he was found.
func isFound(r *apptest.Rig, police *apptest.Agency, id string) *eventv1.Event {
	ev := foundAgain(police, id, "NP/mis-1", r.Clock.Now(), r.Clock.Now().Add(-25*time.Minute), ivoBrennock())
	police.Publish(ev)
	r.Settle()
	return ev
}

// received is how many notices came to addresses.
func received(r *apptest.Rig, addresses ...string) []int {
	var n []int
	for _, a := range addresses {
		n = append(n, len(r.Person(a).Notices()))
	}
	return n
}

func endReasons(d *ledgerv1.Decision) []string {
	out := []string{}
	for _, s := range d.Superseded {
		if s.By == "" {
			out = append(out, "by nothing: "+s.Reason)
			continue
		}
		out = append(out, s.Reason)
	}
	return out
}

func TestAChildWhoIsFoundIsChasedForNoMore(t *testing.T) {
	r, police := missingIvo(t)
	first := r.Person(nightDuty).Notices()[0]
	r.Person(nightDuty).Acknowledge(first) // the school has yet to
	r.Clock.Set(apptest.London("2026-06-19 01:30"))
	r.Settle()
	isFound(r, police, "fnd-1")
	equal(t, "mail to duty and school", received(r, nightDuty, schoolLead), []int{2, 2})
	equal(t, "what became of the beginning", endReasons(r.Decision(police.ID, "mis-1")), []string{wasEnded, wasEnded})
	for _, address := range []string{nightDuty, schoolLead} { // who answered and who did not
		p := r.Person(address)
		if page := p.Scan(p.Notices()[0]); !strings.Contains(page, newer) || strings.Contains(page, "Send me a code") {
			t.Errorf("the old link of %s leads to no newer notice:\n%s", address, page)
		}
		p.Acknowledge(p.Notices()[1])
	}
	r.Settle()
	r.Clock.Set(apptest.London("2026-06-20 12:00"))
	r.Settle()
	equal(t, "a day later", received(r, nightDuty, schoolLead, educationTeam), []int{2, 2, 0})
	equal(t, "tasks", r.OpenTasks(), []string{})
	r.Verify()
}

func TestAMailThatHangsBeforeItsDataIsCalledOffWhenTheChildIsFound(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	hangs, goOn := make(chan struct{}), make(chan struct{})
	var first sync.Once
	r.Mail.Refuse(func(to string) error {
		if to == schoolLead {
			first.Do(func() {
				close(hangs)
				<-goOn
			})
		}
		return nil
	})
	police.Publish(reportedMissing(police, "mis-1", r.Clock.Now(), ivoBrennock()))
	<-hangs
	police.Publish(foundAgain(police, "fnd-1", "NP/mis-1", r.Clock.Now(), r.Clock.Now(), ivoBrennock()))
	r.Await("the beginning is over", func() bool {
		facts := r.Timeline(police.ID, "mis-1")
		return slices.ContainsFunc(facts, func(f *ledgerv1.Fact) bool { return len(f.GetDecided().GetEnded()) == 2 })
	})
	close(goOn)
	r.Settle()
	mails := r.Person(schoolLead).Notices()
	if len(mails) != 1 {
		t.Fatalf("the school has %d mails, want the one about the return", len(mails))
	}
	if page := r.Person(schoolLead).Open(mails[0]); !strings.Contains(page, "was found") {
		t.Errorf("it reads:\n%s", page)
	}
	r.Verify()
}

// This is what a wrong word costs: if the child was not found, everybody who was to look has to hear it.
func TestAReturnThatWasNoneIsTakenBackAndTheChildIsMissingAgain(t *testing.T) {
	for name, takeBack := range map[string]func(r *apptest.Rig, police *apptest.Agency, wrong *eventv1.Event) (chases int){
		"withdrawn": func(_ *apptest.Rig, police *apptest.Agency, wrong *eventv1.Event) int {
			police.Publish(withdrawal(police, wrong))
			return 1
		},
		"corrected: it was another child": func(r *apptest.Rig, police *apptest.Agency, wrong *eventv1.Event) int {
			right := foundAgain(police, "fnd-2", wrong.Subject, r.Clock.Now(), wrong.GetMissingFound().FoundAt.AsTime(),
				apptest.Child("c1", "Bram", "Sollis", "2015-12-05"))
			right.Supersedes = wrong.Id
			police.Publish(right)
			return 2 // that child's school does not answer either
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, police := missingIvo(t)
			for _, address := range []string{nightDuty, schoolLead} {
				p := r.Person(address)
				p.Acknowledge(p.Notices()[0])
			}
			r.Clock.Set(apptest.London("2026-06-18 21:30"))
			r.Settle()
			wrong := isFound(r, police, "fnd-1")
			p := r.Person(schoolLead)
			p.Acknowledge(p.Notices()[1]) // who has answered both believes that he is back
			r.Clock.Set(apptest.London("2026-06-18 22:00"))
			r.Settle()
			chases := takeBack(r, police, wrong)
			r.Settle()

			d := r.Decision(police.ID, "mis-1")
			if d.Cause != ledgerv1.Cause_CAUSE_ENDING || len(d.Ended) > 0 {
				t.Errorf("decided by %v, ended for %v", d.Cause, d.Ended)
			}
			equal(t, "told again", apptest.Told(d), []string{
				"missing.authority ashmere-council: 22:30 Thu 18 Jun (BST)", "missing.setting gias:900101: 08:30 Fri 19 Jun (BST)",
			})
			for _, address := range []string{nightDuty, schoolLead} {
				mails := r.Person(address).Notices()
				// The last ones: those before tell of the return, and are open to nobody any more.
				if !slices.ContainsFunc(mails[max(2, len(mails)-chases):], func(m mailbox.Mail) bool {
					page := r.Person(address).Open(m)
					return strings.Contains(page, "A child is missing") && strings.Contains(page, "Brennock") && strings.Contains(page, takenBack)
				}) {
					t.Errorf("%s does not read that he is missing, and why once more", address)
				}
			}
			before := received(r, schoolLead)
			for _, at := range []string{"2026-06-18 22:20", "2026-06-19 08:30"} { // the authority's next step, then nobody is left
				r.Clock.Set(apptest.London(at))
				r.Settle()
			}
			equal(t, "the lead has it once, and the chain goes on, as for what is told of others", received(r, schoolLead, educationTeam), append(before, chases))
			if !slices.Contains(r.OpenTasks(), "EXHAUSTED northbridge-police desk") {
				t.Errorf("the authority does not answer, and nobody telephones: %v", r.OpenTasks())
			}
			r.Verify()
		})
	}
}

func TestOneOfTwoMissingChildrenIsFound(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := reportedMissing(police, "mis-1", r.Clock.Now(), ivoBrennock())
	bram := apptest.Child("c2", "Bram", "Sollis", "2015-12-05")
	ev.Children = append(ev.Children, bram)
	police.Publish(ev)
	r.Settle()
	r.Clock.Advance(time.Hour)
	bram = proto.CloneOf(bram)
	bram.Ref = "c1" // a form that counts the children it names: the handle is the brother's
	police.Publish(foundAgain(police, "fnd-1", ev.Subject, r.Clock.Now(), r.Clock.Now(), bram))
	r.Settle()
	d := r.Decision(police.ID, "mis-1")
	equal(t, "ended", endReasons(d), []string{wasEnded, wasEnded}) // his authority and his school
	equal(t, "his brother's stay", len(d.Kept), 2)
	equal(t, "for Bram alone", len(d.Ended) == 2 && d.Ended[0].Child == d.Ended[1].Child, true)
	r.Clock.Set(apptest.London("2026-06-19 08:30"))
	r.Settle()
	equal(t, "his brother's school is chased, and his own about his return alone", received(r, schoolLead, educationTeam), []int{1, 2})
	r.Verify()
}

func TestAReturnThatIsPublishedFirst(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 23:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	isFound(r, police, "fnd-1")
	late := reportedMissing(police, "mis-1", r.Clock.Now().Add(-2*time.Hour), ivoBrennock()) // kept back at its publisher's
	late.Subject = "NP/mis-1"
	explained, err := routingv1.NewRoutingServiceClient(r.Dial(r.Service.AdminIdentity())).Explain(r.Context(), &routingv1.ExplainRequest{Event: late})
	must(t, err)
	police.Publish(late)
	r.Settle()
	d := r.Decision(police.ID, "mis-1")
	equal(t, "told that he is missing", apptest.Told(d), []string{})
	equal(t, "as explained", len(explained.Decision.Notices) == 0 && len(explained.Decision.Considered) == len(d.Considered), true)
	var why []string
	for _, c := range d.Considered {
		why = append(why, c.Rule+" "+c.Organisation+": "+c.Reason)
	}
	slices.Sort(why)
	equal(t, "considered", why, []string{
		"missing.authority ashmere-council: " + wasEnded, "missing.police northbridge-police: published the event itself",
		"missing.setting gias:900101: " + wasEnded,
	})
	equal(t, "mail", received(r, nightDuty, schoolLead), []int{1, 1})
	equal(t, "tasks", r.OpenTasks(), []string{})

	// Gone again, under the same reference and then under another.
	for i, subject := range []string{"NP/mis-1", "NP/other"} {
		r.Clock.Advance(5 * time.Hour)
		again := reportedMissing(police, "again-"+subject, r.Clock.Now(), ivoBrennock())
		again.Subject, again.GetMissingReported().LastSeenAt = subject, timestamppb.New(r.Clock.Now().Add(-time.Hour))
		police.Publish(again)
		r.Settle()
		equal(t, "told that he is missing again", len(r.Decision(police.ID, again.Id).Notices), 2)
		equal(t, "at his school", received(r, schoolLead), []int{2 + i})
	}

	// And by a form that says when he was last seen before he was found, which is put right in something else.
	form := reportedMissing(police, "form", r.Clock.Now(), ivoBrennock())
	form.GetMissingReported().LastSeenAt = late.GetMissingReported().LastSeenAt
	police.Publish(form)
	r.Settle()
	equal(t, "told of what was reported after the return", len(r.Decision(police.ID, "form").Notices), 2)
	r.Clock.Advance(time.Minute)
	right := proto.CloneOf(form)
	right.Id, right.Supersedes, right.GetMissingReported().Carer = "form-2", "form", nil
	police.Publish(right)
	r.Settle()
	if d := r.Decision(police.ID, "form-2"); len(d.Notices)+len(d.Kept) != 2 || len(d.Ended) > 0 {
		t.Errorf("its correction ends it: %v", d)
	}
	r.Verify()
}

func TestAnErasedReturnStaysOneAndAReplayTakesNothingBack(t *testing.T) {
	r, police := missingIvo(t)
	r.Clock.Advance(time.Hour)
	r.Settle()
	isFound(r, police, "fnd-1")
	equal(t, "mail, of which one chased the authority", received(r, nightDuty, schoolLead), []int{3, 2})
	for _, id := range []string{"mis-1", "fnd-1"} {
		if p := plan(r, one(id, false)); p.Digest != "" {
			t.Errorf("a replay of %s would do something: %v", id, p)
		}
	}
	must(t, r.Service.Store().Events().Erase(r.Context(), police.ID, 2))
	r.Restart()
	police.Connect()
	r.Clock.Advance(time.Hour)
	// What comes under the same reference has the matter of the return decided without it.
	police.Publish(foundAgain(police, "fnd-2", "NP/mis-1", r.Clock.Now(), r.Clock.Now(), apptest.Child("c2", "Bram", "Sollis", "2015-12-05")))
	correction := reportedMissing(police, "mis-2", r.Clock.Now(), ivoBrennock())
	correction.Supersedes, correction.Subject = "mis-1", "NP/mis-1"
	correction.GetMissingReported().LastSeenAt = timestamppb.New(apptest.London("2026-06-18 15:00"))
	police.Publish(correction)
	r.Settle()
	equal(t, "told that he is missing", apptest.Told(r.Decision(police.ID, "mis-2")), []string{})
	equal(t, "mail of him", received(r, schoolLead), []int{2})
	r.Verify()
}

func TestTheEndOfPoliceProtectionEndsTheChaseOfItsBeginning(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	joss := apptest.Child("c1", "Joss", "Penhallow", "2013-06-18")
	joss.ResidenceArea = apptest.KestrelVale
	began := r.Clock.Now().Add(-time.Hour)
	police.Publish(protection(police, "pp-1", r.Clock.Now(), began, began.Add(72*time.Hour), joss))
	r.Settle()
	r.Clock.Advance(10 * time.Minute)
	ended := policeEvent(police, notice.PoliceProtectionEnded, "pp-2", r.Clock.Now(), joss)
	ended.Subject = "NP/pp-1"
	ended.Payload = &eventv1.Event_PoliceProtectionEnded{PoliceProtectionEnded: &eventv1.PoliceProtectionEnded{
		BeganAt: timestamppb.New(began), EndedAt: timestamppb.New(r.Clock.Now()), How: eventv1.ProtectionEnd_PROTECTION_END_RETURNED,
	}}
	police.Publish(ended)
	r.Settle()
	const why = "told that it has ended (police_protection.ended)"
	equal(t, "ended", endReasons(r.Decision(police.ID, "pp-1")), []string{why, why})
	for range 2 { // the next step of the chain, then nobody is left
		r.Clock.Advance(16 * time.Minute)
		r.Settle()
	}
	equal(t, "tasks: each is telephoned about the end alone", r.OpenTasks(), []string{"EXHAUSTED northbridge-police desk", "EXHAUSTED northbridge-police desk"})
	r.Verify()
}

package app_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/demo"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// told is a notice about a child of Beacon Row, in the lead's mailbox, with what comes back taken.
func told(t *testing.T) (*apptest.Rig, *apptest.Agency, mailbox.Mail) {
	t.Helper()
	r := apptest.World(t, apptest.London("2026-06-18 19:42"))
	r.TakeReturns()
	r.Boot()
	r.ImportBorough()
	police := r.AddAgency("northbridge-police", "northbridge-police")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")))
	r.Settle()
	mails := r.Person("j.marlowe@beacon-row.example").Notices()
	if len(mails) != 1 {
		t.Fatalf("%d mails to the lead; mail went to %v", len(mails), r.MailTo())
	}
	return r, police, mails[0]
}

func failing(t *testing.T, r *apptest.Rig) []string {
	t.Helper()
	response, err := r.Ledger.Failing(r.Context(), &ledgerv1.FailingRequest{})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, c := range response.Contacts {
		lines = append(lines, c.Contact+" "+c.Code+" since "+apptest.Clock(c.SinceMs))
	}
	return lines
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMailThatIsTakenAndThenBouncesGoesToTheDeputyAtOnce(t *testing.T) {
	r, police, mail := told(t)
	if !strings.HasPrefix(mail.From, "returns+") || !strings.HasSuffix(mail.From, "@"+apptest.ReturnsDomain) {
		t.Fatalf("the envelope sender is %s", mail.From)
	}
	must(t, r.Back().Bounce(r.Context(), mail, "failed", "5.1.1"))
	r.Settle()
	equal(t, "who has it now", r.MailTo(), []string{"j.marlowe@beacon-row.example", "s.ikande@beacon-row.example"})
	if s := r.Summary(); s.Acknowledged != 0 || s.WithPerson != 1 {
		t.Errorf("%v", s)
	}
	equal(t, "failing", failing(t, r), []string{"contacts/beacon-row-dsl 5.1.1 since 19:42 Thu 18 Jun (BST)"})

	// The same again, by a mail system that lost our answer or by somebody who kept the mail, changes nothing.
	before := len(r.Timeline(police.ID, "np-1"))
	must(t, r.Back().Bounce(r.Context(), mail, "failed", "5.1.1"))
	r.Settle()
	if n := len(r.Timeline(police.ID, "np-1")); n != before {
		t.Errorf("%d facts, were %d", n, before)
	}

	deputy := r.Person("s.ikande@beacon-row.example")
	deputy.Acknowledge(deputy.Notices()[0])
	r.Settle()
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("%v", s)
	}
	equal(t, "what the publisher heard", apptest.States(police.Feedback(), "np-1", "c1"), []intakev1.ChildState{
		intakev1.ChildState_CHILD_STATE_TOLD, intakev1.ChildState_CHILD_STATE_ACKNOWLEDGED,
	})

	// All of it is in the ledger, and the next start knows it.
	r.Restart()
	r.Verify()
	equal(t, "failing after a start", failing(t, r), []string{"contacts/beacon-row-dsl 5.1.1 since 19:42 Thu 18 Jun (BST)"})
}

// A relay that checks recipients says at once what another says by a bounce: the contact is to be mended all the same.
func TestAContactWhoseAddressTheRelayRefusesIsFailing(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	r.Mail.Refuse(func(to string) error {
		if to == "j.marlowe@beacon-row.example" {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
		}
		return nil
	})
	aboutIvo(police, r, 1)
	r.Settle()
	equal(t, "who has it", r.MailTo(), []string{"s.ikande@beacon-row.example"})
	equal(t, "failing", failing(t, r), []string{"contacts/beacon-row-dsl 5.1.1 since 19:42 Thu 18 Jun (BST)"})
	r.Restart()
	equal(t, "failing after a start", failing(t, r), []string{"contacts/beacon-row-dsl 5.1.1 since 19:42 Thu 18 Jun (BST)"})
	r.Verify()
}

func TestAContactConfirmedAnewIsNoLongerFailing(t *testing.T) {
	t.Parallel()
	const row = "beacon-row-dsl,900101,dsl,J. Marlowe,email,j.marlowe@beacon-row.example,,Mon-Fri 08:00-16:30,2026-05-18"
	for name, change := range map[string][2]string{
		"confirmed on the day":  {"2026-05-18", "2026-06-18"},
		"confirmed later":       {"2026-05-18", "2026-06-19"},
		"given another address": {"j.marlowe@beacon-row.example,,Mon-Fri 08:00-16:30,2026-05-18", "jo@beacon-row.example,,Mon-Fri 08:00-16:30,2026-06-19"},
		"taken out":             {row + ",,\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, mail := told(t)
			must(t, r.Back().Bounce(r.Context(), mail, "failed", "5.2.2"))
			r.Settle()
			if len(failing(t, r)) != 1 {
				t.Fatal("the contact is not failing")
			}
			r.Clock.Advance(24 * time.Hour)
			file, err := fs.ReadFile(demo.Borough(), "contacts.csv")
			must(t, err)
			old := row + ",,\n"
			changed := strings.Replace(string(file), old, strings.Replace(old, change[0], change[1], 1), 1)
			if changed == string(file) {
				t.Fatal("the row is not in the file")
			}
			r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "contacts.csv", Source: "contacts"}, []byte(changed))
			equal(t, "failing", failing(t, r), []string{})
		})
	}
}

func TestAnAutomaticReplyGoesToTheDeputyAndTheLeadMayStillAcknowledge(t *testing.T) {
	r, _, mail := told(t)
	must(t, r.Back().AutoReply(r.Context(), mail))
	r.Settle()
	equal(t, "who has it now", r.MailTo(), []string{"j.marlowe@beacon-row.example", "s.ikande@beacon-row.example"})
	equal(t, "failing", failing(t, r), []string{})
	if s := r.Summary(); s.Acknowledged != 0 || s.WithPerson != 1 {
		t.Errorf("%v", s)
	}
	r.Person("j.marlowe@beacon-row.example").Acknowledge(mail)
	r.Settle()
	if s := r.Summary(); s.Acknowledged != 1 {
		t.Errorf("%v", s)
	}
	r.Clock.Advance(48 * time.Hour)
	r.Settle()
	if n := len(r.MailTo()); n != 2 {
		t.Errorf("after the acknowledgement mail went to %v", r.MailTo())
	}
	r.Verify()
}

func TestWhereEverybodyIsAwayTheChainGoesOnAndEndsWithAPerson(t *testing.T) {
	t.Parallel()
	r, _, _ := told(t)
	answered := 0
	for answered < len(r.Mail.All()) {
		for _, m := range r.Mail.All()[answered:] {
			must(t, r.Back().AutoReply(r.Context(), m))
			answered++
		}
		r.Settle()
	}
	// The last of the chain keeps its time: an automatic answer of its mailbox alone calls nobody to the telephone.
	if tasks := r.OpenTasks(); len(tasks) != 0 {
		t.Errorf("tasks %v", tasks)
	}
	r.Clock.Advance(48 * time.Hour)
	r.Settle()
	if tasks := r.OpenTasks(); len(tasks) != 1 {
		t.Errorf("tasks %v", tasks)
	}
	if s := r.Summary(); s.Acknowledged != 0 || s.WithoutEndOrOwner != 0 {
		t.Errorf("%v", s)
	}
	r.Verify()
}

func TestNothingElseThatComesBackAcknowledgesOrMovesAnything(t *testing.T) {
	r, police, mail := told(t)
	back := r.Back()
	must(t, back.ReadReceipt(r.Context(), mail))
	must(t, back.Bounce(r.Context(), mail, "delivered", "2.0.0"))
	must(t, back.Bounce(r.Context(), mail, "delayed", "4.4.1"))
	r.Person(mail.To).Scan(mail)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{"j.marlowe@beacon-row.example"})
	if s := r.Summary(); s.Acknowledged != 0 || s.WithPerson != 1 {
		t.Errorf("%v", s)
	}
	equal(t, "failing", failing(t, r), []string{})
	kinds := []ledgerv1.ReturnKind{}
	for _, f := range r.Timeline(police.ID, "np-1") {
		if f.GetReturned() != nil {
			kinds = append(kinds, f.GetReturned().Kind)
		}
	}
	equal(t, "in the ledger", kinds, []ledgerv1.ReturnKind{
		ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN, ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED,
		ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT,
	})

	forged := mail
	forged.From = strings.Replace(mail.From, ".1.", ".2.", 1)
	if err := back.Bounce(r.Context(), forged, "failed", "5.1.1"); err == nil {
		t.Error("a forged address was taken")
	}
	forged.From = "j.marlowe@beacon-row.example"
	if err := back.Bounce(r.Context(), forged, "failed", "5.1.1"); err == nil {
		t.Error("a mail for somebody else was taken")
	}
	r.Verify()
}

func TestWhoeverAsksForOutOfOfficeRepliesDoesNotForbidThem(t *testing.T) {
	r, _, mail := told(t)
	if mail.Header["Auto-Submitted"] != "" {
		t.Error("the notice tells mail systems not to answer")
	}
	r.Person(mail.To).Open(mail)
	code := slices.IndexFunc(r.Mail.All(), func(m mailbox.Mail) bool { return strings.Contains(m.Subject, "code") })
	if m := r.Mail.All()[code]; m.From != "notices@signalbox.example" || m.Header["Auto-Submitted"] == "" {
		t.Errorf("the code is from %s, %v", m.From, m.Header)
	}
}

func TestAReferrersMailThatComesBackAfterItCountedAsDeliveredIsForAPerson(t *testing.T) {
	r := apptest.World(t, apptest.London("2026-06-16 10:00"))
	r.TakeReturns()
	r.Boot()
	r.ImportBorough()
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	received := envelope(council, "nb-1", notice.ReferralReceived, "REF-1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	received.People = []*eventv1.Person{{
		Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Email: "g.oakes@post.example",
		Name: &eventv1.Name{Given: "Gilbert", Family: "Oakes"},
	}}
	received.Payload = &eventv1.Event_ReferralReceived{ReferralReceived: &eventv1.ReferralReceived{ReceivedAt: received.Time}}
	council.Publish(received)
	r.Settle()
	mails := r.Person("g.oakes@post.example").Notices()
	if s := r.Summary(); len(mails) != 1 || s.Delivered != 1 {
		t.Fatalf("%d mails, %v", len(mails), s)
	}
	must(t, r.Back().Bounce(r.Context(), mails[0], "failed", "5.1.2"))
	r.Settle()
	equal(t, "tasks", r.OpenTasks(), []string{"EXHAUSTED ashmere-council desk"})
	task := r.TaskItems()[0].Task
	if strings.Contains(task.Detail, "oakes") || !strings.Contains(task.Detail, "came back") {
		t.Errorf("%s", task.Detail)
	}
	equal(t, "failing", failing(t, r), []string{}) // a person named in an event is no contact
	_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{Task: task.Id, Resolution: "told_by_telephone", Reason: "Spoke to them at noon.", Answered: "Jo Marsh", Verified: "called back"})
	must(t, err)
	if s := r.Summary(); s.Delivered != 1 || s.OpenTasks != 0 {
		t.Errorf("%v", s)
	}
	r.Restart()
	r.Verify()
}

package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	lead        = "j.marlowe@beacon-row.example"
	astrayTask  = "MISDIRECTION northbridge-police desk"
	withdrawnBy = "wrong_child"
)

// withdrawal is the event by which an agency takes another of its own back.
func withdrawal(a *apptest.Agency, of *eventv1.Event) *eventv1.Event {
	return &eventv1.Event{
		Id: of.Id + "-withdrawn", Source: string(a.ID), Type: string(notice.EventWithdrawn), Subject: of.Subject, Area: of.Area,
		Time:    timestamppb.New(of.Time.AsTime()),
		Payload: &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: of.Id, Reason: withdrawnBy}},
	}
}

// withdraw takes an event back by command, as the service's operator.
func withdraw(t *testing.T, r *apptest.Rig, id string) *intakev1.WithdrawResponse {
	t.Helper()
	response, err := r.Intake.Withdraw(r.Context(), &intakev1.WithdrawRequest{
		Agency: "northbridge-police", Event: id, Code: withdrawnBy, Reason: "The form had the wrong child.",
	})
	must(t, err)
	return response
}

// evening is a service on a school night, with an agency and an incident about Ivo Brennock that is not published yet.
func evening(t *testing.T) (*apptest.Rig, *apptest.Agency, *eventv1.Event) {
	t.Helper()
	r := apptest.Start(t, apptest.London("2026-06-18 19:42"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	return r, police, apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
}

// shown is the one open task of those about what went astray.
func shown(t *testing.T, r *apptest.Rig) *taskv1.ShowResponse {
	t.Helper()
	for _, item := range r.TaskItems() {
		if item.Task.Kind == ledgerv1.TaskKind_TASK_KIND_MISDIRECTION {
			response, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: item.Task.Id})
			must(t, err)
			return response
		}
	}
	t.Fatalf("nobody is asked: %v", r.OpenTasks())
	return nil
}

// aWeekLater finds anybody who is chased.
func aWeekLater(t *testing.T, r *apptest.Rig, mails int) {
	t.Helper()
	r.Clock.Set(r.Clock.Now().Add(7 * 24 * time.Hour))
	r.Settle()
	if got := len(r.Mail.All()); got != mails {
		t.Errorf("%d mails, want %d: somebody is chased about what was withdrawn", got, mails)
	}
}

func TestAWithdrawalBeforeTheEventIsRouted(t *testing.T) {
	for _, encoding := range intake.Encodings() {
		r, police, ev := evening(t)
		police.PublishAs(withdrawal(police, ev), encoding)
		police.Publish(ev)
		r.Settle()
		equal(t, "mail", r.MailTo(), []string{})
		equal(t, "tasks", r.OpenTasks(), []string{})
		equal(t, "states", apptest.States(police.Feedback(), "np-1", ""), []intakev1.ChildState{
			intakev1.ChildState_CHILD_STATE_ACCEPTED, intakev1.ChildState_CHILD_STATE_WITHDRAWN,
		})
		r.Verify()
		if encoding != intake.Protobuf {
			break // one more is enough: the others are intake's to prove
		}
	}
}

func TestAWithdrawalOfWhatIsHeldEndsItBeforeItsRelease(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-08-07 23:00"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	orla := apptest.Child("c1", "Orla", "Quint", "2015-01-30")
	police.Publish(apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), orla))
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), orla))
	r.Settle()
	if s := r.Summary(); s.Held != 1 {
		t.Fatalf("one notice before term is held of both: %v", s)
	}
	withdraw(t, r, "np-1")
	r.Settle()
	if s := r.Summary(); s.Held != 1 {
		t.Errorf("the other incident is held no more: %v", s)
	}
	r.Clock.Set(apptest.London("2026-09-01 09:00"))
	r.Settle()
	head := r.Person("b.novak@kestrelhigh.example")
	mails := head.Notices()
	if len(mails) != 1 {
		t.Fatalf("before term the school has %d mails", len(mails))
	}
	if page := head.Open(mails[0]); strings.Contains(page, "NP/26/1") || !strings.Contains(page, "NP/26/2") {
		t.Errorf("before term the school reads:\n%s", page)
	}
	withdraw(t, r, "np-2")
	r.Settle()
	if code, _ := head.Try(mails[0], "/notice", nil); code != http.StatusGone {
		t.Errorf("the link answers %d", code)
	}
	if s := r.Summary(); s.Held != 0 || s.WithPerson != 0 {
		t.Errorf("%v", s)
	}
	r.Verify()
}

func TestAWithdrawalStopsAMailThatHangsBeforeItsData(t *testing.T) {
	r, police, ev := evening(t)
	hangs, goOn := make(chan struct{}), make(chan struct{})
	r.Mail.Refuse(func(string) error {
		hangs <- struct{}{}
		<-goOn
		return nil
	})
	police.Publish(ev)
	<-hangs
	response := withdraw(t, r, "np-1")
	r.Mail.Refuse(nil)
	close(goOn)
	if response.Ended != 1 || response.MayHaveArrived != 1 || response.Task == "" {
		t.Errorf("while nobody knows: %v", response)
	}
	r.Settle()
	awaitSettled(t, r, police)
	equal(t, "mail", r.MailTo(), []string{})
	if s := r.Summary(); s.Withdrawn != 1 || s.OpenTasks != 0 {
		t.Errorf("it never got out, so nobody is to be asked: %v", s)
	}
	aWeekLater(t, r, 0)
	r.Verify()
}

// awaitSettled waits until the end of every send under way is on record.
func awaitSettled(t *testing.T, r *apptest.Rig, police *apptest.Agency) {
	t.Helper()
	r.AwaitSummary(func(*ledgerv1.SummaryResponse) bool {
		ended := 0
		for _, f := range r.Timeline(police.ID, "np-1") {
			if f.GetAttemptFinished() != nil {
				ended++
			}
		}
		return ended > 0
	})
}

func TestAMailThatHangsAfterItsDataCountsAsMisdirected(t *testing.T) {
	r, police, ev := evening(t)
	hangs, goOn := make(chan struct{}), make(chan struct{})
	r.Mail.Taken(func(mailbox.Mail) {
		hangs <- struct{}{}
		<-goOn
	})
	police.Publish(ev)
	<-hangs
	withdraw(t, r, "np-1")
	r.Mail.Taken(nil)
	close(goOn)
	awaitSettled(t, r, police)
	equal(t, "tasks", r.OpenTasks(), []string{astrayTask})
	holders := shown(t, r).Holders
	if len(holders) != 1 || holders[0].Outcome != "delivered" || holders[0].Read || holders[0].Organisation != "gias:900101" ||
		holders[0].OrganisationName != "Beacon Row Primary School" {
		t.Errorf("who has it: %v", holders)
	}
	mail := r.Person(lead).Notices()[0]
	if code, page := r.Person(lead).Try(mail, "", nil); code != http.StatusGone || strings.Contains(page, "Ivo") {
		t.Errorf("its link answers %d: %s", code, page)
	}
	aWeekLater(t, r, 1)
	r.Verify()
}

func TestAWithdrawalOfWhatWasReadAndAcknowledgedKillsItsLinkAndIsAskedAbout(t *testing.T) {
	for name, act := range map[string]func(*apptest.Person, mailbox.Mail){
		"delivered":    func(*apptest.Person, mailbox.Mail) {},
		"read":         func(p *apptest.Person, m mailbox.Mail) { p.Open(m) },
		"acknowledged": func(p *apptest.Person, m mailbox.Mail) { p.Acknowledge(m) },
	} {
		t.Run(name, func(t *testing.T) {
			r, police, ev := evening(t)
			police.Publish(ev)
			r.Settle()
			person := r.Person(lead)
			mail := person.Notices()[0]
			act(person, mail)
			r.Settle()
			before := len(r.Mail.All())
			police.Publish(withdrawal(police, ev))
			r.Settle()

			equal(t, "tasks", r.OpenTasks(), []string{astrayTask})
			task := shown(t, r)
			if due := r.Clock.Now().Add(72 * time.Hour).UnixMilli(); task.Item.Task.DueMs != due {
				t.Errorf("it is due %s, want 72 hours from the withdrawal", apptest.Clock(task.Item.Task.DueMs))
			}
			h := task.Holders[0]
			if h.Read != (name != "delivered") || h.Acknowledged != (name == "acknowledged") || h.Form != "stub" {
				t.Errorf("who has it: %v", h)
			}
			if len(task.Events) != 1 || task.Events[0].GetId() != "np-1" {
				t.Errorf("the desk is shown %d events", len(task.Events))
			}
			for _, path := range []string{"", "/code", "/notice"} {
				if code, page := person.Try(mail, path, nil); code != http.StatusGone || strings.Contains(page, "Ivo") || !strings.Contains(page, "withdrawn") {
					t.Errorf("%s answers %d: %s", path, code, page)
				}
			}
			for path, form := range map[string]url.Values{
				"/code": {"x": {"y"}}, "/open": {"code": {"123456"}}, "/acknowledge": {"who": {"contact"}, "have": {"yes"}},
			} {
				if code, _ := person.Try(mail, path, form); code != http.StatusGone {
					t.Errorf("%s answers %d", path, code)
				}
			}
			_, err := inboxv1.NewInboxServiceClient(police.GRPC).Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: h.Notice, Person: "A. Nother"})
			if code := status.Code(err); code != codes.NotFound && code != codes.FailedPrecondition {
				t.Errorf("acknowledging over gRPC: %v", err)
			}
			equal(t, "states", slices.Compact(apptest.States(police.Feedback(), "np-1", "")), []intakev1.ChildState{
				intakev1.ChildState_CHILD_STATE_ACCEPTED, intakev1.ChildState_CHILD_STATE_WITHDRAWN,
			})
			aWeekLater(t, r, before)
			r.Verify()
		})
	}
}

func TestAnAgencyWithdrawsItsOwnEventsOnly(t *testing.T) {
	r, police, ev := evening(t)
	other := r.AddAgency("ashmere-council", "ashmere-council")
	police.Publish(ev)
	r.Settle()
	ask := func(a *apptest.Agency, agency, id string) error {
		_, err := intakev1.NewIntakeServiceClient(a.GRPC).Withdraw(r.Context(), &intakev1.WithdrawRequest{
			Agency: agency, Event: id, Code: "other", Reason: "Because.",
		})
		return err
	}
	another, unknown := ask(other, "northbridge-police", "np-1"), ask(other, "ashmere-council", "np-1")
	if status.Code(another) != codes.NotFound || status.Convert(another).Message() != status.Convert(unknown).Message() {
		t.Errorf("another's event is answered %v, one that is not there %v", another, unknown)
	}
	// Published, it withdraws an event of its publisher's own by that id: there is none.
	theirs := withdrawal(other, ev)
	theirs.Source = string(other.ID)
	other.Publish(theirs)
	r.Settle()
	if s := r.Summary(); s.Withdrawn != 0 {
		t.Fatalf("one agency withdrew another's event: %v", s)
	}
	must(t, ask(police, "northbridge-police", "np-1"))
	must(t, ask(police, "northbridge-police", "np-1"))
	if s := r.Summary(); s.Withdrawn != 1 {
		t.Errorf("%v", s)
	}
	r.Verify()
}

func TestARequestToDeleteIsSentReadAndAcknowledged(t *testing.T) {
	r, police, ev := evening(t)
	police.Publish(ev)
	police.Publish(apptest.Incident(police, "np-2", "NP/26/2", r.Clock.Now(), apptest.Child("c1", "Bram", "Sollis", "2015-12-05")))
	r.Settle()
	person := r.Person(lead)
	response := withdraw(t, r, "np-1")
	r.Settle()
	sibling := r.Person("office@fernside.example").Notices()
	if len(sibling) != 1 {
		t.Fatalf("mail went to %v", r.MailTo())
	}
	if mails := person.Notices(); len(mails) != 1 {
		t.Fatalf("the lead has %d mails before anybody said that asking is safe", len(mails))
	}
	_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{
		Task: response.Task, Resolution: "safe_to_ask", Reason: "The lead is no party to it.",
	})
	must(t, err)
	r.Settle()
	mails := person.Notices()
	if len(mails) != 2 {
		t.Fatalf("the lead has %d mails", len(mails))
	}
	request := mails[1]
	for _, secret := range []string{"Ivo", "Brennock", "NP/26/1", "Encompass", "abuse", "police", "incident"} {
		if strings.Contains(strings.ToLower(request.Subject+request.Text+request.HTML), strings.ToLower(secret)) {
			t.Errorf("the request says %q:\n%s", secret, request.Text)
		}
	}
	if !strings.Contains(request.Text, "Delete the notice") || !strings.Contains(request.Text, "Do not forward") {
		t.Errorf("the request does not say what to do:\n%s", request.Text)
	}
	if page := person.Open(request); !strings.Contains(page, "Confirm that it is deleted") || strings.Contains(page, "will act on it") {
		t.Errorf("the page asks for something else than that the notice is deleted:\n%s", page)
	}
	if page := person.Acknowledge(request); !strings.Contains(page, "you have confirmed that the notice is deleted") {
		t.Errorf("what the lead is thanked for:\n%s", page)
	}
	r.Settle()
	shown, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: response.Task})
	must(t, err)
	if h := shown.Holders[0]; h.Request == "" || h.RequestState != "acknowledged" {
		t.Errorf("what became of the request: %v", h)
	}
	timeline := r.Timeline(police.ID, "np-1")
	if !slices.ContainsFunc(timeline, func(f *ledgerv1.Fact) bool { return f.GetAcknowledged() != nil }) ||
		!slices.ContainsFunc(timeline, func(f *ledgerv1.Fact) bool { return f.GetEventWithdrawn() != nil }) {
		t.Error("the timeline of the event has not the whole story")
	}
	if got := r.Person("office@fernside.example").Notices(); len(got) != 1 {
		t.Errorf("the sibling's school has %d mails", len(got))
	}
	r.Restart()
	r.Settle()
	r.Verify()
	if got := len(person.Notices()); got != 2 {
		t.Errorf("after a restart the lead has %d mails", got)
	}
}

func TestARequestToDeleteThatNobodyAnswersEndsWithACallThatSaysNothingOfTheMatter(t *testing.T) {
	r, police, ev := evening(t)
	police.Publish(ev)
	r.Settle()
	response := withdraw(t, r, "np-1")
	_, err := r.Tasks.Resolve(r.Context(), &taskv1.ResolveRequest{Task: response.Task, Resolution: "safe_to_ask", Reason: "Checked."})
	must(t, err)
	r.Settle()
	for _, hours := range []time.Duration{5, 20} { // the lead, then whoever else is there
		r.Clock.Set(r.Clock.Now().Add(hours * time.Hour))
		r.Settle()
	}
	equal(t, "tasks", r.OpenTasks(), []string{"EXHAUSTED northbridge-police desk"})
	call, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: r.TaskItems()[0].Task.Id})
	must(t, err)
	said := strings.Join(call.Script, " ")
	had := notice.Reference(shownNotice(t, r, response.Task))
	if !strings.Contains(said, had) || strings.Contains(said, "Northbridge") || strings.Contains(said, "child") || len(call.Events) > 0 {
		t.Errorf("the caller is shown %d events and told to say: %s", len(call.Events), said)
	}
	r.Verify()
}

// shownNotice is the notice that a task about what went astray is about.
func shownNotice(t *testing.T, r *apptest.Rig, task string) string {
	t.Helper()
	shown, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: task})
	must(t, err)
	return shown.Holders[0].Notice
}

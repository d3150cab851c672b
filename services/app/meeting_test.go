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

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/mailbox"
)

const (
	planner  = "r.fenwick@northbridge-police.example"
	deputy   = "a.lund@northbridge-police.example"
	control  = "control@northbridge-police.example"
	coDuty   = "duty@ashmere.example"
	edt      = "edt@ashmere.example"
	trust    = "safeguarding@ashmere-health.example"
	contacts = `id,organisation,role,name,channel,address,use,verified_on
fenwick,northbridge-police,meetings,R. Fenwick,email,` + planner + `,,2026-06-01
lund,northbridge-police,deputy,A. Lund,email,` + deputy + `,,2026-06-01
control,northbridge-police,duty,Control Room,email,` + control + `,,2026-06-01
`
)

// called is a strategy meeting about Ivo to which the council, the police and health are invited, with its convenor.
func called(t *testing.T, at string, in time.Duration, children ...*eventv1.Child) (*apptest.Rig, *apptest.Agency, *eventv1.Event) {
	t.Helper()
	r := apptest.Start(t, apptest.London(at))
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "police.csv", Source: "police"}, []byte(contacts))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	ev := apptest.Meeting(council, "sm-1", "SM-1", r.Clock.Now(), in, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"),
		"ashmere-council", "northbridge-police", "ashmere-health")
	ev.Children = append(ev.Children, children...)
	council.Publish(ev)
	r.Settle()
	return r, council, ev
}

// answers opens an invitation and answers it on the page.
func answers(r *apptest.Rig, address string, m mailbox.Mail, form url.Values) string {
	r.T.Helper()
	p := r.Person(address)
	p.Open(m)
	form.Set("who", "contact")
	_, page := p.Try(m, "/reply", form)
	r.Settle()
	return page
}

func invitationTo(r *apptest.Rig, address string) mailbox.Mail {
	r.T.Helper()
	mails := r.Person(address).Notices()
	if len(mails) == 0 {
		r.T.Fatalf("nothing came to %s; mail went to %v", address, r.MailTo())
	}
	return mails[len(mails)-1]
}

func yes() url.Values { return url.Values{"comes": {"yes"}} }
func no() url.Values  { return url.Values{"comes": {"no"}, "reason": {"no_capacity"}} }

// The case of the issue.
func TestAPoliceAttendeeDeclinesAnHourBeforeAndTheDeputyIsAskedAtOnceThenTheDutyDesk(t *testing.T) {
	r, council, _ := called(t, "2026-06-16 10:00", 48*time.Hour) // the meeting starts on the 18th at 10:00
	equal(t, "told", apptest.Told(r.Decision(council.ID, "sm-1")), []string{
		"strategy_meeting.invitation ashmere-council: 09:00 Thu 18 Jun (BST)",
		"strategy_meeting.invitation ashmere-health: 09:00 Thu 18 Jun (BST)",
		"strategy_meeting.invitation northbridge-police: 09:00 Thu 18 Jun (BST)",
	})
	first := invitationTo(r, planner)
	if !strings.Contains(first.Subject, "please answer by 09:00 Thu 18 Jun") {
		t.Errorf("subject %q", first.Subject)
	}
	for address, form := range map[string]url.Values{
		planner: yes(), coDuty: yes(), trust: {"comes": {"deputy"}, "deputy": {"Nadia Okafor"}},
	} {
		if page := answers(r, address, invitationTo(r, address), form); !strings.Contains(page, "Thank you") {
			t.Fatalf("%s cannot answer:\n%s", address, page)
		}
	}
	lines, shown := council.Meeting("SM-1")
	equal(t, "who comes", lines, []string{
		"ashmere-council: accepted, Duty Social Worker", "ashmere-health: deputy, Nadia Okafor", "northbridge-police: accepted, R. Fenwick",
	})
	equal(t, "missing", len(shown.Missing), 0)
	before := r.MailTo()

	r.Clock.Set(apptest.London("2026-06-18 09:00"))
	r.Settle()
	equal(t, "mail after everybody has answered", r.MailTo(), before)
	if page := answers(r, planner, first, no()); !strings.Contains(page, "Thank you: you have said that you cannot come") {
		t.Fatalf("the planner cannot decline:\n%s", page)
	}
	second := invitationTo(r, deputy) // at once
	if strings.Contains(second.Text, "Brennock") {
		t.Error("the mail names the child")
	}
	if page := r.Person(deputy).Open(second); !strings.Contains(page, "whoever was to come has declined") || !strings.Contains(page, "10:00 on Thursday 18 June 2026 (BST)") {
		t.Errorf("the deputy is not told why, or when:\n%s", page)
	}
	lines, shown = council.Meeting("SM-1")
	equal(t, "what the convenor sees at once", lines[2], "northbridge-police: declined, no_capacity")
	equal(t, "missing", shown.Missing, []string{"police"})
	equal(t, "tasks, as the answer was due by now", r.OpenTasks(), []string{"GAP ashmere-council desk"})
	if detail := r.TaskItems()[0].Task.Detail; !strings.Contains(detail, "police has to be at the meeting at 10:00 Thu 18 Jun (BST)") {
		t.Errorf("the task says %q", detail)
	}
	if due := r.TaskItems()[0].Task.DueMs; due >= apptest.London("2026-06-18 10:00").UnixMilli() {
		t.Errorf("the task is due at %s, when the meeting has started", apptest.Clock(due))
	}
	r.Clock.Set(apptest.London("2026-06-18 09:30"))
	r.Settle()
	answers(r, control, invitationTo(r, control), yes())
	lines, shown = council.Meeting("SM-1")
	equal(t, "in the end", lines[2], "northbridge-police: accepted, Control Room")
	equal(t, "answers of the police", shown.Invited[2].Answers, int64(3))
	equal(t, "missing", len(shown.Missing), 0)
	equal(t, "tasks", r.OpenTasks(), []string{})

	r.Clock.Advance(24 * time.Hour)
	r.Settle()
	equal(t, "tasks on the next day", r.OpenTasks(), []string{})
	equal(t, "mail", r.MailTo(), slices.Sorted(slices.Values(append(slices.Clone(before), deputy, control))))
	r.Verify()
}

func TestWithoutAnAnswerTheDeputyIsAskedThenTheDutyDeskThenSomebodyTelephonesBeforeTheStart(t *testing.T) {
	r, council, _ := called(t, "2026-06-16 10:00", 72*time.Hour) // the 19th at 10:00
	answers(r, coDuty, invitationTo(r, coDuty), yes())
	answers(r, trust, invitationTo(r, trust), yes())
	police := []string{planner, deputy, control}
	for _, step := range []struct {
		at   string
		told int // of the three, in their order
	}{
		{"2026-06-18 09:59", 1}, {"2026-06-18 10:00", 2}, {"2026-06-19 05:59", 2}, {"2026-06-19 06:00", 3},
	} {
		r.Clock.Set(apptest.London(step.at))
		r.Settle()
		told := slices.DeleteFunc(slices.Clone(police), func(address string) bool { return len(r.Person(address).Notices()) == 0 })
		equal(t, "asked by "+step.at, told, police[:step.told])
	}
	equal(t, "tasks", r.OpenTasks(), []string{})
	r.Clock.Set(apptest.London("2026-06-19 09:00"))
	r.Settle()
	equal(t, "tasks an hour before", r.OpenTasks(), []string{"EXHAUSTED ashmere-council desk"}) // one, and not one more for the function
	item := r.TaskItems()[0]
	equal(t, "due", apptest.Clock(item.Task.DueMs), "09:30 Fri 19 Jun (BST)")
	task, err := r.Tasks.Show(r.Context(), &taskv1.ShowRequest{Task: item.Task.Id})
	if err != nil {
		t.Fatal(err)
	}
	if script := strings.Join(task.Script, "\n"); !strings.Contains(script, "whether they come to the meeting at 10:00 Fri 19 Jun (BST)") {
		t.Errorf("whoever telephones is not told what to ask:\n%s", script)
	}
	lines, shown := council.Meeting("SM-1")
	equal(t, "police", lines[2], "northbridge-police: no_answer")
	equal(t, "task shown with the meeting", shown.Invited[2].Task, item.Task.Id)

	answers(r, deputy, invitationTo(r, deputy), yes()) // by a link that the chain has left behind
	equal(t, "tasks after the deputy's answer", r.OpenTasks(), []string{})
	lines, _ = council.Meeting("SM-1")
	equal(t, "police", lines[2], "northbridge-police: accepted, A. Lund")
	r.Verify()
}

func TestARefusalGoesOnForEveryChildOfTheMeetingAndAnAcceptanceEndsEveryInvitation(t *testing.T) {
	r, council, _ := called(t, "2026-06-16 10:00", 48*time.Hour, apptest.Child("c2", "Rowan", "Alder", "2013-02-17"))
	equal(t, "invitations to the planner", len(r.Person(planner).Notices()), 2)
	answers(r, planner, invitationTo(r, planner), no())
	equal(t, "invitations to the deputy", len(r.Person(deputy).Notices()), 2)
	_, shown := council.Meeting("SM-1")
	equal(t, "one act is one answer", shown.Invited[2].Answers, int64(1))
	answers(r, deputy, invitationTo(r, deputy), url.Values{"comes": {"deputy"}, "deputy": {"Pat Iwu"}})
	answers(r, deputy, invitationTo(r, deputy), url.Values{"comes": {"deputy"}, "deputy": {"Kim Osei"}})
	lines, shown := council.Meeting("SM-1")
	equal(t, "police", lines[2], "northbridge-police: deputy, Kim Osei")
	equal(t, "each answer is kept", shown.Invited[2].Answers, int64(3))
	for _, at := range []string{"2026-06-18 09:59", "2026-06-19 12:00"} {
		r.Clock.Set(apptest.London(at))
		r.Settle()
	}
	if mails := r.Person(control).Notices(); len(mails) > 0 {
		t.Error("the duty desk is chased though a deputy comes")
	}
	r.Verify()
}

func TestAMeetingThatIsMovedAsksAnewAndOneThatIsCalledOffAsksNobody(t *testing.T) {
	r, council, ev := called(t, "2026-06-16 10:00", 48*time.Hour)
	old := invitationTo(r, planner)
	answers(r, planner, old, yes())
	oldDuty := invitationTo(r, coDuty)

	moved := corrected(ev, "sm-2", func(c *eventv1.Event) {
		c.Time = timestamppb.New(r.Clock.Now())
		c.GetStrategyMeetingConvened().MeetsAt = timestamppb.New(apptest.London("2026-06-20 10:00"))
	})
	council.Publish(moved)
	r.Settle()
	lines, shown := council.Meeting("SM-1")
	equal(t, "after the move", lines, []string{"ashmere-council: no_answer", "ashmere-health: no_answer", "northbridge-police: no_answer"})
	equal(t, "the new start", shown.MeetsMs, apptest.London("2026-06-20 10:00").UnixMilli())
	for address, m := range map[string]mailbox.Mail{planner: old, coDuty: oldDuty} { // answered, and not
		if _, page := r.Person(address).Try(m, "", nil); !strings.Contains(page, "A newer notice has been sent") {
			t.Errorf("the old link of %s leads to:\n%s", address, page)
		}
	}
	newest := invitationTo(r, planner)
	if newest.Text == old.Text || !strings.Contains(newest.Subject, "version 2") {
		t.Errorf("the planner's newest mail is %q", newest.Subject)
	}
	answers(r, planner, newest, no())
	answers(r, deputy, invitationTo(r, deputy), yes())

	_, err := r.Intake.Withdraw(r.Context(), &intakev1.WithdrawRequest{Agency: string(council.ID), Event: "sm-2", Code: "published_in_error", Reason: "Called off."})
	if err != nil {
		t.Fatal(err)
	}
	r.Settle()
	if _, page := r.Person(planner).Try(newest, "", nil); !strings.Contains(page, "This notice was withdrawn") {
		t.Errorf("the link of a meeting called off leads to:\n%s", page)
	}
	_, shown = council.Meeting("SM-1")
	equal(t, "invited to a meeting called off", len(shown.Invited), 0)
	r.Clock.Set(apptest.London("2026-06-21 12:00"))
	r.Settle()
	equal(t, "tasks about who comes", slices.DeleteFunc(r.OpenTasks(), func(s string) bool { return strings.HasPrefix(s, "MISDIRECTION") }), []string{})
	r.Verify()
}

func TestAnAgencyAnswersByGRPCAndOnlyForItself(t *testing.T) {
	r, council, _ := called(t, "2026-06-16 10:00", 48*time.Hour)
	police := r.AddAgency("northbridge-police", "northbridge-police")
	notices := map[string]string{}
	for _, n := range r.Decision(council.ID, "sm-1").Notices {
		notices[n.Organisation] = n.Id
	}
	own := notices["northbridge-police"]
	reply := func(a *apptest.Agency, req *meetingv1.ReplyRequest) codes.Code {
		_, err := a.Meetings().Reply(r.Context(), req)
		return status.Code(err)
	}
	accept, declines, sends := ledgerv1.Answer_ANSWER_ACCEPTED, ledgerv1.Answer_ANSWER_DECLINED, ledgerv1.Answer_ANSWER_DEPUTY
	for name, tc := range map[string]struct {
		req  *meetingv1.ReplyRequest
		want codes.Code
	}{
		"another's":               {&meetingv1.ReplyRequest{Notice: notices["ashmere-health"], Answer: accept, Person: "R. Fenwick"}, codes.NotFound},
		"none":                    {&meetingv1.ReplyRequest{Notice: "nowhere", Answer: accept, Person: "R. Fenwick"}, codes.NotFound},
		"no answer":               {&meetingv1.ReplyRequest{Notice: own, Person: "R. Fenwick"}, codes.InvalidArgument},
		"nobody":                  {&meetingv1.ReplyRequest{Notice: own, Answer: accept}, codes.InvalidArgument},
		"a refusal for no reason": {&meetingv1.ReplyRequest{Notice: own, Answer: declines, Person: "R. Fenwick"}, codes.InvalidArgument},
		"a reason of one's own":   {&meetingv1.ReplyRequest{Notice: own, Answer: declines, Person: "R. Fenwick", Reason: "busy"}, codes.InvalidArgument},
		"a deputy without a name": {&meetingv1.ReplyRequest{Notice: own, Answer: sends, Person: "R. Fenwick"}, codes.InvalidArgument},
		"an answer and a deputy":  {&meetingv1.ReplyRequest{Notice: own, Answer: accept, Person: "R. Fenwick", Deputy: "A. Lund"}, codes.InvalidArgument},
	} {
		if got := reply(police, tc.req); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	_, err := inboxv1.NewInboxServiceClient(police.GRPC).Acknowledge(r.Context(), &inboxv1.AcknowledgeRequest{Notice: own, Person: "R. Fenwick"})
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an invitation can be acknowledged instead of answered: %v", err)
	}
	if _, err := police.Meetings().Show(r.Context(), &meetingv1.ShowRequest{Agency: string(council.ID), Reference: "SM-1"}); status.Code(err) != codes.NotFound {
		t.Errorf("an agency sees another's meeting: %v", err)
	}
	for range 2 { // the same again changes nothing
		if got := reply(police, &meetingv1.ReplyRequest{Notice: own, Answer: declines, Reason: "too_short_notice", Person: "R. Fenwick"}); got != codes.OK {
			t.Fatal(got)
		}
	}
	r.Settle()
	lines, shown := council.Meeting("SM-1")
	equal(t, "police", lines[2], "northbridge-police: declined, too_short_notice")
	equal(t, "answers", shown.Invited[2].Answers, int64(1))
	equal(t, "asked next", shown.Invited[2].Asked, "deputy")

	for _, at := range []string{"2026-06-17 10:00", "2026-06-18 09:00", "2026-06-18 10:00"} { // the last is the start
		r.Clock.Set(apptest.London(at))
		r.Settle()
	}
	if got := reply(police, &meetingv1.ReplyRequest{Notice: own, Answer: accept, Person: "R. Fenwick"}); got != codes.FailedPrecondition {
		t.Errorf("an answer after the start: %v", got)
	}
	late := invitationTo(r, deputy)
	p := r.Person(deputy)
	if page := p.Open(late); strings.Contains(page, "/reply") || !strings.Contains(page, "/acknowledge") {
		t.Error("after the start the page still asks who comes, or cannot be acknowledged")
	}
	form := yes()
	form.Set("who", "contact")
	if code, page := p.Try(late, "/reply", form); code != http.StatusConflict || !strings.Contains(page, "The meeting has started") {
		t.Errorf("an answer after the start: %d\n%s", code, page)
	}
	p.Acknowledge(late)
	r.Settle()
	lines, _ = council.Meeting("SM-1")
	equal(t, "who is said to come after that", lines[2], "northbridge-police: declined, too_short_notice")
	r.Verify()
}

func TestAnUrgentInvitationAtNightReachesTheEmergencyDutyTeamAndItsAnswerIsDueBeforeTheStart(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-19 22:00")) // a Friday
	r.Import(&directoryv1.ImportHeader{Format: "contacts", Name: "police.csv", Source: "police"}, []byte(contacts))
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	ev := apptest.Meeting(council, "sm-1", "SM-1", r.Clock.Now(), 3*time.Hour, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"),
		"ashmere-council", "northbridge-police")
	ev.GetStrategyMeetingConvened().Urgent = true
	council.Publish(ev)
	r.Settle()
	equal(t, "mail", r.MailTo(), []string{control, edt})
	equal(t, "told", apptest.Told(r.Decision(council.ID, "sm-1")), []string{
		"strategy_meeting.urgent_invitation ashmere-council: 00:30 Sat 20 Jun (BST)",
		"strategy_meeting.urgent_invitation northbridge-police: 00:30 Sat 20 Jun (BST)",
	})
	if answers(r, edt, invitationTo(r, edt), yes()); len(r.MailTo()) != 2 {
		t.Errorf("mail to %v", r.MailTo())
	}
	r.Clock.Set(apptest.London("2026-06-19 23:30")) // an hour and a half before
	r.Settle()
	equal(t, "the deputy's mails", len(r.Person(deputy).Notices()), 1)
	for _, at := range []string{"2026-06-20 00:00", "2026-06-20 00:30"} {
		r.Clock.Set(apptest.London(at))
		r.Settle()
	}
	// Health was not invited at all, which is a gap from the beginning.
	equal(t, "tasks", r.OpenTasks(), []string{"EXHAUSTED ashmere-council desk", "GAP ashmere-council desk"})
	r.Verify()
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	meetingv1 "github.com/signalbox-hq/signalbox/api/signalbox/meeting/v1"
)

type meetingCmd struct {
	Show  meetingShowCmd  `cmd:"" help:"Who comes, who does not and who has not answered."`
	Reply meetingReplyCmd `cmd:"" help:"Answer an invitation."`
}

type meetingShowCmd struct {
	Reference string `arg:"" help:"The meeting's reference, as its agency gave it, such as SM-0311."`
	Agency    string `placeholder:"ID" help:"The agency that called it. An agency may leave it out."`
	output
	connection
}

func (meetingShowCmd) Help() string {
	return `For the agency that called the meeting, and for operators. For example:

    signalbox meeting show SM-0311
    signalbox meeting show SM-0311 --agency ashmere-social-care --output json

NEXT is when somebody else of that organisation is asked unless it answers.`
}

func (c *meetingShowCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, meetingv1.NewMeetingServiceClient, meetingv1.MeetingServiceClient.Show, &meetingv1.ShowRequest{Agency: c.Agency, Reference: c.Reference}, printMeeting)
}

func printMeeting(w io.Writer, m *meetingv1.ShowResponse) error {
	if len(m.GetInvited()) == 0 {
		_, err := fmt.Fprintln(w, "Nobody is invited: the meeting was called off, or nobody who is invited could be told.")
		return err
	}
	if _, err := fmt.Fprintf(w, "Starts %s.\n", minute(m.GetMeetsMs())); err != nil {
		return err
	}
	t := newTable(w, "INVITED", "AS", "ANSWER", "WHO COMES", "ANSWERED", "ASKED", "NEXT")
	for _, i := range m.GetInvited() {
		function := words(i.GetFunction())
		if len(i.GetRepresents()) > 0 {
			function += ", required"
		}
		t.row(invitedText(i), function, answerText(i), orDash(i.GetComes()), timeOrDash(i.GetAnsweredMs()), askedText(i), timeOrDash(i.GetNextMs()))
	}
	if err := t.flush(); err != nil {
		return err
	}
	return printMissing(w, m)
}

func printMissing(w io.Writer, m *meetingv1.ShowResponse) error {
	var b strings.Builder
	if missing := m.GetMissing(); len(missing) > 0 {
		fmt.Fprintf(&b, "\nRequired, and promised by nobody so far: %s.\n", words(strings.Join(missing, ", ")))
	}
	for _, task := range m.GetTasks() {
		fmt.Fprintf(&b, "A person is asked to see to it: signalbox task show %s\n", task)
	}
	for _, i := range m.GetInvited() {
		if i.GetTask() != "" {
			fmt.Fprintf(&b, "%s is to be telephoned: signalbox task show %s\n", invitedText(i), i.GetTask())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func invitedText(i *meetingv1.Invited) string {
	if i.GetName() == "" || i.GetName() == i.GetOrganisation() {
		return i.GetOrganisation()
	}
	return i.GetName() + " (" + i.GetOrganisation() + ")"
}

func answerText(i *meetingv1.Invited) string {
	text := ""
	switch i.GetState() {
	case "accepted":
		text = "comes"
	case "deputy":
		text = "a deputy comes"
	case "declined":
		text = "DECLINED: " + words(i.GetReason())
	case "no_answer":
		text = "no answer"
	case "telephone":
		text = "told by telephone"
	default:
		text = "NOT REACHED"
	}
	if i.GetAnswers() > 1 {
		text += fmt.Sprintf(" (answered %d times)", i.GetAnswers())
	}
	return text
}

func askedText(i *meetingv1.Invited) string {
	if i.GetAskedMs() == 0 {
		return "-"
	}
	return i.GetAsked() + ", " + minute(i.GetAskedMs())
}

func timeOrDash(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return minute(ms)
}

type meetingReplyCmd struct {
	Notice  string `arg:"" help:"The invitation: the notice's id."`
	Accept  bool   `help:"Whoever answers comes."`
	Deputy  string `placeholder:"NAME" help:"Somebody else comes: who. Kept apart from the ledger, where it can be erased."`
	Decline string `placeholder:"REASON" enum:",no_capacity,too_short_notice,not_involved,conflict_of_interest,other" default:"" help:"Nobody comes: no_capacity, too_short_notice, not_involved, conflict_of_interest or other."`
	Person  string `required:"" placeholder:"NAME" help:"Who answers. Kept like the deputy's name."`
	connection
}

func (meetingReplyCmd) Help() string {
	return `An agency answers for its own organisation, an operator for whoever told them by telephone. The last answer stands, until the meeting starts. For example:

    signalbox meeting reply 0k3v9q2m7x4b8n1c5d6f --accept --person "DS R. Fenwick"
    signalbox meeting reply 0k3v9q2m7x4b8n1c5d6f --deputy "DC A. Lund" --person "DS R. Fenwick"
    signalbox meeting reply 0k3v9q2m7x4b8n1c5d6f --decline no_capacity --person "DS R. Fenwick"

After a refusal the organisation's deputy or duty desk is asked at once.`
}

// Validate says what goes together before anything is asked of the service.
func (c *meetingReplyCmd) Validate() error {
	answers := 0
	for _, given := range []bool{c.Accept, c.Deputy != "", c.Decline != ""} {
		if given {
			answers++
		}
	}
	if answers != 1 {
		return fmt.Errorf("give one answer: --accept, --deputy NAME or --decline REASON")
	}
	return c.connection.Validate()
}

func (c *meetingReplyCmd) request() *meetingv1.ReplyRequest {
	r := &meetingv1.ReplyRequest{Notice: c.Notice, Person: c.Person, Deputy: c.Deputy, Reason: c.Decline}
	switch {
	case c.Accept:
		r.Answer = ledgerv1.Answer_ANSWER_ACCEPTED
	case c.Deputy != "":
		r.Answer = ledgerv1.Answer_ANSWER_DEPUTY
	case c.Decline != "":
		r.Answer = ledgerv1.Answer_ANSWER_DECLINED
	}
	return r
}

func (c *meetingReplyCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := call(ctx, l, meetingv1.NewMeetingServiceClient(l.conn).Reply, c.request()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "The invitation %s is answered.\n", c.Notice)
	return err
}

func repliedLine(r *ledgerv1.Replied) line {
	what := map[ledgerv1.Answer]string{
		ledgerv1.Answer_ANSWER_ACCEPTED: "accepted", ledgerv1.Answer_ANSWER_DEPUTY: "deputy comes", ledgerv1.Answer_ANSWER_DECLINED: "declined",
	}[r.GetAnswer()]
	detail := fmt.Sprintf("by %s, by %s", r.GetBy(), r.GetMeans())
	if r.GetReason() != "" {
		detail += ": " + words(r.GetReason())
	}
	return line{what, noticeText(r.GetNotice()), detail}
}

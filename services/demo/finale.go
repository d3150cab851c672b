package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/html"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/rpc"
)

// showExample shows a mail and the notice behind its link, as the recipient reads them.
func (s *stage) showExample() error {
	if s.example == nil {
		return fmt.Errorf("demo: nobody has read a notice")
	}
	to := s.names.contactAt(s.example.mail.To)
	s.box("The email that "+to+" gets: nothing of the matter is in it", "Subject: "+s.example.mail.Subject+"\n\n"+s.example.mail.Text)
	s.box("The page behind the link, once "+to+" has given the code", pageText(s.example.page))
	return nil
}

// box frames a text.
func (s *stage) box(title, text string) {
	inner := width - 8
	fmt.Fprintf(s.out, "\n   ┌─ %s %s\n", title, strings.Repeat("─", max(0, inner-len([]rune(title)))))
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		for _, l := range wrapKeeping(line, inner) {
			fmt.Fprintln(s.out, strings.TrimRight("   │ "+l, " "))
		}
	}
	fmt.Fprintf(s.out, "   └%s\n", strings.Repeat("─", inner+3))
}

// wrapKeeping wraps a line and keeps its indent. Links stay whole, to be copied.
func wrapKeeping(line string, to int) []string {
	if strings.Contains(line, "https://") {
		return []string{line}
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	hang := 0
	if strings.HasPrefix(line[indent:], "- ") {
		hang = 2
	}
	lines := wrap(line, to-indent-hang)
	for i := range lines {
		lines[i] = strings.Repeat(" ", indent) + lines[i]
		if i > 0 {
			lines[i] = strings.Repeat(" ", hang) + lines[i]
		}
	}
	return lines
}

// pageText is what a page says, without its forms.
func pageText(page string) string {
	var b strings.Builder
	skip, text := 0, ""
	flush := func() {
		if t := strings.Join(strings.Fields(text), " "); t != "" {
			b.WriteString(t + "\n")
		}
		text = ""
	}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			flush()
			said, _, _ := strings.Cut(b.String(), "\nAcknowledge this notice\n") // from here on it is forms
			return strings.TrimSpace(said) + "\n\n[Acknowledge]   [This child is not at our school or setting]"
		}
		token := z.Token()
		switch kind {
		case html.StartTagToken:
			switch token.Data {
			case "head", "form", "header", "footer", "nav", "a":
				skip++
			case "h1", "h2", "h3":
				flush()
				b.WriteString("\n")
			case "dd":
				text += ": "
			case "li":
				flush()
				text = "- "
			}
		case html.EndTagToken:
			switch token.Data {
			case "head", "form", "header", "footer", "nav", "a":
				skip--
			case "p", "h1", "h2", "h3", "li", "dd":
				text = strings.ReplaceAll(text, " : ", ": ")
				flush()
			}
		case html.TextToken:
			if skip == 0 {
				text += token.Data
			}
		case html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken, html.ErrorToken:
		}
	}
}

// standing says how things stand at the end: the tasks that people have, and that the ledger holds.
func (s *stage) standing(ctx context.Context) error {
	rule := strings.Repeat("━", width)
	fmt.Fprintf(s.out, "\n%s\n How things stand\n%s\n\n", rule, rule)
	list, err := s.tasks.List(ctx, &taskv1.ListRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	fmt.Fprintf(s.out, " Open tasks: %d. Each has an owner and a due time.\n\n", len(list.Items))
	t := table{out: s.out, indent: 3, widths: []int{34, 24, 35}}
	t.row("Owner", "Due", "What is asked")
	t.rule()
	for _, item := range list.Items {
		due := moment(item.Task.DueMs)
		if item.Overdue {
			due = "overdue since\n" + due
		}
		t.row(fmt.Sprintf("%s (%s)", s.names.organisation(item.Task.Organisation), words(item.Task.Role)), due, item.Task.Detail)
	}
	verified, err := s.ledger.Verify(ctx, &ledgerv1.VerifyRequest{})
	if err != nil {
		return rpc.Fault(err)
	}
	sum, err := s.summary(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n Events: %d taken in, %d refused, and %d manifest.\n Ledger: %d facts in %d packs, %d faults when folded anew.\n\n",
		sum.Events, sum.Refused, s.manifests(), verified.Facts, verified.Packs, len(verified.Faults))
	return nil
}

// manifests counts the manifests that were published: they report nothing, so they are no events of the summary.
func (s *stage) manifests() int {
	count := 0
	for _, p := range s.events {
		if notice.EventKind(p.event.Type) == notice.Manifest {
			count++
		}
	}
	return count
}

// invite says what whoever runs the demo can try.
func (s *stage) invite(ctx context.Context) error {
	if err := s.fileMails(); err != nil {
		return err
	}
	if err := s.copyEvents(); err != nil {
		return err
	}
	with := program()
	admin := fmt.Sprintf(" --server %s --identity %s", s.service.GRPCAddr(), s.service.AdminIdentity())
	agency := fmt.Sprintf(" --server %s --identity %s", s.service.GRPCAddr(), s.agencies[police].folder)
	trust := fmt.Sprintf(" --server %s --identity %s", s.service.GRPCAddr(), s.agencies[health].folder)
	events := filepath.Join(s.data, "events")
	rule := strings.Repeat("━", width)
	fmt.Fprintf(s.out, "%s\n Try it: the service is up, and its clock runs on from Monday 10 August 2026, 12:00 BST\n%s\n\n", rule, rule)
	if waiting, ok := s.waiting(); ok {
		fmt.Fprintf(s.out, " Be %s of Kestrel Vale: a notice waits. Open its page (the certificate is the demo's own, so the browser warns),\n"+
			" ask for a code, and find it in the newest file of the mails:\n\n   %s\n   ls %s | tail -1\n\n",
			s.names.contactAt(forTheEnd), linkPattern.FindString(waiting.Text), s.mailDir())
	}
	fmt.Fprintf(s.out, " Report an incident by hand, as the desk hub@northbridge-police.example; the code comes to the same mails:\n\n   %s/report\n\n", s.service.PageURL())
	for _, c := range [][2]string{
		{"Who would be told of an event, why and by when. Sends nothing", "explain " + filepath.Join(events, "02-siblings.json") + " --at 2026-06-18T22:15:00+01:00" + admin},
		{"Publish as the police, over NATS; the same event twice is one event", "publish " + filepath.Join(events, "01-school-night.json") + " --via nats --nats " + s.service.NATSURL() + agency},
		{"A bad event, and what its publisher hears", "publish " + filepath.Join(events, MalformedEvent) + agency},
		{"What became of the police's events", "feedback" + agency},
		{"Everything about one event, from the ledger", "ledger timeline --event " + police + "/np-1480" + admin},
		{"Take an event back as the police; it names the task that shows who may have it", "withdraw --agency " + police + " --event np-1040 --code wrong_child --reason 'A rehearsal.'" + agency},
		{"What people have to do", "task list" + admin},
		{"Who is on duty this week, and when nobody is", "directory duty ashmere-council --role duty" + admin},
		{"Whom nobody can be told at yet, by area and kind", "directory coverage" + admin},
		{"Children missing, in police protection or detained over a fortnight", "ledger missing --as-of 2026-06-29" + admin},
		{"What the police left out of their events", "ledger completeness --agency " + police + " --from 2026-06-01 --until 2026-08-31" + admin},
		{"Ask to be told of outcomes, as a health trust", "subscription request --kind conference.concluded --area E09000901 --purpose 'A rehearsal.'" + trust},
		{"What lies in its inbox; an operator grants first (signalbox subscription grant --help)", "inbox read" + trust},
		{"Who came to a strategy meeting", "meeting show SM-0311 --agency ashmere-social-care" + admin},
		{"Who is on duty at the council, hour by hour", "directory duty ashmere-council" + admin},
		{"What publishers left out of their events", "ledger completeness" + admin},
		{"Who subscribes to outcomes, and until when", "subscription list" + admin},
		{"What lies in the school nurses' inbox", "inbox read --server " + s.service.GRPCAddr() + " --identity " + s.agencies[schoolNurses].folder},
		{"What needs somebody now", "alarm list" + admin},
		{"What was refused, and why", "quarantine list" + admin},
		{"A school and its contacts", "directory show --organisation gias:900101" + admin},
	} {
		fmt.Fprintf(s.out, " %s:\n   %s %s\n\n", c[0], with, c[1])
	}
	fmt.Fprintf(s.out, "   gRPC   %s\n   NATS   %s\n   page   %s\n   mails  %s\n   data   %s\n\n Ctrl-C ends it.\n",
		s.service.GRPCAddr(), s.service.NATSURL(), s.service.PageURL(), s.mailDir(), s.data)
	return ctx.Err()
}

// program is how the demo was started, to be used again.
func program() string {
	path, err := os.Executable()
	switch {
	case err != nil:
		return "signalbox"
	case strings.Contains(path, "go-build"): // by go run, which throws the program away at its end
		return "go run ./cmd/signalbox"
	default:
		return path
	}
}

// waiting is the newest mail that was left for whoever runs the demo.
func (s *stage) waiting() (mailbox.Mail, bool) {
	mails := s.mail.To(forTheEnd)
	if len(mails) == 0 {
		return mailbox.Mail{}, false
	}
	return mails[len(mails)-1], true
}

// copyEvents puts the sample events beside the data, to be published again.
func (s *stage) copyEvents() error {
	if err := os.CopyFS(filepath.Join(s.data, "events"), Events()); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

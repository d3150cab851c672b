package delivery

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

//go:embed templates/*.tmpl
var templates embed.FS

const (
	marking   = "OFFICIAL-SENSITIVE"
	duplicate = "You may have had this notice before: an earlier try to send it ended without an answer. It is the same notice, not a new event."
)

// sheetData is what the templates of a notice are given.
type sheetData struct {
	Subject   string
	Sheet     Sheet
	Link      string
	Ask       string // what the recipient is asked to do with it, and by when
	Duplicate string
	CodeWay   string // where the code goes
}

// RenderMail makes the email for a message. The same message gives the same bytes.
func RenderMail(m Message, names func(notice.OrgID) string) (Mail, error) {
	const op = "delivery.RenderMail"
	if m.Form != Full && m.Form != Stub {
		return Mail{}, notice.Fault(notice.Internal, op, errors.New("the form is not set"))
	}
	if m.Notice == nil || m.Notice.GetId() == "" || m.MessageID == "" {
		return Mail{}, notice.Fault(notice.Internal, op, errors.New("the notice or its message id is missing"))
	}
	if link, err := url.Parse(m.Link); err != nil || link.Scheme != "https" || link.Host == "" {
		return Mail{}, notice.Fault(notice.Internal, op, errors.New("the link is not an https URL"))
	}
	data := sheetData{Sheet: Lay(m.Notice, names, false), Link: m.Link}
	data.Subject = subject(m, data.Sheet)
	data.Ask = ask(m, data.Sheet)
	data.CodeWay = "It comes by email to the same mailbox."
	if m.Endpoint.Shared {
		data.CodeWay = "It goes to the address that your organisation gave for codes, because several people read this mailbox."
	}
	if m.PossibleDuplicate {
		data.Duplicate = duplicate
	}
	out := Mail{Subject: data.Subject, MessageID: m.MessageID, Headers: headers(m), Date: m.At, ReturnTo: m.ReturnTo}
	var err error
	if out.Text, out.HTML, err = execute(m.Form.String(), data); err != nil {
		return Mail{}, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// subject holds the marking, the reference and the time: no name, and nothing of the matter.
func subject(m Message, s Sheet) string {
	var b strings.Builder
	if m.Secure {
		b.WriteString("[secure] ")
	}
	b.WriteString(marking + " Signalbox notice " + s.Reference)
	if s.Correction != "" {
		fmt.Fprintf(&b, " version %d", m.Notice.GetVersion())
	}
	if s.Repeated != "" {
		b.WriteString(" sent again")
	}
	verb := "acknowledge"
	if s.Invitation {
		verb = "answer"
	}
	switch {
	case s.Acknowledge && s.DueShort != "" && !overdue(m):
		b.WriteString(" - please " + verb + " by " + s.DueShort)
	case s.Acknowledge && s.DueShort != "":
		b.WriteString(" - please " + verb + " now, due " + s.DueShort)
	case s.Acknowledge:
		b.WriteString(" - please " + verb)
	default:
		b.WriteString(" - please read")
	}
	return b.String()
}

func overdue(m Message) bool { return m.At.After(m.Notice.GetDue().AsTime()) }

func ask(m Message, s Sheet) string {
	read := "open the page"
	if m.Form == Full {
		read = "open the page below, ask for a code"
	}
	verb, act := "acknowledge it", " and confirm there with your name. Opening or answering this email does not count."
	if s.Invitation {
		verb, act = "answer it", " and say there, with your name, whether you come. Opening or answering this email does not count."
	}
	switch {
	case !s.Acknowledge && m.Form == Full:
		return ""
	case !s.Acknowledge:
		return "Please read it. You do not need to acknowledge it."
	case s.Due == "":
		return "Please " + verb + ": " + read + act
	case overdue(m):
		return "Please " + verb + " now; it was due by " + s.Due + ": " + read + act
	default:
		return "Please " + verb + " by " + s.Due + ": " + read + act
	}
}

func headers(m Message) []Header {
	h := []Header{
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
		{"X-Signalbox-Notice", notice.Reference(m.Notice.GetId())},
	}
	if m.ReturnTo != "" {
		// We want to hear that somebody is away, and these fields would keep a mail system from saying so. No loop can
		// come of it: the address that the answer goes to never answers. Receipts, and answers other than out of office,
		// say nothing that counts.
		h = []Header{{"X-Auto-Response-Suppress", "RN, NRN, AutoReply"}, h[2]}
	}
	if m.PossibleDuplicate {
		h = append(h, Header{"X-Signalbox-Possible-Duplicate", "true"})
	}
	if replaced := cmp.Or(m.Notice.GetReplaces(), m.Notice.GetRepeats()); replaced != "" {
		// The earlier one stands beside this one in the mailbox.
		h = append(h, Header{"In-Reply-To", "<" + MessageID(replaced, m.Endpoint.Contact, Domain(m.MessageID)) + ">"})
	}
	return h
}

// Code is a one-time code to be mailed.
type Code struct {
	NoticeID  string
	Reporting bool // no notice's: it signs in who reports by hand
	Code      string
	Until     time.Time // it works no longer
	MessageID string    // new for each code
	Secure    bool
	At        time.Time
}

// RenderCode makes the email that carries a one-time code for the page. The code is not in its subject, which a locked
// screen shows.
func RenderCode(c Code) (Mail, error) {
	const op = "delivery.RenderCode"
	if (c.NoticeID == "") != c.Reporting || c.Code == "" || c.MessageID == "" {
		return Mail{}, notice.Fault(notice.Internal, op, errors.New("the notice, the code or the message id is missing"))
	}
	what := "notice " + notice.Reference(c.NoticeID)
	if c.Reporting {
		what = "signing in"
	}
	data := struct{ Subject, For, Code, Until string }{
		Subject: marking + " Signalbox code for " + what,
		For:     what,
		Code:    c.Code,
		Until:   LongTime(c.Until, directory.London()),
	}
	if c.Secure {
		data.Subject = "[secure] " + data.Subject
	}
	out := Mail{Subject: data.Subject, MessageID: c.MessageID, Date: c.At, Headers: []Header{
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
	}}
	if !c.Reporting {
		out.Headers = append(out.Headers, Header{"X-Signalbox-Notice", notice.Reference(c.NoticeID)})
	}
	var err error
	if out.Text, out.HTML, err = execute("code", data); err != nil {
		return Mail{}, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

func execute(name string, data any) (text, html string, err error) {
	var t, h strings.Builder
	if err := textTemplates().ExecuteTemplate(&t, name+".txt.tmpl", data); err != nil {
		return "", "", err
	}
	if err := htmlTemplates().ExecuteTemplate(&h, name+".html.tmpl", data); err != nil {
		return "", "", err
	}
	return t.String(), h.String(), nil
}

// The templates are parsed once; they are part of the program, so that a bad one fails the first test that renders.
var (
	textTemplates = sync.OnceValue(func() *texttemplate.Template {
		funcs := texttemplate.FuncMap{"upper": strings.ToUpper}
		return texttemplate.Must(texttemplate.New("").Funcs(funcs).ParseFS(templates, "templates/*.txt.tmpl"))
	})
	htmlTemplates = sync.OnceValue(func() *htmltemplate.Template {
		return htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/*.html.tmpl"))
	})
)

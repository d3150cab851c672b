package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox-hq/signalbox/services/mailbox"
)

// habit is how somebody treats a mail about a notice.
type habit int

const (
	acknowledges habit = iota
	scansOnly          // a program opens every link, and nobody acts
	neverAnswers
	notHere  // says that the child is not at the school
	declines // cannot come to a meeting; acknowledges all else
)

// Those who do not simply acknowledge.
const (
	scanned   = "t.wexford@ashmere-college.example"
	away      = "w.ashby@holiday.heronsgate.example"
	notOurs   = "office@fernside.example"
	busy      = "hub@northbridge-police.example"
	busyToo   = "l.oyelaran@harbour-trust.example"
	forTheEnd = "x.ferreira@kestrelvale.example" // left for whoever runs the demo
)

// habitOf is what the reader of an address does with the n-th notice (from 0) that comes there.
func habitOf(address string, n int) habit {
	switch {
	case address == scanned:
		return scansOnly
	case address == away, address == forTheEnd:
		return neverAnswers
	case address == notOurs && n == 0:
		return notHere
	case address == busy, address == busyToo:
		return declines
	default:
		return acknowledges
	}
}

var (
	linkPattern = regexp.MustCompile(`https://[^\s"<>]+/n/[^\s"<>]+`)
	codePattern = regexp.MustCompile(`(?m)^\s*([0-9]{3}[ -]?[0-9]{3})\s*$`)
)

// reader is the person who reads an address: the contact, or somebody of a desk that has no name.
func reader(address, contactName string) string {
	names := map[string]string{
		"education.safeguarding@ashmere.example": "U. Sandoval",
		"duty@ashmere.example":                   "P. Ravenscroft",
		"edt@ashmere.example":                    "L. Amadi",
		"duty@kestrelvale.example":               "S. Oduya",
		"hub@northbridge-police.example":         "DC R. Fenwick",
		"safeguarding@beacon-row.example":        "J. Marlowe",
	}
	if name, ok := names[address]; ok {
		return name
	}
	return contactName
}

func isCode(m mailbox.Mail) bool { return strings.Contains(m.Subject, "Signalbox code") }

// readMail has everybody read the mail that came since last time and do as they do. It reports whether there was any.
func (s *stage) readMail(ctx context.Context) (bool, error) {
	all := s.mail.All()
	fresh := all[s.read:]
	s.read = len(all)
	for _, m := range fresh {
		if isCode(m) {
			continue
		}
		n := s.notices[m.To]
		s.notices[m.To]++
		if err := s.respond(ctx, m, habitOf(m.To, n)); err != nil {
			return false, err
		}
	}
	return len(fresh) > 0, nil
}

func (s *stage) respond(ctx context.Context, m mailbox.Mail, h habit) error {
	invites := strings.Contains(m.Subject, "please answer")
	if h == neverAnswers || !invites && !strings.Contains(m.Subject, "acknowledge") {
		return nil
	}
	b, err := s.newBrowser(m)
	if err != nil {
		return err
	}
	defer b.client.CloseIdleConnections()
	if _, err := b.get(ctx, ""); err != nil || h == scansOnly {
		return err
	}
	page, err := b.unlock(ctx, s.names.codesTo(m.To))
	if err != nil {
		return err
	}
	if s.example == nil {
		s.example = &example{mail: m, page: page}
	}
	if h == notHere {
		return b.post(ctx, "/not-at-setting", url.Values{"checked": {"yes"}})
	}
	if invites && h == declines {
		return b.post(ctx, "/reply", url.Values{
			"who": {"other"}, "name": {reader(m.To, s.names.contactAt(m.To))}, "comes": {"no"}, "reason": {"no_capacity"},
		})
	}
	if invites {
		return b.post(ctx, "/reply", url.Values{
			"who": {"other"}, "name": {reader(m.To, s.names.contactAt(m.To))}, "comes": {"yes"},
		})
	}
	return b.post(ctx, "/acknowledge", url.Values{
		"who": {"other"}, "name": {reader(m.To, s.names.contactAt(m.To))}, "have": {"yes"},
	})
}

// browser is one person's, at the page of one notice.
type browser struct {
	client *http.Client
	mail   *mailbox.Server
	link   string
}

func (w *world) newBrowser(m mailbox.Mail) (*browser, error) {
	link := linkPattern.FindString(m.Text)
	if link == "" {
		return nil, fmt.Errorf("demo: a mail about a notice has no link")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &browser{link: link, mail: w.mail, client: &http.Client{
		Jar: jar, Transport: &http.Transport{TLSClientConfig: w.roots.Clone()},
		// The redirects lead to pages that a person sees and needs no more than a glance at.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// unlock asks for a code, reads it from the mailbox where codes go, enters it and returns the page with the notice.
func (b *browser) unlock(ctx context.Context, codesTo string) (string, error) {
	before := len(b.mail.To(codesTo))
	if err := b.post(ctx, "/code", nil); err != nil {
		return "", err
	}
	mail, err := b.mail.Await(ctx, codesTo, before, isCode)
	if err != nil {
		return "", err
	}
	code := codePattern.FindStringSubmatch(mail.Text)
	if code == nil {
		return "", fmt.Errorf("demo: a mail with a code has none")
	}
	if err := b.post(ctx, "/open", url.Values{"code": {code[1]}}); err != nil {
		return "", err
	}
	return b.get(ctx, "/notice")
}

func (b *browser) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.link+path, nil)
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	return b.do(request, http.StatusOK)
}

func (b *browser) post(ctx context.Context, path string, form url.Values) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.link+path, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	_, err = b.do(request, http.StatusSeeOther)
	return err
}

func (b *browser) do(request *http.Request, want int) (string, error) {
	response, err := b.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("demo: the notice page: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("demo: the notice page: %w", err)
	}
	if response.StatusCode != want {
		// The path holds the link's secret, so it is left out.
		return "", fmt.Errorf("demo: the notice page answered a %s with %s", request.Method, response.Status)
	}
	return string(text), nil
}

// mailDir is where mails are written for whoever runs the demo.
func (w *world) mailDir() string { return filepath.Join(w.data, "mails") }

// fileMails writes the mails that came since the last time, one to a file.
func (w *world) fileMails() error {
	if err := os.MkdirAll(w.mailDir(), 0o700); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, m := range w.mail.All()[w.filed:] {
		w.filed++
		name := fmt.Sprintf("%03d-%s.txt", w.filed, m.To)
		text := fmt.Sprintf("To: %s\nSubject: %s\n\n%s", m.To, m.Subject, m.Text)
		if err := os.WriteFile(filepath.Join(w.mailDir(), name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// mailsEvery is how often mails are looked for while the demo stays up.
const mailsEvery = 250 * time.Millisecond

// keepMails writes mails as they come until the context ends.
func (w *world) keepMails(ctx context.Context) error {
	tick := time.NewTicker(mailsEvery)
	defer tick.Stop()
	for {
		if err := w.fileMails(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

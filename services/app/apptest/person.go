package apptest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/signalbox-hq/signalbox/services/mailbox"
)

var (
	linkPattern = regexp.MustCompile(`https://[^\s"<>]+/n/[^\s"<>]+`)
	codePattern = regexp.MustCompile(`\b[0-9]{6}\b`)
)

// Person reads a mailbox and answers on the page, as a person with a browser does.
type Person struct {
	Address string
	CodesTo string // where one-time codes go: the same address, but for a shared mailbox
	At      string // the address of another instance's page than the one that mails link to, or empty
	rig     *Rig
	browser *http.Client
}

// Person is whoever reads an address.
func (r *Rig) Person(address string) *Person {
	jar, err := cookiejar.New(nil)
	r.must(err)
	return &Person{Address: address, CodesTo: address, rig: r, browser: &http.Client{
		Jar: jar, Transport: &http.Transport{TLSClientConfig: r.Roots.Clone(), DisableKeepAlives: true},
	}}
}

// Notices are the mails about notices that the person has, without those that carry codes.
func (p *Person) Notices() []mailbox.Mail {
	var notices []mailbox.Mail
	for _, m := range p.rig.Mail.To(p.Address) {
		if !isCode(m) {
			notices = append(notices, m)
		}
	}
	return notices
}

func isCode(m mailbox.Mail) bool { return strings.Contains(m.Subject, "Signalbox code") }

// Open follows the link of a mail, asks for the code, enters it, and returns the page that shows the notice.
func (p *Person) Open(m mailbox.Mail) string {
	p.rig.T.Helper()
	link := p.link(m)
	p.get(link)
	before := len(p.rig.Mail.To(p.CodesTo))
	p.post(link+"/code", nil)
	code, err := p.rig.Mail.Await(p.rig.Context(), p.CodesTo, before, isCode)
	p.rig.must(err)
	return p.post(link+"/open", url.Values{"code": {codePattern.FindString(code.Text)}})
}

// Acknowledge opens the notice and says that the person has it.
func (p *Person) Acknowledge(m mailbox.Mail) string {
	p.rig.T.Helper()
	p.Open(m)
	return p.post(p.link(m)+"/acknowledge", url.Values{"who": {"contact"}, "have": {"yes"}})
}

// NotHere opens the notice and says that the child is not at the setting.
func (p *Person) NotHere(m mailbox.Mail) string {
	p.rig.T.Helper()
	p.Open(m)
	return p.post(p.link(m)+"/not-at-setting", url.Values{"checked": {"yes"}})
}

// Scan fetches the link of a mail as a link scanner does.
func (p *Person) Scan(m mailbox.Mail) string {
	p.rig.T.Helper()
	return p.get(p.link(m))
}

// Try is one request to a page of a mail's link, such as "/notice", that may be refused: a GET, or a POST where there is
// a form. It returns the status and the page.
func (p *Person) Try(m mailbox.Mail, path string, form url.Values) (int, string) {
	p.rig.T.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(p.rig.Context(), method, p.link(m)+path, strings.NewReader(form.Encode()))
	p.rig.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := p.browser.Do(request)
	p.rig.must(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	p.rig.must(err)
	return response.StatusCode, string(body)
}

func (p *Person) link(m mailbox.Mail) string {
	link := linkPattern.FindString(m.Text)
	if link == "" {
		p.rig.T.Fatalf("the mail to %s has no link:\n%s", p.Address, m.Text)
	}
	if p.At == "" {
		return link
	}
	_, path, _ := strings.Cut(link, "/n/")
	return p.At + "/n/" + path
}

func (p *Person) get(address string) string {
	p.rig.T.Helper()
	response, err := p.browser.Get(address)
	return p.page(response, err)
}

func (p *Person) post(address string, form url.Values) string {
	p.rig.T.Helper()
	request, err := http.NewRequestWithContext(p.rig.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	p.rig.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := p.browser.Do(request)
	return p.page(response, err)
}

func (p *Person) page(response *http.Response, err error) string {
	p.rig.T.Helper()
	p.rig.must(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	p.rig.must(err)
	if response.StatusCode != http.StatusOK {
		p.rig.T.Fatalf("%s %s: %s\n%s", response.Request.Method, response.Request.URL.Path, response.Status, body)
	}
	return string(body)
}

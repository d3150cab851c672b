package report

import (
	"context"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	site    = "https://notices.example"
	mailbox = "hub@northbridge-police.example"
)

func london(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// office is the directory, the post and the entrance of a test. Its checks are the real ones.
type office struct {
	t      *testing.T
	intake *intake.Intake
	clock  *time.Time

	mu     sync.Mutex
	desks  map[string]Desk // by address
	kinds  []string
	codes  chan string
	sent   map[string]*eventv1.Event // by id
	typed  []string                  // names of those who reported
	fail   error                     // of the next publishing
	stands map[string][]Standing
}

func (o *office) Find(address string) (Desk, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, ok := o.desks[strings.ToLower(address)]
	return d, ok
}

func (o *office) Still(contact string) (Desk, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.desks {
		if d.Contact == contact {
			return d, true
		}
	}
	return Desk{}, false
}

func (o *office) SendCode(_ context.Context, _ Desk, code string) error {
	o.codes <- code
	return nil
}

func (o *office) Areas() []Area {
	return []Area{{"E09000901", "Ashmere"}, {"E10000902", "Kestrel Vale"}}
}

func (o *office) Check(d Desk, ev *eventv1.Event) []notice.FieldFault {
	return o.intake.Validate(ev, intake.Check{
		Agency: d.Agency, Kinds: o.kinds, Now: *o.clock, Live: true,
		AreaKnown: func(a notice.Area) bool { return a == "E09000901" || a == "E10000902" },
	})
}

func (o *office) Publish(_ context.Context, d Desk, ev *eventv1.Event, person string) (Sent, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return Sent{}, o.fail
	}
	if before := o.sent[ev.Id]; before != nil && before.String() != ev.String() {
		return Sent{}, notice.Faultf(notice.Conflict, "office.Publish", "known with other content")
	}
	o.sent[ev.Id] = ev
	o.typed = append(o.typed, person)
	return Sent{Key: "k00000000000000000" + string(d.Agency[:2])}, nil
}

func (o *office) Look(_ context.Context, d Desk, key string) (Sent, error) {
	if children, ok := o.stands[string(d.Agency)+"/"+key]; ok {
		return Sent{Key: key, Children: children}, nil
	}
	return Sent{}, notice.Faultf(notice.NotFound, "office.Look", "there is none")
}

// visitor is a person with a browser before the page.
type visitor struct {
	t       *testing.T
	office  *office
	handler *Handler
	jar     *cookiejar.Jar
	logs    *observer.ObservedLogs
	now     time.Time
	headers http.Header
	bodies  []string // everything that was shown
	urls    []string // everything that was asked for
	client  string
}

// newVisitor stands before the page at 23:10 on a summer night.
func newVisitor(t *testing.T) *visitor {
	t.Helper()
	in, err := intake.New()
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	v := &visitor{
		t: t, jar: jar, logs: logs, now: time.Date(2026, 6, 18, 22, 10, 0, 0, time.UTC),
		headers: http.Header{"Sec-Fetch-Site": {"same-origin"}}, client: "192.0.2.7:4000",
	}
	v.office = &office{
		t: t, intake: in, clock: &v.now, codes: make(chan string, 200), sent: map[string]*eventv1.Event{}, stands: map[string][]Standing{},
		desks: map[string]Desk{mailbox: {
			Contact: "northbridge-desk", Mailbox: mailbox, Agency: "northbridge-police", Organisation: "Northbridge Police",
		}},
	}
	v.handler, err = New(Config{BaseURL: site, Key: notice.Key{1}, Live: true, London: london(t), Rate: 1000, Burst: 1000},
		v.office, v.office, func() time.Time { return v.now }, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.handler.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return v
}

// do is one request, and what it redirects to.
func (v *visitor) do(method, path string, form url.Values) (int, string) {
	v.t.Helper()
	for {
		r := httptest.NewRequest(method, site+path, strings.NewReader(form.Encode()))
		r.RemoteAddr = v.client
		for name, values := range v.headers {
			r.Header[name] = values
		}
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range v.jar.Cookies(r.URL) {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		v.handler.ServeHTTP(w, r)
		response := w.Result()
		v.jar.SetCookies(r.URL, response.Cookies())
		v.urls = append(v.urls, path, response.Header.Get("Location"))
		if response.StatusCode != http.StatusSeeOther {
			v.bodies = append(v.bodies, w.Body.String())
			return response.StatusCode, w.Body.String()
		}
		method, path, form = http.MethodGet, response.Header.Get("Location"), nil
	}
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	return v.do(http.MethodPost, path, form)
}

// code is the next code that comes by mail.
func (v *visitor) code() string {
	v.t.Helper()
	select {
	case code := <-v.office.codes:
		return code
	case <-time.After(time.Minute):
		v.t.Fatal("no code came")
		return ""
	}
}

// enter signs in and returns the empty form.
func (v *visitor) enter() url.Values {
	v.t.Helper()
	v.post("/report/sign-in", url.Values{"address": {mailbox}})
	status, body := v.post("/report/open", url.Values{"address": {mailbox}, "code": {v.code()}})
	if status != http.StatusOK || !strings.Contains(body, titleReport) {
		v.t.Fatalf("signing in: status %d\n%s", status, body)
	}
	return values(body)
}

// filled is the form of a night's incident with one child.
func (v *visitor) filled() url.Values {
	form := v.enter()
	for name, value := range map[string]string{
		"subject": "NP/26/7", "occurred-day": "18 6 2026", "occurred-clock": "22:20", "reported-day": "18/06/2026", "reported-clock": "2231",
		"area": "E09000901", "risk": "medium", "welfare": "done", "pnc": "not-done", "place-lines": "1 Long Row\r\nAshmere", "place-postcode": "ZZ1 1AA",
		"child-0-given": "Ivo", "child-0-family": "Brennock", "child-0-born": "9 5 2015", "child-0-upn": "Q901 2001 1900 1",
		"child-0-presence": "present", "child-0-voice": "I turned the radio up.", "child-0-setting": "Beacon Row",
		"person-0-role": "victim", "person-0-given": "Maren", "person-0-family": "Brennock",
		"person-0-email": " maren@home.example", "person-0-works": "yes", "person-0-works-at": "gias:900101",
		"told": "Officers attended shouting.\r\nThe child was upstairs.", "restricted": "Bail is to follow.", "reporter": "Pat Lund",
	} {
		form.Set(name, value)
	}
	return form
}

func (v *visitor) review(form url.Values) (int, string) {
	v.t.Helper()
	form.Set("action", "review")
	return v.post("/report", form)
}

var (
	inputTag    = regexp.MustCompile(`<input ([^>]*)>`)
	areaTag     = regexp.MustCompile(`(?s)<textarea id="([^"]*)"[^>]*>\n(.*?)</textarea>`)
	selectTag   = regexp.MustCompile(`(?s)<select id="([^"]*)"[^>]*>(.*?)</select>`)
	selectedTag = regexp.MustCompile(`<option value="([^"]*)" selected>`)
	attribute   = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// values is what a browser would send of a page's forms.
func values(body string) url.Values {
	form := url.Values{}
	for _, m := range inputTag.FindAllStringSubmatch(body, -1) {
		has := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(m[1], -1) {
			has[a[1]] = html.UnescapeString(a[2])
		}
		if has["type"] != "radio" || strings.HasSuffix(m[1], " checked") {
			form.Set(has["name"], has["value"])
		}
	}
	for _, m := range areaTag.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range selectTag.FindAllStringSubmatch(body, -1) {
		if chosen := selectedTag.FindStringSubmatch(m[2]); chosen != nil {
			form.Set(m[1], html.UnescapeString(chosen[1]))
		}
	}
	return form
}

// page checks the status of an answer, and something that it says.
func page(t *testing.T, status int, body string, wantStatus int, says ...string) {
	t.Helper()
	if status != wantStatus {
		t.Fatalf("status %d, want %d\n%s", status, wantStatus, body)
	}
	for _, s := range says {
		if !strings.Contains(body, s) {
			t.Errorf("the page does not say %q:\n%s", s, body)
		}
	}
}

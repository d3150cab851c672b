package page

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	noticeID  = "abcdefghjkmnpqrstvwx"
	otherID   = "bbbbbbbbbbbbbbbbbbbb"
	childName = "Rowan Hartley"
)

var key = notice.Key{1, 2, 3}

// desk stands for the rest of Signalbox: it keeps what the page did to it.
type desk struct {
	mu     sync.Mutex
	covers map[string]Cover
	fail   error // of the next call that is not Open
	codes  []string
	done   []string
}

func (d *desk) did(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail; err != nil {
		d.fail = nil
		return err
	}
	d.done = append(d.done, what)
	return nil
}

func (d *desk) history() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.done, "; ")
}

func (d *desk) Open(_ context.Context, id string, _ uint32) (Cover, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.covers[id]
	if !ok {
		return Cover{}, notice.Faultf(notice.NotFound, "desk.Open", "no such notice")
	}
	return c, nil
}

func (d *desk) SendCode(_ context.Context, id string, _ uint32, code string) error {
	if err := d.did("code " + id); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.codes = append(d.codes, code)
	return nil
}

func (d *desk) Read(_ context.Context, id string, _ uint32) (*noticev1.Notice, error) {
	if err := d.did("read " + id); err != nil {
		return nil, err
	}
	return &noticev1.Notice{
		Id: id, Version: 1, Kind: string(notice.EncompassIncident), Organisation: "gias:900101",
		Basis: "Domestic Abuse Act 2021, section 49A", Because: "The child is registered at your school.",
		Do: []string{"Support the child quietly."}, DoNot: []string{"Do not contact the parents or carers about it."},
		Acknowledge: true,
		Events: []*eventv1.Event{{
			Children:  []*eventv1.Child{{Name: &eventv1.Name{Given: "Rowan", Family: "Hartley"}, DateOfBirth: "2017-03-04", Address: &eventv1.Address{Lines: []string{"1 Invented Row"}}}},
			Narrative: &eventv1.Narrative{Disclosable: "<b>An argument</b>"},
			Payload:   &eventv1.Event_EncompassIncident{EncompassIncident: &eventv1.EncompassIncident{OccurredAt: timestamppb.New(time.Date(2026, 11, 19, 22, 40, 0, 0, time.UTC))}},
		}},
	}, nil
}

func (d *desk) Acknowledge(_ context.Context, id string, _ uint32, person string) error {
	if err := d.did("acknowledged " + id + " by " + person); err != nil {
		return err
	}
	return d.state(id, Acknowledged)
}

func (d *desk) Reply(_ context.Context, id string, _ uint32, r Reply) error {
	if err := d.did(fmt.Sprintf("replied to %s: %d by %q, deputy %q, reason %q", id, r.Answer, r.Person, r.Deputy, r.Reason)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.covers[id]
	c.Answer, c.AnsweredAt = r.Answer, time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	d.covers[id] = c
	return nil
}

func (d *desk) NotAtSetting(_ context.Context, id string, _ uint32) error {
	if err := d.did("not at setting " + id); err != nil {
		return err
	}
	return d.state(id, Withdrawn)
}

func (d *desk) state(id string, s State) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.covers[id]
	c.State = s
	d.covers[id] = c
	return nil
}

func (d *desk) lastCode(t *testing.T) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.codes) == 0 {
		t.Fatal("no code was sent")
	}
	return d.codes[len(d.codes)-1]
}

// clock is moved by the test and read by the server.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// visitor is a person with a browser at a real server, or a program that has the link.
type visitor struct {
	t       *testing.T
	client  *http.Client
	server  *httptest.Server
	handler *Handler
	desk    *desk
	clock   *clock
	logs    *observer.ObservedLogs
	headers map[string]string
}

func newVisitor(t *testing.T, change ...func(*Config)) *visitor {
	t.Helper()
	clock := &clock{now: time.Date(2026, 11, 19, 23, 10, 0, 0, time.UTC)}
	d := &desk{covers: map[string]Cover{}}
	for _, id := range []string{noticeID, otherID} {
		d.covers[id] = Cover{
			Reference: notice.Reference(id), Organisation: "Ashmere Primary School", Role: "dsl", ContactName: "Jo Penrose", ContactID: "ashmere-primary-dsl",
			State: Open, Due: time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC), AcknowledgeDue: true, SettingNotice: true,
		}
	}
	server := httptest.NewUnstartedServer(nil)
	core, logs := observer.New(zap.DebugLevel)
	cfg := Config{BaseURL: "https://" + server.Listener.Addr().String(), Key: key, Rate: 10_000, Burst: 10_000}
	for _, c := range change {
		c(&cfg)
	}
	v := &visitor{t: t, server: server, desk: d, clock: clock, logs: logs}
	h, err := New(cfg, d, clock.Now, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	v.handler = h
	server.Config.Handler = h
	server.StartTLS()
	t.Cleanup(server.Close)
	v.client = server.Client()
	if v.client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *visitor) link() string { return v.handler.Link(noticeID, 1) }

// do sends a request and follows redirects as a browser does.
func (v *visitor) do(method, address string, form url.Values) (int, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.headers {
		req.Header.Set(name, value)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	return v.do(http.MethodGet, v.link()+path, nil)
}

func (v *visitor) post(path string, fields ...string) (int, string) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.do(http.MethodPost, v.link()+path, form)
}

// enter asks for a code and gives it.
func (v *visitor) enter() (int, string) {
	v.t.Helper()
	v.post("/code")
	return v.post("/open", "code", v.desk.lastCode(v.t))
}

func (v *visitor) pass(d time.Duration) {
	v.clock.mu.Lock()
	defer v.clock.mu.Unlock()
	v.clock.now = v.clock.now.Add(d)
}

var headingPattern = regexp.MustCompile(`<h1>([^<]*)</h1>`)

func heading(body string) string {
	if m := headingPattern.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

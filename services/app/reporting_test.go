package app_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/mailbox"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/store"
)

// deskBrowser is the browser of somebody at an agency's desk.
type deskBrowser struct {
	r      *apptest.Rig
	client *http.Client
}

func newDeskBrowser(r *apptest.Rig) *deskBrowser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.T.Fatal(err)
	}
	return &deskBrowser{r, &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: r.Roots.Clone(), DisableKeepAlives: true}}}
}

func (b *deskBrowser) send(path string, form url.Values) (int, string) {
	b.r.T.Helper()
	method := http.MethodPost
	if form == nil {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(b.r.Context(), method, b.r.Service.PageURL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.r.T.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.client.Do(request)
	if err != nil {
		b.r.T.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.r.T.Fatal(err)
	}
	return response.StatusCode, string(body)
}

var (
	sixFigures  = regexp.MustCompile(`\b[0-9]{6}\b`)
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	sentPath    = regexp.MustCompile(`href="(/report/sent/[^"]+)"`)
)

func hidden(body string) url.Values {
	form := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

// signIn signs in by the code that comes to the address.
func (b *deskBrowser) signIn(address string) string {
	b.r.T.Helper()
	before := len(b.r.Mail.To(address))
	b.send("/report/sign-in", url.Values{"address": {address}})
	code, err := b.r.Mail.Await(b.r.Context(), address, before, func(m mailbox.Mail) bool { return strings.Contains(m.Subject, "Signalbox code for signing in") })
	if err != nil {
		b.r.T.Fatal(err)
	}
	status, body := b.send("/report/open", url.Values{"address": {address}, "code": {sixFigures.FindString(code.Text)}})
	if status != http.StatusOK || !strings.Contains(body, "Report an incident") {
		b.r.T.Fatalf("signing in: status %d\n%s", status, body)
	}
	return body
}

func TestADeskWithoutAnIntegrationReportsAnIncidentByHand(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 22:40"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	desk := newDeskBrowser(r)
	form := hidden(desk.signIn("hub@northbridge-police.example"))
	for name, value := range map[string]string{
		"subject": "NP/26/9", "occurred-day": "18 6 2026", "occurred-clock": "22:05", "reported-day": "18 6 2026", "reported-clock": "22:30",
		"area": apptest.Ashmere, "child-0-given": "Ivo", "child-0-family": "Brennock", "child-0-born": "9 5 2015", "child-0-presence": "present",
		"told": "Officers attended a disturbance at the home.", "reporter": "Pat Lund",
	} {
		form.Set(name, value)
	}
	form.Set("child-0-born", "9 5 2035")
	form.Set("action", "review")
	if status, body := desk.send("/report", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "is in the future: correct the date") {
		t.Fatalf("a child not yet born: status %d\n%s", status, body)
	}
	form.Set("child-0-born", "9 5 2015")
	status, body := desk.send("/report", form)
	if status != http.StatusOK || !strings.Contains(body, "Send the report") {
		t.Fatalf("the review: status %d\n%s", status, body)
	}
	form = hidden(body)
	_, body = desk.send("/report/send", form)
	r.Settle()
	for range 2 { // the button again, and the answer loaded again
		status, body = desk.send("/report/send", form)
	}
	if status != http.StatusOK || !strings.Contains(body, "NP/26/9") {
		t.Fatalf("sent: status %d\n%s", status, body)
	}
	r.Settle()

	event := "desk-" + form.Get("nonce")
	equal(t, "told", apptest.Told(r.Decision(police.ID, event)), []string{"encompass.school gias:900101: 08:30 Fri 19 Jun (BST)"})
	if n := facts(r, police, event, func(f *ledgerv1.Fact) bool { return f.GetEventAccepted() != nil || f.GetEventRepeated() != nil }); n != 1 {
		t.Errorf("%d facts of its being taken in, want one", n)
	}
	for _, f := range r.Timeline(police.ID, event) {
		if a := f.GetEventAccepted(); a != nil && (a.ReportedBy != "contacts/northbridge-desk" || a.Statement == 0) {
			t.Errorf("reported by %q, statement %d", a.ReportedBy, a.Statement)
		}
		if strings.Contains(f.String(), "Lund") {
			t.Errorf("the ledger names who typed it: %v", f)
		}
	}
	lead := r.Person("j.marlowe@beacon-row.example")
	if page := lead.Acknowledge(lead.Notices()[0]); !strings.Contains(page, "acknowledged") {
		t.Error("the lead could not acknowledge")
	}
	r.Settle()
	where := sentPath.FindStringSubmatch(body)
	if where == nil {
		t.Fatalf("the page does not say where to look:\n%s", body)
	}
	if _, body := desk.send(where[1], nil); !strings.Contains(body, "a person there has acknowledged it") {
		t.Errorf("where it stands:\n%s", body)
	}

	form.Set("told", "Other words.")
	if status, body := desk.send("/report/send", form); status != http.StatusConflict || !strings.Contains(body, "Correct the report") {
		t.Errorf("other words under the same form: status %d\n%s", status, body)
	}
	form.Set("reason", "wrong_child")
	for range 2 {
		if status, body := desk.send("/report/withdraw", form); status != http.StatusOK || !strings.Contains(body, "The report is withdrawn") {
			t.Fatalf("withdrawing: status %d\n%s", status, body)
		}
		r.Settle()
	}
	if tasks := r.OpenTasks(); !slices.Contains(tasks, "MISDIRECTION northbridge-police desk") {
		t.Errorf("tasks %v, want one about who was told", tasks)
	}
	r.Verify()
}

func TestOnlyADeskOfAnAgencyThatMayPublishIncidentsGetsACode(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 22:40"))
	r.AddAgency("northbridge-police", "northbridge-police")
	if _, err := r.Directory.AddAgency(r.Context(), &directoryv1.AddAgencyRequest{Agency: &directoryv1.Agency{
		Id: "ashmere-health", Organisation: "ashmere-health", Kinds: []string{"referral.received"},
	}}); err != nil {
		t.Fatal(err)
	}
	refused := []string{
		"safeguarding@ashmere-health.example",  // may publish other kinds
		"pvp@kestrel-police.example",           // its organisation has no access
		"j.marlowe@beacon-row.example",         // no desk
		"nobody@northbridge-police.example",    // nobody
		"hub@northbridge-police.example.other", // nearly
	}
	for _, address := range refused {
		b := newDeskBrowser(r)
		if status, body := b.send("/report/sign-in", url.Values{"address": {address}}); status != http.StatusOK || !strings.Contains(body, "If that address may report") {
			t.Errorf("%s: status %d", address, status)
		}
	}
	newDeskBrowser(r).signIn("HUB@northbridge-police.example") // the codes are sent in order: by now the others would have come
	for _, address := range refused {
		if n := len(r.Mail.To(address)); n != 0 {
			t.Errorf("%d mails to %s", n, address)
		}
	}
}

func TestAnAgencyCannotForgeWhoReportedByHand(t *testing.T) {
	r := apptest.Start(t, apptest.London("2026-06-18 22:40"))
	police := r.AddAgency("northbridge-police", "northbridge-police")
	ev := apptest.Incident(police, "np-1", "NP/26/1", r.Clock.Now(), apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"))
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		t.Fatal(err)
	}
	header["Signalbox-Reported"] = []string{"Y29udGFjdHMvbm9ydGhicmlkZ2UtZGVzaw.7.00", "x", ""}
	police.PublishRaw(store.EventSubject(police.ID, notice.EncompassIncident.Family()), header, data)
	r.Settle()
	if n := facts(r, police, "np-1", func(f *ledgerv1.Fact) bool { return f.GetEventAccepted().GetReportedBy() != "" }); n != 0 {
		t.Error("a note that nobody sealed was believed")
	}
}

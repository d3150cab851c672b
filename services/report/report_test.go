package report

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func only(t *testing.T, o *office) *eventv1.Event {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) != 1 {
		t.Fatalf("%d events were sent, want one", len(o.sent))
	}
	return slices.Collect(maps.Values(o.sent))[0]
}

func TestAReportIsCheckedShownAndSentAsAnEvent(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	status, body := v.review(form)
	page(t, status, body, http.StatusOK, titleReview, "Ivo", "Brennock", "Saturday 9 May 2015", "Thursday 18 June 2026", "Officers attended shouting.", "Medium", "Beacon Row", "Not stated")
	if len(v.office.sent) != 0 {
		t.Fatal("a report was sent before anybody had checked it")
	}
	status, body = v.post("/report/send", values(body))
	page(t, status, body, http.StatusOK, titleSent, "NP/26/7", "What happens next", "Ivo Brennock (c1)", "northbridge-police/desk-"+form.Get("nonce"))

	want := &eventv1.Event{}
	if err := protojson.Unmarshal([]byte(`{
		"source": "northbridge-police", "type": "encompass.incident", "subject": "NP/26/7", "time": "2026-06-18T22:31:00+01:00",
		"area": "E09000901", "traffic": "TRAFFIC_LIVE", "risk": "RISK_GRADE_MEDIUM",
		"children": [{
			"ref": "c1", "name": {"given": "Ivo", "family": "Brennock"}, "date_of_birth": "2015-05-09",
			"identifiers": [{"scheme": "upn", "value": "Q901200119001"}], "presence": "PRESENCE_PRESENT",
			"voice": "I turned the radio up.", "setting_as_stated": "Beacon Row"
		}],
		"people": [{"ref": "p1", "role": "PERSON_ROLE_VICTIM", "name": {"given": "Maren", "family": "Brennock"},
			"email": "maren@home.example", "worksWithChildren": true, "worksAt": {"id": "gias:900101"}}],
		"checks": {"pnc": "CHECK_NOT_DONE", "welfare": "CHECK_DONE"},
		"narrative": {"disclosable": "Officers attended shouting.\nThe child was upstairs.", "restricted": "Bail is to follow."},
		"encompass_incident": {"occurred_at": "2026-06-18T22:20:00+01:00", "place": {"lines": ["1 Long Row", "Ashmere"], "postcode": "ZZ1 1AA"}}
	}`), want); err != nil {
		t.Fatal(err)
	}
	got := only(t, v.office)
	want.Id = eventID(form.Get("nonce"))
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Pat Lund"}, v.office.typed); diff != "" {
		t.Errorf("who typed it (-want +got):\n%s", diff)
	}
}

func TestEveryFaultStandsBesideItsFieldAndNothingIsLost(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	for name, value := range map[string]string{
		"subject": "", "area": "", "occurred-clock": "25:00", "reported-day": "19 6 2026",
		"child-0-born": "31 2 2015", "child-0-upn": "A901200119001", "child-0-nhs": "999 123 4560", "child-0-home-postcode": "ZZ1 1AA ZZ1",
		"person-0-role": "", "person-0-born": "1 1 1700", "reporter": "7", "told": strings.Repeat("x", 4001),
	} {
		form.Set(name, value)
	}
	status, body := v.review(form)
	page(t, status, body, http.StatusUnprocessableEntity,
		`<a href="#subject">Your reference: is missing`, `<a href="#area">Local authority area where it happened: is missing: choose`,
		`<a href="#occurred-clock">When it happened, Time: is not a time`, `<a href="#reported-day">When it was reported to you, Date: is in the future`,
		`<a href="#child-0-born">Child 1, Date of birth: is not a date`, `<a href="#child-0-upn">Child 1, Unique Pupil Number, if you know it: is not right: the UPN`,
		`<a href="#child-0-nhs">Child 1, NHS number, if you know it: is not right`, `<a href="#child-0-home-postcode">Child 1, Postcode: is longer than 8`,
		`<a href="#person-0-role">Person 1, Part in it: is missing`, `<a href="#person-0-born">Person 1, Date of birth, if you know it: makes the person more than 120`,
		`<a href="#told">What the school may be told: is longer than 4000`, `<a href="#reporter">Your own name: is missing`,
		`id="child-0-born-error"`, `aria-invalid="true"`,
	)
	if n := strings.Count(body, `<li><a href="#`); n != 12 {
		t.Errorf("%d faults are listed, want 12", n)
	}
	back := values(body)
	for name := range form {
		if want := strings.ReplaceAll(form.Get(name), "\r\n", "\n"); name != "action" && back.Get(name) != want {
			t.Errorf("%s came back as %q, want %q", name, back.Get(name), want)
		}
	}
	if len(v.office.sent) != 0 {
		t.Error("a report at fault was sent")
	}
}

func TestSendingTwiceOrLoadingTheAnswerAgainIsOneEvent(t *testing.T) {
	v := newVisitor(t)
	_, body := v.review(v.filled())
	form := values(body)
	for range 3 {
		status, body := v.post("/report/send", form)
		page(t, status, body, http.StatusOK, titleSent)
		v.now = v.now.Add(10 * time.Minute)
	}
	only(t, v.office)
}

func TestWhatIsChangedAfterSendingGoesAsACorrection(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	v.review(form)
	v.post("/report/send", form)
	original := only(t, v.office)

	form.Set("told", "Officers attended. Nobody was hurt.")
	status, body := v.post("/report/send", form)
	page(t, status, body, http.StatusConflict, "was sent before")
	again := values(body)
	again.Set("action", "correct")
	status, body = v.post("/report", again)
	page(t, status, body, http.StatusOK, titleCorrect, "Nobody was hurt")
	_, body = v.review(values(body))
	status, body = v.post("/report/send", values(body))
	page(t, status, body, http.StatusOK, titleSent)
	for id, ev := range v.office.sent {
		if id != original.Id && (ev.Supersedes != original.Id || ev.Children[0].Ref != original.Children[0].Ref) {
			t.Errorf("the correction supersedes %q with child %q", ev.Supersedes, ev.Children[0].Ref)
		}
	}
	if len(v.office.sent) != 2 {
		t.Errorf("%d events, want two", len(v.office.sent))
	}
}

func TestAReportIsWithdrawnWithAReason(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	v.review(form)
	_, body := v.post("/report/send", form)
	original := only(t, v.office)
	again := values(body)
	again.Set("action", "withdraw")
	status, body := v.post("/report", again)
	page(t, status, body, http.StatusOK, titleWithdraw)
	asked := values(body)
	status, body = v.post("/report/withdraw", asked)
	page(t, status, body, http.StatusUnprocessableEntity, "Say why it is taken back")
	asked = values(body)
	asked.Set("reason", "wrong_child")
	for range 2 {
		status, body = v.post("/report/withdraw", asked)
		page(t, status, body, http.StatusOK, titleWithdrawn)
		v.now = v.now.Add(time.Minute)
	}
	ev := v.office.sent[original.Id+"-withdrawn"]
	if got := ev.GetEventWithdrawn(); got.GetEvent() != original.Id || got.GetReason() != "wrong_child" || len(ev.GetChildren()) > 0 || len(v.office.sent) != 2 {
		t.Errorf("%d events, the last %v", len(v.office.sent), got)
	}
}

func TestChildrenAndPeopleAreAddedAndTakenOutWithoutLosingAnything(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	act := func(action string) {
		t.Helper()
		form.Set("action", action)
		status, body := v.post("/report", form)
		page(t, status, body, http.StatusOK, titleReport)
		form = values(body)
	}
	act("add-child")
	form.Set("child-1-given", "Isla")
	act("add-child")
	form.Set("child-2-given", "Noor")
	act("remove-child-1")
	act("add-child") // nothing is said of this one
	act("add-person")
	act("remove-person-0")
	form.Set("child-1-family", "Brennock")
	form.Set("child-1-born", "2/3/2018")
	_, body := v.review(form)
	status, body := v.post("/report/send", values(body))
	page(t, status, body, http.StatusOK, titleSent)
	var got []string
	for _, c := range only(t, v.office).Children {
		got = append(got, c.Ref+" "+c.Name.Given+" "+c.DateOfBirth)
	}
	if diff := cmp.Diff([]string{"c1 Ivo 2015-05-09", "c3 Noor 2018-03-02"}, got); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
	if n := len(only(t, v.office).People); n != 0 {
		t.Errorf("%d people, want none", n)
	}
}

func TestAnHourThatCameTwiceIsAskedAboutAndOneThatNeverCameIsRefused(t *testing.T) {
	v := newVisitor(t)
	v.now = time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC)
	form := v.filled()
	form.Set("occurred-day", "25/10/2026")
	form.Set("occurred-clock", "01:30")
	status, body := v.review(form)
	page(t, status, body, http.StatusUnprocessableEntity, "came twice that night", "summer time (BST)", `id="occurred-which"`)
	for which, want := range map[string]string{first: "2026-10-25T00:30:00Z", second: "2026-10-25T01:30:00Z"} {
		form.Set("occurred-which", which)
		status, body := v.review(form)
		page(t, status, body, http.StatusOK, titleReview)
		f, err := readForm(form)
		if err != nil {
			t.Fatal(err)
		}
		got := f.build(Desk{}, v.handler.traffic(), v.handler.london).event.GetEncompassIncident().OccurredAt.AsTime().Format(time.RFC3339)
		if got != want {
			t.Errorf("the %s 01:30 is %s, want %s", which, got, want)
		}
	}
	form.Set("occurred-day", "29/03/2026")
	form.Set("occurred-clock", "01:30")
	status, body = v.review(form)
	page(t, status, body, http.StatusUnprocessableEntity, "did not exist that night")
	if got := momentOf(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), v.handler.london); got.which != first {
		t.Errorf("00:30 UTC is %+v, want the first", got)
	}
}

func TestATextThatWouldBeHeldBackIsPointedOutBeforeItIsSent(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	form.Set("told", "Maren was hurt. Call 01632 960123.")
	status, body := v.review(form)
	page(t, status, body, http.StatusOK, "What would be held back", "What the school may be told: names one of the people",
		"What the school may be told: holds a telephone number")
	if diff := cmp.Diff(form.Get("told"), values(body).Get("told")); diff != "" {
		t.Errorf("the text was changed (-want +got):\n%s", diff)
	}
}

func TestAStoreThatCannotTakeItLosesNothing(t *testing.T) {
	v := newVisitor(t)
	_, body := v.review(v.filled())
	form := values(body)
	v.office.fail = notice.Faultf(notice.Unavailable, "store", "full")
	status, body := v.post("/report/send", form)
	page(t, status, body, http.StatusServiceUnavailable, "Nothing is lost")
	if diff := cmp.Diff(form, values(body)); diff != "" {
		t.Errorf("the form (-want +got):\n%s", diff)
	}
	v.office.fail = nil
	status, body = v.post("/report/send", values(body))
	page(t, status, body, http.StatusOK, titleSent)
}

func TestWhatWasTypedOutlivesASessionThatEnded(t *testing.T) {
	v := newVisitor(t)
	_, body := v.review(v.filled())
	form := values(body)
	v.now = v.now.Add(idleLife)
	status, body := v.post("/report/send", form)
	page(t, status, body, http.StatusForbidden, "You are signed out", `action="/report/send"`)
	v.enter()
	status, body = v.post("/report/send", values(body))
	page(t, status, body, http.StatusOK, titleSent)
	only(t, v.office)
}

func TestWhereAReportStandsIsShownToItsAgencyAlone(t *testing.T) {
	v := newVisitor(t)
	v.office.stands["northbridge-police/k1"] = []Standing{{"c1", Acknowledged}, {"c2", Unmatched}}
	v.office.stands["kestrel-police/k2"] = []Standing{{"c1", Told}}
	if status, body := v.get("/report/sent/k1"); status != http.StatusOK || !strings.Contains(body, "Sign in") {
		t.Errorf("without a session: %d", status)
	}
	v.enter()
	status, body := v.get("/report/sent/k1")
	page(t, status, body, http.StatusOK, "Child c1", "acknowledged it", "Child c2", "somebody is finding out")
	status, body = v.get("/report/sent/k2")
	page(t, status, body, http.StatusNotFound, "There is no such report")
}

func TestTheFormHoldsWhatAllChildrenMaySay(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	form.Set("children", "30")
	for i := range 30 {
		prefix := "child-" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "-"
		if i < 10 {
			prefix = "child-" + string(rune('0'+i)) + "-"
		}
		form.Set(prefix+"ref", "c"+prefix[6:len(prefix)-1])
		form.Set(prefix+"given", "Añdré")
		form.Set(prefix+"family", "Brennock")
		form.Set(prefix+"born", "9 5 2015")
		form.Set(prefix+"voice", strings.Repeat("é", 2000))
	}
	form.Set("told", strings.Repeat("é", 4000))
	form.Set("restricted", strings.Repeat("é", 8000))
	if n := len(form.Encode()); n > largestForm {
		t.Fatalf("the form is of %d bytes", n)
	}
	status, body := v.review(form)
	page(t, status, body, http.StatusOK, titleReview)
}

func TestNothingTypedIsInAURLOrALog(t *testing.T) {
	v := newVisitor(t)
	_, body := v.review(v.filled())
	v.post("/report/send", values(body))
	v.office.fail = notice.Faultf(notice.Internal, "store", "broken")
	v.post("/report/send", values(body))
	var said strings.Builder
	for _, entry := range v.logs.All() {
		said.WriteString(entry.Message)
		for _, f := range entry.Context {
			said.WriteString(" " + f.String)
		}
	}
	for _, secret := range []string{"Ivo", "Brennock", "Maren", "Lund", "NP/26/7", "radio", "Long Row", mailbox} {
		for _, u := range v.urls {
			if strings.Contains(u, secret) || strings.Contains(u, url.QueryEscape(secret)) {
				t.Errorf("%q is in the URL %s", secret, u)
			}
		}
		if strings.Contains(said.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

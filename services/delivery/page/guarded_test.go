package page

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

func TestLinkScannersChangeNothingAndSeeNothing(t *testing.T) {
	v := newVisitor(t)
	v.client.Jar = nil
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"", "/code", "/open", "/notice", "/acknowledge", "/not-at-setting", "/done"} {
			status, body := v.do(method, v.link()+path, nil)
			if strings.Contains(body, childName) || strings.Contains(body, "Penrose") || status >= 500 {
				t.Errorf("%s %s: status %d, or it shows a name", method, path, status)
			}
		}
	}
	for _, path := range []string{"/open", "/acknowledge", "/not-at-setting"} { // a scanner that submits forms
		v.post(path, "code", "000000", "who", "contact", "have", "yes", "checked", "yes")
	}
	if got := v.desk.history(); got != "" {
		t.Errorf("history %q, want none", got)
	}
}

func TestDeadAndForgedLinksAreAnsweredAlike(t *testing.T) {
	v := newVisitor(t)
	v.desk.covers[otherID] = Cover{State: Withdrawn}
	_, want := v.do(http.MethodGet, v.server.URL+"/nothing", nil)
	for name, token := range map[string]string{
		"never made":        "x",
		"of another key":    NewToken(notice.Key{9}, noticeID, 1),
		"of no notice":      NewToken(key, "cccccccccccccccccccc", 1),
		"withdrawn":         NewToken(key, otherID, 1),
		"another attempt":   strings.Replace(NewToken(key, noticeID, 1), ".1.", ".2.", 1),
		"upper case":        strings.ToUpper(NewToken(key, noticeID, 1)),
		"cut short":         NewToken(key, noticeID, 1)[:40],
		"a number with a 0": noticeID + ".01." + macEncoding.EncodeToString(tokenMAC(key, noticeID, "01")),
		"very long":         strings.Repeat("a", 5000),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			path := ""
			if method == http.MethodPost {
				path = "/code"
			}
			status, body := v.do(method, v.server.URL+"/n/"+token+path, nil)
			if status != 404 || body != want {
				t.Errorf("%s, %s: status %d, or another page", name, method, status)
			}
		}
	}
	if got := v.desk.history(); got != "" {
		t.Errorf("history %q, want none", got)
	}
}

func TestACodeWorksOnceForTenMinutesAndForFiveTries(t *testing.T) {
	wrong := func(code string) string {
		if code == "000000" {
			return "111111"
		}
		return "000000"
	}
	t.Run("a wrong code may be put right", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		status, body := v.post("/open", "code", wrong(v.desk.lastCode(t)))
		page(t, status, body, http.StatusUnprocessableEntity, "Enter your code")
		status, body = v.post("/open", "code", v.desk.lastCode(t))
		page(t, status, body, 200, encompassHeading)
	})
	t.Run("what is no code spends no try", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		for _, code := range []string{"", "12345", "1234567", "abcdef", "１２３４５６"} {
			status, body := v.post("/open", "code", code)
			page(t, status, body, http.StatusUnprocessableEntity, "Enter your code")
		}
		status, body := v.post("/open", "code", v.desk.lastCode(t))
		page(t, status, body, 200, encompassHeading)
	})
	t.Run("five wrong tries end it", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		for range web.TriesPerCode {
			v.post("/open", "code", wrong(v.desk.lastCode(t)))
		}
		status, body := v.post("/open", "code", v.desk.lastCode(t))
		page(t, status, body, http.StatusUnprocessableEntity, "A notice waits for you")
	})
	t.Run("ten minutes end it", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		v.pass(web.CodeLife)
		status, body := v.post("/open", "code", v.desk.lastCode(t))
		page(t, status, body, http.StatusUnprocessableEntity, "A notice waits for you")
	})
	t.Run("its use ends it", func(t *testing.T) {
		v := newVisitor(t)
		v.enter()
		v.client.Jar = nil
		status, body := v.post("/open", "code", v.desk.lastCode(t))
		page(t, status, body, http.StatusUnprocessableEntity, "A notice waits for you")
	})
	t.Run("a newer one ends it", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		older := v.desk.lastCode(t)
		for range 3 { // a new code may be the same figures by chance
			v.post("/code")
			if v.desk.lastCode(t) != older {
				break
			}
		}
		status, body := v.post("/open", "code", older)
		page(t, status, body, http.StatusUnprocessableEntity, "Enter your code")
	})
	t.Run("another notice's code is wrong", func(t *testing.T) {
		v := newVisitor(t)
		v.post("/code")
		status, body := v.do(http.MethodPost, v.handler.Link(otherID, 1)+"/open", map[string][]string{"code": {v.desk.lastCode(t)}})
		page(t, status, body, http.StatusUnprocessableEntity, "A notice waits for you")
	})
}

func TestFiveCodesAnHourGoOutForOneLink(t *testing.T) {
	v := newVisitor(t)
	for range web.CodesPerHour {
		if status, _ := v.post("/code"); status != 200 {
			t.Fatalf("status %d, want 200", status)
		}
	}
	status, body := v.post("/code")
	page(t, status, body, http.StatusTooManyRequests, "A notice waits for you")
	if n := len(v.desk.codes); n != web.CodesPerHour {
		t.Errorf("%d codes, want %d", n, web.CodesPerHour)
	}
	v.pass(time.Hour)
	if status, _ := v.post("/code"); status != 200 {
		t.Errorf("an hour later: status %d, want 200", status)
	}
}

func TestACodeThatCouldNotBeSentDoesNotCount(t *testing.T) {
	v := newVisitor(t)
	for range web.CodesPerHour + 2 {
		v.desk.fail = notice.Faultf(notice.Unavailable, "desk.SendCode", "not now")
		status, body := v.post("/code")
		page(t, status, body, http.StatusServiceUnavailable, "Not just now")
	}
	status, body := v.enter()
	page(t, status, body, 200, encompassHeading)
}

func TestASessionIsForOneLinkAndHalfAnHour(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	cookie := newSession(key, NewToken(key, noticeID, 1), v.clock.Now())
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != pathOf(NewToken(key, noticeID, 1)) {
		t.Errorf("cookie %+v", cookie)
	}
	// The same cookie sent by hand to another notice, where a browser would not send it.
	v.headers = map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
	status, body := v.do(http.MethodGet, v.handler.Link(otherID, 1)+"/notice", nil)
	page(t, status, body, 200, "A notice waits for you")
	v.headers = nil
	v.pass(sessionLife)
	status, body = v.get("/notice")
	page(t, status, body, 200, "A notice waits for you")
	if strings.Contains(v.desk.history(), otherID) {
		t.Errorf("history %q", v.desk.history())
	}
}

func TestAFormFromAnotherSiteDoesNothing(t *testing.T) {
	for name, headers := range map[string]map[string]string{
		"as browsers tell today":    {"Sec-Fetch-Site": "cross-site"},
		"from a sister site":        {"Sec-Fetch-Site": "same-site"},
		"as older browsers tell":    {"Origin": "https://evil.test"},
		"from a page without a URL": {"Origin": "null"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t)
			v.enter()
			before := v.desk.history()
			v.headers = headers
			for _, path := range []string{"/code", "/open", "/acknowledge", "/not-at-setting"} {
				status, _ := v.post(path, "who", "contact", "have", "yes", "checked", "yes")
				if status != http.StatusForbidden {
					t.Errorf("POST %s: status %d, want 403", path, status)
				}
			}
			if got := v.desk.history(); got != before {
				t.Errorf("history %q, want %q", got, before)
			}
		})
	}
}

func TestOurOwnFormsAreTakenWhateverTheBrowserTells(t *testing.T) {
	for name, header := range map[string][2]string{
		"as browsers tell today": {"Sec-Fetch-Site", "same-origin"},
		"as older browsers tell": {"Origin", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t)
			value := header[1]
			if value == "" {
				value = v.server.URL
			}
			v.headers = map[string]string{header[0]: value}
			status, body := v.enter()
			page(t, status, body, 200, encompassHeading)
		})
	}
}

func TestAReplacedNoticeIsNotShown(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	if err := v.desk.state(noticeID, Superseded); err != nil {
		t.Fatal(err)
	}
	before := v.desk.history()
	for _, path := range []string{"", "/notice"} {
		status, body := v.get(path)
		page(t, status, body, 200, "A newer notice has been sent")
	}
	v.post("/code")
	v.post("/acknowledge", "who", "contact", "have", "yes")
	if got := v.desk.history(); got != before {
		t.Errorf("history %q, want %q", got, before)
	}
}

func TestAFaultIsShownByItsKindAndNeverByItsWords(t *testing.T) {
	for _, tc := range []struct {
		kind   notice.Kind
		status int
		title  string
		logged int
	}{
		{kind: notice.NotFound, status: 404, title: "There is no notice here"},
		{kind: notice.Denied, status: 404, title: "There is no notice here"},
		{kind: notice.Conflict, status: 409, title: "The notice has changed meanwhile"},
		{kind: notice.Precondition, status: 409, title: "The notice has changed meanwhile"},
		{kind: notice.Unavailable, status: 503, title: "Not just now"},
		{kind: notice.Invalid, status: 500, title: "Something went wrong here", logged: 1},
		{kind: notice.Internal, status: 500, title: "Something went wrong here", logged: 1},
	} {
		t.Run(tc.kind.String(), func(t *testing.T) {
			v := newVisitor(t)
			v.enter()
			v.desk.fail = notice.Faultf(tc.kind, "desk.Acknowledge", "inner words")
			status, body := v.post("/acknowledge", "who", "contact", "have", "yes")
			page(t, status, body, tc.status, tc.title)
			if strings.Contains(body, "inner words") {
				t.Error("the fault's words are shown")
			}
			if n := v.logs.FilterMessage("a notice page failed").Len(); n != tc.logged {
				t.Errorf("%d log entries, want %d", n, tc.logged)
			}
		})
	}
}

func TestEveryAnswerIsKeptFromCachesFramesAndOtherSites(t *testing.T) {
	v := newVisitor(t)
	resp, err := v.client.Get(v.link())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if status, body := v.do(http.MethodGet, v.server.URL+"/assets/page.css", nil); status != 200 || !strings.Contains(body, "focus-visible") {
		t.Errorf("style sheet: status %d", status)
	}
}

func TestAClientThatAsksTooOftenWaits(t *testing.T) {
	v := newVisitor(t, func(c *Config) { c.Rate, c.Burst = 1, 3 })
	for range 3 {
		if status, _ := v.get(""); status != 200 {
			t.Fatalf("status %d, want 200", status)
		}
	}
	status, body := v.get("")
	page(t, status, body, http.StatusTooManyRequests, "Too many requests")
	v.pass(time.Second)
	if status, _ := v.get(""); status != 200 {
		t.Errorf("a second later: status %d, want 200", status)
	}
}

func TestAFormThatIsTooLargeIsRefused(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	status, _ := v.post("/acknowledge", "who", "contact", "have", "yes", "name", strings.Repeat("a", largestForm))
	if status != http.StatusBadRequest || strings.Contains(v.desk.history(), "acknowledged") {
		t.Errorf("status %d, history %q", status, v.desk.history())
	}
}

func TestABadConfigurationIsRefused(t *testing.T) {
	for name, cfg := range map[string]Config{
		"not encrypted": {BaseURL: "http://signalbox.example", Key: key},
		"with a path":   {BaseURL: "https://signalbox.example/x", Key: key},
		"without host":  {BaseURL: "https://", Key: key},
		"without key":   {BaseURL: "https://signalbox.example"},
		"negative rate": {BaseURL: "https://signalbox.example", Key: key, Rate: -1},
	} {
		if _, err := New(cfg, &desk{}, time.Now, zap.NewNop()); notice.KindOf(err) != notice.Invalid {
			t.Errorf("%s: error %v, want an invalid fault", name, err)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{NewToken(key, noticeID, 1), NewToken(key, noticeID, 1<<32-1), "", "..", "a.1.b", noticeID + ".-1.x", strings.Repeat(".", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, attempt, ok := ParseToken(key, token)
		if ok && NewToken(key, id, attempt) != token {
			t.Errorf("accepted %q as %q, %d, which is spelt differently", token, id, attempt)
		}
		if !ok && (id != "" || attempt != 0) {
			t.Errorf("refused %q with a value", token)
		}
	})
}

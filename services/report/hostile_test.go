package report

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-hq/signalbox/services/web"
)

func TestEveryAddressIsAnsweredAlike(t *testing.T) {
	v := newVisitor(t)
	answers := map[string][]string{}
	for _, who := range []string{mailbox, "nobody@northbridge-police.example"} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		v.jar = jar
		for range codesPerDesk + 2 { // beyond what a desk gets
			status, body := v.post("/report/sign-in", url.Values{"address": {who}})
			answers[who] = append(answers[who], http.StatusText(status)+strings.ReplaceAll(body, who, "-"))
		}
		for _, code := range []string{"", "12345", "x", "0000000"} {
			status, body := v.post("/report/open", url.Values{"address": {who}, "code": {code}})
			answers[who] = append(answers[who], http.StatusText(status)+strings.ReplaceAll(body, who, "-"))
		}
		for range 7 { // beyond the tries of a code; no code is of letters
			status, body := v.post("/report/open", url.Values{"address": {who}, "code": {"abcdef"}})
			answers[who] = append(answers[who], http.StatusText(status)+strings.ReplaceAll(body, who, "-"))
		}
	}
	if diff := cmp.Diff(answers[mailbox], answers["nobody@northbridge-police.example"]); diff != "" {
		t.Errorf("a known address is told from another (-known +unknown):\n%s", diff)
	}
}

func TestACodeIsForOneBrowserOneUseFiveTriesAndTenMinutes(t *testing.T) {
	ask := func(v *visitor) string {
		v.post("/report/sign-in", url.Values{"address": {mailbox}})
		return v.code()
	}
	refused := func(t *testing.T, v *visitor, code string) {
		t.Helper()
		status, body := v.post("/report/open", url.Values{"address": {mailbox}, "code": {code}})
		page(t, status, body, http.StatusUnprocessableEntity, "does not work")
	}
	t.Run("another browser", func(t *testing.T) {
		v := newVisitor(t)
		code := ask(v)
		own := v.jar
		v.jar, _ = cookiejar.New(nil)
		refused(t, v, code)
		ask(v) // somebody else asking does not end it
		v.jar = own
		status, body := v.post("/report/open", url.Values{"address": {mailbox}, "code": {code}})
		page(t, status, body, http.StatusOK, titleReport)
	})
	t.Run("a second use", func(t *testing.T) {
		v := newVisitor(t)
		code := ask(v)
		v.post("/report/open", url.Values{"address": {mailbox}, "code": {code}})
		refused(t, v, code)
	})
	t.Run("a sixth try", func(t *testing.T) {
		v := newVisitor(t)
		code := ask(v)
		for range 5 {
			refused(t, v, "abcdef")
		}
		refused(t, v, code)
	})
	t.Run("ten minutes later", func(t *testing.T) {
		v := newVisitor(t)
		code := ask(v)
		v.now = v.now.Add(10 * time.Minute)
		refused(t, v, code)
	})
}

func TestAMailboxIsNotFlooded(t *testing.T) {
	v := newVisitor(t)
	for range codesPerDesk + 5 {
		v.jar, _ = cookiejar.New(nil)
		v.post("/report/sign-in", url.Values{"address": {mailbox}})
	}
	for range codesPerDesk {
		v.code()
	}
	v.now = v.now.Add(time.Hour)
	v.jar, _ = cookiejar.New(nil)
	v.post("/report/sign-in", url.Values{"address": {mailbox}})
	v.code()
	if n := len(v.office.codes); n != 0 {
		t.Errorf("%d codes more than a desk gets", n)
	}
}

func TestADeskThatIsTakenOutOfTheDirectoryIsOutAtOnce(t *testing.T) {
	for name, change := range map[string]func(*office){
		"it is gone":             func(o *office) { o.desks = nil },
		"it has another mailbox": func(o *office) { d := o.desks[mailbox]; d.Mailbox = "other@x.example"; o.desks[mailbox] = d },
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t)
			_, body := v.review(v.filled())
			change(v.office)
			status, answer := v.post("/report/send", values(body))
			page(t, status, answer, http.StatusForbidden, "You are signed out")
			if len(v.office.sent) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestASessionEndsAfterEightHoursWhateverIsDone(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	for range 15 {
		v.now = v.now.Add(29 * time.Minute)
		status, body := v.get("/report")
		page(t, status, body, http.StatusOK, titleReport)
	}
	v.now = v.now.Add(29 * time.Minute)
	v.get("/report")
	v.now = v.now.Add(29 * time.Minute)
	status, body := v.get("/report")
	page(t, status, body, http.StatusOK, "Sign in to report")
}

func TestASessionCannotBeMadeOrChanged(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	at, _ := url.Parse(site + "/report")
	good := ""
	for _, c := range v.jar.Cookies(at) {
		if c.Name == sessionCookie {
			good = c.Value
		}
	}
	parts := strings.Split(good, ".")
	for name, value := range map[string]string{
		"a later end":      strings.Join([]string{parts[0], parts[1], "9999999999", parts[3]}, "."),
		"another contact":  strings.Join([]string{"b3RoZXI", parts[1], parts[2], parts[3]}, "."),
		"no seal":          strings.Join([]string{parts[0], parts[1], parts[2], ""}, "."),
		"nothing":          "",
		"too many parts":   good + ".x",
		"a number too big": parts[0] + ".1.99999999999999999999." + parts[3],
	} {
		v.jar, _ = cookiejar.New(nil)
		v.jar.SetCookies(at, []*http.Cookie{{Name: sessionCookie, Value: value, Path: root, Secure: true}})
		if status, body := v.get("/report"); status != http.StatusOK || !strings.Contains(body, "Sign in to report") {
			t.Errorf("%s: status %d, and not asked to sign in", name, status)
		}
	}
}

func TestWhatAnotherSiteSendsIsRefused(t *testing.T) {
	for name, headers := range map[string]http.Header{
		"said by the browser": {"Sec-Fetch-Site": {"cross-site"}},
		"a sibling site":      {"Sec-Fetch-Site": {"same-site"}},
		"an older browser":    {"Origin": {"https://evil.example"}},
		"an origin of null":   {"Origin": {"null"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t)
			_, body := v.review(v.filled())
			form := values(body)
			v.headers = headers
			for _, path := range []string{"/report", "/report/send", "/report/withdraw", "/report/sign-in", "/report/open", "/report/sign-out"} {
				status, body := v.post(path, form)
				page(t, status, body, http.StatusForbidden, "did not come from our page")
			}
			if len(v.office.sent) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestAKindThatTheAgencyMayNotPublishIsRefused(t *testing.T) {
	v := newVisitor(t)
	_, body := v.review(v.filled())
	v.office.kinds = []string{"referral.received"}
	status, answer := v.post("/report/send", values(body))
	page(t, status, answer, http.StatusUnprocessableEntity, "a kind that agency northbridge-police may not publish")
	if len(v.office.sent) != 0 {
		t.Error("it was sent")
	}
}

func TestAReportIsOfTheDesksOwnAgencyWhateverTheFormSays(t *testing.T) {
	v := newVisitor(t)
	form := v.filled()
	form.Set("source", "kestrel-police")
	form.Set("agency", "kestrel-police")
	form.Set("id", "kp-1")
	_, body := v.review(form)
	v.post("/report/send", values(body))
	if ev := only(t, v.office); ev.Source != "northbridge-police" || !strings.HasPrefix(ev.Id, "desk-") {
		t.Errorf("source %s, id %s", ev.Source, ev.Id)
	}
}

func TestScriptInAFieldIsTextEverywhere(t *testing.T) {
	const script = `"><script>alert(1)</script></textarea><img src=x onerror=alert(2)>`
	v := newVisitor(t)
	form := v.filled()
	for name := range form {
		switch name {
		case "nonce", "children", "people":
		default:
			form.Set(name, script)
		}
	}
	v.review(form)
	v.headers.Set("Accept", "text/html")
	good := v.filled()
	for _, name := range []string{"subject", "told", "restricted", "child-0-given", "child-0-voice", "child-0-setting", "person-0-family", "place-lines"} {
		good.Set(name, script)
	}
	_, body := v.review(good)
	_, body = v.post("/report/send", values(body))
	v.post("/report/sign-in", url.Values{"address": {script + "@x"}})
	v.now = v.now.Add(time.Hour)
	v.post("/report", good)
	for _, body := range append(v.bodies, body) {
		if strings.Contains(body, "<script") || strings.Contains(body, "<img") {
			t.Fatalf("a page holds script:\n%s", body)
		}
	}
	only(t, v.office)
}

func TestAFormThatIsNotOursIsRefused(t *testing.T) {
	v := newVisitor(t)
	good := v.filled()
	for name, change := range map[string]func(url.Values){
		"no nonce":          func(f url.Values) { f.Del("nonce") },
		"a nonce of choice": func(f url.Values) { f.Set("nonce", "../../etc/passwd") },
		"too many children": func(f url.Values) { f.Set("children", "31") },
		"a huge count":      func(f url.Values) { f.Set("people", "99999999999999999999") },
		"a negative count":  func(f url.Values) { f.Set("people", "-1") },
		"no UTF-8":          func(f url.Values) { f.Set("told", "\xff\xfe") },
	} {
		form := url.Values{}
		for k, vs := range good {
			form[k] = vs
		}
		change(form)
		if status, body := v.review(form); status != http.StatusBadRequest {
			t.Errorf("%s: status %d\n%s", name, status, body)
		}
	}
	big := url.Values{"told": {strings.Repeat("x", largestForm)}}
	if status, _ := v.post("/report", big); status != http.StatusRequestEntityTooLarge {
		t.Errorf("an oversize form: status %d", status)
	}
	r := httptest.NewRequest(http.MethodPost, site+"/report/send", strings.NewReader(`{"told":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("JSON: status %d", w.Code)
	}
}

func TestNothingIsKeptByABrowserAndNothingIsFramedOrScripted(t *testing.T) {
	v := newVisitor(t)
	for _, path := range []string{"/report", "/report/sent/x", "/report/nothing", "/report/report.css"} {
		w := httptest.NewRecorder()
		v.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, site+path, nil))
		h := w.Result().Header
		if got := h.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, got)
		}
		if got := h.Get("Cache-Control"); path != "/report/report.css" && got != "no-store" {
			t.Errorf("%s: cache control %q", path, got)
		}
	}
	v.enter()
	at, _ := url.Parse(site + "/report")
	for _, c := range v.handlerCookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != root {
			t.Errorf("cookie %s is not held to the page: %+v", c.Name, c)
		}
	}
	if len(v.jar.Cookies(at)) != 2 {
		t.Errorf("%d cookies, want two", len(v.jar.Cookies(at)))
	}
}

// handlerCookies are cookies as the page sets them.
func (v *visitor) handlerCookies() []*http.Cookie {
	r := httptest.NewRequest(http.MethodGet, site+"/report", nil)
	at, _ := url.Parse(site + "/report")
	for _, c := range v.jar.Cookies(at) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	return w.Result().Cookies()
}

func TestAddressesAndCodesAreTakenSlowly(t *testing.T) {
	v := newVisitor(t)
	v.handler.entering = web.NewLimiter(0.1, 3, func() time.Time { return v.now })
	for range 3 {
		if status, _ := v.post("/report/open", url.Values{"address": {mailbox}, "code": {"000000"}}); status != http.StatusUnprocessableEntity {
			t.Fatalf("status %d", status)
		}
	}
	status, body := v.post("/report/open", url.Values{"address": {mailbox}, "code": {"000000"}})
	page(t, status, body, http.StatusTooManyRequests, "Wait a minute")
	v.client = "198.51.100.4:4000"
	if status, _ := v.post("/report/open", url.Values{"address": {mailbox}, "code": {"000000"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("another client: status %d", status)
	}
}

package page

import (
	"net/http"
	"strings"
	"testing"
)

// page checks status and heading.
func page(t *testing.T, status int, body string, wantStatus int, wantHeading string) {
	t.Helper()
	if status != wantStatus || heading(body) != wantHeading {
		t.Fatalf("status %d, heading %q; want %d, %q", status, heading(body), wantStatus, wantHeading)
	}
}

const encompassHeading = "Operation Encompass: domestic abuse incident"

func TestAPersonReadsAndAcknowledgesANotice(t *testing.T) {
	v := newVisitor(t)
	status, body := v.get("")
	page(t, status, body, 200, "A notice waits for you")
	if strings.Contains(body, "Jo Penrose") || strings.Contains(body, childName) {
		t.Error("the cover names a person")
	}
	if want := "08:30 on Friday 20 November 2026 (GMT)"; !strings.Contains(body, want) {
		t.Errorf("the cover lacks %q", want)
	}
	status, body = v.post("/code")
	page(t, status, body, 200, "Enter your code")
	status, body = v.post("/open", "code", " "+v.desk.lastCode(t)[:3]+" "+v.desk.lastCode(t)[3:])
	page(t, status, body, 200, encompassHeading)
	for _, want := range []string{childName, "4 March 2017", "1 Invented Row", "&lt;b&gt;An argument", "Do not contact the parents", "I am Jo Penrose"} {
		if !strings.Contains(body, want) {
			t.Errorf("the notice lacks %q", want)
		}
	}
	status, body = v.post("/acknowledge", "who", "contact", "have", "yes")
	page(t, status, body, 200, "Thank you: the notice is acknowledged")
	if want := "code " + noticeID + "; read " + noticeID + "; acknowledged " + noticeID + " by Jo Penrose"; v.desk.history() != want {
		t.Errorf("history %q, want %q", v.desk.history(), want)
	}
	status, body = v.get("/notice")
	page(t, status, body, 200, encompassHeading)
	if strings.Contains(body, "/acknowledge") {
		t.Error("an acknowledged notice asks to be acknowledged again")
	}
	if n := v.logs.Len(); n != 0 {
		t.Errorf("%d log entries, want none", n)
	}
}

func TestSomebodyElseAcknowledgesInTheirOwnName(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	v.post("/acknowledge", "who", "other", "name", "  Siân   O'Neill-Ødegård ", "have", "yes")
	if want := "by Siân O'Neill-Ødegård"; !strings.HasSuffix(v.desk.history(), want) {
		t.Errorf("history %q, want it to end with %q", v.desk.history(), want)
	}
}

func TestAnAcknowledgementNeedsANameAndATick(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields []string
		want   []string
	}{
		{name: "nothing filled in", want: []string{"#name", "#have"}},
		{name: "no tick", fields: []string{"who", "contact"}, want: []string{"#have"}},
		{name: "somebody else without a name", fields: []string{"who", "other", "have", "yes"}, want: []string{"#name"}},
		{name: "a name that is none", fields: []string{"who", "other", "name", "<script>", "have", "yes"}, want: []string{"#name"}},
		{name: "a name, but the contact chosen", fields: []string{"who", "contact", "name", "Ida Fenn", "have", "yes"}, want: []string{"#name"}},
		{name: "a name too long", fields: []string{"who", "other", "name", strings.Repeat("a", 101), "have", "yes"}, want: []string{"#name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisitor(t)
			v.enter()
			status, body := v.post("/acknowledge", tc.fields...)
			page(t, status, body, http.StatusUnprocessableEntity, encompassHeading)
			if n := strings.Count(body, `<li><a href="#`); n != len(tc.want) {
				t.Errorf("%d problems, want %d", n, len(tc.want))
			}
			for _, want := range tc.want {
				if !strings.Contains(body, `<a href="`+want+`"`) {
					t.Errorf("the summary does not lead to %s", want)
				}
			}
			if strings.Contains(v.desk.history(), "acknowledged") {
				t.Errorf("history %q", v.desk.history())
			}
		})
	}
}

func TestAFormSentBackIsShownAsItWasFilledIn(t *testing.T) {
	const (
		contact = `value="contact" checked>`
		other   = `value="other" checked>`
		tick    = `name="have" value="yes" checked`
	)
	for _, tc := range []struct {
		name         string
		fields       []string
		want, notHas []string
	}{
		{
			name: "somebody else's name is not lost for want of a tick", fields: []string{"who", "other", "name", "Ida Fenn"},
			want: []string{other, `value="Ida Fenn"`}, notHas: []string{contact, tick},
		},
		{
			name: "the tick is not lost for want of a name", fields: []string{"who", "other", "have", "yes"},
			want: []string{other, tick}, notHas: []string{contact},
		},
		{
			name: "the contact stays the contact", fields: []string{"who", "contact"},
			want: []string{contact}, notHas: []string{other, tick},
		},
		{
			name: "a name cannot break out of its field", fields: []string{"who", "other", "name", `"><script>`},
			want: []string{other, `value="&#34;&gt;&lt;script&gt;"`}, notHas: []string{"<script>"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisitor(t)
			v.enter()
			status, body := v.post("/acknowledge", tc.fields...)
			page(t, status, body, http.StatusUnprocessableEntity, encompassHeading)
			for _, want := range tc.want {
				if !strings.Contains(body, want) {
					t.Errorf("the form lacks %s", want)
				}
			}
			for _, not := range tc.notHas {
				if strings.Contains(body, not) {
					t.Errorf("the form has %s", not)
				}
			}
		})
	}
}

func TestAChildWhoIsNotAtTheSettingIsReported(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	status, body := v.post("/not-at-setting")
	page(t, status, body, http.StatusUnprocessableEntity, encompassHeading)
	status, body = v.post("/not-at-setting", "checked", "yes")
	page(t, status, body, 200, "Thank you: you have told us that the child is not with you")
	if !strings.HasSuffix(v.desk.history(), "not at setting "+noticeID) {
		t.Errorf("history %q", v.desk.history())
	}
	status, body = v.get("/notice")
	page(t, status, body, 404, "There is no notice here")
}

func TestANoticeToAnotherKindOfRecipientHasNoSuchForm(t *testing.T) {
	v := newVisitor(t)
	c := v.desk.covers[noticeID]
	c.SettingNotice = false
	v.desk.covers[noticeID] = c
	if _, body := v.enter(); strings.Contains(body, "not-at-setting") {
		t.Error("the form is shown")
	}
	status, _ := v.post("/not-at-setting", "checked", "yes")
	if status != http.StatusConflict || strings.Contains(v.desk.history(), "not at setting") {
		t.Errorf("status %d, history %q", status, v.desk.history())
	}
}

package page

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// invited is a visitor whose link is an invitation.
func invited(t *testing.T, change func(*Cover)) *visitor {
	t.Helper()
	v := newVisitor(t)
	c := v.desk.covers[noticeID]
	c.SettingNotice, c.Invitation, c.Meets = false, true, time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)
	if change != nil {
		change(&c)
	}
	v.desk.covers[noticeID] = c
	return v
}

// lastDone is the last thing that the page did to the desk.
func lastDone(v *visitor) string {
	all := strings.Split(v.desk.history(), "; ")
	return all[len(all)-1]
}

func TestAnInvitationIsAnsweredAndTheAnswerChanged(t *testing.T) {
	v := invited(t, nil)
	if _, body := v.get(""); !strings.Contains(body, "To be answered by") || strings.Contains(body, "14:30") {
		t.Error("the cover of an invitation does not ask for an answer, or says more than it may")
	}
	v.enter()
	_, body := v.get("/notice")
	for _, want := range []string{"Do you come?", "The meeting starts at 14:30 on Friday 20 November 2026 (GMT)", "/reply", "I am Jo Penrose"} {
		if !strings.Contains(body, want) {
			t.Errorf("the invitation lacks %q", want)
		}
	}
	if strings.Contains(body, "/acknowledge") {
		t.Error("an invitation can be acknowledged instead of answered")
	}
	for _, step := range []struct {
		fields              []string
		heading, done, says string
	}{
		{
			[]string{"who", "contact", "comes", "yes"}, "Thank you: you have said that you come",
			`by "Jo Penrose", deputy "", reason ""`, "answered at 10:00 on Thursday 19 November 2026 (GMT): somebody comes.",
		},
		{
			[]string{"who", "other", "name", "Ida Fenn", "comes", "deputy", "deputy", " Ned  Marsh "}, "Thank you: you have said who comes",
			`by "Ida Fenn", deputy "Ned Marsh", reason ""`, ": a deputy comes.",
		},
		{
			[]string{"who", "contact", "comes", "no", "reason", "no_capacity", "deputy", "left over"}, "Thank you: you have said that you cannot come",
			`by "Jo Penrose", deputy "", reason "no_capacity"`, ": nobody comes.",
		},
	} {
		status, body := v.post("/reply", step.fields...)
		page(t, status, body, 200, step.heading)
		if done := lastDone(v); !strings.HasSuffix(done, step.done) {
			t.Errorf("done %q, want it to end with %q", done, step.done)
		}
		if _, body = v.get("/notice"); !strings.Contains(body, step.says) || !strings.Contains(body, "Change the answer") {
			t.Errorf("the notice does not say %q, or does not let the answer be changed", step.says)
		}
	}
}

func TestAnAnswerNeedsAChoiceAndWhatGoesWithIt(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields []string
		want   []string
	}{
		{name: "nothing filled in", want: []string{"comes", "name"}},
		{name: "no choice", fields: []string{"who", "contact"}, want: []string{"comes"}},
		{name: "a deputy without a name", fields: []string{"who", "contact", "comes", "deputy"}, want: []string{"deputy"}},
		{name: "a deputy whose name is none", fields: []string{"who", "contact", "comes", "deputy", "deputy", "<b>"}, want: []string{"deputy"}},
		{name: "a refusal without a reason", fields: []string{"who", "contact", "comes", "no"}, want: []string{"reason"}},
		{name: "a refusal for a reason of their own", fields: []string{"who", "contact", "comes", "no", "reason", "busy"}, want: []string{"reason"}},
		{name: "another choice", fields: []string{"who", "contact", "comes", "perhaps"}, want: []string{"comes"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := invited(t, nil)
			v.enter()
			status, body := v.post("/reply", tc.fields...)
			if status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", status)
			}
			var leads []string
			for _, part := range strings.Split(body, `<li><a href="#`)[1:] {
				field, _, _ := strings.Cut(part, `"`)
				leads = append(leads, field)
				if !strings.Contains(body, `id="`+field+`"`) {
					t.Errorf("the summary leads to %s, which is not on the page", field)
				}
			}
			if diff := cmp.Diff(tc.want, leads); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(v.desk.history(), "replied") {
				t.Errorf("history %q", v.desk.history())
			}
		})
	}
}

func TestAnAnswerSentBackIsShownAsItWasFilledIn(t *testing.T) {
	v := invited(t, nil)
	v.enter()
	_, body := v.post("/reply", "who", "other", "name", "Ida Fenn", "comes", "no", "deputy", "Ned Marsh")
	for _, want := range []string{`value="Ida Fenn"`, `value="no" checked`, `value="Ned Marsh"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is lost", want)
		}
	}
}

func TestAnInvitationCannotBeAcknowledgedInsteadOfAnswered(t *testing.T) {
	v := invited(t, nil)
	v.enter()
	status, body := v.post("/acknowledge", "who", "contact", "have", "yes")
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, chooseComes) || strings.Contains(v.desk.history(), "acknowledged") {
		t.Errorf("status %d, history %q", status, v.desk.history())
	}
}

func TestAfterTheStartAnInvitationIsAcknowledgedAndNotAnswered(t *testing.T) {
	v := invited(t, func(c *Cover) { c.Invitation = false })
	v.enter()
	status, body := v.post("/reply", "who", "contact", "comes", "yes")
	page(t, status, body, http.StatusConflict, "The meeting has started")
	if _, body = v.get("/notice"); strings.Contains(body, "/reply") || !strings.Contains(body, "/acknowledge") {
		t.Error("the notice still asks who comes, or cannot be acknowledged")
	}
	if strings.Contains(v.desk.history(), "replied") {
		t.Errorf("history %q", v.desk.history())
	}
}

func TestWhatInvitesToNothingCannotBeAnswered(t *testing.T) {
	v := newVisitor(t)
	v.enter()
	status, body := v.post("/reply", "who", "contact", "comes", "yes")
	page(t, status, body, http.StatusConflict, "This notice invites to no meeting")
}

func TestNobodyAnswersWithoutTheCode(t *testing.T) {
	v := invited(t, nil)
	v.post("/reply", "who", "contact", "comes", "yes")
	if strings.Contains(v.desk.history(), "replied") {
		t.Errorf("history %q", v.desk.history())
	}
}

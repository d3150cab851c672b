package page

import (
	"bytes"
	"net/http"
	"strings"
	"unicode"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

// visit is a request with a good token to a notice that is there.
type visit struct {
	token    string
	noticeID string
	attempt  uint32
	cover    Cover
	session  bool
}

// visit reads the link. It has answered where it says false.
func (h *Handler) visit(w http.ResponseWriter, r *http.Request) (visit, bool) {
	v := visit{token: r.PathValue("token")}
	var ok bool
	if v.noticeID, v.attempt, ok = ParseToken(h.key, v.token); !ok {
		h.gone(w)
		return v, false
	}
	cover, err := h.notices.Open(r.Context(), v.noticeID, v.attempt)
	if err != nil {
		h.failed(w, v, err)
		return v, false
	}
	if cover.State == Withdrawn || cover.State == 0 {
		h.gone(w)
		return v, false
	}
	if cover.State == Recalled {
		h.message(w, http.StatusGone, "This notice was withdrawn",
			"It is no longer shown, and there is nothing to acknowledge. Do not act on it.")
		return v, false
	}
	v.cover = cover
	v.session = hasSession(h.key, v.token, r, h.now())
	return v, true
}

// inSession is visit for what needs the code: without a session it leads back to the cover.
func (h *Handler) inSession(w http.ResponseWriter, r *http.Request) (visit, bool) {
	v, ok := h.visit(w, r)
	if !ok {
		return v, false
	}
	if !v.session {
		http.Redirect(w, r, pathOf(v.token), http.StatusSeeOther)
		return v, false
	}
	if v.cover.State == Superseded {
		h.render(w, http.StatusOK, "cover", h.data(v, ""))
		return v, false
	}
	return v, true
}

func (h *Handler) cover(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.visit(w, r); ok {
		h.render(w, http.StatusOK, "cover", h.data(v, ""))
	}
}

func (h *Handler) enterCode(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.visit(w, r); ok {
		h.render(w, http.StatusOK, "code", h.data(v, ""))
	}
}

func (h *Handler) sendCode(w http.ResponseWriter, r *http.Request) {
	v, ok := h.visit(w, r)
	if !ok {
		return
	}
	if v.cover.State == Superseded {
		h.render(w, http.StatusOK, "cover", h.data(v, ""))
		return
	}
	code, ok, err := h.codes.Issue(v.token, h.now())
	if err != nil {
		h.failed(w, v, err)
		return
	}
	if !ok {
		w.Header().Set("Retry-After", "3600")
		h.render(w, http.StatusTooManyRequests, "cover", h.data(v, "Too many codes were asked for. Wait an hour, then ask for a new one."))
		return
	}
	if err := h.notices.SendCode(r.Context(), v.noticeID, v.attempt, code); err != nil {
		h.codes.TakeBack(v.token, code)
		h.failed(w, v, err)
		return
	}
	http.Redirect(w, r, pathOf(v.token)+"/code", http.StatusSeeOther)
}

func (h *Handler) open(w http.ResponseWriter, r *http.Request) {
	v, ok := h.visit(w, r)
	if !ok || !h.form(w, r) {
		return
	}
	code := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == '-' {
			return -1
		}
		return c
	}, r.PostForm.Get("code"))
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		h.render(w, http.StatusUnprocessableEntity, "code", h.data(v, "Enter the code from the email: 6 figures."))
		return
	}
	switch h.codes.Try(v.token, code, h.now()) {
	case web.CodeRight:
		http.SetCookie(w, newSession(h.key, v.token, h.now()))
		http.Redirect(w, r, pathOf(v.token)+"/notice", http.StatusSeeOther)
	case web.CodeWrong:
		h.render(w, http.StatusUnprocessableEntity, "code", h.data(v, "That is not the code. Enter the code from the newest email."))
	case web.CodeOver:
		h.render(w, http.StatusUnprocessableEntity, "cover", h.data(v, "That code does not work any more. Ask for a new one."))
	}
}

func (h *Handler) show(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.inSession(w, r); ok {
		h.showNotice(w, r, v, http.StatusOK, filled{})
	}
}

// filled is what a person filled in, and by field what was wrong with it. It is shown again as it came: somebody who
// gave their own name and forgot the tick must not find the contact chosen, and acknowledge in that name.
type filled struct {
	wrong map[string]string
	other bool   // I am somebody else
	name  string // as it was given
	have  bool   // the notice was read

	comes  string // the choice of an answer to an invitation: its form's value
	deputy string
	reason string
}

// showNotice shows the notice, and above it what was wrong with the form that came.
func (h *Handler) showNotice(w http.ResponseWriter, r *http.Request, v visit, status int, a filled) {
	n, err := h.notices.Read(r.Context(), v.noticeID, v.attempt)
	if err != nil {
		h.failed(w, v, err)
		return
	}
	data := h.data(v, "")
	data.Sheet = delivery.Lay(n, h.names, true)
	data.Wrong, data.Other, data.Name, data.Have = a.wrong, a.other, a.name, a.have
	data.Comes, data.Deputy, data.Reason, data.Reasons = a.comes, a.deputy, a.reason, Reasons()
	data.ContactName = v.cover.ContactName
	h.render(w, status, "notice", data)
}

// who is the person who fills a form in, or empty where that is wrong.
func (a *filled) who(r *http.Request, v visit) string {
	person := v.cover.ContactName
	switch {
	case r.PostForm.Get("who") != "contact" || person == "":
		a.other = true
		if person = web.PersonName(a.name); person == "" {
			a.wrong["name"] = "Give your own first and last name."
		}
	case strings.TrimSpace(a.name) != "": // the choice was made for them; the name was not
		a.other = true
		a.wrong["name"] = "You gave a name: choose that you are somebody else, or clear the name."
	}
	return person
}

func (h *Handler) acknowledge(w http.ResponseWriter, r *http.Request) {
	v, ok := h.inSession(w, r)
	if !ok || !h.form(w, r) {
		return
	}
	if v.cover.Invitation { // to have it is not to come
		h.showNotice(w, r, v, http.StatusUnprocessableEntity, filled{wrong: map[string]string{"comes": chooseComes}})
		return
	}
	a := filled{wrong: make(map[string]string), name: r.PostForm.Get("name"), have: r.PostForm.Get("have") == "yes"}
	person := a.who(r, v)
	switch {
	case a.have:
	case v.cover.Deletion:
		a.wrong["have"] = "Tick the box once the notice is deleted, with everything copied from it."
	default:
		a.wrong["have"] = "Tick the box to say that you have read the notice and will act on it."
	}
	if len(a.wrong) > 0 {
		h.showNotice(w, r, v, http.StatusUnprocessableEntity, a)
		return
	}
	if v.cover.State != Acknowledged {
		if err := h.notices.Acknowledge(r.Context(), v.noticeID, v.attempt, person); err != nil {
			h.failed(w, v, err)
			return
		}
	}
	what := "acknowledged"
	if v.cover.Deletion {
		what = "deleted"
	}
	http.Redirect(w, r, pathOf(v.token)+"/done?what="+what, http.StatusSeeOther)
}

func (h *Handler) notAtSetting(w http.ResponseWriter, r *http.Request) {
	v, ok := h.inSession(w, r)
	if !ok || !h.form(w, r) {
		return
	}
	if !v.cover.SettingNotice {
		h.message(w, http.StatusConflict, "This cannot be said of this notice", "It was not sent to a school or setting. Go back to the notice.")
		return
	}
	if r.PostForm.Get("checked") != "yes" {
		h.showNotice(w, r, v, http.StatusUnprocessableEntity, filled{wrong: map[string]string{
			"checked": "Tick the box to say that you have checked your register.",
		}})
		return
	}
	if err := h.notices.NotAtSetting(r.Context(), v.noticeID, v.attempt); err != nil {
		h.failed(w, v, err)
		return
	}
	http.Redirect(w, r, pathOf(v.token)+"/done?what=not-at-setting", http.StatusSeeOther)
}

// done says thank you. It asks nothing of the notice, which may have ended with what was done.
func (h *Handler) done(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	if _, _, ok := ParseToken(h.key, token); !ok {
		h.gone(w)
		return
	}
	if !hasSession(h.key, token, r, h.now()) {
		http.Redirect(w, r, pathOf(token), http.StatusSeeOther)
		return
	}
	switch r.URL.Query().Get("what") {
	case "not-at-setting":
		h.message(w, http.StatusOK, "Thank you: you have told us that the child is not with you",
			"Somebody will find out where the child is. Delete the email and anything you copied from the notice. You can close this page.")
	case "comes":
		h.message(w, http.StatusOK, "Thank you: you have said that you come", answerStands)
	case "deputy":
		h.message(w, http.StatusOK, "Thank you: you have said who comes", "Give them the notice's reference and the time, by telephone or in person. "+answerStands)
	case "declined":
		h.message(w, http.StatusOK, "Thank you: you have said that you cannot come",
			"Your deputy or duty desk is asked now, and whoever called the meeting can see it. If you can come after all, open the link in your email again. You can close this page.")
	case "deleted":
		h.message(w, http.StatusOK, "Thank you: you have confirmed that the notice is deleted", "You can close this page.")
	default:
		h.message(w, http.StatusOK, "Thank you: the notice is acknowledged", "Nobody else will be asked. You can close this page.")
	}
}

func (h *Handler) form(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		h.message(w, http.StatusBadRequest, "The form could not be read", "Go back and try again.")
		return false
	}
	return true
}

// pageData is what a page is given.
type pageData struct {
	Title       string
	Path        string // of the link, for forms
	Reference   string
	To          string // organisation told
	Due         string
	Error       string // what was wrong with the last form, where it has one field
	Cover       Cover
	Superseded  bool
	Acked       bool
	ContactName string
	Sheet       delivery.Sheet
	Wrong       map[string]string // of the form that came, by field
	Other       bool              // the rest of that form, shown again as it was filled in
	Name        string
	Have        bool
	Text        string

	Meets    string // start of the meeting that this invites to
	Answered string // what the organisation has answered so far, and when
	Comes    string
	Deputy   string
	Reason   string
	Reasons  []Reason
}

func (h *Handler) data(v visit, wrong string) pageData {
	d := pageData{
		Title: "Notice " + v.cover.Reference, Path: pathOf(v.token), Reference: v.cover.Reference, To: v.cover.Organisation,
		Error: wrong, Cover: v.cover, Superseded: v.cover.State == Superseded, Acked: v.cover.State == Acknowledged,
	}
	if !v.cover.Meets.IsZero() {
		d.Meets, d.Answered = delivery.LongTime(v.cover.Meets, delivery.London()), v.cover.answered()
	}
	if !v.cover.Due.IsZero() {
		d.Due = delivery.LongTime(v.cover.Due, delivery.London())
	}
	return d
}

func (h *Handler) render(w http.ResponseWriter, status int, name string, d pageData) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name+".html", d); err != nil {
		h.log.Error("a page could not be made", zap.String("page", name), zap.Error(err))
		http.Error(w, "This page could not be made. Try again, or telephone the sender.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

func (h *Handler) message(w http.ResponseWriter, status int, title, text string) {
	h.render(w, status, "message", pageData{Title: title, Text: text})
}

// gone is the one answer for links that were never made, that are dead and that are withdrawn.
func (h *Handler) gone(w http.ResponseWriter) {
	h.message(w, http.StatusNotFound, "There is no notice here",
		"Check that the whole link from the email was opened. If you were sent a newer notice, use its link.")
}

func (h *Handler) failed(w http.ResponseWriter, v visit, err error) {
	switch kind := notice.KindOf(err); kind {
	case notice.NotFound, notice.Denied:
		h.gone(w)
	case notice.Conflict, notice.Precondition:
		h.message(w, http.StatusConflict, "The notice has changed meanwhile", "Open the link in your email again to see where it stands.")
	case notice.Unavailable:
		w.Header().Set("Retry-After", "30")
		h.message(w, http.StatusServiceUnavailable, "Not just now", "Wait half a minute and try again. If it is urgent, telephone the agency that sent the notice.")
	case notice.Invalid, notice.Internal:
		h.log.Error("a notice page failed", zap.String("notice", v.noticeID), zap.Uint32("attempt", v.attempt), zap.Stringer("kind", kind), zap.Error(err))
		h.message(w, http.StatusInternalServerError, "Something went wrong here", "Try again. If it is urgent, telephone the agency that sent the notice.")
	}
}

func (h *Handler) css(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(h.style)
}

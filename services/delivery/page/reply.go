package page

import (
	"errors"
	"net/http"
	"slices"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/web"
)

const (
	chooseComes  = "Choose whether you come, somebody else does, or nobody can."
	answerStands = "You can change it until the meeting starts: open the link in your email again. You can close this page."
)

// reply takes the answer to an invitation: the deliberate act of a named person, like an acknowledgement.
func (h *Handler) reply(w http.ResponseWriter, r *http.Request) {
	v, ok := h.inSession(w, r)
	if !ok || !h.form(w, r) {
		return
	}
	if v.cover.Meets.IsZero() {
		h.message(w, http.StatusConflict, "This notice invites to no meeting", "Go back to the notice.")
		return
	}
	if !v.cover.Invitation {
		h.message(w, http.StatusConflict, "The meeting has started",
			"Telephone the agency that called it, if you can still take part. Go back to the notice to acknowledge that you have it.")
		return
	}
	a := filled{
		wrong: make(map[string]string), name: r.PostForm.Get("name"),
		comes: r.PostForm.Get("comes"), deputy: r.PostForm.Get("deputy"), reason: r.PostForm.Get("reason"),
	}
	reply := Reply{Person: a.who(r, v)}
	done := ""
	switch a.comes {
	case "yes":
		reply.Answer, done = Comes, "comes"
	case "deputy":
		reply.Answer, done = SendsDeputy, "deputy"
		if reply.Deputy = web.PersonName(a.deputy); reply.Deputy == "" {
			a.wrong["deputy"] = "Give the first and last name of whoever comes instead."
		}
	case "no":
		reply.Answer, done = Declines, "declined"
		if reply.Reason = a.reason; !slices.ContainsFunc(Reasons(), func(x Reason) bool { return x.Code == a.reason }) {
			a.wrong["reason"] = "Choose why nobody can come."
		}
	default:
		a.wrong["comes"] = chooseComes
	}
	if len(a.wrong) > 0 {
		h.showNotice(w, r, v, http.StatusUnprocessableEntity, a)
		return
	}
	switch err := h.notices.Reply(r.Context(), v.noticeID, v.attempt, reply); {
	case errors.Is(err, ErrAnsweredOften):
		h.message(w, http.StatusConflict, "This invitation was answered too often",
			"The last answer stands. If it is not right any more, telephone the agency that called the meeting.")
		return
	case err != nil:
		h.failed(w, v, err)
		return
	}
	http.Redirect(w, r, pathOf(v.token)+"/done?what="+done, http.StatusSeeOther)
}

// answered says what the organisation has answered so far, or nothing.
func (c Cover) answered() string {
	answered := "Your organisation answered at " + delivery.LongTime(c.AnsweredAt, delivery.London()) + ": "
	switch c.Answer {
	case Comes:
		return answered + "somebody comes."
	case SendsDeputy:
		return answered + "a deputy comes."
	case Declines:
		return answered + "nobody comes."
	default:
		return ""
	}
}

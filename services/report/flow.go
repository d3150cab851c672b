package report

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

const (
	titleReport  = "Report an incident"
	titleCorrect = "Correct a report"
	titleReview  = "Check the report before you send it"
	titleSent    = "The report was sent"
)

// start shows an empty form to a desk, and to anybody else where to sign in.
func (h *Handler) start(w http.ResponseWriter, r *http.Request) {
	d, began, ok := h.signedIn(r)
	if !ok {
		h.render(w, http.StatusOK, "signin", h.page("Sign in to report an incident"))
		return
	}
	http.SetCookie(w, h.session(d, began, h.now()))
	f := &form{nonce: newNonce(), nextRef: "1", reported: momentOf(h.now(), h.london), area: string(d.Area), people: make([]person, 1)}
	f.addChild()
	h.showForm(w, http.StatusOK, d, f, nil)
}

// visit is a form that came from a desk. It has answered where it says false.
func (h *Handler) visit(w http.ResponseWriter, r *http.Request) (Desk, *form, bool) {
	if !h.read(w, r) {
		return Desk{}, nil, false
	}
	f, err := readForm(r.PostForm)
	if err != nil {
		h.message(w, http.StatusBadRequest, "The form could not be read", "Go back and try again, or begin again at the page where incidents are reported.")
		return Desk{}, nil, false
	}
	d, began, ok := h.signedIn(r)
	if !ok {
		h.signedOut(w, r, f)
		return Desk{}, nil, false
	}
	http.SetCookie(w, h.session(d, began, h.now()))
	return d, f, true
}

// signedOut gives a form back to whoever sent it without a session: an hour's typing is not to be lost to the clock.
func (h *Handler) signedOut(w http.ResponseWriter, r *http.Request, f *form) {
	p := h.page("You are signed out")
	p.Hidden = append(f.fields(), field{"action", r.PostForm.Get("action")})
	p.Action = r.URL.Path
	h.render(w, http.StatusForbidden, "signedout", p)
}

// fillIn does what the button says that was pressed in the form.
func (h *Handler) fillIn(w http.ResponseWriter, r *http.Request) {
	d, f, ok := h.visit(w, r)
	if !ok {
		return
	}
	action := r.PostForm.Get("action")
	switch {
	case action == "add-child" && len(f.children) < mostChildren:
		f.addChild()
	case action == "add-person" && len(f.people) < mostPeople:
		f.people = append(f.people, person{})
	case strings.HasPrefix(action, "remove-child-"):
		f.children = without(f.children, action, "remove-child-")
	case strings.HasPrefix(action, "remove-person-"):
		f.people = without(f.people, action, "remove-person-")
	case action == "change":
	case action == "withdraw":
		h.askWithdraw(w, http.StatusOK, d, f, h.now().UTC().Format(time.RFC3339), "")
		return
	case action == "correct":
		f.supersedes, f.nonce = eventID(f.nonce), newNonce()
	default:
		h.review(w, d, f)
		return
	}
	h.showForm(w, http.StatusOK, d, f, nil)
}

// without leaves out the entry that an action names.
func without[T any](list []T, action, prefix string) []T {
	n, err := strconv.Atoi(strings.TrimPrefix(action, prefix))
	if err != nil || n < 0 || n >= len(list) {
		return list
	}
	return append(list[:n:n], list[n+1:]...)
}

// traffic is what a report is marked as.
func (h *Handler) traffic() eventv1.Traffic {
	if h.live {
		return eventv1.Traffic_TRAFFIC_LIVE
	}
	return eventv1.Traffic_TRAFFIC_EXERCISE
}

// checked makes the event of a form and finds everything that is wrong with it.
func (h *Handler) checked(d Desk, f *form) built {
	b := f.build(d, h.traffic(), h.london)
	b.merge(h.entrance.Check(d, b.event))
	return b
}

func (h *Handler) review(w http.ResponseWriter, d Desk, f *form) {
	b := h.checked(d, f)
	if len(b.faults) > 0 {
		h.showForm(w, http.StatusUnprocessableEntity, d, f, b.faults)
		return
	}
	h.showReview(w, http.StatusOK, d, f, b, "")
}

func (h *Handler) showForm(w http.ResponseWriter, status int, d Desk, f *form, wrong faults) {
	p := h.deskPage(titleReport, d)
	if f.supersedes != "" {
		p.Title, p.Correct = titleCorrect, true
	}
	p.Sections = f.sections(h.entrance.Areas(), wrong, h.london)
	p.Problems = complaints(wrong, p.Sections)
	p.Hidden = f.unshown()
	h.render(w, status, "form", p)
}

// unshown are the fields that the form has no inputs for.
func (f *form) unshown() []field {
	list := []field{
		{"children", strconv.Itoa(len(f.children))}, {"people", strconv.Itoa(len(f.people))}, {"nonce", f.nonce},
		{"supersedes", f.supersedes}, {"next-ref", f.nextRef},
	}
	for i := range f.children {
		list = append(list, field{"child-" + strconv.Itoa(i) + "-ref", f.children[i].ref})
	}
	return list
}

func (h *Handler) showReview(w http.ResponseWriter, status int, d Desk, f *form, b built, problem string) {
	p := h.deskPage(titleReview, d)
	p.Correct = f.supersedes != ""
	if problem != "" {
		p.Problems = []complaint{{Text: problem}}
	}
	p.Sections = filled(f.sections(h.entrance.Areas(), nil, h.london), f)
	p.Warnings = complaints(b.withheld(), f.sections(h.entrance.Areas(), b.withheld(), h.london))
	p.Hidden = f.fields()
	h.render(w, status, "review", p)
}

// filled is the form as it was understood: days in words, so that a day and a month that were swapped are seen, and
// without the children and people about whom nothing was said, who are not sent.
func filled(sections []section, f *form) []section {
	empty := map[string]bool{}
	for i := range f.children {
		empty["child-"+strconv.Itoa(i)] = f.children[i].blank()
	}
	for i := range f.people {
		empty["person-"+strconv.Itoa(i)] = f.people[i].blank()
	}
	for s := range sections {
		var blocks []block
		for _, b := range sections[s].Blocks {
			if empty[b.ID] {
				continue
			}
			for i := range b.Inputs {
				if year, month, day, ok := readDay(b.Inputs[i].Value); ok && b.Inputs[i].Day {
					b.Inputs[i].Value = time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Format("Monday 2 January 2006")
				}
			}
			blocks = append(blocks, b)
		}
		sections[s].Blocks = blocks
	}
	return sections
}

// send takes the report in. Loading its answer again sends the same report, which is the same event.
func (h *Handler) send(w http.ResponseWriter, r *http.Request) {
	d, f, ok := h.visit(w, r)
	if !ok {
		return
	}
	b := h.checked(d, f)
	if len(b.faults) > 0 { // time has passed since the review, or the form did not come from it
		h.showForm(w, http.StatusUnprocessableEntity, d, f, b.faults)
		return
	}
	sent, err := h.entrance.Publish(r.Context(), d, b.event, web.PersonName(f.reporter))
	if err != nil {
		h.notSent(w, d, f, b, err)
		return
	}
	p := h.deskPage(titleSent, d)
	p.Sent = h.sent(sent, f)
	p.Sent.Reference, p.Sent.Event = b.event.Subject, b.event.Source+"/"+b.event.Id
	p.Hidden = f.fields()
	h.render(w, http.StatusOK, "sent", p)
}

func (h *Handler) notSent(w http.ResponseWriter, d Desk, f *form, b built, err error) {
	switch kind := notice.KindOf(err); kind {
	case notice.Invalid:
		b.merge(notice.FieldsOf(err))
		h.showForm(w, http.StatusUnprocessableEntity, d, f, b.faults)
	case notice.Conflict:
		p := h.deskPage("This report was sent before, in other words", d)
		p.Hidden = f.fields()
		h.render(w, http.StatusConflict, "changed", p)
	case notice.Unavailable:
		w.Header().Set("Retry-After", "30")
		h.showReview(w, http.StatusServiceUnavailable, d, f, b,
			"The report could not be taken in just now. Nothing is lost: wait half a minute and send it again. If a child is in danger, telephone.")
	case notice.NotFound, notice.Denied, notice.Precondition, notice.Internal:
		h.log.Error("a report could not be taken in", zap.String("contact", d.Contact), zap.Stringer("kind", kind), zap.Error(err))
		h.showReview(w, http.StatusInternalServerError, d, f, b,
			"Something went wrong here, and the report was not sent. Try again; if it goes on, telephone, and tell whoever runs Signalbox.")
	}
}

// look says where a report stands that was sent.
func (h *Handler) look(w http.ResponseWriter, r *http.Request) {
	d, began, ok := h.signedIn(r)
	if !ok {
		http.Redirect(w, r, root, http.StatusSeeOther)
		return
	}
	http.SetCookie(w, h.session(d, began, h.now()))
	sent, err := h.entrance.Look(r.Context(), d, r.PathValue("key"))
	switch {
	case err == nil:
		p := h.deskPage("Where the report stands", d)
		p.Sent = h.sent(sent, nil)
		h.render(w, http.StatusOK, "sent", p)
	case notice.KindOf(err) == notice.NotFound:
		h.message(w, http.StatusNotFound, "There is no such report", "It may be another agency's, or not be taken in yet: wait a moment, and load this page again.")
	default:
		h.message(w, http.StatusServiceUnavailable, "Not just now", "Wait half a minute and try again.")
	}
}

func (h *Handler) sent(s Sent, f *form) *sentData {
	data := &sentData{Number: notice.Reference(s.Key), Path: root + "/sent/" + s.Key}
	states := map[string]State{}
	for _, c := range s.Children {
		states[c.Ref] = c.State
	}
	if f == nil {
		for _, c := range s.Children {
			data.Children = append(data.Children, sentChild{"Child " + c.Ref, stateText(c.State)})
		}
		return data
	}
	for i := range f.children {
		if c := &f.children[i]; !c.blank() {
			name := strings.TrimSpace(c.given + " " + c.family)
			data.Children = append(data.Children, sentChild{name + " (" + c.ref + ")", stateText(states[c.ref])})
		}
	}
	return data
}

func stateText(s State) string {
	switch s {
	case Unmatched:
		return "Not found for certain: somebody is finding out who must be told, and may telephone you"
	case Told:
		return "Told"
	case Acknowledged:
		return "Told, and a person there has acknowledged it"
	case Late:
		return "Nobody had the notice in time; somebody is telephoning"
	case Withdrawn:
		return "Withdrawn"
	default:
		return "Taken in; nobody has been told yet"
	}
}

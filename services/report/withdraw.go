package report

import (
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

const (
	titleWithdraw  = "Withdraw this report"
	titleWithdrawn = "The report is withdrawn"
)

func withdrawReasons() []option {
	return []option{
		{"wrong_child", "It names the wrong child"}, {"wrong_person", "It is about somebody else"},
		{"published_in_error", "It should not have been reported"}, {"other", "Something else"},
	}
}

// askWithdraw asks why a report is to be taken back. The instant is the page's: sent twice, it is one withdrawal.
func (h *Handler) askWithdraw(w http.ResponseWriter, status int, d Desk, f *form, at, problem string) {
	p := h.deskPage(titleWithdraw, d)
	reason := input{Kind: "radio", Name: "reason", Label: "Why is it taken back?", Value: "-", Options: withdrawReasons()}
	if problem != "" {
		reason.Wrong = []string{problem}
		p.Problems = []complaint{{Name: "reason", Text: problem}}
	}
	p.Sections = []section{{Blocks: []block{{Inputs: []input{reason}}}}}
	p.Hidden = append(f.fields(), field{"at", at})
	h.render(w, status, "withdraw", p)
}

// withdraw takes a report back that was sent: as any event of the agency is taken back, by another.
func (h *Handler) withdraw(w http.ResponseWriter, r *http.Request) {
	d, f, ok := h.visit(w, r)
	if !ok {
		return
	}
	at, err := time.Parse(time.RFC3339, r.PostForm.Get("at"))
	if err != nil {
		at = h.now().Truncate(time.Second)
	}
	ev := &eventv1.Event{
		Id: eventID(f.nonce) + "-withdrawn", Source: string(d.Agency), Type: string(notice.EventWithdrawn),
		Subject: strings.TrimSpace(f.subject), Area: f.area, Time: timestamppb.New(at), Traffic: h.traffic(),
		Payload: &eventv1.Event_EventWithdrawn{EventWithdrawn: &eventv1.EventWithdrawn{Event: eventID(f.nonce), Reason: r.PostForm.Get("reason")}},
	}
	if len(h.entrance.Check(d, ev)) > 0 {
		h.askWithdraw(w, http.StatusUnprocessableEntity, d, f, at.Format(time.RFC3339), "Say why it is taken back.")
		return
	}
	if _, err := h.entrance.Publish(r.Context(), d, ev, web.PersonName(f.reporter)); err != nil {
		h.log.Error("a report could not be withdrawn", zap.String("contact", d.Contact), zap.Stringer("kind", notice.KindOf(err)), zap.Error(err))
		w.Header().Set("Retry-After", "30")
		h.askWithdraw(w, http.StatusServiceUnavailable, d, f, at.Format(time.RFC3339),
			"It could not be taken back just now: try again in half a minute, and telephone the operator if it goes on.")
		return
	}
	p := h.deskPage(titleWithdrawn, d)
	p.Text = "Nothing more is sent of it, and its links are dead. Where somebody may have been told, your desk has a task to see to: nobody is asked to delete anything before a person says that it is safe."
	h.render(w, http.StatusOK, "message", p)
}

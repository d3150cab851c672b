package app

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/delivery/smtp"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// post sends the engine's messages, and one-time codes, as mail. What comes back for a notice is tied to its attempt; a
// code has the ordinary sender: it may go to another address than the notice did, and whoever asked for it sits before
// the page and sees that it does not come.
type post struct {
	sender  *smtp.Sender
	holder  *holder
	returns func(noticeID string, attempt uint32) string // envelope sender of an attempt; nil where nobody listens there
}

// Send renders a notice and sends it.
func (p *post) Send(ctx context.Context, m delivery.Message) delivery.Result {
	if p.returns != nil {
		m.ReturnTo = p.returns(m.Notice.GetId(), m.Attempt)
	}
	mail, err := delivery.RenderMail(m, p.name)
	if err != nil {
		return delivery.Result{Outcome: delivery.Permanent, Detail: "the mail cannot be made"}
	}
	return p.sender.Send(ctx, mail, m.Endpoint.Address)
}

func (p *post) name(id notice.OrgID) string {
	snapshot, _ := p.holder.Current()
	return snapshot.Name(id)
}

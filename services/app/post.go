package app

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/delivery/smtp"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// post sends the engine's messages, and one-time codes, as mail.
type post struct {
	sender *smtp.Sender
	holder *holder
}

// Send renders a notice and sends it.
func (p *post) Send(ctx context.Context, m delivery.Message) delivery.Result {
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

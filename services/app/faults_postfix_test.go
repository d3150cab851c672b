package app_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

// postfixIsTheRelay has a real Postfix take the mail: it delivers some, refuses some, and of some it finds only afterwards
// that the mailbox's own server does not want it, and writes a notification of its own to the returns listener.
func postfixIsTheRelay(t *testing.T, a *account) {
	var postfix *apptest.Postfix
	p := newPeers(t, a, func(r *apptest.Rig) {
		returns, theirServer := freePort(t), r.Config.Mail.Port
		r.TakeReturns()
		r.Config.Returns.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(returns))
		r.Config.Mail.Port = freePort(t)
		postfix = r.Postfix(apptest.PostfixConfig{
			Port:      r.Config.Mail.Port,
			Mailboxes: []string{"duty@trust.example", "desk@trust.example", "manager@trust.example"},
			Relays:    map[string]int{apptest.ReturnsDomain: returns, "clinic.example": theirServer},
		})
	})
	a.mailbox(postfix)
	p.meet(
		partner{"trust", []string{"duty email duty@trust.example"}},
		partner{"misspelt", []string{"duty email dutty@trust.example", "desk email desk@trust.example"}},
		partner{"clinic", []string{"duty email duty@clinic.example", "desk email manager@trust.example"}},
	)
	p.relay.Up(apptest.Manners{Rcpt: func(string, string) error { return reply(550, smtp.EnhancedCode{5, 1, 1}) }})
	n := a.pick(3, 30, 100) // the listener takes 200 in one go
	p.tell(n, "trust", "misspelt", "!clinic")
	p.AwaitMail(func() bool { return len(postfix.All()) == 3*n })
	p.Settle()
	p.noTimePassed()
	equal(t, "mail", byAddress(postfix.All()), map[string]int{
		"duty@trust.example": n, "desk@trust.example": n, "manager@trust.example": n,
	})
	since := " 5.1.1 since " + apptest.Clock(p.began.UnixMilli())
	equal(t, "failing", failing(t, p.Rig), []string{"trust-contacts/clinic-0" + since, "trust-contacts/misspelt-0" + since})
	b := p.balance(0)
	a.note("%d delivered, %d refused, %d of Postfix's own notifications", n, n, b.kinds["returned"]-n)
	equal(t, "refusals and notifications", b.kinds["returned"], 2*n)
}

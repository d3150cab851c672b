package apptest

import (
	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/mailbox"
)

// ReturnsDomain is the domain of the return addresses of a rig that takes what comes back.
const ReturnsDomain = "returns.signalbox.example"

// TakeReturns has the configuration listen for bounces and automatic replies; before Boot.
func (r *Rig) TakeReturns() {
	r.Config.Returns = app.ReturnsConfig{Listen: "127.0.0.1:0", Domain: ReturnsDomain}
}

// Back is the way for what comes back, as a mail system finds it.
func (r *Rig) Back() mailbox.Back {
	tls := r.Roots.Clone()
	tls.ServerName = "localhost"
	return mailbox.Back{Addr: r.Service.ReturnsAddr(), TLS: tls}
}

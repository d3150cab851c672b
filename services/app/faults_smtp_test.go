package app_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/mailbox"
)

func reply(code int, enhanced smtp.EnhancedCode) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "No"}
}

func smtpRefuses(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	p.meet(mailPartner("mailboxless"), mailPartner("picky"), partner{"unknown", []string{"duty email duty@unknown.example"}})
	p.relay.Up(apptest.Manners{
		Rcpt: func(_, to string) error {
			if to == "duty@mailboxless.example" || to == "duty@unknown.example" {
				return reply(550, smtp.EnhancedCode{5, 1, 1})
			}
			return nil
		},
		Data: func(m mailbox.Mail) error {
			if m.To == "duty@picky.example" {
				return reply(554, smtp.EnhancedCode{5, 7, 1})
			}
			return nil
		},
	})
	n := a.pick(5, 100, 500)
	p.tell(n, "mailboxless", "picky", "unknown")
	p.Settle()
	p.noTimePassed()
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{"desk@mailboxless.example": n, "desk@picky.example": n})
	if s := p.Summary(); int(s.Delivered) != 2*n || int(s.OpenTasks) != n || int(s.WithPerson) != n {
		t.Errorf("%v", s)
	}
	p.balance(0)
}

func smtpIsDown(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	p.meet(mailPartner("trust"), mailPartner("clinic"))
	n := a.pick(6, 100, 500)
	p.tell(n, "trust", "clinic")
	for range 3 { // less than the tries of a contact last
		p.Settle()
		p.Clock.Advance(40 * time.Second)
	}
	p.Settle()
	p.relay.Up(apptest.Manners{})
	p.allDelivered(2 * n)
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{"duty@trust.example": n, "duty@clinic.example": n})
	a.note("all out %v after the first try", p.Clock.Now().Sub(p.began))
	p.balance(0)
}

func smtpIsSilent(t *testing.T, a *account) {
	p := newPeers(t, a, quickTimeouts)
	p.meet(mailPartner("trust"))
	p.relay.Up(apptest.Manners{Silent: true})
	n := a.pick(5, 50, 200)
	p.tell(n, "trust")
	p.Settle()
	p.Clock.Advance(40 * time.Second)
	p.Settle()
	if taken := p.relay.All(); len(taken) > 0 {
		t.Errorf("a relay that said nothing took %d mails", len(taken))
	}
	p.relay.Up(apptest.Manners{})
	p.allDelivered(n)
	p.balance(0)
}

// A greylister knows who wrote to whom before, by the sender without what follows a plus, and takes mail of strangers
// only when it comes again after a while.
func smtpGreylists(t *testing.T, a *account) {
	const while = 5 * time.Minute
	p := newPeers(t, a, (*apptest.Rig).TakeReturns)
	p.meet(partner{"strange", []string{"duty email duty@shared.example"}}, partner{"known", []string{"duty email known@shared.example"}})
	var mu sync.Mutex
	first, tries := map[string]time.Time{}, map[string][]time.Time{}
	p.relay.Up(apptest.Manners{Rcpt: func(from, to string) error {
		if to == "known@shared.example" {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		now := p.Clock.Now()
		sender, own, _ := strings.Cut(from, "+")
		id, _, _ := strings.Cut(own, ".")
		tries[id] = append(tries[id], now)
		if since, seen := first[sender+" "+to]; !seen {
			first[sender+" "+to] = now
		} else if now.Sub(since) >= while {
			return nil
		}
		return reply(450, smtp.EnhancedCode{4, 7, 1})
	}})
	n := a.pick(4, 50, 200)
	p.tell(n, "strange", "known")
	p.Settle()
	equal(t, "mail at once", byAddress(p.relay.All()), map[string]int{"known@shared.example": n})
	p.allDelivered(2 * n)
	if waited := p.Clock.Now().Sub(p.began); waited < while || waited > 12*time.Minute {
		t.Errorf("all out after %v", waited)
	}
	for id, at := range tries {
		for i := 1; i < len(at); i++ {
			if want := 30 * time.Second << (i - 1); at[i].Sub(at[i-1]) < want {
				t.Errorf("notice %s: try %d came %v after the one before, want %v at least", id, i+1, at[i].Sub(at[i-1]), want)
			}
		}
	}
	a.note("all out after %v", p.Clock.Now().Sub(p.began))
	p.balance(0)
}

func smtpDropsTLS(t *testing.T, a *account) {
	p := newPeers(t, a, nil)
	p.meet(mailPartner("trust"))
	n := a.pick(3, 50, 200)
	p.relay.Up(apptest.Manners{WithoutTLS: true})
	p.tell(n, "trust")
	p.Settle()
	p.relay.Up(apptest.Manners{CutTLS: true})
	p.Clock.Advance(40 * time.Second)
	p.Settle()
	if taken := p.relay.All(); len(taken) > 0 {
		t.Errorf("%d mails went out without TLS", len(taken))
	}
	p.relay.Up(apptest.Manners{})
	p.allDelivered(n)
	equal(t, "the ends of sends", p.ends(), []string{"no tls", "smtp 250", "tls failed"})
	p.balance(0)
}

func smtpBounces(t *testing.T, a *account) {
	p := newPeers(t, a, (*apptest.Rig).TakeReturns)
	p.meet(mailPartner("attended"), mailPartner("absent"))
	p.relay.Up(apptest.Manners{})
	n := a.pick(5, 100, 400)
	p.tell(n, "attended", "!absent")
	p.Settle()
	accepted := p.relay.All()
	equal(t, "mail", byAddress(accepted), map[string]int{"duty@attended.example": n, "duty@absent.example": n})
	for _, m := range accepted {
		check(t, p.Back().Bounce(p.Context(), m, "failed", "5.1.1"))
	}
	p.Settle()
	p.noTimePassed()
	// What was to be acknowledged goes on to the next contact; what counted as delivered is a person's to see to.
	equal(t, "mail", byAddress(p.relay.All()), map[string]int{
		"duty@attended.example": n, "duty@absent.example": n, "desk@absent.example": n,
	})
	if s := p.Summary(); int(s.OpenTasks) != n || s.Acknowledged != 0 {
		t.Errorf("%v", s)
	}
	b := p.balance(0)
	equal(t, "bounces in the ledger", b.kinds["returned"], 2*n)
	a.note("%d bounces", 2*n)
}

func smtpHangsAfterData(t *testing.T, a *account) {
	p := newPeers(t, a, quickTimeouts)
	names := []string{"one", "two", "three", "four", "five"}
	p.meet(mailPartner("one"), mailPartner("two"), mailPartner("three"), mailPartner("four"), mailPartner("five"))
	var mu sync.Mutex
	seen := map[string]bool{}
	p.relay.Up(apptest.Manners{Taken: func(ctx context.Context, m mailbox.Mail) {
		mu.Lock()
		again := seen[m.MessageID]
		seen[m.MessageID] = true
		mu.Unlock()
		if !again {
			<-ctx.Done()
		}
	}})
	n := a.pick(1, 4, 10)
	p.tell(n, names...)
	p.Settle()
	if s := p.Summary(); s.Delivered != 0 {
		t.Errorf("without an answer %d notices count as delivered", s.Delivered)
	}
	p.pass(10*time.Second, time.Hour, func(s *ledgerv1.SummaryResponse) bool { return int(s.Delivered) == n*len(names) })
	p.balance(n * len(names))
}

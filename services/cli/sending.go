package cli

import (
	"context"
	"fmt"
	"io"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	sendingv1 "github.com/signalbox-hq/signalbox/api/signalbox/sending/v1"
)

type sendingCmd struct {
	Stop   sendingStopCmd   `cmd:"" help:"Stop sending: all of it, or for one organisation, kind of event or channel."`
	Resume sendingResumeCmd `cmd:"" help:"Resume what was stopped."`
	Show   sendingShowCmd   `cmd:"" help:"Show what is stopped, by whom and why."`
}

func (sendingCmd) Help() string {
	return `While sending is stopped, events are taken in, decided and held as before, and nobody is told: notices whose due time comes go to a person's task, to telephone. Deadlines stay.

    signalbox sending stop --reason "The relay delivers to the wrong people."
    signalbox sending stop --organisation gias:900101 --reason "Their mailbox is read by somebody who left."
    signalbox sending show
    signalbox sending resume --reason "The relay is mended, INC-4411."

What has begun to be sent when sending is stopped ends. Resumed, what is due goes out by lane and then by due time, also what a task was opened for, unless somebody has claimed or resolved it.`
}

// scope is what a stop covers: everything where none is given. Kong's own xor would take a channel for given, since a flag
// with an enum has a default.
type scope struct {
	Organisation string `placeholder:"ID" help:"Only notices for this organisation or setting, and sends to its contacts."`
	Kind         string `placeholder:"KIND" help:"Only notices of this kind of event, such as encompass.incident."`
	Channel      string `placeholder:"CHANNEL" enum:",email,grpc,inbox" default:"" help:"Only this channel: email, grpc or inbox."`
	Reason       string `required:"" placeholder:"TEXT" help:"Why, in words, up to 2000 characters. Kept apart from the ledger, where it can be erased."`
}

func (s scope) named() (what ledgerv1.Scope, target string, err error) {
	what = ledgerv1.Scope_SCOPE_ALL
	for _, given := range []struct {
		what   ledgerv1.Scope
		target string
	}{
		{ledgerv1.Scope_SCOPE_ORGANISATION, s.Organisation},
		{ledgerv1.Scope_SCOPE_KIND, s.Kind},
		{ledgerv1.Scope_SCOPE_CHANNEL, s.Channel},
	} {
		switch {
		case given.target == "":
		case target != "":
			return 0, "", usagef("name one of --organisation, --kind and --channel: several stops may stand at once")
		default:
			what, target = given.what, given.target
		}
	}
	return what, target, nil
}

type sendingStopCmd struct {
	scope
	output
	connection
}

func (c *sendingStopCmd) Run(ctx context.Context, e *env) error {
	what, target, err := c.named()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, sendingv1.NewSendingServiceClient, sendingv1.SendingServiceClient.Stop, &sendingv1.StopRequest{Scope: what, Target: target, Reason: c.Reason},
		func(w io.Writer, r *sendingv1.StopResponse) error {
			return printStops(e, r.GetStops())
		})
}

type sendingResumeCmd struct {
	scope
	output
	connection
}

func (c *sendingResumeCmd) Run(ctx context.Context, e *env) error {
	what, target, err := c.named()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, sendingv1.NewSendingServiceClient, sendingv1.SendingServiceClient.Resume, &sendingv1.ResumeRequest{Scope: what, Target: target, Reason: c.Reason},
		func(w io.Writer, r *sendingv1.ResumeResponse) error {
			return printStops(e, r.GetStops())
		})
}

type sendingShowCmd struct {
	output
	connection
}

func (c *sendingShowCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, sendingv1.NewSendingServiceClient, sendingv1.SendingServiceClient.Show, &sendingv1.ShowRequest{},
		func(w io.Writer, r *sendingv1.ShowResponse) error {
			if err := printStops(e, r.GetStops()); err != nil || len(r.GetStops()) == 0 {
				return err
			}
			fmt.Fprintf(w, "held back: %s\n", plural(r.GetHeldBack(), "notice", "notices"))
			return nil
		})
}

func printStops(e *env, stops []*sendingv1.Stop) error {
	if len(stops) == 0 {
		fmt.Fprintln(e.Out, "Nothing is stopped.")
		return nil
	}
	t := newTable(e.Out, "STOPPED", "SINCE", "BY", "REASON")
	for _, s := range stops {
		p := s.GetInForce()
		reason := s.GetReason()
		if p.GetBy() == "restore" {
			reason = "a backup was restored: see docs/runbooks/restore.md before you resume"
		}
		t.row(stopText(p.GetScope(), p.GetTarget()), minute(p.GetSinceMs()), p.GetBy(), orDash(reason))
	}
	return t.flush()
}

// stopText says what a stop covers.
func stopText(what ledgerv1.Scope, target string) string {
	if what == ledgerv1.Scope_SCOPE_ALL {
		return "everything"
	}
	return enumName(what, "SCOPE_") + " " + target
}

// printStopped heads other answers while anything is stopped.
func printStopped(e *env, stops []*ledgerv1.StopInForce) {
	for _, p := range stops {
		fmt.Fprintf(e.Out, "SENDING IS STOPPED: %s, since %s, by %s (signalbox sending show)\n",
			plain(stopText(p.GetScope(), p.GetTarget())), minute(p.GetSinceMs()), plain(p.GetBy()))
	}
}

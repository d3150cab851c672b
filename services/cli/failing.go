package cli

import (
	"context"
	"fmt"
	"io"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

type failingCmd struct {
	output
	connection
}

func (failingCmd) Help() string {
	return `A contact is failing from the first mail that comes back for good until its address is changed, or confirmed anew with a later verified_on: see to both with a contacts file and directory import. Until then another contact of the same role is used where there is one.

The code is the other mail system's: 5.1.1 no such mailbox, 5.2.2 mailbox full, 5.7.1 not allowed to send there.`
}

func (c *failingCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Failing, &ledgerv1.FailingRequest{},
		func(w io.Writer, r *ledgerv1.FailingResponse) error {
			return printFailing(e, r.GetContacts())
		})
}

func printFailing(e *env, contacts []*ledgerv1.FailingContact) error {
	if len(contacts) == 0 {
		fmt.Fprintln(e.Out, "No contact's mail comes back.")
		return nil
	}
	t := newTable(e.Out, "SINCE", "LAST", "CONTACT", "ROLE", "ORGANISATION", "CODE", "BOUNCES", "NOTICE")
	for _, f := range contacts {
		t.row(minute(f.GetSinceMs()), minute(f.GetLastMs()), f.GetContact(), f.GetRole(), f.GetOrganisation(), orDash(f.GetCode()),
			fmt.Sprint(f.GetBounces()), f.GetNotice())
	}
	return t.flush()
}

// returnedLine says what came back after a send, in words.
func returnedLine(r *ledgerv1.Returned) line {
	what, detail := "", fmt.Sprintf("attempt %d", r.GetAttempt())
	switch r.GetKind() {
	case ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT:
		what, detail = "came back", detail+", not delivered"
	case ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT:
		what, detail = "delayed", detail+", the mail system goes on trying"
	case ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED:
		what, detail = "in the mailbox", detail+", says the mail system; nobody has read it for that"
	case ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY:
		what, detail = "automatic reply", detail+", the notice stays where it is"
		if r.GetMovesOn() {
			detail = fmt.Sprintf("attempt %d, goes on to the next contact", r.GetAttempt())
		}
	case ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN, ledgerv1.ReturnKind_RETURN_KIND_UNSPECIFIED:
		what, detail = "something came back", detail+", changes nothing"
	}
	if r.GetCode() != "" {
		detail += ", " + r.GetCode()
	}
	return line{what, noticeText(r.GetNotice()), detail}
}

package cli

import (
	"context"
	"fmt"
	"io"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
	taskv1 "github.com/signalbox-hq/signalbox/api/signalbox/task/v1"
)

type withdrawCmd struct {
	Agency string `required:"" placeholder:"ID" help:"The agency that published it."`
	Event  string `required:"" placeholder:"ID" help:"The event's id, as it was published."`
	Reason string `required:"" placeholder:"TEXT" help:"Why, in words, up to 2000 characters. Kept apart from the ledger, where it can be erased."`
	Code   string `default:"other" placeholder:"CODE" enum:"wrong_person,wrong_child,published_in_error,other" help:"Why, as a code: wrong_person, wrong_child, published_in_error or other (the default)."`
	output
	connection
}

func (withdrawCmd) Help() string {
	return `Nothing more is sent of the event: what was held or waiting ends, links die, nobody is chased. Where somebody may have it already, a task asks the publisher's desk what to do about that, within the time for a data breach; nobody is asked to delete anything before that task is resolved so. An agency withdraws its own events, an operator any.

A correction of the event stands: withdraw that as well. What was withdrawn by mistake is published anew, under an id of its own.

    signalbox withdraw --agency northshire-police --event inc-2026-000123 --code wrong_child --reason "The officer's form had the wrong child."`
}

func (c *withdrawCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, intakev1.NewIntakeServiceClient, intakev1.IntakeServiceClient.Withdraw, &intakev1.WithdrawRequest{
		Agency: c.Agency, Event: c.Event, Code: c.Code, Reason: c.Reason,
	}, printWithdrawn)
}

func printWithdrawn(w io.Writer, r *intakev1.WithdrawResponse) error {
	text := "The event is withdrawn: nothing of it was still to be sent or acknowledged.\n"
	if r.GetEnded() > 0 {
		text = fmt.Sprintf("The event is withdrawn: %s ended with it.\n", plural(r.GetEnded(), "notice", "notices"))
	}
	if r.GetTask() != "" {
		text += fmt.Sprintf("Somebody may have %s of it. See who, and say what is to be done: signalbox task show %s\n",
			plural(r.GetMayHaveArrived(), "notice", "notices"), r.GetTask())
	}
	if r.GetCorrectionStands() {
		text += "A later event corrects it and stands: withdraw that as well if it is to be taken back.\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// printHolders says who may have what went astray.
func printHolders(w io.Writer, holders []*taskv1.Holder) error {
	if len(holders) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w, "\nWho may have it:"); err != nil {
		return err
	}
	t := newTable(w, "NOTICE", "ORGANISATION", "CONTACT", "BY", "SENT", "ARRIVED", "SEEN", "ASKED TO DELETE")
	for _, h := range holders {
		seen := "not opened"
		switch {
		case h.GetAcknowledged():
			seen = "acknowledged"
		case h.GetRead():
			seen = "read"
		case h.GetForm() == "full":
			seen = "may have been read"
		}
		asked := "no"
		if h.GetRequest() != "" {
			asked = h.GetRequestState() + " (" + h.GetRequest() + ")"
		}
		by := h.GetChannel()
		if h.GetForm() != "" {
			by += ", " + formText(h.GetForm())
		}
		who := h.GetRole()
		if h.GetContact() != "" {
			who = h.GetContact() + " (" + h.GetRole() + ")"
		}
		t.row(h.GetNotice(), organisationText(h), who, by, minute(h.GetSentMs()), h.GetOutcome(), seen, asked)
	}
	return t.flush()
}

// organisationText names a holder's organisation, with the id that --except takes.
func organisationText(h *taskv1.Holder) string {
	if name := h.GetOrganisationName(); name != "" && name != h.GetOrganisation() {
		return name + " (" + h.GetOrganisation() + ")"
	}
	return h.GetOrganisation()
}

// formText says how much of a notice a send carried.
func formText(form string) string {
	switch form {
	case "full":
		return "in full"
	case "stub":
		return "a link"
	default:
		return form
	}
}

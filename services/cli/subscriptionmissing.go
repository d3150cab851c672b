package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
)

type subscriptionMissingCmd struct {
	ID string `arg:"" help:"The subscription to the list."`
	output
	connection
}

func (subscriptionMissingCmd) Help() string {
	return `The children of the area who are missing, in police protection or detained, or were since the last list, as things stand now. The list of each day that the policy sets lies in the inbox: signalbox inbox read. That it was shown is recorded.

    signalbox subscription missing SUBSCRIPTION`
}

func (c *subscriptionMissingCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, subscriptionv1.NewSubscriptionServiceClient, subscriptionv1.SubscriptionServiceClient.Whereabouts,
		&subscriptionv1.WhereaboutsRequest{Subscription: c.ID},
		func(w io.Writer, r *subscriptionv1.WhereaboutsResponse) error {
			fmt.Fprintf(w, "Area %s, from %s to %s.\n", r.GetList().GetArea(), clockOf(r.GetList().GetSince()), clockOf(r.GetList().GetAsOf()))
			return printList(w, r.GetList())
		})
}

// printList prints who is on a list, how it stands with each, and what not to do with it.
func printList(w io.Writer, l *noticev1.WhereaboutsList) error {
	if len(l.GetEntries()) == 0 {
		_, err := fmt.Fprintln(w, "No child to be told of is known to have been missing, in police protection or detained.")
		return err
	}
	t := newTable(w, "WHAT", "CHILD", "BORN", "FROM", "UNTIL", "REPORTED BY", "REFERENCE", "RETURN INTERVIEW")
	for _, x := range l.GetEntries() {
		e := &ledgerv1.Episode{
			Kind: x.GetKind(), BeganMs: msOf(x.GetBegan()), EndedMs: msOf(x.GetEnded()), EndsByMs: msOf(x.GetEndsBy()),
			Interview: x.GetInterview(), InterviewMs: msOf(x.GetInterviewAt()),
		}
		t.row(enumName(e.GetKind(), "EPISODE_KIND_"), plain(nameText(x.GetName())), orDash(x.GetDateOfBirth()), since(e), until(e, msOf(l.GetAsOf())),
			x.GetAgency(), plain(x.GetReference()), returnInterview(e))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, strings.Join(append([]string{l.GetBasis()}, l.GetDoNot()...), "\n"))
	return err
}

func nameText(n *eventv1.Name) string {
	name := strings.TrimSpace(n.GetGiven() + " " + n.GetFamily())
	if n.GetKnownAs() != "" {
		name += " (known as " + n.GetKnownAs() + ")"
	}
	return cmp.Or(name, "-")
}

// msOf is an instant in Unix milliseconds, 0 where there is none.
func msOf(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMilli()
}

func clockOf(t *timestamppb.Timestamp) string { return minute(msOf(t)) }

func listedLine(f *ledgerv1.WhereaboutsListed) line {
	detail := listed("of "+f.GetAgency(), "as of "+minute(f.GetAsOfMs()), "basis "+f.GetBasis())
	if f.GetListing() == ledgerv1.Listing_LISTING_SHOWN {
		return line{"list shown", "subscription " + f.GetSubscription(), detail + "; " + plural(int64(len(f.GetShown())), "entry", "entries")}
	}
	return line{"list in the inbox", "subscription " + f.GetSubscription(), detail}
}

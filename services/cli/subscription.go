package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	subscriptionv1 "github.com/signalbox-hq/signalbox/api/signalbox/subscription/v1"
)

type subscriptionCmd struct {
	Request subscriptionRequestCmd `cmd:"" help:"Ask to be told, as an agency."`
	Grant   subscriptionGrantCmd   `cmd:"" help:"Record the basis of what an agency asked for, as an operator."`
	End     subscriptionEndCmd     `cmd:"" help:"End a subscription, or turn a request down."`
	List    subscriptionListCmd    `cmd:"" help:"List subscriptions: an agency's own, for operators every one."`
	Missing subscriptionMissingCmd `cmd:"" help:"Show the list of children missing, in police protection or in custody, as an agency that subscribes to it."`
}

func (subscriptionCmd) Help() string {
	return `An agency asks; an operator grants, on a lawful basis, until an instant. What comes of it lies in the agency's inbox: signalbox inbox read. At that instant it ends.

    signalbox subscription request --kind conference.concluded --area E09000901 --purpose "Health visitors of the borough."
    signalbox subscription list
    signalbox subscription grant SUBSCRIPTION --basis children_act_2004_s10 --authoriser "Head of Safeguarding" --until 2027-11-01T00:00:00Z --review-on 2027-05-01
    signalbox subscription end SUBSCRIPTION`
}

type subscriptionRequestCmd struct {
	Kind       []string `placeholder:"KIND" help:"Kind of event, such as conference.concluded; may be given several times. Else every kind that subscribers are told of."`
	Area       string   `placeholder:"GSS" help:"Children who live in this local authority or police area."`
	List       bool     `help:"The list of children missing, in police protection or in custody: who live in --area, whom its authority looks after, or of whom it was reported there. With --area alone."`
	Given      string   `placeholder:"NAME" help:"Of one child: the given names; with --family and --born."`
	Family     string   `placeholder:"NAME" help:"Of one child: the family name."`
	Born       string   `placeholder:"YYYY-MM-DD" help:"Of one child: the date of birth."`
	Identifier []string `placeholder:"SCHEME=VALUE" help:"Of one child: an identifier, such as nhs=9990000018; may be given several times."`
	Publisher  string   `placeholder:"AGENCY" help:"Of one matter: the agency that publishes; with --reference."`
	Reference  string   `placeholder:"TEXT" help:"Of one matter: that agency's reference."`
	Purpose    string   `required:"" placeholder:"TEXT" help:"Why: what the organisation does for the child, or in the area."`
	output
	connection
}

func (c *subscriptionRequestCmd) request() (*subscriptionv1.RequestRequest, error) {
	req := &subscriptionv1.RequestRequest{Kinds: c.Kind, Area: c.Area, List: c.List, Purpose: c.Purpose}
	if c.Given+c.Family+c.Born != "" || len(c.Identifier) > 0 {
		req.Child = &directoryv1.SubscribedChild{Given: c.Given, Family: c.Family, DateOfBirth: c.Born}
	}
	for _, text := range c.Identifier {
		scheme, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usagef("--identifier is SCHEME=VALUE, such as nhs=9990000018")
		}
		req.Child.Identifiers = append(req.Child.Identifiers, &directoryv1.Identifier{Scheme: scheme, Value: value})
	}
	if c.Publisher+c.Reference != "" {
		req.Matter = &directoryv1.Matter{Agency: c.Publisher, Reference: c.Reference}
	}
	return req, nil
}

func (c *subscriptionRequestCmd) Run(ctx context.Context, e *env) error {
	req, err := c.request()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, subscriptionv1.NewSubscriptionServiceClient, subscriptionv1.SubscriptionServiceClient.Request, req,
		func(w io.Writer, r *subscriptionv1.RequestResponse) error {
			_, err := fmt.Fprintf(w, "Asked for, as %s. Nothing is told by it until an operator grants it; your inbox says when.\n", r.GetId())
			return err
		})
}

type subscriptionGrantCmd struct {
	ID         string `arg:"" help:"The subscription that was asked for."`
	Basis      string `required:"" placeholder:"CODE" help:"Lawful basis: one that a rule of the policy tells subscribers on."`
	Authoriser string `required:"" placeholder:"POST" help:"Who authorised it: a post, not a name."`
	Until      string `required:"" placeholder:"INSTANT" help:"It ends at this instant, RFC 3339: 2027-11-01T00:00:00Z."`
	From       string `placeholder:"INSTANT" help:"It counts from then on, RFC 3339. Else from now."`
	ReviewOn   string `required:"" placeholder:"YYYY-MM-DD" help:"The day on which somebody looks at it again."`
	Child      string `placeholder:"ID" help:"The child's id in the directory, where several may be meant."`
	output
	connection
}

func (c *subscriptionGrantCmd) Run(ctx context.Context, e *env) error {
	req := &subscriptionv1.GrantRequest{Id: c.ID, Basis: c.Basis, Authoriser: c.Authoriser, ReviewOn: c.ReviewOn, Child: c.Child}
	for _, given := range []struct {
		flag, text string
		into       **timestamppb.Timestamp
	}{{"--from", c.From, &req.From}, {"--until", c.Until, &req.Until}} {
		if given.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, given.text)
		if err != nil {
			return usagef("%s is an instant with its offset, such as 2027-11-01T00:00:00Z", given.flag)
		}
		*given.into = timestamppb.New(at)
	}
	return ask(ctx, e, c, subscriptionv1.NewSubscriptionServiceClient, subscriptionv1.SubscriptionServiceClient.Grant, req,
		func(w io.Writer, r *subscriptionv1.GrantResponse) error {
			s := r.GetSubscription()
			_, err := fmt.Fprintf(w, "Granted: %s, from %s until %s.\n", subscriptionText(s), minute(s.GetFromMs()), minute(s.GetUntilMs()))
			return err
		})
}

type subscriptionEndCmd struct {
	ID string `arg:"" help:"The subscription."`
	output
	connection
}

func (c *subscriptionEndCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, subscriptionv1.NewSubscriptionServiceClient, subscriptionv1.SubscriptionServiceClient.End, &subscriptionv1.EndRequest{Id: c.ID},
		func(w io.Writer, _ *subscriptionv1.EndResponse) error {
			_, err := fmt.Fprintln(w, "Ended: nothing more is told by it.")
			return err
		})
}

type subscriptionListCmd struct {
	Agency string `placeholder:"ID" help:"Of this agency. An operator sees every agency's without it, an agency its own."`
	All    bool   `help:"Also those that have ended."`
	output
	connection
}

func (c *subscriptionListCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, subscriptionv1.NewSubscriptionServiceClient, subscriptionv1.SubscriptionServiceClient.List, &subscriptionv1.ListRequest{Agency: c.Agency, All: c.All},
		func(w io.Writer, r *subscriptionv1.ListResponse) error { return printSubscriptions(w, r.GetItems()) })
}

func printSubscriptions(w io.Writer, items []*subscriptionv1.Item) error {
	if len(items) == 0 {
		_, err := fmt.Fprintln(w, "No subscription.")
		return err
	}
	t := newTable(w, "SUBSCRIPTION", "AGENCY", "STATE", "OF", "BASIS", "UNTIL", "REVIEW")
	for _, item := range items {
		s := item.GetSubscription()
		until, review := "-", orDash(s.GetReviewOn())
		if s.GetUntilMs() != 0 {
			until = minute(s.GetUntilMs())
		}
		if item.GetReviewDue() {
			review += ", DUE"
		}
		t.row(s.GetId(), s.GetAgency(), item.GetState(), subscribedText(s), orDash(s.GetBasis()), until, review)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, item := range items {
		if s := item.GetSubscription(); s.GetPurpose() != "" && s.GetGrantedBy() == "" {
			fmt.Fprintf(w, "%s is asked for because: %s\n", s.GetId(), plain(s.GetPurpose()))
		}
	}
	return nil
}

// subscriptionText is a subscription in one line.
func subscriptionText(s *directoryv1.Subscription) string {
	return listed(s.GetAgency(), subscribedText(s), cmp.Or(s.GetBasis(), "NOT GRANTED: gets nothing"))
}

// subscribedText is what a subscription is about.
func subscribedText(s *directoryv1.Subscription) string {
	child := orNothing("child ", s.GetChild())
	if d := s.GetDescribed(); d != nil {
		child = "child " + d.GetGiven() + " " + d.GetFamily() + ", born " + d.GetDateOfBirth()
	}
	matter := ""
	if m := s.GetMatter(); m != nil {
		matter = "matter " + m.GetReference() + " of " + m.GetAgency()
	}
	if s.GetList() {
		return listed("list of children missing", orNothing("area ", s.GetArea()))
	}
	return listed(cmp.Or(strings.Join(s.GetKinds(), ", "), "every kind"), orNothing("area ", s.GetArea()), child, matter)
}

func subscriptionLine(c *ledgerv1.SubscriptionChanged) line {
	detail := listed("of "+c.GetAgency(), "basis "+c.GetBasis(), "until "+minute(c.GetUntilMs()), orNothing("by ", c.GetBy()))
	what := "subscribed"
	switch c.GetState() {
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_EXPIRED:
		what = "basis over"
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_ENDED:
		what = "unsubscribed"
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_NARROWED:
		what = "covers less"
	case ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN, ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_UNSPECIFIED:
	}
	if n := len(c.GetNotices()); n > 0 {
		detail += "; " + plural(int64(n), "notice", "notices") + " ended by it"
	}
	return line{what, "subscription " + c.GetSubscription(), detail}
}

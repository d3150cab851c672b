package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

type searchCmd struct {
	Reference    string   `placeholder:"REF" help:"As it stands on the notice, or its beginning: 0K3V-9Q2M-7X4B."`
	Agency       string   `placeholder:"ID" help:"Told of an event of this agency."`
	Organisation string   `placeholder:"ID" help:"For this organisation or setting."`
	Kind         string   `placeholder:"KIND" help:"Told of this kind of event, such as encompass.incident."`
	State        []string `placeholder:"STATE" help:"In one of these states: held, ready, sending, waiting, stopped, awaiting, with-person, acknowledged, delivered, superseded, closed, withdrawn."`
	Child        string   `placeholder:"ID" help:"About this child: its id in the directory."`
	Contact      string   `placeholder:"ID" help:"Sent to this contact."`
	Rule         string   `placeholder:"ID" help:"Caused by this rule of the policy."`
	Lane         string   `placeholder:"LANE" help:"urgent, high or routine."`
	DecidedFrom  string   `placeholder:"TIME" help:"Decided at or after: 2026-11-03, or '2026-11-03 21:15', UK time."`
	DecidedUntil string   `placeholder:"TIME" help:"Decided before."`
	DueFrom      string   `placeholder:"TIME" help:"Due at or after."`
	DueUntil     string   `placeholder:"TIME" help:"Due before."`
	Open         bool     `help:"Only those without an end."`
	Late         bool     `help:"Only those that nobody had at their due time."`
	Limit        uint32   `placeholder:"N" default:"50" help:"How many at most, up to 500; else 50."`
	Cursor       string   `placeholder:"CURSOR" help:"Go on after the page before, which gave it."`
	output
	connection
}

func (searchCmd) Help() string {
	return `The newest first. What is left out does not matter. For example:

    signalbox ledger search --reference 0K3V-9Q2M-7X4B
    signalbox ledger search --organisation gias:900101 --open
    signalbox ledger search --late --due-from 2026-11-02 --due-until 2026-11-09

Then 'signalbox ledger timeline --notice ID' says what happened to one.`
}

func (c *searchCmd) request() (*ledgerv1.SearchRequest, error) {
	r := &ledgerv1.SearchRequest{
		Reference: c.Reference, Agency: c.Agency, Organisation: c.Organisation, Kind: c.Kind, Child: c.Child, Contact: c.Contact, Rule: c.Rule,
		Open: c.Open, Late: c.Late, PageSize: c.Limit, Cursor: c.Cursor,
	}
	for _, text := range c.State {
		number, ok := ledgerv1.NoticeState_value["NOTICE_STATE_"+enumText(text)]
		if !ok || number == 0 {
			return nil, usagef("--state must be one of: %s", strings.Join(stateNames(), ", "))
		}
		r.States = append(r.States, ledgerv1.NoticeState(number))
	}
	if c.Lane != "" {
		number, ok := ledgerv1.Lane_value["LANE_"+enumText(c.Lane)]
		if !ok || number == 0 {
			return nil, usagef("--lane must be urgent, high or routine")
		}
		r.Lane = ledgerv1.Lane(number)
	}
	for _, at := range []struct {
		flag, text string
		ms         *int64
	}{
		{"--decided-from", c.DecidedFrom, &r.DecidedFromMs}, {"--decided-until", c.DecidedUntil, &r.DecidedUntilMs},
		{"--due-from", c.DueFrom, &r.DueFromMs}, {"--due-until", c.DueUntil, &r.DueUntilMs},
	} {
		if at.text == "" {
			continue
		}
		when, ok := ukTime(at.text)
		if !ok {
			return nil, usagef("%s must be a time such as 2026-11-03 or '2026-11-03 21:15' (UK time)", at.flag)
		}
		*at.ms = when.UnixMilli()
	}
	return r, nil
}

func enumText(text string) string { return strings.ToUpper(strings.ReplaceAll(text, "-", "_")) }

func stateNames() []string {
	var names []string
	for number, name := range ledgerv1.NoticeState_name {
		if number != 0 {
			names = append(names, strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "NOTICE_STATE_")), "_", "-"))
		}
	}
	slices.Sort(names)
	return names
}

// ukTime reads a day, or a minute of it, by the clocks of the UK.
func ukTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, directory.London()); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (c *searchCmd) Run(ctx context.Context, e *env) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Search, request, printFound)
}

func printFound(w io.Writer, r *ledgerv1.SearchResponse) error {
	if len(r.GetNotices()) == 0 {
		_, err := fmt.Fprintln(w, "No notice matches.")
		return err
	}
	t := newTable(w, "DECIDED", "REFERENCE", "FOR", "KIND", "STATE", "DUE", "SENT TO", "NOTICE")
	for _, n := range r.GetNotices() {
		state := enumName(n.GetState(), "NOTICE_STATE_")
		if n.GetLateMs() != 0 {
			state += ", late"
		}
		t.row(minute(n.GetDecidedMs()), n.GetReference(), n.GetOrganisation(), n.GetKind(), state, minute(n.GetDueMs()), orDash(n.GetContact()),
			n.GetNotice())
	}
	if err := t.flush(); err != nil || r.GetNext() == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "There are more: the same again with --cursor %s\n", plain(r.GetNext()))
	return err
}

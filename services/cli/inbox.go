package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	inboxv1 "github.com/signalbox-hq/signalbox/api/signalbox/inbox/v1"
	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type inboxCmd struct {
	Read        inboxReadCmd        `cmd:"" help:"Print what lies in the inbox, oldest first."`
	Confirm     inboxConfirmCmd     `cmd:"" help:"Say that everything up to a cursor is stored."`
	Acknowledge inboxAcknowledgeCmd `cmd:"" help:"Say that a named person has a notice."`
}

func (inboxCmd) Help() string {
	return `Notices that are told by inbox lie there until the agency reads them; so does what became of its subscriptions. Each comes with a cursor. Going on behind a cursor says that everything up to it is stored, which is what ends a notice that nobody has to acknowledge; one that is not confirmed comes again, and by its due time goes on to somebody else.

    signalbox inbox read --follow --cursor-file inbox.cursor
    signalbox inbox acknowledge NOTICE --person "J. Osei"`
}

type inboxReadCmd struct {
	Cursor     string `placeholder:"CURSOR" help:"Go on behind this cursor, and confirm what lies up to it. Else from the beginning."`
	CursorFile string `placeholder:"FILE" help:"Keep the cursor of what was printed in this file, and go on from there."`
	Follow     bool   `help:"Wait for what comes, until interrupted."`
	output
	connection
}

func (c *inboxReadCmd) Run(ctx context.Context, e *env) error {
	cursor, err := c.begin()
	if err != nil {
		return err
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := inboxv1.NewInboxServiceClient(l.conn).Subscribe(ctx, &inboxv1.SubscribeRequest{Cursor: cursor, UntilNow: !c.Follow})
	if err != nil {
		return l.fault(err)
	}
	read := 0
	for ; ; read++ {
		item, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return c.sayEnd(e.Out, read, cursor)
		}
		if err != nil {
			return l.fault(err)
		}
		if err := c.print(e.Out, item); err != nil {
			return err
		}
		cursor = item.GetCursor()
		if err := c.keep(cursor); err != nil {
			return err
		}
	}
}

// begin is the cursor to go on behind.
func (c *inboxReadCmd) begin() (string, error) {
	if c.Cursor != "" && c.CursorFile != "" {
		return "", usagef("give --cursor or --cursor-file, not both")
	}
	if c.CursorFile == "" {
		return c.Cursor, nil
	}
	text, err := os.ReadFile(c.CursorFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", notice.Faultf(notice.Invalid, "cli.inbox", "the cursor cannot be read: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// keep puts the cursor of what was printed on record: a new file takes the place of the old, so that no half of one is left.
func (c *inboxReadCmd) keep(cursor string) error {
	if c.CursorFile == "" {
		return nil
	}
	fresh := c.CursorFile + ".new"
	err := os.WriteFile(fresh, []byte(cursor+"\n"), 0o600)
	if err == nil {
		err = os.Rename(fresh, c.CursorFile)
	}
	if err != nil {
		return notice.Faultf(notice.Invalid, "cli.inbox", "the cursor cannot be kept: %w", err)
	}
	return nil
}

func (c *inboxReadCmd) sayEnd(w io.Writer, read int, cursor string) error {
	switch {
	case c.json(), read > 0 && c.CursorFile != "":
		return nil
	case read == 0:
		_, err := fmt.Fprintln(w, "Nothing new in the inbox.")
		return err
	default:
		_, err := fmt.Fprintf(w, "Once it is stored, go on with --cursor %s\n", cursor)
		return err
	}
}

func (c *inboxReadCmd) print(w io.Writer, item *inboxv1.SubscribeResponse) error {
	if c.json() {
		text, err := marshalJSON(item)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text, '\n'))
		return err
	}
	return printItem(w, item)
}

func printItem(w io.Writer, item *inboxv1.SubscribeResponse) error {
	p := page{w: w}
	at := moment(item.GetAt().AsTime().UnixMilli())
	switch x := item.GetItem().(type) {
	case *inboxv1.SubscribeResponse_Notice:
		n := x.Notice
		p.line(0, "%s  notice %s, %s", at, n.GetId(), n.GetKind())
		p.line(2, "%s", dueText(n))
		sheet := delivery.Lay(n, func(id notice.OrgID) string { return string(id) }, true)
		p.parts(2, sheet)
	case *inboxv1.SubscribeResponse_Gone:
		what := "a list"
		if id := x.Gone.GetNotice(); id != "" {
			what = "notice " + id
		}
		p.line(0, "%s  %s: %s", at, what, goneText(x.Gone.GetReason()))
	case *inboxv1.SubscribeResponse_Subscription:
		s := x.Subscription
		p.line(0, "%s  subscription %s %s", at, s.GetId(), changeText(s))
	case *inboxv1.SubscribeResponse_List:
		l := x.List
		p.line(0, "%s  children missing, in police protection or detained: area %s, from %s to %s, subscription %s", at,
			l.GetArea(), clockOf(l.GetSince()), clockOf(l.GetAsOf()), l.GetSubscription())
		return printList(w, l)
	}
	return nil
}

func dueText(n *noticev1.Notice) string {
	by := minute(n.GetDue().AsTime().UnixMilli())
	if n.GetAcknowledge() {
		return "a person acknowledges it by " + by + ": signalbox inbox acknowledge " + n.GetId() + " --person NAME"
	}
	return "to be read by " + by
}

func goneText(r inboxv1.Reason) string {
	switch r {
	case inboxv1.Reason_REASON_WITHDRAWN:
		return "withdrawn: do not act on it"
	case inboxv1.Reason_REASON_REPLACED:
		return "a newer one stands in its place, further on"
	case inboxv1.Reason_REASON_NOT_FOR_YOU, inboxv1.Reason_REASON_UNSPECIFIED:
	}
	return "no longer for this inbox"
}

func changeText(s *inboxv1.Subscription) string {
	switch s.GetState() {
	case inboxv1.State_STATE_BEGAN:
		return "counts from now on, until " + minute(s.GetUntil().AsTime().UnixMilli())
	case inboxv1.State_STATE_EXPIRED:
		return "counts no more: the time of its basis is over"
	case inboxv1.State_STATE_ENDED, inboxv1.State_STATE_UNSPECIFIED:
	}
	return "counts no more: it was ended"
}

type inboxConfirmCmd struct {
	Cursor string `arg:"" help:"The cursor of the last item that is stored."`
	output
	connection
}

func (c *inboxConfirmCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, inboxv1.NewInboxServiceClient, inboxv1.InboxServiceClient.Confirm, &inboxv1.ConfirmRequest{Cursor: c.Cursor},
		func(w io.Writer, r *inboxv1.ConfirmResponse) error {
			_, err := fmt.Fprintf(w, "Confirmed: %s that nobody had confirmed before.\n", plural(r.GetConfirmed(), "notice", "notices"))
			return err
		})
}

type inboxAcknowledgeCmd struct {
	Notice string `arg:"" help:"The notice's id."`
	Person string `required:"" placeholder:"NAME" help:"Who has it. Kept apart from the ledger, where it can be erased."`
	output
	connection
}

func (c *inboxAcknowledgeCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, inboxv1.NewInboxServiceClient, inboxv1.InboxServiceClient.Acknowledge, &inboxv1.AcknowledgeRequest{Notice: c.Notice, Person: c.Person},
		func(w io.Writer, _ *inboxv1.AcknowledgeResponse) error {
			_, err := fmt.Fprintln(w, "Acknowledged.")
			return err
		})
}

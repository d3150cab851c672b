package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	intakev1 "github.com/signalbox-hq/signalbox/api/signalbox/intake/v1"
)

type feedbackCmd struct {
	After uint64 `placeholder:"CURSOR" default:"0" help:"Only what came after this cursor. The last line says where to go on."`
	Limit uint32 `placeholder:"N" default:"0" help:"At most so many changes, up to 10000. 0 is 1000."`
	output
	connection
}

func (feedbackCmd) Help() string {
	return `Shows, for each child of each event that the agency published: taken in, unmatched (a person is finding out who must be told), told, acknowledged, late; events that were refused; what thin events leave out; and how each day's manifest compares with what was taken in. Never who was told or where.

    signalbox feedback --after 240`
}

func (c *feedbackCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, intakev1.NewIntakeServiceClient, intakev1.IntakeServiceClient.Feedback, &intakev1.FeedbackRequest{After: c.After, Limit: c.Limit}, printFeedback)
}

func printFeedback(w io.Writer, r *intakev1.FeedbackResponse) error {
	if len(r.GetChanges()) == 0 {
		_, err := fmt.Fprintf(w, "Nothing new after cursor %d.\n", r.GetCursor())
		return err
	}
	t := newTable(w, "CURSOR", "WHEN", "EVENT", "CHILD", "STATE")
	for _, change := range r.GetChanges() {
		if refusal := change.GetRejected(); refusal != nil {
			t.row(cursor(refusal.GetCursor()), moment(refusal.GetAt().AsTime().UnixMilli()),
				eventText(refusal.GetEventId(), refusal.GetSequence()), "-", "refused: "+faultsText(refusal.GetFaults()))
			continue
		}
		if c := change.GetCompleteness(); c != nil {
			t.row(cursor(c.GetCursor()), moment(c.GetAt().AsTime().UnixMilli()), eventText(c.GetEventId(), c.GetSequence()), "-", missingText(c.GetMissing()))
			continue
		}
		if m := change.GetManifest(); m != nil {
			t.row(cursor(m.GetCursor()), moment(m.GetAt().AsTime().UnixMilli()), "manifest "+m.GetDay(), "-", manifestText(m))
			continue
		}
		s := change.GetStatus()
		t.row(cursor(s.GetCursor()), moment(s.GetAt().AsTime().UnixMilli()),
			eventText(s.GetEventId(), s.GetSequence()), orDash(s.GetChildRef()), enumName(s.GetState(), "CHILD_STATE_"))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "Go on with --after %d.\n", r.GetCursor())
	return err
}

func cursor(n uint64) string { return strconv.FormatUint(n, 10) }

func eventText(id string, sequence uint64) string {
	if id == "" {
		return fmt.Sprintf("#%d", sequence)
	}
	return id
}

func faultsText(faults []*intakev1.Fault) string {
	all := make([]string, len(faults))
	for i, f := range faults {
		all[i] = f.GetField() + ": " + f.GetMessage()
	}
	return strings.Join(all, "; ")
}

type quarantineCmd struct {
	List quarantineListCmd `cmd:"" help:"List refused events, oldest first, with every fault."`
}

type quarantineListCmd struct {
	Agency string `placeholder:"ID" help:"Of this agency. An operator sees every agency's without it, an agency its own."`
	output
	connection
}

func (c *quarantineListCmd) Run(ctx context.Context, e *env) error {
	return ask(ctx, e, c, intakev1.NewIntakeServiceClient, intakev1.IntakeServiceClient.Quarantine, &intakev1.QuarantineRequest{Agency: c.Agency},
		func(w io.Writer, r *intakev1.QuarantineResponse) error {
			printQuarantine(w, r.GetQuarantined())
			return nil
		})
}

func printQuarantine(w io.Writer, refused []*intakev1.Quarantined) {
	if len(refused) == 0 {
		fmt.Fprintln(w, "No event is in quarantine.")
		return
	}
	for _, q := range refused {
		fmt.Fprintf(w, "%d  %s  %s  %d bytes, %s\n", q.GetSequence(), plain(q.GetAgency()), moment(q.GetAt().AsTime().UnixMilli()),
			q.GetSize(), countFaults(len(q.GetFaults())))
		printFields(w, fieldFaults(q.GetFaults()))
	}
}

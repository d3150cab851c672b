package cli

import (
	"context"
	"fmt"
	"io"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

type missingCmd struct {
	AsOf string `placeholder:"TIME" help:"As it stood then: 2026-11-03, which is the end of that day, or '2026-11-03 09:00', UK time. Else now."`
	Days int32  `placeholder:"N" help:"Days to look back, up to 366; else 14."`
	output
	connection
}

func (missingCmd) Help() string {
	return `The list that a meeting about these children begins with, from what was published: every child who is missing, however long, whoever is detained, and whoever was missing, in police protection or detained in the last fortnight. It names children by their ids; 'signalbox directory show child ID' says who that is. Where none is shown nobody on a roll is certainly the child, or may say so: ask the agency that reported it, by the reference.

    signalbox ledger missing
    signalbox ledger missing --as-of 2026-11-03 --days 28

A detention whose end nobody published reads 'still detained' for the 96 hours that police may hold a child without a charge, and 'no end reported' from then on: ask the force. What was reported after the time that is asked for is left out, so that the list of a day stays as it was.`
}

func (c *missingCmd) request() (*ledgerv1.WhereaboutsRequest, error) {
	r := &ledgerv1.WhereaboutsRequest{Days: c.Days}
	if c.AsOf == "" {
		return r, nil
	}
	at, ok := ukTime(c.AsOf)
	if !ok {
		return nil, usagef("--as-of must be a time such as 2026-11-03 or '2026-11-03 09:00' (UK time)")
	}
	if len(c.AsOf) == len("2006-01-02") {
		at = at.AddDate(0, 0, 1)
	}
	r.AsOfMs = at.UnixMilli()
	return r, nil
}

func (c *missingCmd) Run(ctx context.Context, e *env) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(ctx, e, c, ledgerv1.NewLedgerServiceClient, ledgerv1.LedgerServiceClient.Whereabouts, request, printEpisodes)
}

func printEpisodes(w io.Writer, r *ledgerv1.WhereaboutsResponse) error {
	fmt.Fprintf(w, "From %s to %s.\n", minute(r.GetSinceMs()), minute(r.GetAsOfMs()))
	if n := r.GetErased(); n > 0 {
		fmt.Fprintf(w, "%s erased: what they told of is not in this list.\n", plural(int64(n), "report was", "reports were"))
	}
	if len(r.GetEpisodes()) == 0 {
		_, err := fmt.Fprintln(w, "No child is known to have been missing, in police protection or detained.")
		return err
	}
	t := newTable(w, "WHAT", "FROM", "UNTIL", "CHILD", "REPORTED BY", "REFERENCE", "LIVES IN", "LOOKED AFTER BY", "RETURN INTERVIEW")
	for _, e := range r.GetEpisodes() {
		t.row(enumName(e.GetKind(), "EPISODE_KIND_"), since(e), until(e, r.GetAsOfMs()), orDash(e.GetChild()), e.GetAgency(), e.GetReference(),
			orDash(e.GetResidenceArea()), orDash(e.GetLookedAfterBy()), returnInterview(e))
	}
	return t.flush()
}

// since says when an episode began, where that is known.
func since(e *ledgerv1.Episode) string {
	if e.GetBeganMs() == 0 {
		return "not reported"
	}
	return minute(e.GetBeganMs())
}

// until says when an episode ended, or what was known of that as of an instant.
func until(e *ledgerv1.Episode, asOf int64) string {
	custody := e.GetKind() == ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY
	switch {
	case e.GetEndedMs() != 0:
		return minute(e.GetEndedMs())
	case custody && e.GetEndsByMs() > asOf:
		return "still detained"
	case !custody && e.GetEndsByMs() != 0:
		return "by " + minute(e.GetEndsByMs())
	case e.GetKind() == ledgerv1.EpisodeKind_EPISODE_KIND_MISSING:
		return "still missing"
	default:
		return "no end reported"
	}
}

func returnInterview(e *ledgerv1.Episode) string {
	switch e.GetInterview() {
	case ledgerv1.Interview_INTERVIEW_DUE:
		return "due by " + minute(e.GetInterviewMs())
	case ledgerv1.Interview_INTERVIEW_OVERDUE:
		return "OVERDUE since " + minute(e.GetInterviewMs())
	case ledgerv1.Interview_INTERVIEW_HELD:
		return "held " + minute(e.GetInterviewMs())
	case ledgerv1.Interview_INTERVIEW_DECLINED:
		return "declined " + minute(e.GetInterviewMs())
	case ledgerv1.Interview_INTERVIEW_UNSPECIFIED:
	}
	return "-"
}

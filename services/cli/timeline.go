package cli

import (
	"fmt"
	"io"
	"strings"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// printTimeline writes a line for each fact.
func printTimeline(w io.Writer, facts []*ledgerv1.Fact) error {
	if len(facts) == 0 {
		_, err := fmt.Fprintln(w, "The ledger has no fact about it.")
		return err
	}
	t := newTable(w, "WHEN", "WHAT", "ABOUT", "DETAIL")
	for _, f := range facts {
		l := factLine(f)
		t.row(moment(f.GetAtMs()), l.what, orDash(l.about), l.detail)
	}
	return t.flush()
}

// line is a fact in words: what happened, to which notice, task or lineage, and what else there is to say.
type line struct{ what, about, detail string }

func factLine(f *ledgerv1.Fact) line {
	switch f := f.GetFact().(type) {
	case *ledgerv1.Fact_Led:
		return line{"took the lead", "", fmt.Sprintf("instance %s, epoch %d", f.Led.GetInstance(), f.Led.GetEpoch())}
	case *ledgerv1.Fact_EventAccepted:
		return acceptedLine(f.EventAccepted)
	case *ledgerv1.Fact_EventRefused:
		return line{"event refused", sourceText(f.EventRefused.GetSource()),
			fmt.Sprintf("%s, quarantine %d", countFaults(int(f.EventRefused.GetFaults())), f.EventRefused.GetQuarantine())}
	case *ledgerv1.Fact_EventRepeated:
		return line{"event repeated", sourceText(f.EventRepeated.GetSource()), "changes nothing"}
	case *ledgerv1.Fact_Decided:
		return decidedLine(f.Decided)
	case *ledgerv1.Fact_AttemptStarted:
		return startedLine(f.AttemptStarted)
	case *ledgerv1.Fact_AttemptFinished:
		return finishedLine(f.AttemptFinished)
	case *ledgerv1.Fact_Returned:
		return returnedLine(f.Returned)
	case *ledgerv1.Fact_Replayed:
		return replayedLine(f.Replayed)
	case *ledgerv1.Fact_ToldByTelephone:
		return calledLine(f.ToldByTelephone)
	case *ledgerv1.Fact_Escalated:
		return line{"moved on", noticeText(f.Escalated.GetNotice()), fmt.Sprintf("to step %d: %s", f.Escalated.GetLink()+1, f.Escalated.GetReason())}
	case *ledgerv1.Fact_Late:
		return line{"late", noticeText(f.Late.GetNotice()), "its due time came and nobody had it"}
	case *ledgerv1.Fact_CodeSent:
		return line{"code sent", noticeText(f.CodeSent.GetNotice()), "to " + f.CodeSent.GetContact()}
	case *ledgerv1.Fact_NoticeRead:
		return line{"read", noticeText(f.NoticeRead.GetNotice()), "by " + f.NoticeRead.GetContact()}
	case *ledgerv1.Fact_Acknowledged:
		return acknowledgedLine(f.Acknowledged)
	case *ledgerv1.Fact_Replied:
		return repliedLine(f.Replied)
	case *ledgerv1.Fact_NotAtSetting:
		return line{"not at setting", noticeText(f.NotAtSetting.GetNotice()), "says " + f.NotAtSetting.GetBy()}
	case *ledgerv1.Fact_TaskOpened:
		return taskLine(f.TaskOpened)
	case *ledgerv1.Fact_TaskRead:
		return line{"task shown", taskText(f.TaskRead.GetTask()), fmt.Sprintf("to %s, as %s", f.TaskRead.GetBy(), f.TaskRead.GetView())}
	case *ledgerv1.Fact_TaskClaimed:
		return line{"task claimed", taskText(f.TaskClaimed.GetTask()), "by " + f.TaskClaimed.GetBy()}
	case *ledgerv1.Fact_TaskResolved:
		return resolvedLine(f.TaskResolved)
	case *ledgerv1.Fact_TaskEscalated:
		t := f.TaskEscalated
		return line{"task moved on", taskText(t.GetTask()), fmt.Sprintf("to %s of %s, due %s", t.GetRole(), t.GetOrganisation(), minute(t.GetDueMs()))}
	case *ledgerv1.Fact_EventWithdrawn:
		w := f.EventWithdrawn
		return line{"event withdrawn", "agency " + w.GetAgency(), fmt.Sprintf("by %s: %s", w.GetBy(), words(w.GetReason()))}
	case *ledgerv1.Fact_SubscriptionChanged:
		return subscriptionLine(f.SubscriptionChanged)
	case *ledgerv1.Fact_WhereaboutsListed:
		return listedLine(f.WhereaboutsListed)
	case *ledgerv1.Fact_ClockConfirmed:
		return line{"clock confirmed", "", fmt.Sprintf("of instance %s, by %s", f.ClockConfirmed.GetInstance(), f.ClockConfirmed.GetBy())}
	case *ledgerv1.Fact_Stopped:
		return line{"sending stopped", stopText(f.Stopped.GetScope(), f.Stopped.GetTarget()), "by " + f.Stopped.GetBy()}
	case *ledgerv1.Fact_Resumed:
		return line{"sending resumed", stopText(f.Resumed.GetScope(), f.Resumed.GetTarget()), "by " + f.Resumed.GetBy()}
	case *ledgerv1.Fact_HeldBack:
		return line{"held back", noticeText(f.HeldBack.GetNotice()), "sending is stopped: " + stopText(f.HeldBack.GetScope(), f.HeldBack.GetTarget())}
	case *ledgerv1.Fact_ManifestTaken:
		return manifestTakenLine(f.ManifestTaken)
	case *ledgerv1.Fact_ManifestCompared:
		return manifestComparedLine(f.ManifestCompared)
	default:
		return line{what: "something else", detail: "a kind of fact that this program does not know: it is older than the service"}
	}
}

func sourceText(s *ledgerv1.Source) string {
	return fmt.Sprintf("%s/%d", s.GetAgency(), s.GetSequence())
}

func noticeText(id string) string { return "notice " + id }

func taskText(id string) string { return "task " + id }

func acceptedLine(a *ledgerv1.EventAccepted) line {
	detail := a.GetKind() + ", reported " + minute(a.GetTimeMs())
	if a.GetSupersedes() != "" {
		detail += ", corrects an earlier one"
	}
	if a.GetOvertaken() {
		detail += ", its correction came first: not routed"
	}
	if a.GetReportedBy() != "" {
		detail += ", reported by hand by " + a.GetReportedBy()
	}
	return line{"event accepted", sourceText(a.GetSource()), detail}
}

func decidedLine(d *ledgerv1.Decision) line {
	parts := []string{
		fmt.Sprintf("round %d (%s)", d.GetRound(), enumName(d.GetCause(), "CAUSE_")),
		plural(int64(len(d.GetNotices())), "notice", "notices"),
	}
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	add(len(d.GetKept()), "kept")
	add(len(d.GetSuperseded()), "superseded")
	add(len(d.GetEnded()), "told of its end instead")
	add(len(d.GetConsidered()), "considered and not told")
	add(len(d.GetGaps()), "not met")
	add(len(d.GetTasks()), "for people to do")
	add(len(d.GetContributions()), "before term")
	if needs := needsText(d.GetLacks()); needs != "" {
		parts = append(parts, "left out: "+needs)
	}
	for _, n := range d.GetNotices() {
		part := fmt.Sprintf("%s tells %s by %s", n.GetId(), n.GetOrganisation(), minute(n.GetDueMs()))
		if n.GetLaneBecause() != "" {
			part += fmt.Sprintf(", %s because %s", enumName(n.GetLane(), "LANE_"), n.GetLaneBecause())
		}
		if n.GetRepeats() != "" {
			part += ", again after " + n.GetRepeats()
		}
		parts = append(parts, part)
	}
	return line{"decided", "lineage " + d.GetLineage(), strings.Join(parts, "; ")}
}

func startedLine(a *ledgerv1.AttemptStarted) line {
	detail := fmt.Sprintf("attempt %d, to %s (%s of %s), by %s, %s", a.GetAttempt(), a.GetContact(), a.GetRole(), a.GetOrganisation(), a.GetChannel(), formText(a.GetForm()))
	if a.GetPossibleDuplicate() {
		detail += ", marked as a possible duplicate"
	}
	for _, over := range a.GetPassedOver() {
		detail += fmt.Sprintf("; passed over: %s, %s", over.GetContact(), over.GetReason())
	}
	return line{"send begun", noticeText(a.GetNotice()), detail}
}

func finishedLine(a *ledgerv1.AttemptFinished) line {
	detail := fmt.Sprintf("attempt %d", a.GetAttempt())
	if a.GetDetail() != "" {
		detail += ", " + a.GetDetail()
	}
	what := ""
	switch a.GetOutcome() {
	case ledgerv1.Outcome_OUTCOME_DELIVERED:
		what = "delivered"
	case ledgerv1.Outcome_OUTCOME_TRANSIENT:
		what = "send failed"
	case ledgerv1.Outcome_OUTCOME_PERMANENT:
		what = "send refused"
	case ledgerv1.Outcome_OUTCOME_UNKNOWN, ledgerv1.Outcome_OUTCOME_UNSPECIFIED:
		what = "send unclear"
	}
	if a.GetRetryMs() > 0 {
		detail += ", again from " + moment(a.GetRetryMs())
	}
	return line{what, noticeText(a.GetNotice()), detail}
}

func taskLine(t *ledgerv1.Task) line {
	return line{"task opened", taskText(t.GetId()), fmt.Sprintf("%s of %s, due %s: %s",
		t.GetRole(), t.GetOrganisation(), minute(t.GetDueMs()), taskAsk(t.GetKind()))}
}

func resolvedLine(t *ledgerv1.TaskResolved) line {
	detail := fmt.Sprintf("%s, by %s", words(t.GetResolution()), t.GetBy())
	if t.GetChild() != "" {
		detail += ", child " + t.GetChild()
	}
	if len(t.GetExcept()) > 0 {
		detail += ", but not " + strings.Join(t.GetExcept(), ", ")
	}
	if len(t.GetSettings()) > 0 {
		detail += ", " + strings.Join(t.GetSettings(), ", ")
	}
	return line{"task resolved", taskText(t.GetTask()), detail}
}

func acknowledgedLine(a *ledgerv1.Acknowledged) line {
	detail := fmt.Sprintf("by %s, by %s", a.GetBy(), a.GetMeans())
	if a.GetCall() != "" {
		detail += ", call " + a.GetCall()
	}
	return line{"acknowledged", noticeText(a.GetNotice()), detail}
}

func calledLine(c *ledgerv1.ToldByTelephone) line {
	return line{"told by telephone", "lineage " + c.GetLineage(), fmt.Sprintf("%s was told of %s on %s; imported by %s as call %s",
		c.GetOrganisation(), toldOf(c), minute(c.GetToldMs()), c.GetBy(), c.GetId())}
}

// toldOf says of whom a call told.
func toldOf(c *ledgerv1.ToldByTelephone) string {
	if c.GetChild() == "" {
		return "every child"
	}
	return "child " + c.GetChild()
}

func replayedLine(r *ledgerv1.Replayed) line {
	what := "one event"
	if r.GetEvent() == "" {
		what = fmt.Sprintf("what came from %s to %s", minute(r.GetFromMs()), minute(r.GetUntilMs()))
	}
	detail := fmt.Sprintf("%s of %s, %s, by %s, plan %s", what, r.GetAgency(),
		plural(int64(len(r.GetLineages())), "lineage", "lineages"), r.GetBy(), r.GetDigest())
	if r.GetForced() {
		detail += ", FORCED: what had ended is sent again"
	}
	return line{"replayed", "", detail}
}

package ledger

import (
	"fmt"
	"slices"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// stalledMS is how long a step may be due before nobody seems to carry it out: an hour.
const stalledMS = 60 * 60_000

// Faults lists, a line each and sorted, what does not hold at nowMS: each notice that has neither an end, nor a next
// step of the machine, nor a person who owns it; each open task without an owner; and each step or decision due for an
// hour and not carried out. None is good.
func (s *State) Faults(nowMS int64) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, n := range s.Notices {
		if fault := s.notice(n, nowMS); fault != "" {
			add("notice %s is %s: %s", n.Id, n.Phase, fault)
		}
		if n.Withdrawn && len(s.Misdirected([]*Notice{n})) > 0 {
			add("notice %s was withdrawn, somebody may have it, and nobody was asked about that", n.Id)
		}
	}
	for _, t := range s.Tasks {
		if !t.Ended() && t.Organisation == "" {
			add("task %s has no owner: add the agency's organisation or the area's authority to the directory", t.Id)
		}
	}
	for _, l := range s.Lineages {
		if l.Undecided != ledgerv1.Cause_CAUSE_UNSPECIFIED && l.UndecidedMS+stalledMS <= nowMS {
			add("lineage %s has waited for a decision since %s", l.ID, instant(l.UndecidedMS))
		}
	}
	slices.Sort(faults)
	return faults
}

// notice says what is wrong with one notice, or nothing.
func (s *State) notice(n *Notice, nowMS int64) string {
	switch n.Phase {
	case Acknowledged, Delivered, Superseded, Closed, Withdrawn:
		return ""
	case WithTask:
		if t := s.Tasks[n.Task]; t == nil || t.Ended() {
			return "no open task of a person is about it"
		}
		return ""
	case Held, Ready, Sending, Waiting, Stopped, Awaiting:
		if n.WakeMS == 0 {
			return "nothing will ever happen next"
		}
		due := n.WakeMS
		if n.Phase == Ready || n.Phase == Waiting {
			due = n.WaitEndsMS(due) // it may wait for its turn, or for an endpoint that is left alone, as long as its link lasts
		}
		if due+stalledMS <= nowMS {
			return "its next step has been due since " + instant(due)
		}
		return ""
	default:
		return "that is no state of a notice"
	}
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

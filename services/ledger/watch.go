package ledger

import (
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// unbegun is a notice that came to be sent. It is out of date once the notice has moved on.
type unbegun struct {
	notice *Notice
	turn   int
}

func (u unbegun) stands() bool { return u.turn == u.notice.turn && u.notice.toSend() }

func (n *Notice) toSend() bool { return n.Phase == Ready || n.Phase == Waiting }

// unbegunSlack is how many entries out of date are kept before they are looked for.
const unbegunSlack = 1024

// watch keeps the notices that are to be sent in a list of their own, so that whoever asks which of them waits longest
// need not look at every notice there ever was. Those that have moved on are let go once they are the greater part.
func (s *State) watch(n *Notice) {
	if !n.toSend() {
		return
	}
	n.turn++
	if int64(len(s.unbegun)) > 2*(s.counts[Ready]+s.counts[Waiting])+unbegunSlack {
		s.unbegun = slices.DeleteFunc(s.unbegun, func(u unbegun) bool { return !u.stands() })
	}
	s.unbegun = append(s.unbegun, unbegun{notice: n, turn: n.turn})
}

// Oldest is the one that has waited longest, and how many wait.
type Oldest struct {
	ID      string
	SinceMS int64
	Count   int64
}

func (o *Oldest) add(id string, sinceMS int64) {
	o.Count++
	if o.ID == "" || sinceMS < o.SinceMS || sinceMS == o.SinceMS && id < o.ID {
		o.ID, o.SinceMS = id, sinceMS
	}
}

// Undispatched are the notices that could be sent at nowMS and whose sending has not begun, by lane.
func (s *State) Undispatched(nowMS int64) map[ledgerv1.Lane]Oldest {
	lanes := map[ledgerv1.Lane]Oldest{}
	for _, u := range s.unbegun {
		if !u.stands() || u.notice.WakeMS > nowMS {
			continue
		}
		o := lanes[u.notice.Lane]
		o.add(u.notice.Id, u.notice.WakeMS)
		lanes[u.notice.Lane] = o
	}
	return lanes
}

// Undecided are the lineages that wait for a decision.
func (s *State) Undecided() Oldest {
	var o Oldest
	for id, l := range s.deciding {
		o.add(id, l.UndecidedMS)
	}
	return o
}

// Stranded are the open tasks past their due time that have nobody left to go to, longest overdue first.
func (s *State) Stranded(nowMS int64) []*Task {
	var tasks []*Task
	for _, t := range s.Tasks {
		if !t.Ended() && t.DueMS <= nowMS && (t.Escalated || t.EscalateTo == "") {
			tasks = append(tasks, t)
		}
	}
	slices.SortFunc(tasks, func(a, b *Task) int { return cmp.Or(cmp.Compare(a.DueMS, b.DueMS), cmp.Compare(a.Id, b.Id)) })
	return tasks
}

// timed keeps the latest instant at which anything happened. After a person has confirmed the clock, what was written
// by a clock that was ahead no longer counts.
func (s *State) timed(f *ledgerv1.Fact) {
	if _, confirmed := f.Fact.(*ledgerv1.Fact_ClockConfirmed); confirmed {
		s.NewestMS = f.AtMs
	}
	s.NewestMS = max(s.NewestMS, f.AtMs)
}

func (s *State) clockConfirmed(f *ledgerv1.ClockConfirmed) error {
	if f.Instance == "" || f.By == "" {
		return s.impossible("confirms the clock of no instance, or for nobody", f.Instance)
	}
	s.Confirmed[f.Instance]++
	return nil
}

package ledger

import (
	"cmp"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
)

// Stop is what a stop of sending covers. Its zero value is no stop.
type Stop struct {
	Scope  ledgerv1.Scope
	Target string // organisation, kind or channel; empty for every send
}

// valid says whether a stop is one: every send has no target, everything else has one.
func (p Stop) valid() bool {
	switch p.Scope {
	case ledgerv1.Scope_SCOPE_ALL:
		return p.Target == ""
	case ledgerv1.Scope_SCOPE_ORGANISATION, ledgerv1.Scope_SCOPE_KIND, ledgerv1.Scope_SCOPE_CHANNEL:
		return p.Target != ""
	case ledgerv1.Scope_SCOPE_UNSPECIFIED:
		return false
	default:
		return false
	}
}

// Standing is a stop in force: who made it, when, and where the vault has the reason.
type Standing struct {
	*ledgerv1.Stopped
	AtMS int64
}

// Stops lists the stops in force, oldest first.
func (s *State) Stops() []*ledgerv1.StopInForce {
	var stops []*ledgerv1.StopInForce
	for _, f := range s.stops {
		stops = append(stops, &ledgerv1.StopInForce{
			Scope: f.Scope, Target: f.Target, By: f.By, SinceMs: f.AtMS, Statement: f.Statement,
		})
	}
	slices.SortFunc(stops, func(a, b *ledgerv1.StopInForce) int {
		return cmp.Or(cmp.Compare(a.SinceMs, b.SinceMs), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Target, b.Target))
	})
	return stops
}

// Stopped says whether a stop is in force, exactly as it was made.
func (s *State) Stopped(p Stop) bool {
	_, in := s.stops[p]
	return in
}

// StopOf is the stop that covers a send of a notice to the present link of its chain, by a channel and to a contact of an
// organisation where these are known. The widest is named first.
func (s *State) StopOf(n *Notice, channel, organisation string) (Stop, bool) {
	if len(s.stops) == 0 {
		return Stop{}, false
	}
	covering := []Stop{
		{Scope: ledgerv1.Scope_SCOPE_ALL},
		{ledgerv1.Scope_SCOPE_ORGANISATION, n.Organisation},
		{ledgerv1.Scope_SCOPE_KIND, n.Kind},
		{ledgerv1.Scope_SCOPE_CHANNEL, channel},
		{ledgerv1.Scope_SCOPE_ORGANISATION, organisation},
	}
	if int(n.Link) < len(n.Chain) {
		covering = append(covering, Stop{ledgerv1.Scope_SCOPE_ORGANISATION, n.Chain[n.Link].Organisation})
	}
	for _, p := range covering {
		if s.Stopped(p) {
			return p, true
		}
	}
	return Stop{}, false
}

func (s *State) covered(n *Notice, f *ledgerv1.AttemptStarted) bool {
	_, stopped := s.StopOf(n, f.Channel, f.Organisation)
	return stopped
}

func (s *State) sendingStopped(f *ledgerv1.Stopped, atMS int64) error {
	p := Stop{f.Scope, f.Target}
	switch {
	case !p.valid():
		return s.impossible("stops nothing that there is:", p.Target)
	case s.Stopped(p):
		return s.impossible("stops twice", p.Scope.String())
	}
	s.stops[p] = Standing{Stopped: f, AtMS: atMS}
	s.Switches++
	return nil
}

// sendingResumed ends a stop. Every notice that no other stop covers is ready again, at the link where it was held back:
// also one whose due time came meanwhile and whose task nobody has taken up.
func (s *State) sendingResumed(f *ledgerv1.Resumed, atMS int64) error {
	p := Stop{f.Scope, f.Target}
	if !s.Stopped(p) {
		return s.impossible("resumes what is not stopped:", p.Scope.String())
	}
	delete(s.stops, p)
	s.Switches++
	for _, id := range sortedKeys(s.heldBack) {
		n := s.heldBack[id]
		if n.HeldBackBy != p {
			continue
		}
		task := s.Tasks[n.Task]
		if task != nil && task.State != TaskOpen {
			s.notHeldBack(n) // somebody works on it: it stays theirs
			continue
		}
		if task != nil {
			task.State = TaskSettled
		}
		n.Task, n.Link = "", n.heldLink
		s.notHeldBack(n)
		s.setPhase(n, Ready, atMS)
		s.checkMeeting(s.Lineages[n.Lineage], atMS)
		s.childOf(n, atMS)
	}
	return nil
}

// heldBackNow takes a notice out of the queue. It comes to a person at its due time, and at once where that is past.
func (s *State) heldBackNow(f *ledgerv1.HeldBack, atMS int64) error {
	n, p := s.Notices[f.Notice], Stop{f.Scope, f.Target}
	switch {
	case n == nil:
		return s.impossible("holds back an unknown notice", f.Notice)
	case n.Phase != Ready && n.Phase != Waiting:
		return s.impossible("holds back while "+n.Phase.String()+" notice", f.Notice)
	case !s.Stopped(p):
		return s.impossible("holds back for a stop that is not in force notice", f.Notice)
	}
	n.HeldBackBy, n.heldLink = p, n.Link
	n.HeldBackTimes++
	s.heldBack[n.Id] = n
	s.setPhase(n, Stopped, max(n.DueMs, atMS))
	return nil
}

// notHeldBack forgets that a stop concerns a notice.
func (s *State) notHeldBack(n *Notice) {
	n.HeldBackBy = Stop{}
	delete(s.heldBack, n.Id)
}

package ledger

import (
	"errors"
	"fmt"
	"slices"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ErrImpossible marks a fact that cannot follow the facts before it: the ledger is damaged or was written by two.
var ErrImpossible = errors.New("ledger: a fact cannot follow those before it")

// Apply folds a pack.
func (s *State) Apply(pack *ledgerv1.Pack) error {
	for _, f := range pack.Facts {
		if err := s.Fold(f); err != nil {
			return err
		}
	}
	return nil
}

// Fold takes one fact in. A fact that cannot follow is ErrImpossible and changes nothing.
func (s *State) Fold(f *ledgerv1.Fact) error {
	if err := s.take(f); err != nil {
		return err
	}
	s.Facts++
	s.timed(f)
	return nil
}

func (s *State) take(f *ledgerv1.Fact) error {
	switch fact := f.Fact.(type) {
	case *ledgerv1.Fact_Led:
		return s.led(fact.Led)
	case *ledgerv1.Fact_EventAccepted:
		return s.accepted(fact.EventAccepted, f.AtMs)
	case *ledgerv1.Fact_EventRefused:
		if fact.EventRefused.Source == nil {
			return s.impossible("refuses an event from", "nowhere")
		}
		s.Refused++
		s.settle(fact.EventRefused.Source)
		if fact.EventRefused.Lineage != "" {
			s.manifests.refused[fact.EventRefused.Lineage] = true
		}
		s.changed(notice.AgencyID(fact.EventRefused.Source.Agency), Change{
			AtMS: f.AtMs, Sequence: fact.EventRefused.Source.Sequence, Quarantine: fact.EventRefused.Quarantine,
		})
	case *ledgerv1.Fact_EventRepeated:
		if fact.EventRepeated.Source == nil {
			return s.impossible("repeats an event from", "nowhere")
		}
		s.settle(fact.EventRepeated.Source)
		if e := s.Events[fact.EventRepeated.Source.Event]; e != nil {
			e.Repeated++
		}
	case *ledgerv1.Fact_Decided:
		return s.decided(fact.Decided, f.AtMs)
	case *ledgerv1.Fact_AttemptStarted:
		return s.attemptStarted(fact.AttemptStarted, f.AtMs)
	case *ledgerv1.Fact_AttemptFinished:
		return s.attemptFinished(fact.AttemptFinished, f.AtMs)
	case *ledgerv1.Fact_Returned:
		return s.returned(fact.Returned, f.AtMs)
	case *ledgerv1.Fact_Replayed:
		return s.replayed(fact.Replayed, f.AtMs)
	case *ledgerv1.Fact_ToldByTelephone:
		return s.told(fact.ToldByTelephone, f.AtMs)
	case *ledgerv1.Fact_Escalated:
		return s.escalated(fact.Escalated, f.AtMs)
	case *ledgerv1.Fact_Late:
		return s.late(fact.Late, f.AtMs)
	case *ledgerv1.Fact_CodeSent:
		return s.onlyKept(fact.CodeSent.Notice)
	case *ledgerv1.Fact_NoticeRead:
		return s.noticeRead(fact.NoticeRead)
	case *ledgerv1.Fact_Acknowledged:
		return s.acknowledged(fact.Acknowledged, f.AtMs)
	case *ledgerv1.Fact_Replied:
		return s.replied(fact.Replied, f.AtMs)
	case *ledgerv1.Fact_NotAtSetting:
		return s.notAtSetting(fact.NotAtSetting, f.AtMs)
	case *ledgerv1.Fact_TaskOpened:
		return s.taskOpened(fact.TaskOpened, f.AtMs)
	case *ledgerv1.Fact_TaskRead:
		if s.Tasks[fact.TaskRead.Task] == nil {
			return s.impossible("shows an unknown task", fact.TaskRead.Task)
		}
	case *ledgerv1.Fact_TaskClaimed:
		return s.taskClaimed(fact.TaskClaimed)
	case *ledgerv1.Fact_TaskResolved:
		return s.taskResolved(fact.TaskResolved, f.AtMs)
	case *ledgerv1.Fact_TaskEscalated:
		return s.taskEscalated(fact.TaskEscalated)
	case *ledgerv1.Fact_EventWithdrawn:
		return s.eventWithdrawn(fact.EventWithdrawn, f.AtMs)
	case *ledgerv1.Fact_SubscriptionChanged:
		return s.subscriptionChanged(fact.SubscriptionChanged, f.AtMs)
	case *ledgerv1.Fact_WhereaboutsListed:
		return s.whereaboutsListed(fact.WhereaboutsListed, f.AtMs)
	case *ledgerv1.Fact_ClockConfirmed:
		return s.clockConfirmed(fact.ClockConfirmed)
	case *ledgerv1.Fact_Stopped:
		return s.sendingStopped(fact.Stopped, f.AtMs)
	case *ledgerv1.Fact_Resumed:
		return s.sendingResumed(fact.Resumed, f.AtMs)
	case *ledgerv1.Fact_HeldBack:
		return s.heldBackNow(fact.HeldBack, f.AtMs)
	case *ledgerv1.Fact_ManifestTaken:
		return s.manifestTaken(fact.ManifestTaken, f.AtMs)
	case *ledgerv1.Fact_ManifestCompared:
		return s.manifestCompared(fact.ManifestCompared, f.AtMs)
	default:
		return fmt.Errorf("%w: fact %d is of a kind this version does not know", ErrImpossible, s.Facts+1)
	}
	return nil
}

func (s *State) impossible(what, id string) error {
	return fmt.Errorf("%w: fact %d: %s %s", ErrImpossible, s.Facts+1, what, id)
}

// onlyKept takes a fact that is kept for the timeline: it changes nothing of what is owed to anybody.
func (s *State) onlyKept(notice string) error {
	if s.Notices[notice] == nil {
		return s.impossible("tells of an unknown notice", notice)
	}
	return nil
}

func (s *State) noticeRead(f *ledgerv1.NoticeRead) error {
	n := s.Notices[f.Notice]
	if n == nil {
		return s.impossible("shows an unknown notice", f.Notice)
	}
	if !slices.Contains(n.ReadBy, f.Contact) {
		n.ReadBy = append(n.ReadBy, f.Contact)
	}
	return nil
}

func (s *State) led(f *ledgerv1.Led) error {
	if f.Epoch <= s.Epoch {
		return s.impossible("epoch does not grow", f.Instance)
	}
	s.Epoch = f.Epoch
	return nil
}

// settle moves the agency's cursor on.
func (s *State) settle(src *ledgerv1.Source) {
	agency := notice.AgencyID(src.Agency)
	s.cursors[agency] = max(s.cursors[agency], src.Sequence)
}

func (s *State) accepted(f *ledgerv1.EventAccepted, atMS int64) error {
	if f.Source == nil {
		return s.impossible("accepts an event from", "nowhere")
	}
	if s.Events[f.Source.Event] != nil {
		return s.impossible("accepts an event twice", f.Source.Event)
	}
	if _, withdrew := s.withdrawers[f.Source.Event]; withdrew {
		return s.impossible("accepts an event that withdrew another", f.Source.Event)
	}
	if err := s.mayAccept(f); err != nil {
		return err
	}
	if s.manifests.events[f.Source.Event] != nil {
		return s.impossible("accepts an event that is a manifest", f.Source.Event)
	}
	s.settle(f.Source)
	e := &Event{EventAccepted: f, AtMS: atMS, Overtaken: f.Overtaken, Withdrawn: s.Withdrawals[f.Source.Event] != nil}
	s.Events[f.Source.Event] = e
	l := s.lineage(f.Lineage)
	l.Kind, l.Agency = notice.EventKind(f.Kind), notice.AgencyID(f.Source.Agency)
	l.Events = append(l.Events, f.Source.Event)
	s.reportedNow(f, atMS)

	cause := ledgerv1.Cause_CAUSE_EVENT
	if f.Supersedes != "" && !s.overtakes(f.Supersedes, f.Source.Event) {
		cause = ledgerv1.Cause_CAUSE_CORRECTION
		s.overtakers[f.Supersedes] = f.Source.Event
		if old := s.Events[f.Supersedes]; old != nil && !old.Overtaken {
			old.Overtaken = true
			s.undecided(s.lineage(old.Lineage), cause, atMS)
			s.responsibilityMoved(old, atMS)
		}
	}
	s.noteAcceptance(e)
	if !e.Overtaken && !e.Withdrawn {
		s.undecided(l, cause, atMS)
		s.responsibilityMoved(e, atMS)
	}
	s.changed(l.Agency, Change{
		AtMS: atMS, Event: f.Source.Event, Sequence: f.Source.Sequence, State: ChildAccepted,
	})
	if e.Withdrawn {
		s.changed(l.Agency, Change{AtMS: atMS, Event: f.Source.Event, Sequence: f.Source.Sequence, State: ChildWithdrawn})
	}
	return nil
}

// overtakes says whether one event corrects another already, itself or by way of others. Two events that each say that
// they correct the other must not end with neither standing: the first keeps its place.
func (s *State) overtakes(one, other string) bool {
	for range len(s.overtakers) + 1 {
		if other == one {
			return true
		}
		next, ok := s.overtakers[other]
		if !ok {
			return false
		}
		other = next
	}
	return false
}

func (s *State) attemptStarted(f *ledgerv1.AttemptStarted, atMS int64) error {
	n := s.Notices[f.Notice]
	switch {
	case n == nil:
		return s.impossible("attempt at an unknown notice", f.Notice)
	case n.Phase.Ended():
		return s.impossible("attempt after the end of notice", f.Notice)
	case n.Phase != Ready && n.Phase != Waiting:
		return s.impossible("attempt while "+n.Phase.String()+" at notice", f.Notice)
	case int(f.Attempt) != len(n.Attempts)+1:
		return s.impossible("attempt out of turn at notice", f.Notice)
	case f.Link != n.Link || int(f.Link) >= len(n.Chain):
		return s.impossible("attempt at another link than the present one of notice", f.Notice)
	case s.covered(n, f):
		return s.impossible("attempt while sending is stopped at notice", f.Notice)
	case f.LeaseMs <= 0:
		return s.impossible("attempt without a lease at notice", f.Notice)
	case (f.Channel == ByInbox) != (f.Inbox != ""):
		return s.impossible("attempt by an inbox without the inbox, or the other way about, at notice", f.Notice)
	}
	n.Attempts = append(n.Attempts, Attempt{AttemptStarted: f, StartedMS: atMS})
	if f.Inbox != "" {
		s.intoInbox(n, f, atMS)
		return nil
	}
	s.setPhase(n, Sending, f.LeaseMs)
	return nil
}

func (s *State) attemptFinished(f *ledgerv1.AttemptFinished, atMS int64) error {
	n := s.Notices[f.Notice]
	if n == nil {
		return s.impossible("end of an attempt at an unknown notice", f.Notice)
	}
	a, ok := n.Attempt(f.Attempt)
	switch {
	case !ok:
		return s.impossible("end of an attempt that never started at notice", f.Notice)
	case a.Ended():
		return s.impossible("second end of an attempt at notice", f.Notice)
	case f.Outcome == ledgerv1.Outcome_OUTCOME_UNSPECIFIED:
		return s.impossible("end of an attempt without an outcome at notice", f.Notice)
	case a.Inbox != "" && f.Outcome != ledgerv1.Outcome_OUTCOME_DELIVERED && (f.Outcome != ledgerv1.Outcome_OUTCOME_UNKNOWN || f.RetryMs != 0):
		return s.impossible("end by an inbox that an inbox cannot come to at notice", f.Notice)
	}
	a.EndedMS, a.Outcome = atMS, f.Outcome
	a.GaveUp = f.Outcome == ledgerv1.Outcome_OUTCOME_PERMANENT ||
		f.Outcome != ledgerv1.Outcome_OUTCOME_DELIVERED && f.RetryMs == 0
	if a.Inbox != "" {
		s.outOfInbox(n, a, atMS)
		return nil
	}
	if a.bounced() { // it came back before its end was written
		a.Outcome, a.GaveUp = ledgerv1.Outcome_OUTCOME_PERMANENT, true
	}
	if n.Phase != Sending || int(f.Attempt) != len(n.Attempts) {
		s.notAstray(n)
		return nil // the notice moved on while the send was under way; the outcome is history
	}
	switch {
	case a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED && n.Acknowledge && (n.GaveUp(a.Contact) || n.Away(a.Contact)):
		s.setPhase(n, Ready, atMS)
	case a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED && n.Acknowledge:
		s.setPhase(n, Awaiting, n.LinkEndsMS())
	case a.Outcome == ledgerv1.Outcome_OUTCOME_DELIVERED:
		s.end(n, Delivered, atMS, "")
	case a.GaveUp:
		s.setPhase(n, Ready, atMS)
	default:
		s.setPhase(n, Waiting, min(f.RetryMs, n.LinkEndsMS())) // a long wait never holds the chain up
	}
	s.childOf(n, atMS)
	return nil
}

func (s *State) escalated(f *ledgerv1.Escalated, atMS int64) error {
	n := s.Notices[f.Notice]
	switch {
	case n == nil:
		return s.impossible("escalates an unknown notice", f.Notice)
	case n.Phase.Ended():
		return s.impossible("escalates after the end of notice", f.Notice)
	case n.Phase != Ready && n.Phase != Waiting && n.Phase != Awaiting && n.Phase != Stopped:
		return s.impossible("escalates while "+n.Phase.String()+" notice", f.Notice)
	case f.Link <= n.Link && len(n.Chain) > 0:
		return s.impossible("escalates backwards at notice", f.Notice)
	}
	n.Link = f.Link
	if atMS >= n.DueMs && n.LateMS == 0 {
		n.LateMS = atMS
	}
	if int(f.Link) >= len(n.Chain) {
		s.setPhase(n, WithTask, 0)
	} else {
		s.setPhase(n, Ready, atMS)
	}
	s.childOf(n, atMS)
	return nil
}

func (s *State) acknowledged(f *ledgerv1.Acknowledged, atMS int64) error {
	n := s.Notices[f.Notice]
	switch {
	case n == nil:
		return s.impossible("acknowledges an unknown notice", f.Notice)
	case n.Withdrawn:
		return s.impossible("acknowledges what was withdrawn in notice", f.Notice)
	case n.Phase == Held || n.Phase == Superseded:
		return s.impossible("acknowledges while "+n.Phase.String()+" notice", f.Notice)
	}
	if err := s.mayEnd(f, n); err != nil {
		return err
	}
	s.endedBy(f)
	n.Telephoned = n.Telephoned || f.Means == ByTelephone
	s.end(n, Acknowledged, atMS, f.By)
	s.checkMeeting(s.Lineages[n.Lineage], atMS)
	s.childOf(n, atMS)
	return nil
}

func (s *State) notAtSetting(f *ledgerv1.NotAtSetting, atMS int64) error {
	n := s.Notices[f.Notice]
	if n == nil {
		return s.impossible("says not at setting of an unknown notice", f.Notice)
	}
	for _, l := range s.routedBy(n) {
		child, setting := notice.ChildID(n.Child), notice.OrgID(n.Organisation)
		if l.NotAt == nil {
			l.NotAt = map[notice.ChildID]map[notice.OrgID]bool{}
		}
		if l.NotAt[child] == nil {
			l.NotAt[child] = map[notice.OrgID]bool{}
		}
		l.NotAt[child][setting] = true
		s.undecided(l, ledgerv1.Cause_CAUSE_NOT_AT_SETTING, atMS)
	}
	return nil
}

package query

import (
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Kind is what a timeline may be about. Its numbers are stored.
type Kind int

// The kinds of subject. An event's id is its key in the ledger.
const (
	Event   Kind = 1
	Lineage Kind = 2
	Notice  Kind = 3
	Task    Kind = 4
)

// Subject is one thing that facts are about.
type Subject struct {
	Kind Kind
	ID   string
}

// mentions lists what a fact is about.
func mentions(f *ledgerv1.Fact) ([]Subject, error) {
	of := func(kind Kind, id string) ([]Subject, error) { return []Subject{{kind, id}}, nil }
	switch fact := f.GetFact().(type) {
	case *ledgerv1.Fact_Led, *ledgerv1.Fact_ClockConfirmed, *ledgerv1.Fact_Stopped, *ledgerv1.Fact_Resumed:
		return nil, nil // about nobody
	case *ledgerv1.Fact_EventAccepted:
		a := fact.EventAccepted
		return []Subject{{Event, a.GetSource().GetEvent()}, {Lineage, a.GetLineage()}}, nil
	case *ledgerv1.Fact_EventRepeated:
		return of(Event, fact.EventRepeated.GetSource().GetEvent())
	case *ledgerv1.Fact_EventRefused:
		return of(Event, fact.EventRefused.GetSource().GetEvent())
	case *ledgerv1.Fact_Decided:
		return decisionMentions(fact.Decided), nil
	case *ledgerv1.Fact_TaskOpened:
		t := fact.TaskOpened
		about := []Subject{{Task, t.GetId()}}
		if t.GetLineage() != "" {
			about = append(about, Subject{Lineage, t.GetLineage()})
		}
		if t.GetNotice() != "" {
			about = append(about, Subject{Notice, t.GetNotice()})
		}
		return about, nil
	case *ledgerv1.Fact_AttemptStarted:
		return of(Notice, fact.AttemptStarted.GetNotice())
	case *ledgerv1.Fact_AttemptFinished:
		return of(Notice, fact.AttemptFinished.GetNotice())
	case *ledgerv1.Fact_Returned:
		return of(Notice, fact.Returned.GetNotice())
	case *ledgerv1.Fact_Replayed:
		var about []Subject
		for _, id := range fact.Replayed.GetLineages() {
			about = append(about, Subject{Lineage, id})
		}
		return about, nil
	case *ledgerv1.Fact_EventWithdrawn:
		about := []Subject{{Event, fact.EventWithdrawn.GetEvent()}}
		for _, id := range fact.EventWithdrawn.GetNotices() {
			about = append(about, Subject{Notice, id})
		}
		return about, nil
	case *ledgerv1.Fact_SubscriptionChanged:
		var about []Subject
		for _, id := range fact.SubscriptionChanged.GetNotices() {
			about = append(about, Subject{Notice, id})
		}
		return about, nil
	case *ledgerv1.Fact_WhereaboutsListed:
		return listMentions(fact.WhereaboutsListed), nil
	case *ledgerv1.Fact_ToldByTelephone:
		return of(Lineage, fact.ToldByTelephone.GetLineage())
	case *ledgerv1.Fact_Escalated:
		return of(Notice, fact.Escalated.GetNotice())
	case *ledgerv1.Fact_Late:
		return of(Notice, fact.Late.GetNotice())
	case *ledgerv1.Fact_CodeSent:
		return of(Notice, fact.CodeSent.GetNotice())
	case *ledgerv1.Fact_NoticeRead:
		return of(Notice, fact.NoticeRead.GetNotice())
	case *ledgerv1.Fact_Acknowledged:
		return of(Notice, fact.Acknowledged.GetNotice())
	case *ledgerv1.Fact_Replied:
		return of(Notice, fact.Replied.GetNotice())
	case *ledgerv1.Fact_NotAtSetting:
		return of(Notice, fact.NotAtSetting.GetNotice())
	case *ledgerv1.Fact_HeldBack:
		return of(Notice, fact.HeldBack.GetNotice())
	case *ledgerv1.Fact_TaskRead:
		return of(Task, fact.TaskRead.GetTask())
	case *ledgerv1.Fact_TaskClaimed:
		return of(Task, fact.TaskClaimed.GetTask())
	case *ledgerv1.Fact_TaskResolved:
		return of(Task, fact.TaskResolved.GetTask())
	case *ledgerv1.Fact_TaskEscalated:
		return of(Task, fact.TaskEscalated.GetTask())
	case *ledgerv1.Fact_ManifestTaken:
		return of(Event, fact.ManifestTaken.GetSource().GetEvent())
	case *ledgerv1.Fact_ManifestCompared:
		return comparisonMentions(fact.ManifestCompared), nil
	default:
		return nil, notice.Faultf(notice.Precondition, "query.mentions",
			"a fact is of a kind that this version does not know: run the version that wrote it, or a newer one")
	}
}

// listMentions names each event once that a list was made of as it was shown.
func listMentions(f *ledgerv1.WhereaboutsListed) []Subject {
	var about []Subject
	seen := map[string]bool{}
	for _, l := range f.GetShown() {
		if !seen[l.GetEvent()] {
			seen[l.GetEvent()] = true
			about = append(about, Subject{Event, l.GetEvent()})
		}
	}
	return about
}

// comparisonMentions names each thing once: the manifest, the references that differ and the tasks about them. A comparison
// that finds nothing says nothing of the references.
func comparisonMentions(f *ledgerv1.ManifestCompared) []Subject {
	var about []Subject
	seen := map[Subject]bool{{}: true}
	add := func(kind Kind, id string) {
		if s := (Subject{kind, id}); id != "" && !seen[s] {
			seen[s] = true
			about = append(about, s)
		}
	}
	for _, src := range f.GetSources() {
		add(Event, src.GetEvent())
	}
	for _, d := range f.GetDifferences() {
		add(Lineage, d.GetLineage())
		add(Task, d.GetTask())
	}
	for _, t := range f.GetTasks() {
		add(Task, t.GetId())
	}
	for _, id := range f.GetSettledTasks() {
		add(Task, id)
	}
	return about
}

// decisionMentions names each thing once.
func decisionMentions(d *ledgerv1.Decision) []Subject {
	about := make([]Subject, 0, 2+len(d.GetSources())+len(d.GetNotices())+len(d.GetKept())+len(d.GetTasks()))
	seen := map[Subject]bool{}
	add := func(kind Kind, id string) {
		if s := (Subject{kind, id}); id != "" && !seen[s] {
			seen[s] = true
			about = append(about, s)
		}
	}
	add(Lineage, d.GetLineage())
	for _, src := range d.GetSources() {
		add(Event, src.GetEvent())
	}
	for _, n := range d.GetNotices() {
		add(Notice, n.GetId())
	}
	for _, id := range d.GetKept() {
		add(Notice, id)
	}
	for _, s := range d.GetSuperseded() {
		add(Notice, s.GetNotice())
	}
	for _, t := range d.GetTasks() {
		add(Task, t.GetId())
		add(Notice, t.GetNotice())
	}
	for _, id := range d.GetSettledTasks() {
		add(Task, id)
	}
	return about
}

// refusedEvent is the event that a fact refuses, or empty. The task about it is the fact that comes next.
func refusedEvent(f *ledgerv1.Fact) string { return f.GetEventRefused().GetSource().GetEvent() }

// asksAbout says whether a fact opens the task about the event that the fact before it refused.
func asksAbout(f *ledgerv1.Fact, refused string) bool {
	return refused != "" && f.GetTaskOpened().GetKind() == ledgerv1.TaskKind_TASK_KIND_QUARANTINED
}

// Story is what a timeline follows. It grows as the facts are read in their order: a decision about a lineage brings its
// notices and tasks in.
type Story struct {
	follows map[Subject]bool
	refused string // the event that the fact before refused, where the story follows it
}

// NewStory begins with what the timeline is about.
func NewStory(of ...Subject) *Story {
	s := &Story{follows: map[Subject]bool{}}
	for _, subject := range of {
		s.follows[subject] = true
	}
	return s
}

// Concerns says whether the next fact belongs to the story.
func (s *Story) Concerns(f *ledgerv1.Fact) (bool, error) {
	about, err := mentions(f)
	if err != nil {
		return false, err
	}
	belongs := asksAbout(f, s.refused)
	own := false // a decision about the lineage, or resting on the events
	for _, a := range about {
		if s.follows[a] {
			belongs = true
			own = own || a.Kind == Lineage || a.Kind == Event
		}
	}
	s.refused = ""
	if !belongs {
		return false, nil
	}
	s.refused = refusedEvent(f)
	switch fact := f.GetFact().(type) {
	case *ledgerv1.Fact_TaskOpened:
		s.follows[Subject{Task, fact.TaskOpened.GetId()}] = true
	case *ledgerv1.Fact_Decided:
		s.decided(fact.Decided, own)
	}
	return true, nil
}

// decided brings in everything of a decision that is the story's own. Of one that only touches what the story follows,
// it brings in the tasks about a notice that it follows.
func (s *Story) decided(d *ledgerv1.Decision, own bool) {
	for _, t := range d.GetTasks() {
		if own || s.follows[Subject{Notice, t.GetNotice()}] {
			s.follows[Subject{Task, t.GetId()}] = true
		}
	}
	if !own {
		return
	}
	for _, n := range d.GetNotices() {
		s.follows[Subject{Notice, n.GetId()}] = true
	}
}

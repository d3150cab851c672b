package whereabouts

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// interviewWithin is when a return interview is due after the return, in elapsed hours.
const interviewWithin = 72 * time.Hour

// Report is an event that stands, neither corrected nor withdrawn.
type Report struct {
	Key  string // of the event in the ledger
	Body *eventv1.Event
	Kids map[string]Kid // by the publisher's handle; who is left out is nobody that is known
}

// Kid is a child as the decision about the event has it.
type Kid struct {
	Key   string // of the ledger
	Known bool   // somebody on a roll is certainly this child: the key is the same in every event
	Named bool   // and it was a person who said so
}

// Episode is one time that a child was missing, detained or protected, with the report that it begins with: the first that
// is known of it.
type Episode struct {
	*ledgerv1.Episode
	Report   Report
	Reported *eventv1.Child // the child as that report has it
}

// Kid is the child of the episode.
func (e *Episode) Kid() Kid { return e.Report.Kids[e.Reported.GetRef()] }

// Kinds are the kinds of event that the list is made of.
func Kinds() []notice.EventKind {
	return []notice.EventKind{
		notice.MissingReported, notice.MissingFound, notice.ReturnInterviewCompleted,
		notice.PoliceProtectionExercised, notice.PoliceProtectionEnded, notice.CustodyDetained, notice.CustodyReleased,
	}
}

// List is what was so at some time after since and up to asOf, by what had been reported by asOf: by kind, then the
// latest beginning first.
func List(reports []Report, since, asOf time.Time) []*Episode {
	l := list{}
	for _, said := range inOrder(reports, asOf) {
		l.take(said)
	}
	var out []*Episode
	for _, e := range l.episodes {
		if !e.within(since.UnixMilli(), asOf.UnixMilli()) {
			continue
		}
		e.judge(asOf.UnixMilli())
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b *Episode) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(start(b), start(a)), cmp.Compare(a.Child, b.Child), cmp.Compare(a.Event, b.Event))
	})
	return out
}

// said is what one event says of one child.
type said struct {
	report Report
	ev     *eventv1.Event
	child  *eventv1.Child
	kid    Kid
	at     time.Time // when it was so, not when it was reported
	rank   int       // of one instant, what begins comes before what ends, and that before what follows
}

// inOrder takes reports apart by child, in the order in which things happened: an end finds its beginning however they were
// published, and a child who goes missing again is missing again.
func inOrder(reports []Report, asOf time.Time) []said {
	var all []said
	for _, r := range reports {
		if r.Body.GetTime().AsTime().After(asOf) {
			continue
		}
		for _, c := range r.Body.GetChildren() {
			all = append(all, said{report: r, ev: r.Body, child: c, kid: r.Kids[c.GetRef()], at: Happened(r.Body), rank: rankOf(r.Body)})
		}
	}
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.ev.GetId(), b.ev.GetId()))
	})
	return all
}

// Happened is when it was so that an event tells of; where it does not say, when it was reported.
func Happened(ev *eventv1.Event) time.Time {
	var at *timestamppb.Timestamp
	switch p := ev.Payload.(type) {
	case *eventv1.Event_MissingReported:
		at = p.MissingReported.GetLastSeenAt()
	case *eventv1.Event_MissingFound:
		at = p.MissingFound.GetFoundAt()
	case *eventv1.Event_ReturnInterviewCompleted:
		at = p.ReturnInterviewCompleted.GetCompletedAt()
	case *eventv1.Event_PoliceProtectionExercised:
		at = p.PoliceProtectionExercised.GetBeganAt()
	case *eventv1.Event_PoliceProtectionEnded:
		at = p.PoliceProtectionEnded.GetEndedAt()
	case *eventv1.Event_CustodyDetained:
		at = p.CustodyDetained.GetDetainedAt()
	case *eventv1.Event_CustodyReleased:
		at = p.CustodyReleased.GetReleasedAt()
	}
	if at == nil {
		at = ev.GetTime()
	}
	return at.AsTime()
}

// rankOf orders beginnings before ends.
func rankOf(ev *eventv1.Event) int {
	switch {
	case ev.GetMissingFound() != nil, ev.GetPoliceProtectionEnded() != nil, ev.GetCustodyReleased() != nil:
		return 1
	case ev.GetReturnInterviewCompleted() != nil:
		return 2
	default:
		return 0
	}
}

// list is the episodes while they are put together.
type list struct{ episodes []*Episode }

func (l *list) take(s said) {
	switch {
	case s.ev.GetMissingReported() != nil:
		l.begin(s, ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, s.ev.GetMissingReported().GetLastSeenAt())
	case s.ev.GetMissingFound() != nil:
		l.end(s, ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, nil, s.ev.GetMissingFound().GetFoundAt())
	case s.ev.GetReturnInterviewCompleted() != nil:
		l.interviewed(s, s.ev.GetReturnInterviewCompleted())
	case s.ev.GetPoliceProtectionExercised() != nil:
		p := s.ev.GetPoliceProtectionExercised()
		l.begin(s, ledgerv1.EpisodeKind_EPISODE_KIND_POLICE_PROTECTION, p.GetBeganAt()).EndsByMs = ms(p.GetEndsBy())
	case s.ev.GetPoliceProtectionEnded() != nil:
		p := s.ev.GetPoliceProtectionEnded()
		l.end(s, ledgerv1.EpisodeKind_EPISODE_KIND_POLICE_PROTECTION, p.GetBeganAt(), p.GetEndedAt())
	case s.ev.GetCustodyDetained() != nil:
		at := s.ev.GetCustodyDetained().GetDetainedAt()
		l.begin(s, ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY, at).EndsByMs = ms(at) + longestDetention.Milliseconds()
	case s.ev.GetCustodyReleased() != nil:
		p := s.ev.GetCustodyReleased()
		l.end(s, ledgerv1.EpisodeKind_EPISODE_KIND_CUSTODY, p.GetDetainedAt(), p.GetReleasedAt())
	}
}

// longestDetention is how long police may hold somebody whom they have not charged (Police and Criminal Evidence Act 1984
// s.44). Where no release is reported the list takes a detention for over by then: it may be, and nobody has said so.
const longestDetention = 96 * time.Hour

// begin opens an episode. Two reports under one reference, of one child, are one episode that began with the first, unless it
// is over by then: then the child is missing, protected or detained again.
func (l *list) begin(s said, kind ledgerv1.EpisodeKind, at *timestamppb.Timestamp) *Episode {
	for _, e := range l.episodes {
		if e.Kind == kind && e.sameMatter(s) && !e.over(s.at) {
			return e
		}
	}
	e := &Episode{Report: s.report, Reported: s.child, Episode: &ledgerv1.Episode{
		Kind: kind, Child: s.kid.Key, Agency: s.ev.GetSource(), Reference: s.ev.GetSubject(), Event: s.ev.GetId(), BeganMs: ms(at),
		ResidenceArea: s.child.GetResidenceArea(), LookedAfterBy: s.child.GetLookedAfterBy(),
	}}
	l.episodes = append(l.episodes, e)
	return e
}

// end closes the episode under the same reference, and every other of the child that began before and has no end: who is
// found is found, whoever reported that the child was missing. What was over before that which ends began is another time.
func (l *list) end(s said, kind ledgerv1.EpisodeKind, began, ended *timestamppb.Timestamp) {
	found := false
	for _, e := range l.episodes {
		if e.Kind != kind || !e.sameMatter(s) && !e.sameChild(s) || e.over(began.AsTime()) {
			continue
		}
		if e.EndedMs == 0 && e.BeganMs <= ms(ended) {
			e.EndedMs, found = ms(ended), true
		}
		found = found || e.sameMatter(s)
	}
	if !found { // nobody reported how it began
		l.begin(s, kind, began).EndedMs = ms(ended)
	}
}

// interviewed adds a return interview to the return that it is about.
func (l *list) interviewed(s said, r *eventv1.ReturnInterviewCompleted) {
	e := l.find(ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, s, func(e *Episode) bool {
		return e.Interview == 0 && e.BeganMs <= ms(r.GetReturnedAt())
	})
	if e == nil {
		e = l.begin(s, ledgerv1.EpisodeKind_EPISODE_KIND_MISSING, nil)
	}
	if e.EndedMs == 0 {
		e.EndedMs = ms(r.GetReturnedAt()) // the interview is the first that anybody heard of the return
	}
	e.Interview, e.InterviewMs = ledgerv1.Interview_INTERVIEW_HELD, ms(r.GetCompletedAt())
	if r.GetOutcome() == eventv1.InterviewOutcome_INTERVIEW_OUTCOME_DECLINED {
		e.Interview = ledgerv1.Interview_INTERVIEW_DECLINED
	}
}

// find is the episode of the same reference, else the child's last, among those that fit.
func (l *list) find(kind ledgerv1.EpisodeKind, s said, fits func(*Episode) bool) *Episode {
	var found *Episode
	for _, e := range l.episodes {
		if e.Kind != kind || !fits(e) {
			continue
		}
		if e.sameMatter(s) {
			return e
		}
		if e.sameChild(s) && (found == nil || e.BeganMs > found.BeganMs) {
			found = e
		}
	}
	return found
}

// sameMatter says whether an event is under the reference of an episode, and about its child.
func (e *Episode) sameMatter(s said) bool {
	return e.Agency == s.ev.GetSource() && e.Reference == s.ev.GetSubject() && e.Reported.GetRef() == s.child.GetRef()
}

// sameChild says whether an event is about the child of an episode, where it is certain who that is.
func (e *Episode) sameChild(s said) bool { return e.Kid().Known && s.kid.Known && e.Child == s.kid.Key }

// over says whether an episode has ended by an instant, as reported or by law.
func (e *Episode) over(at time.Time) bool { return e.until() != 0 && e.until() <= at.UnixMilli() }

// within says whether an episode belongs on the list.
func (e *Episode) within(since, asOf int64) bool {
	return e.BeganMs <= asOf && (e.until() == 0 || e.until() > since)
}

// until is when an episode ended, or ends by law at the latest. A missing child whom nobody reports found is missing.
func (e *Episode) until() int64 { return cmp.Or(e.EndedMs, e.EndsByMs) }

// judge says how things stand with the interview of a child who came back.
func (e *Episode) judge(asOf int64) {
	if e.Kind != ledgerv1.EpisodeKind_EPISODE_KIND_MISSING || e.EndedMs == 0 || e.Interview != 0 {
		return
	}
	e.InterviewMs = e.EndedMs + interviewWithin.Milliseconds()
	e.Interview = ledgerv1.Interview_INTERVIEW_DUE
	if e.InterviewMs < asOf {
		e.Interview = ledgerv1.Interview_INTERVIEW_OVERDUE
	}
}

func start(e *Episode) int64 { return cmp.Or(e.BeganMs, e.EndedMs) }

// ms is an instant in Unix milliseconds; 0 where there is none.
func ms(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMilli()
}

package alarm

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Settings are the limits that observations are held against.
type Settings struct {
	Undispatched map[string]time.Duration // by lane
	Undecided    time.Duration
	NotTaken     time.Duration
	Leaderless   time.Duration
	Unanswered   time.Duration
	Silence      time.Duration            // of a publisher
	Silences     map[string]time.Duration // of one; below zero: it may be silent
	Refused      int64                    // events of one agency within an hour
	Heartbeat    time.Duration            // without one that was taken
	Room         int64                    // bytes of the store, above its reserve, at which to warn
}

// Alarm is something that needs a person's attention.
type Alarm struct {
	Kind
	Since    time.Time
	Text     string   // what is so now
	Subjects []string // ids of what it is about, the first of them
	Count    int64    // of what it is about
}

// maxSubjects bounds what one alarm lists.
const maxSubjects = 20

// Evaluate holds observations against the settings and returns what is raised, the worst first, each code at most once.
func Evaluate(o Observations, s Settings, now time.Time) []Alarm {
	e := evaluation{now: now, kinds: map[Code]Kind{}}
	for _, k := range Kinds() {
		e.kinds[k.Code] = k
	}
	e.engine(o, s)
	e.publishers(o, s)
	e.store(o, s)
	e.people(o, s)
	if o.Leaderless > s.Leaderless {
		e.raise(NoLeader, o.Leaderless, 1, nil, "no sign of a leader for %s", span(o.Leaderless))
	}
	if o.Clock.Wrong != "" {
		e.raise(ClockImplausible, o.Clock.For, 1, nil, "%s", o.Clock.Wrong)
	}
	if o.Heartbeat.Configured && o.Heartbeat.NotTaken > s.Heartbeat {
		e.raise(HeartbeatFailing, o.Heartbeat.NotTaken, 1, nil, "not taken for %s: %s", span(o.Heartbeat.NotTaken), o.Heartbeat.Reason)
	}
	order := map[Code]int{}
	for i, k := range Kinds() {
		order[k.Code] = i
	}
	slices.SortFunc(e.raised, func(a, b Alarm) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(order[a.Code], order[b.Code]))
	})
	return e.raised
}

// Well says whether nothing is raised that has the heartbeat withheld.
func Well(raised []Alarm) bool {
	return !slices.ContainsFunc(raised, func(a Alarm) bool { return a.Unwell })
}

type evaluation struct {
	now    time.Time
	kinds  map[Code]Kind
	raised []Alarm
}

func (e *evaluation) raise(code Code, age time.Duration, count int64, subjects []string, format string, args ...any) {
	if len(subjects) > maxSubjects {
		subjects = subjects[:maxSubjects]
	}
	e.raised = append(e.raised, Alarm{
		Kind: e.kinds[code], Since: e.now.Add(-age), Text: fmt.Sprintf(format, args...), Subjects: subjects, Count: count,
	})
}

// engine looks at what the engine has to do and does not.
func (e *evaluation) engine(o Observations, s Settings) {
	var subjects []string
	var oldest time.Duration
	var count int64
	text := ""
	for _, l := range o.Lanes {
		if l.Count == 0 || l.For <= s.Undispatched[l.Name] {
			continue
		}
		subjects, count, oldest = append(subjects, l.ID), count+l.Count, max(oldest, l.For)
		text = join(text, fmt.Sprintf("%s in the lane %s not sent, the oldest for %s", notices(l.Count), l.Name, span(l.For)))
	}
	if text != "" {
		e.raise(OldestUndispatched, oldest, count, subjects, "%s", text)
	}
	switch {
	case o.Unanswered > s.Unanswered:
		e.raise(EngineStuck, o.Unanswered, 1, nil, "the engine of this instance has not answered for %s", span(o.Unanswered))
	case o.Undecided.Count > 0 && o.Undecided.For > s.Undecided:
		e.raise(EngineStuck, o.Undecided.For, o.Undecided.Count, []string{o.Undecided.ID},
			"%d waiting for a decision, the oldest for %s", o.Undecided.Count, span(o.Undecided.For))
	}
}

func (e *evaluation) publishers(o Observations, s Settings) {
	var behind, silent []string
	var longestBehind, longestSilent time.Duration
	var events int64
	for _, p := range o.Publishers {
		if p.Behind > 0 && p.NotRead > s.NotTaken {
			behind, events, longestBehind = append(behind, p.Agency), events+p.Behind, max(longestBehind, p.NotRead)
		}
		limit, own := s.Silences[p.Agency]
		if !own {
			limit = s.Silence
		}
		if limit > 0 && p.Silent > limit {
			silent, longestSilent = append(silent, p.Agency), max(longestSilent, p.Silent)
		}
	}
	if len(behind) > 0 {
		e.raise(EventsNotTaken, longestBehind, int64(len(behind)), behind, "%d published and not taken in, the oldest for %s",
			events, span(longestBehind))
	}
	if len(silent) > 0 {
		e.raise(SilentPublisher, longestSilent, int64(len(silent)), silent, "%d silent, the longest for %s", len(silent), span(longestSilent))
	}
	var growing []string
	var refused int64
	for _, r := range o.Refused {
		if r.Recent > s.Refused {
			growing, refused = append(growing, r.Agency), refused+r.Recent
		}
	}
	if len(growing) > 0 {
		e.raise(QuarantineGrowing, time.Hour, int64(len(growing)), growing, "%d events refused within the hour", refused)
	}
}

func (e *evaluation) store(o Observations, s Settings) {
	var full []string
	for _, p := range o.Publishers {
		if p.Full {
			full = append(full, p.Agency)
		}
	}
	switch {
	case o.Store.Refusing:
		e.raise(StoreHeadroom, o.Store.RefusedBy, 1, nil, "%s left, below the reserve of %s: new events are refused", size(o.Store.Room), size(o.Store.Reserve))
	case o.Store.Unclear > s.Unanswered:
		e.raise(StoreHeadroom, o.Store.Unclear, 1, nil, "the store has not said for %s how much room it has", span(o.Store.Unclear))
	case len(full) > 0:
		e.raise(StoreHeadroom, 0, int64(len(full)), full, "no room is left in their own streams: raise nats.events_bytes")
	case o.Store.Known && o.Store.Room < o.Store.Reserve+s.Room:
		e.raise(StoreHeadroom, 0, 1, nil, "%s left: below %s new events are refused", size(o.Store.Room), size(o.Store.Reserve))
		e.raised[len(e.raised)-1].Severity = Warning
	}
}

// people looks at what waits for a person.
func (e *evaluation) people(o Observations, s Settings) {
	if len(o.Stops) > 0 {
		ids, oldest := aged(o.Stops)
		e.raise(SendingStopped, oldest, int64(len(ids)), ids, "%d in force, %s held back", len(ids), notices(o.HeldBack))
	}
	if len(o.Failing) > 0 {
		ids, oldest := aged(o.Failing)
		e.raise(ContactFailing, oldest, int64(len(ids)), ids, "%d failing, the longest for %s", len(ids), span(oldest))
	}
	if len(o.Stranded) > 0 {
		ids, oldest := aged(o.Stranded)
		e.raise(TaskOverdue, oldest, int64(len(ids)), ids, "%d overdue, the longest for %s", len(ids), span(oldest))
	}
}

func aged(all []Aged) (ids []string, oldest time.Duration) {
	for _, a := range all {
		ids, oldest = append(ids, a.ID), max(oldest, a.For)
	}
	return ids, oldest
}

func join(text, more string) string {
	if text == "" {
		return more
	}
	return text + "; " + more
}

func notices(n int64) string {
	if n == 1 {
		return "1 notice"
	}
	return fmt.Sprintf("%d notices", n)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int64(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int64(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int64(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int64(d.Hours())/24)
	}
}

// size is bytes as people say them.
func size(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

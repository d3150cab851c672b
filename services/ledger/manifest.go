package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Manifest is what a publisher says that it sent of a day, as far as the ledger knows: what it lists is in the events.
type Manifest struct {
	Agency  notice.AgencyID
	Day     string // YYYY-MM-DD
	FromMS  int64  // the day begins in London
	UntilMS int64  // and ends

	Parts      uint32                      // how many there are; 0 where none counts
	Taken      map[uint32]*ledgerv1.Source // the latest of each
	ExpectedMS int64                       // it should have come by then; 0 where nobody waits for it
	DueMS      int64                       // it is compared then; 0 where nothing is due
	Compared   *ledgerv1.ManifestCompared  // the last comparison, or nil

	came []*ledgerv1.ManifestTaken // the parts that no correction has taken back, oldest first
}

// lay works out which parts count: the latest of each, of those that came since another number of parts did.
func (m *Manifest) lay() {
	m.Parts = 0
	for _, f := range m.came {
		if m.Parts != f.Parts {
			m.Parts, m.Taken = f.Parts, map[uint32]*ledgerv1.Source{}
		}
		m.Taken[f.Part] = f.Source
	}
	if m.Parts == 0 {
		m.Taken = nil
	}
}

// ID names a manifest.
func (m *Manifest) ID() string { return manifestID(m.Agency, m.Day) }

func manifestID(agency notice.AgencyID, day string) string { return string(agency) + " " + day }

// Compare asks for a day's manifest to be held against what was taken in.
type Compare struct{ Manifest *Manifest }

func (Compare) step() {}

// recheckMS is how long after an event that changes what is compared the comparison is made anew: the others of a late
// stream come with it.
const recheckMS = 5 * 60_000

// hourOf is an hour of an agency's events, by the time that the publisher gave.
type hourOf struct {
	agency notice.AgencyID
	hour   int64
}

// manifests is what the State keeps about them.
type manifests struct {
	byID       map[string]*Manifest
	events     map[string][]byte                     // the events that held one → digest
	partOf     map[string]*Manifest                  // and whose part they are
	superseded map[string]bool                       // corrected, whether or not they have come
	newest     map[notice.AgencyID]string            // the latest day, of those expected too
	byHour     map[hourOf]*Manifest                  // by the hours of its day
	about      map[string][]*Manifest                // by lineage: whose last comparison found that it differs
	reported   map[hourOf][]string                   // events by the hour of their time
	refused    map[string]bool                       // lineages of which something was refused
	references map[string]string                     // references that corrections gave → the lineage they belong to
	asked      map[string]*ledgerv1.ManifestCompared // by task: the comparison that opened it
}

func newManifests() manifests {
	return manifests{
		byID: map[string]*Manifest{}, events: map[string][]byte{}, partOf: map[string]*Manifest{}, superseded: map[string]bool{},
		newest: map[notice.AgencyID]string{}, byHour: map[hourOf]*Manifest{}, about: map[string][]*Manifest{},
		reported: map[hourOf][]string{}, refused: map[string]bool{}, references: map[string]string{},
		asked: map[string]*ledgerv1.ManifestCompared{},
	}
}

// Manifest finds what is known of a day's manifest, nil where nothing is.
func (s *State) Manifest(agency notice.AgencyID, day string) *Manifest {
	return s.manifests.byID[manifestID(agency, day)]
}

// ManifestDigest is the digest of an event that held a manifest, for whether it comes again.
func (s *State) ManifestDigest(event string) (digest []byte, ok bool) {
	digest, ok = s.manifests.events[event]
	return digest, ok
}

// ManifestSuperseded says whether the correction of a manifest came before it.
func (s *State) ManifestSuperseded(event string) bool { return s.manifests.superseded[event] }

// Asks says what a task of a manifest is about, and whose manifest it is.
func (s *State) Asks(task string) (agency notice.AgencyID, about []*ledgerv1.ManifestDifference) {
	f := s.manifests.asked[task]
	for _, d := range f.GetDifferences() {
		if d.Task == task {
			about = append(about, d)
		}
	}
	return notice.AgencyID(f.GetAgency()), about
}

// Differing counts what differs by the last comparisons of an agency's manifests.
func (s *State) Differing() map[notice.AgencyID]int64 {
	counts := map[notice.AgencyID]int64{}
	for _, m := range s.manifests.byID {
		counts[m.Agency] += int64(len(m.Compared.GetDifferences())) + int64(m.Compared.GetFurther())
	}
	return counts
}

// ReportedWithin lists an agency's events whose time lies in a span of whole hours, in order of arrival.
func (s *State) ReportedWithin(agency notice.AgencyID, fromMS, untilMS int64) []*Event {
	var events []*Event
	for hour := fromMS / hourMS; hour < untilMS/hourMS; hour++ {
		for _, key := range s.manifests.reported[hourOf{agency, hour}] {
			events = append(events, s.Events[key])
		}
	}
	slices.SortFunc(events, func(a, b *Event) int { return cmp.Compare(a.Source.Sequence, b.Source.Sequence) })
	return events
}

// Referred finds the lineage that a reference stands for, also where a correction brought the reference; nil where
// nothing of it was taken in.
func (s *State) Referred(lineage string) *Lineage {
	if l := s.Lineages[lineage]; l != nil && len(l.Events) > 0 {
		return l
	}
	return s.Lineages[s.manifests.references[lineage]]
}

// RefusedOf says whether an event of a reference was refused.
func (s *State) RefusedOf(lineage string) bool { return s.manifests.refused[lineage] }

func (s *State) manifestTaken(f *ledgerv1.ManifestTaken, atMS int64) error {
	switch {
	case f.Source == nil:
		return s.impossible("takes a manifest in from", "nowhere")
	case s.Events[f.Source.Event] != nil || s.withdrawers[f.Source.Event] != nil:
		return s.impossible("takes a manifest in that is another event", f.Source.Event)
	case s.manifests.events[f.Source.Event] != nil:
		return s.impossible("takes a manifest in twice", f.Source.Event)
	case !isDay(f.Day) || f.NextDay != "" && f.NextDay <= f.Day:
		return s.impossible("takes a manifest in of no day,", f.Source.Event)
	case f.Part < 1 || f.Part > f.Parts || f.FromMs <= 0 || f.UntilMs <= f.FromMs || f.DueMs <= 0 || len(f.Digest) == 0:
		return s.impossible("takes a manifest in without what is needed to compare it,", f.Source.Event)
	}
	agency := notice.AgencyID(f.Source.Agency)
	s.settle(f.Source)
	s.manifests.events[f.Source.Event] = f.Digest
	s.changed(agency, Change{AtMS: atMS, Event: f.Source.Event, Sequence: f.Source.Sequence, State: ChildAccepted})
	if f.Supersedes != "" {
		s.manifests.superseded[f.Supersedes] = true
	}
	left := s.takeBack(f.Supersedes, atMS)
	if f.Overtaken {
		return nil
	}
	m := s.manifest(agency, f.Day, f.FromMs, f.UntilMs)
	m.came = append(m.came, f)
	m.lay()
	s.manifests.partOf[f.Source.Event] = m
	s.due(m, f.DueMs)
	s.expect(f, left)
	return nil
}

// expect has the manifest of the next day expected. A day that is made up for expects nothing of the next, unless it is the
// day that its manifest was given for by mistake.
func (s *State) expect(f *ledgerv1.ManifestTaken, left *Manifest) {
	agency := notice.AgencyID(f.Source.Agency)
	if f.NextDay > s.manifests.newest[agency] {
		s.manifests.newest[agency] = f.NextDay
	} else if left == nil || left.Day != f.NextDay {
		return
	}
	next := s.manifest(agency, f.NextDay, f.UntilMs, f.NextUntilMs)
	next.ExpectedMS = f.NextDueMs
	if next.Parts == 0 && next.DueMS == 0 && next.Compared == nil {
		s.due(next, f.NextDueMs)
	}
}

// takeBack takes what a part listed from its day, because a correction lists it otherwise, and gives the manifest of that day
// where it counted there. What the part had replaced counts again.
func (s *State) takeBack(event string, atMS int64) *Manifest {
	m := s.manifests.partOf[event]
	if m == nil {
		return nil
	}
	delete(s.manifests.partOf, event)
	m.came = slices.DeleteFunc(m.came, func(f *ledgerv1.ManifestTaken) bool { return f.Source.Event == event })
	m.lay()
	switch {
	case m.Compared != nil: // what was asked because of it is settled, or asked otherwise
		s.due(m, atMS)
	case m.Parts == 0 && m.ExpectedMS != 0:
		s.due(m, m.ExpectedMS)
	case m.Parts == 0:
		m.DueMS = 0
	}
	return m
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

func (s *State) manifest(agency notice.AgencyID, day string, fromMS, untilMS int64) *Manifest {
	m := s.Manifest(agency, day)
	if m == nil {
		m = &Manifest{Agency: agency, Day: day, FromMS: fromMS, UntilMS: untilMS}
		s.manifests.byID[m.ID()] = m
		for hour := fromMS / hourMS; hour < untilMS/hourMS; hour++ {
			s.manifests.byHour[hourOf{agency, hour}] = m
		}
	}
	return m
}

func (s *State) due(m *Manifest, atMS int64) {
	m.DueMS = atMS
	s.arm(&s.timers, timer{atMS: atMS, kind: manifestTimer, id: m.ID()})
}

// recheck has manifests compared anew that were compared without an event that has come, or gone, since.
func (s *State) recheck(agency notice.AgencyID, atMS int64, reportedMS int64, lineages ...string) {
	again := func(m *Manifest) {
		if m != nil && m.Compared != nil && m.DueMS == 0 {
			s.due(m, atMS+recheckMS)
		}
	}
	again(s.manifests.byHour[hourOf{agency, reportedMS / hourMS}])
	for _, lineage := range lineages {
		for _, m := range s.manifests.about[lineage] {
			again(m)
		}
	}
}

// reportedNow notes an event for the manifest of its day.
func (s *State) reportedNow(f *ledgerv1.EventAccepted, atMS int64) {
	agency := notice.AgencyID(f.Source.Agency)
	at := hourOf{agency, f.TimeMs / hourMS}
	s.manifests.reported[at] = append(s.manifests.reported[at], f.Source.Event)
	if f.Reference != "" {
		s.manifests.references[f.Reference] = f.Lineage
	}
	s.recheck(agency, atMS, f.TimeMs, f.Lineage, f.Reference)
}

// withdrawnFrom has manifests compared anew from which an event was withdrawn, or which were withdrawn themselves.
func (s *State) withdrawnFrom(event string, atMS int64) {
	if e := s.Events[event]; e != nil {
		s.recheck(notice.AgencyID(e.Source.Agency), atMS, e.TimeMs, e.Lineage)
	}
	if m := s.manifests.partOf[event]; m != nil && m.Compared != nil && m.DueMS == 0 {
		s.due(m, atMS)
	}
}

func (s *State) manifestCompared(f *ledgerv1.ManifestCompared, atMS int64) error {
	m := s.Manifest(notice.AgencyID(f.Agency), f.Day)
	if m == nil {
		return s.impossible("compares an unknown manifest", manifestID(notice.AgencyID(f.Agency), f.Day))
	}
	made := map[string]bool{}
	for _, t := range f.Tasks {
		if err := s.mayOpen(t); err != nil || made[t.Id] || t.Kind != ledgerv1.TaskKind_TASK_KIND_MANIFEST {
			return s.impossible("opens a task that cannot be", t.Id)
		}
		made[t.Id] = true
	}
	for _, id := range f.SettledTasks {
		if t := s.Tasks[id]; t == nil || t.Kind != ledgerv1.TaskKind_TASK_KIND_MANIFEST {
			return s.impossible("settles a task that is no manifest's", id)
		}
	}
	for _, d := range f.Differences {
		if d.What == ledgerv1.Divergence_DIVERGENCE_UNSPECIFIED || d.Task == "" || !made[d.Task] && s.Tasks[d.Task] == nil {
			return s.impossible("finds a difference that nobody is asked about in manifest", m.ID())
		}
	}
	before := m.Compared
	for _, d := range before.GetDifferences() {
		s.manifests.about[d.Lineage] = slices.DeleteFunc(s.manifests.about[d.Lineage], func(other *Manifest) bool { return other == m })
		if len(s.manifests.about[d.Lineage]) == 0 {
			delete(s.manifests.about, d.Lineage)
		}
	}
	m.Compared, m.DueMS = f, 0
	if m.Parts == 0 && m.ExpectedMS > atMS { // what came was of another day
		s.due(m, m.ExpectedMS)
	}
	for _, d := range f.Differences {
		if d.Lineage != "" {
			s.manifests.about[d.Lineage] = append(s.manifests.about[d.Lineage], m)
		}
		s.manifests.asked[d.Task] = f
	}
	for _, id := range f.SettledTasks {
		if t := s.Tasks[id]; !t.Ended() {
			t.State = TaskSettled
		}
	}
	for _, t := range f.Tasks {
		s.opened(t, atMS)
	}
	if before == nil || before.Further != f.Further || !slices.EqualFunc(before.Differences, f.Differences, sameDifference) {
		s.changed(m.Agency, Change{AtMS: atMS, Manifest: f})
	}
	return nil
}

func sameDifference(a, b *ledgerv1.ManifestDifference) bool {
	return a.What == b.What && a.Lineage == b.Lineage && a.Part == b.Part && a.Listed == b.Listed && a.Taken == b.Taken
}

// ManifestTasks lists the tasks that comparisons of a manifest opened and that have no end, by id.
func (s *State) ManifestTasks(m *Manifest) []string {
	var open []string
	for _, d := range m.Compared.GetDifferences() {
		if t := s.Tasks[d.Task]; t != nil && !t.Ended() && !slices.Contains(open, d.Task) {
			open = append(open, d.Task)
		}
	}
	slices.SortFunc(open, strings.Compare)
	return open
}

func (s *State) manifestStep(t timer) Step {
	if m := s.manifests.byID[t.id]; m.DueMS == t.atMS {
		return Compare{Manifest: m}
	}
	return nil
}

// OfDay lists the events of a lineage that a manifest of a day lists the lineage for: those reported within it, and those
// taken in within it, whatever their time. None of no lineage.
func (s *State) OfDay(l *Lineage, fromMS, untilMS int64) []*Event {
	if l == nil {
		return nil
	}
	within := func(ms int64) bool { return ms >= fromMS && ms < untilMS }
	var events []*Event
	for _, key := range l.Events {
		if e := s.Events[key]; within(e.TimeMs) || within(e.AtMS) {
			events = append(events, e)
		}
	}
	return events
}

func byChildren(a, b *Event) int { return cmp.Compare(a.Children, b.Children) }

// ChildrenTaken gives how many children of a lineage were taken in, as a publisher may count them: as the lineage stands
// now, and as it stood by the events of a day, which a later one may have corrected. None where nothing stands, or where
// the ledger is from before children were counted.
func (s *State) ChildrenTaken(l *Lineage, day []*Event) []uint32 {
	var counts []uint32
	add := func(n uint32) {
		if n > 0 && !slices.Contains(counts, n) {
			counts = append(counts, n)
		}
	}
	heads := s.Heads(l)
	if len(heads) == 0 {
		return nil // all of it was withdrawn
	}
	distinct := map[string]bool{}
	for _, c := range l.Children {
		distinct[c.Child] = true
	}
	add(uint32(len(distinct)))
	if len(heads) == 1 {
		add(heads[0].Children)
	} else { // a child whom nobody knows may be in two reports under two handles, and counts as two here
		for n := slices.MaxFunc(heads, byChildren).Children; n < uint32(len(distinct)); n++ {
			add(n)
		}
	}
	stood := slices.DeleteFunc(slices.Clone(day), func(e *Event) bool {
		return e.Withdrawn || slices.ContainsFunc(day, func(other *Event) bool { return s.overtakers[e.Source.Event] == other.Source.Event })
	})
	if len(stood) == 1 {
		add(stood[0].Children)
	}
	return counts
}

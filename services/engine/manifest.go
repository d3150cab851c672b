package engine

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	// mostDifferences is how many differences one comparison lists. A day of which nothing arrived has thousands.
	mostDifferences = 1000
	// mostManifestTasks is how many of them get a task of their own; the others share one.
	mostManifestTasks = 50
)

// takeManifest takes a part of a manifest in. It is about other events, and routed to nobody.
func (e *Engine) takeManifest(agency notice.AgencyID, source *ledgerv1.Source, digest []byte, m Message) {
	listed := m.Event.GetManifest()
	day, err := directory.ParseDate(listed.GetDay())
	if err != nil {
		e.refuse(agency, source, m)
		return
	}
	supersedes := ""
	if m.Event.Supersedes != "" {
		supersedes = e.eventKey(agency, m.Event.Supersedes)
		if _, withdrew := e.state.Withdrew(supersedes); withdrew || e.state.Events[supersedes] != nil {
			e.refuse(agency, source, m)
			return
		}
	}
	_, current := e.Current()
	next := day.AddDays(1)
	until, nextUntil := next.At("00:00"), next.AddDays(1).At("00:00")
	due := until
	if now := e.now(); now.After(due) {
		due = now
	}
	e.bodies.put(source, m.Event)
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestTaken{ManifestTaken: &ledgerv1.ManifestTaken{
		Source: source, Digest: digest, Day: day.String(), Part: listed.GetPart(), Parts: listed.GetParts(),
		Entries: uint32(len(listed.GetEntries())), FromMs: day.At("00:00").UnixMilli(), UntilMs: until.UnixMilli(),
		DueMs: due.Add(current.ManifestGrace()).UnixMilli(), NextDay: next.String(), NextUntilMs: nextUntil.UnixMilli(),
		NextDueMs: nextUntil.Add(current.ManifestDue()).UnixMilli(), Supersedes: supersedes,
		Overtaken: e.state.ManifestSuperseded(source.Event),
	}}})
}

// listing is what a day's manifest says.
type listing struct {
	sources []*ledgerv1.Source
	missing []uint32 // parts
	entries []listed
}

// listed is one reference of a manifest.
type listed struct {
	lineage  string // that its reference stands for
	source   *ledgerv1.Source
	entry    uint32
	children uint32
}

// readManifest has a day's manifest read, to be compared then. Its parts may be a hundred events of the largest size, more
// than anything else asks for at once: they are read aside from the owning goroutine, which goes on meanwhile.
func (e *Engine) readManifest(m *ledger.Manifest) {
	if m.DueMS == 0 || m.DueMS > e.nowMS() || e.reading[m.ID()] {
		return
	}
	agency, parts := m.Agency, e.parts(m)
	e.reading[m.ID()] = true
	e.crew.run(func() {
		list, err := e.listing(agency, parts)
		// Where Run has ended meanwhile nobody takes it: it is due still.
		_ = e.hand(e.work, func() {
			delete(e.reading, m.ID())
			e.haveRead(m, parts, list, err)
		})
	})
}

// haveRead goes on with a manifest that was read, unless something has come meanwhile that makes it another.
func (e *Engine) haveRead(m *ledger.Manifest, parts []*ledgerv1.Source, list listing, err error) {
	switch {
	case m.DueMS == 0 || m.DueMS > e.nowMS():
	case e.distrusts:
		e.again(ledger.Compare{Manifest: m})
	case !slices.Equal(parts, e.parts(m)):
		e.readManifest(m)
	case err != nil && notice.KindOf(err) == notice.NotFound: // erased: there is nothing to compare
	case err != nil:
		e.postpone(ledger.Compare{Manifest: m}, err)
	default:
		e.compare(m, list)
	}
}

// parts are those of a manifest, nil where one has not come, or was withdrawn.
func (e *Engine) parts(m *ledger.Manifest) []*ledgerv1.Source {
	parts := make([]*ledgerv1.Source, m.Parts)
	for i := range parts {
		if src := m.Taken[uint32(i)+1]; src != nil && e.state.Withdrawals[src.Event] == nil {
			parts[i] = src
		}
	}
	return parts
}

// compare holds a day's manifest against what was taken in. It goes by the ledger, so that it says the same whichever
// instance leads; what the manifest lists was read from the events, where it can be erased.
func (e *Engine) compare(m *ledger.Manifest, list listing) {
	f := &ledgerv1.ManifestCompared{
		Agency: string(m.Agency), Day: m.Day, Sources: list.sources, References: uint32(len(list.entries)),
		Differences: e.differences(m, list),
	}
	if all := len(f.Differences); all > mostDifferences {
		f.Differences, f.Further = f.Differences[:mostDifferences], uint32(all-mostDifferences)
	}
	e.askAbout(m, f)
	e.record(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ManifestCompared{ManifestCompared: f}})
	e.tellPublisher(m.Agency)
}

// listing reads parts of a manifest. A reference that two parts list has the more children of the two. It runs aside from
// the owning goroutine, and keeps none of the events: a large manifest would take the room of all others.
func (e *Engine) listing(agency notice.AgencyID, parts []*ledgerv1.Source) (listing, error) {
	var list listing
	at := map[string]int{}
	for i, src := range parts {
		if src == nil {
			list.missing = append(list.missing, uint32(i)+1)
			continue
		}
		body := e.bodies.get(src)
		if body == nil {
			var err error
			if body, err = e.read(e.work, src); err != nil {
				return list, err
			}
		}
		list.sources = append(list.sources, src)
		for j, entry := range body.GetManifest().GetEntries() {
			key := e.config.Key.ID("lineage", string(agency), entry.GetKind(), entry.GetSubject())
			if before, twice := at[key]; twice {
				list.entries[before].children = max(list.entries[before].children, entry.GetChildren())
				continue
			}
			at[key] = len(list.entries)
			list.entries = append(list.entries, listed{lineage: key, source: src, entry: uint32(j), children: entry.GetChildren()})
		}
	}
	return list, nil
}

func (e *Engine) differences(m *ledger.Manifest, list listing) []*ledgerv1.ManifestDifference {
	if len(list.sources) == 0 {
		if m.Parts == 0 && (m.ExpectedMS == 0 || m.ExpectedMS > e.nowMS()) {
			return nil // what came was of another day, and nobody waits for this one yet
		}
		return []*ledgerv1.ManifestDifference{{What: ledgerv1.Divergence_DIVERGENCE_NO_MANIFEST}}
	}
	var found []*ledgerv1.ManifestDifference
	for _, part := range list.missing {
		found = append(found, &ledgerv1.ManifestDifference{What: ledgerv1.Divergence_DIVERGENCE_PART_MISSING, Part: part})
	}
	known := map[string]bool{}
	for _, entry := range list.entries {
		l := e.state.Referred(entry.lineage)
		if l != nil {
			known[l.ID] = true
		}
		if d := e.difference(m, entry, l); d != nil {
			found = append(found, d)
		}
	}
	if len(list.missing) > 0 {
		return found // what is not listed may be in a part that is missing
	}
	for _, ev := range e.state.ReportedWithin(m.Agency, m.FromMS, m.UntilMS) {
		if known[ev.Lineage] || ev.Withdrawn {
			continue
		}
		known[ev.Lineage] = true
		found = append(found, &ledgerv1.ManifestDifference{
			What: ledgerv1.Divergence_DIVERGENCE_NOT_LISTED, Lineage: ev.Lineage, Source: ev.Source, Taken: ev.Children,
		})
	}
	return found
}

// difference holds one reference against what was taken in of it, nil where they agree.
func (e *Engine) difference(m *ledger.Manifest, entry listed, l *ledger.Lineage) *ledgerv1.ManifestDifference {
	d := &ledgerv1.ManifestDifference{Lineage: entry.lineage, Source: entry.source, Entry: entry.entry, Listed: entry.children}
	day := e.state.OfDay(l, m.FromMS, m.UntilMS)
	switch {
	case len(day) == 0 && e.state.RefusedOf(entry.lineage):
		d.What = ledgerv1.Divergence_DIVERGENCE_REFUSED
		return d
	case len(day) == 0:
		d.What = ledgerv1.Divergence_DIVERGENCE_NOT_TAKEN_IN
		return d
	}
	d.Lineage = l.ID
	counts := e.state.ChildrenTaken(l, day)
	if len(counts) == 0 || slices.Contains(counts, entry.children) {
		return nil
	}
	d.Taken, d.What = counts[0], ledgerv1.Divergence_DIVERGENCE_FEWER_CHILDREN
	if d.Taken > d.Listed {
		d.What = ledgerv1.Divergence_DIVERGENCE_MORE_CHILDREN
	}
	return d
}

// askAbout gives each difference its task, opens those that are new and settles those that nothing calls for any more. The
// same difference is asked about once, whatever a person said of it.
func (e *Engine) askAbout(m *ledger.Manifest, f *ledgerv1.ManifestCompared) {
	wanted := map[string]bool{}
	ask := func(id, lineage, detail string) string {
		for t := e.state.Tasks[id]; t != nil && t.State == ledger.TaskSettled; t = e.state.Tasks[id] {
			id = e.config.Key.ID("task", id) // needed again
		}
		if !wanted[id] && e.state.Tasks[id] == nil {
			f.Tasks = append(f.Tasks, e.manifestTask(m, id, lineage, detail))
		}
		wanted[id] = true
		return id
	}
	own := min(len(f.Differences), mostManifestTasks)
	for _, d := range f.Differences[:own] {
		lineage := ""
		if e.state.Lineages[d.Lineage] != nil {
			lineage = d.Lineage
		}
		d.Task = ask(e.manifestTaskID(m, differenceKey(d)), lineage, differenceDetail(m, d))
	}
	if rest := f.Differences[own:]; len(rest) > 0 {
		keys := make([]string, len(rest))
		for i, d := range rest {
			keys[i] = differenceKey(d)
		}
		id := ask(e.manifestTaskID(m, "rest", strings.Join(keys, "\n"), fmt.Sprint(f.Further)), "", fmt.Sprintf(
			"%d more references differ between the manifest of %s and what was taken in: see `signalbox feedback`, and publish what is missing",
			len(rest)+int(f.Further), m.Day))
		for _, d := range rest {
			d.Task = id
		}
	}
	for _, id := range e.state.ManifestTasks(m) {
		if !wanted[id] {
			f.SettledTasks = append(f.SettledTasks, id)
		}
	}
}

func (e *Engine) manifestTaskID(m *ledger.Manifest, of ...string) string {
	return e.config.Key.ID("task", append([]string{ledgerv1.TaskKind_TASK_KIND_MANIFEST.String(), string(m.Agency), m.Day}, of...)...)
}

func differenceKey(d *ledgerv1.ManifestDifference) string {
	return fmt.Sprintf("%d %s %d %d %d", d.What, d.Lineage, d.Part, d.Listed, d.Taken)
}

// manifestTask asks the publisher's desk. Overdue, it goes to the duty officer of the same organisation: nobody else knows
// what was sent.
func (e *Engine) manifestTask(m *ledger.Manifest, id, lineage, detail string) *ledgerv1.Task {
	snapshot, current := e.Current()
	kind := ledgerv1.TaskKind_TASK_KIND_MANIFEST
	task := &ledgerv1.Task{
		Id: id, Kind: kind, Role: "desk", Lineage: lineage, DueMs: e.now().Add(current.TaskTime(kind)).UnixMilli(), Detail: detail,
	}
	agency, ok := snapshot.Agency(m.Agency)
	if !ok {
		e.Logger.Error("a task has no owner: the agency's organisation is not in the directory", zap.String("task", task.Id))
		return task
	}
	task.Organisation, task.EscalateTo = agency.Organisation, agency.Organisation
	return task
}

func differenceDetail(m *ledger.Manifest, d *ledgerv1.ManifestDifference) string {
	switch d.What {
	case ledgerv1.Divergence_DIVERGENCE_NOT_TAKEN_IN:
		return fmt.Sprintf("the manifest of %s lists a reference of which nothing was taken in, about %s: publish its event, or correct the manifest",
			m.Day, childrenText(d.Listed))
	case ledgerv1.Divergence_DIVERGENCE_REFUSED:
		return fmt.Sprintf("the manifest of %s lists a reference of which all that came was refused, about %s: correct the event and publish it again",
			m.Day, childrenText(d.Listed))
	case ledgerv1.Divergence_DIVERGENCE_FEWER_CHILDREN:
		return fmt.Sprintf("the manifest of %s says %s under a reference, and %d taken in: publish a correction that names every child",
			m.Day, childrenText(d.Listed), d.Taken)
	case ledgerv1.Divergence_DIVERGENCE_MORE_CHILDREN:
		return fmt.Sprintf("the manifest of %s says %s under a reference, and %d taken in: correct the manifest, or publish a correction without the child who does not belong to it",
			m.Day, childrenText(d.Listed), d.Taken)
	case ledgerv1.Divergence_DIVERGENCE_NOT_LISTED:
		return fmt.Sprintf("a reference was taken in that the manifest of %s does not list, about %s: correct the manifest, or withdraw the event",
			m.Day, childrenText(d.Taken))
	case ledgerv1.Divergence_DIVERGENCE_PART_MISSING:
		return fmt.Sprintf("part %d of the manifest of %s has not come: publish it", d.Part, m.Day)
	case ledgerv1.Divergence_DIVERGENCE_NO_MANIFEST:
		return fmt.Sprintf("the manifest of %s has not come: publish it, also where nothing was sent that day", m.Day)
	case ledgerv1.Divergence_DIVERGENCE_UNSPECIFIED:
	}
	return "the manifest of " + m.Day + " differs from what was taken in: see `signalbox feedback`"
}

func childrenText(n uint32) string {
	if n == 1 {
		return "1 child"
	}
	return fmt.Sprintf("%d children", n)
}

package intake

import (
	"fmt"
	"slices"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// manifestDays is how many days back a manifest may be about: what is older was compared long ago, or never will be.
const manifestDays = 31

// checkManifest sees to it that a manifest is of a day that has come, lists each reference once, and tells nothing of
// anybody.
func checkManifest(ev *eventv1.Event, m *eventv1.Manifest, came moment, found *faults) {
	if dateShaped(m.GetDay()) {
		day, err := directory.ParseDate(m.GetDay())
		today := directory.DateOf(came.at)
		switch {
		case err != nil:
			found.add("manifest.day", "is not a date of the calendar: give the day as YYYY-MM-DD")
		case !came.known:
		case day.After(today):
			found.add("manifest.day", "is in the future: publish the manifest of a day once the day is over")
		case day.Before(today.AddDays(-manifestDays)):
			found.add("manifest.day", "is more than %d days ago: correct the day", manifestDays)
		}
	}
	if m.GetPart() > m.GetParts() && m.GetParts() > 0 {
		found.add("manifest.part", "is more than parts: number the parts from 1")
	}
	seen := map[[2]string]bool{}
	for i, entry := range m.GetEntries() {
		at := fmt.Sprintf("manifest.entries[%d]", i)
		if kind := notice.EventKind(entry.GetKind()); kind != "" && !slices.Contains(notice.EventKinds(), kind) {
			found.add(at+".kind", "is not a kind of event that a manifest lists: use %s", kindList(notice.EventKinds()))
		}
		key := [2]string{entry.GetKind(), entry.GetSubject()}
		if seen[key] {
			found.add(at+".subject", "stands twice: list each reference once, with all its children")
		}
		seen[key] = true
	}
	namesNobody(ev, "a manifest", found)
}

// namesNobody sees to it that an event about other events says nothing of people.
func namesNobody(ev *eventv1.Event, what string, found *faults) {
	for field, set := range map[string]bool{
		"children": len(ev.GetChildren()) > 0, "people": len(ev.GetPeople()) > 0, "narrative": ev.GetNarrative() != nil,
		"checks": ev.GetChecks() != nil,
	} {
		if set {
			found.add(field, "does not belong in %s, which names nobody: leave it out", what)
		}
	}
}

package routing

import (
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Reported is a report of a child whom somebody on a roll certainly is.
type Reported struct {
	Event *eventv1.Event
	Child *eventv1.Child
	ID    notice.ChildID // in the directory
	Named bool           // by a person: no doubt is left
}

// Listed says whether the list that a subscription brings may name a child at an instant: a child on a roll and under 18,
// who lives in its area, is looked after by the area's authority, or was reported there. What seals the child, or bars the
// subscriber or its area, keeps the child off, as it does where it concerns somebody who may be the same child.
func Listed(sub *directoryv1.Subscription, r Reported, dir *directory.Snapshot, at time.Time) bool {
	known, ok := dir.Child(r.ID)
	if !ok || OfAge(r.Child, known, at) {
		return false
	}
	d := &decider{Facts: Facts{Directory: dir, Now: at}}
	s := &subject{restrictions: d.restrictions(d.mayBe(r))}
	if slices.ContainsFunc(s.restrictions, directory.Seals) || d.bar(s, notice.OrgID(sub.GetOrganisation())) != nil {
		return false
	}
	child := d.completed(r.Child, known)
	return slices.ContainsFunc([]string{child.ResidenceArea, child.LookedAfterBy, r.Event.Area}, func(place string) bool {
		return dir.Within(notice.Area(place), notice.Area(sub.GetArea()))
	})
}

// mayBe is everybody on a roll who may be the child by now.
func (d *decider) mayBe(r Reported) []notice.ChildID {
	if r.Named {
		return []notice.ChildID{r.ID}
	}
	found := d.Directory.Match(query(r.Child))
	return append(slices.Clone(found.Candidates), found.Child, r.ID)
}

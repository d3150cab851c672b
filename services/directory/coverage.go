package directory

import (
	"cmp"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Coverage is how many settings or organisations of one kind in one area a notice can be sent to.
type Coverage struct {
	Area    notice.Area // empty for organisations that serve no area
	Kind    string
	Setting bool // of settings, not organisations
	Total   int
	Without []notice.OrgID // those without a contact that a notice can be sent to, by id
}

// Cover counts the settings that are open on a day and the organisations, by area and kind: those of one area, or of all
// where it is empty. One is covered that has a contact by email, gRPC or inbox which a person confirmed, which is in use on
// that day and which usable, unless nil, says works. Three things cover nobody: a telephone number, which it takes a person
// to call; an inbox of an agency that does not act for the organisation, which it cannot read; and a contact for the
// holidays alone, which nothing is sent to on most days.
func (s *Snapshot) Cover(area notice.Area, on Date, usable func(*directoryv1.Contact) bool) []Coverage {
	type line struct {
		area    notice.Area
		setting bool
		kind    string
	}
	found := make(map[line]*Coverage)
	count := func(l line, id notice.OrgID) {
		if area != "" && l.area != area {
			return
		}
		c := found[l]
		if c == nil {
			c = &Coverage{Area: l.area, Kind: l.kind, Setting: l.setting}
			found[l] = c
		}
		c.Total++
		if !slices.ContainsFunc(s.contacts[id], func(c *directoryv1.Contact) bool { return s.reaches(c, on) && (usable == nil || usable(c)) }) {
			c.Without = append(c.Without, id)
		}
	}
	for id, setting := range s.settings {
		if OpenOn(setting, on) {
			count(line{notice.Area(setting.GetArea()), true, setting.GetKind()}, id)
		}
	}
	for id, org := range s.organisations {
		count(line{notice.Area(org.GetArea()), false, org.GetKind()}, id)
	}
	all := make([]Coverage, 0, len(found))
	for _, c := range found {
		slices.Sort(c.Without)
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Coverage) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), boolCompare(b.Setting, a.Setting), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

// reaches says whether a notice may be sent to a contact on a day, and not in the holidays alone.
func (s *Snapshot) reaches(c *directoryv1.Contact, on Date) bool {
	if c.GetVerifiedOn() == "" || !InUse(c, on) || c.GetUse() == UseHoliday {
		return false
	}
	switch c.GetChannel() {
	case "email", "grpc":
		return true
	case "inbox":
		return s.ActsFor(c.GetAddress(), c.GetOrganisation())
	default:
		return false
	}
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

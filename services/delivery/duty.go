package delivery

import (
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Watch is a span of time in which one contact of a role is sent to, for one reason.
type Watch struct {
	From, Until time.Time
	Contact     *directoryv1.Contact // nil where nobody can be sent to
	Why         directoryv1.DutyWhy
	InsteadOf   string // the contact whose shift it has, by a swap
	Gap         bool   // nobody is on duty; who is named is sent to all the same
	Passed      []Skip // who is on the rota and cannot be sent to
	Holiday     bool   // a setting's holiday, in which its holiday contacts are sent to
}

// Watches says who would be sent to from one instant to another, about a child without restrictions: what Resolve would
// answer at each instant, with neighbours that say the same joined. The link may use any contact; while a setting is on
// holiday, by its own calendar, it uses what is given for that.
func Watches(snap *directory.Snapshot, org notice.OrgID, role, inHoliday string, from, until time.Time) []Watch {
	seasons := []directory.Season{{From: from, Until: until}}
	if _, setting := snap.Setting(org); setting && inHoliday == directory.UseHoliday {
		seasons = snap.Calendar(org).Seasons(from, until)
	}
	var watches []Watch
	for _, season := range seasons {
		use := directory.UseAny
		if season.Holiday {
			use = inHoliday
		}
		for _, span := range snap.Spans(org, role, use, season.From, season.Until) {
			w := watch(span, snap)
			w.Holiday = season.Holiday
			if last := len(watches) - 1; last >= 0 && watches[last].continues(w) {
				watches[last].Until = w.Until
				continue
			}
			watches = append(watches, w)
		}
	}
	return watches
}

func watch(span directory.Span, snap *directory.Snapshot) Watch {
	w := Watch{From: span.From, Until: span.Until, Why: directoryv1.DutyWhy_DUTY_WHY_NOBODY, Gap: true, Passed: missing(span.Duty)}
	for _, turn := range span.Duty.Turns {
		reason := unfit(turn.Contact, barrier{}, snap, span.From, History{})
		if reason == "" {
			w.Contact, w.Why, w.InsteadOf, w.Gap = turn.Contact, turn.Why, turn.InsteadOf, !turn.OnDuty()
			if turn.OnShift() { // that somebody on the rota has a telephone as well needs no saying
				w.Passed = slices.DeleteFunc(w.Passed, func(s Skip) bool { return s.Reason == reasonTelephone })
			}
			break
		}
		if turn.OnShift() {
			w.Passed = append(w.Passed, Skip{Contact: turn.Contact.GetId(), Reason: reason})
		}
	}
	return w
}

func (w Watch) continues(next Watch) bool {
	return w.Holiday == next.Holiday && w.Contact == next.Contact && w.Why == next.Why && w.InsteadOf == next.InsteadOf && slices.Equal(w.Passed, next.Passed)
}

// missing are those on the rota who are no contact of the role any more.
func missing(duty directory.Duty) []Skip {
	var skips []Skip
	for _, id := range duty.Missing {
		skips = append(skips, Skip{Contact: id, Reason: "on the rota, but no contact of the role any more"})
	}
	return skips
}

// onRota begins the reason for passing over a contact who has the shift.
func onRota(duty directory.Duty, c *directoryv1.Contact) string {
	if turn, ok := duty.Of(c.GetId()); ok && turn.OnShift() {
		return "on the rota, but "
	}
	return ""
}

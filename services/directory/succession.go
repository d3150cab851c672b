package directory

import (
	"maps"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// SuccessionKind says what became of a setting.
type SuccessionKind int

// What became of a setting. The zero value is never answered.
const (
	_                SuccessionKind = iota
	SettingOpen                     // open: it is its own answer
	SuccessorOne                    // closed, with one open successor at the end of its chains
	SuccessorSeveral                // closed, with several: a person chooses
	SuccessorNone                   // closed or not yet open, with none
	SettingUnknown                  // not in the directory
)

// String names the kind.
func (k SuccessionKind) String() string {
	switch k {
	case SettingOpen:
		return "open"
	case SuccessorOne:
		return "one successor"
	case SuccessorSeveral:
		return "several successors"
	case SuccessorNone:
		return "no successor"
	case SettingUnknown:
		return "unknown setting"
	default:
		return "invalid"
	}
}

// Succession is the setting to turn to in place of another.
type Succession struct {
	Kind     SuccessionKind
	Settings []notice.OrgID // by id; those to turn to or choose from
}

// Succession follows a setting to the open settings that took its place by a day. A setting that is to close is open,
// and so is one whose closing date is still to come; one that is proposed opens on its date. Links that return to a
// setting already seen, that are dated later than the day, or that lead to a setting not in the directory are not
// followed.
func (s *Snapshot) Succession(id notice.OrgID, on Date) Succession {
	first, ok := s.settings[id]
	if !ok {
		return Succession{Kind: SettingUnknown}
	}
	if OpenOn(first, on) {
		return Succession{Kind: SettingOpen, Settings: []notice.OrgID{id}}
	}
	seen := map[notice.OrgID]bool{id: true}
	final := make(map[notice.OrgID]bool)
	queue := []*directoryv1.Setting{first}
	for len(queue) > 0 {
		closed := queue[0]
		queue = queue[1:]
		for _, link := range closed.GetSuccessors() {
			next := notice.OrgID(link.GetSetting())
			setting, ok := s.settings[next]
			if !ok || seen[next] || optionalDate(link.GetOn()).After(on) {
				continue
			}
			seen[next] = true
			if OpenOn(setting, on) {
				final[next] = true
			} else {
				queue = append(queue, setting)
			}
		}
	}
	settings := slices.Sorted(maps.Keys(final))
	switch len(settings) {
	case 0:
		return Succession{Kind: SuccessorNone}
	case 1:
		return Succession{Kind: SuccessorOne, Settings: settings}
	default:
		return Succession{Kind: SuccessorSeveral, Settings: settings}
	}
}

// OpenOn says whether a setting is open on a day. A register that says closed without a date means closed.
func OpenOn(s *directoryv1.Setting, on Date) bool {
	switch s.GetStatus() {
	case "open", "closing":
		return true
	case "closed":
		return on.Before(optionalDate(s.GetClosedOn()))
	default: // proposed
		opened := optionalDate(s.GetOpenedOn())
		return !opened.IsZero() && !on.Before(opened)
	}
}

package routing_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// story tells decisions as sentences. Ids are told as numbers in the order in which they come up.
type story struct {
	strings.Builder
	names map[string]string
}

func newStory() *story { return &story{names: map[string]string{}} }

func (s *story) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

func (s *story) name(kind, id string) string {
	if s.names[id] == "" {
		of := 1
		for name := range maps.Values(s.names) {
			if strings.HasPrefix(name, kind+" ") {
				of++
			}
		}
		s.names[id] = fmt.Sprintf("%s %d", kind, of)
	}
	return s.names[id]
}

// child is a key: the directory's id as it stands, a keyed hash by number.
func (s *story) child(key string) string {
	switch {
	case key == "":
		return "no child by name"
	case slices.ContainsFunc(pupils(), func(p pupil) bool { return p.id == key }):
		return key
	default:
		return s.name("unknown child", key)
	}
}

func clockTime(ms int64) string {
	return time.UnixMilli(ms).In(directory.London()).Format("Mon 2 Jan 2006 15:04 MST")
}

func (s *story) tell(heading string, d *ledgerv1.Decision) {
	s.line("%s", heading)
	s.line("Round %d, cause %s.", d.Round, strings.ToLower(strings.TrimPrefix(d.Cause.String(), "CAUSE_")))
	for _, c := range d.Children {
		s.line("  %q is %s: %s, %s.", c.Ref, s.child(c.Child), strings.ToLower(c.Match.String()), c.Reason)
	}
	for _, n := range d.Notices {
		s.notice(n)
	}
	for _, id := range d.Kept {
		s.line("  Keep %s.", s.name("notice", id))
	}
	for _, x := range d.Superseded {
		by := "nothing"
		if x.By != "" {
			by = s.name("notice", x.By)
		}
		s.line("  End %s, replaced by %s: %s.", s.name("notice", x.Notice), by, x.Reason)
	}
	for _, c := range d.Considered {
		s.line("  Not told: %q of %s (%s): %s.", c.Organisation, s.child(c.Child), c.Rule, c.Reason)
	}
	for _, g := range d.Gaps {
		s.line("  Gap: %s of %s (%s): %s.", g.Function, s.child(g.Child), g.Rule, g.Reason)
	}
	for _, t := range d.Tasks {
		s.task(t)
	}
	for _, id := range d.SettledTasks {
		s.line("  Settled: %s.", s.name("task", id))
	}
	for _, c := range d.Contributions {
		s.line("  Before term opens on %s: %s, held by %s (%s), handles %q.", c.Opens, s.child(c.Child), c.Organisation, c.Rule, c.Refs)
	}
	s.line("")
}

func (s *story) notice(n *ledgerv1.Notice) {
	s.line("  Tell %s of %s (%s): %s.", n.Organisation, s.child(n.Child), n.Rule, n.Because)
	replaces := ""
	if n.Replaces != "" {
		replaces = ", in place of " + s.name("notice", n.Replaces)
	}
	s.line("    %s, version %d%s, %s; as %s, view %s, basis %s, handles %q.", s.name("notice", n.Id), n.Version, replaces,
		strings.ToLower(n.Lane.String()), n.Function, n.View, n.Basis, n.Refs)
	if n.ReleaseMs > 0 {
		s.line("    Not before %s.", clockTime(n.ReleaseMs))
	}
	end := "Delivered"
	if n.Acknowledge {
		end = "Acknowledged"
	}
	s.line("    %s by %s: %s.", end, clockTime(n.DueMs), n.DueBecause)
	for i, l := range n.Chain {
		use := l.Use
		if use == "" {
			use = "any"
		}
		s.line("    %d. %s at %s (%s contacts), until %s.", i+1, strings.Join(l.Roles, ", "), l.Organisation, use,
			clockTime(n.DueMs+int64(l.OffsetMinutes)*60_000))
	}
	s.line("    Shows %s.", strings.Join(n.Fields, ", "))
}

func (s *story) task(t *ledgerv1.Task) {
	owner := fmt.Sprintf("%s of %q", t.Role, t.Organisation)
	if t.EscalateTo != "" {
		owner += fmt.Sprintf(", then %q", t.EscalateTo)
	}
	s.line("  Ask the %s by %s, about %s: %s.", owner, clockTime(t.DueMs), s.child(t.Child), t.Detail)
	s.line("    %s, %s.", s.name("task", t.Id), strings.ToLower(t.Kind.String()))
	if len(t.Options) > 0 {
		s.line("    Choose from %s.", strings.Join(t.Options, ", "))
	}
}

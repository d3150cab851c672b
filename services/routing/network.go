package routing

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// tellNetwork tells those involved with the child now. A function that has to be among them and is not is a gap, and so is
// a child without anybody where somebody has to be told: that is the answer about a child nobody knows, too.
func (d *decider) tellNetwork(rule *policy.Rule, s *subject) {
	var met []string
	for _, m := range d.Directory.Network(s.id(), directory.DateOf(d.Now)) {
		if len(rule.Network) > 0 && !slices.Contains(rule.Network, m.Function) || !d.applies(rule, s, policy.Input{Member: m}) {
			continue
		}
		met = append(met, m.Function)
		id := notice.OrgID(m.Organisation)
		if !d.knows(id) { // removed since its list was imported
			d.gapFor(rule, s, m.Function, m.Organisation+" is not in the directory: tell it by telephone, and add it")
			continue
		}
		d.tellKnown(rule, s, recipient{
			organisation: id, area: notice.Area(d.areaOf(id)), function: m.Function, because: rule.Because, firstRole: m.Role,
		})
	}
	if rule.Required && len(met) == 0 && d.applies(rule, s, policy.Input{}) {
		d.gap(rule, s, "nobody is known to be involved with the child in this part: find out who is, and tell them")
	}
	for _, function := range rule.RequiredFunctions {
		if !slices.Contains(met, function) && d.applies(rule, s, policy.Input{Member: &directoryv1.NetworkMember{Function: function}}) {
			d.gapFor(rule, s, function, "required, and nobody is known to be involved with the child in this part")
		}
	}
}

// tellPlacing tells an organisation of the area of the authority that looks after the child. A child whom nobody looks
// after has none: that is a gap only where the rule says that one has to be told.
func (d *decider) tellPlacing(rule *policy.Rule, s *subject, of func(notice.Area) (*directoryv1.Organisation, bool), what string) {
	if area := placing(s); area != "" {
		d.tellArea(rule, s, area, of, what)
		return
	}
	if rule.Required && d.applies(rule, s, policy.Input{}) {
		d.gap(rule, s, "the event names no authority that looks after the child: find out which it is, and tell it")
	}
}

// placing is the area of the authority that looks after the child, or empty.
func placing(s *subject) notice.Area { return notice.Area(s.child.LookedAfterBy) }

// residence is the area where the child lives, else where it happened.
func (d *decider) residence(s *subject) notice.Area {
	return notice.Area(cmp.Or(s.child.ResidenceArea, s.event.Area))
}

// where finds the police force or NHS organisation of where the child lives: of the police or NHS area that the child's
// postcode lies in, where that is known and lies in the same authority, else of the authority's own.
func (d *decider) where(s *subject, of func(notice.Area) (*directoryv1.Organisation, bool), part func(directory.Lies) notice.Area) func(notice.Area) (*directoryv1.Organisation, bool) {
	return func(area notice.Area) (*directoryv1.Organisation, bool) {
		if lies, ok := d.lives(s.child, s.livesAs); ok && lies.Authority == area && part(lies) != "" {
			if org, ok := of(part(lies)); ok {
				return org, true
			}
		}
		return of(area)
	}
}

// completed fills in what only the directory knows, for the rules: where the child lives (as published, else on the roll,
// else by the postcode that was published, else by those on the roll) and which authority looks after it.
func (d *decider) completed(c *eventv1.Child, known *directoryv1.Child) *eventv1.Child {
	lives := cmp.Or(c.ResidenceArea, known.GetResidenceArea())
	if lives == "" {
		lies, _ := d.lives(c, known)
		lives = string(lies.Authority)
	}
	looksAfter := cmp.Or(c.LookedAfterBy, known.GetLookedAfterBy())
	if lives == c.ResidenceArea && looksAfter == c.LookedAfterBy {
		return c
	}
	filled := proto.CloneOf(c)
	filled.ResidenceArea, filled.LookedAfterBy = lives, looksAfter
	return filled
}

// lives is where the child's postcode lies: that in the event, else those on the roll, if they agree about the authority. A
// child with homes in two areas is not guessed about.
func (d *decider) lives(c *eventv1.Child, known *directoryv1.Child) (directory.Lies, bool) {
	if lies, ok := d.Directory.Postcode(c.Address.GetPostcode()); ok {
		return lies, true
	}
	var found directory.Lies
	for _, code := range known.GetPostcodes() {
		lies, ok := d.Directory.Postcode(code)
		switch {
		case !ok:
			continue
		case found.Authority == "":
			found = lies
		case found.Authority != lies.Authority:
			return directory.Lies{}, false
		}
		if found.Health != lies.Health {
			found.Health = ""
		}
		if found.Police != lies.Police {
			found.Police = ""
		}
	}
	return found, found.Authority != ""
}

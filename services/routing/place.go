package routing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// upcomingDays is how far ahead an enrolment counts for a child who is between two settings: the summer holiday and a
// little more.
const upcomingDays = 62

// place is where a child is taught or cared for.
type place struct {
	setting  *directoryv1.Setting // nil for home education
	listed   notice.OrgID         // the setting on the roll, closed or not
	area     notice.Area          // of the authority responsible for the place
	pattern  string
	because  string // how it was found, beyond the roll
	deserted bool   // it closed and nothing succeeded it
}

// enrolments are the child's enrolments in force on a day; where there is none, those that begin soon.
func (d *decider) enrolments(id notice.ChildID, on directory.Date) []*directoryv1.Enrolment {
	if now := d.Directory.Enrolments(id, on); len(now) > 0 {
		return now
	}
	child, ok := d.Directory.Child(id)
	if !ok {
		return nil
	}
	var soon []*directoryv1.Enrolment
	horizon := on.AddDays(upcomingDays)
	for _, e := range child.Enrolments {
		from, err := directory.ParseDate(e.From)
		if err != nil || !from.After(on) || from.After(horizon) {
			continue
		}
		// Asked of the directory again: a later source may have withdrawn the place.
		if slices.Contains(d.Directory.Enrolments(id, from), e) && !slices.Contains(soon, e) {
			soon = append(soon, e)
		}
	}
	return soon
}

// places are the settings of a child on a day: those on the roll and those that a person chose. A closed setting is
// replaced by its successor; where that takes a choice a person is asked.
func (d *decider) places(s *subject, on directory.Date) (found []place, home []notice.Area) {
	seen := map[notice.OrgID]bool{}
	add := func(p place) {
		id := p.listed
		if p.setting != nil {
			id = notice.OrgID(p.setting.Id)
		}
		if !seen[id] {
			seen[id] = true
			found = append(found, p)
		}
	}
	for _, e := range d.enrolments(s.id(), on) {
		if e.Kind == "home_educated" {
			home = append(home, cmp.Or(notice.Area(e.Area), d.residence(s)))
			continue
		}
		day := on
		if from, err := directory.ParseDate(e.From); err == nil && from.After(on) {
			day = from
		}
		if p, ok := d.resolveSetting(s, notice.OrgID(e.Setting), day); ok {
			p.pattern = e.Pattern
			add(p)
		}
	}
	for _, id := range d.round.Chosen[s.id()] {
		if p, ok := d.resolveSetting(s, id, on); ok {
			p.because = join("a person chose the setting", p.because)
			add(p)
		}
	}
	return found, home
}

// resolveSetting follows a setting on the roll to the one that is open on a day.
func (d *decider) resolveSetting(s *subject, id notice.OrgID, on directory.Date) (place, bool) {
	p := place{listed: id, area: d.residence(s)}
	if listed, ok := d.Directory.Setting(id); ok {
		p.setting, p.area = listed, notice.Area(listed.Area)
	}
	succession := d.Directory.Succession(id, on)
	switch succession.Kind {
	case directory.SettingOpen:
	case directory.SuccessorOne:
		p.setting, _ = d.Directory.Setting(succession.Settings[0])
		p.area = notice.Area(p.setting.Area)
		p.because = fmt.Sprintf("successor of %s, which closed", id)
	case directory.SuccessorSeveral:
		for _, chosen := range d.round.Chosen[s.id()] {
			if slices.Contains(succession.Settings, chosen) {
				p.setting, _ = d.Directory.Setting(chosen)
				p.area = notice.Area(p.setting.Area)
				p.because = fmt.Sprintf("a person chose it among the successors of %s, which closed", id)
				return p, true
			}
		}
		options := make([]string, len(succession.Settings))
		for i, o := range succession.Settings {
			options[i] = string(o)
		}
		d.consider(id, "", s.finding.Child, "closed, and has several successors: a person chooses")
		d.askAuthority(ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR, s, p.area, "education_safeguarding",
			"the child's setting closed and has several successors: choose the one the child attends", options)
		d.placed[s.finding.Child] = true
		return place{}, false
	case directory.SuccessorNone:
		d.consider(id, "", s.finding.Child, "closed, and has no successor: the authority's team is told")
		p.deserted, p.because = true, fmt.Sprintf("%s closed and has no successor", id)
	case directory.SettingUnknown:
		d.consider(id, "", s.finding.Child, "not in the register of settings: the authority's team is told")
		p.deserted, p.because = true, fmt.Sprintf("%s is not in the register of settings", id)
	}
	return p, true
}

// applyToPlaces applies a rule that tells a child's settings, or the authority of a home-educated child.
func (d *decider) applyToPlaces(rule *policy.Rule, s *subject) {
	if rule.Tell == "home_education" {
		if len(s.home) == 0 || !d.applies(rule, s, policy.Input{}) {
			return
		}
		for _, area := range s.home {
			d.answered[s.finding.Child+" "+string(area)] = true
			d.tellAuthority(rule, s, area)
		}
		return
	}
	for _, p := range s.places {
		if d.applies(rule, s, policy.Input{Setting: p.setting}) {
			d.answered[s.finding.Child+" "+string(p.listed)] = true
			d.tellPlace(rule, s, p)
		}
	}
}

// untold asks a person about every place of the child that no rule of the policy is about.
func (d *decider) untold(s *subject) {
	places := make([]string, 0, len(s.places)+len(s.home))
	for _, p := range s.places {
		places = append(places, string(p.listed))
	}
	for _, area := range s.home {
		places = append(places, string(area))
	}
	for _, id := range places {
		if d.answered[s.finding.Child+" "+id] || d.toldOtherwise(s, notice.OrgID(id)) {
			continue
		}
		d.placed[s.finding.Child] = true
		d.consider(notice.OrgID(id), "", s.finding.Child, "no rule of the policy is about a place of this kind")
		d.askPublisher(ledgerv1.TaskKind_TASK_KIND_GAP, s,
			fmt.Sprintf("no rule of the policy is about %s: tell it by telephone, and add a rule", id))
	}
}

// tellPlace tells one setting, or the authority's team where it has none to tell.
func (d *decider) tellPlace(rule *policy.Rule, s *subject, p place) {
	if p.setting != nil && d.round.NotAt[s.id()][notice.OrgID(p.setting.Id)] {
		d.consider(notice.OrgID(p.setting.Id), rule.Id, s.finding.Child, "said that the child is not there")
		return
	}
	r := recipient{area: p.area, because: join(rule.Because, p.because), function: rule.Function}
	calendar := d.Directory.Calendar(p.listed)
	if p.deserted {
		authority, ok := d.Directory.Authority(p.area)
		if !ok {
			d.gap(rule, s, fmt.Sprintf("no local authority in the directory for area %s", p.area))
			return
		}
		r.organisation, r.function, r.authorityOnly = notice.OrgID(authority.Id), "authority", true
	} else {
		r.organisation = notice.OrgID(p.setting.Id)
		calendar = d.Directory.Calendar(r.organisation)
	}
	if d.barred(s, r.organisation, rule) || !p.deserted && d.barred(s, p.listed, rule) {
		return // a school that changed its number is the same school
	}
	d.placed[s.finding.Child] = true

	due, chain := rule.Due, rule.Chain
	if rule.Holiday != nil && calendar.InHoliday(d.Now) {
		due, chain = rule.Holiday.Due, rule.Holiday.Chain
		d.contribute(rule, s, r.organisation, calendar, p)
		r.because = join(r.because, "in holiday: the holiday contact now")
	}
	d.tell(rule, s, r, due, chain, schoolClock{calendar: calendar, pattern: p.pattern})
}

// tellAuthority tells the authority responsible for a home-educated child.
func (d *decider) tellAuthority(rule *policy.Rule, s *subject, area notice.Area) {
	authority, ok := d.Directory.Authority(area)
	if !ok {
		d.gap(rule, s, fmt.Sprintf("no local authority in the directory for area %s", area))
		return
	}
	r := recipient{organisation: notice.OrgID(authority.Id), area: area, because: rule.Because, function: rule.Function}
	if d.barred(s, r.organisation, rule) {
		return
	}
	d.placed[s.finding.Child] = true
	d.tell(rule, s, r, rule.Due, rule.Chain, schoolClock{calendar: d.Directory.Calendar(notice.OrgID(area))})
}

// contribute adds the incident to the one notice before term.
func (d *decider) contribute(rule *policy.Rule, s *subject, org notice.OrgID, calendar directory.Calendar, p place) {
	if rule.Holiday.BeforeTerm == nil || p.deserted {
		return
	}
	opens, ok := calendar.TermOpens(d.Now)
	if !ok {
		d.consider(org, rule.Id, s.finding.Child, "no term ahead in the calendar: no notice before term can be set")
		d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, p.area, "education_safeguarding",
			"the setting's calendar has no term ahead: import its term dates, and tell its lead before term opens", nil)
		return
	}
	d.out.Contributions = append(d.out.Contributions, &ledgerv1.Contribution{
		Lineage: d.Key.ID("before-term", s.finding.Child, string(org), opens.String()),
		Rule:    rule.Id, Child: s.finding.Child, Organisation: string(org), Opens: opens.String(),
		Refs: slices.Clone(s.refs),
	})
}

// unmatched asks the publisher's desk and the authority's on-duty contact to find out who must be told.
func (d *decider) unmatched(s *subject) {
	kind, detail := ledgerv1.TaskKind_TASK_KIND_UNMATCHED, "nobody on any roll is certainly this child: find out who the child is"
	switch {
	case s.named != "":
		detail = "nobody on any roll is the child that was named: find out who the child is"
	case len(d.round.NotAt[s.id()]) > 0:
		kind, detail = ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING, d.saidNo(s)+": find out where the child is taught"
	case s.found:
		detail = "the child is known and attends nowhere that is known: find out where the child is taught"
	}
	d.askPublisher(kind, s, detail)
	d.askAuthority(kind, s, d.residence(s), "duty", detail, nil)
}

// saidNo names the settings that say the child is not there, and those among them that a person chose: each new answer, and
// each new choice, asks anew.
func (d *decider) saidNo(s *subject) string {
	var said []string
	for _, id := range slices.Sorted(maps.Keys(d.round.NotAt[s.id()])) {
		if slices.Contains(d.round.Chosen[s.id()], id) {
			said = append(said, fmt.Sprintf("%s, which a person chose, says the child is not there", id))
		} else {
			said = append(said, fmt.Sprintf("%s says the child is not there", id))
		}
	}
	return strings.Join(said, "; ")
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

package routing

import (
	"fmt"
	"slices"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

// Incident is a lineage's part in a notice before term: its contribution and its events.
type Incident struct {
	*ledgerv1.Contribution
	Events []Event // one for each of Refs
}

// DecideBeforeTerm works out the one notice before term of a child, listing every incident of the holiday, for the
// setting that the child attends on the day term opens. Made anew for each incident and once more at its release, it
// follows the child to another setting. Without incidents what stood is superseded, but for what tells of one that was erased.
func DecideBeforeTerm(incidents []Incident, r Round, f Facts) *ledgerv1.Decision {
	var events []Event
	var refs []string
	for _, incident := range incidents {
		for i, ref := range incident.Refs {
			if ref != "" {
				events = append(events, incident.Events[i])
				refs = append(refs, ref)
			}
		}
	}
	d := newDecider(f, r, events)
	if len(events) == 0 {
		return d.finish()
	}
	first := incidents[0].Contribution
	opens, err := directory.ParseDate(first.Opens)
	if err != nil {
		opens = directory.DateOf(f.Now) // routing wrote it; where the ledger is damaged, today is the safe day
	}
	s := d.holidaySubject(first.Child, refs)
	switch {
	case !s.found:
		d.unmatched(s)
	case ageAt(s.child, s.known, f.Now) >= adulthood:
		d.consider("", first.Rule, s.finding.Child, reasonAdult)
		d.over[duty{s.finding.Child, ""}] = reasonAdult
	default:
		d.beforeTerm(s, opens, notice.OrgID(first.Organisation))
	}
	return d.finish()
}

// holidaySubject is the child of a notice before term. One who is sealed by now is nobody that is known.
func (d *decider) holidaySubject(child string, refs []string) *subject {
	last := len(d.events) - 1
	ev := d.events[last]
	s := &subject{
		finding: &ledgerv1.ChildFinding{Child: child, Match: ledgerv1.Match_MATCH_PERSON, Ref: refs[last], Event: ev.Source.Event},
		child:   childOf(ev.Body, refs[last]), event: ev.Body, index: last, refs: refs,
	}
	d.out.Children = append(d.out.Children, s.finding)
	if id, ok := d.named(child); ok {
		if s.named = id; d.open(id) {
			s.finding.Child, s.named = string(id), ""
		}
	}
	if s.named != "" || !d.open(s.id()) {
		s.finding.Match, s.finding.Reason = ledgerv1.Match_MATCH_NONE, reasonNone(s.child)
		return s
	}
	s.known, s.found = d.Directory.Child(s.id())
	s.child = d.completed(s.child, s.known)
	s.restrictions = d.restrictions([]notice.ChildID{s.id()})
	s.age = ageAt(s.child, s.known, ev.Body.Time.AsTime())
	return s
}

// beforeTerm tells the setting that held the child when the incident came, where it still will on the day term opens, and
// every one that the child will have joined by then; where that is nobody, every setting of that day.
func (d *decider) beforeTerm(s *subject, opens directory.Date, org notice.OrgID) {
	settings, _ := d.places(s, opens)
	var before []notice.OrgID // the first incident's own decision saw to these
	for _, e := range d.enrolments(s.id(), directory.DateOf(d.events[0].Body.Time.AsTime())) {
		before = append(before, notice.OrgID(e.Setting))
	}
	due := slices.DeleteFunc(slices.Clone(settings), func(p place) bool {
		still := p.setting != nil && notice.OrgID(p.setting.Id) == org
		return !still && slices.Contains(before, p.listed)
	})
	if len(due) == 0 {
		due = settings
	}
	for _, p := range due {
		d.tellBeforeTerm(s, p, opens)
	}
	if !d.placed[s.finding.Child] {
		d.unmatched(s)
	}
}

func (d *decider) tellBeforeTerm(s *subject, p place, opens directory.Date) {
	if p.setting == nil || p.deserted {
		return
	}
	rule := d.beforeTermRule(s, p)
	if rule == nil {
		d.placed[s.finding.Child] = true
		d.consider(notice.OrgID(p.setting.Id), "", s.finding.Child, "no rule of the policy tells a place of this kind before term")
		d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, p.area, "education_safeguarding",
			fmt.Sprintf("no rule of the policy tells %s before term: tell its lead before term opens", p.setting.Id), nil)
		return
	}
	r := recipient{organisation: notice.OrgID(p.setting.Id), area: p.area, function: rule.Function,
		because: join(rule.Because, "before term opens: every incident of the holiday", p.because)}
	if d.round.NotAt[s.id()][r.organisation] {
		d.consider(r.organisation, rule.Id, s.finding.Child, "said that the child is not there")
		return
	}
	if d.barred(s, r.organisation, rule) || d.barred(s, p.listed, rule) {
		return
	}
	d.placed[s.finding.Child] = true
	// The setting of that day may open on another day than the one that the child left.
	calendar := d.Directory.Calendar(r.organisation)
	from := opens.At("00:00")
	if calendar.Known() {
		from = d.Now
	}
	if session, ok := calendar.Next(from, ""); ok {
		opens = directory.DateOf(session.CutOff)
	}
	due := opens.At(defaultCut)
	if session, ok := calendar.Next(from, p.pattern); ok {
		due = session.CutOff
	}
	n := &ledgerv1.Notice{
		BeforeTerm: true, Refs: s.refs,
		DueMs: due.UnixMilli(), DueBecause: "before the first session of term",
	}
	if release := d.release(rule.Holiday.BeforeTerm, opens); release.After(d.Now) {
		n.ReleaseMs = release.UnixMilli()
	}
	d.oblige(rule, s, r, rule.Holiday.BeforeTerm.Chain, n, "before-term")
}

// release is the set time on the last working day before term opens.
func (d *decider) release(b *policyv1.BeforeTerm, opens directory.Date) time.Time {
	return d.Directory.WorkingDays().Last(opens).At(b.ReleaseAt)
}

// beforeTermRule is the rule about the setting of that day, which may be of another kind than the one that held the child
// when the incident came, and see less.
func (d *decider) beforeTermRule(s *subject, p place) *policy.Rule {
	for _, r := range d.Policy.Rules(notice.EventKind(s.event.Type)) {
		if r.Tell == "child_settings" && r.Holiday.GetBeforeTerm() != nil && d.applies(r, s, policy.Input{Setting: p.setting}) {
			return r
		}
	}
	return nil
}

func childOf(ev *eventv1.Event, ref string) *eventv1.Child {
	for _, c := range ev.Children {
		if c.Ref == ref {
			return c
		}
	}
	return &eventv1.Child{}
}

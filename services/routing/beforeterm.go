package routing

import (
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
// follows the child to another setting. Without incidents what stood is superseded.
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
	rule := findRule(f.Policy, events[0].Body.Type, first.Rule)
	last := len(events) - 1
	s := &subject{
		finding: &ledgerv1.ChildFinding{Child: first.Child, Match: ledgerv1.Match_MATCH_PERSON, Ref: refs[last], Event: events[last].Source.Event},
		child:   childOf(events[last].Body, refs[last]), event: events[last].Body, index: last, refs: refs,
	}
	s.known, s.found = f.Directory.Child(s.id())
	s.restrictions = d.restrictions([]notice.ChildID{s.id()})
	d.out.Children = append(d.out.Children, s.finding)

	switch {
	case !s.found || slices.ContainsFunc(s.restrictions, seals):
		s.found = false
		d.unmatched(s)
	case err != nil || rule == nil:
		d.askAuthority(ledgerv1.TaskKind_TASK_KIND_GAP, s, d.residence(s), "education_safeguarding",
			"the policy no longer has the rule of a notice before term: tell the setting's lead before term opens", nil)
	case ageAt(s.child, s.known, f.Now) >= adulthood:
		d.consider("", rule.Id, s.finding.Child, "the young person is 18 or over: the duty has ended")
	default:
		d.beforeTerm(rule, s, opens, notice.OrgID(first.Organisation))
	}
	return d.finish()
}

// beforeTerm tells the setting that held the child when the incident came, where it still will on the day term opens;
// else every setting that will.
func (d *decider) beforeTerm(rule *policy.Rule, s *subject, opens directory.Date, org notice.OrgID) {
	settings, _ := d.places(s, opens)
	i := slices.IndexFunc(settings, func(p place) bool { return p.setting != nil && notice.OrgID(p.setting.Id) == org })
	if i >= 0 {
		settings = settings[i : i+1]
	}
	for _, p := range settings {
		d.tellBeforeTerm(rule, s, p, opens)
	}
	if !d.placed[s.finding.Child] {
		d.unmatched(s)
	}
}

func (d *decider) tellBeforeTerm(rule *policy.Rule, s *subject, p place, opens directory.Date) {
	if p.setting == nil || p.deserted {
		return
	}
	r := recipient{organisation: notice.OrgID(p.setting.Id), area: p.area, function: rule.Function,
		because: join(rule.Because, "before term opens: every incident of the holiday", p.because)}
	if d.round.NotAt[s.id()][r.organisation] {
		d.consider(r.organisation, rule.Id, s.finding.Child, "said that the child is not there")
		return
	}
	if d.barred(s, r.organisation, rule) {
		return
	}
	d.placed[s.finding.Child] = true
	calendar := d.Directory.Calendar(r.organisation)
	due := opens.At(defaultCut)
	if session, ok := calendar.Session(opens, p.pattern); ok {
		due = session.CutOff
	} else if session, ok := calendar.Next(opens.At("00:00"), p.pattern); ok {
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

func findRule(p *policy.Policy, kind, id string) *policy.Rule {
	for _, r := range p.Rules(notice.EventKind(kind)) {
		if r.Id == id && r.Holiday.GetBeforeTerm() != nil {
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

package routing

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	policyv1 "github.com/signalbox-hq/signalbox/api/signalbox/policy/v1"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
)

func noFinding() *ledgerv1.ChildFinding { return &ledgerv1.ChildFinding{} }

// tell adds the obligation to tell one recipient.
func (d *decider) tell(rule *policy.Rule, s *subject, r recipient, clock *policyv1.Clock, steps []*policyv1.Step, school schoolClock) {
	due, why := d.due(clock, s, school)
	n := &ledgerv1.Notice{DueMs: due.UnixMilli(), DueBecause: why, Refs: s.latestRefs(), Invitation: d.invitation(rule, s, r)}
	d.oblige(rule, s, r, steps, n, r.subscription.GetAgency())
	if d.tooLateToHurry(clock, s, school) {
		n.Lane, n.LaneBecause = ledgerv1.Lane_LANE_ROUTINE, ""
	}
}

// latestRefs tells of the last report of a child only: it is the one that stands.
func (s *subject) latestRefs() []string {
	if s.finding.Child == "" {
		return s.refs
	}
	refs := make([]string, len(s.refs))
	refs[s.index] = s.refs[s.index]
	return refs
}

// oblige completes a notice and adds it; again where the same was obliged twice in this round.
func (d *decider) oblige(rule *policy.Rule, s *subject, r recipient, steps []*policyv1.Step, n *ledgerv1.Notice, duty string) {
	if d.unbornAtSetting(rule, s, r.organisation) {
		return
	}
	if d.ownWord(s, r.organisation) {
		d.consider(r.organisation, rule.Id, s.finding.Child, "published it itself")
		return
	}
	n.Kind, n.Rule, n.Child, n.Organisation = s.event.Type, rule.Id, s.finding.Child, string(r.organisation)
	n.Function, n.View, n.Basis, n.Acknowledge, n.Because = r.function, rule.View.ID(), rule.BasisIn(notice.Area(d.areaOf(r.organisation))), rule.Acknowledge, r.because
	n.Subscription, n.HomeArea = r.subscription.GetId(), homeFor(r.subscription, s)
	eventScope := ""
	if n.Child == "" && rule.Tell != designatedOfficer {
		eventScope = d.events[s.index].Source.Event
	}
	n.Obligation = d.Key.ID("obligation", d.round.Lineage, rule.Id, n.Child, eventScope, n.Organisation, n.Function, duty)
	if slices.ContainsFunc(d.obligations, func(o *obligation) bool { return o.Obligation == n.Obligation }) {
		return
	}
	if d.toldOfEnd(rule, s, n) {
		return
	}
	d.keepDue(n)
	d.lane(rule, s, n)
	for _, l := range d.chain(rule, s, r, steps) {
		n.Chain = append(n.Chain, &ledgerv1.Link{
			Organisation: string(l.organisation), Roles: l.roles, Use: l.use, OffsetMinutes: l.offset, Contact: l.contact,
		})
	}
	if len(n.Chain) == 0 {
		d.gap(rule, s, "no step of the chain has anybody to tell: tell the recipient's authority by telephone")
		return
	}
	d.allowTime(n)
	d.obligations = append(d.obligations, &obligation{Notice: n, view: rule.View})
}

// allowTime sees to it that a recipient told late, or close to the due time, has a fair while before the chain moves on.
// The due time itself stays as the rule gives it: what is late is shown late.
func (d *decider) allowTime(n *ledgerv1.Notice) {
	starts := max(n.ReleaseMs, d.Now.UnixMilli())
	earliest := starts + shortestWait.Milliseconds()
	for _, l := range n.Chain {
		ends := n.DueMs + int64(l.OffsetMinutes)*time.Minute.Milliseconds()
		if ends < earliest {
			l.OffsetMinutes += int32((earliest - ends + time.Minute.Milliseconds() - 1) / time.Minute.Milliseconds())
			ends = n.DueMs + int64(l.OffsetMinutes)*time.Minute.Milliseconds()
		}
		earliest = ends + shortestWait.Milliseconds()
	}
}

// content is what recipients would see, digested, and the names of the fields.
type content struct {
	digest []byte
	fields []string
}

// report is an event as it is told of about one child, its texts looked through once.
func (d *decider) report(event int, ref string) Report {
	key := reportKey{event, ref}
	r := d.reports[key]
	if r == nil {
		r = d.Report(d.events[event].Body, ref)
		d.reports[key] = r
	}
	return r
}

// contentOf works out the content of an obligation. Recipients with the same view of the same reports see the same, but
// for those that are shown actions of their own.
func (d *decider) contentOf(o *obligation) content {
	key := o.View + " " + strings.Join(o.Refs, " ")
	for i, ref := range o.Refs {
		if ref != "" {
			key += " " + string(d.report(i, ref).As(notice.OrgID(o.Organisation), o.view))
		}
	}
	if c, ok := d.contents[key]; ok {
		return c
	}
	var parts [][]byte
	var fields []string
	for i, ref := range o.Refs {
		if ref == "" {
			continue
		}
		shown := d.report(i, ref).Show(notice.OrgID(o.Organisation), o.view)
		bs, err := proto.MarshalOptions{Deterministic: true}.Marshal(shown.Event)
		if err != nil {
			bs = []byte(err.Error()) // only invalid UTF-8, which intake refuses
		}
		parts = append(parts, bs)
		fields = append(fields, shown.Fields...)
	}
	slices.Sort(fields)
	c := content{digest: d.Key.Digest("content", parts...), fields: slices.Compact(fields)}
	d.contents[key] = c
	return c
}

// finish holds the obligations against the rounds before.
func (d *decider) finish() *ledgerv1.Decision {
	d.askInstead()
	before, gone := d.pair()
	for _, o := range d.obligations {
		p, told := before[o]
		same := bytes.Equal(p.ContentDigest, o.ContentDigest) && p.MeetsMS == o.Invitation.GetMeetsMs()
		toParty := told && !p.Withdrawn && d.withParty(p)
		if told && (same || p.Ended || d.stays(p, o)) && !p.Again && !p.Withdrawn && !toParty {
			d.out.Kept = append(d.out.Kept, p.ID)
			continue
		}
		o.Id = d.Key.ID("notice", d.round.Lineage, fmt.Sprint(d.round.Number), o.Obligation)
		o.Version = 1
		if told {
			d.out.Superseded = append(d.out.Superseded, &ledgerv1.Superseded{Notice: p.ID, By: o.Id, Reason: p.replaced(toParty)})
			o.Version = p.Version
			changed := p.Withdrawn || !same && !toParty // somebody else is told, and for the first time
			if p.Sent && changed {
				o.Version, o.Replaces = p.Version+1, p.ID
			}
			if p.Again {
				o.Repeats = p.ID
			}
		}
		d.out.Notices = append(d.out.Notices, o.Notice)
	}
	for _, p := range gone {
		switch {
		case p.Withdrawn:
			continue // it has its end
		case p.Erased:
			d.endErased(p)
			continue
		}
		if end := d.ended[p.Obligation]; end != nil {
			d.out.Superseded = append(d.out.Superseded, &ledgerv1.Superseded{Notice: p.ID, By: end.Id, Reason: reasonEnded(end)})
			continue
		}
		d.out.Superseded = append(d.out.Superseded, &ledgerv1.Superseded{
			Notice: p.ID, Reason: cmp.Or(d.over[duty{p.Child, ""}], d.over[duty{p.Child, p.Rule}], "this recipient is no longer one to be told"),
		})
	}
	d.keepContributions()
	d.keepErased()
	for id, open := range d.round.Tasks {
		if open && !d.tasks[id] && !d.round.Erased.Tasks[id] {
			d.out.SettledTasks = append(d.out.SettledTasks, id)
		}
	}
	slices.Sort(d.out.SettledTasks)
	return d.out
}

func (d *decider) consider(org notice.OrgID, rule, child, reason string) {
	c := &ledgerv1.Considered{Organisation: string(org), Rule: rule, Child: child, Reason: reason}
	if !slices.ContainsFunc(d.out.Considered, func(x *ledgerv1.Considered) bool { return proto.Equal(x, c) }) {
		d.out.Considered = append(d.out.Considered, c)
	}
}

// gap records a required role that nobody meets, with a task for the authority's duty officer.
func (d *decider) gap(rule *policy.Rule, s *subject, reason string) {
	d.gapFor(rule, s, rule.Function, reason)
}

func (d *decider) gapFor(rule *policy.Rule, s *subject, function, reason string) {
	g := &ledgerv1.Gap{Rule: rule.Id, Function: function, Child: s.finding.Child, Reason: reason}
	if slices.ContainsFunc(d.out.Gaps, func(x *ledgerv1.Gap) bool { return proto.Equal(x, g) }) {
		return
	}
	d.out.Gaps = append(d.out.Gaps, g)
	d.askPublisher(ledgerv1.TaskKind_TASK_KIND_GAP, s, fmt.Sprintf("%s: %s", function, reason))
}

// askPublisher opens a task for the desk of the agency that published. Overdue, it goes to the authority's duty officer.
func (d *decider) askPublisher(kind ledgerv1.TaskKind, s *subject, detail string) {
	owner, role := d.publisher(s), "desk"
	escalate := d.authorityFor(s, d.residence(s))
	if owner == "" {
		owner, role, escalate = cmp.Or(escalate, d.police(s)), "duty", ""
	}
	if owner == escalate {
		escalate = ""
	}
	d.ask(kind, s, owner, role, escalate, detail, nil)
}

// askAuthority opens a task for a local authority's team; where there is none that may have it, for the publisher's desk.
func (d *decider) askAuthority(kind ledgerv1.TaskKind, s *subject, area notice.Area, role, detail string, options []string) {
	owner := d.authorityFor(s, area)
	if owner == "" {
		if owner, role = d.publisher(s), "desk"; owner == "" {
			owner, role = d.police(s), "duty"
		}
	}
	d.ask(kind, s, owner, role, "", detail, options)
}

// publisher is the organisation of the agency that published. It knows the event: no restriction keeps its task from it.
func (d *decider) publisher(s *subject) string {
	agency, _ := d.Directory.Agency(notice.AgencyID(s.event.Source))
	return agency.GetOrganisation()
}

// authorityFor is the authority of an area, else of the child's residence, else of the incident's area: the first that no
// restriction names.
func (d *decider) authorityFor(s *subject, area notice.Area) string {
	for _, a := range []notice.Area{area, d.residence(s), notice.Area(s.event.Area)} {
		if id := d.authorityID(a); id != "" && !d.keepsOff(s, id) {
			return string(id)
		}
	}
	return ""
}

// police is the force of the incident's area, the last to turn to.
func (d *decider) police(s *subject) string {
	force, ok := d.Directory.Police(notice.Area(s.event.Area))
	if !ok || d.keepsOff(s, notice.OrgID(force.Id)) {
		return ""
	}
	return force.Id
}

func (d *decider) ask(kind ledgerv1.TaskKind, s *subject, owner, role, escalateTo, detail string, options []string) {
	event := ""
	if s.finding.Child == "" {
		if event = s.finding.Event; event == "" {
			event = d.events[s.index].Source.Event
		}
	}
	id := d.Key.ID("task", d.round.Lineage, kind.String(), s.finding.Child, event, owner, role, detail, string(s.named))
	for d.round.Settled[id] {
		id = d.Key.ID("task", id) // needed again
	}
	if d.tasks[id] {
		return
	}
	d.tasks[id] = true
	if _, before := d.round.Tasks[id]; before {
		return // still open, or already dealt with by a person
	}
	d.out.Tasks = append(d.out.Tasks, &ledgerv1.Task{
		Id: id, Kind: kind, Organisation: owner, Role: role, EscalateTo: escalateTo, Detail: detail, Options: options,
		DueMs: d.Now.Add(d.Policy.TaskTime(kind)).UnixMilli(), Lineage: d.round.Lineage, Child: s.finding.Child, Ref: s.finding.Ref,
	})
}

// withholdText asks the publisher to correct a text that is held back from everyone who would have been shown it.
func (d *decider) withholdText(s *subject, rules []*policy.Rule) {
	findings := d.report(s.index, s.child.Ref).Findings()
	if len(findings) == 0 {
		return
	}
	shown := map[string]bool{}
	for _, r := range rules {
		if ofTheChildAlone(r) && !d.applies(r, s, policy.Input{}) {
			continue
		}
		_, paths := disclosure.Apply(s.event, s.child.Ref, "", r.View)
		for _, p := range paths {
			shown[p] = true
		}
	}
	for _, f := range findings {
		if shown[withoutIndices(f.Field)] {
			d.askPublisher(ledgerv1.TaskKind_TASK_KIND_TEXT_WITHHELD, s,
				fmt.Sprintf("%s was held back (%s): publish a correction with a text that may be disclosed", f.Field, f.Code))
		}
	}
}

// ofTheChildAlone says whether a rule's condition knows nobody but the event and the child, so that it can be asked once.
func ofTheChildAlone(r *policy.Rule) bool {
	switch r.Tell {
	case "child_settings", "invited", "attended", "absent", "participants", "referrer", "network":
		return false
	default:
		return true
	}
}

// withoutIndices turns the path of a finding, children[1].voice, into that of a field, children.voice.
func withoutIndices(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, ".") {
		if i > 0 {
			b.WriteByte('.')
		}
		name, _, _ := strings.Cut(part, "[")
		b.WriteString(name)
	}
	return b.String()
}

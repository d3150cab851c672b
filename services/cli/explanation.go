package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	routingv1 "github.com/signalbox-hq/signalbox/api/signalbox/routing/v1"
	"github.com/signalbox-hq/signalbox/services/delivery"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// inEvent is the organisation of a recipient whose address is in the event itself.
const inEvent = string(delivery.EventOrganisation)

func isSetting(id string) bool { return strings.Contains(id, ":") }

// explanation is a decision for reading.
type explanation struct {
	event    *eventv1.Event
	response *routingv1.ExplainResponse
	names    names
}

func (x explanation) print(out io.Writer) {
	d := x.response.GetDecision()
	w := page{w: out}
	w.line(0, "%s %s from %s", x.event.GetType(), x.event.GetId(), x.event.GetSource())
	w.line(0, "Decided as of %s. Nothing was sent.", delivery.LongTime(x.response.GetAt().AsTime(), directory.London()))
	x.children(w, d)
	x.notices(w, d)
	x.contributions(w, d)
	x.considered(w, d)
	x.gaps(w, d)
	x.tasks(w, d)
	x.lacks(w, d)
}

// page writes indented lines.
type page struct{ w io.Writer }

func (p page) line(indent int, format string, args ...any) {
	fmt.Fprintf(p.w, "%s%s\n", strings.Repeat(" ", indent), plain(fmt.Sprintf(format, args...)))
}

func (p page) heading(text string, n int) {
	fmt.Fprintf(p.w, "\n%s (%d)\n", text, n)
}

// labelled writes a label and what stands beside it.
func (p page) labelled(indent int, label, format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		p.line(indent, "%-9s %s", label, text)
	}
}

func (x explanation) children(w page, d *ledgerv1.Decision) {
	w.heading("Children", len(d.GetChildren()))
	for _, c := range d.GetChildren() {
		w.line(2, "%s: %s", x.child(c.GetRef()), foundHow(c))
	}
}

func foundHow(c *ledgerv1.ChildFinding) string {
	how := ""
	switch c.GetMatch() {
	case ledgerv1.Match_MATCH_IDENTIFIER:
		how = "found by an identifier"
	case ledgerv1.Match_MATCH_NAME:
		how = "found by name and date of birth"
	case ledgerv1.Match_MATCH_PERSON:
		how = "found by a person"
	case ledgerv1.Match_MATCH_NONE:
		how = "not found"
	case ledgerv1.Match_MATCH_SEVERAL:
		how = "not found for certain: several fit"
	case ledgerv1.Match_MATCH_CONTRADICTED:
		how = "not found for certain: what the event says of the child contradicts itself or the directory"
	case ledgerv1.Match_MATCH_UNSPECIFIED:
		how = "not looked for"
	}
	if reason := c.GetReason(); reason != "" && reason != directory.ReasonNotFound {
		how += " (" + strings.ReplaceAll(reason, "_", " ") + ")"
	}
	return how
}

// child names a child by its handle in the event, and its name there.
func (x explanation) child(ref string) string {
	for _, c := range x.event.GetChildren() {
		if c.GetRef() == ref {
			return strings.TrimSpace(fmt.Sprintf("%s %s %s", ref, c.GetName().GetGiven(), c.GetName().GetFamily()))
		}
	}
	return ref
}

// childOf names the child with a pseudonymous key.
func (x explanation) childOf(key string) string {
	for _, c := range x.response.GetDecision().GetChildren() {
		if c.GetChild() == key && key != "" {
			return x.child(c.GetRef())
		}
	}
	return ""
}

// organisation names an organisation, with its id where the two differ.
func (x explanation) organisation(id string) string {
	name := x.names.organisations[id]
	switch {
	case id == inEvent:
		return "a person named in the event"
	case id == "":
		return "nobody in particular"
	case name == "":
		return id
	default:
		return fmt.Sprintf("%s (%s)", name, id)
	}
}

func (x explanation) notices(w page, d *ledgerv1.Decision) {
	w.heading("Notices", len(d.GetNotices()))
	previews := map[string]*routingv1.Preview{}
	for _, p := range x.response.GetPreviews() {
		previews[p.GetNotice()] = p
	}
	for i, n := range d.GetNotices() {
		p := previews[n.GetId()]
		w.line(2, "%d. %s", i+1, x.organisation(n.GetOrganisation()))
		w.labelled(5, "about", "%s", x.childOf(n.GetChild()))
		w.labelled(5, "told", "%s", x.told(n, p))
		for _, over := range p.GetPassedOver() {
			w.labelled(5, "not", "contact %s: %s", over.GetContact(), over.GetReason())
		}
		w.labelled(5, "by", "%s%s", london(n.GetDueMs()), orNothing(": ", n.GetDueBecause()))
		if n.GetReleaseMs() > 0 {
			w.labelled(5, "held", "until %s", london(n.GetReleaseMs()))
		}
		w.labelled(5, "why", "%s (rule %s)", cmp.Or(p.GetContent().GetBecause(), n.GetBecause()), n.GetRule())
		w.labelled(5, "basis", "%s", cmp.Or(p.GetContent().GetBasis(), n.GetBasis()))
		w.labelled(5, "lane", "%s%s", enumName(n.GetLane(), "LANE_"), orNothing(", because ", n.GetLaneBecause()))
		if n.GetAcknowledge() {
			w.labelled(5, "answer", "a person must acknowledge it")
		} else {
			w.labelled(5, "answer", "none needed")
		}
		x.chain(w, n)
		x.sees(w, n, p)
	}
}

// told is who would be told first, and by which channel.
func (x explanation) told(n *ledgerv1.Notice, p *routingv1.Preview) string {
	if p.GetUnreachable() != "" {
		return "nobody can be reached now: " + p.GetUnreachable()
	}
	channel := p.GetChannel()
	if channel == delivery.GRPC {
		channel = "gRPC"
	}
	contact := x.names.contacts[p.GetContact()]
	switch {
	case contact != nil:
		return fmt.Sprintf("%s, %s, by %s (contact %s)", contact.GetName(), words(contact.GetRole()), channel, p.GetContact())
	case p.GetContact() != "":
		return fmt.Sprintf("contact %s, by %s", p.GetContact(), channel)
	case channel != "":
		return fmt.Sprintf("%s, by %s", words(n.GetFunction()), channel)
	default:
		return words(n.GetFunction())
	}
}

// chain is who comes next, and when, where nobody answers.
func (x explanation) chain(w page, n *ledgerv1.Notice) {
	links := n.GetChain()
	moves := func(i int) string {
		return london(n.GetDueMs() + int64(links[i].GetOffsetMinutes())*time.Minute.Milliseconds())
	}
	for i := 1; i < len(links); i++ {
		w.labelled(5, "then", "%s of %s, from %s", words(strings.Join(links[i].GetRoles(), " or ")),
			x.organisation(links[i].GetOrganisation()), moves(i-1))
	}
	if last := len(links) - 1; last >= 0 && n.GetAcknowledge() {
		w.labelled(5, "at last", "a task for a person to telephone, from %s", moves(last))
	}
}

// sees is what the recipient would read.
func (x explanation) sees(w page, n *ledgerv1.Notice, p *routingv1.Preview) {
	if p.GetContent() == nil {
		w.labelled(5, "sees", "view %s: %s", n.GetView(), strings.Join(n.GetFields(), ", "))
		return
	}
	w.labelled(5, "sees", "(view %s)", n.GetView())
	sheet := delivery.Lay(p.GetContent(), func(id notice.OrgID) string { return cmp.Or(x.names.organisations[string(id)], string(id)) }, true)
	w.parts(7, sheet)
}

// parts lays a sheet out.
func (p page) parts(indent int, sheet delivery.Sheet) {
	for _, part := range sheet.Parts {
		p.line(indent, "%s", part.Heading)
		for _, row := range part.Rows {
			p.line(indent+2, "%s: %s", row.Label, row.Value)
		}
		for _, text := range part.Texts {
			p.line(indent+2, "%s:", text.Heading)
			for _, paragraph := range text.Paragraphs {
				p.line(indent+4, "%s", paragraph)
			}
		}
		for _, list := range part.Lists {
			p.line(indent+2, "%s:", list.Heading)
			for _, item := range list.Items {
				p.line(indent+4, "- %s", item)
			}
		}
	}
}

func (x explanation) contributions(w page, d *ledgerv1.Decision) {
	if len(d.GetContributions()) == 0 {
		return
	}
	w.heading("Told once more before term", len(d.GetContributions()))
	for _, c := range d.GetContributions() {
		w.line(2, "%s about %s, before term opens on %s; the setting of that day is told (rule %s)",
			x.organisation(c.GetOrganisation()), x.childOf(c.GetChild()), delivery.LongDate(c.GetOpens()), c.GetRule())
	}
}

func (x explanation) considered(w page, d *ledgerv1.Decision) {
	if len(d.GetConsidered()) == 0 {
		return
	}
	w.heading("Considered and not told", len(d.GetConsidered()))
	for _, c := range d.GetConsidered() {
		who := "Anybody"
		if c.GetOrganisation() != "" {
			who = x.organisation(c.GetOrganisation())
		}
		w.line(2, "%s%s: %s%s", who, orNothing(" about ", x.childOf(c.GetChild())), c.GetReason(), inBrackets("rule ", c.GetRule()))
	}
}

func (x explanation) gaps(w page, d *ledgerv1.Decision) {
	if len(d.GetGaps()) == 0 {
		return
	}
	w.heading("Gaps: somebody must be told and there is nobody", len(d.GetGaps()))
	for _, g := range d.GetGaps() {
		w.line(2, "%s%s: %s%s", words(g.GetFunction()), orNothing(" about ", x.childOf(g.GetChild())), g.GetReason(), inBrackets("rule ", g.GetRule()))
	}
}

func (x explanation) tasks(w page, d *ledgerv1.Decision) {
	if len(d.GetTasks()) == 0 {
		return
	}
	w.heading("Tasks for people", len(d.GetTasks()))
	for _, t := range d.GetTasks() {
		w.line(2, "%s of %s, by %s: %s", words(t.GetRole()), x.organisation(t.GetOrganisation()), london(t.GetDueMs()), taskAsk(t.GetKind()))
		w.labelled(5, "about", "%s", cmp.Or(x.childOf(t.GetChild()), t.GetRef()))
		w.labelled(5, "detail", "%s", t.GetDetail())
		w.labelled(5, "choose", "%s", strings.Join(t.GetOptions(), ", "))
		if t.GetEscalateTo() != "" {
			w.labelled(5, "overdue", "goes to %s", x.organisation(t.GetEscalateTo()))
		}
	}
}

// taskAsk is what a person is asked to do.
func taskAsk(k ledgerv1.TaskKind) string {
	switch k {
	case ledgerv1.TaskKind_TASK_KIND_UNMATCHED:
		return "find out which child this is, or which settings"
	case ledgerv1.TaskKind_TASK_KIND_GAP:
		return "fill a required role that has nobody"
	case ledgerv1.TaskKind_TASK_KIND_QUARANTINED:
		return "correct an event that was refused"
	case ledgerv1.TaskKind_TASK_KIND_EXHAUSTED:
		return "telephone: nobody in the chain answered"
	case ledgerv1.TaskKind_TASK_KIND_CHOOSE_SUCCESSOR:
		return "choose the setting that follows a closed one"
	case ledgerv1.TaskKind_TASK_KIND_TEXT_WITHHELD:
		return "correct a text that was held back"
	case ledgerv1.TaskKind_TASK_KIND_NOT_AT_SETTING:
		return "find out where the child is: a setting says not there"
	case ledgerv1.TaskKind_TASK_KIND_MISDIRECTION:
		return "see to a notice that somebody has who should not: a personal data breach"
	case ledgerv1.TaskKind_TASK_KIND_MANIFEST:
		return "see to a manifest that differs from what was taken in"
	case ledgerv1.TaskKind_TASK_KIND_UNSPECIFIED:
	}
	return "look into it"
}

// words writes a code for reading: deputy_dsl is "deputy DSL".
func words(code string) string {
	all := strings.Split(strings.ReplaceAll(code, "_", " "), " ")
	for i, w := range all {
		if w == "dsl" {
			all[i] = "DSL"
		}
	}
	return strings.Join(all, " ")
}

func london(ms int64) string { return delivery.LongTime(time.UnixMilli(ms), directory.London()) }

func orNothing(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func inBrackets(before, text string) string {
	if text == "" {
		return ""
	}
	return " (" + before + text + ")"
}

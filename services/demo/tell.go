package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// moment is an instant in UK time, with GMT or BST named.
func moment(ms int64) string {
	return time.UnixMilli(ms).In(directory.London()).Format("Mon 2 Jan 15:04 MST")
}

func twoLines(ms int64) string {
	return time.UnixMilli(ms).In(directory.London()).Format("Mon 2 Jan\n15:04 MST")
}

func (s *stage) opening() {
	paragraph(s.out, 0, "Signalbox, rehearsed. Every person, school, agency and place here is invented; the programs are real: the service "+
		"with NATS embedded, agencies that publish over NATS and gRPC, a mailbox over SMTP, and recipients who answer on the notice page "+
		"over HTTPS. Time is moved on by hand, and only once nothing is left to do. Names of children are shown only where somebody who "+
		"was told reads them. DSL is the designated safeguarding lead of a school or setting.")
}

func (s *stage) heading(number int, sc scene) {
	at := s.clock.Now().In(directory.London()).Format("Monday 2 January 2006, 15:04 MST")
	title := fmt.Sprintf(" %d  %s", number, sc.title)
	gap := max(1, width-1-len([]rune(title))-len([]rune(at)))
	rule := strings.Repeat("━", width)
	fmt.Fprintf(s.out, "\n%s\n%s%s%s\n%s\n", rule, title, strings.Repeat(" ", gap), at, rule)
}

// tell shows one event: what happened, who is told of each child, who is not, and what people have to do.
func (s *stage) tell(ctx context.Context, p piece, did string) error {
	e := s.find(p.file)
	fmt.Fprintln(s.out)
	item(s.out, 1, "▸", p.say+s.published(e, p))
	a, err := s.account(ctx, e.event.Source, e.event.Id)
	if err != nil {
		return err
	}
	e.seen = len(a.facts)
	if a.refused {
		return s.refusal(ctx, e)
	}
	if e.again && a.repeated > 0 {
		item(s.out, 3, "=", "The same event is one event: nothing is decided or sent anew.")
		return nil
	}
	if did != "" {
		item(s.out, 3, "☎", did)
	}
	for _, c := range a.children {
		s.child(a, c, e)
	}
	s.notTold(a)
	s.tasksOf(a)
	return nil
}

func (s *stage) published(e *published, p piece) string {
	if p.quiet {
		return ""
	}
	return fmt.Sprintf(" [%s, by %s %s]", p.file, e.event.Source, p.by)
}

func (s *stage) child(a *account, c *ledgerv1.ChildFinding, e *published) {
	label := cmp.Or(e.piece.kids[c.Ref], "The child")
	var about []*told
	for _, n := range a.notices {
		if n.Child == c.Child || n.Child == "" && c == a.children[0] {
			about = append(about, n)
		}
	}
	fmt.Fprintln(s.out)
	paragraph(s.out, 3, label+": "+foundHow(c)+".")
	if len(about) == 0 {
		item(s.out, 3, "✗", "nobody is told: nothing is sent on a guess")
		return
	}
	t := table{out: s.out, indent: 3, widths: []int{28, 31, 10, 5, 15}}
	t.row("Who is told", "Why", "By when", "How", "State")
	t.rule()
	for _, n := range about {
		t.row(s.who(n), s.why(n), twoLines(n.DueMs), how(n), s.state(n))
	}
}

func foundHow(c *ledgerv1.ChildFinding) string {
	switch c.Match {
	case ledgerv1.Match_MATCH_IDENTIFIER:
		return "found by an identifier that agrees with the name"
	case ledgerv1.Match_MATCH_NAME:
		return "found by name and date of birth"
	case ledgerv1.Match_MATCH_PERSON:
		return "found by a person"
	case ledgerv1.Match_MATCH_SEVERAL:
		return "not certain, since several children fit"
	case ledgerv1.Match_MATCH_CONTRADICTED:
		return "not certain, since the identifier is another child's"
	case ledgerv1.Match_MATCH_NONE:
		if c.Reason == "unborn" {
			return "not born yet, and looked for on no roll"
		}
		return "not found on any roll"
	case ledgerv1.Match_MATCH_UNSPECIFIED:
	}
	return "not looked for"
}

func (s *stage) who(n *told) string {
	org := n.Organisation
	if n.attempt != nil && n.attempt.Organisation != "" {
		org = n.attempt.Organisation
	}
	who := s.names.organisation(org)
	if n.attempt != nil {
		if contact := s.names.contact(n.attempt.Contact); contact != "" {
			who += "\n" + contact
		}
	}
	return who
}

func (s *stage) why(n *told) string {
	because := n.Because
	if n.attempt != nil && n.attempt.Organisation != n.Organisation && len(n.steps) > 0 {
		because = fmt.Sprintf("%s: %s; %s", s.names.organisation(n.Organisation), n.steps[len(n.steps)-1].Reason, because)
	}
	if n.Version > 1 {
		because = fmt.Sprintf("version %d: %s", n.Version, because)
	}
	if n.LaneBecause != "" {
		because += "; sent ahead: " + n.LaneBecause
	}
	return because + "; " + n.DueBecause
}

func how(n *told) string {
	switch {
	case n.attempt == nil:
		return "-"
	case n.attempt.Channel == "grpc":
		return "gRPC"
	case n.attempt.Channel == "inbox":
		return "inbox"
	default:
		return "email"
	}
}

func (s *stage) state(n *told) string {
	at := time.UnixMilli(n.atMS).In(directory.London()).Format("Mon 15:04")
	last := len(n.Chain)
	switch {
	case n.acknowledged != nil && n.withdrawn:
		return "✓ acknowledged,\nsince withdrawn"
	case n.withdrawn:
		return "✗ withdrawn"
	case n.acknowledged != nil && n.over:
		return "✓ acknowledged,\nsince over"
	case n.acknowledged != nil && n.superseded:
		return "✓ acknowledged,\nsince corrected"
	case n.acknowledged != nil:
		return "✓ acknowledged\n" + at
	case n.superseded && n.notHere:
		return "↩ says the child is not there"
	case n.over:
		return "↩ over: told of the end"
	case n.superseded:
		return "↩ superseded"
	case n.notHere:
		return "↩ says the child is not there"
	case len(n.steps) > 0 && int(n.steps[len(n.steps)-1].Link) >= last:
		return "! with a person"
	case n.ReleaseMs > s.clock.Now().UnixMilli():
		return "‖ held until " + moment(n.ReleaseMs)
	case n.finished == ledgerv1.Outcome_OUTCOME_DELIVERED && !n.Acknowledge:
		return "✓ delivered\n" + at
	case n.finished == ledgerv1.Outcome_OUTCOME_DELIVERED:
		return "… awaiting an acknowledgement"
	default:
		return "… being sent"
	}
}

func (s *stage) notTold(a *account) {
	for _, c := range a.considered {
		who := "Nobody"
		if c.Organisation != "" {
			who = s.names.organisation(c.Organisation)
		}
		item(s.out, 3, "✗ not told:", who+": "+c.Reason)
	}
	for _, g := range a.gaps {
		item(s.out, 3, "! gap:", words(g.Function)+": "+g.Reason)
	}
}

func (s *stage) tasksOf(a *account) {
	said := map[string]bool{}
	for _, t := range a.tasks {
		owner := fmt.Sprintf("%s (%s)", s.names.organisation(t.Organisation), words(t.Role))
		state := "by " + moment(t.DueMs)
		switch {
		case t.resolution != "":
			state = "done: " + words(t.resolution)
		case t.settled:
			state = "no longer needed"
		}
		text := fmt.Sprintf("%s, %s: %s", owner, state, t.Detail)
		if !said[text] { // a task that was passed on may stand beside its new owner's own
			item(s.out, 3, "☐ task:", text)
		}
		said[text] = true
	}
}

func words(token string) string { return strings.ReplaceAll(token, "_", " ") }

// happening is something that came about while the clock moved.
type happening struct {
	atMS int64
	rank int // what leads to the rest comes first
	text string
}

// meanwhile shows what came about since the last scene without a new event.
func (s *stage) meanwhile(ctx context.Context) error {
	var all []happening
	for _, e := range s.events {
		a, err := s.account(ctx, e.event.Source, e.event.Id)
		if err != nil {
			return err
		}
		if e.seen == 0 {
			continue // published in the scene that follows
		}
		for _, f := range a.facts[min(e.seen, len(a.facts)):] {
			if f.AtMs < s.clock.Now().UnixMilli() {
				if rank, text := s.came(a, f); text != "" {
					all = append(all, happening{f.AtMs, rank, text})
				}
			}
		}
		e.seen = len(a.facts)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(x, y happening) int { return cmp.Or(cmp.Compare(x.atMS, y.atMS), cmp.Compare(x.rank, y.rank)) })
	fmt.Fprint(s.out, "\n Meanwhile\n\n")
	for i := 0; i < len(all); {
		same := 1
		for i+same < len(all) && all[i+same] == all[i] {
			same++
		}
		text := all[i].text
		if same > 1 {
			text += fmt.Sprintf(" (%d times)", same)
		}
		item(s.out, 3, moment(all[i].atMS)+" ", text)
		i += same
	}
	return nil
}

func (s *stage) came(a *account, f *ledgerv1.Fact) (rank int, text string) {
	switch fact := f.Fact.(type) {
	case *ledgerv1.Fact_Escalated:
		n := a.notice(fact.Escalated.Notice)
		if int(fact.Escalated.Link) >= len(n.Chain) {
			return 0, fmt.Sprintf("%s: %s, and nobody is left to try: a task to telephone", s.names.organisation(n.Organisation), fact.Escalated.Reason)
		}
		next := n.Chain[fact.Escalated.Link]
		return 0, fmt.Sprintf("%s: %s; the notice moves on to %s", s.names.organisation(n.Organisation), fact.Escalated.Reason, s.names.organisation(next.Organisation))
	case *ledgerv1.Fact_Acknowledged:
		return 2, fmt.Sprintf("%s acknowledges", s.names.organisation(organisationOf(a.notice(fact.Acknowledged.Notice))))
	case *ledgerv1.Fact_TaskEscalated:
		return 1, fmt.Sprintf("a task is overdue and goes to %s (%s), due %s", s.names.organisation(fact.TaskEscalated.Organisation),
			fact.TaskEscalated.Role, moment(fact.TaskEscalated.DueMs))
	default:
		return 0, ""
	}
}

func organisationOf(n *told) string {
	if n.attempt != nil {
		return n.attempt.Organisation
	}
	return n.Organisation
}

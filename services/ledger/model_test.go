package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// model drives a State as the engine does: it carries out what Plan says and adds what people and the world do, all of it
// drawn at random.
type model struct {
	book
	now     int64
	made    int
	ended   map[string]Phase
	sending map[string]uint32 // attempts whose end has yet to come
}

func (m *model) fact(f *ledgerv1.Fact) {
	m.must(m.now, f)
	for id, n := range m.state.Notices {
		if was, over := m.ended[id]; over && was != n.Phase {
			m.t.Fatalf("notice %s ended %s and is now %s", id, was, n.Phase)
		}
		if n.Phase.Ended() {
			m.ended[id] = n.Phase
		}
	}
}

func (m *model) name(kind string) string {
	m.made++
	return fmt.Sprintf("%s%d", kind, m.made)
}

// settle carries out every step that is due.
func (m *model) settle(r *rapid.T) {
	for range 1000 {
		steps := m.state.Plan(ms(m.now))
		if len(steps) == 0 {
			return
		}
		for _, step := range steps {
			m.carryOut(r, step)
		}
	}
	r.Fatalf("steps follow one another without end")
}

func (m *model) carryOut(r *rapid.T, step Step) {
	switch s := step.(type) {
	case Decide:
		if s.Lineage.Undecided != 0 {
			m.decide(r, s.Lineage, s.Lineage.Undecided)
		}
	case Release:
		m.decide(r, s.Lineage, ledgerv1.Cause_CAUSE_RELEASE)
	case Send:
		m.send(r, s.Notice)
	case Expire:
		if a, ok := s.Notice.Attempt(s.Attempt); ok && !a.Ended() {
			m.fact(finished(s.Notice.Id, s.Attempt, unknown, m.now+1))
		}
	case TellLate:
		if s.Notice.Overdue(ms(m.now)) {
			m.fact(late(s.Notice.Id))
		}
	case MoveOn:
		if s.Notice.Phase == Awaiting {
			m.moveOn(s.Notice)
		}
		if s.Notice.Phase == Stopped {
			m.moveTo(s.Notice, uint32(len(s.Notice.Chain)))
		}
	case CheckMeeting:
		m.checkMeeting(s.Notice)
	case EscalateTask:
		if !s.Task.Ended() {
			m.fact(passedOn(s.Task.Id, s.Task.EscalateTo, m.now+30))
		}
	case Compare:
		m.compare(r, s.Manifest)
	}
}

func (m *model) decide(r *rapid.T, l *Lineage, cause ledgerv1.Cause) {
	d := &ledgerv1.Decision{Lineage: l.ID, Round: l.Round + 1, Cause: cause}
	for _, id := range sortedKeys(l.Contributions) {
		for _, src := range l.Contributions[id].Sources {
			if m.state.Withdrawals[src.Event] == nil {
				d.Sources = append(d.Sources, src)
			}
		}
	}
	for _, e := range m.state.Heads(l) {
		d.Sources = append(d.Sources, e.Source)
		if rapid.Bool().Draw(r, "thin") {
			d.Lacks = append(d.Lacks, lack("checks", e.Source.Event))
		}
		d.Children = append(d.Children, finding("c", "child-"+l.ID, e.Source.Event))
	}
	for _, id := range l.Standing {
		if m.state.Notices[id].Withdrawn {
			continue
		}
		fate := rapid.IntRange(0, 3).Draw(r, "fate")
		if fate == 1 && l.Forced && m.state.Notices[id].Told() {
			n := obligation(m.name("n"), m.state.Notices[id].Child)
			n.Repeats = id
			d.Notices = append(d.Notices, n)
			continue
		}
		switch fate {
		case 0:
			d.Superseded = append(d.Superseded, &ledgerv1.Superseded{Notice: id})
		default:
			d.Kept = append(d.Kept, id)
		}
	}
	most := 3
	if len(d.Sources) == 0 && l.Deletion == nil {
		most = 0 // nothing to tell
	}
	for range rapid.IntRange(0, most).Draw(r, "notices") {
		n := obligation(m.name("n"), rapid.SampledFrom([]string{"", "child-" + l.ID}).Draw(r, "child"))
		n.DueMs = ms(m.now + rapid.Int64Range(-30, 120).Draw(r, "due"))
		n.Acknowledge = rapid.Bool().Draw(r, "acknowledge")
		n.Refs = make([]string, len(d.Sources))
		if l.Deletion == nil {
			n.Refs[rapid.IntRange(0, len(d.Sources)-1).Draw(r, "tells")] = "c"
		} else {
			n.Kind, n.Deletes = string(notice.DeletionRequest), m.state.Tasks[l.Deletion.Task].Misdirected[0]
		}
		m.invite(r, l, n)
		if n.Invitation == nil && rapid.Bool().Draw(r, "held") {
			n.ReleaseMs = ms(m.now + rapid.Int64Range(0, 60).Draw(r, "release"))
		}
		d.Notices = append(d.Notices, n)
	}
	if rapid.Bool().Draw(r, "task") {
		d.Tasks = append(d.Tasks, &ledgerv1.Task{
			Id: m.name("t"), Kind: ledgerv1.TaskKind_TASK_KIND_UNMATCHED, Organisation: "police-org", DueMs: ms(m.now + 20),
			Lineage: l.ID, Child: "child-" + l.ID, EscalateTo: rapid.SampledFrom([]string{"", "council"}).Draw(r, "escalate"),
		})
	}
	for _, id := range l.Tasks {
		if t := m.state.Tasks[id]; !t.Ended() && t.Notice == "" && t.Kind != misdirected && rapid.Bool().Draw(r, "settles") {
			d.SettledTasks = append(d.SettledTasks, id)
		}
	}
	if astray := m.state.TakenAway(d); len(astray) > 0 {
		d.Tasks = append(d.Tasks, m.astray(l, astray))
	}
	if !l.BeforeTerm() && l.Deletion == nil && rapid.Bool().Draw(r, "contributes") {
		d.Contributions = append(d.Contributions, &ledgerv1.Contribution{Lineage: "term", Child: "child-" + l.ID})
	}
	m.fact(decided(d))
	for _, n := range d.Notices {
		m.heard(m.state.Notices[n.Id])
	}
}

const misdirected = ledgerv1.TaskKind_TASK_KIND_MISDIRECTION

func (m *model) astray(l *Lineage, notices []string) *ledgerv1.Task {
	return &ledgerv1.Task{
		Id: m.name("t"), Kind: misdirected, Organisation: "police-org", DueMs: ms(m.now + 20), Lineage: l.ID,
		EscalateTo: "police-org", Misdirected: notices,
	}
}

// withdraw takes an event back that may have yet to come, and asks about those who may have been told, as the engine does.
func (m *model) withdraw(r *rapid.T) {
	key := fmt.Sprintf("e%d", rapid.IntRange(1, m.made+3).Draw(r, "withdrawn"))
	e := m.state.Events[key]
	var astray []string
	if e != nil && !e.Withdrawn {
		astray = m.state.Misdirected(m.state.ToldOf(e))
	}
	switch {
	case rapid.Bool().Draw(r, "published"):
		m.seq++
		m.fact(withdrawn(key, source(m.seq, m.name("w"))))
	case e != nil && !e.Withdrawn:
		m.fact(withdrawn(key, nil))
	default:
		return
	}
	if len(astray) > 0 {
		m.fact(opened(m.astray(m.state.Lineages[e.Lineage], astray)))
	}
}

func (m *model) send(r *rapid.T, n *Notice) {
	if n.Phase != Ready && n.Phase != Waiting || m.heard(n) {
		return
	}
	if stop, stopped := m.state.StopOf(n, "", ""); stopped {
		m.fact(heldBack(n.Id, stop))
		return
	}
	last := len(n.Attempts)
	tooLate := last > 0 && n.Attempts[last-1].Link == n.Link && n.LinkEndsMS() <= ms(m.now)
	contact := fmt.Sprintf("contact %d of link %d", rapid.IntRange(0, 1).Draw(r, "contact"), n.Link)
	_, declined := m.state.DeclinedHere(n)
	if tooLate || declined || n.GaveUp(contact) || n.Away(contact) || m.state.HasDeclined(n, contact) {
		m.moveOn(n)
		return
	}
	m.fact(started(n.Id, uint32(last+1), n.Link, contact, m.now+5))
	m.sending[n.Id] = uint32(last + 1)
}

func (m *model) moveOn(n *Notice) { m.moveTo(n, n.Link+1) }

func (m *model) moveTo(n *Notice, next uint32) {
	m.fact(escalated(n.Id, next))
	if int(next) >= len(n.Chain) {
		task := telephone(m.name("t"), n.Id)
		task.Lineage, task.DueMs = n.Lineage, ms(m.now+30)
		m.fact(opened(task))
	}
}

// one draws something that people or the world do.
func (m *model) one(r *rapid.T) {
	switch rapid.SampledFrom([]string{"event", "event", "sent", "sent", "sent", "came back", "came back", "time", "time", "acknowledge", "not at", "resolve", "stop", "claim", "call", "replay", "withdraw", "clock", "reply", "reply", "manifest"}).Draw(r, "what") {
	case "event":
		m.seq++
		key, corrects := m.name("e"), ""
		if rapid.Bool().Draw(r, "correction") {
			corrects = fmt.Sprintf("e%d", rapid.IntRange(1, m.made+3).Draw(r, "of"))
		}
		m.fact(accepted(m.seq, key, rapid.SampledFrom([]string{"l1", "l2"}).Draw(r, "lineage"), corrects, m.state.Overtaken(key)))
	case "sent":
		ids := sortedKeys(m.sending)
		if len(ids) == 0 {
			return
		}
		id := rapid.SampledFrom(ids).Draw(r, "sent")
		attempt := m.sending[id]
		delete(m.sending, id)
		if a, _ := m.state.Notices[id].Attempt(attempt); a.Ended() {
			return
		}
		outcome := rapid.SampledFrom([]ledgerv1.Outcome{delivered, transient, permanent, unknown}).Draw(r, "outcome")
		retry := int64(0)
		if (outcome == transient || outcome == unknown) && attempt < 4 {
			retry = m.now + rapid.Int64Range(1, 90).Draw(r, "retry")
		}
		m.fact(finished(id, attempt, outcome, retry))
	case "came back":
		m.cameBack(r)
	case "withdraw":
		m.withdraw(r)
	case "time":
		m.now += rapid.Int64Range(0, 40).Draw(r, "minutes")
	case "acknowledge":
		if n := m.pick(r); n != nil && n.Phase != Held && n.Phase != Superseded && !n.Withdrawn {
			m.fact(acknowledged(n.Id, "dsl"))
		}
	case "not at":
		if n := m.pick(r); n != nil && n.Child != "" && n.Phase != Superseded && !n.Withdrawn {
			m.fact(notAt(n.Id))
		}
	case "stop":
		stop := rapid.SampledFrom([]Stop{{Scope: all}, {of, "school"}, {of, "council"}}).Draw(r, "of")
		if m.state.Stopped(stop) {
			m.fact(resumed(stop))
		} else {
			m.fact(stopped(stop))
		}
	case "call":
		m.call(r)
	case "replay":
		m.replay(r)
	case "reply":
		m.reply(r)
	case "clock":
		m.fact(clockConfirmed("one"))
	case "manifest":
		m.manifest(r)
	case "claim":
		if open := m.state.TasksByDue(false); len(open) > 0 {
			m.fact(claimed(rapid.SampledFrom(open).Draw(r, "claim").Id))
		}
	case "resolve":
		open := m.state.TasksByDue(false)
		if len(open) == 0 {
			return
		}
		t := rapid.SampledFrom(open).Draw(r, "task")
		kinds := []string{ToldByTelephone, NotOurChild, Duplicate, NoAction}
		if t.Kind == misdirected {
			kinds = []string{SafeToAsk, DoNotAsk}
		} else if t.Kind == listedOtherwise {
			kinds = Resolutions(t.Kind)
		} else if t.Notice == "" {
			kinds = append(kinds, Matched, SettingChosen)
		}
		m.fact(resolved(&ledgerv1.TaskResolved{
			Task: t.Id, By: "op", Resolution: rapid.SampledFrom(kinds).Draw(r, "resolution"), Child: "found", Settings: []string{"s"},
		}))
	}
}

// cameBack draws a bounce or an automatic reply, and does with it what the engine does.
func (m *model) cameBack(r *rapid.T) {
	n := m.pick(r)
	if n == nil || len(n.Attempts) == 0 {
		return
	}
	attempt := rapid.Uint32Range(1, uint32(len(n.Attempts))).Draw(r, "attempt")
	kind := rapid.SampledFrom([]ledgerv1.ReturnKind{bounced, bounced, postponed, confirmed, autoReply, autoReply, unclear}).Draw(r, "kind")
	a, _ := n.Attempt(attempt)
	if a.CameBack(kind) {
		return
	}
	m.fact(returned(n.Id, attempt, kind, kind == autoReply && rapid.Bool().Draw(r, "moves on")))
	if n.CameBackAfterEnd() && n.Task == "" && kind == bounced {
		task := telephone(m.name("t"), n.Id)
		task.Lineage = n.Lineage
		m.fact(opened(task))
	}
}

func (m *model) pick(r *rapid.T) *Notice {
	ids := sortedKeys(m.state.Notices)
	if len(ids) == 0 {
		return nil
	}
	return m.state.Notices[rapid.SampledFrom(ids).Draw(r, "notice")]
}

func (m *model) holds(r *rapid.T) {
	if faults := m.state.Faults(ms(m.now)); len(faults) > 0 {
		r.Fatalf("faults: %v", faults)
	}
	recount := map[Phase]int64{}
	for p := Held; p <= Withdrawn; p++ {
		recount[p] = 0
	}
	for _, n := range m.state.Notices {
		recount[n.Phase]++
		if !n.Phase.Ended() && m.state.tellsWithdrawn(n.Notice, n.Sources) {
			r.Fatalf("notice %s is %s and tells of what was withdrawn", n.Id, n.Phase)
		}
		if n.Deletes != "" && m.state.Tasks[m.state.Notices[n.Deletes].Misdirection].Resolution != SafeToAsk {
			r.Fatalf("notice %s asks to delete what nobody said is safe to ask about", n.Id)
		}
	}
	for p, n := range m.state.Counts() {
		if recount[p] != n {
			r.Fatalf("%d notices are %s, counted %d", recount[p], p, n)
		}
	}
	undecided := 0
	for _, l := range m.state.Lineages {
		if l.Undecided != 0 {
			undecided++
		}
	}
	if counted := m.state.Undecided().Count; undecided != int(counted) {
		r.Fatalf("%d lineages wait for a decision, counted %d", undecided, counted)
	}
	lanes := map[ledgerv1.Lane]Oldest{}
	for _, n := range m.state.Notices {
		if (n.Phase == Ready || n.Phase == Waiting) && n.WakeMS <= ms(m.now) {
			o := lanes[n.Lane]
			o.add(n.Id, n.WakeMS)
			lanes[n.Lane] = o
		}
	}
	if diff := cmp.Diff(lanes, m.state.Undispatched(ms(m.now))); diff != "" {
		r.Fatalf("notices that wait to be sent (-recounted +listed):\n%s", diff)
	}
}

func play(r *rapid.T, t testing.TB) *model {
	m := &model{book: book{t: t, state: NewState()}, ended: map[string]Phase{}, sending: map[string]uint32{}}
	for range rapid.IntRange(1, 60).Draw(r, "length") {
		m.one(r)
		m.settle(r)
		m.holds(r)
	}
	return m
}

func TestEveryNoticeHasAnEndAStepOrAPerson(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(r, t)
		// Nobody does anything any more, and time passes: every notice comes to an end or to a person.
		for range 40 {
			m.now += 60
			m.settle(r)
		}
		m.holds(r)
		for _, n := range m.state.Notices {
			if !n.Phase.Ended() && n.Phase != WithTask {
				r.Fatalf("notice %s is %s for ever", n.Id, n.Phase)
			}
		}
		for _, task := range m.state.TasksByDue(false) {
			if task.EscalateTo != "" && !task.Escalated {
				r.Fatalf("task %s never moved on", task.Id)
			}
		}
	})
}

func TestFoldingInAnySplitOfPacksGivesTheSameState(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(r, t)
		again := NewState()
		for rest := m.facts; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(r, "pack")
			stored, err := proto.Marshal(&ledgerv1.Pack{Facts: rest[:n]})
			if err != nil {
				r.Fatal(err)
			}
			var pack ledgerv1.Pack
			if err := proto.Unmarshal(stored, &pack); err != nil {
				r.Fatal(err)
			}
			if err := again.Apply(&pack); err != nil {
				r.Fatal(err)
			}
			rest = rest[n:]
		}
		if got, want := dump(again), dump(m.state); got != want {
			r.Fatalf("folded again:\n%s\nwas:\n%s", got, want)
		}
		if again.Digest() != m.state.Digest() {
			r.Fatalf("the same state has another digest:\n%s", dump(again))
		}
		// What was armed before is armed again: a new leader goes on where the one before stopped.
		due := ms(m.now + 100_000)
		got, want := planned(again, due), planned(m.state, due)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			r.Fatalf("a new leader plans %v, the one before %v", got, want)
		}
	})
}

// planned lists the steps that would ever come without another fact.
func planned(s *State, atMS int64) []string {
	b := book{state: s}
	return []string{b.plan((atMS - ms(0)) / 60_000)}
}

func TestFoldRefusesAnythingOrTakesIt(t *testing.T) {
	// Facts in an order that makes no sense: each is taken, or refused with nothing left behind.
	rapid.Check(t, func(r *rapid.T) {
		m := play(r, t)
		ids := append(sortedKeys(m.state.Notices), "nowhere")
		tasks := append(sortedKeys(m.state.Tasks), "nowhere")
		id, task := rapid.SampledFrom(ids).Draw(r, "id"), rapid.SampledFrom(tasks).Draw(r, "of")
		attempt := rapid.Uint32Range(0, 3).Draw(r, "attempt")
		fact := rapid.SampledFrom([]*ledgerv1.Fact{
			started(id, attempt, attempt, "x", m.now+5), finished(id, attempt, delivered, 0), escalated(id, attempt), late(id),
			returned(id, attempt, bounced, false), returned(id, attempt, autoReply, true), returned(id, attempt, unclear, false),
			acknowledged(id, "x"), notAt(id), replied(id, "x", comes), replied(id, "x", refuses), replied(id, "", comes), replied(id, "x", 0), opened(telephone(task, id)), claimed(task), passedOn(task, "x", m.now),
			resolved(&ledgerv1.TaskResolved{Task: task, Resolution: NoAction}), decided(decision("l1", attempt)),
			accepted(uint64(attempt), "e1", "l1", "", false), stopped(Stop{Scope: all}), resumed(Stop{Scope: all}), heldBack(id, Stop{Scope: all}),
			called("call1", "l1", "school", "", int64(attempt)), called("", "l1", "school", "", 1), heardOf(id, "call1"), heardOf(id, "nobody's"),
			replayed(true, "l1"), replayed(false, "l1", task), replayed(false),
			withdrawn("e1", nil), withdrawn("e1", source(uint64(attempt), "e2")), opened(astray(task, id)),
			manifested(uint64(attempt), "e1", 1, 1, m.now), manifested(9, "m", attempt, 1, m.now), compared(task), compared("new", task),
		}).Draw(r, "fact")
		before := dump(m.state)
		if err := m.try(m.now, fact); err != nil && dump(m.state) != before {
			r.Fatalf("%v left something behind", err)
		}
	})
}

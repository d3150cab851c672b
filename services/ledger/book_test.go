package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// ms is a minute of the tests: zero is no time at all.
func ms(minute int64) int64 { return 1_795_000_000_000 + minute*60_000 }

// book is a ledger being written, fact by fact, at times in minutes.
type book struct {
	t     testing.TB
	state *State
	facts []*ledgerv1.Fact
	seq   uint64
}

func newBook(t testing.TB) *book { return &book{t: t, state: NewState()} }

func (b *book) try(at int64, f *ledgerv1.Fact) error {
	f.AtMs = ms(at)
	err := b.state.Fold(f)
	if err == nil {
		b.facts = append(b.facts, f)
	}
	return err
}

// must writes a fact. A withdrawal that does not say so takes back what it has to.
func (b *book) must(at int64, f *ledgerv1.Fact) {
	b.t.Helper()
	if w := f.GetEventWithdrawn(); w != nil && w.Notices == nil {
		w.Notices = b.state.TakesBack(w.Event)
	}
	if err := b.try(at, f); err != nil {
		b.t.Fatal(err)
	}
}

func accepted(seq uint64, event, lineage, supersedes string, overtaken bool) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: &ledgerv1.EventAccepted{
		Source:  source(seq, event),
		Lineage: lineage, Kind: "encompass.incident", Supersedes: supersedes, Overtaken: overtaken,
	}}}
}

func source(seq uint64, event string) *ledgerv1.Source {
	return &ledgerv1.Source{Agency: "police", Sequence: seq, Event: event}
}

// event takes an event in that is told of children c1, c2… of its lineage.
func (b *book) event(at int64, event, lineage string) {
	b.t.Helper()
	b.seq++
	b.must(at, accepted(b.seq, event, lineage, "", false))
}

// obligation is a notice of two links, of 60 minutes each from its due time at minute 60.
func obligation(id, child string) *ledgerv1.Notice {
	return &ledgerv1.Notice{
		Id: id, Child: child, Organisation: "school", Function: "setting", Acknowledge: true, DueMs: ms(60), Refs: []string{"c"},
		Chain: []*ledgerv1.Link{{Organisation: "school"}, {Organisation: "council", OffsetMinutes: 60}},
	}
}

func decision(lineage string, round uint32, notices ...*ledgerv1.Notice) *ledgerv1.Decision {
	return &ledgerv1.Decision{
		Lineage: lineage, Round: round, Cause: ledgerv1.Cause_CAUSE_EVENT, Notices: notices,
		Sources: []*ledgerv1.Source{source(1, "e1")},
	}
}

func decided(d *ledgerv1.Decision) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: d}}
}

func started(id string, attempt, link uint32, contact string, leaseMinute int64) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: &ledgerv1.AttemptStarted{
		Notice: id, Attempt: attempt, Link: link, Contact: contact, Organisation: "school", Role: "dsl", LeaseMs: ms(leaseMinute),
	}}}
}

func finished(id string, attempt uint32, outcome ledgerv1.Outcome, retryMinute int64) *ledgerv1.Fact {
	retry := int64(0)
	if retryMinute > 0 {
		retry = ms(retryMinute)
	}
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: &ledgerv1.AttemptFinished{
		Notice: id, Attempt: attempt, Outcome: outcome, RetryMs: retry,
	}}}
}

func escalated(id string, link uint32) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{Notice: id, Link: link}}}
}

func late(id string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Late{Late: &ledgerv1.Late{Notice: id}}}
}

func returned(id string, attempt uint32, kind ledgerv1.ReturnKind, movesOn bool) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Returned{Returned: &ledgerv1.Returned{
		Notice: id, Attempt: attempt, Kind: kind, MovesOn: movesOn, Code: "5.1.1",
	}}}
}

const (
	bounced   = ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_PERMANENT
	postponed = ledgerv1.ReturnKind_RETURN_KIND_BOUNCE_TRANSIENT
	confirmed = ledgerv1.ReturnKind_RETURN_KIND_DELIVERY_CONFIRMED
	autoReply = ledgerv1.ReturnKind_RETURN_KIND_AUTO_REPLY
	unclear   = ledgerv1.ReturnKind_RETURN_KIND_UNKNOWN
)

func acknowledged(id, by string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{Notice: id, By: by}}}
}

func notAt(id string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_NotAtSetting{NotAtSetting: &ledgerv1.NotAtSetting{Notice: id, By: "dsl"}}}
}

func opened(t *ledgerv1.Task) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: t}}
}

func telephone(id, about string) *ledgerv1.Task {
	return &ledgerv1.Task{
		Id: id, Kind: ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, Organisation: "council", Role: "duty", DueMs: ms(200),
		Lineage: "l", Notice: about, Child: "child", EscalateTo: "police",
	}
}

func resolved(r *ledgerv1.TaskResolved) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: r}}
}

func claimed(id string) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskClaimed{TaskClaimed: &ledgerv1.TaskClaimed{Task: id, By: "op"}}}
}

func passedOn(id, to string, dueMinute int64) *ledgerv1.Fact {
	return &ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskEscalated{TaskEscalated: &ledgerv1.TaskEscalated{
		Task: id, Organisation: to, Role: "duty", DueMs: ms(dueMinute),
	}}}
}

const (
	delivered = ledgerv1.Outcome_OUTCOME_DELIVERED
	transient = ledgerv1.Outcome_OUTCOME_TRANSIENT
	permanent = ledgerv1.Outcome_OUTCOME_PERMANENT
	unknown   = ledgerv1.Outcome_OUTCOME_UNKNOWN
)

// plan is what is due at a minute, as one line a step.
func (b *book) plan(at int64) string {
	var steps []string
	for _, step := range b.state.Plan(ms(at)) {
		switch s := step.(type) {
		case Decide:
			steps = append(steps, "decide "+s.Lineage.ID)
		case Release:
			steps = append(steps, "release "+s.Lineage.ID)
		case Send:
			steps = append(steps, fmt.Sprintf("send %s link %d", s.Notice.Id, s.Notice.Link))
		case Expire:
			steps = append(steps, fmt.Sprintf("expire %s attempt %d", s.Notice.Id, s.Attempt))
		case TellLate:
			steps = append(steps, "tell late "+s.Notice.Id)
		case MoveOn:
			steps = append(steps, "move on "+s.Notice.Id)
		case CheckMeeting:
			steps = append(steps, "check the meeting of "+s.Notice.Id)
		case EscalateTask:
			steps = append(steps, "escalate "+s.Task.Id)
		case Compare:
			steps = append(steps, "compare "+s.Manifest.ID())
		}
	}
	return strings.Join(steps, ", ")
}

func (b *book) expect(at int64, plan string) {
	b.t.Helper()
	if diff := cmp.Diff(plan, b.plan(at)); diff != "" {
		b.t.Fatalf("plan at minute %d (-want +got):\n%s", at, diff)
	}
}

func (b *book) phase(id string, want Phase) {
	b.t.Helper()
	if got := b.state.Notices[id].Phase; got != want {
		b.t.Fatalf("notice %s is %s, want %s", id, got, want)
	}
}

func (b *book) faultless(at int64) {
	b.t.Helper()
	if diff := cmp.Diff([]string(nil), b.state.Faults(ms(at))); diff != "" {
		b.t.Fatal(diff)
	}
}

func (b *book) refuses(at int64, f *ledgerv1.Fact) {
	b.t.Helper()
	before := dump(b.state)
	if err := b.try(at, f); !errors.Is(err, ErrImpossible) {
		b.t.Fatalf("folded with %v: %v", err, f)
	}
	if diff := cmp.Diff(before, dump(b.state)); diff != "" {
		b.t.Fatalf("a refused fact left something behind: %s\n%s", f, diff)
	}
}

// dump is a State in a stable form: two States that mean the same are equal in it. A timer that counts no more, and one
// that Plan has taken, are left out: a timer counts only while what it is about waits for it.
func dump(s *State) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	text := func(v any) string {
		bs, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(bs)
	}
	line("epoch %d facts %d refused %d deciding %d counts %v", s.Epoch, s.Facts, s.Refused, len(s.deciding), s.counts)
	line("newest %d confirmed %v", s.NewestMS, s.Confirmed)
	for _, k := range sortedKeys(s.Events) {
		line("event %s %s", k, text(s.Events[k]))
	}
	for _, k := range sortedKeys(s.Lineages) {
		line("lineage %s %s", k, text(s.Lineages[k]))
	}
	for _, k := range sortedKeys(s.Notices) {
		line("notice %s %s", k, text(s.Notices[k]))
	}
	for _, k := range sortedKeys(s.Tasks) {
		line("task %s %s", k, text(s.Tasks[k]))
	}
	for _, k := range sortedKeys(s.Failing) {
		line("failing %s %s", k, text(s.Failing[k]))
	}
	for _, k := range sortedKeys(s.Calls) {
		line("call %s %s", k, text(s.Calls[k]))
	}
	for _, k := range sortedKeys(s.callsAbout) {
		line("calls about %s %s", k, text(s.callsAbout[k]))
	}
	for _, k := range sortedKeys(s.Withdrawals) {
		line("withdrawn %s %s", k, text(s.Withdrawals[k]))
	}
	for _, k := range sortedKeys(s.Totals) {
		line("left out %s %s open %v", k, text(s.Totals[k]), s.open)
	}
	for _, c := range s.Completeness("", 0, 0) {
		line("left out %s", text(c))
	}
	for _, k := range sortedKeys(s.manifests.byID) {
		line("manifest %s %s", k, text(s.manifests.byID[k]))
	}
	m := s.manifests
	line("manifests %v %v %v %v %v %v %d", m.events, m.superseded, m.newest, m.reported, m.refused, m.references, len(m.byHour))
	for _, k := range sortedKeys(m.about) {
		line("about %s %s", k, text(m.about[k]))
	}
	for _, k := range sortedKeys(m.asked) {
		line("asked %s %s", k, text(m.asked[k]))
	}
	line("withdrew %v", s.withdrawers)
	line("cursors %v overtakers %v children %v", s.cursors, s.overtakers, s.children)
	for _, a := range sortedKeys(s.feedback) {
		line("feedback %s %s", a, text(s.feedback[a]))
	}
	return b.String()
}

// told is the feedback for the police after a cursor, a word a change.
func (b *book) told(after uint64) string {
	var words []string
	for _, c := range b.state.Feedback("police", after, 100) {
		if c.Cursor != after+1 {
			b.t.Fatalf("cursor %d follows %d", c.Cursor, after)
		}
		after = c.Cursor
		state := map[ChildState]string{
			0: "refused", ChildAccepted: "accepted", ChildUnmatched: "unmatched", ChildTold: "told",
			ChildAcknowledged: "acknowledged", ChildLate: "late", ChildWithdrawn: "withdrawn",
		}[c.State]
		if c.Assessed {
			state = "lacks " + fmt.Sprint(len(c.Lacks))
		}
		if c.Manifest != nil {
			state = fmt.Sprintf("manifest %s differs in %d", c.Manifest.Day, len(c.Manifest.Differences))
		}
		words = append(words, strings.TrimPrefix(c.Event+"/"+c.Ref+" ", "/ ")+state)
	}
	return strings.Join(words, ", ")
}

func settings(ids ...string) []notice.OrgID {
	out := make([]notice.OrgID, len(ids))
	for i, id := range ids {
		out[i] = notice.OrgID(id)
	}
	return slices.Clip(out)
}

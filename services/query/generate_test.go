package query_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const minute = 60_000

// epoch is an instant of the tests, Unix milliseconds.
const epoch = 1_795_000_000_000

// writer makes up a ledger: facts are drawn at random, and those that can follow the ones before are kept.
type writer struct {
	r     *rapid.T
	state *ledger.State
	facts []*ledgerv1.Fact
	now   int64
	made  int
	seq   uint64
	kinds map[string]int // of the facts kept
}

func newWriter(r *rapid.T) *writer {
	return &writer{r: r, state: ledger.NewState(), now: epoch, kinds: map[string]int{}}
}

func (w *writer) try(f *ledgerv1.Fact) bool {
	f.AtMs = w.now
	f = proto.CloneOf(f)
	if w.state.Fold(f) != nil {
		return false
	}
	w.facts = append(w.facts, f)
	w.kinds[kindOf(f)]++
	return true
}

func kindOf(f *ledgerv1.Fact) string {
	m := f.ProtoReflect()
	return string(m.WhichOneof(m.Descriptor().Oneofs().ByName("fact")).Name())
}

func (w *writer) name(kind string) string {
	w.made++
	return fmt.Sprintf("%s%016d", kind, w.made)
}

func (w *writer) number(name string, most int) int { return rapid.IntRange(0, most).Draw(w.r, name) }

func (w *writer) one(name string, of ...string) string { return rapid.SampledFrom(of).Draw(w.r, name) }

// known draws one of the keys, or one that is not there.
func known[T any](w *writer, name string, of map[string]T) string {
	keys := slices.Sorted(maps.Keys(of))
	return rapid.SampledFrom(append(keys, "nowhere")).Draw(w.r, name)
}

func (w *writer) lineage() string { return known(w, "lineage", w.state.Lineages) }
func (w *writer) notice() string  { return known(w, "notice", w.state.Notices) }
func (w *writer) task() string    { return known(w, "task", w.state.Tasks) }

func (w *writer) contact() string { return fmt.Sprintf("contact-%d", w.number("contact", 3)) }

func (w *writer) organisation() string {
	return w.one("organisation", "school", "council", "nursery")
}

func (w *writer) source(event string) *ledgerv1.Source {
	w.seq++
	return &ledgerv1.Source{Agency: w.one("agency", "police", "hub"), Sequence: w.seq, Event: event}
}

func (w *writer) stop() (ledgerv1.Scope, string) {
	if w.number("all", 1) == 0 {
		return ledgerv1.Scope_SCOPE_ALL, ""
	}
	return ledgerv1.Scope_SCOPE_ORGANISATION, "school"
}

// step draws one fact, and a few minutes.
func (w *writer) step() {
	w.now += int64(w.number("minutes", 30)) * minute
	switch w.number("what", 34) {
	case 0, 1:
		event := w.name("event")
		f := &ledgerv1.EventAccepted{Source: w.source(event), Lineage: w.one("of", "l1", "l2", "l3"), Kind: "encompass.incident"}
		if w.number("corrects", 3) == 0 {
			f.Supersedes = known(w, "supersedes", w.state.Events)
		}
		f.TimeMs, f.Children = w.now, uint32(w.number("children", 3))
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventAccepted{EventAccepted: f}})
	case 2:
		w.refuse()
	case 3:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRepeated{EventRepeated: &ledgerv1.EventRepeated{Source: w.source(known(w, "event", w.state.Events))}}})
	case 4, 5, 6:
		w.decide()
	case 7, 8, 9:
		id := w.notice()
		f := &ledgerv1.AttemptStarted{
			Notice: id, Contact: w.contact(), Organisation: w.organisation(), Role: w.one("role", "dsl", "head"), Channel: "email", LeaseMs: w.now + minute,
		}
		if n := w.state.Notices[id]; n != nil {
			f.Attempt, f.Link = uint32(len(n.Attempts)+1), n.Link
		}
		if w.number("inbox", 2) == 0 {
			f.Channel, f.Inbox = ledger.ByInbox, w.one("reader", "hub", "police")
		}
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptStarted{AttemptStarted: f}})
	case 10, 11:
		id := w.notice()
		f := &ledgerv1.AttemptFinished{
			Notice: id, Attempt: w.attempt(id), Outcome: ledgerv1.Outcome(w.number("outcome", 4)), RetryMs: int64(w.number("retry", 1)) * (w.now + minute),
		}
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_AttemptFinished{AttemptFinished: f}})
	case 12:
		id := w.notice()
		f := &ledgerv1.Returned{Notice: id, Attempt: w.attempt(id), Kind: ledgerv1.ReturnKind(w.number("kind", 5)), MovesOn: w.number("moves on", 1) == 1}
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Returned{Returned: f}})
	case 13:
		id := w.notice()
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Escalated{Escalated: &ledgerv1.Escalated{Notice: id, Link: uint32(w.number("link", 2))}}})
	case 14:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Late{Late: &ledgerv1.Late{Notice: w.notice()}}})
	case 15:
		id := w.notice()
		w.try(rapid.SampledFrom([]*ledgerv1.Fact{
			{Fact: &ledgerv1.Fact_CodeSent{CodeSent: &ledgerv1.CodeSent{Notice: id}}},
			{Fact: &ledgerv1.Fact_NoticeRead{NoticeRead: &ledgerv1.NoticeRead{Notice: id}}},
			{Fact: &ledgerv1.Fact_NotAtSetting{NotAtSetting: &ledgerv1.NotAtSetting{Notice: id}}},
			{Fact: &ledgerv1.Fact_Acknowledged{Acknowledged: &ledgerv1.Acknowledged{Notice: id, By: "dsl", Means: w.one("means", "grpc", ledger.ByTelephone)}}},
		}).Draw(w.r, "told"))
	case 16:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: w.newTask(w.lineage(), w.notice())}})
	case 17:
		id := w.task()
		w.try(rapid.SampledFrom([]*ledgerv1.Fact{
			{Fact: &ledgerv1.Fact_TaskClaimed{TaskClaimed: &ledgerv1.TaskClaimed{Task: id, By: "op"}}},
			{Fact: &ledgerv1.Fact_TaskRead{TaskRead: &ledgerv1.TaskRead{Task: id, By: "op"}}},
			{Fact: &ledgerv1.Fact_TaskEscalated{TaskEscalated: &ledgerv1.TaskEscalated{Task: id, Organisation: "police-org", Role: "desk", DueMs: w.now + minute}}},
		}).Draw(w.r, "done"))
	case 18:
		resolution := w.one("resolution", ledger.ToldByTelephone, ledger.NoAction, ledger.Matched, ledger.SettingChosen)
		f := &ledgerv1.TaskResolved{Task: w.task(), By: "op", Resolution: resolution, Child: "found", Settings: []string{"nursery"}}
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskResolved{TaskResolved: f}})
	case 19:
		scope, target := w.stop()
		if w.number("resume", 1) == 0 {
			w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Stopped{Stopped: &ledgerv1.Stopped{Scope: scope, Target: target, By: "op"}}})
		} else {
			w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Resumed{Resumed: &ledgerv1.Resumed{Scope: scope, Target: target, By: "op"}}})
		}
	case 20:
		scope, target := w.stop()
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_HeldBack{HeldBack: &ledgerv1.HeldBack{Notice: w.notice(), Scope: scope, Target: target}}})
	case 22:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Replayed{Replayed: &ledgerv1.Replayed{
			Agency: "police", Event: known(w, "event", w.state.Events), Digest: "plan", By: "op", Lineages: []string{w.lineage()},
		}}})
	case 23:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ToldByTelephone{ToldByTelephone: &ledgerv1.ToldByTelephone{
			Id: w.name("call"), Lineage: w.lineage(), Agency: "police", Kind: "encompass.incident", Organisation: "school", ToldMs: w.now, By: "op",
		}}})
	case 28, 29:
		w.reply()
	case 27:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_ClockConfirmed{ClockConfirmed: &ledgerv1.ClockConfirmed{Instance: "one", By: "op"}}})
	case 30, 31:
		w.subscription()
	case 24, 25:
		w.withdraw()
	case 32, 33:
		w.manifest()
	case 34:
		w.list()
	case 26:
		t := w.newTask(w.lineage(), "")
		t.Kind, t.Misdirected = ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, []string{w.notice()}
		if other := w.notice(); other != t.Misdirected[0] && w.number("two", 1) == 1 {
			t.Misdirected = append(t.Misdirected, other)
		}
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: t}})
	case 21:
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Led{Led: &ledgerv1.Led{Epoch: w.state.Epoch + 1, Instance: "one"}}})
	}
}

// subscription begins a subscription or ends it, with some of its notices.
func (w *writer) subscription() {
	f := &ledgerv1.SubscriptionChanged{
		Subscription: w.one("subscription", "s1", "s2"), Agency: "hub", Organisation: "council", Basis: "b",
		State: ledgerv1.SubscriptionState(w.number("state", 4)),
	}
	if open := w.state.Open(f.Subscription); f.State > ledgerv1.SubscriptionState_SUBSCRIPTION_STATE_BEGAN && len(open) > 0 {
		f.Notices = open[:w.number("ended", len(open))]
	}
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_SubscriptionChanged{SubscriptionChanged: f}})
}

// list brings a list by a subscription, or shows one.
func (w *writer) list() {
	f := &ledgerv1.WhereaboutsListed{
		Subscription: w.one("subscription", "s1", "s2"), Agency: "hub", Basis: "b", SinceMs: 1, AsOfMs: w.now,
		Listing: ledgerv1.Listing(w.number("listing", 2)),
	}
	for range w.number("shown", 2) {
		f.Shown = append(f.Shown, &ledgerv1.Listed{Event: known(w, "event", w.state.Events), Child: "child"})
	}
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_WhereaboutsListed{WhereaboutsListed: f}})
}

// withdraw takes back an event that may have yet to come, and mostly asks about those who may have been told.
func (w *writer) withdraw() {
	event := known(w, "withdrawn", w.state.Events)
	if w.number("early", 5) == 0 {
		event = fmt.Sprintf("event%016d", w.made+2) // may be the one that comes next
	}
	f := &ledgerv1.EventWithdrawn{Event: event, Agency: w.one("agency", "police", "hub"), By: "op", Reason: "wrong_child"}
	if e := w.state.Events[event]; e != nil {
		f.Agency = e.Source.Agency
	}
	if w.number("published", 1) == 1 {
		f.Source = w.source(w.name("event"))
		f.Source.Agency = f.Agency
	}
	f.Notices = w.state.TakesBack(event)
	astray := w.state.Misdirected(w.noticesOf(f.Notices))
	if !w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventWithdrawn{EventWithdrawn: f}}) || len(astray) == 0 || w.number("task", 3) == 0 {
		return
	}
	t := w.newTask(w.state.Events[event].Lineage, "")
	t.Kind, t.Misdirected = ledgerv1.TaskKind_TASK_KIND_MISDIRECTION, astray
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: t}})
}

func (w *writer) noticesOf(ids []string) []*ledger.Notice {
	notices := make([]*ledger.Notice, len(ids))
	for i, id := range ids {
		notices[i] = w.state.Notices[id]
	}
	return notices
}

// reply draws an answer to an invitation, mostly by somebody who was asked.
func (w *writer) reply() {
	id := w.notice()
	f := &ledgerv1.Replied{Notice: id, By: "op", Contact: w.contact(), Answer: ledgerv1.Answer(w.number("answer", 2) + 1)}
	if n := w.state.Notices[id]; n != nil && len(n.Attempts) > 0 && w.number("asked", 3) > 0 {
		f.Contact = n.Attempts[w.attempt(id)-1].Contact
	}
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Replied{Replied: f}})
}

func (w *writer) attempt(id string) uint32 {
	if n := w.state.Notices[id]; n != nil && len(n.Attempts) > 0 {
		return rapid.Uint32Range(1, uint32(len(n.Attempts))).Draw(w.r, "attempt")
	}
	return 1
}

func (w *writer) refuse() {
	event := w.name("event")
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_EventRefused{EventRefused: &ledgerv1.EventRefused{Source: w.source(event), Quarantine: w.seq, Faults: 1}}})
	if w.number("task", 3) > 0 {
		t := w.newTask("", "")
		t.Kind = ledgerv1.TaskKind_TASK_KIND_QUARANTINED
		w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_TaskOpened{TaskOpened: t}})
	}
}

func (w *writer) newTask(lineage, about string) *ledgerv1.Task {
	t := &ledgerv1.Task{
		Id: w.name("task"), Kind: ledgerv1.TaskKind_TASK_KIND_EXHAUSTED, Organisation: "council", Role: "duty",
		DueMs: w.now + int64(w.number("due", 60))*minute,
	}
	if lineage != "nowhere" {
		t.Lineage = lineage
	}
	if about != "nowhere" {
		t.Notice = about
	}
	return t
}

func (w *writer) decide() {
	id := w.lineage()
	l := w.state.Lineages[id]
	if l == nil {
		return
	}
	d := &ledgerv1.Decision{Lineage: id, Round: l.Round + 1, Cause: ledgerv1.Cause(w.number("cause", 4) + 1)}
	for _, e := range w.state.Heads(l) {
		d.Sources = append(d.Sources, e.Source)
		if w.number("thin", 2) == 0 {
			d.Lacks = append(d.Lacks, &ledgerv1.Lack{Need: "checks", Event: e.Source.Event, Fields: []string{"checks.pnc"}})
		}
		d.Children = append(d.Children, &ledgerv1.ChildFinding{Ref: "c", Child: "child-" + id, Match: ledgerv1.Match_MATCH_NAME, Event: e.Source.Event})
	}
	for _, from := range slices.Sorted(maps.Keys(l.Contributions)) {
		for _, src := range l.Contributions[from].Sources {
			if w.state.Withdrawals[src.Event] == nil {
				d.Sources = append(d.Sources, src)
			}
		}
	}
	replaced := ""
	for _, standing := range l.Standing {
		if w.number("fate", 3) == 0 {
			replaced = standing
			d.Superseded = append(d.Superseded, &ledgerv1.Superseded{Notice: standing, By: "nowhere"})
		} else {
			d.Kept = append(d.Kept, standing)
		}
	}
	for range w.number("notices", 3) {
		d.Notices = append(d.Notices, w.newNotice(id, replaced, len(d.Sources)))
	}
	if w.number("task", 2) == 0 {
		d.Tasks = append(d.Tasks, w.newTask(id, ""))
	}
	if id := w.task(); w.number("settles", 2) == 0 && w.state.Tasks[id] != nil {
		d.SettledTasks = append(d.SettledTasks, id)
	}
	if w.number("contributes", 3) == 0 {
		d.Contributions = append(d.Contributions, &ledgerv1.Contribution{
			Lineage: w.one("term", "term", "term2"), Child: "child-" + id, Refs: make([]string, len(d.Sources)),
		})
	}
	w.try(&ledgerv1.Fact{Fact: &ledgerv1.Fact_Decided{Decided: d}})
}

func (w *writer) newNotice(lineage, replaces string, sources int) *ledgerv1.Notice {
	n := &ledgerv1.Notice{
		Id: w.name("note"), Kind: w.one("kind", "encompass.incident", "referral.received"), Rule: w.one("rule", "setting", "authority"),
		Child: w.one("child", "child-"+lineage, ""), Organisation: w.organisation(), Function: "setting", Lane: ledgerv1.Lane(w.number("lane", 2) + 1),
		DueMs: w.now + int64(w.number("due", 90)-30)*minute, Acknowledge: w.number("acknowledge", 1) == 0, Refs: make([]string, sources),
		Replaces: replaces, Subscription: w.one("follows", "", "", "s1", "s2"),
	}
	for i := range n.Refs {
		n.Refs[i] = w.one("tells", "", "c")
	}
	if w.number("invites", 1) == 0 {
		n.Invitation = &ledgerv1.Invitation{MeetsMs: epoch + 1000*minute, Represents: []string{"police"}}
	}
	if w.number("held", 2) == 0 {
		n.ReleaseMs = w.now + int64(w.number("release", 30))*minute
	}
	for i := range w.number("chain", 2) + 1 {
		n.Chain = append(n.Chain, &ledgerv1.Link{Organisation: w.one("link", "school", "council"), OffsetMinutes: int32(60 * i)})
	}
	return n
}

// packs cuts facts into packs, as they would be stored.
func packs(t testing.TB, facts []*ledgerv1.Fact, size func() int) [][]byte {
	t.Helper()
	var all [][]byte
	var previous []byte
	for rest := facts; len(rest) > 0; {
		n := min(size(), len(rest))
		stored, err := proto.Marshal(&ledgerv1.Pack{Previous: previous, Epoch: 1, Facts: rest[:n]})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(stored)
		all, previous, rest = append(all, stored), sum[:], rest[n:]
	}
	return all
}

// reference is a notice's for people.
func reference(id string) string { return notice.Reference(id) }

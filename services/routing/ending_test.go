package routing_test

import (
	"slices"
	"strings"
	"testing"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

const (
	foundAt   = "2026-11-05T23:05:00Z"
	foundTold = "2026-11-05T23:20:00Z" // when police were told of it
)

func found(ids ...string) *eventv1.Event {
	return &eventv1.Event{
		Id: "f-1", Source: "ashmere-police", Type: "missing.found", Subject: "AP/MIS/1", Time: stamp(foundTold), Area: ashmere,
		Children: children(ids...), Payload: &eventv1.Event_MissingFound{MissingFound: &eventv1.MissingFound{FoundAt: stamp(foundAt)}},
	}
}

// ending is a decision about what ended a matter, as the ledger gives it of one child.
func ending(ev *eventv1.Event, endedAt string, d *ledgerv1.Decision, child notice.ChildID) routing.Ending {
	e := routing.Ending{EndedMS: instant(endedAt).UnixMilli(), ReportedMS: ev.Time.AsTime().UnixMilli()}
	for _, n := range d.Notices {
		if n.Child == string(child) {
			e.Told = append(e.Told, n)
		}
	}
	return e
}

// whereFound is a world in whose ledger children were found, and everybody told of it whom only lets through.
func whereFound(t *testing.T, only func(*ledgerv1.Notice) bool, ids ...string) world {
	t.Helper()
	w := newWorld(t, foundTold)
	r := firstRound()
	r.Lineage = "of the end"
	d := w.decide(r, found(ids...))
	d.Notices = slices.DeleteFunc(d.Notices, func(n *ledgerv1.Notice) bool { return !only(n) })
	w.Endings = func(child notice.ChildID, of notice.EventKind) []routing.Ending {
		if e := ending(found(ids...), foundAt, d, child); len(e.Told) > 0 && of == notice.MissingReported {
			return []routing.Ending{e}
		}
		return nil
	}
	return w
}

func everybody(*ledgerv1.Notice) bool { return true }

func reasonsOf(d *ledgerv1.Decision, has string) []string {
	out := []string{}
	for _, c := range d.Considered {
		if strings.Contains(c.Reason, has) {
			out = append(out, c.Rule+" "+c.Organisation)
		}
	}
	slices.Sort(out)
	return out
}

func TestWhoeverIsToldOfTheEndIsNotToldOfTheBeginning(t *testing.T) {
	all := []string{"missing.authority ashmere-council", "missing.setting gias:900101"}
	for name, tc := range map[string]struct {
		found  []string // ada
		only   func(*ledgerv1.Notice) bool
		change func(*eventv1.Event)
		first  string // when what it corrects was reported
		want   []string
	}{
		"found": {want: []string{}},
		"the school is not told that the child is found": {
			only: func(n *ledgerv1.Notice) bool { return n.Organisation != alder }, want: all[1:]},
		"the authority is told of it in another function": {
			only: func(n *ledgerv1.Notice) bool { n.Function += "-other"; return true }, want: all},
		"it follows from a subscription": {
			only: func(n *ledgerv1.Notice) bool { n.Subscription = "s-1"; return true }, want: all},
		"the brother was found": {found: []string{"ben"}, want: all},
		"last seen when found": {want: []string{},
			change: func(ev *eventv1.Event) { ev.GetMissingReported().LastSeenAt = stamp(foundAt) }},
		"missing again": {want: all,
			change: func(ev *eventv1.Event) { ev.GetMissingReported().LastSeenAt = stamp("2026-11-05T23:06:00Z") }},
		"reported after the return was, by a form that says when the child was first seen": {want: all,
			change: func(ev *eventv1.Event) { ev.Time = stamp("2026-11-05T23:21:00Z") }},
		"a correction after the return, of what was reported before": {want: []string{}, first: foundTold,
			change: func(ev *eventv1.Event) { ev.Time, ev.Supersedes = stamp("2026-11-06T09:00:00Z"), "m-0" }},
		"a correction of what was reported after the return": {want: all, first: "2026-11-05T23:20:01Z",
			change: func(ev *eventv1.Event) { ev.Supersedes = "m-0" }},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.found == nil {
				tc.found = []string{"ada"}
			}
			if tc.only == nil {
				tc.only = everybody
			}
			w, ev := whereFound(t, tc.only, tc.found...), missing("ada")
			if tc.change != nil {
				tc.change(ev)
			}
			events := sources([]*eventv1.Event{ev})
			if tc.first != "" {
				events[0].ReportedMS = instant(tc.first).UnixMilli()
			}
			d := routing.Decide(events, firstRound(), w.Facts)
			equals(t, "told", toldAll(d), tc.want)
			equals(t, "not told, and why", reasonsOf(d, "told that it has ended (missing.found)"),
				slices.DeleteFunc(slices.Clone(all), func(x string) bool { return slices.Contains(tc.want, x) }))
			equals(t, "on record", len(d.Ended), len(all)-len(tc.want))
			equals(t, "tasks and gaps", len(d.Tasks)+len(d.Gaps), 0)
		})
	}
}

func TestWhoIsNotCertainlyTheSameChildIsNotFound(t *testing.T) {
	w := newWorld(t, night)
	w.Endings = func(child notice.ChildID, _ notice.EventKind) []routing.Ending {
		t.Errorf("asked whether %s was found", child)
		return nil
	}
	for _, id := range []string{"zed", "sol"} { // on no roll; sealed
		if d := w.first(missing(id)); len(d.Notices) == 0 {
			t.Errorf("%s: nobody is told", id)
		}
	}
}

// An older report of the matter that comes last must not end what was reported of the child since.
func TestAnOlderReportUnderTheSameReferenceDoesNotEndTheLaterOne(t *testing.T) {
	w := whereFound(t, everybody, "ada")
	older, later := missing("ada"), missing("ada")
	later.Id, later.Time = "m-2", stamp("2026-11-07T18:00:00Z")
	later.GetMissingReported().LastSeenAt = stamp("2026-11-07T16:00:00Z")
	for _, reports := range [][]*eventv1.Event{{older, later}, {later, older}} {
		equals(t, "told", toldAll(w.first(reports...)), []string{"missing.authority ashmere-council", "missing.setting gias:900101"})
	}
	equals(t, "told of the older one alone", toldAll(w.first(older)), []string{})
}

func TestAnEndEndsWhatWasToldOfItsChildAloneAndIsTakenBack(t *testing.T) {
	ev := missing("ada")
	ev.Children = children("ada", "ben")
	before := newWorld(t, night).first(ev)
	w := whereFound(t, everybody, "ada")
	r := next(ledgerv1.Cause_CAUSE_ENDING, before)
	d := w.decide(r, ev)
	equals(t, "nobody is told anew", toldAll(d), []string{})
	ended, kept := map[string]bool{}, map[string]bool{}
	for _, sup := range d.Superseded {
		if sup.By == "" || sup.Reason != "told that it has ended (missing.found)" {
			t.Errorf("superseded: %v", sup)
		}
		ended[sup.Notice] = true
	}
	for _, id := range d.Kept {
		kept[id] = true
	}
	for _, n := range before.Notices {
		if ended[n.Id] != (n.Child == "ada") || kept[n.Id] == ended[n.Id] {
			t.Errorf("%s tells %s of %s: ended %t, kept %t", n.Id, n.Organisation, n.Child, ended[n.Id], kept[n.Id])
		}
	}

	// The round after: nothing changes, and then the end is taken back.
	again := func(ended bool) *ledgerv1.Decision {
		r := next(ledgerv1.Cause_CAUSE_ENDING, before, d)
		r.Ended = map[string]string{}
		for _, x := range d.Ended {
			r.Ended[x.Obligation] = x.Notice
		}
		w := w
		if !ended {
			w.Endings = func(notice.ChildID, notice.EventKind) []routing.Ending { return nil }
		}
		return w.decide(r, ev)
	}
	still := again(true)
	equals(t, "still found: told anew, ended", len(still.Notices)+len(still.Superseded), 0)
	equals(t, "still found: on record", len(still.Ended), len(d.Ended))
	back := again(false)
	equals(t, "not found after all", toldAll(back), []string{"missing.authority ashmere-council", "missing.setting gias:900101"})
	for _, n := range back.Notices {
		if n.Child != "ada" || !strings.HasSuffix(n.Because, "; what you were told had ended it was taken back or corrected") {
			t.Errorf("%s is told of %s because %s", n.Organisation, n.Child, n.Because)
		}
	}
	equals(t, "the brother's stay", len(back.Kept), len(d.Kept))
}

// Missing again under the same reference: nobody took back that the child was found before.
func TestWhoIsMissingAgainIsNotSaidToHaveNeverBeenFound(t *testing.T) {
	ev := missing("ada")
	before := newWorld(t, night).first(ev)
	w := whereFound(t, everybody, "ada")
	d := w.decide(next(ledgerv1.Cause_CAUSE_ENDING, before), ev)
	r := next(ledgerv1.Cause_CAUSE_EVENT, before, d)
	r.Ended = map[string]string{}
	for _, x := range d.Ended {
		r.Ended[x.Obligation] = x.Notice
	}
	anew := missing("ada")
	anew.Id, anew.Time = "m-2", stamp("2026-11-07T18:00:00Z")
	anew.GetMissingReported().LastSeenAt = stamp("2026-11-07T16:00:00Z")
	again := w.decide(r, ev, anew)
	equals(t, "told", toldAll(again), []string{"missing.authority ashmere-council", "missing.setting gias:900101"})
	for _, n := range again.Notices {
		if strings.Contains(n.Because, "taken back") {
			t.Errorf("%s: %s", n.Organisation, n.Because)
		}
	}
	if len(again.Ended) > 0 {
		t.Errorf("on record as ended: %v", again.Ended)
	}
}

// A school that is told by a rule that is not about schools has heard of the end: nobody is asked to telephone it.
func TestAPlaceThatIsToldOfTheEndIsNoGap(t *testing.T) {
	const rule = `
  - id: missing.alder
    on: [missing.reported, missing.found]
    tell: organisations
    organisations: ["gias:900101"]
    function: setting
    because: this school is told of every missing child
    view: missing_setting
    basis: missing_children
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [dsl]}]
`
	w := newWorld(t, foundTold)
	only := strings.Replace(string(policy.Default()), "because: the child goes to this school or setting\n    view: missing_setting",
		"because: the child goes to this setting\n    when: setting.kind == \"nursery\"\n    view: missing_setting", 1)
	at := strings.Index(only, "\nexamples:")
	w.Policy = policyOf(t, []byte(only[:at]+rule+only[at:]))
	equals(t, "told that she is missing", toldAll(w.first(missing("ada"))), []string{"missing.alder gias:900101", "missing.authority ashmere-council"})
	end := w.first(found("ada"))
	w.Endings = func(child notice.ChildID, _ notice.EventKind) []routing.Ending {
		return []routing.Ending{ending(found("ada"), foundAt, end, child)}
	}
	d := w.first(missing("ada"))
	equals(t, "told", toldAll(d), []string{})
	equals(t, "tasks and gaps", len(d.Tasks)+len(d.Gaps), 0)
}

// Whoever the default policy tells of a beginning it tells of the end: otherwise they would be chased for it for good.
func TestTheDefaultPolicyTellsOfTheEndWhomeverItTellsOfTheBeginning(t *testing.T) {
	pairs := 0
	for _, kind := range notice.EventKinds() {
		if kind.Ends() == "" {
			continue
		}
		pairs++
		told := func(kind notice.EventKind) (rules []string) {
			for _, r := range defaultPolicy(t).Rules(kind) {
				rules = append(rules, r.Id+" "+r.Function)
			}
			return rules
		}
		equals(t, "told of "+string(kind.Ends())+" alone", slices.DeleteFunc(told(kind.Ends()), func(rule string) bool {
			return slices.Contains(told(kind), rule)
		}), []string{})
	}
	if pairs == 0 {
		t.Error("nothing ends anything")
	}
}

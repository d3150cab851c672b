package routing_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/disclosure"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

func pupilIDs() []string {
	ids := []string{"zed"}
	for _, p := range pupils() {
		ids = append(ids, p.id)
	}
	return ids
}

func places() []string {
	return []string{alder, birch, cherry, dogwood, elm, fir, gorse, hazel, larkRow, ivy, "gias:999999"}
}

// anyRows is the borough with a few children moved, barred or sealed, and now and then without an authority or agency.
func anyRows(t *rapid.T) []*directoryv1.Row {
	var edits []func([]*directoryv1.Row) []*directoryv1.Row
	days := []string{"", "2026-07-21", "2026-08-31", "2026-09-01", "2026-11-05", "2027-01-04"}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pupilIDs()[1:]), 0, 6, rapid.ID).Draw(t, "moved") {
		var at []*directoryv1.Enrolment
		for range rapid.IntRange(0, 3).Draw(t, "enrolments") {
			e := &directoryv1.Enrolment{
				Setting: rapid.SampledFrom(places()).Draw(t, "setting"), From: rapid.SampledFrom(days).Draw(t, "from"),
				Until: rapid.SampledFrom(days).Draw(t, "until"), Pattern: rapid.SampledFrom([]string{"", "AAA--", "--P-F", "-----"}).Draw(t, "pattern"),
			}
			if rapid.IntRange(0, 4).Draw(t, "home") == 0 {
				e = &directoryv1.Enrolment{Kind: "home_educated", Area: rapid.SampledFrom([]string{ashmere, kestrelVale, "", "E09000999"}).Draw(t, "area")}
			}
			at = append(at, e)
		}
		edits = append(edits, having(pupilAt(id, at...)))
	}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pupilIDs()[1:]), 0, 3, rapid.ID).Draw(t, "restricted") {
		kind := rapid.SampledFrom([]string{"protected_location", "sealed_identity", "barred_organisation", "barred_area", "court_order", "barred_contact"}).Draw(t, "kind")
		target := map[string]string{"barred_organisation": rapid.SampledFrom([]string{alder, birch, ashmereCouncil}).Draw(t, "barred"),
			"barred_area": rapid.SampledFrom([]string{ashmere, kestrelVale, "E23000901"}).Draw(t, "barred area"),
			"court_order": rapid.SampledFrom([]string{"", ashmere, ivy}).Draw(t, "order"), "barred_contact": "a-contact"}[kind]
		edits = append(edits, having(restricted(id, kind, target)))
	}
	if rapid.IntRange(0, 9).Draw(t, "no authority") == 0 {
		edits = append(edits, without(directory.KindOrganisation, rapid.SampledFrom([]string{ashmereCouncil, kestrelCouncil}).Draw(t, "authority")))
	}
	if rapid.IntRange(0, 9).Draw(t, "no agency") == 0 {
		edits = append(edits, without(directory.KindAgency, "ashmere-police"))
	}
	return borough(edits...)
}

func instants() []string {
	return []string{
		"2026-03-29T00:30:00Z", "2026-04-04T12:00:00Z", "2026-08-14T22:00:00Z", "2026-08-31T09:00:00Z", "2026-09-01T10:00:00Z",
		"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-11-05T10:00:00Z", "2026-11-05T15:29:59Z", "2026-11-12T23:59:00Z",
		"2026-11-13T00:00:00Z", "2026-12-25T03:00:00Z", "2027-02-14T10:00:00Z",
	}
}

func anyEvent(t *rapid.T, kind, at string) *eventv1.Event {
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(pupilIDs()), 1, 5, rapid.ID).Draw(t, "children")
	ev := everyKind(ids...)[kind]
	ev.Time = stamp(at)
	ev.Id = fmt.Sprintf("event-%d", rapid.IntRange(1, 1_000_000).Draw(t, "event"))
	named := rapid.SampledFrom(append(pupilIDs(), "")).Draw(t, "named in the text")
	if named != "" {
		ev.Narrative = &eventv1.Narrative{Disclosable: "It was " + reported(named).Name.Given + " who called."}
	}
	for _, c := range ev.Children {
		c.ResidenceArea = rapid.SampledFrom([]string{"", ashmere, kestrelVale, "E09000999"}).Draw(t, "residence")
		if rapid.IntRange(0, 5).Draw(t, "identifier") == 0 {
			c.Identifiers = []*eventv1.Identifier{{Scheme: "nhs", Value: rapid.SampledFrom([]string{"9990000018", "9990000026"}).Draw(t, "nhs")}}
		}
	}
	return ev
}

func anyFacts(t *rapid.T, p *policy.Policy, rows []*directoryv1.Row, at string) routing.Facts {
	snapshot, err := directory.Build(7, rows)
	if err != nil {
		t.Fatal(err)
	}
	return routing.Facts{Directory: snapshot, Policy: p, Key: notice.Key{1}, Now: instant(at)}
}

func TestPropertiesOfADecision(t *testing.T) {
	loaded := defaultPolicy(t)
	kindsOfEvent := slices.Sorted(maps.Keys(everyKind("ada")))
	rapid.Check(t, func(t *rapid.T) {
		rows, at := anyRows(t), rapid.SampledFrom(instants()).Draw(t, "now")
		facts := anyFacts(t, loaded, rows, at)
		kind := rapid.SampledFrom(kindsOfEvent).Draw(t, "kind of event")
		events := []*eventv1.Event{anyEvent(t, kind, at)}
		if rapid.Bool().Draw(t, "two reports") {
			events = append(events, anyEvent(t, kind, at))
		}
		w := world{facts}
		d := w.first(events...)

		shuffled := rapid.Permutation(rows).Draw(t, "rows in another order")
		if again := (world{anyFacts(t, loaded, shuffled, at)}).first(events...); !proto.Equal(d, again) {
			t.Fatalf("the same facts give two decisions:\n%v\n%v", d, again)
		}
		for _, n := range d.Notices {
			checkNotice(t, w, n, events)
		}
		for _, task := range d.Tasks {
			if task.Organisation == "" || task.DueMs <= facts.Now.UnixMilli() || task.EscalateTo == task.Organisation {
				t.Fatalf("a task without an owner, a time or somewhere to go: %v", task)
			}
		}
		if kind == "incident" {
			everyChildHasAnEnd(t, d, facts)
		}
		second := w.decide(next(ledgerv1.Cause_CAUSE_EVENT, d), events...)
		if len(second.Notices)+len(second.Tasks)+len(second.Superseded)+len(second.SettledTasks) > 0 || len(second.Kept) != len(d.Notices) {
			t.Fatalf("the same events again change something:\n%v\n%v", d, second)
		}
	})
}

func checkNotice(t *rapid.T, w world, n *ledgerv1.Notice, events []*eventv1.Event) {
	if len(n.Chain) == 0 || n.DueMs == 0 || n.Obligation == "" || len(n.ContentDigest) == 0 || len(n.Refs) != len(events) {
		t.Fatalf("incomplete: %v", n)
	}
	if _, ok := w.Policy.Basis(n.Basis); !ok {
		t.Fatalf("basis %q is not in the policy", n.Basis)
	}
	view, ok := w.Policy.View(n.View)
	if !ok {
		t.Fatalf("view %q is not in the policy", n.View)
	}
	for i, ref := range n.Refs {
		if ref == "" {
			continue
		}
		body := disclosure.WithoutText(events[i], disclosure.Withhold(events[i], ref))
		shown, _ := disclosure.Apply(body, ref, notice.OrgID(n.Organisation), view)
		text := prototext.Format(shown)
		own := reported(ref).Name
		for _, c := range events[i].Children {
			if c.Ref != ref && c.Name.Given != own.Given && regexp.MustCompile(`\b`+c.Name.Given+`\b`).MatchString(text) {
				t.Fatalf("the notice about %s to %s names %s:\n%s", ref, n.Organisation, c.Ref, text)
			}
		}
	}
}

func everyChildHasAnEnd(t *rapid.T, d *ledgerv1.Decision, f routing.Facts) {
	for _, c := range d.Children {
		notices := slices.ContainsFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Child == c.Child })
		tasks := slices.ContainsFunc(d.Tasks, func(task *ledgerv1.Task) bool { return task.Child == c.Child })
		grown := c.Ref == "sam" && f.Now.UTC().Format("2006-01-02") >= "2026-11-13"
		if !notices && !tasks && !grown {
			t.Fatalf("nobody is told of %s, and nobody is asked: %v", c.Ref, d)
		}
	}
}

// A history is rounds about one lineage in any order of events, answers and resolutions.
func TestIdsAreUniqueAcrossRoundsAndEveryNoticeHasItsPlace(t *testing.T) {
	loaded := defaultPolicy(t)
	rapid.Check(t, func(t *rapid.T) {
		w := world{anyFacts(t, loaded, anyRows(t), "2026-11-05T21:40:00Z")}
		var events []*eventv1.Event
		for range 3 {
			events = append(events, anyEvent(t, "incident", "2026-11-05T21:10:00Z"))
		}
		seen := map[string]bool{}
		var history []*ledgerv1.Decision
		resolutions := map[string]bool{}
		notAt := map[notice.ChildID]map[notice.OrgID]bool{}
		for range rapid.IntRange(2, 6).Draw(t, "rounds") {
			r := next(correction, history...)
			for id := range resolutions {
				r.Tasks[id] = false
			}
			r.NotAt = notAt
			chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, 2), 0, 3, rapid.ID).Draw(t, "events that stand")
			var standing []*eventv1.Event
			for _, i := range chosen {
				standing = append(standing, events[i])
			}
			d := w.decide(r, standing...)
			for _, id := range idsOf(d) {
				if seen[id] {
					t.Fatalf("%s comes into being twice", id)
				}
				seen[id] = true
			}
			placed := map[string]int{}
			for _, id := range d.Kept {
				placed[id]++
			}
			for _, x := range d.Superseded {
				placed[x.Notice]++
			}
			for _, p := range r.Prior {
				if placed[p.ID] != 1 {
					t.Fatalf("notice %s is kept or ended %d times", p.ID, placed[p.ID])
				}
			}
			for _, task := range d.Tasks {
				if rapid.Bool().Draw(t, "resolved") {
					resolutions[task.Id] = true
				}
			}
			for _, n := range d.Notices {
				if n.Function == "setting" && rapid.IntRange(0, 3).Draw(t, "not there") == 0 {
					if notAt[notice.ChildID(n.Child)] == nil {
						notAt[notice.ChildID(n.Child)] = map[notice.OrgID]bool{}
					}
					notAt[notice.ChildID(n.Child)][notice.OrgID(n.Organisation)] = true
				}
			}
			history = append(history, d)
		}
	})
}

func idsOf(d *ledgerv1.Decision) []string {
	var ids []string
	for _, n := range d.Notices {
		ids = append(ids, n.Id)
	}
	for _, task := range d.Tasks {
		ids = append(ids, task.Id)
	}
	return ids
}

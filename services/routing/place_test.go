package routing_test

import (
	"slices"
	"strings"
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// told lists the recipients of a decision's notices, sorted.
func told(d *ledgerv1.Decision) string {
	var out []string
	for _, n := range d.Notices {
		out = append(out, n.Organisation)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func kinds(d *ledgerv1.Decision) string {
	var out []string
	for _, task := range d.Tasks {
		out = append(out, strings.ToLower(strings.TrimPrefix(task.Kind.String(), "TASK_KIND_"))+"@"+task.Organisation)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestWhereAChildIsTaught(t *testing.T) {
	from := func(setting, day string) *directoryv1.Enrolment {
		return &directoryv1.Enrolment{Setting: setting, From: day}
	}
	until := func(setting, day string) *directoryv1.Enrolment {
		return &directoryv1.Enrolment{Setting: setting, Until: day}
	}
	const unmatched = "unmatched@ashmere-council unmatched@ashmere-police"
	for _, tc := range []struct {
		name, at string
		on       []*directoryv1.Enrolment
		told     string
		tasks    string
	}{
		{name: "an enrolment that ended tells nobody, and asks", at: night, on: []*directoryv1.Enrolment{until(alder, "2026-07-21")}, tasks: unmatched},
		{name: "no enrolment asks", at: night, tasks: unmatched},
		{name: "one that ended with the school year gives way to the one to come", at: "2026-08-14T22:00:00Z",
			on: []*directoryv1.Enrolment{until(alder, "2026-07-21"), from(birch, "2026-09-01")}, told: birch},
		{name: "one too far ahead asks", at: "2026-05-14T22:00:00Z", on: []*directoryv1.Enrolment{from(birch, "2026-09-01")}, tasks: unmatched},
		{name: "a school that opens on the day the child comes is open then", at: "2026-08-14T22:00:00Z",
			on: []*directoryv1.Enrolment{from(larkRow, "2026-09-01")}, told: larkRow},
		{name: "a place to come that a later source withdrew is none", at: "2026-08-14T22:00:00Z", on: []*directoryv1.Enrolment{
			{Setting: birch, From: "2026-09-01", AsOf: "2026-03-01", Source: "old-roll"}, {Setting: birch, Until: "2026-06-01", AsOf: "2026-06-01", Source: "new-roll"},
			{Setting: alder, From: "2026-09-01", AsOf: "2026-06-01"}}, told: alder},
		{name: "a setting that the register does not know goes to the authority of residence", at: night,
			on: []*directoryv1.Enrolment{enrolled("gias:999999")}, told: ashmereCouncil},
		{name: "one that it knows beside one that it does not", at: night,
			on: []*directoryv1.Enrolment{enrolled("gias:999999"), enrolled(ivy)}, told: ashmereCouncil + " " + ivy},
		{name: "a closed school and its successor are one place", at: night, on: []*directoryv1.Enrolment{enrolled(elm), enrolled(alder)}, told: alder},
		{name: "home education without its area is the area of residence's", at: night, on: []*directoryv1.Enrolment{{Kind: "home_educated"}}, told: ashmereCouncil},
		{name: "home education beside a school", at: night, on: []*directoryv1.Enrolment{{Kind: "home_educated", Area: kestrelVale}, enrolled(alder)},
			told: alder + " " + kestrelCouncil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, tc.at, having(pupilAt("ada", tc.on...)))
			d := w.first(incident("i", tc.at, "ada"))
			if told(d) != tc.told || kinds(d) != tc.tasks {
				t.Errorf("told %q, want %q; asked %q, want %q\n%v", told(d), tc.told, kinds(d), tc.tasks, d)
			}
		})
	}
}

func TestAPersonsChoiceOfSettingLeavesTheOthersStanding(t *testing.T) {
	w := newWorld(t, night, having(pupilAt("ada", enrolled(fir), enrolled(ivy))))
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	first := w.first(ev)
	if told(first) != ivy {
		t.Fatalf("told %s", told(first))
	}
	r := resolved(next(ledgerv1.Cause_CAUSE_TASK, first))
	r.Chosen = map[notice.ChildID][]notice.OrgID{"ada": {birch}}
	d := w.decide(r, ev)
	if told(d) != birch || len(d.Kept) != 1 || len(d.Superseded) > 0 || len(d.Tasks) > 0 {
		t.Errorf("want Birch told and the notice to Ivy kept\n%v", d)
	}
}

func TestAChoiceThatCannotBeToldAsksAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		chosen notice.OrgID
		notAt  map[notice.OrgID]bool
		told   string
	}{
		"a setting that the register does not have":   {chosen: "gias:999999", told: ashmereCouncil},
		"a setting that says the child is not there":  {chosen: alder, notAt: map[notice.OrgID]bool{alder: true}},
		"a closed setting with one successor":         {chosen: elm, told: alder},
		"a closed setting that nothing has succeeded": {chosen: gorse, told: ashmereCouncil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, night, having(pupilAt("ada")))
			ev := incident("i", "2026-11-05T21:10:00Z", "ada")
			r := next(ledgerv1.Cause_CAUSE_NOT_AT_SETTING, w.first(ev))
			r.NotAt = map[notice.ChildID]map[notice.OrgID]bool{"ada": tc.notAt}
			before := w.decide(r, ev)
			r = resolved(next(ledgerv1.Cause_CAUSE_TASK, w.first(ev), before))
			r.NotAt = map[notice.ChildID]map[notice.OrgID]bool{"ada": tc.notAt}
			r.Chosen = map[notice.ChildID][]notice.OrgID{"ada": {tc.chosen}}
			d := w.decide(r, ev)
			if told(d) != tc.told || tc.told == "" && len(d.Tasks) == 0 {
				t.Errorf("told %q, want %q; tasks %q\n%v", told(d), tc.told, kinds(d), d)
			}
		})
	}
}

func TestAPersonsMatchOfAChildWhoIsFoundAndAttendsNowhereCounts(t *testing.T) {
	w := newWorld(t, night)
	ev := incident("i", "2026-11-05T21:10:00Z", "nia")
	r := resolved(next(ledgerv1.Cause_CAUSE_TASK, w.first(ev)))
	r.Matched = map[string]notice.ChildID{"nia": "tam"}
	if d := w.decide(r, ev); told(d) != alder {
		t.Errorf("a person said that it is another child\n%v", d)
	}
}

func TestASettingThatSaysNoAsksAPersonEvenWhereAnotherIsTold(t *testing.T) {
	w := newWorld(t, night)
	ev := incident("i", "2026-11-05T21:10:00Z", "ben")
	first := w.first(ev)
	r := next(ledgerv1.Cause_CAUSE_NOT_AT_SETTING, first)
	r.NotAt = map[notice.ChildID]map[notice.OrgID]bool{"ben": {birch: true}}
	d := w.decide(r, ev)
	if len(d.Kept) != 1 || !strings.Contains(kinds(d), "not_at_setting") {
		t.Errorf("want the other school's notice kept, and a person asked where the child is\n%v", d)
	}
}

func TestASettingThatNoRuleTellsIsSaidAndAsked(t *testing.T) {
	text := strings.ReplaceAll(string(policy.Default()), `setting.kind == "childminder"`, "false")
	w := newWorld(t, night, having(pupilAt("flo", enrolled(dogwood), enrolled(cherry))))
	w.Policy = policyOf(t, []byte(text))
	d := w.first(incident("i", "2026-11-05T21:10:00Z", "flo"))
	said := slices.ContainsFunc(d.Considered, func(c *ledgerv1.Considered) bool { return c.Organisation == dogwood })
	if told(d) != cherry || !said || len(d.Tasks) == 0 {
		t.Errorf("want the nursery told, the childminder said not to be, and a person asked\n%v", d)
	}
}

func TestWhoseAgencyOrAuthorityIsMissing(t *testing.T) {
	for name, edit := range map[string]func([]*directoryv1.Row) []*directoryv1.Row{
		"no agency":    without(directory.KindAgency, "ashmere-police"),
		"no authority": without(directory.KindOrganisation, ashmereCouncil),
		"no area":      without(directory.KindArea, ashmere),
		"no authority, no agency": func(rows []*directoryv1.Row) []*directoryv1.Row {
			return without(directory.KindAgency, "ashmere-police")(without(directory.KindOrganisation, ashmereCouncil)(rows))
		},
	} {
		for _, child := range []string{"ada", "dan", "gus", "zed", "nia", "fira", "bex"} {
			t.Run(name+"/"+child, func(t *testing.T) {
				d := newWorld(t, night, edit).first(incident("i", "2026-11-05T21:10:00Z", child))
				if len(d.Notices) == 0 && len(d.Tasks) == 0 {
					t.Errorf("silence\n%v", d)
				}
				for _, task := range d.Tasks {
					if task.Organisation == "" {
						t.Errorf("a task without an owner: %s", task.Detail)
					}
				}
			})
		}
	}
}

func TestATaskThatIsNeededAgainIsAskedAgain(t *testing.T) {
	w := newWorld(t, night)
	unknown, known := incident("i", "2026-11-05T21:10:00Z", "zed"), incident("i-2", "2026-11-05T21:10:00Z", "ada")
	d1 := w.first(unknown)
	d2 := w.decide(next(correction, d1), known)
	d3 := w.decide(next(correction, d1, d2), unknown)
	d4 := w.decide(next(correction, d1, d2, d3), unknown)
	if len(d2.SettledTasks) != len(d1.Tasks) || len(d3.Tasks) != len(d1.Tasks) {
		t.Errorf("want the tasks settled, then asked again under new ids\n%v\n%v", d2, d3)
	}
	for _, task := range d3.Tasks {
		if slices.ContainsFunc(d1.Tasks, func(before *ledgerv1.Task) bool { return before.Id == task.Id }) {
			t.Errorf("task %s is opened twice", task.Id)
		}
	}
	if len(d4.Tasks)+len(d4.SettledTasks) > 0 {
		t.Errorf("want those kept\n%v", d4)
	}
}

func TestTwoReportsOfOneIncidentEachNamingASibling(t *testing.T) {
	w := newWorld(t, night)
	d := w.first(incident("i", "2026-11-05T21:10:00Z", "ada"), incident("j", "2026-11-05T21:20:00Z", "cat"))
	if told(d) != alder+" "+alder {
		t.Errorf("told %s", told(d))
	}
	r := next(ledgerv1.Cause_CAUSE_EVENT, w.first(incident("i", "2026-11-05T21:10:00Z", "ada")))
	d = w.decide(r, incident("i", "2026-11-05T21:10:00Z", "ada"), incident("j", "2026-11-05T21:20:00Z", "cat"))
	if len(d.Kept) != 1 || len(d.Notices) != 1 || d.Notices[0].Child != "cat" {
		t.Errorf("want the first kept and the sibling's new\n%v", d)
	}
}

func TestTwoChildrenOfOneEventWhoAreFoundAsOneGoToAPerson(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "tam", "tom")
	ev.Children[1].Identifiers = []*eventv1.Identifier{{Scheme: "nhs", Value: "9990000018"}} // Tam's, by a slip
	tam := pupilAt("tam", enrolled(alder))
	tam.GetChild().Identifiers = []*directoryv1.Identifier{{Scheme: "nhs", Value: "9990000018"}}
	w := newWorld(t, night, without(directory.KindChild, "ada"), without(directory.KindChild, "tom"), having(tam))
	d := w.first(ev)
	if len(d.Notices) > 0 || len(d.Tasks) != 4 {
		t.Errorf("want nobody told, and both asked about twice\n%v", d)
	}
	r := resolved(next(ledgerv1.Cause_CAUSE_TASK, d))
	r.Matched = map[string]notice.ChildID{d.Children[0].Child: "tam"}
	d2 := w.decide(r, ev)
	if told(d2) != alder || d2.Notices[0].Refs[0] != "tam" {
		t.Errorf("want the one that a person knows told of\n%v", d2)
	}
}

func TestTheSameChildTwiceInOneEventIsToldOnce(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "ada", "ada")
	ev.Children[1].Ref = "again"
	if d := newWorld(t, night).first(ev); told(d) != alder || len(d.Tasks) > 0 {
		t.Errorf("told %s\n%v", told(d), d)
	}
}

func TestTheDutyEndsAtEighteen(t *testing.T) {
	for _, tc := range []struct {
		name, happened, now string
		told                string
	}{
		{"under 18 at both", "2026-11-12T20:00:00Z", "2026-11-12T20:10:00Z", hazel},
		{"18 when it is sent", "2026-11-12T23:50:00Z", "2026-11-13T00:10:00Z", ""},
		{"18 when it happened", "2026-11-13T20:00:00Z", "2026-11-13T20:10:00Z", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newWorld(t, tc.now).first(incident("i", tc.happened, "sam"))
			if told(d) != tc.told || tc.told == "" && len(d.Considered) != 1 {
				t.Errorf("told %q\n%v", told(d), d)
			}
		})
	}
}

func TestAKindWithoutARuleAsks(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	ev.Type = "enquiry.opened"
	if d := newWorld(t, night).first(ev); len(d.Notices) > 0 || kinds(d) != "gap@ashmere-police" {
		t.Errorf("asked %q", kinds(d))
	}
}

func TestBeforeTerm(t *testing.T) {
	at := func(e ...*directoryv1.Enrolment) func([]*directoryv1.Row) []*directoryv1.Row {
		return having(pupilAt("ada", e...))
	}
	leaves := func(setting string) *directoryv1.Enrolment {
		return &directoryv1.Enrolment{Setting: setting, Until: "2026-08-31"}
	}
	joins := func(setting, on string) *directoryv1.Enrolment {
		return &directoryv1.Enrolment{Setting: setting, From: on}
	}
	for _, tc := range []struct {
		name    string
		edit    func([]*directoryv1.Row) []*directoryv1.Row
		told    string
		rule    string
		release string
		due     string
	}{
		{"the same school", at(enrolled(ivy)), ivy, "encompass.school", "Wed 2 Sep 2026 09:00 BST", "Thu 3 Sep 2026 08:30 BST"},
		{"from a nursery to a school, the school's rule", at(leaves(cherry), joins(alder, "2026-09-01")),
			alder, "encompass.school", "Tue 1 Sep 2026 09:00 BST", "Wed 2 Sep 2026 08:30 BST"},
		{"from a nursery to a childminder, the minimal view", at(leaves(cherry), joins(dogwood, "2026-09-01")),
			dogwood, "encompass.childminder", "Tue 1 Sep 2026 09:00 BST", "Wed 2 Sep 2026 08:30 BST"},
		{"to a school whose term opens earlier, before that", at(leaves(ivy), joins(alder, "2026-09-01")),
			alder, "encompass.school", "Tue 1 Sep 2026 09:00 BST", "Wed 2 Sep 2026 08:30 BST"},
		{"to a school whose term opens later", at(leaves(alder), joins(ivy, "2026-09-01")),
			ivy, "encompass.school", "Wed 2 Sep 2026 09:00 BST", "Thu 3 Sep 2026 08:30 BST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "2026-08-14T22:00:00Z", tc.edit)
			ev := incident("i", "2026-08-14T21:30:00Z", "ada")
			d := w.beforeTerm(w.first(ev), ev)
			if len(d.Notices) != 1 {
				t.Fatalf("want one notice\n%v", d)
			}
			n := d.Notices[0]
			if n.Organisation != tc.told || n.Rule != tc.rule || clockTime(n.ReleaseMs) != tc.release || clockTime(n.DueMs) != tc.due {
				t.Errorf("%s by %s, released %s, due %s", n.Organisation, n.Rule, clockTime(n.ReleaseMs), clockTime(n.DueMs))
			}
		})
	}
	t.Run("a school that the child joins beside its own is told too", func(t *testing.T) {
		w := newWorld(t, "2026-08-14T22:00:00Z", at(enrolled(alder), joins(ivy, "2026-09-01"), joins(birch, "2026-07-01")))
		ev := incident("i", "2026-08-14T21:30:00Z", "ada")
		first := w.first(ev)
		i := slices.IndexFunc(first.Contributions, func(c *ledgerv1.Contribution) bool { return c.Organisation == alder })
		first.Contributions[0] = first.Contributions[i]
		if d := w.beforeTerm(first, ev); told(d) != alder+" "+ivy {
			t.Errorf("told %q: Birch held the child in August and has a notice of its own", told(d))
		}
	})
	t.Run("a person's match of a child gone from the rolls counts", func(t *testing.T) {
		ev := incident("i", "2026-08-14T21:30:00Z", "ada")
		c := newWorld(t, "2026-08-14T22:00:00Z").first(ev).Contributions[0]
		w := newWorld(t, "2026-08-14T22:00:00Z", without(directory.KindChild, "ada"))
		r := routing.Round{Lineage: c.Lineage, Number: 2, Matched: map[string]notice.ChildID{"ada": "tam"}}
		d := routing.DecideBeforeTerm([]routing.Incident{{Contribution: c, Events: sources([]*eventv1.Event{ev})}}, r, w.Facts)
		if told(d) != alder {
			t.Errorf("told %q\n%v", told(d), d)
		}
	})
	t.Run("without incidents what stood ends", func(t *testing.T) {
		w := newWorld(t, "2026-08-14T22:00:00Z")
		ev := incident("i", "2026-08-14T21:30:00Z", "ada")
		d := w.beforeTerm(w.first(ev), ev)
		if got := routing.DecideBeforeTerm(nil, next(correction, d), w.Facts); len(got.Superseded) != 1 || len(got.Notices) > 0 {
			t.Errorf("%v", got)
		}
	})
}

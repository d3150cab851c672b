package routing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/routing"
)

const night = "2026-11-05T21:40:00Z"

func everyKind(ids ...string) map[string]*eventv1.Event {
	all := []*eventv1.Participant{
		takesPart(ashmereCouncil, "local_authority", attended), takesPart(ashmerePolice, "police", attended),
		takesPart(ashmereHealth, "health", absent),
	}
	return map[string]*eventv1.Event{
		"incident":           incident("i", "2026-11-05T21:10:00Z", ids...),
		"referral received":  referralReceived(referrer(true), ids...),
		"referral decided":   referralDecided(referrer(true), ids...),
		"referral by public": referralDecided(referrer(false), ids...),
		"meeting convened":   convened(true, ids, all...),
		"meeting concluded":  concluded(ids, all...),
		"enquiry":            enquiry(ids, all...),
		"conference":         conference(ids, all...),
	}
}

func TestASealedChildIsAnsweredAsAnUnknownOneInEveryKindOfEvent(t *testing.T) {
	nhs := []*eventv1.Identifier{{Scheme: "nhs", Value: "9990000026"}}
	routes := map[string]func(*eventv1.Child){
		"by name":                   func(*eventv1.Child) {},
		"by identifier and date":    func(c *eventv1.Child) { c.Identifiers, c.Name.Family = nhs, "Other" },
		"by identifier and surname": func(c *eventv1.Child) { c.Identifiers, c.DateOfBirth = nhs, "2015-07-08" },
		"by a contradicting identifier": func(c *eventv1.Child) {
			c.Identifiers, c.Name, c.DateOfBirth = nhs, &eventv1.Name{Given: "X", Family: "Y"}, "2010-01-01"
		},
		"by identifier alone":             func(c *eventv1.Child) { c.Identifiers, c.Name, c.DateOfBirth = nhs, &eventv1.Name{}, "" },
		"without a surname":               func(c *eventv1.Child) { c.Identifiers, c.Name.Family = nhs, "" },
		"without a forename":              func(c *eventv1.Child) { c.Name.Given = "" },
		"with no area of residence":       func(c *eventv1.Child) { c.ResidenceArea = "" },
		"with the area of the safe place": func(c *eventv1.Child) { c.ResidenceArea = kestrelVale },
	}
	for _, seal := range []string{"protected_location", "sealed_identity"} {
		sealed := newWorld(t, night, without(directory.KindRestriction, "sol/protected_location/"), having(restricted("sol", seal, "")))
		unknown := newWorld(t, night, without(directory.KindChild, "sol"), without(directory.KindRestriction, "sol/protected_location/"))
		for route, change := range routes {
			for kind, ev := range everyKind("sol", "ada") {
				t.Run(strings.Join([]string{seal, route, kind}, "/"), func(t *testing.T) {
					change(ev.Children[0])
					d := sealed.first(ev)
					if diff := cmp.Diff(unknown.first(ev), d, protocmp.Transform()); diff != "" {
						t.Errorf("unknown and sealed differ:\n%s", diff)
					}
					if strings.Contains(fmt.Sprint(d), `"sol"`) && strings.Contains(fmt.Sprint(d.Notices, d.Tasks), `child:"sol"`) {
						t.Error("the child's key is in the decision")
					}
				})
			}
		}
	}
}

func TestAPersonsMatchToASealedChildIsAnsweredAsOneToNobody(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "zed")
	decide := func(w world, child notice.ChildID) *ledgerv1.Decision {
		d := w.first(ev)
		r := resolved(next(ledgerv1.Cause_CAUSE_TASK, d))
		r.Matched = map[string]notice.ChildID{d.Children[0].Child: child}
		return w.decide(r, ev)
	}
	w := newWorld(t, night)
	sealed, nobody := decide(w, "sol"), decide(newWorld(t, night, without(directory.KindChild, "sol")), "sol")
	if diff := cmp.Diff(nobody, sealed, protocmp.Transform()); diff != "" {
		t.Errorf("a sealed child and one who is in no roll differ:\n%s", diff)
	}
	if len(sealed.Notices) > 0 || len(sealed.Tasks) == 0 {
		t.Errorf("want no notice, and a task: the ones before were resolved\n%v", sealed)
	}
}

func TestARestrictionBeatsEveryRuleThatSends(t *testing.T) {
	for name, tc := range map[string]struct {
		row    *directoryv1.Row
		barred []string
	}{
		"a setting":           {restricted("ada", "barred_organisation", alder), []string{alder}},
		"an authority":        {restricted("ada", "barred_organisation", ashmereCouncil), []string{ashmereCouncil}},
		"a health body":       {restricted("ada", "barred_organisation", ashmereHealth), []string{ashmereHealth}},
		"an area":             {restricted("ada", "barred_area", ashmere), []string{alder, ashmereCouncil, ashmereHealth}},
		"a police area":       {restricted("ada", "barred_area", "E23000901"), []string{alder, ashmereCouncil, ashmereHealth, ashmerePolice}},
		"an order, setting":   {restricted("ada", "court_order", alder), []string{alder}},
		"an order, area":      {restricted("ada", "court_order", ashmere), []string{alder, ashmereCouncil, ashmereHealth}},
		"an order, everybody": {restricted("ada", "court_order", ""), []string{alder, ashmereCouncil, ashmereHealth, ashmerePolice}},
	} {
		w := newWorld(t, night, having(tc.row))
		for kind, ev := range everyKind("ada") {
			t.Run(name+"/"+kind, func(t *testing.T) {
				d := w.first(ev)
				barred := func(id string) bool {
					for _, b := range tc.barred {
						if b == id {
							return true
						}
					}
					return false
				}
				for _, n := range d.Notices {
					if n.Child == "" {
						continue // shows no child: the acknowledgement to a member of the public
					}
					if barred(n.Organisation) {
						t.Errorf("%s is told by %s", n.Organisation, n.Rule)
					}
					for _, l := range n.Chain {
						if barred(l.Organisation) {
							t.Errorf("%s is in the chain of the notice to %s", l.Organisation, n.Organisation)
						}
					}
				}
				// The publisher knows the event: it is the last resort. An order against everybody is for an officer to settle.
				for _, task := range d.Tasks {
					if barred(task.Organisation) && task.Organisation != publisherOf(ev) && tc.row.GetRestriction().Target != "" {
						t.Errorf("a task goes to %s: %s", task.Organisation, task.Detail)
					}
					if task.Organisation == "" {
						t.Errorf("a task has no owner: %s", task.Detail)
					}
					if barred(task.EscalateTo) && task.EscalateTo != publisherOf(ev) && tc.row.GetRestriction().Target != "" {
						t.Errorf("a task moves on to %s", task.EscalateTo)
					}
				}
				if kind == "incident" && len(d.Notices) == 0 && len(d.Tasks) == 0 {
					t.Error("nobody is told, and nobody is asked")
				}
			})
		}
	}
}

func publisherOf(ev *eventv1.Event) string { return ev.Source } // agencies of the borough are named as their organisations

func TestASchoolBarredUnderItsOldNumberIsBarredUnderItsNewOne(t *testing.T) {
	d := newWorld(t, night, having(restricted("elmo", "barred_organisation", elm))).first(incident("i", "2026-11-05T21:10:00Z", "elmo"))
	if len(d.Notices) > 0 || len(d.Tasks) == 0 {
		t.Errorf("want a task and no notice: Alder is Elm under another number\n%v", d)
	}
}

func TestANoticeBeforeTermOfAChildSealedMeanwhile(t *testing.T) {
	w := newWorld(t, "2026-08-14T22:00:00Z")
	ev := incident("i", "2026-08-14T21:30:00Z", "kit")
	ev.Children[0].ResidenceArea = ""
	d := w.first(ev)
	contribution := d.Contributions[0]
	first := w.beforeTerm(d, ev)
	if len(first.Notices) != 1 {
		t.Fatalf("want one notice before term\n%v", first)
	}
	moved := pupilAt("kit", enrolled(ivy))
	moved.GetChild().ResidenceArea = kestrelVale
	sealed := newWorld(t, "2026-09-02T08:00:00Z", having(moved, restricted("kit", "protected_location", "")))
	r := next(ledgerv1.Cause_CAUSE_RELEASE, first)
	r.Lineage = contribution.Lineage
	got := routing.DecideBeforeTerm([]routing.Incident{{Contribution: contribution, Events: sources([]*eventv1.Event{ev})}}, r, sealed.Facts)
	if len(got.Notices) > 0 || len(got.Kept) > 0 || len(got.Superseded) != 1 {
		t.Errorf("want the notice ended and none in its place\n%v", got)
	}
	if len(got.Tasks) == 0 {
		t.Error("want a person asked")
	}
	for _, task := range got.Tasks {
		if task.Organisation == kestrelCouncil || task.EscalateTo == kestrelCouncil {
			t.Errorf("a task says where the safe place is: %v", task)
		}
	}
	gone := newWorld(t, "2026-09-02T08:00:00Z", without(directory.KindChild, "kit"))
	unknown := routing.DecideBeforeTerm([]routing.Incident{{Contribution: contribution, Events: sources([]*eventv1.Event{ev})}}, r, gone.Facts)
	if !proto.Equal(unknown, got) {
		t.Errorf("sealed and gone from every roll differ:\n%s", cmp.Diff(unknown, got, protocmp.Transform()))
	}
}

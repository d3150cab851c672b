package routing_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// byRule is each notice as "<rule> <organisation>", sorted.
func byRule(d *ledgerv1.Decision) []string {
	out := []string{}
	for _, n := range d.Notices {
		out = append(out, n.Rule+" "+n.Organisation)
	}
	slices.Sort(out)
	return out
}

func equals(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// agencyOf gives an organisation an agency.
func agencyOf(id, organisation string) func([]*directoryv1.Row) []*directoryv1.Row {
	return having(directory.AgencyRow(&directoryv1.Agency{Id: id, Organisation: organisation}))
}

func accepted(by string, c *eventv1.Child) *eventv1.Event {
	return &eventv1.Event{
		Id: "a-1", Source: by, Type: "responsibility.accepted", Subject: "RA-1", Time: stamp("2026-11-09T10:00:00Z"), Area: ashmere,
		Children: []*eventv1.Child{c},
		Payload: &eventv1.Event_ResponsibilityAccepted{ResponsibilityAccepted: &eventv1.ResponsibilityAccepted{
			Accepts:    &eventv1.Matter{Agency: "ashmere-council", Kind: "enquiry.concluded", Reference: "S47-1"},
			AcceptedAt: stamp("2026-11-09T09:55:00Z"), AcceptedBy: "R. Castellane",
		}},
	}
}

func TestOnlyTheHomeAreaCanAccept(t *testing.T) {
	away := func(id, residence, lookedAfterBy string) *eventv1.Child {
		c := reported(id)
		c.ResidenceArea, c.LookedAfterBy = residence, lookedAfterBy
		return c
	}
	for _, tc := range []struct {
		name          string
		by            string
		inEnquiry, in *eventv1.Child
		want          bool
	}{
		{name: "the authority of where the child lives", by: "kestrel", inEnquiry: away("kay", kestrelVale, ""), in: away("kay", kestrelVale, ""), want: true},
		{name: "where only the roll knows where the child lives", by: "kestrel", inEnquiry: away("kay", "", ""), in: away("kay", "", ""), want: true},
		{name: "the authority that looks after the child, wherever it lives", by: "kestrel",
			inEnquiry: away("ada", ashmere, kestrelVale), in: away("ada", ashmere, ""), want: true},
		{name: "not the host for itself", by: "ashmere-council", inEnquiry: away("ada", ashmere, ""), in: away("ada", ashmere, "")},
		{name: "not the police", by: "ashmere-police", inEnquiry: away("kay", kestrelVale, ""), in: away("kay", kestrelVale, "")},
		{name: "not who says so of another's child", by: "kestrel", inEnquiry: away("ada", ashmere, ""), in: away("ada", kestrelVale, "")},
		{name: "not of another child", by: "kestrel", inEnquiry: away("kay", kestrelVale, ""), in: away("ben", kestrelVale, "")},
		{name: "not of a child whose home nobody gives", by: "kestrel", inEnquiry: away("zed", "", ""), in: away("zed", kestrelVale, "")},
		{name: "not by an agency that is unknown", by: "stranger", inEnquiry: away("kay", kestrelVale, ""), in: away("kay", kestrelVale, "")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "2026-11-09T10:05:00Z", agencyOf("kestrel", kestrelCouncil))
			matter := enquiry(nil, takesPart(ashmerePolice, "police", attended))
			matter.Children = []*eventv1.Child{tc.inEnquiry}
			acceptance := sources([]*eventv1.Event{accepted(tc.by, tc.in)})

			r := firstRound()
			r.Matters = map[string][]routing.Event{acceptance[0].Source.Event: sources([]*eventv1.Event{matter})}
			d := routing.Decide(acceptance, r, w.Facts)
			equals(t, "the host is told", slices.Equal(byRule(d), []string{"responsibility.host " + ashmereCouncil}), tc.want)
			equals(t, "its publisher is asked", len(d.Tasks) > 0, !tc.want)

			r = firstRound()
			r.Acceptances = acceptance
			owed := routing.Decide(sources([]*eventv1.Event{matter}), r, w.Facts)
			has := slices.ContainsFunc(owed.Considered, func(c *ledgerv1.Considered) bool { return strings.Contains(c.Reason, "accepted responsibility") })
			equals(t, "the host's duty ends", has, tc.want)
			if tc.want && slices.ContainsFunc(owed.Notices, func(n *ledgerv1.Notice) bool { return n.Rule == "enquiry.home_area" }) {
				t.Error("what was accepted is still owed")
			}
		})
	}
}

// Why an acceptance changes nothing must not tell what others have published.
func TestARefusedAcceptanceIsAnsweredAlikeWhateverIsThere(t *testing.T) {
	w := newWorld(t, "2026-11-09T10:05:00Z", agencyOf("kestrel", kestrelCouncil))
	answer := func(matter ...*eventv1.Event) *ledgerv1.Decision {
		acceptance := sources([]*eventv1.Event{accepted("kestrel", reported("ada"))})
		r := firstRound()
		r.Matters = map[string][]routing.Event{acceptance[0].Source.Event: sources(matter)}
		return routing.Decide(acceptance, r, w.Facts)
	}
	nothing := answer()
	for name, d := range map[string]*ledgerv1.Decision{
		"about another child":            answer(enquiry([]string{"ben"})),
		"about the child, not its child": answer(enquiry([]string{"ada"})),
	} {
		if diff := cmp.Diff(nothing, d, protocmp.Transform()); diff != "" {
			t.Errorf("a matter %s is answered otherwise than none:\n%s", name, diff)
		}
	}
}

func unborn(ref, mother string) *eventv1.Child {
	return &eventv1.Child{Ref: ref, ResidenceArea: ashmere, Unborn: &eventv1.Unborn{
		ExpectedOn: "2027-02-14", MotherRef: mother, Mother: &eventv1.Name{Given: "Sam", Family: "Heath"},
	}}
}

func TestAnUnbornChildIsLookedForOnNoRoll(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	baby := unborn("u1", "ada")
	baby.Name, baby.DateOfBirth = reported("ada").Name, reported("ada").DateOfBirth // as if somebody had copied the mother's
	ev.Children = append(ev.Children, baby, unborn("u2", "ada"))
	d := newWorld(t, "2026-11-05T21:40:00Z").first(ev)
	keys := map[string]bool{}
	for _, f := range d.Children {
		keys[f.Child] = true
		if f.Ref != "ada" && (f.Match != ledgerv1.Match_MATCH_NONE || f.Reason != "unborn") {
			t.Errorf("an unborn child is found: %v", f)
		}
	}
	equals(t, "children", len(keys), 3) // the mother and twins
	equals(t, "told", byRule(d), []string{
		"encompass.school " + alder,
		"unborn.hub " + ashmereCouncil, "unborn.hub " + ashmereCouncil,
		"unborn.midwifery " + ashmereHealth, "unborn.midwifery " + ashmereHealth,
	})
	equals(t, "tasks", len(d.Tasks), 0)
}

func TestWhatRestrictsTheMotherBindsWhatIsToldOfHerUnbornChild(t *testing.T) {
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	ev.Children = append(ev.Children, unborn("u1", "ada"))
	d := newWorld(t, "2026-11-05T21:40:00Z", having(restricted("ada", "barred_organisation", ashmereHealth))).first(ev)
	equals(t, "told", byRule(d), []string{"encompass.school " + alder, "unborn.hub " + ashmereCouncil})
}

func TestAnUnbornChildOfWhomNobodyIsToldIsAPersonsTask(t *testing.T) {
	ev := referralReceived(referrer(false))
	ev.Children = []*eventv1.Child{unborn("u1", "r")}
	w := newWorld(t, "2026-11-05T10:05:00Z")
	w.Policy = policyOf(t, []byte(strings.ReplaceAll(string(policy.Default()), "when: has(child.unborn)\n", `when: "1 == 2"`+"\n")))
	d := w.first(ev)
	equals(t, "tasks", len(d.Tasks), 1)
	if !strings.Contains(d.Tasks[0].Detail, "midwifery") {
		t.Errorf("the task says %q", d.Tasks[0].Detail)
	}
}

func TestAPlacementIsDueBeforeItBeginsOrFiveWorkingDaysAfterAnEmergency(t *testing.T) {
	c := reported("ada")
	c.LookedAfterBy = ashmere
	for urgency, want := range map[eventv1.PlacementUrgency]string{
		eventv1.PlacementUrgency_PLACEMENT_URGENCY_PLANNED:   "2026-12-24T10:00:00Z",
		eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY: "2027-01-05T10:00:00Z", // over Christmas and New Year
	} {
		ev := &eventv1.Event{
			Id: "p-1", Source: "ashmere-council", Type: "placement.notified", Subject: "PL-1", Time: stamp("2026-12-24T11:00:00Z"),
			Area: ashmere, Children: []*eventv1.Child{c},
			Payload: &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{
				Urgency: urgency, BeginsAt: stamp("2026-12-24T10:00:00Z"), PlacedIn: ashmere,
			}},
		}
		for _, n := range newWorld(t, "2026-12-24T11:00:00Z").first(ev).Notices {
			if n.DueMs != instant(want).UnixMilli() {
				t.Errorf("%s: %s is due at %d, want %s", urgency, n.Rule, n.DueMs, want)
			}
		}
	}
}

func TestAChangeOfEnrolmentIsHeldAgainstTheRoll(t *testing.T) {
	moved := func(id string, change eventv1.EnrolmentChange, setting, on string) *eventv1.Event {
		return &eventv1.Event{
			Id: "en-1", Source: "ashmere-council", Type: "enrolment.changed", Subject: "EN-1", Time: stamp("2026-11-05T10:00:00Z"), Area: ashmere,
			Children: children(id),
			Payload: &eventv1.Event_EnrolmentChanged{EnrolmentChanged: &eventv1.EnrolmentChanged{
				Change: change, Setting: &eventv1.OrganisationRef{Id: setting}, On: on,
			}},
		}
	}
	const joined, left = eventv1.EnrolmentChange_ENROLMENT_CHANGE_JOINED, eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT
	for _, tc := range []struct {
		name  string
		event *eventv1.Event
		asks  bool
	}{
		{"joined where the roll has the child", moved("mo", joined, ivy, "2026-09-01"), false},
		{"joined where the roll does not", moved("ada", joined, birch, "2026-11-02"), true},
		{"left where the roll no longer has the child", moved("mo", left, alder, "2026-08-31"), false},
		{"left where the roll still does", moved("ada", left, alder, "2026-11-04"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newWorld(t, "2026-11-05T10:05:00Z").first(tc.event)
			asks := slices.ContainsFunc(d.Tasks, func(k *ledgerv1.Task) bool { return strings.Contains(k.Detail, "the roll does not say") })
			equals(t, "asks for the roll", asks, tc.asks)
			for _, n := range d.Notices {
				if n.Organisation == alder && n.View != "enrolment_left" {
					t.Errorf("the school that the child has left is shown %s", n.View)
				}
			}
		})
	}
}

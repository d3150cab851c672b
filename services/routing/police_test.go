package routing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

func missing(id string) *eventv1.Event {
	return &eventv1.Event{
		Id: "m-1", Source: "ashmere-police", Type: "missing.reported", Subject: "AP/MIS/1", Time: stamp(night), Area: ashmere,
		Children: children(id), Payload: &eventv1.Event_MissingReported{MissingReported: &eventv1.MissingReported{LastSeenAt: stamp("2026-11-05T16:00:00Z")}},
	}
}

func detained(id string) *eventv1.Event {
	return &eventv1.Event{
		Id: "c-1", Source: "ashmere-police", Type: "custody.detained", Subject: "AP/CUS/1", Time: stamp(night), Area: ashmere,
		Children: children(id), Payload: &eventv1.Event_CustodyDetained{CustodyDetained: &eventv1.CustodyDetained{DetainedAt: stamp(night)}},
	}
}

func released(id string) *eventv1.Event {
	return &eventv1.Event{
		Id: "c-2", Source: "ashmere-police", Type: "custody.released", Subject: "AP/CUS/1", Time: stamp(night), Area: ashmere, Children: children(id),
		Payload: &eventv1.Event_CustodyReleased{CustodyReleased: &eventv1.CustodyReleased{
			DetainedAt: stamp("2026-11-05T16:00:00Z"), ReleasedAt: stamp(night), Outcome: eventv1.CustodyOutcome_CUSTODY_OUTCOME_OTHER,
		}},
	}
}

// toldAll lists each notice as rule and organisation.
func toldAll(d *ledgerv1.Decision) []string {
	list := []string{}
	for _, n := range d.Notices {
		list = append(list, n.Rule+" "+n.Organisation)
	}
	slices.Sort(list)
	return list
}

func justice(id, area string) *directoryv1.Row {
	return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Kind: "youth_justice", Area: area})
}

func TestWhoIsToldOfAMissingOrDetainedChild(t *testing.T) {
	placed := func(by string) func(*eventv1.Event) {
		return func(ev *eventv1.Event) { ev.Children[0].LookedAfterBy = by }
	}
	for name, tc := range map[string]struct {
		event  *eventv1.Event
		change func(*eventv1.Event)
		want   []string
		gaps   []string
	}{
		"a force is not told by its own report": {event: missing("ada"), want: []string{"missing.authority ashmere-council", "missing.setting gias:900101"}},
		"another force's report": {event: missing("ada"), change: func(ev *eventv1.Event) { ev.Source = "elsewhere" },
			want: []string{"missing.authority ashmere-council", "missing.police ashmere-police", "missing.setting gias:900101"}},
		"placed by another authority": {event: missing("ada"), change: placed(kestrelVale), want: []string{
			"missing.authority ashmere-council", "missing.placing_authority kestrel-vale-council", "missing.setting gias:900101"}},
		"the roll still has the old home, where the authority that looks after it is: the one where the child is missing is told too": {
			event: missing("kay"), change: func(ev *eventv1.Event) { ev.Children[0].ResidenceArea, ev.Children[0].LookedAfterBy = "", kestrelVale },
			want: []string{"missing.authority kestrel-vale-council", "missing.incident_authority ashmere-council",
				"missing.police kestrel-vale-police", "missing.setting gias:900201"}},
		"looked after at home: the one authority is told once": {event: missing("ada"), change: placed(ashmere),
			want: []string{"missing.authority ashmere-council", "missing.setting gias:900101"}},
		"nobody knows where the child lives, and the authority of the place looks after it: told once": {
			event: missing("stranger"), change: func(ev *eventv1.Event) { ev.Children[0].ResidenceArea, ev.Children[0].LookedAfterBy = "", ashmere },
			want: []string{"missing.authority ashmere-council"}},
		"youth justice: each service of the area": {event: detained("ada"), want: []string{
			"custody.authority ashmere-council", "custody.youth_justice east-justice", "custody.youth_justice west-justice"}},
		"of the release, whoever is told of the detention": {event: released("ada"), change: placed(kestrelVale), want: []string{
			"custody.authority ashmere-council", "custody.placing_authority kestrel-vale-council",
			"custody.youth_justice east-justice", "custody.youth_justice west-justice"}},
		"no youth justice service is a gap": {event: detained("ada"), change: func(ev *eventv1.Event) { ev.Children[0].ResidenceArea = kestrelVale },
			want: []string{"custody.authority kestrel-vale-council", "custody.incident_authority ashmere-council"}, gaps: []string{"no organisation of kind youth_justice in the directory for area E09000902"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, night, having(justice("west-justice", ashmere)), having(justice("east-justice", ashmere)))
			if tc.change != nil {
				tc.change(tc.event)
			}
			d := w.first(tc.event)
			if diff := cmp.Diff(tc.want, toldAll(d)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			var gaps []string
			for _, g := range d.Gaps {
				gaps = append(gaps, g.Reason)
			}
			if diff := cmp.Diff(tc.gaps, gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAForceThatIsLeftOutIsInTheRecord(t *testing.T) {
	d := newWorld(t, night).first(missing("ada"))
	if !slices.ContainsFunc(d.Considered, func(c *ledgerv1.Considered) bool {
		return c.Organisation == ashmerePolice && c.Rule == "missing.police" && c.Reason == "published the event itself"
	}) {
		t.Errorf("considered: %v", d.Considered)
	}
}

// A sealed child who is missing is told about as a child nobody knows: the authority and the police, no school.
func TestASealedChildWhoIsMissingIsAnsweredAsAChildNobodyKnows(t *testing.T) {
	sealed := newWorld(t, night)
	unknown := newWorld(t, night, without(directory.KindChild, "sol"), without(directory.KindRestriction, "sol/protected_location/"))
	for _, area := range []string{ashmere, ""} {
		ev := missing("sol")
		ev.Children[0].ResidenceArea = area
		d := sealed.first(ev)
		if diff := cmp.Diff(unknown.first(ev), d, protocmp.Transform()); diff != "" {
			t.Errorf("unknown and sealed differ:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"missing.authority ashmere-council"}, toldAll(d)); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	}
}

// The grade gives a vulnerable person notice its time and its lane; what nobody graded is red. The hours are those that
// pass, on nights on which the clocks change too.
func TestTheTimeOfAVulnerablePersonNoticeGoesByItsRisk(t *testing.T) {
	const (
		high, medium, standard, ungraded = eventv1.RiskGrade_RISK_GRADE_HIGH, eventv1.RiskGrade_RISK_GRADE_MEDIUM,
			eventv1.RiskGrade_RISK_GRADE_STANDARD, eventv1.RiskGrade_RISK_GRADE_UNSPECIFIED
		urgent, next, routine = ledgerv1.Lane_LANE_URGENT, ledgerv1.Lane_LANE_HIGH, ledgerv1.Lane_LANE_ROUTINE
	)
	for _, tc := range []struct {
		name, at string
		risk     eventv1.RiskGrade
		rule     string
		lane     ledgerv1.Lane
		due      string
	}{
		{"red", "2026-11-05T21:40:00Z", high, "vulnerable_person_notice.red", urgent, "23:40 Thu 5 Nov (GMT)"},
		{"amber", "2026-11-05T21:40:00Z", medium, "vulnerable_person_notice.amber", next, "03:40 Fri 6 Nov (GMT)"},
		{"green", "2026-11-05T21:40:00Z", standard, "vulnerable_person_notice.green", routine, "21:40 Fri 6 Nov (GMT)"},
		{"not graded", "2026-11-05T21:40:00Z", ungraded, "vulnerable_person_notice.red", urgent, "23:40 Thu 5 Nov (GMT)"},
		{"red, clocks going back", "2026-10-25T00:30:00Z", high, "vulnerable_person_notice.red", urgent, "02:30 Sun 25 Oct (GMT)"},
		{"red, clocks going forward", "2026-03-29T00:30:00Z", high, "vulnerable_person_notice.red", urgent, "03:30 Sun 29 Mar (BST)"},
		{"green, clocks going back", "2026-10-24T20:00:00Z", standard, "vulnerable_person_notice.green", routine, "20:00 Sun 25 Oct (GMT)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := stamp(tc.at)
			ev := &eventv1.Event{
				Id: "v-1", Source: "ashmere-police", Type: "vulnerable_person_notice.raised", Subject: "V/1", Time: at, Area: ashmere,
				Risk: tc.risk, Children: children("ada"),
				Payload: &eventv1.Event_VulnerablePersonNoticeRaised{VulnerablePersonNoticeRaised: &eventv1.VulnerablePersonNoticeRaised{
					SeenAt: timestamppb.New(at.AsTime().Add(-time.Hour)), Concern: eventv1.Concern_CONCERN_NEGLECT,
				}},
			}
			d := newWorld(t, tc.at).first(ev)
			for _, n := range d.Notices {
				if n.Organisation != ashmereCouncil {
					continue
				}
				got := []string{n.Rule, n.Lane.String(), time.UnixMilli(n.DueMs).In(directory.London()).Format("15:04 Mon 2 Jan (MST)")}
				if diff := cmp.Diff([]string{tc.rule, tc.lane.String(), tc.due}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			t.Fatal("the hub was not told")
		})
	}
}

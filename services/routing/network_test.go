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
)

// Two NHS areas, and what is in them besides the borough's own health service.
const (
	northHealth  = "E38000901"
	southHealth  = "E38000902"
	northBoard   = "north-board"
	southBoard   = "south-board"
	fenSurgery   = "fen-surgery"
	nightJustice = "ashmere-youth-justice"
)

// networkRules tell a meeting's outcome to those whom the default policy does not.
const networkRules = `
  - id: test.network
    on: [conference.concluded]
    tell: network
    network: [gp, youth_justice]
    function: network
    because: you are involved with this child
    view: conference_outcome
    basis: children_act_1989_s47
    required: true
    required_functions: [gp]
    due: {clock: at_once, minutes: 60}
    chain:
      - {of: recipient, roles: [desk, duty]}
      - {of: placing_authority, roles: [duty], offset_minutes: 60}
  - id: test.placing_authority
    on: [conference.concluded]
    tell: placing_authority
    when: child.looked_after_by != child.residence_area
    function: authority
    because: this authority looks after the child
    view: conference_outcome
    basis: children_act_1989_s47
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [duty]}]
  - id: test.residence_health
    on: [conference.concluded]
    tell: residence_health
    function: health
    because: the child lives in this NHS area
    view: conference_outcome
    basis: children_act_1989_s47
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [desk]}]
  - id: test.placing_health
    on: [conference.concluded]
    tell: placing_health
    function: health
    because: the authority that looks after the child lies in this NHS area
    view: conference_outcome
    basis: children_act_1989_s47
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [desk]}]
  - id: test.incident_health
    on: [conference.concluded]
    tell: incident_health
    function: health
    because: the conference was held in this NHS area
    view: conference_outcome
    basis: children_act_1989_s47
    due: {clock: at_once, minutes: 60}
    chain: [{of: recipient, roles: [desk]}]
`

func withRules(t *testing.T, w world, rules string) world {
	t.Helper()
	text := string(policy.Default())
	at := strings.Index(text, "\nexamples:")
	if at < 0 {
		t.Fatal("the default policy has no examples")
	}
	w.Policy = policyOf(t, []byte(text[:at]+rules+text[at:]))
	return w
}

// mapped is the borough with NHS areas and a child's network.
func mapped(rows []*directoryv1.Row) []*directoryv1.Row {
	for _, r := range rows {
		switch a := r.GetArea(); a.GetGss() {
		case ashmere:
			a.HealthArea = northHealth
		case kestrelVale:
			a.HealthArea = southHealth
		}
	}
	org := func(id, kind, area string) *directoryv1.Row {
		return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Name: id, Kind: kind, Area: area})
	}
	return append(rows,
		directory.AreaRow(&directoryv1.Area{Gss: northHealth, Kind: "nhs"}), directory.AreaRow(&directoryv1.Area{Gss: southHealth, Kind: "nhs"}),
		org(northBoard, "health", northHealth), org(southBoard, "health", southHealth),
		org(fenSurgery, "gp", ashmere), org(nightJustice, "youth_justice", ashmere),
		member("1", "ada", "gp", fenSurgery, "", ""), member("2", "ada", "youth_justice", nightJustice, "2026-11-01", "2026-11-30"),
		member("3", "ada", "housing", "ashmere-police", "", ""), // a function that the rule does not name
		member("4", "sol", "gp", fenSurgery, "", ""),
		postcodes("ZZ1", ashmere, northHealth, "ZZ1 1AA", "ZZ1 1AB"), postcodes("ZZ2", kestrelVale, southHealth, "ZZ2 1AA"),
		postcodes("ZZ3", ashmere, southHealth, "ZZ3 1AA"),
	)
}

func member(id, child, function, organisation, from, until string) *directoryv1.Row {
	return directory.NetworkRow(&directoryv1.NetworkMember{
		Id: "list/" + id, Child: child, Function: function, Organisation: organisation, From: from, Until: until,
	})
}

func postcodes(district, authority, health string, codes ...string) *directoryv1.Row {
	var units []int
	for _, c := range codes {
		_, unit, _ := directory.SplitPostcode(c)
		units = append(units, unit)
	}
	slices.Sort(units)
	return directory.PostcodeRow(&directoryv1.PostcodeDistrict{District: district, Groups: []*directoryv1.PostcodeGroup{
		{Authority: authority, HealthArea: health, Units: directory.PackUnits(units)},
	}})
}

// toldBy lists who is told by the rules of this test, with their functions.
func toldBy(d *ledgerv1.Decision) []string {
	var out []string
	for _, n := range d.Notices {
		if strings.HasPrefix(n.Rule, "test.") {
			out = append(out, strings.TrimPrefix(n.Rule, "test.")+" "+n.Organisation+" as "+n.Function)
		}
	}
	slices.Sort(out)
	return out
}

func TestTheMapAroundAChild(t *testing.T) {
	const morning = "2026-11-06T16:05:00Z"
	for name, tc := range map[string]struct {
		child  string
		at     string
		change func(*eventv1.Event)
		edit   func([]*directoryv1.Row) []*directoryv1.Row
		want   []string
		gap    string
	}{
		"those involved now, and the NHS of where the child lives": {
			child: "ada",
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice",
				"network fen-surgery as gp", "residence_health north-board as health"},
		},
		"whose part has ended is not told": {
			child: "ada", at: "2026-12-01T09:00:00Z",
			want: []string{"incident_health north-board as health", "network fen-surgery as gp", "residence_health north-board as health"},
		},
		"a child looked after by another area": {
			child: "ada", change: func(ev *eventv1.Event) { ev.Children[0].LookedAfterBy = kestrelVale },
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice", "network fen-surgery as gp",
				"placing_authority kestrel-vale-council as authority", "placing_health south-board as health", "residence_health north-board as health"},
		},
		"looked after, as only the directory knows": {
			child: "ada", edit: func(rows []*directoryv1.Row) []*directoryv1.Row {
				for _, r := range rows {
					if r.GetChild().GetId() == "ada" {
						r.GetChild().LookedAfterBy = kestrelVale
					}
				}
				return rows
			},
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice", "network fen-surgery as gp",
				"placing_authority kestrel-vale-council as authority", "placing_health south-board as health", "residence_health north-board as health"},
		},
		"looked after at home is no placement elsewhere": {
			child: "ada", change: func(ev *eventv1.Event) { ev.Children[0].LookedAfterBy = ashmere },
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice", "network fen-surgery as gp",
				"placing_health north-board as health", "residence_health north-board as health"},
		},
		"nobody involved is a gap": {
			child: "ben", gap: "nobody is known to be involved",
			want: []string{"incident_health north-board as health", "residence_health north-board as health"},
		},
		"where the child lives by its postcode alone": {
			child: "stranger", gap: "nobody is known to be involved",
			change: func(ev *eventv1.Event) {
				ev.Children[0].ResidenceArea, ev.Children[0].Address = "", &eventv1.Address{Postcode: "zz21aa"}
			},
			want: []string{"incident_health north-board as health", "residence_health south-board as health"},
		},
		"a postcode in the other NHS area of the same authority": {
			child: "stranger", gap: "nobody is known to be involved",
			change: func(ev *eventv1.Event) { ev.Children[0].Address = &eventv1.Address{Postcode: "ZZ3 1AA"} },
			want:   []string{"incident_health north-board as health", "residence_health south-board as health"},
		},
		"a postcode nobody knows says nothing": {
			child: "stranger", gap: "nobody is known to be involved",
			change: func(ev *eventv1.Event) {
				ev.Children[0].ResidenceArea, ev.Children[0].Address = "", &eventv1.Address{Postcode: "ZZ2 1AB"}
			},
			want: []string{"incident_health north-board as health", "residence_health north-board as health"},
		},
		"an organisation that was removed is a gap": {
			child: "ada", edit: without(directory.KindOrganisation, fenSurgery), gap: "fen-surgery is not in the directory",
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice", "residence_health north-board as health"},
		},
		"an organisation that a restriction bars is passed over": {
			child: "ada", edit: having(restricted("ada", "barred_organisation", fenSurgery)), gap: "a restriction bars",
			want: []string{"incident_health north-board as health", "network ashmere-youth-justice as youth_justice", "residence_health north-board as health"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			edits := []func([]*directoryv1.Row) []*directoryv1.Row{mapped}
			if tc.edit != nil {
				edits = append(edits, tc.edit)
			}
			at := tc.at
			if at == "" {
				at = morning
			}
			w := withRules(t, newWorld(t, at, edits...), networkRules)
			ev := conference([]string{tc.child}, takesPart(ashmereCouncil, "local_authority", attended))
			if tc.change != nil {
				tc.change(ev)
			}
			d := w.first(ev)
			if diff := cmp.Diff(tc.want, toldBy(d)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			has := slices.ContainsFunc(d.Gaps, func(g *ledgerv1.Gap) bool { return strings.Contains(g.Reason, tc.gap) })
			if tc.gap == "" && len(d.Gaps) > 0 || !has && tc.gap != "" {
				t.Errorf("gaps %v, want %q", d.Gaps, tc.gap)
			}
		})
	}
}

func TestTheRoleOfANetworkMemberIsTriedFirst(t *testing.T) {
	row := member("1", "ada", "gp", fenSurgery, "", "")
	row.GetNetworkMember().Role = "duty"
	w := withRules(t, newWorld(t, "2026-11-06T16:05:00Z", mapped, having(row)), networkRules)
	d := w.first(conference([]string{"ada"}, takesPart(ashmereCouncil, "local_authority", attended)))
	for _, n := range d.Notices {
		if n.Organisation == fenSurgery {
			if diff := cmp.Diff([]string{"duty", "desk"}, n.Chain[0].Roles); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Error("the surgery was not told")
}

func TestASealedChildsNetworkIsThatOfAChildNobodyKnows(t *testing.T) {
	sealed := withRules(t, newWorld(t, night, mapped), networkRules)
	unknown := withRules(t, newWorld(t, night, mapped, without(directory.KindChild, "sol"),
		without(directory.KindRestriction, "sol/protected_location/"), without(directory.KindNetwork, "list/4")), networkRules)
	for name, change := range map[string]func(*eventv1.Child){
		"as published":                func(*eventv1.Child) {},
		"with a postcode":             func(c *eventv1.Child) { c.ResidenceArea, c.Address = "", &eventv1.Address{Postcode: "ZZ2 1AA"} },
		"looked after":                func(c *eventv1.Child) { c.LookedAfterBy = kestrelVale },
		"with neither area nor place": func(c *eventv1.Child) { c.ResidenceArea = "" },
	} {
		t.Run(name, func(t *testing.T) {
			ev := conference([]string{"sol"}, takesPart(ashmereCouncil, "local_authority", attended))
			change(ev.Children[0])
			d := sealed.first(ev)
			if diff := cmp.Diff(unknown.first(ev), d, protocmp.Transform()); diff != "" {
				t.Errorf("unknown and sealed differ:\n%s", diff)
			}
			if slices.ContainsFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Organisation == fenSurgery }) {
				t.Error("the network of a sealed child was told")
			}
		})
	}
}

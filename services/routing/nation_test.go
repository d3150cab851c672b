package routing_test

import (
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// What counts is where the recipient is: a council or a school of another nation is told on a basis of its own.
func TestWhoIsInWalesScotlandOrNorthernIrelandIsToldOnABasisOfItsOwn(t *testing.T) {
	const elsewhere = "safeguarding_outside_england"
	for nation, area := range map[string]string{"wales": "W06000903", "scotland": "S12000904", "northern_ireland": "N09000905"} {
		t.Run(nation, func(t *testing.T) {
			school, council := nation+":1", nation+"-council"
			pat := pupil{id: "pat", given: "Pat", family: "Thrift", born: "2014-04-04", lives: area,
				at: []*directoryv1.Enrolment{enrolled(school), enrolled(alder)}}.row()
			w := newWorld(t, night, having(pat,
				directory.AreaRow(&directoryv1.Area{Gss: area, Kind: "local_authority", Nation: nation}),
				directory.SettingRow(&directoryv1.Setting{Id: school, Kind: "school", Area: area, Status: "open"}),
				directory.OrganisationRow(&directoryv1.Organisation{Id: council, Kind: "local_authority", Area: area})))
			about := func(ev *eventv1.Event) *eventv1.Event {
				ev.Children = []*eventv1.Child{{Ref: "pat", Name: &eventv1.Name{Given: "Pat", Family: "Thrift"}, DateOfBirth: "2014-04-04", LookedAfterBy: ashmere}}
				return ev
			}
			started := &eventv1.Event{Id: "cp", Source: "ashmere-council", Type: "protection_plan.started", Subject: "CP-1", Time: stamp(night), Area: ashmere,
				Payload: &eventv1.Event_ProtectionPlanStarted{ProtectionPlanStarted: &eventv1.ProtectionPlanStarted{StartedAt: stamp(night), Category: "neglect"}}}
			placed := &eventv1.Event{Id: "pl", Source: "ashmere-council", Type: "placement.notified", Subject: "PL-1", Time: stamp(night), Area: area,
				Payload: &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{BeginsAt: stamp(night), PlacedIn: area}}}
			left := &eventv1.Event{Id: "en", Source: "ashmere-council", Type: "enrolment.changed", Subject: "EN-1", Time: stamp(night), Area: ashmere,
				Payload: &eventv1.Event_EnrolmentChanged{EnrolmentChanged: &eventv1.EnrolmentChanged{
					Change: eventv1.EnrolmentChange_ENROLMENT_CHANGE_LEFT, On: "2026-11-04",
					Setting: &eventv1.OrganisationRef{Id: alder}, Other: &eventv1.OrganisationRef{Id: school},
				}}}
			for _, tc := range []struct {
				event *eventv1.Event
				want  map[string]string // organisation → basis
			}{
				{about(missing("pat")), map[string]string{school: elsewhere, council: elsewhere, alder: "missing_children", ashmereCouncil: "missing_children"}},
				{about(started), map[string]string{school: elsewhere, alder: "child_protection_plan"}},
				{about(placed), map[string]string{school: elsewhere, council: elsewhere, alder: "placement_notification", ashmereHealth: "placement_notification"}},
				{about(left), map[string]string{school: elsewhere, council: elsewhere, alder: "pupil_registration"}},
			} {
				equals(t, tc.event.Type, bases(w.first(tc.event)), tc.want)
			}
		})
	}
}

func bases(d *ledgerv1.Decision) map[string]string {
	by := map[string]string{}
	for _, n := range d.Notices {
		by[n.Organisation] = n.Basis
	}
	return by
}

// Each rule that rests on law or guidance for England has a basis for the other nations; Operation Encompass has its own.
func TestNoDefaultRuleTellsAnotherNationOnABasisForEngland(t *testing.T) {
	anywhere := map[string]bool{ // what is said of these in the default policy holds elsewhere too
		"domestic_abuse_act_2021_s49a": true, "encompass_outside_duty": true, "referral_receipt": true,
		"children_act_2004_s10":        true, // granted to each subscriber
		"safeguarding_outside_england": true,
	}
	p := defaultPolicy(t)
	for _, kind := range notice.EventKinds() {
		for _, r := range p.Rules(kind) {
			if basis := r.BasisIn("S12000904"); !anywhere[basis] {
				t.Errorf("%s tells somebody in Scotland on %s", r.GetId(), basis)
			}
		}
	}
}

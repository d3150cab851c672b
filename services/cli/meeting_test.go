package cli

import (
	"testing"
	"time"

	"github.com/signalbox-hq/signalbox/services/app/apptest"
)

func TestAMeetingByCommands(t *testing.T) {
	rig := apptest.Start(t, apptest.London("2026-06-16 10:00"))
	o := operating{t: t, rig: rig, dir: t.TempDir()}
	council := rig.AddAgency("ashmere-social-care", "ashmere-council")
	police := rig.AddAgency("northbridge-police", "northbridge-police")
	council.Publish(apptest.Meeting(council, "sm-1", "SM-1", rig.Clock.Now(), 48*time.Hour, apptest.Child("c1", "Ivo", "Brennock", "2015-05-09"),
		"ashmere-council", "northbridge-police", "ashmere-health"))
	rig.Settle()
	invitation := ""
	for _, n := range rig.Decision(council.ID, "sm-1").Notices {
		if n.Organisation == "northbridge-police" {
			invitation = n.Id
		}
	}

	shows(t, o.good(council.Identity, "meeting", "show", "SM-1"), "^Starts Thu 18 Jun 2026 10:00 BST", `^Northbridge Police \(northbridge-police\) +police, required +no answer`,
		"promised by nobody so far: health, local authority, police")
	for what, args := range map[string][]string{
		"no answer":         {"meeting", "reply", invitation, "--person", "R. Fenwick"},
		"two answers":       {"meeting", "reply", invitation, "--person", "R. Fenwick", "--accept", "--decline", "other"},
		"no such reason":    {"meeting", "reply", invitation, "--person", "R. Fenwick", "--decline", "busy"},
		"nobody":            {"meeting", "reply", invitation, "--accept"},
		"a meeting unnamed": {"meeting", "show"},
	} {
		if ran := o.signalbox(police.Identity, args...); ran.code != exitUsage {
			t.Errorf("%s: status %d", what, ran.code)
		}
	}
	for what, args := range map[string][]string{
		"another's meeting":    {"meeting", "show", "SM-1"},
		"another's invitation": {"meeting", "reply", "nowhere", "--person", "R. Fenwick", "--accept"},
	} {
		if ran := o.signalbox(police.Identity, args...); ran.code != exitRefused {
			t.Errorf("%s: status %d", what, ran.code)
		}
	}
	shows(t, o.good(police.Identity, "meeting", "reply", invitation, "--deputy", "Ada Lund", "--person", "R. Fenwick"), "is answered")
	shown := o.good(o.admin(), "meeting", "show", "SM-1", "--agency", "ashmere-social-care")
	shows(t, shown, "a deputy comes +Ada Lund", "so far: health, local authority")
	shows(t, o.good(police.Identity, "meeting", "reply", invitation, "--decline", "no_capacity", "--person", "R. Fenwick"), "is answered")
	shows(t, o.good(council.Identity, "meeting", "show", "SM-1"), `DECLINED: no capacity \(answered 2 times\)`)
	shows(t, o.good(council.Identity, "meeting", "show", "SM-1", "--output", "json"), `"state": *"declined"`, `"missing"`)
	shows(t, o.good(o.admin(), "ledger", "timeline", "--notice", invitation), "deputy comes .*by agency:northbridge-police, by grpc", "declined .*: no capacity")
	if ran := o.signalbox(o.admin(), "meeting", "show", "SM-1"); ran.code != exitRefused {
		t.Errorf("an operator who names no agency: status %d", ran.code)
	}
}

package app_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/demo"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// putRight imports Ashmere's roll with what it says of Ivo Brennock changed: where he lives, and who looks after him.
func putRight(r *apptest.Rig, area, lookedAfterBy string) {
	r.T.Helper()
	roll, err := fs.ReadFile(demo.Borough(), "ashmere-roll.csv")
	check(r.T, err)
	lines := strings.Split(strings.TrimRight(string(roll), "\r\n"), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		switch {
		case i == 0:
			line += ",looked_after_by"
		case strings.Contains(line, ",Ivo,Brennock,"):
			line = strings.Replace(line, "ZZ1 1AA,"+apptest.Ashmere, ","+area, 1) + "," + lookedAfterBy
		default:
			line += ","
		}
		lines[i] = line
	}
	result := r.Import(&directoryv1.ImportHeader{Format: "pupil-roll", Name: "ashmere-roll.csv", Source: "ashmere-roll"}, []byte(strings.Join(lines, "\n")+"\n"))
	if len(result.Faults) > 0 {
		r.T.Fatal(result.Faults)
	}
}

// Ashmere places a child in Kestrel Vale. Two days later police there report him missing, and know neither who looks after him
// nor where he lives: the roll has it, because a person was asked to put it right.
func TestAChildIsPlacedAndThenMissingAndPoliceNeedNotKnowThatItIsLookedAfter(t *testing.T) {
	r := startCare(t, "2026-06-16 10:00")
	council := r.AddAgency("ashmere-social-care", "ashmere-council")
	police := r.AddAgency("kestrel-police", "kestrel-police")
	ivo := func() *eventv1.Child {
		c := apptest.Child("c1", "Ivo", "Brennock", "2015-05-09")
		c.ResidenceArea = ""
		return c
	}
	placement := func(id string) *eventv1.Event {
		c := ivo()
		c.LookedAfterBy = apptest.Ashmere
		ev := envelope(council, id, notice.PlacementNotified, "PL-9", r.Clock.Now(), c)
		ev.Area = apptest.KestrelVale
		ev.Payload = &eventv1.Event_PlacementNotified{PlacementNotified: &eventv1.PlacementNotified{
			Urgency: eventv1.PlacementUrgency_PLACEMENT_URGENCY_EMERGENCY, BeginsAt: timestamppb.New(r.Clock.Now()), PlacedIn: apptest.KestrelVale,
			Placement: eventv1.PlacementKind_PLACEMENT_KIND_FOSTER_CARE,
		}}
		return ev
	}
	asked := func(event string) []string {
		var details []string
		for _, task := range r.Decision(council.ID, event).Tasks {
			if strings.Contains(task.Detail, "the roll does not say") {
				details = append(details, task.Organisation+" "+task.Role+": "+task.Detail)
			}
		}
		return details
	}
	missing := func(id string) []string {
		ev := reportedMissing(police, id, r.Clock.Now(), ivo())
		ev.Area = apptest.KestrelVale
		police.Publish(ev)
		r.Settle()
		return councils(r, police, id)
	}

	council.Publish(placement("pl-1"))
	r.Settle()
	const then = ": have it put right and imported for the day on which the placement begins; until then notices follow the roll"
	equal(t, "asked", asked("pl-1"), []string{
		"ashmere-council education_safeguarding: the roll does not say which authority looks after the child, nor that the child lives where it is placed" + then,
	})
	equal(t, "missing before the roll is right: by where it lived, and by where it is missing", missing("mis-1"), []string{
		"missing.authority ashmere-council", "missing.incident_authority kestrel-vale-council",
	})

	putRight(r, apptest.KestrelVale, apptest.Ashmere)
	r.Clock.Set(apptest.London("2026-06-18 19:42"))
	equal(t, "missing, with the roll put right", missing("mis-2"), []string{
		"missing.authority kestrel-vale-council", "missing.placing_authority ashmere-council",
	})
	if school := "j.marlowe@beacon-row.example"; !slices.Contains(r.MailTo(), school) {
		t.Errorf("the school is not told: %v", r.MailTo())
	}
	council.Publish(placement("pl-2"))
	r.Settle()
	equal(t, "asked once the roll says so", asked("pl-2"), []string(nil))
	putRight(r, apptest.KestrelVale, "")
	council.Publish(placement("pl-3"))
	r.Settle()
	equal(t, "asked for the half that it does not say", asked("pl-3"), []string{
		"ashmere-council education_safeguarding: the roll does not say which authority looks after the child" + then,
	})
	r.Verify()
}

package routing_test

import (
	"testing"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// ofBaby is whom a decision tells by the rules about unborn children.
func ofBaby(d *ledgerv1.Decision) []string {
	told := []string{}
	for _, n := range d.Notices {
		if n.Rule == "unborn.midwifery" || n.Rule == "unborn.hub" {
			told = append(told, n.Rule+" "+n.Organisation)
		}
	}
	return told
}

func livingIn(id, area string) *eventv1.Child {
	c := reported(id)
	c.ResidenceArea = area
	return c
}

func TestAnUnbornChildIsToldOfWhereItsMotherLives(t *testing.T) {
	midwives := having(directory.OrganisationRow(&directoryv1.Organisation{Id: "kestrel-midwives", Kind: "midwifery", Area: kestrelVale}))
	there := []string{"unborn.midwifery kestrel-midwives", "unborn.hub " + kestrelCouncil}
	here := []string{"unborn.midwifery " + ashmereHealth, "unborn.hub " + ashmereCouncil}
	for name, tc := range map[string]struct {
		mother *eventv1.Child // of the event too; nil where she is not
		baby   string         // where it is said to live
		want   []string
	}{
		"on another authority's roll":                     {mother: livingIn("kay", ""), want: there},
		"as police say of her":                            {mother: livingIn("zed", kestrelVale), want: there},
		"what is said of the baby comes first":            {mother: livingIn("kay", ""), baby: ashmere, want: here},
		"a mother whose whereabouts are sealed is nobody": {mother: livingIn("sol", ""), want: here},
		"nobody says: where it happened":                  {want: here},
	} {
		t.Run(name, func(t *testing.T) {
			baby := unborn("u1", "p1")
			baby.ResidenceArea = tc.baby
			ev := incident("i", "2026-11-05T21:10:00Z")
			ev.Children = []*eventv1.Child{baby}
			if tc.mother != nil {
				baby.Unborn.MotherRef = tc.mother.Ref
				ev.Children = append(ev.Children, tc.mother)
			}
			equals(t, "told", ofBaby(newWorld(t, "2026-11-05T21:40:00Z", midwives).first(ev)), tc.want)
		})
	}
}

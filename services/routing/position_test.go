package routing_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

func worksAt(id string) func(*eventv1.Person) {
	return func(p *eventv1.Person) {
		p.WorksWithChildren = true
		if id != "" {
			p.WorksAt = &eventv1.OrganisationRef{Id: id}
		}
	}
}

func officer(org string) *directoryv1.Row {
	return directory.ContactRow(&directoryv1.Contact{
		Id: org + "/lado", Organisation: org, Role: "lado", Use: "regular", Channel: "email", Name: "V. Thornbury",
		Address: "lado@" + org + ".example", VerifiedOn: "2026-01-05",
	})
}

// allegation is whom a decision tells by the rule for the designated officer, and what it asks whom about it.
func allegation(d *ledgerv1.Decision) (told, asked []string) {
	for _, n := range d.Notices {
		if n.Rule == "position.designated_officer" {
			told = append(told, n.Organisation)
		}
	}
	for _, t := range d.Tasks {
		if strings.Contains(t.Detail, "suspected") {
			asked = append(asked, t.Role+" of "+t.Organisation)
		}
	}
	return told, asked
}

func TestAnAllegationAboutSomebodyWhoWorksWithChildrenGoesApart(t *testing.T) {
	const suspect, victim = eventv1.PersonRole_PERSON_ROLE_SUSPECT, eventv1.PersonRole_PERSON_ROLE_VICTIM
	both := having(officer(ashmereCouncil), officer(kestrelCouncil))
	for _, tc := range []struct {
		name   string
		edit   func([]*directoryv1.Row) []*directoryv1.Row
		people []*eventv1.Person
		told   []string
		asked  []string
		school bool // Alder, where the child is, is told
	}{
		{"nobody works with children", both, []*eventv1.Person{person(suspect)}, nil, nil, true},
		{"the victim does", both, []*eventv1.Person{person(victim, worksAt(alder))}, nil, nil, true},
		{"the suspect does, and where is not said", both, []*eventv1.Person{person(suspect, worksAt(""))}, []string{ashmereCouncil}, nil, true},
		{"in the next area", both, []*eventv1.Person{person(suspect, worksAt(ivy))}, []string{kestrelCouncil}, nil, true},
		{"at the child's own school", both, []*eventv1.Person{person(suspect, worksAt(alder))}, []string{ashmereCouncil}, []string{"lado of " + ashmereCouncil}, false},
		{"two, of one authority", both, []*eventv1.Person{person(suspect, worksAt(birch)), person(suspect, worksAt(cherry))}, []string{ashmereCouncil}, nil, true},
		{"two, of two", both, []*eventv1.Person{person(suspect, worksAt(birch)), person(suspect, worksAt(ivy))}, []string{ashmereCouncil, kestrelCouncil}, nil, true},
		{"for the council itself", both, []*eventv1.Person{person(suspect, worksAt(ashmereCouncil))}, []string{ashmereCouncil}, nil, true},
		{"somewhere that the directory does not know", both, []*eventv1.Person{person(suspect, worksAt("gias:999999"))}, []string{ashmereCouncil}, nil, true},
		{"and the directory has no officer", having(), []*eventv1.Person{person(suspect, worksAt(birch))}, nil, []string{"duty of " + ashmereCouncil}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := incident("i", "2026-11-05T21:10:00Z", "ada", "cat") // of one household: one allegation
			ev.Children = ev.Children[:1]
			ev.People = tc.people
			d := newWorld(t, night, tc.edit).first(ev)
			told, asked := allegation(d)
			if diff := cmp.Diff([][]string{tc.told, tc.asked}, [][]string{told, asked}); diff != "" {
				t.Errorf("told and asked (-want +got):\n%s", diff)
			}
			if school := tells(d, alder); school != tc.school {
				t.Errorf("the child's school is told: %v, want %v\n%v", school, tc.school, d.Considered)
			}
			for _, n := range d.Notices {
				if n.Rule == "position.designated_officer" && (n.Child != "" || slices.ContainsFunc(n.Fields, func(f string) bool { return strings.HasPrefix(f, "children") })) {
					t.Errorf("the notice shows a child: %v", n.Fields)
				}
			}
		})
	}
}

func tells(d *ledgerv1.Decision, org string) bool {
	return slices.ContainsFunc(d.Notices, func(n *ledgerv1.Notice) bool { return n.Organisation == org })
}

func TestWhomThePublisherItselfNamesIsToldThoughTheSuspectWorksThere(t *testing.T) {
	w := newWorld(t, "2026-11-06T16:10:00Z", having(officer(ashmereCouncil)))
	suspect := person(eventv1.PersonRole_PERSON_ROLE_SUSPECT, worksAt(ashmereHealth))
	for name, ev := range map[string]*eventv1.Event{
		"the referrer":    referralDecided(referrer(true), "ada"),
		"who took part":   concluded([]string{"ada"}, takesPart(ashmereHealth, "health", attended)),
		"who was invited": convened(true, []string{"ada"}, takesPart(ashmereHealth, "health", invited)),
	} {
		ev.People = append(ev.People, suspect)
		if !tells(w.first(ev), ashmereHealth) {
			t.Errorf("%s is not told", name)
		}
	}
}

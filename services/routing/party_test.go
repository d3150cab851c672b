package routing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

func person(role eventv1.PersonRole, change ...func(*eventv1.Person)) *eventv1.Person {
	p := &eventv1.Person{Ref: "p", Role: role, Name: &eventv1.Name{Given: "Jane", Family: "Marlowe"}}
	for _, f := range change {
		f(p)
	}
	return p
}

func TestADecisionFreezesWhoThePartiesAre(t *testing.T) {
	w := newWorld(t, night)
	lead := &directoryv1.Contact{Id: "lead", Name: "J. Marlowe"}
	kept := func(d *ledgerv1.Decision) bool {
		return directory.NewCircle(w.Key, d.Parties).Among([]*directoryv1.Contact{lead})["lead"] != ""
	}
	acts := func(p *eventv1.Person) { p.Professional = true }
	for _, tc := range []struct {
		name   string
		person *eventv1.Person
		want   bool
	}{
		{"the victim", person(eventv1.PersonRole_PERSON_ROLE_VICTIM), true},
		{"the suspect", person(eventv1.PersonRole_PERSON_ROLE_SUSPECT), true},
		{"a suspect who acts as a professional", person(eventv1.PersonRole_PERSON_ROLE_SUSPECT, acts), true},
		{"a parent", person(eventv1.PersonRole_PERSON_ROLE_PARENT_OR_CARER), true},
		{"somebody of the household", person(eventv1.PersonRole_PERSON_ROLE_OTHER), true},
		{"a professional who was there", person(eventv1.PersonRole_PERSON_ROLE_OTHER, acts), false},
		{"who referred", person(eventv1.PersonRole_PERSON_ROLE_REFERRER), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := incident("i", "2026-11-05T21:10:00Z", "ada")
			ev.People = []*eventv1.Person{tc.person}
			d := w.first(ev)
			if got := kept(d); got != tc.want {
				t.Errorf("kept off: %v, want %v", got, tc.want)
			}
			if strings.Contains(strings.ToLower(fmt.Sprint(d)), "marlowe") {
				t.Error("the decision holds the name")
			}
		})
	}
	unborn := incident("i", "2026-11-05T21:10:00Z", "ada")
	unborn.Children[0].Unborn = &eventv1.Unborn{Mother: &eventv1.Name{Given: "Jane", Family: "Marlowe"}}
	if !kept(w.first(unborn)) {
		t.Error("the mother of a child who is not born is not kept off")
	}
}

func TestACorrectionThatNamesWhoeverWasToldHasSomebodyElseTold(t *testing.T) {
	w := newWorld(t, night, having(directory.ContactRow(&directoryv1.Contact{
		Id: alder + "/dsl/regular", Organisation: alder, Role: "dsl", Use: "regular", Channel: "email", Name: "J. Marlowe",
		Address: "dsl@regular.example", VerifiedOn: "2026-01-05",
	})))
	ev := incident("i", "2026-11-05T21:10:00Z", "ada")
	first := w.first(ev)
	told := slices.IndexFunc(first.Notices, func(n *ledgerv1.Notice) bool { return n.Organisation == alder })
	correction := incident("i2", "2026-11-05T21:10:00Z", "ada")
	correction.People = []*eventv1.Person{person(eventv1.PersonRole_PERSON_ROLE_SUSPECT)}
	round := next(ledgerv1.Cause_CAUSE_CORRECTION, first)
	for i := range round.Prior {
		if round.Prior[i].ID == first.Notices[told].Id {
			round.Prior[i].Contact, round.Prior[i].Sent = alder+"/dsl/regular", true
		}
	}
	d := w.decide(round, correction)
	var again []*ledgerv1.Notice
	for _, n := range d.Notices {
		if n.Organisation == alder {
			again = append(again, n)
		}
	}
	if len(again) != 1 || again[0].Version != 1 || again[0].Replaces != "" {
		t.Fatalf("want one notice, told for the first time: %v", again)
	}
	want := []string{"by " + again[0].Id + ": it lies with somebody who is a party, or may be: somebody else is told"}
	var got []string
	for _, s := range d.Superseded {
		if s.Notice == first.Notices[told].Id {
			got = append(got, "by "+s.By+": "+s.Reason)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("superseded (-want +got):\n%s", diff)
	}

	// Whoever was told and is no party keeps what they have; and a person who has turned out to be none is no longer kept off.
	round.Prior[0].Contact = alder + "/deputy_dsl/regular"
	if d := w.decide(round, correction); slices.ContainsFunc(d.Superseded, func(s *ledgerv1.Superseded) bool { return s.Notice == first.Notices[told].Id }) {
		t.Error("what lies with somebody else was superseded")
	}
	if d := w.decide(next(ledgerv1.Cause_CAUSE_CORRECTION, d), ev); len(d.Parties) > 0 {
		t.Error("a party of the event that was corrected is kept off still")
	}
	erased := next(ledgerv1.Cause_CAUSE_TASK, d)
	erased.Erased.Parties = d.Parties
	if after := w.decide(erased, ev); !cmp.Equal(after.Parties, d.Parties) {
		t.Error("a party of an event that was erased is forgotten")
	}
}

package delivery

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func aboutParties(parties ...directory.Party) About {
	key := notice.Key{7}
	return About{Child: child, Parties: directory.NewCircle(key, directory.PartyDigests(key, parties))}
}

func TestAContactWhoIsAPartyIsPassedOverForTheNext(t *testing.T) {
	named := func(name string) func(*directoryv1.Contact) { return func(c *directoryv1.Contact) { c.Name = name } }
	for _, tc := range []struct {
		name    string
		parties []directory.Party
		rows    []any
		roles   []string
		want    string
		skips   []Skip
	}{
		{"by mailbox, for another of the role", []directory.Party{{Email: "lead@ashmere-primary.example"}},
			[]any{contact("lead", "dsl", named("A. Lead")), contact("other", "dsl", named("B. Other"))}, []string{"dsl"},
			"other", []Skip{{"lead", "is a party, or may be: same mailbox"}}},
		{"by name, for the deputy", []directory.Party{{Given: "Alma", Family: "Lead"}},
			[]any{contact("lead", "dsl", named("A. Lead")), contact("deputy", "deputy_dsl", named("B. Other"))}, []string{"dsl", "deputy_dsl"},
			"deputy", []Skip{{"lead", "is a party, or may be: same family name and initial"}}},
		{"with the same person's other row", []directory.Party{{Email: "lead@ashmere-primary.example"}},
			[]any{contact("lead", "dsl", named("A. Lead")), contact("holiday", "dsl", named("A. Lead"), use(holiday))}, []string{"dsl"},
			"", []Skip{{"holiday", "is a party, or may be: shares a mailbox or a name with a contact who may be"}, {"lead", "is a party, or may be: same mailbox"}}},
		{"a restriction is said first, and not which", []directory.Party{{Email: "lead@ashmere-primary.example"}},
			[]any{contact("lead", "dsl"), &directoryv1.Restriction{Kind: "barred_contact", Target: "lead"}}, []string{"dsl"},
			"", []Skip{{"lead", "not to be told"}}},
		{"who has the shift", []directory.Party{{Given: "Alma", Family: "Lead"}},
			[]any{contact("lead", "dsl", named("A. Lead")), contact("other", "dsl", named("B. Other")), rota(t, "dsl", "lead 2026-11-19T08:00:00Z 2026-11-19T18:00:00Z")},
			[]string{"dsl"}, "other", []Skip{{"lead", "on the rota, but is a party, or may be: same family name and initial"}}},
		{"nobody where there is no party", nil, []any{contact("lead", "dsl")}, []string{"dsl"}, "lead", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, at := snapshot(t, tc.rows...), instant(t, "2026-11-19T12:00:00Z")
			link := &ledgerv1.Link{Organisation: "gias:900101", Roles: tc.roles, Use: directory.UseAny}
			ep, skips, ok := Resolve(link, aboutParties(tc.parties...), s, at, History{})
			if ok != (tc.want != "") || ep.Contact != tc.want {
				t.Errorf("contact %q, %v; want %q", ep.Contact, ok, tc.want)
			}
			if diff := cmp.Diff(tc.skips, skips); diff != "" {
				t.Errorf("passed over (-want +got):\n%s", diff)
			}
			if _, still := Still("lead", "gias:900101", aboutParties(tc.parties...), s, at); still != (tc.parties == nil) {
				t.Errorf("an old link of the party is open: %v", still)
			}
			if listed := len(PassedOver(skips)); tc.name == "a restriction is said first, and not which" && listed > 0 {
				t.Error("a restricted contact is listed as a party")
			}
		})
	}
}

func TestAPartyIsNotTelephoned(t *testing.T) {
	phone := func(number string) func(*directoryv1.Contact) {
		return func(c *directoryv1.Contact) { c.Channel, c.Address, c.Name = Telephone, number, "Desk "+c.GetId() }
	}
	s := snapshot(t, contact("a", "dsl", phone("01632 960901")), contact("b", "dsl", phone("01632 960902")))
	chain := []*ledgerv1.Link{{Organisation: "gias:900101", Roles: []string{"dsl"}}}
	var ids []string
	for _, c := range Callable(chain, aboutParties(directory.Party{Telephone: "+44 1632 960901"}), s, instant(t, "2026-11-19T12:00:00Z")) {
		ids = append(ids, c.GetId())
	}
	if diff := cmp.Diff([]string{"b"}, ids); diff != "" {
		t.Errorf("to call (-want +got):\n%s", diff)
	}
}

func TestAReferrerWhoseMailboxTheSuspectReadsIsNotWrittenTo(t *testing.T) {
	referrer := &eventv1.Person{Ref: "p2", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Email: "family@home.example"}
	event := func(role eventv1.PersonRole) *eventv1.Event {
		return &eventv1.Event{People: []*eventv1.Person{{Ref: "p1", Role: role, Email: "Family@home.example"}, referrer}}
	}
	_, skips, ok := ResolveReferrer(event(eventv1.PersonRole_PERSON_ROLE_SUSPECT), child, snapshot(t), History{})
	if diff := cmp.Diff([]Skip{{"event:p2", "is a party, or may be: same mailbox"}}, skips); ok || diff != "" {
		t.Errorf("reached: %v; passed over (-want +got):\n%s", ok, diff)
	}
	if _, _, ok := ResolveReferrer(event(eventv1.PersonRole_PERSON_ROLE_VICTIM), child, snapshot(t), History{}); !ok {
		t.Error("a victim who refers is not answered")
	}
}

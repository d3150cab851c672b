package directory

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAContactWhoIsAPartyIsFoundByMailboxTelephoneOrName(t *testing.T) {
	email := func(name, address string) *directoryv1.Contact {
		return &directoryv1.Contact{Id: "c", Organisation: "o", Name: name, Channel: "email", Address: address}
	}
	named := func(name string) *directoryv1.Contact { return email(name, "lead@school.example") }
	called := func(number string) *directoryv1.Contact {
		return &directoryv1.Contact{Id: "c", Organisation: "o", Name: "Lead", Channel: "telephone", Address: number}
	}
	jane := Party{Given: "Jane Ann", Family: "Marlowe"}
	for _, tc := range []struct {
		name    string
		party   Party
		contact *directoryv1.Contact
		want    Evidence
	}{
		{"the same mailbox, however it is written", Party{Email: "J.Marlowe@School.example "}, email("Lead", "j.marlowe+sg@school.example"), ByMailbox},
		{"the mailbox of the codes", Party{Email: "jm@home.example"},
			&directoryv1.Contact{Id: "c", Channel: "email", Address: "office@school.example", CodeAddress: "JM@home.example"}, ByMailbox},
		{"another mailbox of the domain", Party{Email: "x@school.example"}, named("Lead"), ""},
		{"an endpoint is no mailbox", Party{Email: "x@school.example"},
			&directoryv1.Contact{Id: "c", Channel: "grpc", Address: "school.example:443"}, ""},
		{"the same number, from abroad", Party{Telephone: "+44 (0)1632 960 901"}, called("01632 960901"), ByTelephone},
		{"the same number, with two noughts", Party{Telephone: "0044 1632 960901"}, called("(01632) 960-901"), ByTelephone},
		{"another number", Party{Telephone: "01632 960902"}, called("01632 960901"), ""},
		{"an extension says nothing of whose it is", Party{Telephone: "901"}, called("901"), ""},
		{"the same name", jane, named("Jane Marlowe"), ByName},
		{"a title and an initial", jane, named("Mrs J. Marlowe"), ByName},
		{"an initial without a point", jane, named("J Marlowe"), ByName},
		{"the second forename", jane, named("Ann Marlowe"), ByName},
		{"a middle name at work", Party{Given: "Jane", Family: "Marlowe"}, named("Ruth Jane Marlowe"), ByName},
		{"family name first", jane, named("MARLOWE, Jane"), ByName},
		{"a role after the name", jane, named("Jane Marlowe (DSL)"), ByName},
		{"a family name alone", jane, named("Ms Marlowe"), ByName},
		{"a party of whom only the family name is known", Party{Family: "Marlowe"}, named("Jane Marlowe"), ByName},
		{"half of a double-barrelled name, in the directory", Party{Given: "Jane", Family: "Marlowe-Reyes"}, named("Jane Reyes"), ByName},
		{"half of a double-barrelled name, in the event", Party{Given: "Jane", Family: "Reyes"}, named("Jane Marlowe-Reyes"), ByName},
		{"a name of several words", Party{Given: "Ada", Family: "van der Berg"}, named("Ada van der Berg"), ByName},
		{"accents and apostrophes", Party{Given: "Zoë", Family: "O'Brien"}, named("Zoe O’Brien"), ByName},
		{"a name by which the party is known", Party{Given: "William", Family: "Marlowe", KnownAs: "Bill"}, named("Bill Marlowe"), ByName},
		{"another name altogether by which the party is known", Party{Given: "Jane", Family: "Marlowe", KnownAs: "Jenny Reyes"}, named("J. Reyes"), ByName},
		{"another initial", jane, named("Tom Marlowe"), ""},
		{"another family name", jane, named("Jane Marlow"), ""},
		{"the forename for a family name", jane, named("Marlowe Jane Reyes"), ""},
		{"a desk", jane, named("Safeguarding team"), ""},
		{"a party of whom nothing is known", Party{Given: "Jane"}, named("Jane Marlowe"), ""},
		{"a name without a letter", Party{Given: "?", Family: "-"}, named("- ?"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key := notice.Key{1}
			circle := NewCircle(key, PartyDigests(key, []Party{tc.party}))
			if got := circle.Among([]*directoryv1.Contact{tc.contact})["c"]; got != tc.want {
				t.Errorf("evidence %q, want %q", got, tc.want)
			}
			if len(NewCircle(notice.Key{2}, PartyDigests(key, []Party{tc.party})).Among([]*directoryv1.Contact{tc.contact})) > 0 {
				t.Error("found with another key")
			}
		})
	}
}

func TestWhoeverSharesAMailboxOrANameWithAPartyIsKeptOffToo(t *testing.T) {
	contact := func(id, name, address string) *directoryv1.Contact {
		return &directoryv1.Contact{Id: id, Organisation: "o", Name: name, Channel: "email", Address: address}
	}
	key := notice.Key{1}
	circle := NewCircle(key, PartyDigests(key, []Party{{Email: "j.marlowe@school.example"}}))
	got := circle.Among([]*directoryv1.Contact{
		contact("lead", "Jane Marlowe", "j.marlowe@school.example"),
		contact("holiday", "Jane  MARLOWE", "safeguarding@school.example"),
		contact("second", "Somebody else", "J.Marlowe@school.example"),
		contact("deputy", "S. Ikande", "s.ikande@school.example"),
	})
	want := map[string]Evidence{"lead": ByMailbox, "holiday": ByContact, "second": ByMailbox}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept off (-want +got):\n%s", diff)
	}
}

func TestTheDigestsOfPartiesSayNothingOfWhichBelongTogether(t *testing.T) {
	key := notice.Key{1}
	a, b := Party{Given: "Jane", Family: "Marlowe", Email: "jane@home.example"}, Party{Given: "Tom", Family: "Marlowe"}
	one, other := PartyDigests(key, []Party{a, b, a}), PartyDigests(key, []Party{b, a})
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the order in which people come shows:\n%s", diff)
	}
	if len(one) != 4 { // a mailbox, the family name, and it with each initial
		t.Errorf("%d digests, want each once", len(one))
	}
	if slices.ContainsFunc(one, func(d []byte) bool { return len(d) != partyBytes }) {
		t.Error("a digest is not cut short")
	}
}

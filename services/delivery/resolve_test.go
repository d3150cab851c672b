package delivery

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
	"github.com/signalbox-hq/signalbox/services/notice"
)

const child notice.ChildID = "child-1"

const (
	regular    = directory.UseRegular
	holiday    = directory.UseHoliday
	outOfHours = directory.UseOutOfHours
)

// snapshot holds the school, the council and the police of an invented borough, with the contacts and restrictions given.
func snapshot(t *testing.T, rows ...any) *directory.Snapshot {
	t.Helper()
	all := []*directoryv1.Row{
		{Row: &directoryv1.Row_Area{Area: &directoryv1.Area{Gss: "E09000901", Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901"}}},
		{Row: &directoryv1.Row_Setting{Setting: &directoryv1.Setting{Id: "gias:900101", Name: "Ashmere Primary School", Kind: "school", Area: "E09000901", Status: "open"}}},
		{Row: &directoryv1.Row_Organisation{Organisation: &directoryv1.Organisation{Id: "ashmere-council", Name: "Ashmere Council", Kind: "local_authority", Area: "E09000901"}}},
		{Row: &directoryv1.Row_Organisation{Organisation: &directoryv1.Organisation{Id: "kestrel-vale-police", Name: "Kestrel Vale Police", Kind: "police", Area: "E23000901"}}},
		{Row: &directoryv1.Row_Agency{Agency: &directoryv1.Agency{Id: "kestrel-vale-police", Organisation: "kestrel-vale-police"}}},
		{Row: &directoryv1.Row_BankHolidays{BankHolidays: &directoryv1.BankHolidays{Division: directory.EnglandAndWales, Dates: []string{"2026-12-25"}}}},
	}
	for i, row := range rows {
		switch r := row.(type) {
		case *directoryv1.Contact:
			all = append(all, &directoryv1.Row{Row: &directoryv1.Row_Contact{Contact: r}})
		case *directoryv1.Rota:
			all = append(all, directory.RotaRow(r))
		case *directoryv1.Subscription:
			all = append(all, directory.SubscriptionRow(r))
		case *directoryv1.Child:
			all = append(all, directory.ChildRow(r))
		case *directoryv1.Setting:
			all = append(all, &directoryv1.Row{Row: &directoryv1.Row_Setting{Setting: r}})
		case *directoryv1.Calendar:
			all = append(all, directory.CalendarRow(r))
		case *directoryv1.Restriction:
			r.Id, r.Child = fmt.Sprintf("r%d", i), string(child)
			all = append(all, &directoryv1.Row{Row: &directoryv1.Row_Restriction{Restriction: r}})
		default:
			t.Fatalf("no row is a %T", row)
		}
	}
	s, err := directory.Build(1, all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// contact is a good contact of the school, changed as the test needs.
func contact(id, role string, change ...func(*directoryv1.Contact)) *directoryv1.Contact {
	c := &directoryv1.Contact{
		Id: id, Organisation: "gias:900101", Role: role, Name: "Jo Penrose " + id, Channel: Email, Address: id + "@ashmere-primary.example",
		Use: regular, VerifiedOn: "2026-09-01",
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func use(u string) func(*directoryv1.Contact) { return func(c *directoryv1.Contact) { c.Use = u } }

func hours(from, until string) func(*directoryv1.Contact) {
	return func(c *directoryv1.Contact) {
		c.Hours = append(c.Hours, &directoryv1.Hours{Days: []int32{1, 2, 3, 4, 5}, From: from, Until: until})
	}
}

func TestALinkIsResolvedToOneContactAndEveryOtherHasAReason(t *testing.T) {
	const thursdayNight, thursdayNoon = "2026-11-19T23:05:00Z", "2026-11-19T12:00:00Z"
	for _, tc := range []struct {
		name    string
		rows    []any
		use     string
		at      string
		failed  string
		away    string
		refuses string
		failing []string
		want    string // contact chosen
		skips   []Skip
	}{
		{
			name: "the first role that has a contact is used",
			rows: []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl"), contact("head", "head")},
			want: "dsl",
		},
		{
			name: "the next role is used where the first has nobody",
			rows: []any{contact("deputy", "deputy_dsl")},
			want: "deputy",
		},
		{
			name:  "nobody at all is said",
			skips: []Skip{{Reason: "no contact with the role dsl, deputy_dsl, head"}},
		},
		{
			name: "a contact who left, one to come and one not confirmed are passed over",
			rows: []any{
				contact("a", "dsl", func(c *directoryv1.Contact) { c.Until = "2026-11-18" }),
				contact("b", "dsl", func(c *directoryv1.Contact) { c.From = "2026-11-20" }),
				contact("c", "dsl", func(c *directoryv1.Contact) { c.VerifiedOn = "" }),
				contact("d", "dsl", func(c *directoryv1.Contact) { c.VerifiedOn = "2026-11-20" }),
				contact("e", "dsl", func(c *directoryv1.Contact) { c.From, c.Until = "2026-11-19", "2026-11-19" }),
			},
			want: "e",
			skips: []Skip{
				{"a", "not in use on the day"}, {"b", "not in use on the day"},
				{"c", "address not confirmed by a person"}, {"d", "address not confirmed by a person"},
			},
		},
		{
			name:  "a contact whose mailbox answered by itself is passed over",
			rows:  []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl")},
			away:  "dsl",
			want:  "deputy",
			skips: []Skip{{"dsl", "an automatic reply came back"}},
		},
		{
			name:    "a contact who has declined is passed over, and the reason is theirs",
			rows:    []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl")},
			refuses: "dsl",
			away:    "dsl",
			want:    "deputy",
			skips:   []Skip{{"dsl", "has declined"}},
		},
		{
			name:    "within a role a contact whose mail does not come back is preferred",
			rows:    []any{contact("dsl-1", "dsl"), contact("dsl-2", "dsl"), contact("deputy", "deputy_dsl")},
			failing: []string{"dsl-1"},
			want:    "dsl-2",
			skips:   []Skip{{"dsl-1", "its mail comes back, and another contact of the role is there"}},
		},
		{
			name:    "a contact whose mail comes back is used where the role has no other",
			rows:    []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl")},
			failing: []string{"dsl"},
			want:    "dsl",
		},
		{
			name:   "a contact that failed is passed over",
			rows:   []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl")},
			failed: "dsl",
			want:   "deputy",
			skips:  []Skip{{"dsl", "failed before"}},
		},
		{
			name:  "a telephone cannot be sent to",
			rows:  []any{contact("dsl", "dsl", func(c *directoryv1.Contact) { c.Channel = Telephone })},
			skips: []Skip{{"dsl", "telephone only"}},
		},
		{
			name:  "a channel nobody knows cannot be sent to",
			rows:  []any{contact("dsl", "dsl", func(c *directoryv1.Contact) { c.Channel = "fax" })},
			skips: []Skip{{"dsl", "channel unknown"}},
		},
		{
			name: "a shared mailbox needs a person's address for the code",
			rows: []any{
				contact("a", "dsl", func(c *directoryv1.Contact) { c.Shared = true }),
				contact("b", "dsl", func(c *directoryv1.Contact) { c.Shared, c.CodeAddress = true, "B@ashmere-primary.example" }),
				contact("c", "dsl", func(c *directoryv1.Contact) { c.Shared, c.CodeAddress = true, "jo@ashmere-primary.example" }),
			},
			want: "c",
			skips: []Skip{
				{"a", "shared mailbox without a person's address for the code"}, {"b", "shared mailbox without a person's address for the code"},
			},
		},
		{
			name:  "at night the contact for out of hours is used",
			rows:  []any{contact("day", "dsl", hours("08:00", "17:00")), contact("night", "dsl", use(outOfHours))},
			at:    thursdayNight,
			want:  "night",
			skips: []Skip{{"day", "not on duty"}},
		},
		{
			name:  "by day the regular contact is used",
			rows:  []any{contact("day", "dsl", hours("08:00", "17:00")), contact("a-night", "dsl", use(outOfHours))},
			want:  "day",
			skips: []Skip{{"a-night", "another contact of the role comes first"}},
		},
		{
			name: "at night the mailbox of a lead who is off duty is used all the same",
			rows: []any{contact("dsl", "dsl", hours("08:00", "17:00")), contact("deputy", "deputy_dsl")},
			at:   thursdayNight,
			want: "dsl",
		},
		{
			name: "between two leads the one on duty is used",
			rows: []any{contact("a", "dsl", hours("08:00", "11:00")), contact("b", "dsl", hours("11:00", "17:00"))},
			want: "b", skips: []Skip{{"a", "not on duty"}},
		},
		{
			name:  "a link for holidays uses holiday contacts only",
			rows:  []any{contact("dsl", "dsl"), contact("summer", "deputy_dsl", use(holiday))},
			use:   holiday,
			want:  "summer",
			skips: []Skip{{"dsl", "kept for another time: regular"}},
		},
		{
			name:  "a link for regular contacts ignores the hour",
			rows:  []any{contact("a-night", "dsl", use(outOfHours)), contact("day", "dsl", hours("08:00", "17:00"))},
			use:   regular,
			at:    thursdayNight,
			want:  "day",
			skips: []Skip{{"a-night", "kept for another time: out_of_hours"}},
		},
		{
			name:  "a holiday contact is not for any time",
			rows:  []any{contact("summer", "dsl", use(holiday))},
			skips: []Skip{{"summer", "kept for another time: holiday"}},
		},
		{
			name:  "a barred contact is passed over for the next",
			rows:  []any{contact("dsl", "dsl"), contact("deputy", "deputy_dsl"), &directoryv1.Restriction{Kind: "barred_contact", Target: "dsl"}},
			want:  "deputy",
			skips: []Skip{{"dsl", "not to be told"}},
		},
		{
			name: "nor is the academy that a barred school became",
			rows: []any{
				contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "barred_organisation", Target: "gias:900100"},
				&directoryv1.Setting{
					Id: "gias:900100", Kind: "school", Status: "closed", ClosedOn: "2026-08-31",
					Successors: []*directoryv1.Link{{Setting: "gias:900101"}},
				},
			},
			skips: []Skip{{Reason: reasonBarred}},
		},
		{
			name: "nor is whoever shares the mailbox of a barred contact",
			rows: []any{
				contact("dsl", "dsl"), contact("deputy", "deputy_dsl", func(c *directoryv1.Contact) { c.Address = "DSL@ashmere-primary.example" }),
				contact("head", "head", func(c *directoryv1.Contact) { c.Shared, c.CodeAddress = true, "dsl@ashmere-primary.example" }),
				&directoryv1.Restriction{Kind: "barred_contact", Target: "dsl"},
			},
			skips: []Skip{{"dsl", reasonBarred}, {"deputy", reasonBarred}, {"head", reasonBarred}},
		},
		{
			name: "nor is the barred person under another id, whether or not the first is in use",
			rows: []any{
				contact("dsl", "dsl", func(c *directoryv1.Contact) { c.Until = "2026-10-01" }),
				contact("other", "dsl", func(c *directoryv1.Contact) { c.Name = "JO PENROSE-dsl" }), contact("head", "head"),
				&directoryv1.Restriction{Kind: "barred_contact", Target: "dsl"},
			},
			want: "head", skips: []Skip{{"dsl", "not in use on the day"}, {"other", reasonBarred}},
		},
		{
			name:  "a barred setting is not told",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "barred_organisation", Target: "gias:900101"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name:  "nobody in a barred area is told",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "barred_area", Target: "E09000901"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name:  "nobody within a barred police area is told",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "barred_area", Target: "E23000901"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name: "another's restriction is no matter",
			rows: []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "barred_organisation", Target: "gias:900102"}},
			want: "dsl",
		},
		{
			name:  "a protected location bars everybody",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "protected_location"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name:  "a sealed identity bars everybody",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "sealed_identity"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name:  "a court order without a target bars everybody",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "court_order"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
		{
			name:  "a restriction nobody knows bars everybody",
			rows:  []any{contact("dsl", "dsl"), &directoryv1.Restriction{Kind: "later_kind", Target: "somebody"}},
			skips: []Skip{{Reason: "not to be told"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			link := &ledgerv1.Link{Organisation: "gias:900101", Roles: []string{"dsl", "deputy_dsl", "head"}, Use: tc.use}
			if link.Use == "" {
				link.Use = "any"
			}
			at := tc.at
			if at == "" {
				at = thursdayNoon
			}
			ep, skips, ok := Resolve(link, About{Child: child}, snapshot(t, tc.rows...), instant(t, at), History{
				Failed:  func(c string) bool { return c == tc.failed },
				Away:    func(c string) bool { return c == tc.away },
				Failing: func(c *directoryv1.Contact) bool { return slices.Contains(tc.failing, c.GetId()) },

				Declined: func(c string) bool { return c == tc.refuses },
			})
			if ok != (tc.want != "") || ep.Contact != tc.want {
				t.Errorf("contact %q, %v; want %q", ep.Contact, ok, tc.want)
			}
			if diff := cmp.Diff(tc.skips, skips); diff != "" {
				t.Errorf("passed over (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReferrerIsReachedAtTheAddressInTheEvent(t *testing.T) {
	event := func(email, org string) *eventv1.Event {
		return &eventv1.Event{People: []*eventv1.Person{
			{Ref: "p1", Role: eventv1.PersonRole_PERSON_ROLE_VICTIM, Email: "victim@home.example"},
			{Ref: "p2", Role: eventv1.PersonRole_PERSON_ROLE_REFERRER, Email: email, Name: &eventv1.Name{Given: "Ana", Family: "Ferreira"},
				Organisation: &eventv1.OrganisationRef{Id: org}},
		}}
	}
	for _, tc := range []struct {
		name   string
		event  *eventv1.Event
		rows   []any
		failed string
		away   string
		want   string
		skips  []Skip
	}{
		{name: "who is away", event: event("ana@health.example", ""), away: "event:p2", skips: []Skip{{"event:p2", "an automatic reply came back"}}},
		{name: "with an address", event: event("ana@health.example", ""), want: "event:p2"},
		{name: "without an address", event: event("", ""), skips: []Skip{{"event:p2", "the referrer gave no email address"}}},
		{name: "whose address failed", event: event("ana@health.example", ""), failed: "event:p2", skips: []Skip{{"event:p2", "failed before"}}},
		{name: "of a barred organisation", event: event("ana@council.example", "ashmere-council"), rows: []any{&directoryv1.Restriction{Kind: "barred_organisation", Target: "ashmere-council"}},
			skips: []Skip{{"event:p2", "not to be told"}}},
		{name: "about a sealed child", event: event("ana@health.example", ""), rows: []any{&directoryv1.Restriction{Kind: "sealed_identity"}}, skips: []Skip{{"", "not to be told"}}},
		{name: "whom nobody names", event: &eventv1.Event{}, skips: []Skip{{"", "the event names no referrer"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ep, skips, ok := ResolveReferrer(tc.event, child, snapshot(t, tc.rows...), History{
				Failed: func(c string) bool { return c == tc.failed }, Away: func(c string) bool { return c == tc.away },
			})
			if ok != (tc.want != "") || ep.Contact != tc.want {
				t.Errorf("contact %q, %v; want %q", ep.Contact, ok, tc.want)
			}
			if diff := cmp.Diff(tc.skips, skips); diff != "" {
				t.Errorf("passed over (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEndpointPrintsWithoutNameOrAddress(t *testing.T) {
	ep := Endpoint{Contact: "ashmere-dsl", Organisation: "gias:900101", Channel: Email, Address: "jo@secret.example", Name: "Jo Penrose", CodeAddress: "home@secret.example"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{ep, &ep, Message{Endpoint: ep}} {
			if got := fmt.Sprintf(format, value); strings.Contains(got, "secret") || strings.Contains(got, "Penrose") {
				t.Errorf("%s prints %s", format, got)
			}
		}
	}
}

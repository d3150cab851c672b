package routing_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/policy"
	"github.com/signalbox-hq/signalbox/services/routing"
)

// The invented borough of Ashmere, its neighbour Kestrel Vale under another police force, and their places.
const (
	ashmere     = "E09000901"
	kestrelVale = "E09000902"

	ashmereCouncil = "ashmere-council"
	kestrelCouncil = "kestrel-vale-council"
	ashmerePolice  = "ashmere-police"
	kestrelPolice  = "kestrel-vale-police"
	ashmereHealth  = "ashmere-health"

	alder   = "gias:900101"     // primary with a nursery class, on its authority's calendar
	birch   = "gias:900102"     // secondary with an INSET day of its own and a cut-off at 09:00
	cherry  = "ofsted:EY900103" // nursery
	dogwood = "ofsted:EY900104" // childminder
	elm     = "gias:900105"     // closed; Alder succeeded it
	fir     = "gias:900106"     // closed; Alder and Birch succeeded it
	gorse   = "gias:900107"     // closed; nothing succeeded it
	hazel   = "gias:900108"     // college
	larkRow = "gias:900109"     // proposed: opens on 1 September 2026
	ivy     = "gias:900201"     // school in Kestrel Vale
)

func areas() []*directoryv1.Row {
	return []*directoryv1.Row{
		directory.AreaRow(&directoryv1.Area{Gss: ashmere, Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901", Nation: "england"}),
		directory.AreaRow(&directoryv1.Area{Gss: kestrelVale, Name: "Kestrel Vale", Kind: "local_authority", PoliceArea: "E23000902", Nation: "england"}),
		directory.AreaRow(&directoryv1.Area{Gss: "E23000901", Name: "Ashmere Police", Kind: "police", Nation: "england"}),
		directory.AreaRow(&directoryv1.Area{Gss: "E23000902", Name: "Kestrel Police", Kind: "police", Nation: "england"}),
	}
}

func organisations() []*directoryv1.Row {
	org := func(id, kind, area string) *directoryv1.Row {
		return directory.OrganisationRow(&directoryv1.Organisation{Id: id, Name: id, Kind: kind, Area: area})
	}
	agency := func(id, organisation string) *directoryv1.Row {
		return directory.AgencyRow(&directoryv1.Agency{Id: id, Organisation: organisation})
	}
	return []*directoryv1.Row{
		org(ashmereCouncil, "local_authority", ashmere), org(kestrelCouncil, "local_authority", kestrelVale),
		org(ashmerePolice, "police", "E23000901"), org(kestrelPolice, "police", "E23000902"),
		org(ashmereHealth, "health", ashmere),
		agency("ashmere-police", ashmerePolice), agency("ashmere-council", ashmereCouncil),
		agency("ashmere-health", ashmereHealth),
	}
}

func settings() []*directoryv1.Row {
	setting := func(id, kind, area, status string, successors ...string) *directoryv1.Row {
		s := &directoryv1.Setting{Id: id, Kind: kind, Area: area, Status: status}
		for _, to := range successors {
			s.Successors = append(s.Successors, &directoryv1.Link{Setting: to})
		}
		if id == larkRow {
			s.OpenedOn = "2026-09-01"
		}
		return directory.SettingRow(s)
	}
	return []*directoryv1.Row{
		setting(alder, "school", ashmere, "open"), setting(birch, "school", ashmere, "open"),
		setting(cherry, "nursery", ashmere, "open"), setting(dogwood, "childminder", ashmere, "open"),
		setting(elm, "school", ashmere, "closed", alder), setting(fir, "school", ashmere, "closed", alder, birch),
		setting(gorse, "school", ashmere, "closed"), setting(hazel, "college", ashmere, "open"),
		setting(larkRow, "school", ashmere, "proposed"), setting(ivy, "school", kestrelVale, "open"),
	}
}

// contacts are there because a directory has them; routing names roles, and delivery finds who holds them.
func contacts() []*directoryv1.Row {
	contact := func(organisation, role, use string) *directoryv1.Row {
		id := fmt.Sprintf("%s/%s/%s", organisation, role, use)
		return directory.ContactRow(&directoryv1.Contact{
			Id: id, Organisation: organisation, Role: role, Use: use, Channel: "email",
			Address: role + "@" + use + ".example", VerifiedOn: "2026-01-05",
		})
	}
	return []*directoryv1.Row{
		contact(alder, "dsl", "regular"), contact(alder, "deputy_dsl", "regular"), contact(alder, "head", "holiday"),
		contact(ivy, "dsl", "regular"), contact(ivy, "dsl", "holiday"),
		contact(ashmereCouncil, "education_safeguarding", "regular"), contact(ashmereCouncil, "duty", "regular"),
		contact(ashmereCouncil, "elective_home_education", "regular"), contact(kestrelCouncil, "education_safeguarding", "regular"),
	}
}

func calendars() []*directoryv1.Row {
	return []*directoryv1.Row{
		directory.BankHolidaysRow(&directoryv1.BankHolidays{Division: directory.EnglandAndWales, Dates: []string{
			"2026-04-03", "2026-04-06", "2026-05-04", "2026-08-31", "2026-12-25", "2026-12-28", "2027-01-01",
		}}),
		directory.CalendarRow(&directoryv1.Calendar{Id: ashmere, InsetDays: []string{"2026-09-01"}, Terms: []*directoryv1.Term{
			{Opens: "2026-02-23", Closes: "2026-04-01"}, {Opens: "2026-04-20", Closes: "2026-07-21"},
			{Opens: "2026-09-01", Closes: "2026-10-16"}, {Opens: "2026-10-26", Closes: "2026-12-18"},
			{Opens: "2027-01-04", Closes: "2027-02-12"},
		}}),
		directory.CalendarRow(&directoryv1.Calendar{Id: birch, InsetDays: []string{"2026-11-06"}, CutOff: "09:00"}),
		directory.CalendarRow(&directoryv1.Calendar{Id: kestrelVale, Terms: []*directoryv1.Term{
			{Opens: "2026-04-20", Closes: "2026-07-17"}, {Opens: "2026-09-03", Closes: "2026-12-18"},
			{Opens: "2027-01-04", Closes: "2027-02-12"},
		}}),
	}
}

// pupil is a child of the borough; the given name is its id's.
type pupil struct {
	id, given, family, born, lives string
	identifiers                    []*directoryv1.Identifier
	at                             []*directoryv1.Enrolment
}

func enrolled(setting string) *directoryv1.Enrolment {
	return &directoryv1.Enrolment{Setting: setting, Kind: "registered", AsOf: "2026-02-01"}
}

func pupils() []pupil {
	nhs := func(number string) []*directoryv1.Identifier {
		return []*directoryv1.Identifier{{Scheme: "nhs", Value: number}}
	}
	return []pupil{
		{id: "ada", given: "Ada", family: "Larch", born: "2016-05-02", lives: ashmere, identifiers: nhs("9990000018"),
			at: []*directoryv1.Enrolment{enrolled(alder)}},
		{id: "ben", given: "Ben", family: "Larch", born: "2012-03-09", lives: ashmere,
			at: []*directoryv1.Enrolment{enrolled(birch), enrolled(ivy)}},
		{id: "cat", given: "Cat", family: "Larch", born: "2022-11-20", lives: ashmere,
			at: []*directoryv1.Enrolment{{Setting: alder, Kind: "nursery_class", Pattern: "AAA--"}}},
		{id: "dan", given: "Dan", family: "Larch", born: "2014-08-30", lives: ashmere,
			at: []*directoryv1.Enrolment{{Kind: "home_educated", Area: ashmere}}},
		{id: "eve", given: "Eve", family: "Rowan", born: "2023-02-14", lives: ashmere,
			at: []*directoryv1.Enrolment{{Setting: cherry, Kind: "attending", Pattern: "FF-A-"}}},
		{id: "flo", given: "Flo", family: "Rowan", born: "2024-02-14", lives: ashmere,
			at: []*directoryv1.Enrolment{{Setting: dogwood, Kind: "attending"}}},
		{id: "tam", given: "Tam", family: "Thistle", born: "2015-01-10", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(alder)}},
		{id: "tom", given: "Tom", family: "Thistle", born: "2015-01-10", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(alder)}},
		{id: "elmo", given: "Elmo", family: "Reed", born: "2015-06-01", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(elm)}},
		{id: "fira", given: "Fira", family: "Reed", born: "2014-06-01", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(fir)}},
		{id: "gus", given: "Gus", family: "Reed", born: "2013-06-01", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(gorse)}},
		{id: "kit", given: "Kit", family: "Vetch", born: "2013-04-04", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(ivy)}},
		{id: "sol", given: "Sol", family: "Yarrow", born: "2015-07-07", lives: kestrelVale, identifiers: nhs("9990000026"),
			at: []*directoryv1.Enrolment{enrolled(alder)}},
		{id: "bex", given: "Bex", family: "Sorrel", born: "2013-09-09", lives: ashmere,
			at: []*directoryv1.Enrolment{enrolled(alder), enrolled(birch)}},
		{id: "mo", given: "Moe", family: "Fern", born: "2015-02-02", lives: ashmere, at: []*directoryv1.Enrolment{
			{Setting: alder, Kind: "registered", Until: "2026-08-31"}, {Setting: ivy, Kind: "registered", From: "2026-09-01"},
		}},
		{id: "nia", given: "Nia", family: "Broom", born: "2012-02-02", lives: ashmere, at: []*directoryv1.Enrolment{
			{Setting: birch, Kind: "registered", Until: "2026-03-31"},
		}},
		{id: "sam", given: "Sam", family: "Heath", born: "2008-11-13", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(hazel)}},
		{id: "ali-1", given: "Ali", family: "Moss", born: "2014-12-12", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(alder)}},
		{id: "ali-2", given: "Ali", family: "Moss", born: "2014-12-12", lives: ashmere, at: []*directoryv1.Enrolment{enrolled(birch)}},
		{id: "kay", given: "Kay", family: "Tansy", born: "2014-10-10", lives: kestrelVale, at: []*directoryv1.Enrolment{enrolled(ivy)}},
	}
}

func (p pupil) row() *directoryv1.Row {
	return directory.ChildRow(&directoryv1.Child{
		Id: p.id, Given: p.given, Family: p.family, DateOfBirth: p.born, ResidenceArea: p.lives,
		Identifiers: p.identifiers, Enrolments: p.at,
	})
}

func restrictions() []*directoryv1.Row {
	return []*directoryv1.Row{restricted("sol", "protected_location", ""), restricted("bex", "barred_organisation", birch)}
}

func restricted(child, kind, target string) *directoryv1.Row {
	return directory.RestrictionRow(&directoryv1.Restriction{
		Id: child + "/" + kind + "/" + target, Child: child, Kind: kind, Target: target, Authoriser: "service-manager", Reason: "order_in_force",
	})
}

// borough is every row; edit changes it for one test.
func borough(edit ...func([]*directoryv1.Row) []*directoryv1.Row) []*directoryv1.Row {
	rows := slices.Concat(areas(), organisations(), settings(), contacts(), calendars(), restrictions())
	for _, p := range pupils() {
		rows = append(rows, p.row())
	}
	for _, e := range edit {
		rows = e(rows)
	}
	return rows
}

// without leaves out rows by kind and id.
func without(kind, id string) func([]*directoryv1.Row) []*directoryv1.Row {
	return func(rows []*directoryv1.Row) []*directoryv1.Row {
		return slices.DeleteFunc(rows, func(r *directoryv1.Row) bool {
			k, i := directory.KeyOf(r)
			return k == kind && i == id
		})
	}
}

// having puts rows in, in place of those with the same key.
func having(more ...*directoryv1.Row) func([]*directoryv1.Row) []*directoryv1.Row {
	return func(rows []*directoryv1.Row) []*directoryv1.Row {
		for _, r := range more {
			rows = without(directory.KeyOf(r))(rows)
		}
		return append(rows, more...)
	}
}

// theDefaultPolicy takes a tenth of a second to make ready, and changes for nobody.
var theDefaultPolicy = sync.OnceValues(func() (*policy.Policy, error) { return policy.Load(policy.Default()) })

func defaultPolicy(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := theDefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func policyOf(t testing.TB, text []byte) *policy.Policy {
	t.Helper()
	p, err := policy.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// world is the facts of one test.
type world struct{ routing.Facts }

func newWorld(t testing.TB, at string, edit ...func([]*directoryv1.Row) []*directoryv1.Row) world {
	t.Helper()
	snapshot, err := directory.Build(7, borough(edit...))
	if err != nil {
		t.Fatal(err)
	}
	return world{routing.Facts{Directory: snapshot, Policy: defaultPolicy(t), Key: notice.Key{1}, Now: instant(at)}}
}

// at is the same world at another time.
func (w world) at(when string) world {
	w.Now = instant(when)
	return w
}

func (w world) decide(r routing.Round, events ...*eventv1.Event) *ledgerv1.Decision {
	return routing.Decide(sources(events), r, w.Facts)
}

func (w world) first(events ...*eventv1.Event) *ledgerv1.Decision {
	return w.decide(firstRound(), events...)
}

func firstRound() routing.Round {
	return routing.Round{Lineage: "lineage", Number: 1, Cause: ledgerv1.Cause_CAUSE_EVENT}
}

// next is the round after decisions, all of whose notices were sent.
func next(cause ledgerv1.Cause, before ...*ledgerv1.Decision) routing.Round {
	r := routing.Round{Lineage: "lineage", Number: uint32(len(before)) + 1, Cause: cause, Tasks: map[string]bool{}, Settled: map[string]bool{}}
	for _, d := range before {
		standing := slices.DeleteFunc(r.Prior, func(p routing.Prior) bool { return !slices.Contains(d.Kept, p.ID) })
		for _, n := range d.Notices {
			standing = append(standing, routing.Prior{
				ID: n.Id, Obligation: n.Obligation, Version: n.Version, ContentDigest: n.ContentDigest, Sent: true,
				MeetsMS: n.Invitation.GetMeetsMs(),
			})
		}
		r.Prior = standing
		for _, id := range d.SettledTasks {
			r.Tasks[id], r.Settled[id] = false, true
		}
		for _, task := range d.Tasks {
			r.Tasks[task.Id] = true
		}
	}
	return r
}

// resolved closes every task, as people do.
func resolved(r routing.Round) routing.Round {
	for id := range r.Tasks {
		r.Tasks[id] = false
	}
	return r
}

func sources(events []*eventv1.Event) []routing.Event {
	out := make([]routing.Event, len(events))
	for i, ev := range events {
		out[i] = routing.Event{
			Source: &ledgerv1.Source{Agency: ev.Source, Sequence: uint64(i + 1), Event: "key-of-" + ev.Id}, Body: ev,
		}
	}
	return out
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a slip in a test
	}
	return t
}

func stamp(s string) *timestamppb.Timestamp { return timestamppb.New(instant(s)) }

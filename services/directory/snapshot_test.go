package directory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func build(t testing.TB, rows ...*directoryv1.Row) *Snapshot {
	t.Helper()
	s, err := Build(7, rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASnapshotFindsRowsByWhatTheyBelongTo(t *testing.T) {
	s := build(t,
		AreaRow(&directoryv1.Area{Gss: "E09000901", Name: "Ashmere", Kind: "local_authority", PoliceArea: "E23000901"}),
		AreaRow(&directoryv1.Area{Gss: "E23000901", Name: "Northreach", Kind: "police"}),
		OrganisationRow(&directoryv1.Organisation{Id: "northreach-police", Name: "Northreach Police", Kind: "police", Area: "E23000901"}),
		OrganisationRow(&directoryv1.Organisation{Id: "ashmere-council", Name: "Ashmere Council", Kind: "local_authority", Area: "E09000901"}),
		OrganisationRow(&directoryv1.Organisation{Id: "ashmere-aid", Kind: "voluntary", Area: "E09000901"}),
		SettingRow(&directoryv1.Setting{Id: "gias:900101", Name: "Alder Primary"}),
		ContactRow(&directoryv1.Contact{Id: "c2", Organisation: "gias:900101", Role: "head"}),
		ContactRow(&directoryv1.Contact{Id: "c1", Organisation: "gias:900101", Role: "dsl"}),
		RestrictionRow(&directoryv1.Restriction{Id: "r2", Child: "k1"}), RestrictionRow(&directoryv1.Restriction{Id: "r1", Child: "k1"}),
		AgencyRow(&directoryv1.Agency{Id: "northreach"}), AgencyRow(&directoryv1.Agency{Id: "ashmere"}),
		PolicyRow(&directoryv1.PolicyDocument{Digest: "old"}), PolicyRow(&directoryv1.PolicyDocument{Digest: "new", InForce: true}),
		ChildRow(&directoryv1.Child{Id: "k1"}),
	)
	authority, _ := s.Authority("E09000901")
	byLA, _ := s.Police("E09000901")
	byForce, _ := s.Police("E23000901")
	pol, _ := s.Policy()
	got := map[string]any{
		"generation": s.Generation(),
		"authority":  authority.GetId(), "police of the authority": byLA.GetId(), "police of its own area": byForce.GetId(),
		"organisation's name": s.Name("ashmere-council"), "setting's name": s.Name("gias:900101"),
		"id for a name": s.Name("ashmere-aid"), "id of nobody": s.Name("nobody"),
		"contacts":     ids(s.Contacts("gias:900101"), (*directoryv1.Contact).GetId),
		"restrictions": ids(s.Restrictions("k1"), (*directoryv1.Restriction).GetId),
		"agencies":     ids(s.Agencies(), (*directoryv1.Agency).GetId),
		"policy":       pol.GetDigest(),
	}
	want := map[string]any{
		"generation": uint64(7),
		"authority":  "ashmere-council", "police of the authority": "northreach-police", "police of its own area": "northreach-police",
		"organisation's name": "Ashmere Council", "setting's name": "Alder Primary", "id for a name": "ashmere-aid", "id of nobody": "nobody",
		"contacts": []string{"c1", "c2"}, "restrictions": []string{"r1", "r2"}, "agencies": []string{"ashmere", "northreach"},
		"policy": "new",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if _, ok := s.Authority("E09000999"); ok {
		t.Error("an area that nobody knows has an authority")
	}
}

func TestEveryRowOfASnapshotComesBackByKindAndID(t *testing.T) {
	rows := []*directoryv1.Row{
		AreaRow(&directoryv1.Area{Gss: "E09000901"}), OrganisationRow(&directoryv1.Organisation{Id: "o"}),
		SettingRow(&directoryv1.Setting{Id: "gias:1"}), ContactRow(&directoryv1.Contact{Id: "c"}),
		CalendarRow(&directoryv1.Calendar{Id: "gias:1"}), BankHolidaysRow(&directoryv1.BankHolidays{Division: Scotland}),
		ChildRow(&directoryv1.Child{Id: "k"}), RestrictionRow(&directoryv1.Restriction{Id: "r"}),
		AgencyRow(&directoryv1.Agency{Id: "a"}), PolicyRow(&directoryv1.PolicyDocument{Digest: "p"}),
		NetworkRow(&directoryv1.NetworkMember{Id: "n/1"}), PostcodeRow(&directoryv1.PostcodeDistrict{District: "ZZ1"}),
		RotaRow(&directoryv1.Rota{Id: "o/duty", Organisation: "o", Role: "duty"}),
		SubscriptionRow(&directoryv1.Subscription{Id: "s"}),
	}
	s := build(t, rows...)
	var kinds []string
	for _, row := range rows {
		kind, id := KeyOf(row)
		kinds = append(kinds, kind)
		if got, ok := s.Row(kind, id); !ok || got.String() != row.String() {
			t.Errorf("Row(%s, %s) = %v, %v", kind, id, got, ok)
		}
		if got := s.Rows(kind); len(got) != 1 || got[0].String() != row.String() {
			t.Errorf("Rows(%s) = %v", kind, got)
		}
		if _, ok := s.Row(kind, "other"); ok {
			t.Errorf("there is a %s that was never put in", kind)
		}
	}
	if diff := cmp.Diff(Kinds(), kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestBuildRefusesRowsThatCannotStandTogether(t *testing.T) {
	for _, tc := range []struct {
		name string
		rows []*directoryv1.Row
	}{
		{"a row without anything", []*directoryv1.Row{{}}},
		{"a row without an id", []*directoryv1.Row{SettingRow(&directoryv1.Setting{})}},
		{"two rows of one key", []*directoryv1.Row{ChildRow(&directoryv1.Child{Id: "k"}), ChildRow(&directoryv1.Child{Id: "k"})}},
		{"two policies in force", []*directoryv1.Row{
			PolicyRow(&directoryv1.PolicyDocument{Digest: "a", InForce: true}), PolicyRow(&directoryv1.PolicyDocument{Digest: "b", InForce: true}),
		}},
		{"a term that ends before it begins", []*directoryv1.Row{
			CalendarRow(&directoryv1.Calendar{Id: "gias:1", Terms: []*directoryv1.Term{{Opens: "2026-09-02", Closes: "2026-09-01"}}}),
		}},
		{"a rota under another's id", []*directoryv1.Row{RotaRow(&directoryv1.Rota{Id: "o/duty", Organisation: "o", Role: "desk"})}},
		{"a shift that ends before it begins", []*directoryv1.Row{RotaRow(&directoryv1.Rota{Id: "o/duty", Organisation: "o", Role: "duty",
			Shifts: []*directoryv1.Shift{{Contact: "c", From: "2026-06-18T20:00:00+01:00", Until: "2026-06-18T08:00:00+01:00"}}})}},
		{"a swap at no time", []*directoryv1.Row{RotaRow(&directoryv1.Rota{Id: "o/duty", Organisation: "o", Role: "duty",
			Swaps: []*directoryv1.Swap{{Contact: "c", From: "tonight", Until: "2026-06-18T08:00:00+01:00"}}})}},
		{"an INSET day that is no date", []*directoryv1.Row{CalendarRow(&directoryv1.Calendar{Id: "gias:1", InsetDays: []string{"1 September"}})}},
		{"a cut-off that is no time", []*directoryv1.Row{CalendarRow(&directoryv1.Calendar{Id: "gias:1", CutOff: "half past eight"})}},
		{"a bank holiday that is no date", []*directoryv1.Row{BankHolidaysRow(&directoryv1.BankHolidays{Division: Scotland, Dates: []string{"x"}})}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Build(1, tc.rows); err == nil || notice.KindOf(err) != notice.Invalid {
				t.Errorf("error %v, want one of kind invalid", err)
			}
		})
	}
}

func TestSuccessionFollowsChainsToOpenSettings(t *testing.T) {
	setting := func(id, status string, successors ...string) *directoryv1.Row {
		s := &directoryv1.Setting{Id: id, Status: status}
		for _, next := range successors {
			s.Successors = append(s.Successors, &directoryv1.Link{Setting: next})
		}
		return SettingRow(s)
	}
	dated := SettingRow(&directoryv1.Setting{Id: "dated", Status: "closed", ClosedOn: "2026-09-01", Successors: []*directoryv1.Link{{Setting: "open", On: "2026-09-01"}}})
	proposed := SettingRow(&directoryv1.Setting{Id: "proposed", Status: "proposed", OpenedOn: "2026-09-01"})
	s := build(t, dated, proposed, setting("open", "open"), setting("other", "open"), setting("closing", "closing", "open"),
		setting("one", "closed", "open"), setting("chain", "closed", "one"), setting("two", "closed", "open", "other"),
		setting("none", "closed"), setting("diamond", "closed", "one", "chain"), setting("forked", "closed", "one", "none"),
		setting("a", "closed", "b"), setting("b", "closed", "a"), setting("self", "closed", "self"), setting("lost", "closed", "nowhere"),
		setting("toproposed", "closed", "proposed"))
	for _, tc := range []struct {
		name string
		id   notice.OrgID
		on   string
		want Succession
	}{
		{"an open setting is its own answer", "open", "2026-10-01", Succession{SettingOpen, []notice.OrgID{"open"}}},
		{"so is one that is to close", "closing", "2026-10-01", Succession{SettingOpen, []notice.OrgID{"closing"}}},
		{"a closed one with a successor", "one", "2026-10-01", Succession{SuccessorOne, []notice.OrgID{"open"}}},
		{"a chain is followed", "chain", "2026-10-01", Succession{SuccessorOne, []notice.OrgID{"open"}}},
		{"two ways to one setting are one successor", "diamond", "2026-10-01", Succession{SuccessorOne, []notice.OrgID{"open"}}},
		{"a way that ends shut does not count", "forked", "2026-10-01", Succession{SuccessorOne, []notice.OrgID{"open"}}},
		{"two successors are for a person", "two", "2026-10-01", Succession{SuccessorSeveral, []notice.OrgID{"open", "other"}}},
		{"no successor", "none", "2026-10-01", Succession{Kind: SuccessorNone}},
		{"a cycle ends", "a", "2026-10-01", Succession{Kind: SuccessorNone}},
		{"a link to itself ends", "self", "2026-10-01", Succession{Kind: SuccessorNone}},
		{"a link to nowhere is no successor", "lost", "2026-10-01", Succession{Kind: SuccessorNone}},
		{"a setting nobody knows", "nowhere", "2026-10-01", Succession{Kind: SettingUnknown}},
		{"before its closing date it is open", "dated", "2026-08-31", Succession{SettingOpen, []notice.OrgID{"dated"}}},
		{"from then on it is closed", "dated", "2026-09-01", Succession{SuccessorOne, []notice.OrgID{"open"}}},
		{"a proposed successor is not open yet", "toproposed", "2026-08-31", Succession{Kind: SuccessorNone}},
		{"until its opening date", "toproposed", "2026-09-01", Succession{SuccessorOne, []notice.OrgID{"proposed"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, s.Succession(tc.id, date(t, tc.on))); diff != "" {
				t.Errorf("succession (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnrolmentsAreThoseOfTheDay(t *testing.T) {
	for _, tc := range []struct {
		name string
		rows []*directoryv1.Enrolment
		want []string
	}{
		{"all of them, one for each setting", []*directoryv1.Enrolment{
			{Setting: "gias:2", Source: "a"}, {Setting: "gias:1", Source: "a"}, {Kind: "home_educated", Area: "E09000901", Source: "a"},
		}, []string{"/E09000901/a", "gias:1//a", "gias:2//a"}},
		{"not those to come or gone by", []*directoryv1.Enrolment{
			{Setting: "gias:1", Until: "2026-09-08"}, {Setting: "gias:2", From: "2026-09-10"}, {Setting: "gias:3", From: "2026-09-09", Until: "2026-09-09"},
		}, []string{"gias:3//"}},
		{"of two sources the newest is believed", []*directoryv1.Enrolment{
			{Setting: "gias:1", Source: "old", AsOf: "2026-01-01"}, {Setting: "gias:1", Source: "new", AsOf: "2026-09-01"},
		}, []string{"gias:1//new"}},
		{"also when it says that the child left", []*directoryv1.Enrolment{
			{Setting: "gias:1", Source: "old", AsOf: "2026-01-01"}, {Setting: "gias:1", Source: "new", AsOf: "2026-09-01", Until: "2026-08-31"},
		}, nil},
		{"about another setting they do not disagree", []*directoryv1.Enrolment{
			{Setting: "gias:1", Source: "old", AsOf: "2026-01-01"}, {Setting: "gias:2", Source: "new", AsOf: "2026-09-01"},
		}, []string{"gias:1//old", "gias:2//new"}},
		{"a child that left and came back is there", []*directoryv1.Enrolment{
			{Setting: "gias:1", Source: "a", AsOf: "2026-09-08", Until: "2026-03-01"}, {Setting: "gias:1", Source: "a", AsOf: "2026-09-01", From: "2026-09-01"},
		}, []string{"gias:1//a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := build(t, ChildRow(&directoryv1.Child{Id: "k", Enrolments: tc.rows}))
			var got []string
			for _, e := range s.Enrolments("k", date(t, "2026-09-09")) {
				got = append(got, fmt.Sprintf("%s/%s/%s", e.GetSetting(), e.GetArea(), e.GetSource()))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("enrolments (-want +got):\n%s", diff)
			}
		})
	}
	if got := build(t).Enrolments("k", date(t, "2026-09-09")); got != nil {
		t.Errorf("a child that nobody knows has enrolments: %v", got)
	}
}

func ids[V any](values []V, id func(V) string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, v := range values {
			if !yield(id(v)) {
				return
			}
		}
	})
}

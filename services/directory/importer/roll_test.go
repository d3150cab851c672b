package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	rollHeader = "pupil_id,upn,nhs_number,given,family,date_of_birth,setting,as_of\n"
	upn1       = "U901200020001"
	upn2       = "H901200020002"
	upnTemp    = "T90120002001A"
)

// rolls imports files by source, in turn, over the settings of the samples.
type rolls struct {
	t *testing.T
	s *directory.Snapshot
}

func newRolls(t *testing.T) *rolls { return &rolls{t, filled(t, PupilRoll)} }

func (r *rolls) read(source, rows string) *Result {
	r.t.Helper()
	req := request(PupilRoll)
	req.Source = source
	res := plan(r.t, req, rollHeader+rows, r.s)
	r.s = apply(r.t, r.s, res)
	if again := plan(r.t, req, rollHeader+rows, r.s); len(again.Puts)+len(again.Deletes) > 0 {
		r.t.Errorf("the same roll a second time changes %v", again.Changes)
	}
	return res
}

func (r *rolls) restrict(child string) {
	r.s = apply(r.t, r.s, &Result{Puts: []*directoryv1.Row{directory.RestrictionRow(&directoryv1.Restriction{Id: "R-" + child, Child: child, Kind: "protected_location"})}})
}

// children are the names of all children with where they are, by id order made stable through the names.
func (r *rolls) children() map[string]string {
	out := make(map[string]string)
	for _, row := range r.s.Rows(directory.KindChild) {
		c := row.GetChild()
		var at []string
		for _, e := range c.GetEnrolments() {
			at = append(at, e.GetSource()+" "+e.GetSetting())
		}
		key := c.GetGiven() + " " + c.GetFamily()
		if _, twice := out[key]; twice {
			key += " (2)"
		}
		out[key] = strings.Join(at, ", ")
	}
	return out
}

func (r *rolls) only() *directoryv1.Child {
	r.t.Helper()
	rows := r.s.Rows(directory.KindChild)
	if len(rows) != 1 {
		r.t.Fatalf("%d children, want 1", len(rows))
	}
	return rows[0].GetChild()
}

func TestOneChildOnTwoRollsIsOneWhereBothAgree(t *testing.T) {
	const first = "A1," + upn1 + ",,Ada,Fen,2015-05-01,900101,2026-09-01\n"
	for _, tc := range []struct {
		name, second string
		want         map[string]string
	}{
		{"the same UPN, family name and date of birth", "K1," + upn1 + ",,Ada,Fen,2015-05-01,900201,2026-09-01\n",
			map[string]string{"Ada Fen": "ashmere-roll gias:900101, kestrel-roll gias:900201"}},
		{"the names are those of the later date", "K1," + upn1 + ",,Adaline,Fen,2015-05-01,900201,2026-09-02\n",
			map[string]string{"Adaline Fen": "ashmere-roll gias:900101, kestrel-roll gias:900201"}},
		{"not of the earlier", "K1," + upn1 + ",,Adaline,Fen,2015-05-01,900201,2026-08-31\n",
			map[string]string{"Ada Fen": "ashmere-roll gias:900101, kestrel-roll gias:900201"}},
		{"another family name", "K1," + upn1 + ",,Ada,Marsh,2015-05-01,900201,2026-09-01\n",
			map[string]string{"Ada Fen": "ashmere-roll gias:900101", "Ada Marsh": "kestrel-roll gias:900201"}},
		{"another date of birth", "K1," + upn1 + ",,Ada,Fen,2015-05-02,900201,2026-09-01\n",
			map[string]string{"Ada Fen": "ashmere-roll gias:900101", "Ada Fen (2)": "kestrel-roll gias:900201"}},
		{"no UPN", "K1,,,Ada,Fen,2015-05-01,900201,2026-09-01\n",
			map[string]string{"Ada Fen": "ashmere-roll gias:900101", "Ada Fen (2)": "kestrel-roll gias:900201"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRolls(t)
			r.read("ashmere-roll", first)
			r.read("kestrel-roll", tc.second)
			if diff := cmp.Diff(tc.want, r.children()); diff != "" {
				t.Errorf("children (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a temporary UPN joins nobody", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", strings.Replace(first, upn1, upnTemp, 1))
		r.read("kestrel-roll", "K1,"+upnTemp+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		if len(r.children()) != 2 {
			t.Errorf("children are %v, want two", r.children())
		}
	})
	t.Run("two NHS numbers stay apart, and then a person is asked", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", strings.Replace(first, ",,Ada", ",9990000018,Ada", 1))
		r.read("kestrel-roll", "K1,"+upn1+",9434765919,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		got := r.s.Match(directory.Query{Family: "Fen", DateOfBirth: "2015-05-01", Identifiers: []directory.Identifier{{Scheme: "upn", Value: upn1}}})
		if got.Kind != ledgerv1.Match_MATCH_CONTRADICTED || len(got.Candidates) != 2 {
			t.Errorf("found %+v", got)
		}
	})
	t.Run("a child leaves one roll and stays on the other", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", first)
		id := r.only().GetId()
		r.read("kestrel-roll", "K1,"+upn1+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		res := r.read("ashmere-roll", "A2,,,Bo,Reed,2015-05-01,900101,2026-09-14\n")
		if res.Removed != 1 || len(res.Deletes) != 0 {
			t.Errorf("removed %d, deleted %v", res.Removed, res.Deletes)
		}
		if diff := cmp.Diff(map[string]string{"Ada Fen": "kestrel-roll gias:900201", "Bo Reed": "ashmere-roll gias:900101"}, r.children()); diff != "" {
			t.Errorf("children (-want +got):\n%s", diff)
		}
		if _, ok := r.s.Child(notice.ChildID(id)); !ok {
			t.Error("the child has lost its id")
		}
	})
	t.Run("a UPN that comes later joins two records into one", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", strings.Replace(first, upn1, "", 1))
		r.read("kestrel-roll", "K1,"+upn1+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		res := r.read("ashmere-roll", first)
		if diff := cmp.Diff(map[string]string{"Ada Fen": "ashmere-roll gias:900101, kestrel-roll gias:900201"}, r.children()); diff != "" || res.Removed != 0 {
			t.Errorf("removed %d, children (-want +got):\n%s", res.Removed, diff)
		}
		r.read("kestrel-roll", "K1,"+upn1+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		r.only()
	})
}

func TestARestrictedChildIsNeverLost(t *testing.T) {
	const ada = "A1," + upn1 + ",,Ada,Fen,2015-05-01,900101,2026-09-01\n"
	const other = "A2,,,Bo,Reed,2015-05-01,900101,2026-09-01\n"
	t.Run("a child that leaves every roll is still known", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", ada+other)
		id := r.s.Match(directory.Query{Given: "Ada", Family: "Fen", DateOfBirth: "2015-05-01"}).Child
		r.restrict(string(id))
		r.read("ashmere-roll", other)
		if diff := cmp.Diff(map[string]string{"Ada Fen": "", "Bo Reed": "ashmere-roll gias:900101"}, r.children()); diff != "" {
			t.Errorf("children (-want +got):\n%s", diff)
		}
		for _, returned := range []string{ada, strings.Replace(ada, "A1,", "A9,", 1), strings.Replace(ada, "A1,"+upn1, "A8,", 1)} {
			r.read("ashmere-roll", returned+other)
			if got := r.s.Match(directory.Query{Given: "Ada", Family: "Fen", DateOfBirth: "2015-05-01"}); got.Child != id {
				t.Errorf("back on the roll the child is %+v, want the protected one", got)
			}
		}
	})
	t.Run("of two records the restricted one lives on", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", strings.Replace(ada, upn1, "", 1))
		r.read("kestrel-roll", "K1,"+upn1+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		var theirs string
		for _, row := range r.s.Rows(directory.KindChild) {
			if row.GetChild().GetEnrolments()[0].GetSource() == "kestrel-roll" {
				theirs = row.GetChild().GetId()
			}
		}
		r.restrict(theirs)
		r.read("ashmere-roll", ada)
		if got := r.only().GetId(); got != theirs {
			t.Error("the restricted record is gone")
		}
	})
	t.Run("two restricted records are for a person", func(t *testing.T) {
		r := newRolls(t)
		r.read("ashmere-roll", strings.Replace(ada, upn1, "", 1))
		r.read("kestrel-roll", "K1,"+upn1+",,Ada,Fen,2015-05-01,900201,2026-09-01\n")
		for _, row := range r.s.Rows(directory.KindChild) {
			r.restrict(row.GetChild().GetId())
		}
		res := r.read("ashmere-roll", ada)
		if diff := cmp.Diff([]string{"2 upn: is that of a child on another roll, and what is known of both cannot be joined"}, faults(res)); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
		if n := len(r.s.Rows(directory.KindChild)); n != 2 {
			t.Errorf("%d children, want 2", n)
		}
	})
}

func TestAPupilIDIsNotUsedAgain(t *testing.T) {
	r := newRolls(t)
	r.read("ashmere-roll", "A1,"+upn1+",,Ada,Fen,2015-05-01,900101,2026-09-01\n")
	res := r.read("ashmere-roll", "A1,"+upn2+",,Bo,Reed,2014-01-01,900101,2026-09-14\n")
	if diff := cmp.Diff([]string{"2 pupil_id: stood for a child of another name and date of birth"}, faults(res)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if got := r.only().GetGiven(); got != "Ada" {
		t.Errorf("the child is now %s", got)
	}
	r.read("ashmere-roll", "A1,"+upn1+",,Ada,Fen-Holt,2015-05-01,900101,2026-09-14\n")
	if got := r.only().GetFamily(); got != "Fen-Holt" {
		t.Errorf("a child that changed its name is %s", got)
	}
}

func TestARollThatMovesTooManyIsStopped(t *testing.T) {
	r := newRolls(t)
	var before, after strings.Builder
	for i := range 20 {
		row := "A" + string(rune('a'+i)) + ",,,Ada,Fen" + string(rune('a'+i)) + ",2015-05-01,900101,2026-09-01\n"
		before.WriteString(row)
		if i < 6 {
			row = strings.Replace(row, "900101", "900102", 1)
		}
		after.WriteString(row)
	}
	r.read("ashmere-roll", before.String())
	_, err := Plan(request(PupilRoll), strings.NewReader(rollHeader+after.String()), r.s, nil)
	if notice.KindOf(err) != notice.Precondition || !strings.Contains(err.Error(), "move 6 of 20 rows") {
		t.Errorf("error %v, want one of kind precondition that says how many move", err)
	}
}

func TestNothingPersonalIsInAResultsWords(t *testing.T) {
	s := filled(t, PupilRoll)
	res := plan(t, request(PupilRoll), strings.Replace(sample(t, PupilRoll), "2015-05-01", "2031-05-01", 1), s)
	var words strings.Builder
	for _, f := range res.Faults {
		words.WriteString(f.GetColumn() + f.GetMessage())
	}
	words.WriteString(strings.Join(res.Changes, "\n"))
	for _, personal := range []string{"Idris", "Holt", "2013-02-03", "2031-05-01", "A-1002", "ZZ1", upn2} {
		if strings.Contains(words.String(), personal) {
			t.Errorf("%q stands in the result's words", personal)
		}
	}
}

package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// today is a Monday in term.
func today() time.Time { return time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC) }

func sourceOf(format string) string {
	switch format {
	case PupilRoll:
		return "ashmere-roll"
	case Contacts:
		return "ashmere-contacts"
	case Network:
		return "ashmere-network"
	case ODS:
		return "epraccur"
	default:
		return ""
	}
}

func request(format string) Request {
	return Request{Format: format, Name: format + ".file", Source: sourceOf(format), Now: today(), Key: notice.Key{1}}
}

func sample(t testing.TB, format string) string {
	t.Helper()
	name := format + ".csv"
	if format == BankHolidays {
		name = format + ".json"
	}
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plan(t testing.TB, req Request, file string, current *directory.Snapshot) *Result {
	t.Helper()
	res, err := Plan(req, strings.NewReader(file), current, nil)
	if err != nil {
		t.Fatalf("%s: %v", req.Format, err)
	}
	return res
}

func snapshot(t testing.TB, rows ...*directoryv1.Row) *directory.Snapshot {
	t.Helper()
	s, err := directory.Build(1, rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// apply is the directory after a plan.
func apply(t testing.TB, current *directory.Snapshot, res *Result) *directory.Snapshot {
	t.Helper()
	rows := make(map[RowKey]*directoryv1.Row)
	for _, kind := range directory.Kinds() {
		for _, row := range current.Rows(kind) {
			k, id := directory.KeyOf(row)
			rows[RowKey{k, id}] = row
		}
	}
	for _, row := range res.Puts {
		kind, id := directory.KeyOf(row)
		rows[RowKey{kind, id}] = row
	}
	for _, key := range res.Deletes {
		delete(rows, key)
	}
	var all []*directoryv1.Row
	for _, key := range sortedRowKeys(rows) {
		all = append(all, rows[key])
	}
	return snapshot(t, all...)
}

// filled is a directory with every sample imported, up to and without a format; all of them where it is empty.
func filled(t testing.TB, until string) *directory.Snapshot {
	t.Helper()
	s := snapshot(t)
	for _, format := range Formats() {
		if format == until {
			break
		}
		s = apply(t, s, plan(t, request(format), sample(t, format), s))
	}
	return s
}

// faults are a result's faults as `line column: first words`.
func faults(res *Result) []string {
	var out []string
	for _, f := range res.Faults {
		words, _, _ := strings.Cut(f.GetMessage(), ":")
		out = append(out, fmt.Sprintf("%d %s: %s", f.GetLine(), f.GetColumn(), words))
	}
	return out
}

func counts(r *Result) string {
	return fmt.Sprintf("read %d, added %d, changed %d, removed %d, unchanged %d, readdressed %d", r.Read, r.Added, r.Changed, r.Removed, r.Unchanged, r.Readdressed)
}

func TestEverySampleImportsOnceAndTheSecondTimeChangesNothing(t *testing.T) {
	want := map[string][2]string{
		Areas:         {"read 4, added 4, changed 0, removed 0, unchanged 0, readdressed 0", "read 4, added 0, changed 0, removed 0, unchanged 4, readdressed 0"},
		Organisations: {"read 5, added 5, changed 0, removed 0, unchanged 0, readdressed 0", "read 5, added 0, changed 0, removed 0, unchanged 5, readdressed 0"},
		GIAS:          {"read 9, added 9, changed 0, removed 0, unchanged 0, readdressed 0", "read 9, added 0, changed 0, removed 0, unchanged 9, readdressed 0"},
		GIASLinks:     {"read 5, added 0, changed 1, removed 0, unchanged 2, readdressed 0", "read 5, added 0, changed 0, removed 0, unchanged 3, readdressed 0"},
		BankHolidays:  {"read 6, added 3, changed 0, removed 0, unchanged 0, readdressed 0", "read 6, added 0, changed 0, removed 0, unchanged 3, readdressed 0"},
		TermDates:     {"read 6, added 2, changed 0, removed 0, unchanged 0, readdressed 0", "read 6, added 0, changed 0, removed 0, unchanged 2, readdressed 0"},
		PupilRoll:     {"read 5, added 4, changed 0, removed 0, unchanged 0, readdressed 0", "read 5, added 0, changed 0, removed 0, unchanged 4, readdressed 0"},
		Contacts:      {"read 4, added 4, changed 0, removed 0, unchanged 0, readdressed 0", "read 4, added 0, changed 0, removed 0, unchanged 4, readdressed 0"},
		ONSPD:         {"read 7, added 3, changed 0, removed 0, unchanged 0, readdressed 0", "read 7, added 0, changed 0, removed 0, unchanged 3, readdressed 0"},
		Ofsted:        {"read 8, added 4, changed 1, removed 0, unchanged 0, readdressed 0", "read 8, added 0, changed 0, removed 0, unchanged 5, readdressed 0"},
		ODS:           {"read 5, added 3, changed 0, removed 0, unchanged 0, readdressed 0", "read 5, added 0, changed 0, removed 0, unchanged 3, readdressed 0"},
		Network:       {"read 4, added 4, changed 0, removed 0, unchanged 0, readdressed 0", "read 4, added 0, changed 0, removed 0, unchanged 4, readdressed 0"},
		Rota:          {"read 4, added 2, changed 0, removed 0, unchanged 0, readdressed 0", "read 4, added 0, changed 0, removed 0, unchanged 2, readdressed 0"},
		Restrictions:  {"read 2, added 2, changed 0, removed 0, unchanged 0, readdressed 0", "read 2, added 0, changed 0, removed 0, unchanged 2, readdressed 0"},
		Subscriptions: {"read 2, added 2, changed 0, removed 0, unchanged 0, readdressed 0", "read 2, added 0, changed 0, removed 0, unchanged 2, readdressed 0"},
	}
	s := snapshot(t)
	got := make(map[string][2]string)
	for _, format := range Formats() {
		first := plan(t, request(format), sample(t, format), s)
		s = apply(t, s, first)
		second := plan(t, request(format), sample(t, format), s)
		got[format] = [2]string{counts(first), counts(second)}
		second.Changes = slices.DeleteFunc(second.Changes, func(line string) bool { return strings.HasPrefix(line, "passed over") })
		if len(first.Faults)+len(second.Faults)+len(second.Puts)+len(second.Deletes)+len(second.Changes) > 0 {
			t.Errorf("%s: faults %v, then changes %v", format, faults(first), second.Changes)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	for _, format := range Formats() { // GIAS a second time keeps the links, the roll keeps what is restricted
		if res := plan(t, request(format), sample(t, format), s); len(res.Puts)+len(res.Deletes) > 0 {
			t.Errorf("%s after everything: %v", format, res.Changes)
		}
	}
}

func TestProgressEndsWithEveryRow(t *testing.T) {
	s := filled(t, Contacts)
	var reports []int64
	if _, err := Plan(request(PupilRoll), strings.NewReader(sample(t, PupilRoll)), s, func(n int64) { reports = append(reports, n) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{5}, reports); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func TestAFileThatCannotBeTrustedIsRefusedWhole(t *testing.T) {
	s := filled(t, "")
	roll := sample(t, PupilRoll)
	header, _, _ := strings.Cut(roll, "\n")
	manyBad := header + "\n"
	for i := range 100 {
		dob := "2015-05-01"
		if i%15 == 0 {
			dob = "1 May 2015"
		}
		manyBad += fmt.Sprintf("B-%d,,,Ada,Fen,,%s,,,900101,,,,,,2026-09-14\n", i, dob)
	}
	for _, tc := range []struct{ name, format, file, want string }{
		{"no rows", PupilRoll, header + "\n", "has column names and no rows"},
		{"nothing at all", PupilRoll, "", "no line of column names"},
		{"a column missing", PupilRoll, strings.Replace(roll, "date_of_birth", "dob", 1), "columns missing from the first line: date_of_birth"},
		{"a column twice", PupilRoll, strings.Replace(roll, "known_as", "family", 1), "columns there twice: family"},
		{"a column that is unknown", PupilRoll, strings.Replace(roll, "pattern", "patern", 1), "does not have, by position: 15"},
		{"semicolons", PupilRoll, strings.ReplaceAll(roll, ",", ";"), "not separated by commas"},
		{"a last row that breaks off", PupilRoll, roll[:len(roll)-60], "breaks off"},
		{"a quote that is never closed", PupilRoll, strings.Replace(roll, "Idris", `"Idris`, 1), "line 3 is never closed"},
		{"a quote left open in the last field", Contacts, strings.TrimSuffix(sample(t, Contacts), ",,,,,,\n") + `,"`, "never closed"},
		{"columns shifted by one", PupilRoll, header + "\n" + strings.ReplaceAll("X,A-1,,,Ada,Fen,,2015-05-01,,,900101,,,,,\n", "X", "1") +
			"2,A-2,,,Bo,Fen,,2015-05-01,,,900101,,,,,\n", "columns may be shifted"},
		{"one column bad in more than a twentieth", PupilRoll, manyBad, "date_of_birth is wrong in 7 of 100 rows, first in line 2"},
		{"JSON cut short", BankHolidays, sample(t, BankHolidays)[:200], "bank-holidays.json from GOV.UK again"},
		{"JSON without a division", BankHolidays, `{"england-and-wales":{"division":"england-and-wales","events":[{"date":"2026-01-01"}]}}`, "scotland is missing"},
		{"JSON with a bad date", BankHolidays, strings.Replace(sample(t, BankHolidays), "2026-01-01", "1 January", 1), "england-and-wales.events[2].date"},
		{"JSON of another shape", BankHolidays, `[]`, "not an object"},
		{"a format that does not exist", "cqc", "", "no such format"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, err := Plan(request(tc.format), strings.NewReader(tc.file), s, nil)
			if err == nil || notice.KindOf(err) != notice.Invalid || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("result %+v, error %v, want one of kind invalid with %q", res, err, tc.want)
			}
			for _, personal := range []string{"Zo", "Idris", "Fen-Marsh", "2015-05-01", "A-1001"} {
				if strings.Contains(err.Error(), personal) {
					t.Errorf("the error repeats a value: %v", err)
				}
			}
		})
	}
	t.Run("a roll without a source", func(t *testing.T) {
		req := request(PupilRoll)
		req.Source = ""
		if _, err := Plan(req, strings.NewReader(roll), s, nil); notice.KindOf(err) != notice.Invalid {
			t.Errorf("error %v, want one of kind invalid", err)
		}
	})
	t.Run("a file that cannot be read to its end", func(t *testing.T) {
		if _, err := Plan(request(PupilRoll), broken{}, s, nil); !errors.Is(err, errBroken) {
			t.Errorf("error %v, want the reader's", err)
		}
	})
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestABadRowIsNamedAndTheGoodOnesAreTaken(t *testing.T) {
	for _, tc := range []struct {
		name, format, old, new string // one replacement in the sample
		want                   []string
		added                  int64
	}{
		{"roll: a UPN", PupilRoll, ",UN1,", ",R305200024002,", []string{"5 upn: the UPN's check letter does not fit"}, 3},
		{"roll: an NHS number", PupilRoll, "999 000 0018", "999 123 4560", []string{"2 nhs_number: the NHS number's check digit does not fit"}, 3},
		{"roll: a name with a digit", PupilRoll, "Fen-Marsh", "Fen 2", []string{"2 family: is not a name"}, 3},
		{"roll: a garbled name", PupilRoll, "Zoë", "ZoÃ«", []string{"2 given: letters are garbled"}, 3},
		{"roll: a date of birth in the future", PupilRoll, "2015-05-01", "2026-09-15", []string{"2 date_of_birth: lies in the future"}, 3},
		{"roll: a date of birth of a grown-up", PupilRoll, "2015-05-01", "1985-05-01", []string{"2 date_of_birth: is more than 26 years ago"}, 3},
		{"roll: a setting nobody knows", PupilRoll, ",900101,", ",900999,", []string{"2 setting: is not a setting of the directory"}, 3},
		{"roll: a pattern", PupilRoll, "AA---", "AA--", []string{"5 pattern: is not five of F, A, P and -, for Monday to Friday"}, 3},
		{"roll: home without an authority", PupilRoll, "HOME,E09000901", "HOME,", []string{"6 authority: is empty"}, 3},
		{"roll: an as-of date in the future", PupilRoll, "AA---,2026-09-14", "AA---,2027-09-14", []string{"5 as_of: lies in the future"}, 3},
		{"roll: rows of one pupil that differ", PupilRoll, "2013-02-03", "2013-02-04",
			[]string{"3 : is left out because line 4 of the same pupil is bad", "4 date_of_birth: differs from line 3 of the same pupil"}, 3},
		{"roll: one bad row leaves out the pupil's other", PupilRoll, "900105,,attending", "900999,,attending",
			[]string{"3 : is left out because line 4 of the same pupil is bad", "4 setting: is not a setting of the directory"}, 3},
		{"roll: two pupils with one NHS number", PupilRoll, ",UN1,,", ",UN1,9990000018,",
			[]string{"2 nhs_number: is the same as in line 5, of another pupil", "5 nhs_number: is the same as in line 2, of another pupil"}, 2},
		{"roll: the same place twice", PupilRoll, "900105,,attending", "900102,,attending",
			[]string{"3 : is left out because line 4 of the same pupil is bad", "4 setting: the pupil has another row of the same place at the same time"}, 3},
		{"roll: a row with a column too many", PupilRoll, "Rowan,Pike", "Rowan,Pike,x", []string{"6 : the row has 17 columns, the first line 16"}, 3},
		{"roll: a stray quote", PupilRoll, "Rowan", `Ro"wan`, []string{"6 : has a double quote within a value"}, 3},
		{"contacts: an address", Contacts, "m.okoro@alder.example", "m.okoro", []string{"2 address: is not an email address"}, 3},
		{"contacts: an office mailbox that is not marked", Contacts, "m.okoro@alder.example", "office@alder.example", []string{"2 shared: the address looks like a mailbox that several read"}, 3},
		{"contacts: a shared mailbox without a code address", Contacts, "yes,b.lindqvist@alder.example", "yes,", []string{"3 code_address: is empty"}, 3},
		{"contacts: hours", Contacts, "Mon-Sun 17:00-09:00", "all night", []string{"4 hours: is not days and a span of time, such as Mon-Fri 08"}, 3},
		{"contacts: days", Contacts, "Mon-Sun", "Sun-Mon", []string{"4 hours: names no days"}, 3},
		{"contacts: an organisation nobody knows", Contacts, "ashmere-council", "ashmere-counsel", []string{"4 organisation: is not an organisation or setting of the directory"}, 3},
		{"contacts: a confirmation in the future", Contacts, ",2026-09-01,no", ",2027-09-01,no", []string{"2 verified_on: lies in the future"}, 3},
		{"contacts: one id twice", Contacts, "alder-office", "alder-dsl", []string{"3 : is about the same as line 2"}, 2},
		{"terms: an INSET day out of term", TermDates, "inset,2026-09-01", "inset,2026-08-31", []string{"4 from: the INSET day is in none of the terms"}, 1},
		{"terms: an overlap", TermDates, "2026-11-02", "2026-10-23", []string{"3 from: the term overlaps another of the same id"}, 1},
		{"terms: the wrong year", TermDates, "2026-12-18", "2027-12-18", []string{"3 until: is more than 140 days after from"}, 1},
		{"terms: back to front", TermDates, "2026-12-18", "2026-10-30", []string{"3 until: is before from"}, 1},
		{"terms: a day that ends before it begins", TermDates, "15:15", "08:15", []string{"6 day_ends: is not after day_begins", "6 cut_off: is not before day_ends"}, 1},
		{"terms: an authority nobody knows", TermDates, "900201,day", "E09000999,day", []string{"6 id: is not an area of the directory"}, 2},
		{"areas: a police area nobody knows", Areas, "E23000901,901", "E23000999,901", []string{"2 police_area: is not a police area of the file or the directory"}, 3},
		{"areas: one DfE code twice", Areas, ",902,", ",901,", []string{"3 la_code: is another authority's already"}, 3},
		{"organisations: a school", Organisations, "ofsted:EY900301", "900999", []string{"6 id: is a school's"}, 4},
		{"organisations: an area nobody knows", Organisations, "local_authority,E09000902", "local_authority,E09000999", []string{"3 area: is not an area of the directory"}, 4},
		{"gias: a status", GIAS, `"2","","","","","","","31/08/2025"`, `"9","","","","","","","31/08/2025"`, []string{"5 EstablishmentStatus (code): is not 1 (open), 2 (closed), 3 (open, proposed to close) or 4 (proposed to open)"}, 8},
		{"gias: an authority nobody knows", GIAS, `"902","Kestrel Vale","4002"`, `"999","Kestrel Vale","4002"`, []string{"9 LA (code): no area has this code and the row gives no GSS code"}, 8},
		{"gias: a date", GIAS, "31/08/2025", "31 August 2025", []string{"5 CloseDate: is not a date of the form DD-MM-YYYY or DD/MM/YYYY"}, 8},
		{"links: a successor nobody knows", GIASLinks, `"900104","900101"`, `"900104","900999"`, []string{"2 : the successor is not in the directory"}, 0},
		{"restrictions: a pupil nobody knows", Restrictions, "A-1002", "A-9999", []string{"2 pupil_id: no child has this id on that roll, so nobody would be protected"}, 1},
		{"restrictions: a contact nobody knows", Restrictions, "/alder-dsl", "/alder-dls", []string{"3 target: is not a contact of the directory"}, 1},
		{"subscriptions: a kind that does not exist", Subscriptions, ";enquiry.", ";enquiries.", []string{"2 kinds: names a kind of event that does not exist"}, 1},
		{"subscriptions: an area nobody knows", Subscriptions, "E09000902", "E09000999", []string{"3 area: is not an area of the directory"}, 1},
		{"subscriptions: no area", Subscriptions, "E09000902", "", []string{"3 area: is empty"}, 1},
		{"subscriptions: an organisation nobody knows", Subscriptions, "S-2,ashmere-school-nursing,ashmere-school-nursing", "S-2,ashmere-school-nursing,nobody", []string{"3 organisation: is not an organisation or setting of the directory"}, 1},
		{"subscriptions: no end", Subscriptions, "E09000902,children_act_2004_s10,Director of Children's Services,2026-09-01,2027-09-01", "E09000902,children_act_2004_s10,Director of Children's Services,2026-09-01,", []string{"3 until: is empty"}, 1},
		{"subscriptions: an end before the beginning", Subscriptions, "Services,2026-09-01,2027-09-01,2027-03-01\nS-2", "Services,2026-09-01,2026-08-01,2027-03-01\nS-2", []string{"2 until: is not after from", "2 review_on: is not while it lasts"}, 1},
		{"restrictions: no review", Restrictions, "refuge,2027-03-01", "refuge,", []string{"2 review_on: is empty"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := sample(t, tc.format)
			if !strings.Contains(file, tc.old) {
				t.Fatalf("the sample lacks %q", tc.old)
			}
			res := plan(t, request(tc.format), strings.Replace(file, tc.old, tc.new, 1), filled(t, tc.format))
			if diff := cmp.Diff(tc.want, faults(res)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if res.Added != tc.added {
				t.Errorf("added %d, want %d", res.Added, tc.added)
			}
		})
	}
}

func TestGIASIsReadInEitherEncoding(t *testing.T) {
	s := filled(t, GIAS)
	windows := plan(t, request(GIAS), sample(t, GIAS), s)
	text, err := decode(strings.NewReader(sample(t, GIAS)), true, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"UTF-8": text, "UTF-8 with a byte order mark": "\ufeff" + text} {
		if diff := cmp.Diff(windows.Puts, plan(t, request(GIAS), file, s).Puts, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-windows +got):\n%s", name, diff)
		}
	}
}

func TestGIASGivesSettings(t *testing.T) {
	columns, err := os.ReadFile(filepath.Join("testdata", "gias-columns.txt"))
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(sample(t, GIAS), "\r\n")
	if want := `"` + strings.Join(strings.Split(strings.TrimSpace(string(columns)), "\n"), `","`) + `"`; header != want {
		t.Errorf("the sample has not every column of the register, in its order")
	}
	s := filled(t, "")
	var got []string
	for _, row := range s.Rows(directory.KindSetting) {
		x := row.GetSetting()
		got = append(got, strings.Join([]string{x.GetId(), x.GetName(), x.GetKind(), x.GetStatus(), x.GetArea(), x.GetOpenedOn(), x.GetClosedOn(), x.GetEstablishment()}, "|"))
	}
	want := []string{
		"gias:900101|Alder Primary School|school|open|E09000901|||901/2001",
		"gias:900102|St Chloé’s Catholic High School|school|closing|E09000901|1990-09-01|2027-08-31|901/4001",
		"gias:900103|Fen Lane Nursery School|nursery|open|E09000901|||901/1001",
		"gias:900104|Old Mill, Infants and Juniors|school|closed|E09000901||2025-08-31|901/2002",
		"gias:900105|The Quay “Bridge” Centre|alternative_provision|open|E09000901|||901/1101",
		"gias:900106|Ashmere Sixth Form College|college|open|E09000901|1993-08-01||901/8001",
		"gias:900201|Kestrel Vale Academy|school|open|E09000902|2013-09-01||902/4001",
		"gias:900202|Kestrel Free School|school|proposed|E09000902|2027-09-01||902/4002",
		"gias:900203|Larkrise School|school|open|E09000902|||",
		"ofsted:2900303|Childminder 2900303|childminder|open|E09000901|||",
		"ofsted:900304|Fen Corner, Day Nursery|nursery|closed|E09000901|||", // suspended
		"ofsted:EY900301|Puddle Lane Pre-school|nursery|open|E09000901|||",
		"ofsted:EY900302|Childminder EY900302|childminder|open|E09000901|||",
		"ofsted:EY900306|Childminder EY900306|childminder|open|E09000902|||",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got := s.Succession("gias:900104", directory.DateOf(today())); got.Kind != directory.SuccessorOne || got.Settings[0] != "gias:900101" {
		t.Errorf("the closed school's succession is %+v", got)
	}
}

package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestABadRowOfARegisterIsNamedAndTheGoodOnesAreTaken(t *testing.T) {
	for _, tc := range []struct {
		name, format, old, new string
		want                   []string
		added                  int64
	}{
		{"ofsted: a number", Ofsted, ",EY900302,", ",EY-2,", []string{"5 Provider URN: is not an Ofsted number, such as EY101465 or 2500001"}, 3},
		{"ofsted: a type", Ofsted, "2900303,Childcare on domestic premises", "2900303,Forest school", []string{"6 Provider type: is not a type that this version knows"}, 3},
		{"ofsted: a status", Ofsted, "2900303,Childcare on domestic premises,Full day care,Active", "2900303,Childcare on domestic premises,Full day care,Actve",
			[]string{"6 Provider status: is not a status that this version knows, such as Active, Proposed, Suspended, Resigned or Cancelled"}, 3},
		{"ofsted: no status", Ofsted, "2900303,Childcare on domestic premises,Full day care,Active", "2900303,Childcare on domestic premises,Full day care,", []string{"6 Provider status: is empty"}, 3},
		{"ofsted: no name", Ofsted, ",Y,\"Fen Corner, Day Nursery\",", ",Y,,", []string{"7 Provider name: is empty"}, 3},
		{"ofsted: one number twice", Ofsted, ",EY900302,", ",EY900306,", []string{"9 : is about the same as line 5"}, 2},
		{"ods: a code", ODS, "X99002", "X 02", []string{"2 Organisation Code: is not an ODS code"}, 2},
		{"ods: a status", ODS, `"C","B"`, `"closed","B"`, []string{"3 Status Code: is not A (active), C (closed), D (dormant), P (proposed) or I (inactive)"}, 3},
		{"ods: a date", ODS, `"X99002","KESTREL MEDICAL CENTRE","Y99","QXX","1 INVENTED ROAD","","","","ASHMERE","ZZ1 8BB","19740401"`,
			`"X99002","KESTREL MEDICAL CENTRE","Y99","QXX","1 INVENTED ROAD","","","","ASHMERE","ZZ1 8BB","1974"`, []string{"2 Open Date: is not a date of eight digits"}, 2},
		{"network: a pupil nobody knows", Network, "n-1,ashmere-roll,A-1001", "n-1,ashmere-roll,A-9999", []string{"2 pupil_id: no child has this id on that roll"}, 3},
		{"network: a roll nobody knows", Network, "n-1,ashmere-roll", "n-1,ashmere-rolls", []string{"2 pupil_id: no child has this id on that roll"}, 3},
		{"network: an organisation nobody knows", Network, "ods:X99001", "ods:X99009", []string{"2 organisation: is not an organisation or setting of the directory"}, 3},
		{"network: a function", Network, ",gp,", ",G.P.,", []string{"2 function: is not a word of lower-case letters and underscores, such as health_visitor"}, 3},
		{"network: back to front", Network, "2026-12-31", "2025-12-31", []string{"3 until: is before from"}, 3},
		{"network: one id twice", Network, "n-4", "n-3", []string{"5 : is about the same as line 4"}, 2},
		{"onspd: a postcode", ONSPD, `"ZZ1 8BA","198001"`, `"ZZ1","198001"`, []string{"3 pcds: is not a full postcode"}, 3},
		{"onspd: an authority", ONSPD, `"E09000902"`, `"Kestrel Vale"`, []string{"4 lad25cd: an area is a GSS code"}, 3},
		{"organisations: a school of another nation", Organisations, "ofsted:EY900301", "wales:6714001", []string{"6 area: is in another nation than the register of the id"}, 4},
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

func TestARegisterThatCannotBeTrustedIsRefusedWhole(t *testing.T) {
	s := filled(t, "")
	shifted := strings.NewReplacer(`"E09000901"`, `"Ashmere"`, `"E09000902"`, `"Kestrel Vale"`, `"E07000904"`, `"Fen"`, `"W06000903"`, `"Arad"`)
	for _, tc := range []struct{ name, format, file, want string }{
		{"ofsted without its column names", Ofsted, "title\nnote\n1,2,3\n", "none of its first 20 lines has a column Provider URN"},
		{"ofsted with a column missing", Ofsted, strings.Replace(sample(t, Ofsted), "Local authority", "Council", 1), "columns missing from the first line: Local authority"},
		{"ofsted with other words for a status", Ofsted, strings.NewReplacer(",Active,", ",Registered,", ",Suspended,", ",Registered,").Replace(sample(t, Ofsted)), "column Provider status is wrong in"},
		{"ofsted of nobody's area", Ofsted, strings.NewReplacer("Ashmere", "Elsewhere", "Kestrel Vale", "Elsewhere").Replace(sample(t, Ofsted)), "none of its rows is of an authority in the directory"},
		{"ofsted with shifted columns", Ofsted, strings.ReplaceAll(sample(t, Ofsted), "http://www.ofsted.test/CARE/", "x,"), "not of the form of the first line"},
		{"ods of fewer fields", ODS, strings.ReplaceAll(sample(t, ODS), `"4",""`, `"4"`), "breaks off"},
		{"ods of fields in another order", ODS, strings.ReplaceAll(sample(t, ODS), `"19740401"`, `"1 April 1974"`), "column Open Date is wrong in"},
		{"ods of another report", ODS, strings.ReplaceAll(sample(t, ODS), `"4",""`, `"1",""`), "it has no active organisation of the kind gp"},
		{"onspd without rows", ONSPD, strings.SplitAfter(sample(t, ONSPD), "\n")[0], "has column names and no rows"},
		{"onspd of an edition nobody knows", ONSPD, strings.Replace(sample(t, ONSPD), "lad25cd", "district", 1), "it has no column lad25cd (of any year), laua or oslaua"},
		{"onspd without doterm", ONSPD, strings.Replace(sample(t, ONSPD), "doterm", "ended", 1), "it has no column doterm"},
		{"onspd cut short", ONSPD, "pcds,doterm,lad25cd\nZZ1 1AA,,E09000901\nZZ1 1AB,", "breaks off"},
		{"onspd cut short within quotes", ONSPD, sample(t, ONSPD)[:len(sample(t, ONSPD))-20], "cannot be read as CSV after row 6"},
		{"onspd with a quote left open", ONSPD, sample(t, ONSPD) + `"ZZ1 1AB`, "cannot be read as CSV"},
		{"onspd with names for codes", ONSPD, shifted.Replace(sample(t, ONSPD)), "rows are bad, first in line 2, column lad25cd"},
		{"onspd of no authority", ONSPD, shifted.Replace(strings.NewReplacer(`"E09000901"`, `""`, `"E09000902"`, `""`, `"E07000904"`, `""`, `"W06000903"`, `""`).Replace(sample(t, ONSPD))), "no postcode in it lies in a local authority"},
		{"a network without columns", Network, "id,roll\n1,2\n", "columns missing from the first line: pupil_id, function, organisation"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, err := Plan(request(tc.format), strings.NewReader(tc.file), s, nil)
			if err == nil || notice.KindOf(err) != notice.Invalid || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("result %+v, error %v, want one of kind invalid with %q", res, err, tc.want)
			}
		})
	}
	for format, source := range map[string]string{Network: "", ODS: "gps"} {
		req := request(format)
		req.Source = source
		if _, err := Plan(req, strings.NewReader(sample(t, format)), s, nil); notice.KindOf(err) != notice.Invalid || err == nil {
			t.Errorf("%s of source %q: %v, want an invalid one", format, source, err)
		}
	}
}

func TestWhatOfstedRedactsTheAuthoritySupplies(t *testing.T) {
	s := filled(t, GIASLinks)
	s = apply(t, s, plan(t, request(Ofsted), sample(t, Ofsted), s))
	s = apply(t, s, plan(t, request(Organisations), "id,name,kind,area,postcode\nofsted:EY900302,Home of R. Tolliver,childminder,E09000901,ZZ1 8TO\n", s))
	s = apply(t, s, plan(t, request(Ofsted), sample(t, Ofsted), s))
	got, _ := s.Setting("ofsted:EY900302")
	if got.GetName() != "Home of R. Tolliver" || got.GetPostcode() != "ZZ1 8TO" || got.GetTypeName() != "Childminder, Childminder" {
		t.Errorf("the childminder is %v", got)
	}
}

func TestAProviderThatLeavesTheRegisterIsClosedAndNotForgotten(t *testing.T) {
	s := filled(t, "")
	var kept []string
	for _, row := range strings.SplitAfter(sample(t, Ofsted), "\n") {
		if !strings.Contains(row, "EY900301") {
			kept = append(kept, row)
		}
	}
	res := plan(t, request(Ofsted), strings.Join(kept, ""), s)
	if res.Removed != 1 || len(res.Deletes) != 0 {
		t.Errorf("removed %d, deleted %v", res.Removed, res.Deletes)
	}
	s = apply(t, s, res)
	if got, ok := s.Setting("ofsted:EY900301"); !ok || got.GetStatus() != "closed" || got.GetName() == "" {
		t.Errorf("the pre-school is %v", got)
	}
	if again := plan(t, request(Ofsted), strings.Join(kept, ""), s); len(again.Puts)+len(again.Deletes) > 0 {
		t.Errorf("a second time: %v", again.Changes)
	}
}

func TestAuthoritiesAreFoundUnderTheNamesThatRegistersGiveThem(t *testing.T) {
	for _, pair := range [][2]string{
		{"Bristol, City of", "Bristol"}, {"Herefordshire, County of", "Herefordshire"}, {"Kingston upon Hull, City of", "Kingston upon Hull"},
		{"Ashmere", "London Borough of Ashmere"}, {"Bournemouth, Christchurch and Poole", "Bournemouth, Christchurch & Poole"},
	} {
		if authorityName(pair[0]) != authorityName(pair[1]) {
			t.Errorf("%q and %q are two authorities", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"York", "North Yorkshire"}, {"Derby", "Derbyshire"}, {"Bedford", "Central Bedfordshire"}} {
		if authorityName(pair[0]) == authorityName(pair[1]) {
			t.Errorf("%q and %q are one authority", pair[0], pair[1])
		}
	}
}

func TestPostcodesLieWhereTheDirectoryOfPostcodesSays(t *testing.T) {
	s := filled(t, "")
	for code, want := range map[string]directory.Lies{
		"ZZ1 8BA": {Authority: "E09000901", Health: "E54000901", Police: "E23000901"},
		"ZZ1 8BB": {Authority: "E09000902", Health: "E54000902", Police: "E23000902"},
		"ZZ1 9ZX": {Authority: "E09000901", Health: "E54000901", Police: "E23000901"}, // no longer in use
		"ZZ2 1AA": {Authority: "E10000904", Health: "E54000902", Police: "E23000902"}, // the county's
		"ZZ9 4CD": {Authority: "W06000903", Health: "W11000903", Police: "W15000903"},
		"JE2 3XA": {},
	} {
		if got, _ := s.Postcode(code); got != want {
			t.Errorf("%s lies in %v, want %v", code, got, want)
		}
	}
}

func TestEveryEditionOfTheDirectoryOfPostcodesIsRead(t *testing.T) {
	want := plan(t, request(ONSPD), sample(t, ONSPD), snapshot(t)).Puts
	for name, columns := range map[string]*strings.Replacer{
		"2019":     strings.NewReplacer("pcd7,", "pcd,", "pcd8,", "pcd2,", "cty25cd", "oscty", "lad25cd", "oslaua", "pfa23cd", "pfa", "sicbl24cd", "ccg", "icb23cd", "icb"),
		"2024":     strings.NewReplacer("cty25cd", "cty", "lad25cd", "laua", "pfa23cd", "pfa", "sicbl24cd", "sicbl", "icb23cd", "icb"),
		"2031":     strings.NewReplacer("25cd", "31cd", "23cd", "30cd", "24cd", "30cd"),
		"capitals": strings.NewReplacer("pcds", "PCDS", "lad25cd", "LAD25CD", "doterm", "DOTERM"),
	} {
		header, rest, _ := strings.Cut(sample(t, ONSPD), "\n")
		got := plan(t, request(ONSPD), "\ufeff"+columns.Replace(header)+"\n"+rest, snapshot(t)).Puts
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAPostcodeInUseCountsBeforeOneThatEnded(t *testing.T) {
	header := "pcds,doterm,lad25cd\n"
	for _, file := range []string{
		"ZZ1 1AA,,E09000901\nZZ1 1AA,201901,E09000902\n", "ZZ1 1AA,201901,E09000902\nZZ1 1AA,,E09000901\n",
	} {
		s := apply(t, snapshot(t), plan(t, request(ONSPD), header+file, snapshot(t)))
		if got, _ := s.Postcode("ZZ11AA"); got.Authority != "E09000901" {
			t.Errorf("%s: it lies in %s", file, got.Authority)
		}
	}
}

func TestAFileOfPostcodesThatMovesManyIsHeldBack(t *testing.T) {
	file := func(areas ...string) string {
		var b strings.Builder
		b.WriteString("pcds,doterm,lad25cd\n")
		for i := range 100 {
			fmt.Fprintf(&b, "ZZ%d %dAA,,%s\n", i/10+1, i%10, areas[i%len(areas)])
		}
		b.WriteString("QQ1 1AA,,E09000903\n")
		return b.String()
	}
	s := apply(t, snapshot(t), plan(t, request(ONSPD), file("E09000901"), snapshot(t)))
	if _, err := Plan(request(ONSPD), strings.NewReader(file("E09000901", "E09000902")), s, nil); notice.KindOf(err) != notice.Precondition {
		t.Errorf("half of a town moved: %v", err)
	}
	extract := "pcds,doterm,lad25cd\nQQ1 1AB,,E09000903\nQQ1 1AA,,E09000903\n"
	if res := plan(t, request(ONSPD), extract, s); len(res.Deletes) != 0 || res.Changed != 1 {
		t.Errorf("the file of one postcode area changes others: %v", res.Changes)
	}
	req := request(ONSPD)
	req.Force = true
	if got, _ := apply(t, s, plan(t, req, file("E09000902"), s)).Postcode("ZZ1 0AA"); got.Authority != "E09000902" {
		t.Errorf("by force it lies in %s", got.Authority)
	}
}

func TestANetworkThatShrinksOrSlipsIsHeldBack(t *testing.T) {
	s := filled(t, Network)
	file := func(n, shift int) string {
		var b strings.Builder
		b.WriteString("id,roll,pupil_id,function,organisation\n")
		for i := range n {
			fmt.Fprintf(&b, "n-%02d,ashmere-roll,A-100%d,voluntary,%s\n", i, i%3+1, []string{"ashmere-council", "ashmere-school-nursing", "ods:X99001"}[(i+shift)%3])
		}
		return b.String()
	}
	s = apply(t, s, plan(t, request(Network), file(60, 0), s))
	for name, text := range map[string]string{"a third is missing": file(40, 0), "the organisations slipped by a row": file(60, 1)} {
		if _, err := Plan(request(Network), strings.NewReader(text), s, nil); notice.KindOf(err) != notice.Precondition {
			t.Errorf("%s: %v", name, err)
		}
	}
	res := plan(t, request(Network), file(57, 0), s)
	if res.Removed != 3 || slices.ContainsFunc(res.Changes, func(c string) bool { return strings.Contains(c, "A-100") }) {
		t.Errorf("removed %d: %v", res.Removed, res.Changes)
	}
}

func TestANetworkFollowsAChildWhoseRecordsAreJoined(t *testing.T) {
	s := filled(t, "")
	header := "pupil_id,upn,given,family,date_of_birth,setting,as_of\n"
	req := request(PupilRoll)
	req.Source = "kestrel-roll"
	s = apply(t, s, plan(t, req, header+"K-1,,Zoë,Fen-Marsh,2015-05-01,900201,2026-09-14\n", s)) // nobody knows that it is Zoë of Ashmere
	net := request(Network)
	net.Source = "kestrel-network"
	s = apply(t, s, plan(t, net, "id,roll,pupil_id,function,organisation\nk-1,kestrel-roll,K-1,social_worker,kestrel-vale-council\n", s))
	s = apply(t, s, plan(t, req, header+"K-1,U901200020001,Zoë,Fen-Marsh,2015-05-01,900201,2026-09-14\n", s)) // now they do
	row, _ := s.Row(directory.KindNetwork, "kestrel-network/k-1")
	child, ok := s.Child(notice.ChildID(row.GetNetworkMember().GetChild()))
	if !ok || len(child.GetEnrolments()) != 2 {
		t.Errorf("the social worker is with %v of one record", child.GetEnrolments())
	}
}

func TestASubscriptionFollowsAChildWhoseRecordsAreJoined(t *testing.T) {
	s := filled(t, "")
	header := "pupil_id,upn,given,family,date_of_birth,setting,as_of\n"
	req := request(PupilRoll)
	req.Source = "kestrel-roll"
	s = apply(t, s, plan(t, req, header+"K-1,,Zoë,Fen-Marsh,2015-05-01,900201,2026-09-14\n", s)) // nobody knows that it is Zoë of Ashmere
	var child string
	for _, row := range s.Rows(directory.KindChild) {
		if c := row.GetChild(); c.GetFamily() == "Fen-Marsh" && len(c.GetEnrolments()) == 1 && c.GetEnrolments()[0].GetSetting() == "gias:900201" {
			child = c.GetId()
		}
	}
	if child == "" {
		t.Fatal("the child is not on the roll")
	}
	s = apply(t, s, &Result{Puts: []*directoryv1.Row{directory.SubscriptionRow(&directoryv1.Subscription{Id: "sub-1", Agency: "kestrel-care", Child: child})}})
	s = apply(t, s, plan(t, req, header+"K-1,U901200020001,Zoë,Fen-Marsh,2015-05-01,900201,2026-09-14\n", s)) // now they do
	sub, _ := s.Subscription("sub-1")
	if known, ok := s.Child(notice.ChildID(sub.GetChild())); !ok || len(known.GetEnrolments()) != 2 {
		t.Errorf("the subscription is to %v of one record", known.GetEnrolments())
	}
}

func TestWhoLooksAfterAChildIsWhatTheRollThatSpeaksOfItSays(t *testing.T) {
	s := filled(t, "")
	lookedAfter := func(s *directory.Snapshot) string {
		for _, row := range s.Rows(directory.KindChild) {
			if row.GetChild().GetFamily() == "Fen-Marsh" {
				return row.GetChild().GetLookedAfterBy()
			}
		}
		return "nobody found"
	}
	with := func(area string) string {
		var rows []string
		for i, row := range strings.Split(strings.TrimSpace(sample(t, PupilRoll)), "\n") {
			switch {
			case i == 0:
				row += ",looked_after_by"
			case strings.HasPrefix(row, "A-1001"):
				row += "," + area
			default:
				row += ","
			}
			rows = append(rows, row)
		}
		return strings.Join(rows, "\n") + "\n"
	}
	s = apply(t, s, plan(t, request(PupilRoll), with("E09000902"), s))
	if got := lookedAfter(s); got != "E09000902" {
		t.Errorf("looked after by %q", got)
	}
	s = apply(t, s, plan(t, request(PupilRoll), sample(t, PupilRoll), s)) // a file without the column
	if got := lookedAfter(s); got != "E09000902" {
		t.Errorf("a roll that says nothing of it took it away: %q", got)
	}
	s = apply(t, s, plan(t, request(PupilRoll), with(""), s))
	if got := lookedAfter(s); got != "" {
		t.Errorf("it ended, and is still %q", got)
	}
}

func TestSettingsOfOtherNationsComeUnderTheirOwnRegisters(t *testing.T) {
	s := filled(t, Organisations)
	s = apply(t, s, plan(t, request(Areas), "gss,name,kind\nW06000903,Cwm Arad,local_authority\nS12000904,Glen Sorrel,local_authority\nN09000905,Lough Fern,local_authority\n", s))
	file := "id,name,kind,area\nwales:6714001,Ysgol Arad,school,W06000903\nscotland:8123456,Glen Sorrel Primary,school,S12000904\nni:1230123,Lough Fern Nursery,nursery,N09000905\n"
	res := plan(t, request(Organisations), file, s)
	if res.Added != 3 || len(res.Faults) > 0 {
		t.Fatalf("added %d, faults %v", res.Added, faults(res))
	}
	for _, row := range res.Puts {
		if area, ok := s.Area(notice.Area(row.GetSetting().GetArea())); !ok || area.GetNation() == "england" {
			t.Errorf("%v", row)
		}
	}
}

func TestAnNHSAreaOfAnAuthorityIsOneThatIsKnown(t *testing.T) {
	s := filled(t, Organisations)
	file := "gss,name,kind,health_area\nE54000901,North NHS,nhs,\nE09000901,Ashmere,local_authority,E54000901\nE09000902,Kestrel Vale,local_authority,E54000999\n"
	res := plan(t, request(Areas), file, s)
	if diff := cmp.Diff([]string{"4 health_area: is not an NHS area of the file or the directory"}, faults(res)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	var ashmere *directoryv1.Area
	for _, row := range res.Puts {
		if row.GetArea().GetGss() == "E09000901" {
			ashmere = row.GetArea()
		}
	}
	if ashmere.GetHealthArea() != "E54000901" {
		t.Errorf("Ashmere is %v", ashmere)
	}
}

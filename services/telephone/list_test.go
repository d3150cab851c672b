package telephone

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func standing(id string, children ...notice.ChildID) Standing {
	return Standing{
		Notice: id, Agency: police, Kind: "encompass.incident", Reference: "NP/" + id, Organisation: school, Children: children, LastResort: council,
		Due: now().Add(time.Hour),
	}
}

func TestTheListNamesPeopleTheirNumbersAndWhatNobodyHad(t *testing.T) {
	late := standing("bbbbbbbbbbbbbbbbbbbb", "ada")
	late.Due, late.Owner = now().Add(-time.Hour), council
	text := NewList(snapshot(t), []Standing{standing("aaaaaaaaaaaaaaaaaaaa", "ada"), late}, "one", now()).Text()
	if !strings.Contains(text, "made Thu 18 Jun 2026 19:42 BST by one") {
		t.Error("the list does not say when it was made")
	}
	for part, want := range map[string]string{
		PartContacts: "organisation,name,role,person,use,telephone,confirmed_on,on_duty\n" +
			"ashmere-council,Ashmere Council,duty,Duty desk,out_of_hours,01632 960 004,not confirmed,at any time\n" +
			"gias:900101,Beacon Row School,dsl,M. Okoro,holiday,01632 960 001; 07700 900 001,2026-05-18; 2026-05-18,at any time\n" +
			"gias:900101,Beacon Row School,dsl,M. Okoro,regular,01632 960 001; 07700 900 001,2026-05-18; 2026-05-18,at any time\n" +
			"ofsted:EY900103,Little Acorns,dsl,'=HYPERLINK() B. Bee,regular,+44 1632 960 002,2026-05-18,at any time\n",
		PartOpen: "notice,agency,kind,reference,organisation,name,due\n" +
			"BBBB-BBBB-BBBB,northbridge-police,encompass.incident,NP/bbbbbbbbbbbbbbbbbbbb,ashmere-council,Ashmere Council,2026-06-18 18:42\n" +
			"AAAA-AAAA-AAAA,northbridge-police,encompass.incident,NP/aaaaaaaaaaaaaaaaaaaa,gias:900101,Beacon Row School,2026-06-18 20:42\n",
		PartForm: header,
	} {
		got, ok := Part(text, part)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s (-want +got):\n%s", part, diff)
		}
		if _, err := csv.NewReader(strings.NewReader(got)).ReadAll(); err != nil {
			t.Errorf("%s is no CSV: %v", part, err)
		}
	}
	if strings.Contains(text, "Fen-Marsh") || strings.Contains(text, "ada") {
		t.Error("the list names a child")
	}
}

func TestTheListSaysWhoIsOnDutyInTheDayAhead(t *testing.T) {
	person := func(id, name, channel, use string, hours ...*directoryv1.Hours) *directoryv1.Row {
		return directory.ContactRow(&directoryv1.Contact{
			Id: id, Organisation: council, Role: "emergency", Name: name, Channel: channel, Address: id, Use: use, VerifiedOn: "2026-05-18", Hours: hours,
		})
	}
	s := snapshot(t,
		person("01632 960 011", "Ana Pike", "telephone", "out_of_hours"), person("pike-mail", "Ana Pike", "email", "out_of_hours"),
		person("01632 960 012", "Birk Holm", "telephone", "out_of_hours"),
		person("01632 960 013", "Office", "telephone", "regular", &directoryv1.Hours{Days: []int32{1, 2, 3, 4, 5}, From: "09:00", Until: "17:00"}),
		directory.RotaRow(&directoryv1.Rota{
			Id: council + "/emergency", Organisation: council, Role: "emergency",
			Shifts: []*directoryv1.Shift{
				{Contact: "pike-mail", From: "2026-06-18T18:00:00+01:00", Until: "2026-06-19T02:00:00+01:00"},
				{Contact: "01632 960 012", From: "2026-06-19T02:00:00+01:00", Until: "2026-06-19T09:00:00+01:00"},
				{Contact: "01632 960 012", From: "2026-06-19T18:00:00+01:00", Until: "2026-06-20T09:00:00+01:00"},
			},
			Swaps: []*directoryv1.Swap{{Contact: "pike-mail", InsteadOf: "01632 960 012", From: "2026-06-19T18:00:00+01:00", Until: "2026-06-19T19:00:00+01:00"}},
		}))
	text, _ := Part(NewList(s, nil, "one", now()).Text(), PartContacts) // at 19:42
	var got []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, ",emergency,") {
			cells := strings.Split(line, ",")
			got = append(got, strings.Join([]string{cells[3], cells[5], cells[7]}, "|"))
		}
	}
	want := []string{
		"Ana Pike|01632 960 011|Thu 19:42 to Fri 02:00 on the rota; Fri 18:00 to Fri 19:00 on the rota",
		"Birk Holm|01632 960 012|Fri 02:00 to Fri 09:00 on the rota; Fri 19:00 to Fri 19:42 on the rota",
		"Office|01632 960 013|Fri 09:00 to Fri 17:00 by hours",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheListRevealsNoRestriction(t *testing.T) {
	restriction := func(kind, target string) *directoryv1.Row {
		return directory.RestrictionRow(&directoryv1.Restriction{Id: "R2", Child: "ada", Kind: kind, Target: target})
	}
	open := func(s Standing, more ...*directoryv1.Row) string {
		text, _ := Part(NewList(snapshot(t, more...), []Standing{s}, "one", now()).Text(), PartOpen)
		_, lines, _ := strings.Cut(text, "\n")
		return lines
	}
	atTask := standing("aaaaaaaaaaaaaaaaaaaa", "ada")
	atTask.Owner = council
	want := open(atTask) // what any notice looks like that has come to its end
	for _, target := range []string{"dsl-mail", school} {
		if diff := cmp.Diff(want, open(standing("aaaaaaaaaaaaaaaaaaaa", "ada"), restriction("barred_contact", target))); diff != "" {
			t.Errorf("barred %s (-want +got):\n%s", target, diff)
		}
	}
	for name, s := range map[string]Standing{
		"a sealed child":                 standing("aaaaaaaaaaaaaaaaaaaa", "hid"),
		"a sealed child among others":    standing("aaaaaaaaaaaaaaaaaaaa", "ada", "hid"),
		"a sealed child's, at its task":  {Notice: "aaaaaaaaaaaaaaaaaaaa", Owner: council, Children: []notice.ChildID{"hid"}},
		"nobody at the end of the chain": {Notice: "aaaaaaaaaaaaaaaaaaaa", Organisation: school, Children: []notice.ChildID{"hid"}},
	} {
		if got := open(s); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, target := range map[string]string{"the area": "E09000901", "the authority": council, "nobody named": "", "its duty desk": "unsure"} {
		if got := open(standing("aaaaaaaaaaaaaaaaaaaa", "ada"), restriction("court_order", target)); got != "" {
			t.Errorf("barred %s: %s", name, got)
		}
	}
}

func TestAListIsReadByItsRecipientsAlone(t *testing.T) {
	key, recipient, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	another, _, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "list.age")
	for _, at := range []time.Time{now(), now().Add(time.Hour)} { // the second takes the first's place
		if err := Write(path, []string{recipient}, NewList(snapshot(t), nil, "one", at)); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files beside one another: %v", len(entries), err)
	}
	sealed, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(sealed), "Okoro") {
		t.Fatalf("not sealed: %v", err)
	}
	text, err := Open(strings.NewReader(string(sealed)), "# a comment\n"+key+"\n")
	if err != nil || !strings.Contains(text, "20:42 BST") {
		t.Errorf("opened %q: %v", text, err)
	}
	for name, tc := range map[string]struct {
		sealed, key string
		kind        notice.Kind
	}{
		"another's key": {string(sealed), another, notice.Denied},
		"no key":        {string(sealed), "open sesame", notice.Invalid},
		"no list":       {"hello", key, notice.Invalid},
		"cut short":     {string(sealed[:len(sealed)-40]), key, notice.Invalid},
	} {
		if _, err := Open(strings.NewReader(tc.sealed), tc.key); notice.KindOf(err) != tc.kind || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(filepath.Join(dir, "absent", "list.age"), []string{recipient}, List{}); notice.KindOf(err) != notice.Unavailable {
		t.Errorf("into no folder: %v", err)
	}
}

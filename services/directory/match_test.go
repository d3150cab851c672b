package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func TestAUPNHasACheckLetter(t *testing.T) {
	for _, good := range []string{"R305200024001", "Q30520002401A"} {
		if err := ValidUPN(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "A305200024001", "R305200024002", "R30520002400", "R3052000240011", "R30520002401A", "Q30520002401I", "R3052O0024001", "UN1"} {
		if ValidUPN(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if TemporaryUPN("R305200024001") || !TemporaryUPN("Q30520002401A") {
		t.Error("a UPN is temporary exactly where it ends in a letter")
	}
	if !UnknownUPN("UN1") || !UnknownUPN("UN5") || UnknownUPN("UN0") || UnknownUPN("UN6") || UnknownUPN("R305200024001") {
		t.Error("UN1 to UN5, and nothing else, mean unknown")
	}
}

func TestAnNHSNumberHasACheckDigit(t *testing.T) {
	for _, good := range []string{"9434765919", "9990000018"} {
		if err := ValidNHSNumber(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "9991234560", "9434765918", "943476591", "94347659190", "943 476 5919", "943476591X"} {
		if ValidNHSNumber(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestNamesFold(t *testing.T) {
	for _, same := range [][]string{
		{"O'Brien", "O’Brien", "OBRIEN", "o brien", " O'Brien "},
		{"Smith-Jones", "Smith Jones", "SmithJones", "smith‐jones"},
		{"Zoë", "Zoe", "ZOE\u0308"},
		{"Łukasz", "lukasz"},
		{"Strauß", "STRAUSS"},
		{"Bjørn", "Bjorn"},
		{"Þóra", "Thora"},
		{"ﬁona", "Fiona"},
	} {
		for _, n := range same {
			if got := FoldName(n); got != FoldName(same[0]) {
				t.Errorf("%q folds to %q, %q to %q", n, got, same[0], FoldName(same[0]))
			}
		}
	}
	if FoldName("Юлия") == "" || FoldName("Юлия") == FoldName("Юлиан") {
		t.Error("names of other scripts keep their letters")
	}
	if FoldName(" -’ ") != "" {
		t.Error("a name without a letter is no name")
	}
}

const (
	upnAda   = "R305200024001"
	upnTwin  = "H801200001001"
	upnOther = "M800200024005"
)

// roll holds Ada; the twins Bea and Cara; two children of one name and date of birth; and a sibling of Ada.
func roll(t testing.TB) *Snapshot {
	t.Helper()
	id := func(scheme, value string) *directoryv1.Identifier {
		return &directoryv1.Identifier{Scheme: scheme, Value: value}
	}
	return build(t,
		ChildRow(&directoryv1.Child{
			Id: "ada", Given: "Adalína", Family: "Fen-Marsh", KnownAs: "Ada", DateOfBirth: "2015-05-01",
			Identifiers: []*directoryv1.Identifier{id("upn", upnAda), id("nhs", "9990000018"), id("local:ashmere-roll", "17")},
		}),
		ChildRow(&directoryv1.Child{Id: "ada-brother", Given: "Olly", Family: "Fen-Marsh", DateOfBirth: "2013-02-03"}),
		ChildRow(&directoryv1.Child{Id: "bea", Given: "Bea", Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: []*directoryv1.Identifier{id("upn", upnTwin)}}),
		ChildRow(&directoryv1.Child{Id: "cara", Given: "Cara", Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: []*directoryv1.Identifier{id("upn", "Q30520002401A")}}),
		ChildRow(&directoryv1.Child{Id: "sam1", Given: "Sam", Family: "Reed", DateOfBirth: "2014-04-04", Postcodes: []string{"ZZ1 1AA"}, ResidenceArea: "E09000901"}),
		ChildRow(&directoryv1.Child{Id: "sam2", Given: "Samuel", KnownAs: "Sam", Family: "Reed", DateOfBirth: "2014-04-04", Postcodes: []string{"ZZ1 1AB", "zz11ac"}, ResidenceArea: "E09000902"}),
		ChildRow(&directoryv1.Child{Id: "kit1", Given: "Kit", Family: "Vale", DateOfBirth: "2014-04-04", Postcodes: []string{"ZZ1 1AA"}, ResidenceArea: "E09000901"}),
		ChildRow(&directoryv1.Child{Id: "kit2", Given: "Kit", Family: "Vale", DateOfBirth: "2014-04-04"}),
	)
}

func TestMatchNeverGuesses(t *testing.T) {
	upn := func(v string) []Identifier { return []Identifier{{"upn", v}} }
	children := func(ids ...notice.ChildID) []notice.ChildID { return ids }
	const (
		identifier   = ledgerv1.Match_MATCH_IDENTIFIER
		name         = ledgerv1.Match_MATCH_NAME
		none         = ledgerv1.Match_MATCH_NONE
		several      = ledgerv1.Match_MATCH_SEVERAL
		contradicted = ledgerv1.Match_MATCH_CONTRADICTED
	)
	for _, tc := range []struct {
		name string
		q    Query
		want Found
	}{
		{"an identifier and the surname", Query{Family: "fen marsh", Identifiers: upn(upnAda)}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"an identifier and the date of birth", Query{DateOfBirth: "2015-05-01", Identifiers: upn(upnAda)}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"a slip in the date of birth, the rest agrees", Query{Given: "Ada", Family: "Fenmarsh", DateOfBirth: "2015-01-05", Identifiers: upn(upnAda)}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"an NHS number written in groups", Query{Family: "Fen-Marsh", Identifiers: []Identifier{{"nhs", "999 000 0018"}}}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"a UPN in small letters", Query{Family: "Fen-Marsh", Identifiers: upn("r305200024001")}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"a local id", Query{Family: "Fen-Marsh", Identifiers: []Identifier{{"local:ashmere-roll", "17"}}}, Found{identifier, "ada", nil, ReasonIdentifier}},
		{"an identifier alone does not count", Query{Given: "Ada", Identifiers: upn(upnAda)}, Found{none, "", nil, ReasonUncorroborated}},
		{"an identifier against name and date of birth", Query{Given: "Ada", Family: "Holm", DateOfBirth: "2015-05-02", Identifiers: upn(upnAda)}, Found{contradicted, "", children("ada"), ReasonIdentifierDisagrees}},
		{"an identifier of a sibling", Query{Given: "Olly", Family: "Fen-Marsh", DateOfBirth: "2013-02-03", Identifiers: upn(upnAda)}, Found{contradicted, "", children("ada", "ada-brother"), ReasonIdentifierOtherPerson}},
		{"an identifier of a sibling, and a slip in the date of birth", Query{Given: "Olly", Family: "Fen-Marsh", DateOfBirth: "2013-03-02", Identifiers: upn(upnAda)}, Found{contradicted, "", children("ada"), ReasonIdentifierNameAndBirth}},
		{"identifiers of two children", Query{Family: "Fen-Marsh", Identifiers: []Identifier{{"upn", upnTwin}, {"nhs", "9990000018"}}}, Found{contradicted, "", children("ada", "bea"), ReasonIdentifiersDiffer}},
		{"an identifier that the roll holds otherwise", Query{Family: "Fen-Marsh", Identifiers: []Identifier{{"upn", upnOther}, {"nhs", "9990000018"}}}, Found{contradicted, "", children("ada"), ReasonIdentifierRecord}},
		{"name and date of birth of a child with another UPN", Query{Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-01", Identifiers: upn(upnOther)}, Found{contradicted, "", children("ada"), ReasonIdentifierRecord}},
		{"a twin by identifier and forename", Query{Given: "Bea", Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: upn(upnTwin)}, Found{identifier, "bea", nil, ReasonIdentifier}},
		{"a twin by the other's identifier", Query{Given: "Cara", Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: upn(upnTwin)}, Found{contradicted, "", children("bea", "cara"), ReasonIdentifierOtherPerson}},
		{"a twin by identifier and a forename of neither", Query{Given: "Bella", Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: upn(upnTwin)}, Found{contradicted, "", children("bea", "cara"), ReasonIdentifierForename}},
		{"a twin by identifier without a forename", Query{Family: "Holt", DateOfBirth: "2016-06-06", Identifiers: upn(upnTwin)}, Found{several, "", children("bea", "cara"), ReasonTwins}},
		{"a temporary UPN identifies nobody", Query{Family: "Holt", Identifiers: upn("Q30520002401A")}, Found{none, "", nil, ReasonTooLittle}},
		{"nor does it contradict", Query{Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-01", Identifiers: upn("Q30520002401A")}, Found{name, "ada", nil, ReasonName}},
		{"UN1 means unknown", Query{Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-01", Identifiers: upn("UN1")}, Found{name, "ada", nil, ReasonName}},
		{"an identifier nobody holds does not hinder the name", Query{Given: "Olly", Family: "Fen-Marsh", DateOfBirth: "2013-02-03", Identifiers: upn(upnOther)}, Found{name, "ada-brother", nil, ReasonName}},
		{"name and date of birth, accents folded", Query{Given: "ADALINA", Family: "Fen Marsh", DateOfBirth: "2015-05-01"}, Found{name, "ada", nil, ReasonName}},
		{"known as, on the roll's side", Query{Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-01"}, Found{name, "ada", nil, ReasonName}},
		{"known as, on the publisher's side", Query{Given: "Adela", KnownAs: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-01"}, Found{name, "ada", nil, ReasonName}},
		{"another date of birth", Query{Given: "Ada", Family: "Fen-Marsh", DateOfBirth: "2015-05-02"}, Found{none, "", nil, ReasonNotFound}},
		{"another forename", Query{Given: "Ida", Family: "Fen-Marsh", DateOfBirth: "2015-05-01"}, Found{none, "", nil, ReasonNotFound}},
		{"no date of birth", Query{Given: "Ada", Family: "Fen-Marsh"}, Found{none, "", nil, ReasonTooLittle}},
		{"nothing at all", Query{}, Found{none, "", nil, ReasonTooLittle}},
		{"two of one name", Query{Given: "Sam", Family: "Reed", DateOfBirth: "2014-04-04"}, Found{several, "", children("sam1", "sam2"), ReasonSameNameAndBirth}},
		{"told apart by postcode", Query{Given: "Sam", Family: "Reed", DateOfBirth: "2014-04-04", Postcode: "zz1 1ac"}, Found{name, "sam2", children("sam1", "sam2"), ReasonPostcode}},
		{"told apart by area", Query{Given: "Sam", Family: "Reed", DateOfBirth: "2014-04-04", Postcode: "ZZ9 9ZZ", ResidenceArea: "E09000901"}, Found{name, "sam1", children("sam1", "sam2"), ReasonResidenceArea}},
		{"an area of neither", Query{Given: "Sam", Family: "Reed", DateOfBirth: "2014-04-04", ResidenceArea: "E09000903"}, Found{several, "", children("sam1", "sam2"), ReasonSameNameAndBirth}},
		{"an area that one has and the other may have", Query{Given: "Kit", Family: "Vale", DateOfBirth: "2014-04-04", ResidenceArea: "E09000901"}, Found{several, "", children("kit1", "kit2"), ReasonSameNameAndBirth}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, roll(t).Match(tc.q)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

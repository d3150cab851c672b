package directory

import (
	"cmp"
	"slices"
	"strings"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	ledgerv1 "github.com/signalbox-hq/signalbox/api/signalbox/ledger/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Query is what a publisher says of a child. Names as written; the date of birth is YYYY-MM-DD.
type Query struct {
	Given, Family, KnownAs, DateOfBirth string
	Identifiers                         []Identifier
	Postcode                            string
	ResidenceArea                       notice.Area
}

// Found is the child that a Query means, or why there is none.
type Found struct {
	Kind  ledgerv1.Match // IDENTIFIER, NAME, NONE, SEVERAL or CONTRADICTED; whoever asks decides about RESTRICTED
	Child notice.ChildID // set for IDENTIFIER and NAME only
	// Candidates are the children that a person would have to choose from, by id, for SEVERAL and CONTRADICTED. They
	// are for that person's eyes, after restrictions were applied. With a Child they are that child and its doubles:
	// records with its name and date of birth, which may be the same child on a roll that could not be joined. What
	// restricts one of them restricts them all.
	Candidates []notice.ChildID
	Reason     string // one of the Reason codes
}

// Reason codes of Found.
const (
	ReasonIdentifier             = "identifier_agrees"               // an identifier, with surname or date of birth
	ReasonName                   = "name_and_date_of_birth_agree"    // exact name and date of birth
	ReasonPostcode               = "told_apart_by_postcode"          // several of that name and date of birth; one at that postcode
	ReasonResidenceArea          = "told_apart_by_residence_area"    // several; one who lives in that area
	ReasonNotFound               = "not_found"                       // nobody of that name and date of birth
	ReasonTooLittle              = "name_or_date_of_birth_missing"   // too little said to look
	ReasonUncorroborated         = "identifier_alone"                // an identifier with neither surname nor date of birth to agree
	ReasonSameNameAndBirth       = "several_agree"                   // several, and nothing tells them apart
	ReasonTwins                  = "forename_needed"                 // the identifier's child shares surname and date of birth with another
	ReasonIdentifiersDiffer      = "identifiers_point_at_several"    // identifiers of two children
	ReasonIdentifierRecord       = "identifier_differs_from_record"  // the child of that name has another identifier in that scheme
	ReasonIdentifierDisagrees    = "identifier_contradicts_name"     // the identifier's child has another name and date of birth
	ReasonIdentifierOtherPerson  = "name_points_at_another"          // the name and date of birth are exactly another child's
	ReasonIdentifierForename     = "forename_contradicts_identifier" // the identifier's child has a twin, and the forename is not its own
	ReasonIdentifierNameAndBirth = "only_surname_agrees"             // forename and date of birth are both another's
)

// Match finds the child that a Query means. It never guesses:
//
//   - An identifier counts if surname or date of birth agrees, and the forename too where another child shares both
//     (twins). A temporary UPN changes and UN1 to UN5 mean unknown: neither counts.
//   - Identifiers that point at two children, that differ from what the roll holds for the child, or that point at a
//     child other than the name and date of birth do, are a contradiction for a person to settle. So is an identifier
//     with which only the surname agrees while forename and date of birth say otherwise: it may be a sibling's.
//   - Without an identifier that is known, name and date of birth must both be exact, after FoldName; the known-as
//     name counts as a given name on either side. Several are told apart by postcode, then by the area of residence
//     where that of each is known.
//
// Near misses (transliterations, slips in a date) will be looked for here, after the exact name, and can only ever
// yield SEVERAL: candidates for a person.
func (s *Snapshot) Match(q Query) Found {
	p := newPerson(q)
	named := s.named(p)
	pointed := s.pointed(p)
	switch {
	case len(pointed) > 1:
		return s.unsure(ledgerv1.Match_MATCH_CONTRADICTED, ReasonIdentifiersDiffer, pointed, named)
	case len(pointed) == 1:
		return s.byIdentifier(p, pointed[0], named)
	default:
		return s.byName(p, named)
	}
}

// person is a query made ready to compare.
type person struct {
	family, born string
	given        []string // folded given and known-as names
	identifiers  []Identifier
	postcode     string
	area         string
}

func newPerson(q Query) person {
	p := person{
		family: FoldName(q.Family), born: q.DateOfBirth, given: forenames(q.Given, q.KnownAs),
		postcode: FoldPostcode(q.Postcode), area: string(q.ResidenceArea),
	}
	for _, id := range q.Identifiers {
		if value := id.Canonical(); identifies(id.Scheme, value) {
			p.identifiers = append(p.identifiers, Identifier{id.Scheme, value})
		}
	}
	return p
}

func forenames(names ...string) []string {
	var out []string
	for _, n := range names {
		if f := FoldName(n); f != "" {
			out = append(out, f)
		}
	}
	return out
}

func (p person) sharesSurname(c *directoryv1.Child) bool {
	return p.family != "" && p.family == FoldName(c.GetFamily())
}

func (p person) sharesBirth(c *directoryv1.Child) bool {
	return p.born != "" && p.born == c.GetDateOfBirth()
}

func (p person) sharesForename(c *directoryv1.Child) bool {
	for _, own := range forenames(c.GetGiven(), c.GetKnownAs()) {
		if slices.Contains(p.given, own) {
			return true
		}
	}
	return false
}

// named are the children of exactly that name and date of birth.
func (s *Snapshot) named(p person) []int32 {
	var out []int32
	for _, at := range s.born(p.family, p.born) {
		if p.sharesForename(s.children[at]) {
			out = append(out, at)
		}
	}
	return out
}

// born are the children of that folded surname and date of birth.
func (s *Snapshot) born(family, born string) []int32 {
	if family == "" || born == "" {
		return nil
	}
	var out []int32
	for _, hit := range s.surnames.find(hashOf(family, born)) {
		if c := s.children[hit.child]; c.GetDateOfBirth() == born && FoldName(c.GetFamily()) == family {
			out = append(out, hit.child)
		}
	}
	return out
}

// pointed are the children that an identifier of the query points at, each once.
func (s *Snapshot) pointed(p person) []int32 {
	var out []int32
	for _, id := range p.identifiers {
		for _, hit := range s.identifiers.find(hashOf(id.Scheme, id.Value)) {
			if holds(s.children[hit.child], id) && !slices.Contains(out, hit.child) {
				out = append(out, hit.child)
			}
		}
	}
	return out
}

func holds(c *directoryv1.Child, id Identifier) bool {
	return slices.ContainsFunc(c.GetIdentifiers(), func(own *directoryv1.Identifier) bool {
		return own.GetScheme() == id.Scheme && Identifier{own.GetScheme(), own.GetValue()}.Canonical() == id.Value
	})
}

// differs says whether the roll holds another UPN or NHS number for the child than the query states. Of local ids a
// child may have several.
func (p person) differs(c *directoryv1.Child) bool {
	for _, id := range p.identifiers {
		if strings.HasPrefix(id.Scheme, SchemeLocal) || holds(c, id) {
			continue
		}
		for _, own := range c.GetIdentifiers() {
			value := Identifier{own.GetScheme(), own.GetValue()}.Canonical()
			if own.GetScheme() == id.Scheme && identifies(own.GetScheme(), value) {
				return true
			}
		}
	}
	return false
}

func (s *Snapshot) byIdentifier(p person, at int32, named []int32) Found {
	c := s.children[at]
	one := []int32{at}
	contradicted := func(reason string) Found {
		return s.unsure(ledgerv1.Match_MATCH_CONTRADICTED, reason, one, named)
	}
	surname, birth, forename := p.sharesSurname(c), p.sharesBirth(c), p.sharesForename(c)
	switch {
	case len(named) > 0 && !slices.Contains(named, at):
		return contradicted(ReasonIdentifierOtherPerson)
	case p.differs(c):
		return contradicted(ReasonIdentifierRecord)
	case !surname && !birth && p.family == "" && p.born == "":
		return Found{Kind: ledgerv1.Match_MATCH_NONE, Reason: ReasonUncorroborated}
	case !surname && !birth:
		return contradicted(ReasonIdentifierDisagrees)
	case !birth && p.born != "" && !forename && len(p.given) > 0:
		return contradicted(ReasonIdentifierNameAndBirth)
	}
	twins := s.born(FoldName(c.GetFamily()), c.GetDateOfBirth())
	if len(twins) > 1 && !forename {
		if len(p.given) == 0 {
			return s.unsure(ledgerv1.Match_MATCH_SEVERAL, ReasonTwins, twins, nil)
		}
		return s.unsure(ledgerv1.Match_MATCH_CONTRADICTED, ReasonIdentifierForename, twins, nil)
	}
	return s.sure(ledgerv1.Match_MATCH_IDENTIFIER, ReasonIdentifier, at)
}

func (s *Snapshot) byName(p person, named []int32) Found {
	if p.family == "" || p.born == "" || len(p.given) == 0 {
		return Found{Kind: ledgerv1.Match_MATCH_NONE, Reason: ReasonTooLittle}
	}
	reason := ReasonName
	switch len(named) {
	case 0:
		return Found{Kind: ledgerv1.Match_MATCH_NONE, Reason: ReasonNotFound}
	case 1:
	default:
		var told []int32
		if told, reason = s.tellApart(p, named); len(told) != 1 {
			return s.unsure(ledgerv1.Match_MATCH_SEVERAL, ReasonSameNameAndBirth, named, nil)
		}
		named = told
	}
	c := s.children[named[0]]
	if p.differs(c) {
		return s.unsure(ledgerv1.Match_MATCH_CONTRADICTED, ReasonIdentifierRecord, named, nil)
	}
	return s.sure(ledgerv1.Match_MATCH_NAME, reason, named[0])
}

// tellApart narrows several to those at the postcode, then to those in the area. A postcode is a few homes, so one hit
// is enough; an area is a quarter of a million people, so it tells apart only where every other's area is known.
func (s *Snapshot) tellApart(p person, named []int32) (told []int32, reason string) {
	if p.postcode != "" {
		var there []int32
		for _, at := range named {
			if slices.ContainsFunc(s.children[at].GetPostcodes(), func(own string) bool { return FoldPostcode(own) == p.postcode }) {
				there = append(there, at)
			}
		}
		if len(there) == 1 {
			return there, ReasonPostcode
		}
		if len(there) > 1 {
			named = there
		}
	}
	var there []int32
	for _, at := range named {
		switch s.children[at].GetResidenceArea() {
		case "":
			return nil, ""
		case p.area:
			there = append(there, at)
		}
	}
	return there, ReasonResidenceArea
}

// sure is an answer with a child, and with its doubles where it has some.
func (s *Snapshot) sure(kind ledgerv1.Match, reason string, at int32) Found {
	c := s.children[at]
	doubles := s.named(person{
		family: FoldName(c.GetFamily()), born: c.GetDateOfBirth(), given: forenames(c.GetGiven(), c.GetKnownAs()),
	})
	f := Found{Kind: kind, Reason: reason}
	if len(doubles) > 1 {
		f = s.unsure(kind, reason, doubles)
	}
	f.Child = notice.ChildID(c.GetId())
	return f
}

// unsure is an answer without a child.
func (s *Snapshot) unsure(kind ledgerv1.Match, reason string, of ...[]int32) Found {
	f := Found{Kind: kind, Reason: reason}
	for _, group := range of {
		for _, at := range group {
			f.Candidates = append(f.Candidates, notice.ChildID(s.children[at].GetId()))
		}
	}
	slices.SortFunc(f.Candidates, cmp.Compare)
	f.Candidates = slices.Compact(f.Candidates)
	return f
}

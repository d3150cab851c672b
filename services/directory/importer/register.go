package importer

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
)

// register decides which child of the directory each pupil of a roll is. A child keeps its id for as long as anything
// is known of it, since restrictions and the ledger name it by that id:
//
//   - the child that had this pupil id before, unless name and date of birth both say that the id was given to another;
//   - else one that left this roll in the same file and has the same name and date of birth: it was renumbered;
//   - else a child of another roll that holds the same permanent UPN and agrees (docs/formats.md, pupil-roll);
//   - else a new one, with an id keyed by source and pupil id.
type register struct {
	j       *job
	scheme  string                          // of this roll's pupil ids
	byPupil map[string]*directoryv1.Child   // by this roll's pupil id
	byUPN   map[string][]*directoryv1.Child // by permanent UPN
	leaving map[string][]*directoryv1.Child // by folded name and date of birth: on this roll, not in the file
	taken   map[string]bool                 // child ids that a pupil of the file has
}

func newRegister(j *job, pupils map[string]*pupil) *register {
	r := &register{
		j: j, scheme: directory.SchemeLocal + j.req.Source, byPupil: make(map[string]*directoryv1.Child),
		byUPN: make(map[string][]*directoryv1.Child), leaving: make(map[string][]*directoryv1.Child), taken: make(map[string]bool),
	}
	for _, row := range j.current.Rows(directory.KindChild) {
		c := row.GetChild()
		if local := identifierOf(c, r.scheme); local != "" {
			r.byPupil[local] = c
			if _, stays := pupils[local]; stays {
				r.taken[c.GetId()] = true
			} else {
				r.leaving[nameAndBirth(c)] = append(r.leaving[nameAndBirth(c)], c)
			}
		}
		for _, id := range c.GetIdentifiers() {
			if permanentUPN(id) {
				r.byUPN[id.GetValue()] = append(r.byUPN[id.GetValue()], c)
			}
		}
		if slices.ContainsFunc(c.GetEnrolments(), r.ours) {
			j.scope = append(j.scope, row)
		}
	}
	j.absent = r.leave
	return r
}

func (r *register) ours(e *directoryv1.Enrolment) bool { return e.GetSource() == r.j.req.Source }

func nameAndBirth(c *directoryv1.Child) string {
	return directory.FoldName(c.GetGiven()) + "/" + directory.FoldName(c.GetFamily()) + "/" + c.GetDateOfBirth()
}

func permanentUPN(id *directoryv1.Identifier) bool {
	return id.GetScheme() == directory.SchemeUPN && !directory.TemporaryUPN(id.GetValue())
}

// agrees says whether two records share family name and date of birth and have no two different NHS numbers.
func agrees(a, b *directoryv1.Child) bool {
	x, y := identifierOf(a, directory.SchemeNHS), identifierOf(b, directory.SchemeNHS)
	return directory.FoldName(a.GetFamily()) == directory.FoldName(b.GetFamily()) && a.GetDateOfBirth() == b.GetDateOfBirth() &&
		(x == "" || y == "" || x == y)
}

// place files a pupil as a child.
func (r *register) place(p *pupil) {
	id := r.j.req.Key.ID("child", r.j.req.Source, p.id)
	before := r.before(p, id)
	if before != nil {
		r.taken[before.GetId()] = true
	}
	if p.bad {
		if before != nil {
			r.j.keep[RowKey{directory.KindChild, before.GetId()}] = true
		}
		return
	}
	first := p.lines[0]
	if before != nil && directory.FoldName(before.GetFamily()) != directory.FoldName(p.child.GetFamily()) && before.GetDateOfBirth() != p.child.GetDateOfBirth() {
		first.fault("pupil_id", "stood for a child of another name and date of birth: give this child an id of its own; the other stays as it was")
		r.j.keep[RowKey{directory.KindChild, before.GetId()}] = true
		return
	}
	partner := r.partner(p, before)
	if partner != nil && r.taken[partner.GetId()] {
		partner = nil // another pupil of this file: two records, and a person will be asked
	}
	r.file(p, id, before, partner)
}

// before is the directory's record of a pupil, if it has one.
func (r *register) before(p *pupil, id string) *directoryv1.Child {
	if c := r.byPupil[p.id]; c != nil {
		return c
	}
	if row, ok := r.j.current.Row(directory.KindChild, id); ok {
		return row.GetChild()
	}
	if same := r.leaving[nameAndBirth(p.child)]; len(same) == 1 && !r.taken[same[0].GetId()] && agrees(same[0], p.child) {
		return same[0]
	}
	return nil
}

// partner is the record of the same child on another roll.
func (r *register) partner(p *pupil, before *directoryv1.Child) *directoryv1.Child {
	var found []*directoryv1.Child
	for _, id := range p.child.GetIdentifiers() {
		if !permanentUPN(id) {
			continue
		}
		for _, c := range r.byUPN[id.GetValue()] {
			if c.GetId() != before.GetId() && agrees(c, p.child) {
				found = append(found, c)
			}
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// file writes a pupil's child, joined with its record on another roll where there is one. Of two records the one with
// restrictions lives on, so that no restriction loses its child.
func (r *register) file(p *pupil, id string, before, partner *directoryv1.Child) {
	if before != nil {
		id = before.GetId()
	}
	base := before
	if partner != nil {
		mine, theirs := r.j.restricted(id), r.j.restricted(partner.GetId())
		switch {
		case mine && theirs:
			p.lines[0].fault("upn", "is that of a child on another roll, and what is known of both cannot be joined: ask the directory's keeper to compare the two")
			r.j.keep[RowKey{directory.KindChild, id}] = true
			return
		case mine || before != nil && !theirs:
			r.mergeAway(partner, id)
			base = cmp.Or(before, partner)
		default:
			if before != nil {
				r.mergeAway(before, partner.GetId())
			}
			id, base = partner.GetId(), partner
		}
	}
	r.taken[id] = true
	child := r.join(p, base, before, partner)
	if child == nil {
		r.j.keep[RowKey{directory.KindChild, id}] = true
		return
	}
	child.Id = id
	if before != nil && r.moved(before, p.child) {
		r.j.moved++
	}
	r.j.want[RowKey{directory.KindChild, id}] = directory.ChildRow(child)
}

// mergeAway ends a record that went into another. Whoever is involved with the child goes with it.
func (r *register) mergeAway(c *directoryv1.Child, into string) {
	key := RowKey{directory.KindChild, c.GetId()}
	r.j.drop[key], r.j.merged[key] = true, true
	r.j.follow(c.GetId(), into)
}

// join makes the child of a pupil and of what other rolls know. Particulars are those of the latest date; identifiers
// and postcodes are of all.
func (r *register) join(p *pupil, base *directoryv1.Child, records ...*directoryv1.Child) *directoryv1.Child {
	child := p.child
	if !p.lines[0].has("looked_after_by") { // this roll says nothing of it
		for _, record := range records {
			child.LookedAfterBy = cmp.Or(child.GetLookedAfterBy(), record.GetLookedAfterBy())
		}
	}
	latest := ""
	var others []*directoryv1.Child
	for _, record := range records {
		theirs := false
		for _, e := range record.GetEnrolments() {
			if !r.ours(e) {
				theirs = true
				latest = max(latest, e.GetAsOf())
				child.Enrolments = append(child.Enrolments, e)
			}
		}
		if theirs {
			others = append(others, record)
		}
	}
	if len(others) > 0 {
		for _, record := range others {
			if clash(child, record) {
				p.lines[0].fault("upn", "is not the one that another roll has for this child: correct one of them; the child stays as it was")
				return nil
			}
		}
		for _, record := range others {
			for _, id := range record.GetIdentifiers() {
				if id.GetScheme() != r.scheme && !has(child, id) {
					child.Identifiers = append(child.Identifiers, proto.CloneOf(id))
				}
			}
			for _, code := range record.GetPostcodes() {
				if !slices.Contains(child.GetPostcodes(), code) {
					child.Postcodes = append(child.Postcodes, code)
				}
			}
		}
		if latest > p.asOf {
			child.Given, child.Family, child.KnownAs = base.GetGiven(), base.GetFamily(), base.GetKnownAs()
			child.DateOfBirth, child.ResidenceArea = base.GetDateOfBirth(), base.GetResidenceArea()
		}
	}
	inOrder(child)
	return child
}

// clash says whether both hold permanent UPNs and share none.
func clash(a, b *directoryv1.Child) bool {
	mine, theirs := 0, 0
	for _, id := range b.GetIdentifiers() {
		if permanentUPN(id) {
			theirs++
			if has(a, id) {
				return false
			}
		}
	}
	for _, id := range a.GetIdentifiers() {
		if permanentUPN(id) {
			mine++
		}
	}
	return mine > 0 && theirs > 0
}

func has(c *directoryv1.Child, id *directoryv1.Identifier) bool {
	return slices.ContainsFunc(c.GetIdentifiers(), func(own *directoryv1.Identifier) bool { return proto.Equal(own, id) })
}

// inOrder sorts what a child has several of, so that the same knowledge is always the same row.
func inOrder(c *directoryv1.Child) {
	slices.SortFunc(c.GetIdentifiers(), func(a, b *directoryv1.Identifier) int {
		return cmp.Or(cmp.Compare(a.GetScheme(), b.GetScheme()), cmp.Compare(a.GetValue(), b.GetValue()))
	})
	slices.Sort(c.GetPostcodes())
	slices.SortFunc(c.GetEnrolments(), func(a, b *directoryv1.Enrolment) int {
		return cmp.Or(cmp.Compare(a.GetSource(), b.GetSource()), cmp.Compare(a.GetSetting(), b.GetSetting()),
			cmp.Compare(a.GetArea(), b.GetArea()), cmp.Compare(a.GetFrom(), b.GetFrom()))
	})
}

// moved says whether this roll puts a child at none of the places where it put it before.
func (r *register) moved(before, after *directoryv1.Child) bool {
	had := false
	for _, e := range before.GetEnrolments() {
		if !r.ours(e) {
			continue
		}
		had = true
		if slices.ContainsFunc(after.GetEnrolments(), func(now *directoryv1.Enrolment) bool {
			return r.ours(now) && now.GetSetting() == e.GetSetting() && now.GetArea() == e.GetArea()
		}) {
			return false
		}
	}
	return had
}

// leave takes a child off this roll. One on no other roll goes, unless restrictions name it: then the record stays
// without a place, so that the child is known again, and protected, if it returns under another number.
func (r *register) leave(row *directoryv1.Row) *directoryv1.Row {
	c := proto.CloneOf(row.GetChild())
	c.Enrolments = slices.DeleteFunc(c.GetEnrolments(), r.ours)
	restricted := r.j.restricted(c.GetId())
	if len(c.GetEnrolments()) == 0 && !restricted {
		return nil
	}
	if !restricted {
		c.Identifiers = slices.DeleteFunc(c.GetIdentifiers(), func(id *directoryv1.Identifier) bool { return id.GetScheme() == r.scheme })
	}
	return directory.ChildRow(c)
}

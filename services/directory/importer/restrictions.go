package importer

import (
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

func (j *job) readRestrictions(text string) error {
	cols := columns{
		required: []string{"id", "roll", "pupil_id", "kind", "target", "authoriser", "reason", "review_on"},
		optional: []string{"remove"},
	}
	j.total = len(j.current.Rows(directory.KindRestriction))
	pupils := j.pupils()
	seen := make(map[RowKey]int64)
	return j.table(text, cols, func(l *line) {
		r := &directoryv1.Restriction{
			Id: l.id("id"), Authoriser: l.required("authoriser"), Reason: l.token("reason"), ReviewOn: l.requiredDate("review_on"),
			Kind: l.requiredOneOf("kind", "protected_location", "sealed_identity", "barred_contact", "barred_organisation", "barred_area", "court_order"),
		}
		remove := l.yes("remove")
		if !remove {
			r.Target = l.target(r.GetKind())
		}
		pupil := directory.Identifier{Scheme: directory.SchemeLocal + l.required("roll"), Value: l.id("pupil_id")}
		r.Child = pupils[pupil]
		if r.GetChild() == "" && !remove {
			l.fault("pupil_id", "no child has this id on that roll, so nobody would be protected: import the roll first, or correct the id")
		}
		l.keepsProtecting(r, remove)
		l.take(directory.RestrictionRow(r), seen, remove)
	})
}

// keepsProtecting refuses a row that would lift a restriction by the way: one whose id stands for another child, as in
// two lists that each count from 1, and one that turns a seal into something less.
func (l *line) keepsProtecting(r *directoryv1.Restriction, remove bool) {
	row, ok := l.j.current.Row(directory.KindRestriction, r.GetId())
	if !ok {
		return
	}
	before := row.GetRestriction()
	if r.GetChild() != "" && r.GetChild() != before.GetChild() {
		l.fault("id", "is that of a restriction on another child, which would lose it: give this one an id of its own")
	}
	if !remove && directory.Seals(before) && !directory.Seals(r) {
		l.fault("kind", "would lift a seal: remove that restriction first (remove: yes), and give this one an id of its own")
	}
}

// barred says whether a restriction names a contact.
func (j *job) barred(contact string) bool {
	return slices.ContainsFunc(j.current.Rows(directory.KindRestriction), func(row *directoryv1.Row) bool {
		return row.GetRestriction().GetTarget() == contact
	})
}

// target is whom a restriction bars. One that does not exist would bar nobody.
func (l *line) target(kind string) string {
	s := l.text("target")
	switch kind {
	case "protected_location", "sealed_identity":
		if s != "" {
			l.fault("target", "is given, but this kind has none: leave it empty")
		}
	case "barred_contact":
		if _, ok := l.j.current.Row(directory.KindContact, s); !ok {
			l.fault("target", "is not a contact of the directory: give its source and id, such as ashmere-contacts/alder-dsl")
		}
	case "barred_organisation":
		return l.organisation("target")
	case "barred_area":
		if l.required("target") != "" {
			return l.knownArea("target")
		}
	case "court_order":
		if s == "" {
			return ""
		}
		if id := settingID(s); id != "" {
			s = id
		}
		for _, known := range []string{directory.KindContact, directory.KindOrganisation, directory.KindSetting, directory.KindArea} {
			if _, ok := l.j.current.Row(known, s); ok {
				return s
			}
		}
		l.fault("target", "is nobody in the directory: give the id of a contact, organisation, setting or area, or leave it empty")
	}
	return s
}

// restricted says whether a child carries a restriction.
func (j *job) restricted(id string) bool {
	return len(j.current.Restrictions(notice.ChildID(id))) > 0
}

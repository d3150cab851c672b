package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

const (
	longestShift = 31 * 24 * time.Hour // a longer one is a slip in a month or year
	maxShifts    = 5000                // of one rota: it is one row of the directory
	// keepShifts is how long a rota keeps what is over.
	keepShifts = 92 * 24 * time.Hour
)

// rotaLines are what a file says of one role of an organisation.
type rotaLines struct {
	organisation, role string
	shifts, swaps      []stint
	remove, bad        bool
}

// stint is a shift, or a swap.
type stint struct {
	contact, insteadOf string
	from, until        time.Time
	fault              func(column, message string) // reports the place that it stands in
}

func (s stint) same(o stint) bool {
	return s.contact == o.contact && s.insteadOf == o.insteadOf && s.from.Equal(o.from) && s.until.Equal(o.until)
}

func (s stint) overlaps(o stint) bool { return s.from.Before(o.until) && o.from.Before(s.until) }

func (j *job) readRota(text string) error {
	if isCalendar(text) {
		return j.readRotaCalendar(text)
	}
	cols := columns{required: []string{"organisation", "role", "contact", "from", "until"}, optional: []string{"kind", "instead_of"}}
	rotas := make(map[string]*rotaLines)
	if err := j.table(text, cols, func(l *line) { l.rota(rotas) }); err != nil {
		return err
	}
	for _, id := range sortedKeys(rotas) {
		if err := j.takeRota(rotas[id]); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) rota(rotas map[string]*rotaLines) {
	organisation, role := l.organisation("organisation"), l.token("role")
	id := directory.RotaID(notice.OrgID(organisation), role)
	r := rotas[id]
	if r == nil {
		r = &rotaLines{organisation: organisation, role: role}
		rotas[id] = r
	}
	switch kind := l.oneOf("kind", "shift", "swap", "remove"); {
	case l.bad:
	case kind == "remove":
		r.remove = true
	case kind == "swap":
		r.swaps = append(r.swaps, l.stint(r))
	default:
		r.shifts = append(r.shifts, l.stint(r))
		if l.text("instead_of") != "" {
			l.fault("instead_of", "stands in a row of the kind swap only: leave it empty, or give the kind")
		}
	}
	r.bad = r.bad || l.bad
}

func (l *line) stint(r *rotaLines) stint {
	s := stint{
		contact: l.rotaContact("contact", r), from: l.moment("from"), until: l.moment("until"),
		fault: func(column, message string) { l.fault(column, message) },
	}
	if l.text("instead_of") != "" {
		s.insteadOf = l.rotaContact("instead_of", r)
	}
	if !l.bad {
		s.check()
	}
	return s
}

// check checks a span by itself, and says whether it is good.
func (s stint) check() bool {
	switch {
	case !s.until.After(s.from):
		s.fault("until", "is not after from: correct one of them; a shift past midnight ends on the next day")
	case s.until.Sub(s.from) > longestShift:
		s.fault("until", "is more than 31 days after from: correct the date, or split the span")
	default:
		return true
	}
	return false
}

// rotaContact is the id of a contact of a rota's role: whole, or without its source where that is enough to tell it.
func (l *line) rotaContact(column string, r *rotaLines) string {
	s := l.required(column)
	var found []string
	for _, c := range l.j.current.Contacts(notice.OrgID(r.organisation)) {
		if c.GetRole() == r.role && (c.GetId() == s || strings.HasSuffix(c.GetId(), "/"+s)) {
			found = append(found, c.GetId())
		}
	}
	switch {
	case s == "":
		return ""
	case slices.Contains(found, s):
		return s
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		l.fault(column, "is the id of several contacts of the role: give it with its source, as SOURCE/id")
	default:
		l.fault(column, "is no contact of this organisation with this role: import the contacts first, or correct the id")
	}
	return ""
}

// takeRota lays what a file says of a rota over what the directory has. From the beginning of its first shift to the end
// of its last the file stands for the rota; what reaches into that time is cut. Swaps are added: one made at short notice, in no file, must
// not be lost to the next import of the rota.
func (j *job) takeRota(r *rotaLines) error {
	key := RowKey{directory.KindRota, directory.RotaID(notice.OrgID(r.organisation), r.role)}
	if r.organisation == "" || r.role == "" {
		return nil // each row of it was reported
	}
	before, ok := j.current.Row(key.Kind, key.ID)
	if r.remove && !r.bad && len(r.shifts)+len(r.swaps) == 0 {
		j.countRota(before.GetRota(), nil)
		j.drop[key] = true
		return nil
	}
	r.inOrder()
	shifts, swaps := before.GetRota().GetShifts(), before.GetRota().GetSwaps()
	row := &directoryv1.Rota{Id: key.ID, Organisation: r.organisation, Role: r.role}
	merged := j.mergedShifts(r, shifts)
	for _, s := range merged {
		row.Shifts = append(row.Shifts, &directoryv1.Shift{Contact: s.contact, From: instant(s.from), Until: instant(s.until)})
	}
	for _, s := range j.mergedSwaps(r, merged, swaps) {
		row.Swaps = append(row.Swaps, &directoryv1.Swap{Contact: s.contact, InsteadOf: s.insteadOf, From: instant(s.from), Until: instant(s.until)})
	}
	if n := len(row.GetShifts()) + len(row.GetSwaps()); n > maxShifts {
		return fmt.Errorf("it makes %d shifts of one role, more than %d: give fewer months", n, maxShifts)
	}
	switch {
	case r.bad || r.remove:
		j.keep[key] = true
	case !ok && len(row.GetShifts())+len(row.GetSwaps()) == 0:
	default:
		j.countRota(before.GetRota(), merged)
		j.want[key] = directory.RotaRow(row)
	}
	return nil
}

// inOrder puts the shifts in order, and checks what needs all of them.
func (r *rotaLines) inOrder() {
	if r.remove && len(r.shifts)+len(r.swaps) > 0 {
		r.bad = true
		last := append(slices.Clone(r.shifts), r.swaps...)[0]
		last.fault("kind", "another row removes this rota: leave one of them out")
	}
	slices.SortStableFunc(r.shifts, inTime)
	until := make(map[string]time.Time)
	for _, s := range r.shifts {
		if r.bad {
			return
		}
		if s.from.Before(until[s.contact]) {
			s.fault("from", "overlaps another shift of the same contact: correct the times, or leave one of them out")
			r.bad = true
		}
		until[s.contact] = s.until
	}
}

func (j *job) mergedShifts(r *rotaLines, now []*directoryv1.Shift) []stint {
	var merged []stint
	for _, s := range now {
		old := stint{contact: s.GetContact(), from: parsed(s.GetFrom()), until: parsed(s.GetUntil())}
		if old.until.Before(j.req.Now.Add(-keepShifts)) {
			continue
		}
		merged = append(merged, old.outside(r.shifts)...)
	}
	for _, s := range r.shifts {
		if !s.until.Before(j.req.Now.Add(-keepShifts)) {
			merged = append(merged, s)
		}
	}
	slices.SortStableFunc(merged, inTime)
	return merged
}

func inTime(a, b stint) int {
	return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.contact, b.contact), a.until.Compare(b.until))
}

// outside are the parts of a shift before and after the time that others, in order, stand for.
func (s stint) outside(others []stint) []stint {
	if len(others) == 0 {
		return []stint{s}
	}
	first, last := others[0].from, others[0].until
	for _, o := range others {
		if o.until.After(last) {
			last = o.until
		}
	}
	var parts []stint
	if s.from.Before(first) {
		before := s
		if before.until.After(first) {
			before.until = first
		}
		parts = append(parts, before)
	}
	if s.until.After(last) {
		after := s
		if after.from.Before(last) {
			after.from = last
		}
		parts = append(parts, after)
	}
	return parts
}

func (j *job) mergedSwaps(r *rotaLines, shifts []stint, now []*directoryv1.Swap) []stint {
	var merged []stint
	for _, s := range now {
		old := stint{contact: s.GetContact(), insteadOf: s.GetInsteadOf(), from: parsed(s.GetFrom()), until: parsed(s.GetUntil())}
		if !old.until.Before(j.req.Now.Add(-keepShifts)) {
			merged = append(merged, old)
		}
	}
	for _, s := range r.swaps {
		if r.bad || slices.ContainsFunc(merged, s.same) || s.until.Before(j.req.Now.Add(-keepShifts)) {
			continue
		}
		taken := func(o stint) bool { return o.contact == s.insteadOf && o.overlaps(s) }
		row, _ := j.current.Row(directory.KindContact, s.contact)
		switch {
		case row.GetContact().GetVerifiedOn() == "":
			s.fault("contact", "is not confirmed and would get nothing: confirm it first, or swap with another")
			r.bad = true
		case s.insteadOf == s.contact:
			s.fault("instead_of", "is the same contact: correct one of them")
			r.bad = true
		case s.insteadOf != "" && !slices.ContainsFunc(shifts, taken) && !slices.ContainsFunc(merged, taken):
			s.fault("instead_of", "has no shift in this span, so nobody would be replaced: correct the times, or leave it empty to cover whoever has one")
			r.bad = true
		}
		merged = append(merged, s)
	}
	return merged
}

// countRota counts, for the guard, the shifts that are still to come and that a file takes away or gives to another.
func (j *job) countRota(now *directoryv1.Rota, after []stint) {
	for _, s := range now.GetShifts() {
		old := stint{contact: s.GetContact(), from: parsed(s.GetFrom()), until: parsed(s.GetUntil())}
		if old.until.Before(j.req.Now) {
			continue
		}
		j.total++
		if !slices.ContainsFunc(after, old.same) {
			j.moved++
		}
	}
}

// instant is a time as the directory writes it: with the offset of the UK then.
func instant(t time.Time) string { return t.In(directory.London()).Format(time.RFC3339) }

// parsed reads a time of a row in force, which was checked when the directory was built.
func parsed(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

package directory

import (
	"cmp"
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The uses of a contact, and what a link of a chain may use.
const (
	UseRegular    = "regular"
	UseOutOfHours = "out_of_hours"
	UseHoliday    = "holiday"
	UseAny        = "any"   // regular and out-of-hours contacts
	UseEvery      = "every" // holiday contacts too
)

// Turn is a contact of a role at an instant, and why it stands where it does in the order of whom to turn to.
type Turn struct {
	Contact   *directoryv1.Contact
	Why       directoryv1.DutyWhy
	InsteadOf string // the contact whose shift it has, by a swap
}

// Duty is whom to turn to for a role at an instant.
type Duty struct {
	Turns   []Turn   // in order, each contact once
	Missing []string // on the rota, and no contact of the role: their ids
}

// Of is a contact's turn.
func (d Duty) Of(contact string) (Turn, bool) {
	i := slices.IndexFunc(d.Turns, func(t Turn) bool { return t.Contact.GetId() == contact })
	if i < 0 {
		return Turn{}, false
	}
	return d.Turns[i], true
}

// OnShift says whether the contact is on the rota now.
func (t Turn) OnShift() bool {
	return t.Why == directoryv1.DutyWhy_DUTY_WHY_SHIFT || t.Why == directoryv1.DutyWhy_DUTY_WHY_SWAP
}

// OnDuty says whether the contact is at work now: by a shift, or by its hours.
func (t Turn) OnDuty() bool {
	return t.Why > directoryv1.DutyWhy_DUTY_WHY_UNSPECIFIED && t.Why < directoryv1.DutyWhy_DUTY_WHY_NO_SHIFT
}

// Duty says who is on duty for a role of an organisation at an instant, and who comes next. It is the one answer to that
// question: sending, calling, the offline list and `signalbox directory duty` all ask it.
//
// The order: who has a shift, swaps counted; regular contacts within their hours; out-of-hours contacts within theirs;
// out-of-hours contacts whose times are their shifts; regular contacts that are off duty; out-of-hours contacts that are.
// Within each the first by id. So a gap in the rota, or a shift of somebody who cannot be sent to, leaves those who
// would be turned to without a rota: a role is never without anybody while it has a contact.
//
// Use is what the link may use. For UseRegular the hour does not count, and so neither does the rota; for UseHoliday the
// rota and the hours choose among the holiday contacts alone. Whether a contact may be sent to at all is for the caller.
func (s *Snapshot) Duty(org notice.OrgID, role, use string, at time.Time) Duty {
	rota := s.rotas[RotaID(org, role)]
	var on []stint
	if use != UseRegular {
		on = rota.on(at)
	}
	var d Duty
	for _, st := range on {
		if c := s.contact[st.contact]; c.GetOrganisation() != string(org) || c.GetRole() != role {
			d.Missing = append(d.Missing, st.contact)
		}
	}
	type placed struct {
		Turn
		place int
	}
	var turns []placed
	days := s.daysOf(org)
	for _, c := range s.contacts[org] { // by id
		if c.GetRole() != role || !usable(use, c.GetUse()) {
			continue
		}
		if i, exactly := s.shiftOf(c, on); i >= 0 {
			t := placed{Turn{c, directoryv1.DutyWhy_DUTY_WHY_SHIFT, on[i].insteadOf}, 2 * i}
			if t.InsteadOf != "" {
				t.Why = directoryv1.DutyWhy_DUTY_WHY_SWAP
			}
			if !exactly {
				t.place++
			}
			turns = append(turns, t)
			continue
		}
		rostered := len(rota.people) > 0 && rota.people[FoldName(c.GetName())]
		why := withoutShift(c, rostered, at, days)
		place := 2*len(on) + int(why)
		if use == UseRegular {
			place = 0
		}
		turns = append(turns, placed{Turn{Contact: c, Why: why}, place})
	}
	slices.SortStableFunc(turns, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	d.Turns = make([]Turn, 0, len(turns))
	for _, t := range turns {
		d.Turns = append(d.Turns, t.Turn)
	}
	return d
}

// usable says whether a link of a use may go to a contact of another.
func usable(use, contact string) bool {
	switch use {
	case UseHoliday, UseRegular:
		return contact == use
	case UseEvery:
		return true
	default:
		return contact == UseRegular || contact == UseOutOfHours
	}
}

// shiftOf finds a contact among those who have a shift: itself (exactly), or the same person under another contact.
func (s *Snapshot) shiftOf(c *directoryv1.Contact, on []stint) (at int, exactly bool) {
	at = -1
	for i, st := range on {
		if st.contact == c.GetId() {
			return i, true
		}
		other := s.contact[st.contact]
		if at < 0 && other.GetOrganisation() == c.GetOrganisation() && FoldName(c.GetName()) != "" && FoldName(other.GetName()) == FoldName(c.GetName()) {
			at = i
		}
	}
	return at, false
}

// withoutShift is what a contact who has no shift now is by its hours. Somebody on the rota who states none is on duty in
// shifts only.
func withoutShift(c *directoryv1.Contact, rostered bool, at time.Time, days WorkingDays) directoryv1.DutyWhy {
	byShifts := rostered && len(c.GetHours()) == 0
	switch {
	case byShifts && c.GetUse() == UseOutOfHours:
		return directoryv1.DutyWhy_DUTY_WHY_NO_SHIFT
	case byShifts, !OnDuty(c, at, days):
		return directoryv1.DutyWhy_DUTY_WHY_OFF_DUTY
	case c.GetUse() == UseOutOfHours:
		return directoryv1.DutyWhy_DUTY_WHY_OUT_OF_HOURS
	case c.GetUse() == UseHoliday:
		return directoryv1.DutyWhy_DUTY_WHY_HOLIDAY
	default:
		return directoryv1.DutyWhy_DUTY_WHY_OFFICE_HOURS
	}
}

// Span is a time in which Duty gives one answer.
type Span struct {
	From, Until time.Time
	Duty        Duty
}

// Spans is Duty from one instant to another. A span ends wherever the answer may change, and at each midnight, since a
// contact's first and last day of use end there; so neighbours may say the same.
func (s *Snapshot) Spans(org notice.OrgID, role, use string, from, until time.Time) []Span {
	edges := []time.Time{from}
	edge := func(t time.Time) {
		if t.After(from) && t.Before(until) {
			edges = append(edges, t)
		}
	}
	for d := DateOf(from).AddDays(-1); !d.After(DateOf(until)); d = d.AddDays(1) {
		edge(d.at(0))
		for _, c := range s.contacts[org] {
			for _, h := range c.GetHours() {
				edge(d.At(h.GetFrom()))
				edge(d.At(h.GetUntil()))
			}
		}
	}
	s.rotas[RotaID(org, role)].edges(edge)
	slices.SortFunc(edges, time.Time.Compare)
	edges = slices.CompactFunc(edges, time.Time.Equal)
	spans := make([]Span, len(edges))
	for i, e := range edges {
		spans[i] = Span{From: e, Until: until, Duty: s.Duty(org, role, use, e)}
		if i > 0 {
			spans[i-1].Until = e
		}
	}
	return spans
}

// Roles are the roles of an organisation that have a contact or a rota, sorted.
func (s *Snapshot) Roles(org notice.OrgID) []string {
	var roles []string
	for _, c := range s.contacts[org] {
		roles = append(roles, c.GetRole())
	}
	for _, r := range s.rotas {
		if r.row.GetOrganisation() == string(org) {
			roles = append(roles, r.row.GetRole())
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// daysOf are the working days of an organisation's or setting's nation.
func (s *Snapshot) daysOf(org notice.OrgID) WorkingDays {
	return s.workingDays(cmp.Or(s.organisations[org].GetArea(), s.settings[org].GetArea()))
}

package directory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// RotaID is the id of the rota of an organisation's role.
func RotaID(organisation notice.OrgID, role string) string { return string(organisation) + "/" + role }

// rotaRow is a rota read.
type rotaRow struct {
	row    *directoryv1.Rota
	shifts []stint // by beginning
	swaps  []stint // as they were made
	people map[string]bool
}

// stint is a span in which a contact is on duty. It ends just before until.
type stint struct {
	contact     string
	insteadOf   string
	from, until time.Time
}

func (s stint) covers(at time.Time) bool { return !at.Before(s.from) && at.Before(s.until) }

func readRota(row *directoryv1.Rota) (rotaRow, error) {
	r := rotaRow{row: row}
	if row.GetId() != RotaID(notice.OrgID(row.GetOrganisation()), row.GetRole()) {
		return r, errors.New("id is not the organisation and the role")
	}
	for i, s := range row.GetShifts() {
		st, err := readStint(s.GetContact(), "", s.GetFrom(), s.GetUntil())
		if err != nil {
			return r, fmt.Errorf("shifts[%d]: %w", i, err)
		}
		r.shifts = append(r.shifts, st)
	}
	for i, s := range row.GetSwaps() {
		st, err := readStint(s.GetContact(), s.GetInsteadOf(), s.GetFrom(), s.GetUntil())
		if err != nil {
			return r, fmt.Errorf("swaps[%d]: %w", i, err)
		}
		r.swaps = append(r.swaps, st)
	}
	slices.SortFunc(r.shifts, func(a, b stint) int {
		return cmp.Or(a.from.Compare(b.from), cmp.Compare(b.contact, a.contact))
	})
	return r, nil
}

func readStint(contact, insteadOf, from, until string) (stint, error) {
	begins, err1 := time.Parse(time.RFC3339, from)
	ends, err2 := time.Parse(time.RFC3339, until)
	if err1 != nil || err2 != nil || !ends.After(begins) || contact == "" {
		return stint{}, errors.New("is not a contact and two instants in order")
	}
	return stint{contact: contact, insteadOf: insteadOf, from: begins, until: ends}, nil
}

// on is who has a shift at an instant, swaps counted, in the order in which to turn to them: whose shift began last
// comes first, so that a day laid over somebody's week counts.
//
// Swaps are gone through as they were made, so that what was swapped can be swapped on, or back. One that names whose
// shift is taken over does nothing where the rota has somebody else by now: the rota was put right meanwhile.
func (r rotaRow) on(at time.Time) []stint {
	var on []stint
	for _, s := range slices.Backward(r.shifts) {
		if s.covers(at) {
			on = append(on, s)
		}
	}
	for _, swap := range r.swaps {
		switch {
		case !swap.covers(at):
		case swap.insteadOf == "":
			if len(on) > 0 {
				swap.insteadOf = cmp.Or(on[0].insteadOf, on[0].contact)
			}
			on = []stint{swap}
		default:
			for i := range on {
				if on[i].contact == swap.insteadOf {
					on[i].contact, on[i].insteadOf = swap.contact, cmp.Or(on[i].insteadOf, swap.insteadOf)
				}
			}
		}
	}
	for i := range on {
		if on[i].insteadOf == on[i].contact { // swapped back
			on[i].insteadOf = ""
		}
	}
	return on
}

// edges are the instants at which who is on the rota may change.
func (r rotaRow) edges(each func(time.Time)) {
	for _, spans := range [][]stint{r.shifts, r.swaps} {
		for _, s := range spans {
			each(s.from)
			each(s.until)
		}
	}
}

// indexRotas gathers who is on each rota, by name: a person's mailbox and telephone are two contacts.
func (s *Snapshot) indexRotas() {
	for id, r := range s.rotas {
		r.people = make(map[string]bool)
		for _, stints := range [][]stint{r.shifts, r.swaps} {
			for _, st := range stints {
				for _, contact := range []string{st.contact, st.insteadOf} {
					if name := FoldName(s.contact[contact].GetName()); name != "" {
						r.people[name] = true
					}
				}
			}
		}
		s.rotas[id] = r
	}
}

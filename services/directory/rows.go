package directory

import (
	"cmp"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Rows are the rows of a kind, by id; none for a kind that is not known. The wrappers are fresh, the rows shared.
func (s *Snapshot) Rows(kind string) []*directoryv1.Row {
	switch kind {
	case KindArea:
		return wrap(byKey(s.areas), AreaRow)
	case KindOrganisation:
		return wrap(byKey(s.organisations), OrganisationRow)
	case KindSetting:
		return wrap(byKey(s.settings), SettingRow)
	case KindContact:
		return wrap(byKey(s.contact), ContactRow)
	case KindCalendar:
		return wrap(byKey(s.calendars), func(c calendarRow) *directoryv1.Row { return CalendarRow(c.row) })
	case KindBankHolidays:
		return wrap(byKey(s.holidays), func(h holidayRow) *directoryv1.Row { return BankHolidaysRow(h.row) })
	case KindChild:
		children := slices.Clone(s.children)
		slices.SortFunc(children, func(a, b *directoryv1.Child) int { return cmp.Compare(a.GetId(), b.GetId()) })
		return wrap(children, ChildRow)
	case KindRestriction:
		return wrap(byKey(s.restriction), RestrictionRow)
	case KindAgency:
		return wrap(s.Agencies(), AgencyRow)
	case KindPolicy:
		return wrap(byKey(s.policies), PolicyRow)
	case KindNetwork:
		return wrap(byKey(s.members), NetworkRow)
	case KindPostcode:
		return wrap(byKey(s.districts), PostcodeRow)
	case KindRota:
		return wrap(byKey(s.rotas), func(r rotaRow) *directoryv1.Row { return RotaRow(r.row) })
	case KindSubscription:
		return wrap(byKey(s.subscriptions), SubscriptionRow)
	default:
		return nil
	}
}

// Row is one row by kind and id.
func (s *Snapshot) Row(kind, id string) (*directoryv1.Row, bool) {
	switch kind {
	case KindArea:
		return one(s.areas, notice.Area(id), AreaRow)
	case KindOrganisation:
		return one(s.organisations, notice.OrgID(id), OrganisationRow)
	case KindSetting:
		return one(s.settings, notice.OrgID(id), SettingRow)
	case KindContact:
		return one(s.contact, id, ContactRow)
	case KindCalendar:
		return one(s.calendars, id, func(c calendarRow) *directoryv1.Row { return CalendarRow(c.row) })
	case KindBankHolidays:
		return one(s.holidays, id, func(h holidayRow) *directoryv1.Row { return BankHolidaysRow(h.row) })
	case KindChild:
		return one(s.childAt, notice.ChildID(id), func(i int32) *directoryv1.Row { return ChildRow(s.children[i]) })
	case KindRestriction:
		return one(s.restriction, id, RestrictionRow)
	case KindAgency:
		return one(s.agencies, notice.AgencyID(id), AgencyRow)
	case KindPolicy:
		return one(s.policies, id, PolicyRow)
	case KindNetwork:
		return one(s.members, id, NetworkRow)
	case KindPostcode:
		return one(s.districts, id, PostcodeRow)
	case KindRota:
		return one(s.rotas, id, func(r rotaRow) *directoryv1.Row { return RotaRow(r.row) })
	case KindSubscription:
		return one(s.subscriptions, id, SubscriptionRow)
	default:
		return nil, false
	}
}

func wrap[V any](values []V, as func(V) *directoryv1.Row) []*directoryv1.Row {
	out := make([]*directoryv1.Row, len(values))
	for i, v := range values {
		out[i] = as(v)
	}
	return out
}

func one[K comparable, V any](m map[K]V, k K, as func(V) *directoryv1.Row) (*directoryv1.Row, bool) {
	v, ok := m[k]
	if !ok {
		return nil, false
	}
	return as(v), true
}

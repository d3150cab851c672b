package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// The divisions of bank holidays, as GOV.UK names them.
const (
	EnglandAndWales = "england-and-wales"
	Scotland        = "scotland"
	NorthernIreland = "northern-ireland"
)

// Snapshot is the directory at one generation. It never changes and may be read by any number of goroutines. It keeps
// the rows that it was built from: nobody may change them afterwards.
type Snapshot struct {
	generation    uint64
	areas         map[notice.Area]*directoryv1.Area
	organisations map[notice.OrgID]*directoryv1.Organisation
	authorities   map[notice.Area]*directoryv1.Organisation
	forces        map[notice.Area]*directoryv1.Organisation
	settings      map[notice.OrgID]*directoryv1.Setting
	contacts      map[notice.OrgID][]*directoryv1.Contact // by organisation, then id
	contact       map[string]*directoryv1.Contact
	calendars     map[string]calendarRow
	holidays      map[string]holidayRow
	agencies      map[notice.AgencyID]*directoryv1.Agency
	policies      map[string]*directoryv1.PolicyDocument
	rotas         map[string]rotaRow // by organisation and role
	policy        *directoryv1.PolicyDocument
	subscriptions map[string]*directoryv1.Subscription
	granted       []*directoryv1.Subscription // by id
	restriction   map[string]*directoryv1.Restriction
	restrictions  map[notice.ChildID][]*directoryv1.Restriction // by child, then id
	children      []*directoryv1.Child
	childAt       map[notice.ChildID]int32
	identifiers   index // scheme and value, of identifiers that identify
	surnames      index // folded family name and date of birth
	members       map[string]*directoryv1.NetworkMember
	network       map[notice.ChildID][]*directoryv1.NetworkMember // by child, then id
	health        map[notice.Area]*directoryv1.Organisation
	districts     map[string]*directoryv1.PostcodeDistrict
	kinds         map[kindIn][]*directoryv1.Organisation // by id
}

type holidayRow struct {
	row  *directoryv1.BankHolidays
	days WorkingDays
}

// Build makes a Snapshot of a generation's rows, in any order. It fails (notice.Invalid) where two rows have one key,
// a row has none, a calendar cannot be read, or two policies are in force; the error names the row's kind, and its id
// unless it is a child's.
func Build(generation uint64, rows []*directoryv1.Row) (*Snapshot, error) {
	children := 0
	for _, row := range rows {
		if row.GetChild() != nil {
			children++
		}
	}
	s := &Snapshot{
		generation:    generation,
		areas:         make(map[notice.Area]*directoryv1.Area),
		organisations: make(map[notice.OrgID]*directoryv1.Organisation),
		settings:      make(map[notice.OrgID]*directoryv1.Setting),
		contact:       make(map[string]*directoryv1.Contact),
		calendars:     make(map[string]calendarRow),
		holidays:      make(map[string]holidayRow),
		agencies:      make(map[notice.AgencyID]*directoryv1.Agency),
		policies:      make(map[string]*directoryv1.PolicyDocument),
		rotas:         make(map[string]rotaRow),
		subscriptions: make(map[string]*directoryv1.Subscription),
		restriction:   make(map[string]*directoryv1.Restriction),
		children:      make([]*directoryv1.Child, 0, children),
		childAt:       make(map[notice.ChildID]int32, children),
		members:       make(map[string]*directoryv1.NetworkMember),
		districts:     make(map[string]*directoryv1.PostcodeDistrict),
	}
	for _, row := range rows {
		if err := s.add(row); err != nil {
			return nil, notice.Fault(notice.Invalid, "directory.Build", err)
		}
	}
	s.index()
	return s, nil
}

func (s *Snapshot) add(row *directoryv1.Row) error {
	kind, id := KeyOf(row)
	if id == "" {
		return fmt.Errorf("a row of kind %q has no id", kind)
	}
	fresh := true
	var err error
	switch r := row.GetRow().(type) {
	case *directoryv1.Row_Area:
		fresh = put(s.areas, notice.Area(id), r.Area)
	case *directoryv1.Row_Organisation:
		fresh = put(s.organisations, notice.OrgID(id), r.Organisation)
	case *directoryv1.Row_Setting:
		fresh = put(s.settings, notice.OrgID(id), r.Setting)
	case *directoryv1.Row_Contact:
		fresh = put(s.contact, id, r.Contact)
	case *directoryv1.Row_Calendar:
		var c calendarRow
		c, err = readCalendar(r.Calendar)
		fresh = put(s.calendars, id, c)
	case *directoryv1.Row_BankHolidays:
		h := holidayRow{row: r.BankHolidays}
		h.days.holidays, err = dateSet(r.BankHolidays.GetDates())
		fresh = put(s.holidays, id, h)
	case *directoryv1.Row_Child:
		fresh = put(s.childAt, notice.ChildID(id), int32(len(s.children)))
		s.children = append(s.children, r.Child)
	case *directoryv1.Row_Restriction:
		fresh = put(s.restriction, id, r.Restriction)
	case *directoryv1.Row_Agency:
		fresh = put(s.agencies, notice.AgencyID(id), r.Agency)
	case *directoryv1.Row_Subscription:
		fresh = put(s.subscriptions, id, r.Subscription)
	case *directoryv1.Row_Policy:
		fresh = put(s.policies, id, r.Policy)
		if r.Policy.GetInForce() {
			if s.policy != nil {
				return fmt.Errorf("two policies are in force: take one out of force when another comes in")
			}
			s.policy = r.Policy
		}
	case *directoryv1.Row_NetworkMember:
		fresh = put(s.members, id, r.NetworkMember)
	case *directoryv1.Row_Postcode:
		err = checkDistrict(r.Postcode)
		fresh = put(s.districts, id, r.Postcode)
	case *directoryv1.Row_Rota:
		var rota rotaRow
		rota, err = readRota(r.Rota)
		fresh = put(s.rotas, id, rota)
	}
	if kind == KindChild || kind == KindRestriction {
		id = "(withheld)"
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, id, err)
	}
	if !fresh {
		return fmt.Errorf("%s %s has two rows", kind, id)
	}
	return nil
}

func put[K comparable, V any](m map[K]V, k K, v V) bool {
	_, had := m[k]
	m[k] = v
	return !had
}

// index builds what is looked up by something other than an id. It walks ids in order, so that the order in which rows
// came changes no answer.
func (s *Snapshot) index() {
	s.authorities = make(map[notice.Area]*directoryv1.Organisation)
	s.forces = make(map[notice.Area]*directoryv1.Organisation)
	s.health = make(map[notice.Area]*directoryv1.Organisation)
	for _, id := range slices.Sorted(maps.Keys(s.organisations)) {
		org := s.organisations[id]
		byArea := s.authorities
		switch org.GetKind() {
		case "local_authority":
		case "police":
			byArea = s.forces
		case "health":
			byArea = s.health
		default:
			continue
		}
		if area := notice.Area(org.GetArea()); byArea[area] == nil && area != "" {
			byArea[area] = org
		}
	}
	s.contacts = make(map[notice.OrgID][]*directoryv1.Contact)
	for _, id := range slices.Sorted(maps.Keys(s.contact)) {
		c := s.contact[id]
		org := notice.OrgID(c.GetOrganisation())
		s.contacts[org] = append(s.contacts[org], c)
	}
	s.restrictions = make(map[notice.ChildID][]*directoryv1.Restriction)
	for _, id := range slices.Sorted(maps.Keys(s.restriction)) {
		r := s.restriction[id]
		child := notice.ChildID(r.GetChild())
		s.restrictions[child] = append(s.restrictions[child], r)
	}
	s.indexSubscriptions()
	s.indexChildren()
	s.indexNetwork()
	s.indexKinds()
	s.indexRotas()
}

// Generation is the number of the directory's state.
func (s *Snapshot) Generation() uint64 { return s.generation }

// Organisation is an organisation by id.
func (s *Snapshot) Organisation(id notice.OrgID) (*directoryv1.Organisation, bool) {
	v, ok := s.organisations[id]
	return v, ok
}

// Setting is a setting by id.
func (s *Snapshot) Setting(id notice.OrgID) (*directoryv1.Setting, bool) {
	v, ok := s.settings[id]
	return v, ok
}

// Name is the name of an organisation or setting, or its id where it has none.
func (s *Snapshot) Name(id notice.OrgID) string {
	return cmp.Or(s.organisations[id].GetName(), s.settings[id].GetName(), string(id))
}

// Area is an area by GSS code.
func (s *Snapshot) Area(gss notice.Area) (*directoryv1.Area, bool) {
	v, ok := s.areas[gss]
	return v, ok
}

// Within says whether a place lies in an area: it is the area, or the area is the police area around it. No place lies
// nowhere.
func (s *Snapshot) Within(place, area notice.Area) bool {
	if place == "" || area == "" {
		return false
	}
	around, _ := s.Area(place)
	return place == area || area == notice.Area(around.GetPoliceArea())
}

// Authority is the local authority organisation of an area; of several, the first by id.
func (s *Snapshot) Authority(area notice.Area) (*directoryv1.Organisation, bool) {
	v, ok := s.authorities[area]
	return v, ok
}

// Police is the police organisation of a local authority's police area, or of a police area itself.
func (s *Snapshot) Police(area notice.Area) (*directoryv1.Organisation, bool) {
	if p := s.areas[area].GetPoliceArea(); p != "" {
		area = notice.Area(p)
	}
	v, ok := s.forces[area]
	return v, ok
}

// Contacts are the contacts of an organisation or setting, by id: verified or not, in use or not.
func (s *Snapshot) Contacts(org notice.OrgID) []*directoryv1.Contact {
	return slices.Clip(s.contacts[org])
}

// Agency is an agency by id.
func (s *Snapshot) Agency(id notice.AgencyID) (*directoryv1.Agency, bool) {
	v, ok := s.agencies[id]
	return v, ok
}

// Agencies are all agencies, by id.
func (s *Snapshot) Agencies() []*directoryv1.Agency { return byKey(s.agencies) }

// Policy is the policy in force.
func (s *Snapshot) Policy() (*directoryv1.PolicyDocument, bool) { return s.policy, s.policy != nil }

// Restrictions are the restrictions on a child, by id. They outlive the child's row: a child that left every roll is
// still protected.
func (s *Snapshot) Restrictions(child notice.ChildID) []*directoryv1.Restriction {
	return slices.Clip(s.restrictions[child])
}

// Child is a child by id.
func (s *Snapshot) Child(id notice.ChildID) (*directoryv1.Child, bool) {
	i, ok := s.childAt[id]
	if !ok {
		return nil, false
	}
	return s.children[i], true
}

// WorkingDays are the working days of England and Wales.
func (s *Snapshot) WorkingDays() WorkingDays { return s.holidays[EnglandAndWales].days }

// workingDays are those of an area's nation.
func (s *Snapshot) workingDays(area string) WorkingDays {
	switch s.areas[notice.Area(area)].GetNation() {
	case "scotland":
		return s.holidays[Scotland].days
	case "northern_ireland":
		return s.holidays[NorthernIreland].days
	default:
		return s.WorkingDays()
	}
}

func byKey[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

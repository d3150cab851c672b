package directory

import (
	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
)

// The kinds of row: the names of the fields of directoryv1.Row.
const (
	KindArea         = "area"
	KindOrganisation = "organisation"
	KindSetting      = "setting"
	KindContact      = "contact"
	KindCalendar     = "calendar"
	KindBankHolidays = "bank_holidays"
	KindChild        = "child"
	KindRestriction  = "restriction"
	KindAgency       = "agency"
	KindPolicy       = "policy"
	KindNetwork      = "network_member"
	KindPostcode     = "postcode"
	KindRota         = "rota"
	KindSubscription = "subscription"
)

// Kinds lists the kinds of row.
func Kinds() []string {
	return []string{
		KindArea, KindOrganisation, KindSetting, KindContact, KindCalendar, KindBankHolidays, KindChild, KindRestriction,
		KindAgency, KindPolicy, KindNetwork, KindPostcode, KindRota, KindSubscription,
	}
}

// KeyOf is the kind of a row and its id within the kind. Both are empty for a row of a kind that is not known.
func KeyOf(row *directoryv1.Row) (kind, id string) {
	switch r := row.GetRow().(type) {
	case *directoryv1.Row_Area:
		return KindArea, r.Area.GetGss()
	case *directoryv1.Row_Organisation:
		return KindOrganisation, r.Organisation.GetId()
	case *directoryv1.Row_Setting:
		return KindSetting, r.Setting.GetId()
	case *directoryv1.Row_Contact:
		return KindContact, r.Contact.GetId()
	case *directoryv1.Row_Calendar:
		return KindCalendar, r.Calendar.GetId()
	case *directoryv1.Row_BankHolidays:
		return KindBankHolidays, r.BankHolidays.GetDivision()
	case *directoryv1.Row_Child:
		return KindChild, r.Child.GetId()
	case *directoryv1.Row_Restriction:
		return KindRestriction, r.Restriction.GetId()
	case *directoryv1.Row_Agency:
		return KindAgency, r.Agency.GetId()
	case *directoryv1.Row_Policy:
		return KindPolicy, r.Policy.GetDigest()
	case *directoryv1.Row_NetworkMember:
		return KindNetwork, r.NetworkMember.GetId()
	case *directoryv1.Row_Postcode:
		return KindPostcode, r.Postcode.GetDistrict()
	case *directoryv1.Row_Rota:
		return KindRota, r.Rota.GetId()
	case *directoryv1.Row_Subscription:
		return KindSubscription, r.Subscription.GetId()
	default:
		return "", ""
	}
}

// AreaRow wraps an area as a row.
func AreaRow(v *directoryv1.Area) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Area{Area: v}}
}

// OrganisationRow wraps an organisation as a row.
func OrganisationRow(v *directoryv1.Organisation) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Organisation{Organisation: v}}
}

// SettingRow wraps a setting as a row.
func SettingRow(v *directoryv1.Setting) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Setting{Setting: v}}
}

// ContactRow wraps a contact as a row.
func ContactRow(v *directoryv1.Contact) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Contact{Contact: v}}
}

// CalendarRow wraps a calendar as a row.
func CalendarRow(v *directoryv1.Calendar) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Calendar{Calendar: v}}
}

// BankHolidaysRow wraps the bank holidays of a division as a row.
func BankHolidaysRow(v *directoryv1.BankHolidays) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_BankHolidays{BankHolidays: v}}
}

// ChildRow wraps a child as a row.
func ChildRow(v *directoryv1.Child) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Child{Child: v}}
}

// RestrictionRow wraps a restriction as a row.
func RestrictionRow(v *directoryv1.Restriction) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Restriction{Restriction: v}}
}

// AgencyRow wraps an agency as a row.
func AgencyRow(v *directoryv1.Agency) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Agency{Agency: v}}
}

// PolicyRow wraps a policy document as a row.
func PolicyRow(v *directoryv1.PolicyDocument) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Policy{Policy: v}}
}

// NetworkRow wraps a member of a child's network as a row.
func NetworkRow(v *directoryv1.NetworkMember) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_NetworkMember{NetworkMember: v}}
}

// PostcodeRow wraps the postcodes of a district as a row.
func PostcodeRow(v *directoryv1.PostcodeDistrict) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Postcode{Postcode: v}}
}

// RotaRow wraps a rota as a row.
func RotaRow(v *directoryv1.Rota) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Rota{Rota: v}}
}

// SubscriptionRow wraps a subscription as a row.
func SubscriptionRow(v *directoryv1.Subscription) *directoryv1.Row {
	return &directoryv1.Row{Row: &directoryv1.Row_Subscription{Subscription: v}}
}
